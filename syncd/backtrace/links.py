"""Links back: a group's issue becomes an entry of the group's list of tickets in Backtrace. Only on request.

The request sets the whole list, and no other part of the group. There is no compare-and-set: the list is read right before and right after, and what
another writer may have lost is put back once. The shapes are those of forensics (plugins/backtrace-forensics-issues).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from syncd.backtrace import queries
from syncd.backtrace.client import Client, Target
from syncd.backtrace.queries import Query, Row
from syncd.config import Secret
from syncd.errors import Misconfigured, OutcomeUnknown, Unavailable
from syncd.model import Issue, IssueState
from syncd.platform.clock import Clock
from syncd.render.text import one_line

WATCHER = "syncd"
REQUESTS = 3  # of one link: read, write, read

Entries = list[dict[str, Any]]


class Result(StrEnum):
    """What became of a link."""

    PRESENT = "present"  # it was there before
    WRITTEN = "written"  # it is there, and so is everything else
    ABSENT = "absent"  # Backtrace does not have the group
    UNREADABLE = "unreadable"  # the tickets are no list: nothing was written
    REFUSED = "refused"  # for this group alone
    OVERWRITTEN = "overwritten"  # another writer was faster: it may be written later
    IGNORED = "ignored"  # the list is as it was before
    DAMAGED = "damaged"  # entries of others are missing, also after they were put back


@dataclass(frozen=True, slots=True)
class Link:
    """The result for one group, and what Backtrace said of it."""

    result: Result
    reason: str = ""

    @property
    def stops(self) -> bool:
        """True if no further link may be written: Backtrace does not do what its tools expect."""
        return self.result in (Result.IGNORED, Result.DAMAGED)


def entries_of(row: Row) -> Entries | None:
    """The tickets of a group, each with all that it has; None if they are no list of tickets."""
    text = row.head(queries.TICKET)
    if text is None:
        return []
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, list) and all(isinstance(entry, dict) for entry in value) else None


def lacks(row: Row, url: str) -> bool:
    """Whether a link to an issue may be added to the tickets of a group."""
    entries = entries_of(row)
    return entries is not None and not _has(entries, url)


class Linker:
    """Writes links for one project. `spend` takes a request from its budget."""

    def __init__(
        self, target: Target, clock: Clock, sleep: Callable[[float], None], spend: Callable[[], None] = lambda: None
    ) -> None:
        self._target, self._spend = target, spend
        self._reader = Client(target, clock, sleep)
        secret: Secret | None = target.project.link_token
        self._writer = Client(target, clock, sleep, secret=("link_token", secret) if secret is not None else None)

    def link(self, fingerprint: str, issue: Issue) -> Link:
        """Add the issue to the tickets of a group. Raises TrackerError."""
        for _ in range(REQUESTS):
            self._spend()  # all before the first: between reading and writing nobody waits
        entries = self._tickets(fingerprint)
        if entries is None or isinstance(entries, Result):
            return Link(entries or Result.UNREADABLE)
        if _has(entries, str(issue.url)):
            return Link(Result.PRESENT)
        own = {"watcher": WATCHER, "short": str(issue.key), "url": str(issue.url), "state": "open"}
        lost: OutcomeUnknown | None = None
        try:
            if reason := self._set(fingerprint, [*entries, own]):
                return Link(Result.REFUSED, reason)
        except OutcomeUnknown as error:
            lost = error  # the list that is read now tells
        after = self._tickets(fingerprint)
        if not isinstance(after, list):
            return Link(Result.DAMAGED, "its tickets cannot be read after syncd wrote them")
        if not _missing([*entries, own], after):
            return Link(Result.WRITTEN)
        if after == entries and lost is not None:
            raise Unavailable(lost.reason)
        if after == entries:
            return Link(Result.IGNORED, "Backtrace accepted the ticket, and does not have it")
        if not _missing(entries, after):
            return Link(Result.OVERWRITTEN)
        with suppress(OutcomeUnknown):
            self._set(fingerprint, [*entries, *_missing(after, entries)])
        after = self._tickets(fingerprint)
        missing = entries if not isinstance(after, list) else _missing(entries, after)
        reason = "tickets of others were gone after syncd wrote its own"
        return Link(Result.DAMAGED, f"{reason}; syncd has put them back" if not missing else f"{reason}, and are")

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()
        self._writer.close()

    def _tickets(self, fingerprint: str) -> Entries | Result | None:
        query = Query(
            filter=queries.since(0) | {queries.GROUP: [("equal", fingerprint)]},
            folds={queries.TICKET: ("head",)},
            limit=1,
        )
        rows = self._reader.query(query).rows
        return entries_of(rows[0]) if rows else Result.ABSENT

    def _set(self, fingerprint: str, entries: Entries) -> str:
        """Set the list of tickets of a group. Return why Backtrace refuses it for this group; empty if it does not. Raises TrackerError."""
        project = self._target.project.name
        place = {"universe": self._target.settings.universe, "project": project}
        body = {"project": project, "fingerprint": [fingerprint], "ticket": {"action": "set", "value": entries}}
        results = self._writer.checked(self._writer.send_once("POST", "/api/issue", body, place)).get("results")
        if not isinstance(results, list):
            raise Misconfigured(f"{self._writer.address} answers a ticket not as Backtrace's API does")
        for result in results:
            if isinstance(result, Mapping) and result.get("error"):
                return one_line(str(result["error"]), 200)
        return ""


def linkable(issue: Issue | None) -> bool:
    """Whether the issue exists and has an address for people."""
    return issue is not None and issue.state is IssueState.LINKED and bool(issue.url) and bool(issue.key)


def _has(entries: Iterable[Mapping[str, Any]], url: str) -> bool:
    return any(entry.get("url") == url for entry in entries)


def _missing(wanted: Entries, present: Entries) -> Entries:
    return [entry for entry in wanted if entry not in present]
