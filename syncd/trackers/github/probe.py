"""What became of a create: every number above its floor, read out of the unfiltered list or one by one.

Lists with a filter come from indexes that can be days behind; the unfiltered one has been seen minutes behind. Reading by
number has not. Numbers are given in order, never twice, and shared by issues, pull requests and discussions.
"""

import re
from collections.abc import Callable, Mapping
from itertools import islice

from syncd.config import GitHubSettings
from syncd.errors import Misconfigured
from syncd.model import Created, Evidence, Issue
from syncd.trackers.answer import Answer
from syncd.trackers.github import query
from syncd.trackers.github.answers import (
    Account,
    Listed,
    Repository,
    clock,
    expect,
    redirected,
    takes_no_issues,
    unanswered,
    web,
)
from syncd.trackers.github.connection import Connection

NEWEST_FIRST: Mapping[str, str | int] = {"state": "all", "sort": "created", "direction": "desc"}

_PAGE = 100
_PAGES = 20
# So many numbers in a row that are nothing yet, above the newest known one, are where the numbers end.
_BEYOND = 20
_QUERY_NUMBERS = 100
_QUERIED = 1000
_SINGLY = 200
# No request begins later: a claim lasts three minutes.
_READING_SECONDS = 90.0

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")


class Probe:
    """One look for the issue that carries a marker. `now` is a monotonic clock."""

    def __init__(
        self, connection: Connection, settings: GitHubSettings, repository_id: str, floor: int, now: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._repository = settings.repository
        self._api_url = settings.api_url
        self._repository_id = repository_id
        self._home = f"/repositories/{repository_id}"
        self._floor = floor
        self._now = now
        self._ends_at = now() + _READING_SECONDS
        self._read: dict[int, Listed | None] = {}
        self._known = floor  # the highest number that anything is or was under
        self._budget = _QUERIED
        self._singly = False

    def evidence(self, issue: Issue, ours: Callable[[Account | None], bool]) -> Evidence:
        """Usually two requests. Raises what it means when one of them fails: then nothing is known."""
        at = self._read_list()
        listed = sum(number > self._floor for number in self._read)
        unread = self._read_numbers()
        if self._singly:
            self._require_issues()
        entries = [self._read[number] for number in sorted(self._read)]
        there = [entry for entry in entries if entry is not None]
        found = [
            entry
            for entry in there
            if entry.number > self._floor
            and entry.pull_request is None
            and carries(entry.body or "", marker_line(issue.marker))
            and ours(entry.user)
        ]
        newest = there[-1] if there else None
        born = newest.created_at if newest else None
        return Evidence(
            issues=tuple(self._created(entry) for entry in found),
            # Without GitHub's clock nobody could tell how much time lies between two probes.
            covered=not unread and at is not None,
            newest=newest.number if newest else 0,
            newest_at=born.timestamp() if born else None,
            at=at,
            summary=self._words(listed, unread, at),
        )

    def _read_list(self) -> float | None:
        """Read the list down to the floor, as far as it is bearable. What time it was at GitHub then."""
        at: float | None = None
        for page in range(1, _PAGES + 1):
            if self._now() > self._ends_at:
                break
            answer = self._connection.again(
                "GET", f"{self._home}/issues", parameters={**NEWEST_FIRST, "per_page": _PAGE, "page": page}
            )
            entries = expect(answer, list[Listed])
            at = clock(answer) if page == 1 else at
            self._take({entry.number: entry for entry in entries})
            if len(entries) < _PAGE or min(entry.number for entry in entries) <= self._floor:
                break
        return at

    def _take(self, entries: Mapping[int, Listed | None]) -> None:
        self._read.update(entries)
        self._known = max([self._known, *(number for number, entry in entries.items() if entry is not None)])

    def _read_numbers(self) -> bool:
        """Read by number what the list did not show, and beyond the newest one. Whether some of it had to be left out."""
        while missing := self._missing():
            batch = missing[: self._budget]
            if not batch or self._now() > self._ends_at:
                return True
            entries = None if self._singly else self._query(batch)
            if entries is None:
                self._singly = True
                self._budget = min(self._budget, _SINGLY)
                entries = self._one_by_one(batch[: self._budget])
            self._budget -= len(entries)
            self._take(entries)
        return False

    def _missing(self) -> list[int]:
        numbers = range(self._floor + 1, self._known + _BEYOND + 1)
        return list(islice((number for number in numbers if number not in self._read), _QUERY_NUMBERS))

    def _query(self, numbers: list[int]) -> dict[int, Listed | None] | None:
        owner, _, name = self._repository.partition("/")
        answer = self._connection.query(query.text(numbers), {"owner": owner, "name": name})
        return query.meaning(answer, self._repository_id, numbers)

    def _one_by_one(self, numbers: list[int]) -> dict[int, Listed | None]:
        """What GraphQL would tell, by a GET for each number, as far as the time allows."""
        entries: dict[int, Listed | None] = {}
        for number in numbers:
            if self._now() > self._ends_at:
                break
            answer = self._connection.again("GET", f"{self._home}/issues/{number}")
            entries[number] = None if self._nothing(answer, number) else expect(answer, Listed)
        return entries

    def _nothing(self, answer: Answer, number: int) -> bool:
        """Whether GitHub says that no issue of this repository is under a number. Raises where that is said of all numbers,
        or by somebody else, such as a proxy that sends everybody to a login."""
        if answer.redirects:
            target = redirected(answer, self._api_url)
            if (target.repository_id, target.number) == (self._repository_id, number):
                raise unanswered(answer)
        if answer.status == 410 and takes_no_issues(answer):
            raise unanswered(answer)
        return answer.redirects or answer.status in (404, 410)

    def _require_issues(self) -> None:
        """Raise where we may not read issues any more: every number would look as if nothing was there."""
        repository = expect(self._connection.again("GET", self._home), Repository)
        if not repository.has_issues:
            raise Misconfigured("the repository takes no issues")
        expect(self._connection.again("GET", f"{self._home}/issues", parameters={"per_page": 1}), list[Listed])

    def _created(self, entry: Listed) -> Created:
        return Created(
            remote_id=str(entry.number),
            key=f"{self._repository}#{entry.number}",
            url=web(entry.html_url),
            number=entry.number,
        )

    def _words(self, listed: int, unread: bool, at: float | None) -> str:
        singly = sum(number > self._floor for number in self._read) - listed
        words = f"above #{self._floor}, {listed} numbers were read out of the list and {singly} one by one"
        if unread:
            return f"{words}; more than that were given since"
        if at is None:
            return f"{words}; GitHub did not say what time it was"
        return f"{words}, up to #{self._known + _BEYOND}"


def marker_line(marker: str) -> str:
    """The last line of the body of an issue."""
    return f"<!-- syncd:1:{marker} -->"


def carries(body: str, line: str) -> bool:
    """Whether `body` ends with `line`, or has it further up, where people wrote below it; quoted as code it does not count."""
    lines = [each.removesuffix("\r") for each in body.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if lines and lines[-1] == line:
        return True
    fence = ""
    for each in lines:
        opens = _FENCE.match(each)
        if fence:
            if opens and opens[1].startswith(fence) and not each[opens.end() :].strip():
                fence = ""
        elif opens:
            fence = opens[1]
        elif each == line:
            return True
    return False
