"""Decisions of an operator about groups: holds, and aliases, which are groups that another group's issue stands for.

The functions are parts of a transaction of the caller's.
"""

from dataclasses import dataclass
from typing import NamedTuple, cast

from syncd.store.connection import Transaction

_JUDGED = ("routes", "judge_since")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A group that another group's issue stands for, and why."""

    group_id: int
    fingerprint: str
    project: str
    target_id: int
    target: str
    reason: str
    at: float


def target(transaction: Transaction, group_id: int) -> int | None:
    """Return the group that this one is an alias of."""
    rows = transaction.rows("target_of", group_id=group_id)
    return cast(int, rows[0]["id"]) if rows else None


def add_alias(transaction: Transaction, group_id: int, target_id: int, reason: str, now: float) -> None:
    """Make a group the alias of another one, which is no alias itself. The group's own aliases follow the same target."""
    transaction.run("retarget_aliases", group_id=group_id, target_id=target_id)
    transaction.run("add_alias", group_id=group_id, target_id=target_id, reason=reason, now=now)


def alike(transaction: Transaction, group_id: int, size: int) -> list[int]:
    """Return the ids of groups with the application and frames of this one, which no operator separated from them."""
    return [cast(int, row["id"]) for row in transaction.rows("alike_groups", group_id=group_id, size=size)]


def aliases(transaction: Transaction, target_id: int) -> list[int]:
    """Return the ids of the aliases of a group."""
    return [cast(int, row["id"]) for row in transaction.rows("aliases_of", group_id=target_id)]


def set_apart(transaction: Transaction, group_id: int) -> None:
    """Take a group no more for one that was merged of others."""
    transaction.run("set_apart", group_id=group_id)


def remove_alias(transaction: Transaction, group_id: int) -> None:
    """Let the group stand for itself again."""
    transaction.run("remove_alias", group_id=group_id)


def hold(transaction: Transaction, group_id: int, reason: str | None) -> None:
    """Lock the group, and hold it for a reason, or no longer. Its revision rises, so that a worker that has claimed it does not settle
    what is decided here."""
    transaction.rows("lock_group", group_id=group_id)
    transaction.run("hold_manually", group_id=group_id, reason=reason)
    bump(transaction, group_id)


def order(transaction: Transaction, group_id: int, reason: str) -> None:
    """Lock the group; it is filed past thresholds and the limit of its route, for a reason. Its revision rises as for `hold`."""
    transaction.rows("lock_group", group_id=group_id)
    transaction.run("order", group_id=group_id, reason=reason)
    bump(transaction, group_id)


def release(transaction: Transaction, group_id: int, reason: str, rule: str | None, now: float) -> None:
    """Whatever held the group holds it no longer; it is about to be judged again."""
    transaction.run("let_through", group_id=group_id, reason=reason, rule=rule, now=now)


def bump(transaction: Transaction, group_id: int) -> None:
    """The group's issue has something else to show."""
    transaction.run("bump", group_id=group_id)


def refresh(transaction: Transaction, group_id: int, now: float) -> None:
    """Lock the group until the transaction ends. Its linked issue is looked at and updated at once; a create in doubt is probed at once."""
    transaction.rows("lock_group", group_id=group_id)
    transaction.run("refresh", group_id=group_id, now=now)


class Judged(NamedTuple):
    """The digest of the routes that the groups without an issue were last judged by, and the time since when the thresholds that they met
    must be worked out again; both None for nothing."""

    routes: str | None
    since: float | None


def judged(transaction: Transaction) -> Judged:
    """Return how the groups without an issue were last judged."""
    routes, since = ([row["value"] for row in transaction.rows("setting", name=name)] for name in _JUDGED)
    return Judged(str(routes[0]) if routes else None, float(cast(str, since[0])) if since and since[0] else None)


def set_judged(transaction: Transaction, routes: str, since: float | None = None) -> None:
    """Every group without an issue has been judged by these routes; "" asks for all to be judged, from the time `since` on."""
    for name, value in zip(_JUDGED, (routes, "" if since is None else repr(since)), strict=True):
        transaction.run("set", name=name, value=value)
