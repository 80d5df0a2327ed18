"""Several fingerprints, one issue: whose occurrences are shown on the issue of another group."""

from dataclasses import dataclass
from typing import cast

from syncd.core import filing
from syncd.core.plan import NEVER_LINKED, NextCall
from syncd.model import Call
from syncd.store.connection import Connection, Transaction
from syncd.store.history import decide
from syncd.store.records import load_group, load_issue
from syncd.store.routes import reevaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A group that another one's issue stands for, and why."""

    group_id: int
    fingerprint: str
    project: str
    target_id: int
    target: str
    reason: str
    at: float


class Aliases:
    """Operations of the command `alias`; the daemon beside it goes on."""

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

    def add(self, group_id: int, target_id: int, reason: str, now: float) -> str | None:
        """Show a group's occurrences on the issue of another one from now on. The key of the issue it had, which is given up and
        stays as it is in the tracker; None where it had none. Raises ValueError for a group's own alias, and while a create of it is
        in doubt."""

        def write(transaction: Transaction) -> str | None:
            issue = load_issue(transaction, group_id)
            if issue is not None and issue.state in NEVER_LINKED:
                raise ValueError("a create for it was sent and is not answered yet; try again when it is settled")
            add(transaction, group_id, target_id, reason, now)
            return None if issue is None else issue.key

        return self._connection.write(write)

    def remove(self, group_id: int, owes: NextCall, now: float) -> bool:
        """The group stands for itself again; False when it was no alias."""

        def write(transaction: Transaction) -> bool:
            targets = transaction.rows("target_of", group_id=group_id)
            if not transaction.run("remove_alias", group_id=group_id):
                return False
            for target in targets:
                _show(transaction, cast(int, target["id"]), now)
            reevaluate(transaction, group_id, "it stands for itself again", owes, now)
            return True

        return self._connection.write(write)


def add(transaction: Transaction, group_id: int, target_id: int, reason: str, now: float) -> None:
    """Make a group the alias of another one, or of the one that that one follows."""
    onward = transaction.rows("target_of", group_id=target_id)
    target_id = cast(int, onward[0]["id"]) if onward else target_id
    if target_id == group_id:
        raise ValueError("a group cannot be an alias of itself")
    transaction.run("retire_live", group_id=group_id, note=reason)
    transaction.run("forget_waiting", group_id=group_id)
    transaction.run("retarget_aliases", group_id=group_id, target_id=target_id)
    transaction.run("add_alias", group_id=group_id, target_id=target_id, reason=reason, now=now)
    group = load_group(transaction, transaction.rows("group_by_id", group_id=group_id)[0])
    decide(transaction, group_id, filing.follows(group), reason, now)
    _show(transaction, target_id, now)


def _show(transaction: Transaction, target_id: int, now: float) -> None:
    """Let the target's issue show its new numbers."""
    transaction.run("bump", group_id=target_id)
    issue = load_issue(transaction, target_id)
    if issue is not None and issue.remote_id is not None:
        transaction.batch("owe", [(target_id, issue.tracker, now, Call.UPDATE)])
