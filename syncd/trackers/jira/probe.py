"""What became of a create: every key above its floor, read one by one, and whatever a search for its label shows.

A search asks an index that lags, on Cloud by minutes; reading by key does not. Numbers are given in order and never twice. Those
of refused creates stay unused, so that a gap is not the end.
"""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

from syncd.config import JiraSettings
from syncd.model import Created, Evidence, Issue
from syncd.trackers.answer import Answer
from syncd.trackers.jira.answers import Bulk, Found, Page, browse, captcha, clock, expect, moment
from syncd.trackers.jira.check import account, require
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.fields import issue_line, last_lines, tag

_FIELDS = ("labels", "creator", "created")
_LABELLED = 20
# No request begins later: a claim lasts three minutes.
_READING_SECONDS = 90.0


class _Way(NamedTuple):
    """How many keys one request reads; how many that are nothing yet, above the newest known one, are the end; how many are read
    at most."""

    batch: int
    beyond: int
    most: int


_WAYS = {"cloud": _Way(batch=100, beyond=100, most=5000), "datacenter": _Way(batch=1, beyond=20, most=500)}


def newest(connection: Connection, settings: JiraSettings) -> int:
    """The highest number in the project that its index knows; 0 where it knows none."""
    _, found = search(connection, settings, _newest_first(settings), 1)
    return found[0].number if found else 0


def _newest_first(settings: JiraSettings) -> str:
    return f'project = "{settings.project}" ORDER BY key DESC'


def search(connection: Connection, settings: JiraSettings, jql: str, most: int) -> tuple[Answer, list[Found]]:
    """The first `most` issues that a search shows. Raises what it means when it is not answered."""
    parameters: dict[str, str | int] = {"jql": jql, "maxResults": most, "fields": ",".join(_fields(settings))}
    if settings.deployment == "cloud":
        parameters["properties"] = "syncd"
        answer = connection.again("GET", "search/jql", parameters=parameters)
    else:
        # Otherwise a word that the index does not know yet is an error.
        parameters["validateQuery"] = "false"
        answer = connection.again("GET", "search", parameters=parameters)
    if answer.status == 400:
        # Cloud's word for a project that may not be seen.
        require(connection, settings, "BROWSE_PROJECTS")
    return answer, expect(answer, Page).issues


def _fields(settings: JiraSettings) -> tuple[str, ...]:
    return _FIELDS if settings.deployment == "cloud" else (*_FIELDS, "description")


