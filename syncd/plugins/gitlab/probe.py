"""Search for an issue whose create got no answer, and for issues that no group knows.

GitLab numbers the issues, incidents, tasks and test cases of a project in order. One list reads a hundred numbers; only a GET of its own
tells a number that the list does not show from one that was never given.
"""

from collections.abc import Callable

from syncd.plugin import (
    Clock,
    Created,
    Evidence,
    Issue,
    Marked,
    OutOfReach,
    Place,
    Sweep,
    Unavailable,
    carries,
    issue_line,
    issue_markers,
    names_marker,
)
from syncd.plugins.gitlab.answers import Account, Entry, entries_of, expect, refuses, seconds
from syncd.plugins.gitlab.connection import GitLabConnection
from syncd.plugins.gitlab.issues import PER_PAGE, Address, Reader, numbered, place_of

NEWEST_FIRST = {"state": "all", "order_by": "created_at", "sort": "desc"}

# After so many unused numbers in a row above the newest, no further number is in use.
_BEYOND = 50
_MOST_NUMBERS = 2000
_MOST_ALONE = 150
_MOST_NAMED = 5
# No request begins later: a claim lasts three minutes.
_READING_SECONDS = 90.0

IsAuthor = Callable[[Account | None], bool]


class Probe:
    """One reading of the numbers from `floor` on."""

    def __init__(
        self, connection: GitLabConnection, reader: Reader, home_id: str, project: str, floor: int, clock: Clock
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._home = Address(home_id, "", away=False)
        self._project = project
        self._floor = floor
        self._clock = clock
        self._ends_at = clock.monotonic() + _READING_SECONDS
        self._entries: dict[int, Entry | None] = {}  # by number; None where nothing can be read under it
        self._alone: set[int] = set()  # numbers that were read by a GET of their own
        self._highest = 0  # the highest number in use
        self._at: float | None = None
        self._skips = False  # whether a number that cannot be read is left out

    def evidence(self, issue: Issue, is_own: IsAuthor, has_written: IsAuthor) -> Evidence:
        """Usually four requests. `is_own` recognises an author of syncd's issues, `has_written` only one that is certain. Raises what a
        failed request means: the probe then proves nothing."""
        whole = self._read()
        issues, unclear = self._weigh(issue, is_own, has_written)
        newest, lowest = self._entries.get(self._highest), self._entries.get(self._floor)
        read = sum(number > self._floor for number in self._entries)
        summary = f"above #{self._floor}, {read} numbers were read"
        if not whole:
            summary += "; more than that were given since"
        elif self._at is None:
            summary += "; GitLab did not say what time it was"
        elif unclear:
            named = [f"#{number} {why}" for number, why in sorted(unclear.items())]
            more = f", and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
            summary += f"; but {', '.join(named[:_MOST_NAMED])}{more}"
        return Evidence(
            issues=issues,
            # Without GitLab's time nobody can tell how long after the create a probe was.
            covered=whole and self._at is not None and (bool(issues) or not unclear),
            newest=self._highest,
            newest_at=None if newest is None else seconds(newest.created_at),
            floor_at=None if lowest is None else seconds(lowest.created_at),
            at=self._at,
            summary=summary,
        )

    def sweep(self, is_own: IsAuthor, since: float) -> Sweep:
        """Usually four requests. Raises what a failure means."""
        self._skips = True
        whole = self._read()
        older = [
            number
            for number, entry in self._entries.items()
            if entry is not None and (seconds(entry.created_at) or since) < since
        ]
        floor, upto = max(self._floor, *older, 0), self._highest
        if not whole:
            # The newest page was read as well, and leaves a gap.
            upto = floor
            while upto + 1 in self._entries:
                upto += 1
            if upto == floor:
                raise Unavailable(f"no number above {floor} could be read in time")
        issues = [
            Marked(
                reference=marker, issue=self._created(Address(self._home.project_id, str(number), away=False), entry)
            )
            for number, entry in sorted(self._entries.items())
            if entry is not None and floor < number <= upto and is_own(entry.author)
            for marker in issue_markers(entry.description or "")
        ]
        return Sweep(newest=self._highest, upto=upto, issues=issues)

    def _read(self) -> bool:
        """Read the newest issues, and each number from the floor to beyond the highest. False where some had to be left unread."""
        parameters: dict[str, str | int] = {**NEWEST_FIRST, "per_page": PER_PAGE}
        answer = self._connection.send_idempotent("GET", f"{self._home.home}/issues", parameters=parameters)
        self._take(entries_of(answer))
        self._at = answer.date
        # Where the newest number is below the floor, the list lags, or the numbers went back.
        number = first = max(min(self._floor, self._highest), 1)
        while True:
            while number <= max(self._highest, self._floor) + _BEYOND:
                if number - first >= _MOST_NUMBERS or self._clock.monotonic() > self._ends_at:
                    return False
                batch = range(number, number + PER_PAGE)
                answer = self._connection.send_idempotent(
                    "GET", numbered(self._home.home, batch), parameters={"state": "all", "per_page": PER_PAGE}
                )
                self._take(entries_of(answer))
                for each in batch:
                    self._entries.setdefault(each, None)
                number += PER_PAGE
            before = self._highest
            holes = [each for each in range(first, before + 2) if self._entries.get(each) is None]
            for each in holes:
                if each not in self._alone and not self._read_alone(each):
                    return False
            if self._highest == before:
                return True

    def _read_alone(self, number: int) -> bool:
        """One GET. False where number or time of requests ended before."""
        if len(self._alone) >= _MOST_ALONE or self._clock.monotonic() > self._ends_at:
            return False
        self._alone.add(number)
        try:
            answer = self._connection.send_idempotent("GET", f"{self._home.home}/issues/{number}")
        except Unavailable:
            if not self._skips:
                raise
            return True
        if not refuses(answer):
            self._take([expect(answer, Entry)])
        elif number <= self._highest or answer.status != 404:
            # A list that may not be read shows every number as unused.
            self._reader.require_open(self._home, writes=False)
        return True

    def _take(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._entries[entry.iid] = entry
            self._highest = max(self._highest, entry.iid)

    def _weigh(
        self, issue: Issue, is_own: IsAuthor, has_written: IsAuthor
    ) -> tuple[tuple[Created, ...], dict[int, str]]:
        """The issues that carry the marker, the oldest first; and the numbers under which ours may be or may have been, with the
        reason. The marker counts whatever its number: numbers may have gone back, and nobody can make up a marker."""
        matches: dict[str, Created] = {}
        unclear: dict[int, str] = {}
        line = issue_line(issue.marker)
        for number, entry in sorted(self._entries.items()):
            if entry is None:
                if self._floor <= number < self._highest and number > 0:
                    unclear[number] = "was deleted or hidden, or belongs to a work item that is no issue"
                continue
            text = entry.description or ""
            if carries(text, line) and is_own(entry.author):
                try:
                    created = self._created(*self._reader.follow(self._home.project_id, issue, entry))
                except OutOfReach:
                    unclear[number] = "has its marker, and was moved to where the token may not read it"
                    continue
                matches.setdefault(created.remote_id, created)
            elif carries(text, line):
                unclear[number] = "has its marker, but syncd's account did not write it"
            elif number > self._floor and has_written(entry.author) and not names_marker(text):
                unclear[number] = "was written by syncd's account and has no marker any more"
        return tuple(matches.values()), unclear

    def _created(self, address: Address, entry: Entry) -> Created:
        return created_at(place_of(address, entry, self._project), address, entry)


def created_at(place: Place, address: Address, entry: Entry) -> Created:
    """The confirmation that an issue exists."""
    return Created(
        remote_id=place.remote_id,
        key=place.key,
        url=place.url,
        number=0 if address.away else entry.iid,
        created_at=None if address.away else seconds(entry.created_at),
    )
