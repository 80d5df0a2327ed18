"""The objects of a Backtrace project, in SQLite, and the queries about them. Every fold is computed.

The semantics are those that Backtrace's public tools rely on: morgue (https://github.com/backtrace-labs/backtrace-morgue) and forensics
(https://github.com/backtrace-labs/backtrace-forensics). Where they say nothing, the double does what a client can rely on least: columns come
in an order of their own, and groups without an order with those first that crashed last.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

# By name: format, type. `_tx` numbers the commits of the store.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "_tx": ("tx", "uint64"),
    "object": ("object", "uint64"),
    "fingerprint": ("sha256", "string"),
    "fingerprint;original": ("sha256", "string"),
    "timestamp": ("unix_timestamp", "uint64"),
    "application": ("none", "dictionary"),
    "callstack": ("callstack", "dictionary"),
    "classifiers": ("labels", "dictionary"),
    "guid": ("uuid", "uuid"),
    "hostname": ("hostname", "dictionary"),
    "version": ("none", "dictionary"),
    "uname.sysname": ("none", "dictionary"),
}
ISSUE_COLUMNS = ("state", "ticket", "tags", "invariants")
STATES = ("open", "in-progress", "resolved", "muted")
_JOINED = "fingerprint;issues;"
_COMPARISONS = {"equal": "=", "at-least": ">=", "at-most": "<=", "greater-than": ">", "less-than": "<"}
UNSET = "*"


class QueryError(Exception):
    """A query that is refused, with Backtrace's text."""