class Probe:
    """One look for the issue that carries a marker. `ours` is our account; `now` is a monotonic clock."""

    def __init__(
        self, connection: Connection, settings: JiraSettings, floor: int, ours: str, now: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._way = _WAYS[settings.deployment]
        self._floor = floor
        self._ours = ours
        self._now = now
        self._ends_at = now() + _READING_SECONDS
        self._issues: dict[str, Found] = {}
        self._known = floor  # the highest number that any issue has or had
        self._newest: tuple[int, float | None] = (0, None)
        self._read = 0
        self._hidden: list[str] = []

    def evidence(self, issue: Issue) -> Evidence:
        """Usually four requests on Cloud, and some twenty more on Data Center, which reads key by key. Raises what it means when
        one of them fails: then nothing is known."""
        # Without the project: an issue that was moved since is still ours.
        labelled = f'labels = "{tag(issue.marker)}" ORDER BY created ASC'
        answer, found = search(self._connection, self._settings, labelled, _LABELLED)
        self._take(found)
        _, found = search(self._connection, self._settings, _newest_first(self._settings), 1)
        self._take(found)
        for one in found:
            self._number(one.number, one)
        ended = self._walk()
        # Jira says of what may not be seen that it is not there.
        require(self._connection, self._settings, "BROWSE_PROJECTS")
        at = clock(answer)
        number, born = self._newest
        return Evidence(
            issues=tuple(self._created(one) for one in self._ours_among(issue.marker)),
            # Without Jira's clock nobody could tell how much time lies between two probes.
            covered=ended and not self._hidden and at is not None,
            newest=number,
            newest_at=born,
            at=at,
            summary=self._words(ended, at),
        )

    def _take(self, found: list[Found]) -> None:
        self._issues.update((one.id, one) for one in found)

    def _number(self, number: int, issue: Found) -> None:
        """Note that a number was given to an issue."""
        self._known = max(self._known, number)
        if number > self._newest[0]:
            self._newest = number, moment(issue.fields.created)

    def _walk(self) -> bool:
        """Read all keys from the floor to beyond the newest one. Whether it came to that end."""
        while (last := self._floor + self._read) < self._known + self._way.beyond:
            size = min(self._way.batch, self._way.most - self._read)
            if not size or self._now() > self._ends_at:
                return False
            numbers = range(last + 1, last + 1 + size)
            if self._settings.deployment == "cloud":
                self._read_many(numbers)
            else:
                self._read_one(numbers[0])
            self._read += size
        return True

    def _read_many(self, numbers: range) -> None:
        """One request on Cloud. It leaves out what is not there, and names what it could not read this time."""
        keys = [self._key(number) for number in numbers]
        payload = {"issueIdsOrKeys": keys, "fields": _FIELDS, "properties": ["syncd"]}
        bulk = expect(self._connection.again("POST", "issue/bulkfetch", payload), Bulk)
        singly = [self._get(error.id) for error in bulk.issueErrors]
        found = [*bulk.issues, *(one for one in singly if one is not None)]
        self._take(found)
        for one in found:
            if self._at_home(one):
                self._number(one.number, one)
            else:
                # Moved since. Nothing says which of these numbers it had.
                self._known = max(self._known, numbers[-1])

    def _read_one(self, number: int) -> None:
        found = self._get(self._key(number))
        if found is not None:
            self._take([found])
            # Whatever key it has now, it was given this one.
            self._number(number, found)

    def _get(self, name: str) -> Found | None:
        """An issue by id or key, also an old key; None where it is not there, or hidden."""
        parameters = {"fields": ",".join(_fields(self._settings)), "properties": "syncd"}
        answer = self._connection.again("GET", f"issue/{quote(name, safe='')}", parameters=parameters)
        if answer.status == 404:
            return None
        if answer.status == 403 and not captcha(answer):
            # Data Center's word for a security level, or for another project. It must not stop the whole tracker.
            if not self._hidden:
                require(self._connection, self._settings, "BROWSE_PROJECTS")
            self._hidden.append(name)
            return None
        return expect(answer, Found)

    def _key(self, number: int) -> str:
        return f"{self._settings.project}-{number}"

    def _at_home(self, issue: Found) -> bool:
        return issue.key == self._key(issue.number)

    def _ours_among(self, marker: str) -> list[Found]:
        """Our own issues with the marker, the oldest first. Clones, which only others can make by hand, carry the label and the
        description but not the property; who edits an issue may remove any of them."""
        ours = [one for one in self._issues.values() if account(one.fields.creator) == self._ours]
        confirmed = [one for one in ours if one.mark == marker]
        labelled = [one for one in ours if one.mark is None and _carries(one, marker)]
        return sorted(confirmed or labelled, key=lambda one: int(one.id))

    def _created(self, issue: Found) -> Created:
        number = issue.number if self._at_home(issue) else 0
        return Created(remote_id=issue.id, key=issue.key, url=browse(self._settings.url, issue.key), number=number)

    def _words(self, ended: bool, at: float | None) -> str:
        last = self._floor + self._read
        words = f"the label was searched for, and {self._key(self._floor + 1)} to {self._key(last)} were read by key"
        if not ended:
            return f"{words}; more than that may have been given since"
        if self._hidden:
            return f"{words}; but {', '.join(self._hidden[:5])} may not be seen by the account that syncd uses"
        return words if at is not None else f"{words}; Jira did not say what time it was"


def _carries(issue: Found, marker: str) -> bool:
    labels = issue.fields.labels or []
    return tag(marker) in labels or last_lines(issue.fields.description) == [issue_line(marker)]
