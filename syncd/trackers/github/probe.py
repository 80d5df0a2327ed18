"""The outcome of a create: every number from its floor on, read from the unfiltered list or by number.

Filtered lists come from indexes that can be days behind; the unfiltered list has been observed minutes behind. Reads by number
have not. GitHub gives numbers in order, never twice, to issues, pull requests and discussions alike; a server that was restored from
a backup begins again below numbers that it gave before. One GraphQL query reads a hundred numbers; it answers a number that is
nothing with null and an error NOT_FOUND, all under a 200. Only REST tells a number whose issue was deleted (410) or transferred
(301) from a number that was never given (404).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import count, islice, takewhile

from syncd.config import GitHubSettings
from syncd.core.doubt import Evidence
from syncd.errors import Unavailable
from syncd.model import Created, Place
from syncd.platform.clock import Clock
from syncd.render.markdown import carries
from syncd.render.markers import issue_markers, names_marker
from syncd.trackers import Marked, Sweep
from syncd.trackers.github.answers import (
    Account,
    Listed,
    expect,
    failure,
    name_of,
    redirected,
    refuses,
    web,
)
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.control import Address, require_open
from syncd.trackers.github.numbers import MOST_NUMBERS, read_whole
from syncd.trackers.transport import Answer, Sent

NEWEST_FIRST: Mapping[str, str | int] = {"state": "all", "sort": "created", "direction": "desc"}

_PAGE = 100
_PAGES = 20
# After so many unused numbers in a row above the newest, no further number is in use.
_BEYOND = 50
_MOST_QUERIED = 1000
_MOST_SINGLE = 300
_MOST_NAMED = 5
# No request begins later: a claim lasts three minutes.
_READING_SECONDS = 90.0


class Probe:
    """One search for the issue that carries a marker."""

    def __init__(
        self, connection: Connection, settings: GitHubSettings, repository_id: str, floor: int, clock: Clock
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._repository_id = repository_id
        self._home = f"/repositories/{repository_id}"
        self._floor = floor
        self._clock = clock
        self._ends_at = clock.monotonic() + _READING_SECONDS
        self._entries: dict[int, Listed | None] = {}  # by number; None where nothing can be read under it
        self._places: dict[int, Place] = {}  # of issues that were transferred, by their former number
        self._lost: dict[int, str] = {}  # numbers that are in use and lead to nothing, with the reason
        self._read_alone: set[int] = set()
        # The lowest number that is read: that of the floor itself is given once more after a restore.
        self._first = max(floor, 1)
        self._highest = floor  # the highest number that is or was in use
        self._budget = _MOST_QUERIED
        self._skips = False  # whether a number that cannot be read is left out
        self._single = False  # whether GraphQL cannot be used

    def evidence(
        self, line: str, is_own: Callable[[Account | None], bool], has_written: Callable[[Account | None], bool]
    ) -> Evidence:
        """Usually three requests; `line` is that of the marker. `is_own` recognises an author of syncd's issues, `has_written` only
        one that is certain. When a request fails, raises what the failure means: the probe then proves nothing."""
        at = self._read_list()
        listed = sum(number > self._floor for number in self._entries)
        incomplete = self._read_numbers()
        if self._single or self._lost:
            # Without a right to read issues, or where they are switched off, every number looks unused or lost.
            home = Address(self._repository_id, "", away=False)
            require_open(self._connection, self._settings, home, writes=False)
            answer = self._connection.send_idempotent("GET", f"{self._home}/issues", parameters={"per_page": 1})
            expect(answer, list[Listed])
        issues, unclear = self._weigh(line, is_own, has_written)
        newest = max((number for number, entry in self._entries.items() if entry is not None), default=0)
        latest, lowest = self._entries.get(newest), self._entries.get(self._floor)
        single = sum(number > self._floor for number in self._entries) - listed
        summary = f"above #{self._floor}, {listed} numbers were read out of the list and {single} one by one"
        if incomplete:
            summary += "; more than that were given since"
        elif at is None:
            summary += "; GitHub did not say what time it was"
        elif unclear:
            named = [f"#{number} {why}" for number, why in sorted(unclear.items())]
            more = f", and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
            summary += f"; but {', '.join(named[:_MOST_NAMED])}{more}"
        else:
            summary += f", up to #{self._highest + _BEYOND}"
        return Evidence(
            issues=issues,
            # Without GitHub's time nobody can tell how long after the create a probe was.
            covered=not incomplete and at is not None and (bool(issues) or not unclear),
            newest=newest,
            newest_at=latest.created_at.timestamp() if latest is not None and latest.created_at else None,
            floor_at=lowest.created_at.timestamp() if lowest is not None and lowest.created_at else None,
            at=at,
            summary=summary,
        )

    def _weigh(
        self, line: str, is_own: Callable[[Account | None], bool], has_written: Callable[[Account | None], bool]
    ) -> tuple[tuple[Created, ...], dict[int, str]]:
        """The issues that carry the marker, the oldest first; and the numbers under which ours may be or may have been, with the
        reason. The marker counts whatever its number: numbers may have gone back, and nobody can make up a marker."""
        matches: dict[str, Created] = {}
        unclear = dict(self._lost)
        for number, entry in sorted(self._entries.items()):
            if entry is None:
                if self._floor <= number < self._highest:
                    unclear.setdefault(number, "was deleted, hidden, transferred or converted")
                continue
            body, is_issue = entry.body or "", entry.pull_request is None
            if carries(body, line) and is_issue and is_own(entry.user):
                created = self._created(number, entry)
                matches.setdefault(created.remote_id, created)
            elif carries(body, line):
                unclear[number] = "has its marker, but " + (
                    "syncd's account did not write it" if is_issue else "is no issue any more"
                )
            elif number > self._floor and is_issue and has_written(entry.user) and not names_marker(body):
                unclear[number] = "was written by syncd's account and has no marker any more"
        return tuple(matches.values()), unclear

    def _created(self, number: int, entry: Listed) -> Created:
        place = self._places.get(number)
        if place is None:
            key = f"{self._settings.repository}#{number}"
            place = Place(remote_id=str(number), key=key, url=web(entry.html_url))
        at_home, created_at = "/" not in place.remote_id, entry.created_at
        return Created(
            remote_id=place.remote_id,
            key=place.key,
            url=place.url,
            number=number,
            created_at=created_at.timestamp() if created_at and at_home else None,
        )

    def sweep(self, is_own: Callable[[Account | None], bool], since: float) -> Sweep:
        """Usually four requests. Raises what a failure means."""
        self._skips = True
        # Further pages would take the time in which numbers are read from the floor on: without those nothing is gained.
        self._read_list(pages=1)
        older = (
            number
            for number, entry in self._entries.items()
            if entry is not None and entry.created_at is not None and entry.created_at.timestamp() < since
        )
        self._floor = max(self._floor, max(older, default=0))
        self._first = max(self._floor, 1)
        incomplete = self._read_numbers()
        numbers = takewhile(self._entries.__contains__, count(self._floor + 1))
        upto = max(numbers, default=self._floor) if incomplete else self._highest
        if incomplete and upto <= self._floor:
            raise Unavailable(f"no number above {self._floor} could be read in time")
        issues = [
            Marked(reference=marker, issue=self._created(number, entry))
            for number, entry in sorted(self._entries.items())
            if entry is not None and self._floor < number <= upto and entry.pull_request is None and is_own(entry.user)
            for marker in issue_markers(entry.body or "")
        ]
        return Sweep(newest=self._highest, upto=upto, issues=issues)

    def _read_list(self, pages: int = _PAGES) -> float | None:
        """Read the list down to the floor, as far as time and pages allow. Returns GitHub's time at the first page."""
        at: float | None = None
        for page in range(1, pages + 1):
            if self._clock.monotonic() > self._ends_at:
                break
            parameters = {**NEWEST_FIRST, "per_page": _PAGE, "page": page}
            answer = self._connection.send_idempotent("GET", f"{self._home}/issues", parameters=parameters)
            entries = expect(answer, list[Listed])
            at = answer.date if page == 1 else at
            if page == 1:
                # Where the newest number is below the floor, the list lags, or the numbers went back.
                below = min(self._floor, max((entry.number for entry in entries), default=0))
                self._first, self._highest = max(below, 1), below
            self._take({entry.number: entry for entry in entries})
            if len(entries) < _PAGE or min(entry.number for entry in entries) <= self._floor:
                break
        return at

    def _take(self, entries: Mapping[int, Listed | None]) -> None:
        self._entries.update(entries)
        self._highest = max([self._highest, *(number for number, entry in entries.items() if entry is not None)])

    def _read_numbers(self) -> bool:
        """Read the numbers that the list did not show, up to beyond the newest. Returns True where some had to be left unread."""
        while True:
            # A list that lags may hide the floor itself, behind more unused numbers than end the reading.
            numbers = range(self._first, max(self._highest, self._floor) + _BEYOND + 1)
            unread = list(islice((number for number in numbers if number not in self._entries), MOST_NUMBERS))
            if unread:
                if not self._read(unread[: self._budget]):
                    return True
                continue
            # A query answers alike for what was deleted or transferred and for what was never given. GitHub gives numbers in order,
            # so that the first one beyond the newest tells whether there are more.
            before = self._highest
            holes = (number for number in range(max(self._floor, 1), before + 1) if self._entries[number] is None)
            for number in [number for number in holes if number not in self._read_alone]:
                if not self._read_by_rest(number):
                    return True
            while self._highest + 1 not in self._read_alone:
                if not self._read_by_rest(self._highest + 1):
                    return True
            if self._highest == before:
                return False

    def _read(self, numbers: Sequence[int]) -> bool:
        """Read numbers by one query, or one by one without GraphQL. False where time or budget ended before."""
        if not numbers or self._clock.monotonic() > self._ends_at:
            return False
        if not self._single:
            try:
                entries = read_whole(self._connection, self._settings.repository, self._repository_id, numbers)
            except Unavailable:
                if not self._skips:
                    raise
                return all(map(self._read_by_rest, numbers))
            if entries is not None:
                self._budget -= len(entries)
                self._take(entries)
                return True
            self._single = True
            self._budget = min(self._budget, _MOST_SINGLE)
        return all(map(self._read_by_rest, numbers))

    def _read_by_rest(self, number: int) -> bool:
        """Read one number. In a sweep one that cannot be read is left out where the list can be read. False where time or budget ended
        before."""
        try:
            return self._read_single(number)
        except Unavailable:
            if not self._skips:
                raise
            parameters = {"per_page": 1}
            expect(self._connection.send_idempotent("GET", f"{self._home}/issues", parameters=parameters), list[Listed])
            self._entries[number] = None
            self._read_alone.add(number)
            return True

    def _read_single(self, number: int) -> bool:
        """One GET for a number, and one more where its issue was transferred. False where time or budget ended before."""
        if self._budget <= 0 or self._clock.monotonic() > self._ends_at:
            return False
        self._budget -= 1
        self._read_alone.add(number)
        answer = self._connection.send_idempotent("GET", f"{self._home}/issues/{number}")
        if answer.redirects:
            self._follow(number, answer)
        elif answer.status == 404:
            self._entries.setdefault(number, None)
        elif refuses(answer):
            self._lose(number, "was deleted" if answer.status == 410 else f"cannot be read ({answer.status})")
        else:
            self._take({number: expect(answer, Listed)})
        return True

    def _lose(self, number: int, why: str) -> None:
        self._entries[number], self._lost[number] = None, why
        self._highest = max(self._highest, number)

    def _follow(self, number: int, redirect: Answer) -> None:
        """Read an issue where it was transferred to. Raises where a proxy redirects to a login."""
        target = redirected(redirect, self._settings.api_url)
        if (target.repository_id, target.number) == (self._repository_id, number):
            raise failure(redirect, Sent.READ)
        answer = self._connection.send_idempotent("GET", f"{target.home}/issues/{target.number}")
        entry = answer.read(Listed) if answer.ok and target.repository_id else None
        if entry is None:
            self._lose(number, "was transferred to where the token may not read it")
            return
        self._take({number: entry})
        name = name_of(entry.repository_url) or f"repository {target.repository_id}"
        remote_id = f"{target.repository_id}/{target.number}"
        if target.repository_id == self._repository_id:
            name, remote_id = self._settings.repository, str(target.number)
        self._places[number] = Place(remote_id=remote_id, key=f"{name}#{target.number}", url=web(entry.html_url))
