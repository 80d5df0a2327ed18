"""Issues of this store in a tracker that stand for no group of it yet: the store was restored from a backup, or another copy of it files."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from syncd.model import Created
from syncd.store import issues
from syncd.store.connection import Transaction


class Entry(NamedTuple):
    """An issue of a group, as far as it is known by its marker; without a `remote_id` its create is not answered yet. `places` are those that it
    has and had."""

    group_id: int
    marker: str
    state: str
    remote_id: str | None
    places: frozenset[str]


def unknown(transaction: Transaction, tracker: str, remote_ids: Sequence[str]) -> frozenset[str]:
    """Of these issues, those that neither stand for a group, or did, nor are strays."""
    rows = transaction.batch("known_issues", [(tracker, remote_id) for remote_id in remote_ids])
    return frozenset(remote_ids) - {str(row["remote_id"]) for row in rows}


def entries(transaction: Transaction, tracker: str) -> list[Entry]:
    """All issues of a tracker, those that were given up before the others."""
    several: list[Entry] = []
    for row in transaction.rows("issue_markers", tracker=tracker):
        places = frozenset(filter(None, [row["remote_id"], *json.loads(str(row.pop("followed") or "[]"))]))
        several.append(Entry(**cast(Mapping[str, Any], row), places=places))
    return several


def add(transaction: Transaction, tracker: str, reference: str, issue: Created, now: float) -> None:
    """This issue carries the marker that leads to `reference`, and stands for no group."""
    transaction.run(
        "add_stray",
        tracker=tracker,
        remote_id=issue.remote_id,
        reference=reference,
        key=issue.key,
        url=issue.url,
        number=issue.number,
        created_at=issue.created_at,
        now=now,
    )


def with_references(transaction: Transaction, tracker: str, references: Sequence[str]) -> dict[str, list[Created]]:
    """The strays with a marker that leads to one of these references, by reference, the oldest first. One whose place an issue of this store has
    by now is none any more: the tracker gave its number once more."""
    several: dict[str, list[Created]] = {}
    for row in transaction.batch("strays_of", [(tracker, reference) for reference in references]):
        reference = str(row.pop("reference"))
        stray = Created(**cast(Mapping[str, Any], row))
        if issues.at_place(transaction, tracker, stray.remote_id):
            remove(transaction, tracker, [stray])
        else:
            several.setdefault(reference, []).append(stray)
    return several


def remove(transaction: Transaction, tracker: str, linked: Iterable[Created]) -> None:
    """These issues stand for a group now."""
    for issue in linked:
        transaction.run("remove_stray", tracker=tracker, remote_id=issue.remote_id)
