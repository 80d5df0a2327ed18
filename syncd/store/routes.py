"""An operator's word about a route: nothing new is filed by it, and nothing written, until it is resumed."""

from dataclasses import dataclass
from typing import cast

from syncd.core import filing
from syncd.core.plan import NextCall
from syncd.store.connection import Connection, Transaction
from syncd.store.history import decide
from syncd.store.records import load_group, load_issue


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePause:
    """Which route is paused, why, and since when."""

    route: str
    reason: str
    at: float


class Routes:
    """Operations on routes; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def paused(self, route: str) -> str | None:
        """Why the route is paused; None when it is not."""
        rows = self._connection.read(lambda transaction: transaction.rows("route_pause", route=route))
        return str(rows[0]["reason"]) if rows else None

    def pauses(self) -> list[RoutePause]:
        """All that are paused."""
        rows = self._connection.read(lambda transaction: transaction.rows("route_pauses"))
        return [
            RoutePause(route=str(row["route"]), reason=str(row["reason"]), at=cast(float, row["at"])) for row in rows
        ]

    def pause(self, route: str, reason: str, now: float) -> None:
        """File nothing by it, and write nothing, until it is resumed."""
        self._connection.write(lambda transaction: transaction.run("pause_route", route=route, reason=reason, now=now))

    def resume(self, route: str, owes: NextCall, now: float) -> bool:
        """Judge anew what it held; False when it was not paused."""

        def write(transaction: Transaction) -> bool:
            if not transaction.run("resume_route", route=route):
                return False
            for row in transaction.rows("held_by_rule", rule=filing.ROUTE_PAUSED, route=route):
                reevaluate(transaction, cast(int, row["id"]), "the route was resumed", owes, now)
            transaction.run("wake_route", rule=filing.ROUTE_PAUSED, now=now)
            return True

        return self._connection.write(write)


def reevaluate(
    transaction: Transaction, group_id: int, reason: str, owes: NextCall, now: float, rule: str | None = None
) -> str | None:
    """Let a group go that was held, and mark what it owes: the tracker that has something to do."""
    transaction.run("let_through", group_id=group_id, reason=reason, rule=rule, now=now)
    group = load_group(transaction, transaction.rows("group_by_id", group_id=group_id)[0])
    owed = owes(group, load_issue(transaction, group_id), now)
    if owed.tracker is not None:
        transaction.batch("owe", [(group_id, owed.tracker, owed.due_at, owed.call)])
    if owed.hold is not None:
        decide(transaction, group_id, owed.hold, None, now, owed.route)
    return owed.tracker
