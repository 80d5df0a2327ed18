"""The outcome of a create: every number above its floor, read from the unfiltered list or by number.

Filtered lists come from indexes that can be days behind; the unfiltered list has been observed minutes behind. Reads by number
have not. GitHub gives numbers in order, never twice, to issues, pull requests and discussions alike. One GraphQL query reads a
hundred numbers; it answers a number that is no issue or pull request with null and an error NOT_FOUND, all under a 200.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from syncd.config import GitHubSettings
from syncd.errors import Misconfigured, Refused, Unavailable
from syncd.model import Created, Evidence
from syncd.platform.clock import Clock
from syncd.trackers.github.answers import (
    Account,
    Listed,
    Number,
    Repository,
    expect,
    failure,
    query_limit,
    redirected,
    takes_no_issues,
    web,
)
from syncd.trackers.github.connection import Connection
from syncd.trackers.transport import Answer, Sent, decode

NEWEST_FIRST: Mapping[str, str | int] = {"state": "all", "sort": "created", "direction": "desc"}

_PAGE = 100
_PAGES = 20
# After so many unused numbers in a row above the newest issue, no further number is in use.
_BEYOND = 20
_QUERY_NUMBERS = 100
_MOST_QUERIED = 1000
_MOST_SINGLE = 200
# No request begins later: a claim lasts three minutes.
_READING_SECONDS = 90.0

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")

# A token, or a server, that may not use GraphQL but can still read by REST.
_DENIED = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})

_QUERY = """query($owner:String!,$name:String!){repository(owner:$owner,name:$name){databaseId hasIssuesEnabled %s}}
fragment issue on Issue{number body createdAt url repository{databaseId}
author{__typename login ...on User{databaseId} ...on Bot{databaseId}}}
fragment pull on PullRequest{number createdAt url repository{databaseId}}"""


class _Author(msgspec.Struct, rename="camel"):
    typename: str = msgspec.field(default="", name="__typename")
    login: str = ""
    database_id: int | None = None


class _Home(msgspec.Struct, rename="camel"):
    database_id: int


class _Item(msgspec.Struct, rename="camel"):
    typename: str = msgspec.field(name="__typename")
    number: Number
    created_at: datetime
    repository: _Home
    url: str = ""
    body: str | None = None
    author: _Author | None = None


class _Error(msgspec.Struct):
    type: str | None = None
    path: list[str | int] | None = None


class _Data(msgspec.Struct):
    repository: dict[str, msgspec.Raw] | None = None


class _Reply(msgspec.Struct):
    data: _Data | None = None
    errors: list[_Error] | None = None


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
        self._entries: dict[int, Listed | None] = {}  # by number; None where no issue or pull request has it
        self._highest = floor  # the highest number that is or was in use
        self._budget = _MOST_QUERIED
        self._single = False  # whether GraphQL cannot be used

    def evidence(self, line: str, is_own: Callable[[Account | None], bool]) -> Evidence:
        """Usually two requests; `line` is that of the marker. When one fails, raises what the failure means: the probe then proves
        nothing."""
        at = self._read_list()
        listed = sum(number > self._floor for number in self._entries)
        incomplete = self._read_numbers()
        if self._single:
            # A token that may not read issues any more would make every number look unused.
            if not expect(self._connection.send_idempotent("GET", self._home), Repository).has_issues:
                raise Misconfigured("the repository takes no issues")
            answer = self._connection.send_idempotent("GET", f"{self._home}/issues", parameters={"per_page": 1})
            expect(answer, list[Listed])
        entries = [entry for _, entry in sorted(self._entries.items()) if entry is not None]
        matches = [
            entry
            for entry in entries
            if entry.number > self._floor
            and entry.pull_request is None
            and carries(entry.body or "", line)
            and is_own(entry.user)
        ]
        newest = entries[-1] if entries else None
        newest_at = newest.created_at if newest else None
        single = sum(number > self._floor for number in self._entries) - listed
        summary = f"above #{self._floor}, {listed} numbers were read out of the list and {single} one by one"
        if incomplete:
            summary += "; more than that were given since"
        elif at is None:
            summary += "; GitHub did not say what time it was"
        else:
            summary += f", up to #{self._highest + _BEYOND}"
        return Evidence(
            issues=tuple(
                Created(
                    remote_id=str(entry.number),
                    key=f"{self._settings.repository}#{entry.number}",
                    url=web(entry.html_url),
                    number=entry.number,
                )
                for entry in matches
            ),
            # Without GitHub's time nobody can tell how long after the create a probe was.
            covered=not incomplete and at is not None,
            newest=newest.number if newest else 0,
            newest_at=newest_at.timestamp() if newest_at else None,
            at=at,
            summary=summary,
        )

    def _read_list(self) -> float | None:
        """Read the list down to the floor, as far as time and pages allow. Returns GitHub's time at the first page."""
        at: float | None = None
        for page in range(1, _PAGES + 1):
            if self._clock.monotonic() > self._ends_at:
                break
            parameters = {**NEWEST_FIRST, "per_page": _PAGE, "page": page}
            answer = self._connection.send_idempotent("GET", f"{self._home}/issues", parameters=parameters)
            entries = expect(answer, list[Listed])
            at = answer.date if page == 1 else at
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
            numbers = range(self._floor + 1, self._highest + _BEYOND + 1)
            unread = list(islice((number for number in numbers if number not in self._entries), _QUERY_NUMBERS))
            if not unread:
                return False
            batch = unread[: self._budget]
            if not batch or self._clock.monotonic() > self._ends_at:
                return True
            entries = None
            if not self._single:
                owner, _, name = self._settings.repository.partition("/")
                fields = (
                    f"n{number}:issueOrPullRequest(number:{number}){{__typename ...issue ...pull}}" for number in batch
                )
                answer = self._connection.query(_QUERY % " ".join(fields), {"owner": owner, "name": name})
                # None where this token or server has no GraphQL, or the name leads to another repository.
                entries = entries_of(answer, self._repository_id, batch)
            if entries is None:
                self._single = True
                self._budget = min(self._budget, _MOST_SINGLE)
                entries = self._read_single(batch[: self._budget])
            self._budget -= len(entries)
            self._take(entries)

    def _read_single(self, numbers: Sequence[int]) -> dict[int, Listed | None]:
        """One GET for each number, as far as the time allows. Raises where GitHub says of every number that no issue has it."""
        entries: dict[int, Listed | None] = {}
        for number in numbers:
            if self._clock.monotonic() > self._ends_at:
                break
            answer = self._connection.send_idempotent("GET", f"{self._home}/issues/{number}")
            if answer.redirects:
                target = redirected(answer, self._settings.api_url)  # raises where a proxy redirects to a login
                if (target.repository_id, target.number) == (self._repository_id, number):
                    raise failure(answer, Sent.READ)
            if answer.status == 410 and takes_no_issues(answer):
                raise failure(answer, Sent.READ)
            unused = answer.redirects or answer.status in (404, 410)
            entries[number] = None if unused else expect(answer, Listed)
        return entries


