"""Decisions of an operator about groups and routes: holds, pauses, and aliases, which are groups that another group's issue stands for.

The functions are parts of a transaction of the caller's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from syncd.store.connection import Operations, Transaction


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePause:
    """Which route is paused, why, and since when."""

    route: str
    reason: str
    at: float


class Operator(Operations):
    """Whole transactions; for any thread."""

    def aliases(self) -> list[Alias]:
        """Return all aliases, the newest first."""
        return [Alias(**cast(dict[str, Any], row)) for row in self._connection.select("all_aliases")]

    def pauses(self) -> list[RoutePause]:
        """Return all paused routes."""
        return [RoutePause(**cast(dict[str, Any], row)) for row in self._connection.select("route_pauses")]

    def pause_route(self, route: str, reason: str, now: float) -> None:
        """File nothing by the route, and write nothing, until it is resumed."""
        self._connection.execute("pause_route", route=route, reason=reason, now=now)


def route_pause(transaction: Transaction, route: str) -> str | None:
    """Return the reason why the route is paused, None if it is not."""
    rows = transaction.rows("route_pause", route=route)
    return str(rows[0]["reason"]) if rows else None


def resume_route(transaction: Transaction, route: str, rule: str, now: float) -> Sequence[int] | None:
    """End the pause of a route and make due what `rule`, that of pauses, put off. Return the ids of the groups that it holds; None if the
    route was not paused."""
    if not transaction.run("resume_route", route=route):
        return None
    transaction.run("wake_route", rule=rule, now=now)
    return [cast(int, row["id"]) for row in transaction.rows("held_by_rule", rule=rule, route=route)]


def target(transaction: Transaction, group_id: int) -> int | None:
    """Return the group that this one is an alias of."""
    rows = transaction.rows("target_of", group_id=group_id)
    return cast(int, rows[0]["id"]) if rows else None


def add_alias(transaction: Transaction, group_id: int, target_id: int, reason: str, now: float) -> None:
    """Make a group the alias of another one, which is no alias itself. The group's own aliases follow the same target."""
    transaction.run("retarget_aliases", group_id=group_id, target_id=target_id)
    transaction.run("add_alias", group_id=group_id, target_id=target_id, reason=reason, now=now)


def remove_alias(transaction: Transaction, group_id: int) -> int | None:
    """Let the group stand for itself again. Return the group that it was an alias of; None if it was no alias."""
    target_id = target(transaction, group_id)
    transaction.run("remove_alias", group_id=group_id)
    return target_id


def hold(transaction: Transaction, group_id: int, reason: str | None) -> None:
    """Lock the group, and hold it for a reason, or no longer. Its revision rises, so that a worker that has claimed it does not settle
    what is decided here."""
    transaction.rows("lock_group", group_id=group_id)
    transaction.run("hold_manually", group_id=group_id, reason=reason)
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


def routes(transaction: Transaction) -> str | None:
    """Return the digest of the routes that the groups without an issue were last judged by."""
    rows = transaction.rows("setting", name="routes")
    return str(rows[0]["value"]) if rows else None


def set_routes(transaction: Transaction, digest: str) -> None:
    """Every group without an issue has been judged by these routes."""
    transaction.run("set", name="routes", value=digest)
