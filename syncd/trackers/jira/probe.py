"""The outcome of a create: every key from its floor on, read by key, and the result of a search for its label.

A search reads an index that lags, on Cloud by minutes; a read by key does not. Jira gives numbers in order and never twice. A
create that fails uses up its number, so that a gap is not the end. Jira does not tell such a gap from an issue that was deleted,
hidden, or moved to a project that the account may not see. A site that was restored from a backup begins again below numbers that it
gave before.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from syncd.config import JiraSettings
from syncd.core.doubt import Evidence
from syncd.errors import Unavailable
from syncd.model import Created, Issue
from syncd.platform.clock import Clock
from syncd.trackers import Marked, Sweep
from syncd.trackers.jira.answers import Bulk, Candidate, Page, browse, expect, moment, refuses
from syncd.trackers.jira.check import account
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.control import require
from syncd.trackers.jira.fields import digest, last_lines, marker_line, tag
from syncd.trackers.transport import Answer, Parameters

_FIELDS = {
    "cloud": ("labels", "creator", "created"),
    "datacenter": ("labels", "creator", "created", "description"),
}
_LABELLED = 20
_MOST_NAMED = 5
# No request begins later: a claim lasts three minutes.
_READING_SECONDS = 90.0


_TAG, _LINE = re.compile(r"syncd-([0-9a-f]{22})"), re.compile(r"syncd issue · ([0-9a-f]{22})")


class _Walk(NamedTuple):
    """Counts of keys: in one request, unused above the newest issue before the walk ends, and in the whole walk."""

    batch: int
    beyond: int
    most: int


_SWEPT_BEYOND = 5
# The number of the floor and those beyond it fill one request.
_WALKS = {"cloud": _Walk(batch=100, beyond=99, most=5000), "datacenter": _Walk(batch=1, beyond=20, most=500)}


def search(connection: Connection, settings: JiraSettings, jql: str, most: int) -> tuple[Answer, list[Candidate]]:
    """The first `most` issues that a search gives, and the answer that holds them."""
    parameters: dict[str, str | int] = {
        "jql": jql,
        "maxResults": most,
        "fields": ",".join(_FIELDS[settings.deployment]),
    }
    if settings.deployment == "cloud":
        parameters["properties"] = "syncd"
        answer = connection.send_idempotent("GET", "search/jql", parameters=parameters)
    else:
        # With validation, a label that the index does not hold yet is an error.
        parameters["validateQuery"] = "false"
        answer = connection.send_idempotent("GET", "search", parameters=parameters)
    if refuses(answer):
        # Cloud says 400 about a project that the account may not see.
        require(connection, settings, "BROWSE_PROJECTS")
    return answer, expect(answer, Page).issues


def references(candidate: Candidate) -> list[str]:
    """The digests of the markers that an issue has, of whichever groups."""
    if candidate.mark is not None:
        return [digest(candidate.mark)]
    matches = [
        *map(_TAG.fullmatch, candidate.fields.labels or []),
        *map(_LINE.fullmatch, last_lines(candidate.fields.description)),
    ]
    return list(dict.fromkeys(match[1] for match in matches if match))


class Probe:
    """One search for the issue that carries a marker. `is_own` recognises an account that syncd uses or used."""

    def __init__(
        self,
        connection: Connection,
        settings: JiraSettings,
        floor: int,
        is_own: Callable[[str | None], bool],
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._walk = _WALKS[settings.deployment]
        self._floor = floor
        self._is_own = is_own
        self._clock = clock
        self._ends_at = clock.monotonic() + _READING_SECONDS
        self._candidates: dict[str, Candidate] = {}  # by id
        self._used: set[int] = set()  # numbers that lead to an issue
        self._below = floor  # the number below the first one that is read
        self._highest = floor  # the highest number that any issue has or had
        self._newest: tuple[int, float | None] = (0, None)
        self._floor_at: float | None = None
        self._read = 0
        self._hidden: list[str] = []
        self._skips = False  # whether a key that cannot be read is left out

    def evidence(self, issue: Issue) -> Evidence:
        """Usually four requests on Cloud, and some twenty more on Data Center, which reads key by key. When one fails, raises what
        the failure means: the probe then proves nothing."""
        # Without the project, since an issue that people moved is still ours.
        labelled = f'labels = "{tag(issue.marker)}" ORDER BY created ASC'
        answer, candidates = search(self._connection, self._settings, labelled, _LABELLED)
        self._take(candidates)
        complete = self._read_all()
        # A clone has the label and the description but not the property. Anybody who may edit an issue may remove any of the three.
        own = [each for each in self._candidates.values() if self._is_own(account(each.fields.creator))]
        label, line = tag(issue.marker), [marker_line(issue.marker, "issue")]

        def is_marked(each: Candidate) -> bool:
            return each.mark is None and (
                label in (each.fields.labels or []) or last_lines(each.fields.description) == line
            )

        matches = [each for each in own if each.mark == issue.marker] or [each for each in own if is_marked(each)]
        unclear = self._unclear(
            [each for each in self._candidates.values() if is_marked(each) or each.mark == issue.marker], own
        )
        first, last = self._key(self._below + 1), self._key(self._below + self._read)
        summary = f"the label was searched for, and {first} to {last} were read by key"
        if not complete:
            summary += "; more than that may have been given since"
        elif unclear:
            more = f", and {len(unclear) - _MOST_NAMED} more" if len(unclear) > _MOST_NAMED else ""
            summary += f"; but {', '.join(unclear[:_MOST_NAMED])}{more}"
        elif answer.date is None:
            summary += "; Jira did not say what time it was"
        number, created_at = self._newest
        return Evidence(
            issues=tuple(
                self._created(match)
                for match in sorted(matches, key=lambda candidate: int(candidate.id))  # the oldest first
            ),
            # Without Jira's time nobody can tell how long after the create a probe was.
            covered=complete and answer.date is not None and not (unclear if not matches else self._hidden),
            newest=number,
            newest_at=created_at,
            floor_at=self._floor_at,
            at=answer.date,
            summary=summary,
        )

    def sweep(self) -> Sweep:
        """Usually three requests on Cloud, and some five more on Data Center. Raises what a failure means."""
        self._skips = True
        if self._walk.batch == 1:
            # A probe proves absence. A sweep may stop sooner: only several creates in a row that failed could hide an issue.
            self._walk = self._walk._replace(beyond=_SWEPT_BEYOND)
        complete = self._read_all()
        if not complete and self._below + self._read <= self._floor:
            raise Unavailable(f"no key above {self._key(self._floor)} could be read in time")
        issues = [
            Marked(reference=reference, issue=self._created(each))
            for each in sorted(self._candidates.values(), key=lambda candidate: int(candidate.id))
            if self._is_own(account(each.fields.creator)) and each.key != self._key(self._floor)
            for reference in references(each)
        ]
        upto = self._highest if complete else max(self._floor, self._below + self._read)
        return Sweep(newest=self._highest, upto=upto, issues=issues)

    def _created(self, candidate: Candidate) -> Created:
        return Created(
            remote_id=candidate.id,
            key=candidate.key,
            url=browse(self._settings.url, candidate.key),
            number=candidate.number if candidate.key == self._key(candidate.number) else 0,
            created_at=moment(candidate.fields.created),
        )

    def _read_all(self) -> bool:
        """Read all keys from the floor to beyond the newest. Returns False where time or budget ended before."""
        newest_first = f'project = "{self._settings.project}" ORDER BY key DESC'
        _, candidates = search(self._connection, self._settings, newest_first, 1)
        self._take(candidates)
        # Where the newest number is below the floor, the index lags, or the numbers went back.
        self._highest = min(self._floor, max((candidate.number for candidate in candidates), default=0))
        # The number of the floor itself is given once more after a restore.
        self._below = max(0, self._highest - 1)
        for candidate in candidates:
            self._note_number(candidate.number, candidate)
        complete = self._read_keys()
        # Jira answers as if there were no issue where the account may not see one.
        require(self._connection, self._settings, "BROWSE_PROJECTS")
        return complete

    def _unclear(self, marked: Sequence[Candidate], own: Sequence[Candidate]) -> list[str]:
        """What may be the issue, or may have been, for each key in a few words. `marked` have the marker, `own` are by an account of
        syncd's."""
        prefix = f"{self._settings.project}-"
        unclear = [
            f"{each.key} has its marker, but syncd's account did not create it" for each in marked if each not in own
        ]
        unclear += [
            f"{each.key} was created by syncd's account and has no marker any more"
            for each in own
            if each.key.startswith(prefix) and each.number > self._floor and not references(each)
        ]
        unclear += [f"{name} may not be seen by the account that syncd uses" for name in self._hidden]
        gaps = [number for number in range(max(self._floor, 1), self._highest) if number not in self._used]
        gone = [self._key(number) for number in gaps if self._key(number) not in self._hidden]
        return unclear + [f"{key} was deleted, hidden or moved, or a failed create used it up" for key in gone]

    def _take(self, candidates: list[Candidate]) -> None:
        self._candidates.update((candidate.id, candidate) for candidate in candidates)

    def _note_number(self, number: int, candidate: Candidate) -> None:
        """Record that an issue got this number."""
        self._highest = max(self._highest, number)
        self._used.add(number)
        if number == self._floor:
            self._floor_at = moment(candidate.fields.created)
        if number > self._newest[0]:
            self._newest = number, moment(candidate.fields.created)

    def _read_keys(self) -> bool:
        """Read all keys from the floor to beyond the newest. Returns False where time or budget ended before."""
        # An index that lags may hide the floor itself, behind more unused keys than end the walk.
        while (last := self._below + self._read) < max(self._highest, self._floor) + self._walk.beyond:
            size = min(self._walk.batch, self._walk.most - self._read)
            if not size or self._clock.monotonic() > self._ends_at:
                return False
            numbers = range(last + 1, last + 1 + size)
            if self._settings.deployment == "cloud":
                # One request. It leaves out keys without an issue, and lists the issues that it could not read this time.
                keys = [self._key(number) for number in numbers]
                payload = {"issueIdsOrKeys": keys, "fields": _FIELDS["cloud"], "properties": ["syncd"]}
                bulk = expect(self._connection.send_idempotent("POST", "issue/bulkfetch", payload), Bulk)
                retried = {error.id: self._get(error.id) for error in bulk.issueErrors}
                # Jira names the issue, so that its 404 does not mean that there is none.
                self._hidden += [
                    name for name, single in retried.items() if single is None and name not in self._hidden
                ]
                candidates = [*bulk.issues, *(candidate for candidate in retried.values() if candidate is not None)]
                self._take(candidates)
                here = [candidate for candidate in candidates if candidate.key == self._key(candidate.number)]
                for candidate in here:
                    self._note_number(candidate.number, candidate)
                if len(here) < len(candidates):
                    # Some were moved since. Only a read by its former key tells which number an issue had.
                    for number in [number for number in numbers if number not in self._used]:
                        if self._clock.monotonic() > self._ends_at:
                            return False
                        if (moved := self._get(self._key(number))) is not None:
                            self._note_number(number, moved)
            elif (single := self._get(self._key(numbers[0]))) is not None:
                self._take([single])
                # It got this number, whatever key it has now.
                self._note_number(numbers[0], single)
            self._read += size
        return True

    def _get(self, name: str) -> Candidate | None:
        """An issue by id, key or former key; None where there is none, or it is hidden."""
        parameters: Parameters = {"fields": ",".join(_FIELDS[self._settings.deployment]), "properties": "syncd"}
        try:
            answer = self._connection.send_idempotent("GET", f"issue/{quote(name, safe='')}", parameters=parameters)
        except Unavailable:
            if not self._skips:
                raise
            # Raises where Jira answers nothing else either.
            require(self._connection, self._settings, "BROWSE_PROJECTS")
            self._hidden.append(name)
            return None
        if answer.status == 404 and isinstance(answer.json, dict):
            return None
        if refuses(answer):
            # Data Center says 403 for a security level, or for another project. One issue must not stop the whole tracker.
            if not self._hidden:
                require(self._connection, self._settings, "BROWSE_PROJECTS")
            self._hidden.append(name)
            return None
        return expect(answer, Candidate)

    def _key(self, number: int) -> str:
        return f"{self._settings.project}-{number}"