def entries_of(answer: Answer, repository_id: str, numbers: Sequence[int]) -> dict[int, Listed | None] | None:
    """The issues and pull requests in the answer to a query, None for an unused number; None in all where the token or server has
    no GraphQL. Raises what it means when one of the numbers could not be read."""
    if not answer.ok:
        error = failure(answer, Sent.AGAIN)
        if isinstance(error, Misconfigured | Refused):
            return None
        raise error
    reply = answer.read(_Reply)
    if reply is None:
        return None  # JSON, but not of a GraphQL server
    faults = [(str((fault.path or [""])[-1]), fault.type or "") for fault in reply.errors or []]
    kinds = {kind for _, kind in faults}
    if "RATE_LIMITED" in kinds:
        raise query_limit(answer)
    fields = reply.data.repository if reply.data else None
    if fields is None or _DENIED & kinds or bytes(fields.get("databaseId", b"")) != repository_id.encode():
        return None  # another repository may have the name by now
    if bytes(fields.get("hasIssuesEnabled", b"")) != b"true":
        # Then every number looks unused.
        raise Misconfigured("the repository takes no issues")
    if any(kind != "NOT_FOUND" or alias not in fields for alias, kind in faults):
        raise Unavailable("GitHub could not read all the numbers it was asked for")
    unused = {alias for alias, _ in faults}
    entries: dict[int, Listed | None] = {}
    for number in numbers:
        entries[number] = None
        if f"n{number}" in unused:
            continue
        try:
            item = decode(fields.get(f"n{number}", b""), _Item)
        except msgspec.MsgspecError:
            raise Unavailable(f"GitHub's answer does not say what is under number {number}") from None
        # A number of a transferred issue; as far as is known, GitHub answers NOT_FOUND for it.
        if item.number == number and str(item.repository.database_id) == repository_id:
            author = item.author
            user = author and Account(id=author.database_id or 0, login=author.login, type=author.typename)
            entries[number] = Listed(
                number=number,
                html_url=item.url,
                body=item.body,
                user=user or None,
                created_at=item.created_at,
                pull_request=None if item.typename == "Issue" else item.typename,
            )
    return entries


def carries(body: str, line: str) -> bool:
    """True if `body` ends with `line`, or has it further up because people wrote below it. Inside a code block it does not count."""
    lines = [each.removesuffix("\r") for each in body.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if lines and lines[-1] == line:
        return True
    fence = ""
    for each in lines:
        opening = _FENCE.match(each)
        if fence:
            if opening and opening[1].startswith(fence) and not each[opening.end() :].strip():
                fence = ""
        elif opening:
            fence = opening[1]
        elif each == line:
            return True
    return False