class Objects:
    """One project. `columns` are the indexed ones: a query for another is refused."""

    def __init__(self) -> None:
        self.columns = dict(COLUMNS)
        self.tx = 0
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        self._database.execute(f"CREATE TABLE objects ({names})")
        self._database.execute('CREATE INDEX by_group ON objects ("fingerprint")')
        self._database.execute(
            "CREATE TABLE issues (fingerprint TEXT PRIMARY KEY, state TEXT, ticket TEXT, tags TEXT, invariants TEXT)"
        )
        self._database.create_function("REGEXP", 2, _fits, deterministic=True)

    def add(self, several: Sequence[Mapping[str, Any]]) -> None:
        """Store objects in one commit. A column that an object lacks is not set."""
        self.tx += 1
        rows = []
        for attributes in several:
            row = {"_tx": self.tx, "fingerprint;original": attributes["fingerprint"], **attributes}
            rows.append([row.get(name) for name in COLUMNS])
        marks = ", ".join("?" * len(COLUMNS))
        self._database.executemany(f"INSERT INTO objects VALUES ({marks})", rows)
        self._database.executemany(
            "INSERT INTO issues VALUES (?, 'open', NULL, NULL, NULL) ON CONFLICT DO NOTHING",
            [(fingerprint,) for fingerprint in {row[2] for row in rows}],
        )

    def forget(self, fingerprint: str, before: int) -> None:
        """Delete the objects of a group that are older than a time, as retention does."""
        self._database.execute('DELETE FROM objects WHERE "fingerprint" = ? AND "timestamp" < ?', (fingerprint, before))

    def merge(self, fingerprints: Sequence[str], merged: str) -> None:
        """Give the objects of several groups a new fingerprint; each keeps its original."""
        for fingerprint in fingerprints:
            self._database.execute(
                'UPDATE objects SET "fingerprint" = ? WHERE "fingerprint" = ?', (merged, fingerprint)
            )
        self._database.execute(
            "INSERT INTO issues VALUES (?, 'open', NULL, NULL, NULL) ON CONFLICT DO NOTHING", (merged,)
        )

    def groups(self) -> list[str]:
        """Every fingerprint."""
        return [row[0] for row in self._database.execute('SELECT DISTINCT "fingerprint" FROM objects ORDER BY 1')]

    def count(self, fingerprint: str) -> int:
        """How many objects a group has."""
        (count,) = self._database.execute('SELECT COUNT(*) FROM objects WHERE "fingerprint" = ?', (fingerprint,))
        return int(count[0])

    def issue(self, fingerprint: str) -> dict[str, Any] | None:
        """The triage of a group."""
        rows = self._database.execute(
            "SELECT state, ticket, tags, invariants FROM issues WHERE fingerprint = ?", (fingerprint,)
        ).fetchall()
        return dict(zip(ISSUE_COLUMNS, rows[0], strict=True)) if rows else None

    def set_issue(self, fingerprint: str, **values: str | None) -> None:
        """Change the triage of a group."""
        for name, value in values.items():
            assert name in ISSUE_COLUMNS
            self._database.execute(f"UPDATE issues SET {name} = ? WHERE fingerprint = ?", (value, fingerprint))

    def rows(self, fingerprint: str, after_tx: int = 0) -> list[dict[str, Any]]:
        """The objects of a group that were stored after a commit, in their order."""
        cursor = self._database.execute(
            'SELECT * FROM objects WHERE "fingerprint" = ? AND "_tx" > ? ORDER BY rowid', (fingerprint, after_tx)
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in cursor]

    def query(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """The response to a query, and the commit as of which it is answered. Raises QueryError."""
        if "set" in body or "actions" in body or "table" in body:
            raise QueryError("invalid parameter 'set'")
        where, parameters = self._where(body.get("filter"))
        group = body.get("group")
        if not isinstance(group, list) or len(group) != 1:
            raise QueryError("invalid parameter 'group'")
        key = self._column(group[0])
        limit, offset = body.get("limit", 20), body.get("offset", 0)
        if not isinstance(limit, int) or not isinstance(offset, int) or limit <= 0 or offset < 0:
            raise QueryError("offset/limit must be positive")
        source = f"FROM objects LEFT JOIN issues ON issues.fingerprint = objects.fingerprint WHERE {where}"
        order = self._order(body.get("order") or [])
        keys = self._database.execute(
            f"SELECT {key}, COUNT(*) {source} GROUP BY {key} ORDER BY {order} LIMIT ? OFFSET ?",
            (*parameters, limit, offset),
        ).fetchall()
        (total,) = self._database.execute(f"SELECT COUNT(DISTINCT COALESCE({key}, '*')) {source}", parameters)
        # In an order of the server's own.
        folds = sorted(
            (name, *fold) for name, several in (body.get("fold") or {}).items() for fold in map(tuple, several)
        )
        selected = ", ".join(self._column(name) for name, *_ in folds) or "NULL"
        values = []
        for value, count in keys:
            rows = self._database.execute(
                f"SELECT {selected} {source} AND {key} IS ? ORDER BY objects.rowid", (*parameters, value)
            ).fetchall()
            columns = [_fold(fold, [row[place] for row in rows]) for place, (_, *fold) in enumerate(folds)]
            values.append([UNSET if value is None else value, columns, count])
        described = [self._description(name, fold) for name, *fold in folds]
        return {
            "version": "1.2.0",
            "encoding": "rle",
            "seq": 0,
            "columns": [[f"{each['op']}({each['name']})", each["format"]] for each in described],
            "columns_desc": described,
            "factors_desc": [self._description(group[0], [])],
            "cardinalities": {"initial": {"groups": total[0]}, "pagination": {"groups": total[0]}},
            "values": values,
        }, self.tx

    def _column(self, name: str) -> str:
        """The SQL of a column. Raises QueryError."""
        if name.startswith(_JOINED) and (joined := name.removeprefix(_JOINED)) in ISSUE_COLUMNS:
            return f"issues.{joined}"
        if name not in self.columns:
            raise QueryError(f"{name}: column not found")
        return f'objects."{name}"'

    def _description(self, name: str, fold: Sequence[Any]) -> dict[str, Any]:
        shape, kind = COLUMNS.get(name, ("none", "string"))
        return {"name": name, "format": shape, "type": kind} | ({"op": fold[0]} if fold else {})

    def _where(self, filters: Any) -> tuple[str, list[Any]]:
        """A condition in SQL: all conditions of the one filter object hold. What several objects mean is documented nowhere."""
        if not isinstance(filters, list) or len(filters) != 1 or not isinstance(filters[0], dict):
            raise QueryError("invalid parameter 'filter'")
        parts, parameters, rejects = list[str](), list[Any](), False
        for name, conditions in filters[0].items():
            column = self._column(name)
            for operator, *values in conditions:
                rejects |= name == "timestamp" and operator != "not-equal"
                parts.append(_condition(name, column, operator))
                if values:
                    parameters.append(float(values[0]) if COLUMNS.get(name, ("", ""))[1] == "uint64" else values[0])
        if not rejects:
            raise QueryError(
                "Query must contain at least one filter that rejects missing data (e.g. timestamp at-least)"
            )
        return " AND ".join(parts), parameters

    def _order(self, several: Sequence[Mapping[str, str]]) -> str:
        terms = []
        for entry in several:
            name, way = entry["name"], "DESC" if entry["ordering"] == "descending" else "ASC"
            terms.append(f"{ {';count': 2, ';group': 1}[name] } {way}")
        # Groups that are equal by the order change places while objects arrive.
        return ", ".join([*terms, "MAX(objects.rowid) DESC"])


def _condition(name: str, column: str, operator: str) -> str:
    """A condition in SQL. Raises QueryError."""
    if operator == "regular-expression" and COLUMNS.get(name, ("", ""))[0] == "sha256":
        raise QueryError("regexec unsupported")
    if operator in _COMPARISONS:
        return f"{column} {_COMPARISONS[operator]} ?"
    templates = {
        "not-equal": "{} IS NOT ?",
        "contains": "INSTR({}, ?) > 0",
        "not-contains": "INSTR(COALESCE({}, ''), ?) = 0",
        "regular-expression": "COALESCE({}, '') REGEXP ?",
        "is-set": "{} IS NOT NULL",
        "is-not-set": "{} IS NULL",
    }
    if operator not in templates:
        raise QueryError(f"invalid parameter '{operator}'")
    return templates[operator].format(column)


def _fits(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def _fold(fold: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The fold of the values of a group."""
    present = [value for value in values if value is not None]
    match fold[0]:
        case "head":
            return [values[0] if values and values[0] is not None else UNSET]
        case "tail":
            return [values[-1] if values and values[-1] is not None else UNSET]
        case "unique":
            return [len(set(present))]
        case "range":
            return [min(present), max(present)] if present else [UNSET, UNSET]
        case "histogram":
            counts = Counter(UNSET if value is None else value for value in values)
            return [
                [value, count] for value, count in sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
            ]
        case "distribution":
            counts = Counter(UNSET if value is None else value for value in values)
            most = counts.most_common(int(fold[1]) if len(fold) > 1 else 3)
            tail = len(values) - sum(count for _, count in most)
            return [{"keys": len(counts), "tail": tail, "vals": [[value, count] for value, count in most]}]
    raise QueryError(f"invalid parameter '{fold[0]}'")


def callstack(*frames: str) -> str:
    """A stack as an object has it: JSON text."""
    return json.dumps({"frame": list(frames)})
