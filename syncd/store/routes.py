"""Pauses of routes by an operator, and the groups that a route holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from syncd.store.connection import Connection, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePause:
    """Which route is paused, why, and since when."""

    route: str
    reason: str
    at: float


class Routes:
    """Whole transactions on routes; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pauses(self) -> list[RoutePause]:
        """All paused routes."""
        rows = self._connection.read(lambda transaction: transaction.rows("route_pauses"))
        return [
            RoutePause(route=str(row["route"]), reason=str(row["reason"]), at=cast(float, row["at"])) for row in rows
        ]

    def pause(self, route: str, reason: str, now: float) -> None:
        """File nothing by the route, and write nothing, until it is resumed."""
        self._connection.write(lambda transaction: transaction.run("pause_route", route=route, reason=reason, now=now))


def paused(transaction: Transaction, route: str) -> str | None:
    """Return the reason why the route is paused, None if it is not."""
    rows = transaction.rows("route_pause", route=route)
    return str(rows[0]["reason"]) if rows else None


def resume(transaction: Transaction, route: str) -> bool:
    """End the pause of a route; False when it was not paused."""
    return transaction.run("resume_route", route=route) > 0


def held_by(transaction: Transaction, rule: str, route: str) -> Sequence[int]:
    """The ids of the groups that a rule of a route holds."""
    return [cast(int, row["id"]) for row in transaction.rows("held_by_rule", rule=rule, route=route)]


def wake(transaction: Transaction, rule: str, now: float) -> None:
    """Make due now what a rule put off."""
    transaction.run("wake_route", rule=rule, now=now)


def configuration(transaction: Transaction) -> str | None:
    """The digest of the routes that the groups without an issue were last judged by."""
    rows = transaction.rows("setting", name="routes")
    return str(rows[0]["value"]) if rows else None


def set_configuration(transaction: Transaction, digest: str) -> None:
    """Every group without an issue has been judged by these routes."""
    transaction.run("set", name="routes", value=digest)
