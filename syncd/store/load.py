"""Whole groups and issues out of their rows, inside a transaction."""

import json
from collections.abc import Mapping
from typing import Any, cast

from msgspec.structs import replace

from syncd.core import fold, frames
from syncd.model import Group, GroupKind, Issue, Storm
from syncd.store.connection import Transaction
from syncd.store.rows import group_of, issue_of

LARGEST = 10  # of a storm's groups, as many as its issue names


def load_group(transaction: Transaction, row: Mapping[str, Any]) -> Group:
    """A group from its row, with its releases, and what its aliases or its storm add."""
    group = group_of(row, transaction.rows("group_releases", group_id=row["id"]))
    if group.kind is GroupKind.STORM:
        return _of_storm(transaction, group)
    aliases = transaction.rows("aliases_of", group_id=row["id"])
    targets = transaction.rows("target_of", group_id=row["id"])
    if targets:
        return replace(group, follows=cast(str, targets[0]["fingerprint"]))
    if not aliases:
        return group
    others = [group_of(other, transaction.rows("group_releases", group_id=other["id"])) for other in aliases]
    return fold.together(group, others)


def _of_storm(transaction: Transaction, group: Group) -> Group:
    route = group.identity.project
    current = transaction.rows("storm", route=route)
    # An earlier storm of the route is over, whatever is held back now.
    if not current or current[0]["fingerprint"] != group.identity.fingerprint:
        return replace(group, storm=Storm(held=0, since=float(group.first_seen or 0), over=True))
    held = cast(int, transaction.rows("stormy", route=route)[0]["groups"])
    rows = transaction.rows("largest_stormy", route=route, size=LARGEST)
    largest = tuple((_name(row), cast(int, row["users"] or 0), cast(int, row["occurrences"])) for row in rows)
    return replace(group, storm=Storm(held=held, since=cast(float, current[0]["since"]), largest=largest))


def _name(row: Mapping[str, Any]) -> str:
    """What people know a group by: the frame it crashed in, or else its fingerprint."""
    return frames.meaningful(json.loads(row["callstack"])) or f"group {row['fingerprint']}"


def load_issue(transaction: Transaction, group_id: object) -> Issue | None:
    """The live issue of a group, with what it still owes its readers."""
    rows = transaction.rows("live_issue", group_id=group_id)
    if not rows:
        return None
    told = transaction.rows("announcements", issue_id=rows[0]["id"])
    closed = issue_of(rows[0])
    at = 0.0 if closed.condition is None else closed.condition.closed_at or 0.0
    answered = transaction.rows("answered", group_id=group_id, closed_at=at)
    return issue_of(rows[0], told, [str(row["release"]) for row in answered])
