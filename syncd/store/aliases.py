"""Several fingerprints, one issue: whose occurrences are shown on the issue of another group."""

from dataclasses import dataclass
from typing import cast

from syncd.store.connection import Connection, Transaction


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


class Aliases:
    """Whole transactions on aliases; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[Alias]:
        """All of them, the newest first."""
        rows = self._connection.read(lambda transaction: transaction.rows("all_aliases"))
        return [
            Alias(
                group_id=cast(int, row["group_id"]),
                fingerprint=str(row["fingerprint"]),
                project=str(row["project"]),
                target_id=cast(int, row["target_id"]),
                target=str(row["target"]),
                reason=str(row["reason"]),
                at=cast(float, row["at"]),
            )
            for row in rows
        ]


def target(transaction: Transaction, group_id: int) -> int | None:
    """The group that this one is an alias of."""
    rows = transaction.rows("target_of", group_id=group_id)
    return cast(int, rows[0]["id"]) if rows else None


def add(transaction: Transaction, group_id: int, target_id: int, reason: str, now: float) -> None:
    """Make a group the alias of another one, which is no alias itself. The group's own aliases follow the same target."""
    transaction.run("retarget_aliases", group_id=group_id, target_id=target_id)
    transaction.run("add_alias", group_id=group_id, target_id=target_id, reason=reason, now=now)


def remove(transaction: Transaction, group_id: int) -> bool:
    """The group stands for itself again; False when it was no alias."""
    return transaction.run("remove_alias", group_id=group_id) > 0
