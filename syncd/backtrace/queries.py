"""Queries about the groups of a project, and what is read from their answers. Does no I/O.

The shapes are those that Backtrace's tools rely on: morgue (https://github.com/backtrace-labs/backtrace-morgue, lib/coroner.ts) and
forensics (https://github.com/backtrace-labs/backtrace-forensics, src/coroner). Columns are found by `columns_desc`, which names each;
their order is the server's own.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from syncd.core.polls import STATES
from syncd.intake.sources.polls import PollFacts, sealed
from syncd.model import Identity

GROUP, TIME = "fingerprint", "timestamp"
STATE, TICKET = "fingerprint;issues;state", "fingerprint;issues;ticket"
UNSET = "*"  # a value that no object of the group has
NEEDED = (GROUP, TIME)  # columns without which a group cannot be read
PAGE = 200  # groups of one answer
MOST_VALUES = 2000  # of a histogram

Folds = Mapping[str, Sequence[str]]  # by column, the operations
Filter = Mapping[str, Sequence[tuple[str, str]]]  # by column, the conditions, which all hold

_MISSING = re.compile(r"column not found", re.IGNORECASE)


def totals(release_attributes: Sequence[str], dropped: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The folds of a group's totals, without the columns that the project lacks."""
    folds = {
        TIME: ("range",),
        "callstack": ("head",),
        "classifiers": ("head",),
        "application": ("head",),
        "guid": ("unique",),
        "hostname": ("unique",),
        "uname.sysname": ("histogram",),
        **{name: ("histogram",) for name in release_attributes},
        STATE: ("head",),
        TICKET: ("head",),
    }
    return {name: operations for name, operations in folds.items() if name not in dropped}


def since(moment: float) -> dict[str, list[tuple[str, str]]]:
    """The filter of objects at a time or later. Backtrace asks for one that rejects objects without a time."""
    return {TIME: [("at-least", f"{max(1, int(moment))}.")]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One page of groups, in the order of their keys. With `tx` it is answered as of that commit, whatever arrived since."""

    filter: Filter
    folds: Folds = field(default_factory=dict)
    group: str = GROUP
    tx: int | None = None
    offset: int = 0
    limit: int = PAGE

    def body(self) -> dict[str, Any]:
        """The query as JSON has it."""
        conditions: dict[str, Any] = {name: list(map(list, several)) for name, several in self.filter.items()}
        if self.tx is not None:
            conditions["_tx"] = [["at-most", self.tx]]
        return {
            "group": [self.group],
            "filter": [conditions],
            "fold": {name: [[operation] for operation in operations] for name, operations in self.folds.items()},
            "order": [{"name": ";group", "ordering": "ascending"}],
            "limit": self.limit,
            "offset": self.offset,
        }


class _Column(msgspec.Struct):
    name: str
    op: str = ""


class _Response(msgspec.Struct):
    columns_desc: list[_Column] = []
    values: list[tuple[Any, list[Any], int]] = []
    cardinalities: dict[str, dict[str, Any]] = {}


class _Notes(msgspec.Struct):
    tx: int | None = None


class _Failure(msgspec.Struct):
    message: str = ""
    code: int | None = None


class Reply(msgspec.Struct, rename={"notes": "_"}):
    """The answer to a query. A failure may come with any status."""

    response: _Response | None = None
    notes: _Notes | None = None
    error: _Failure | str | None = None

    @property
    def failure(self) -> str | None:
        """What Backtrace says went wrong; None if nothing did."""
        if self.error is None:
            return None
        return self.error if isinstance(self.error, str) else self.error.message or f"error {self.error.code}"


@dataclass(frozen=True, slots=True)
class Row:
    """One group: its key, how many objects it has, and its folds by column and operation."""

    key: str
    count: int
    folds: Mapping[tuple[str, str], Any]

    def head(self, column: str) -> str | None:
        """The first value of a column; None where it is not set."""
        value = self._first(column, "head")
        return None if value in (None, "", UNSET) else str(value)

    def unique(self, column: str) -> int | None:
        """How many values a column has."""
        value = self._first(column, "unique")
        return value if isinstance(value, int) else None

    @property
    def span(self) -> tuple[int, int] | None:
        """The times of the first and the last crash."""
        match self.folds.get((TIME, "range")):
            case [int(first), int(last), *_]:
                return first, last
        return None

    def histogram(self, column: str) -> list[tuple[str | int | float | bool, int]]:
        """The values of a column with their counts, without objects that have none."""
        pairs = self.folds.get((column, "histogram")) or []
        return [
            (pair[0], pair[1])
            for pair in pairs[:MOST_VALUES]
            if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], int) and pair[0] not in (None, UNSET)
        ]

    def _first(self, column: str, operation: str) -> Any:
        values = self.folds.get((column, operation))
        return values[0] if isinstance(values, list) and values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The groups of one answer; `total` is how many groups fit the filter, None where the server does not say."""

    rows: Sequence[Row]
    tx: int | None
    total: int | None


def page(reply: Reply) -> Page | None:
    """The page in a reply; None if it is none."""
    response = reply.response
    if response is None:
        return None
    names = [(column.name, column.op) for column in response.columns_desc]
    rows = [
        Row("" if key is None else str(key), count, dict(zip(names, folds, strict=False)))
        for key, folds, count in response.values
    ]
    total = response.cardinalities.get("pagination", {}).get("groups")
    return Page(
        rows=rows,
        tx=None if reply.notes is None else reply.notes.tx,
        total=total if isinstance(total, int) else None,
    )


def missing_columns(text: str, folds: Folds) -> list[str]:
    """The columns of the folds that a failure says do not exist."""
    if not _MISSING.search(text):
        return []
    named = [name for name in folds if re.search(rf"(?<![\w.;]){re.escape(name)}(?![\w.;])", text)]
    return [name for name in named if name not in NEEDED]


def notification(
    key: str,
    identity: Identity,
    url: str,
    row: Row,
    release_attributes: Sequence[str],
    now: float,
    backfill: bool | None = None,
) -> bytes:
    """The group as a body of the webhook's shape, whose counts are totals, sealed by the store's `key`. It names no object. `url` is the configured
    address of Backtrace."""
    attributes = {name: row.histogram(name) for name in (*release_attributes, "uname.sysname")}
    state = row.head(STATE)
    facts = PollFacts(at=now, triage=state if state in STATES else None, backfill=backfill)
    body = {
        "source": "poll",
        "universe": identity.universe,
        "project": identity.project,
        "fingerprint": identity.fingerprint,
        "group_url": f"{url.rstrip('/')}/p/{quote(identity.project)}/triage?fingerprints={quote(identity.fingerprint)}",
        "application": row.head("application"),
        "callstack": row.head("callstack"),
        "classifiers": (row.head("classifiers") or "").split(),
        "occurrences": row.count,
        "timestamp": row.span,
        "hosts": row.unique("hostname"),
        "guids": row.unique("guid"),
        "poll": sealed(key, identity, row.count, facts),
        "attributes": {name: pairs for name, pairs in attributes.items() if pairs},
    }
    return json.dumps(body, ensure_ascii=False).encode()
