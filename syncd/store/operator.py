"""An operator's word about one group: sync it now, hold it back, let another issue stand for it."""

from typing import cast

from syncd.core import filing, plan
from syncd.core.plan import NEVER_LINKED, NextCall
from syncd.model import Action, IssueState, Place, Plan
from syncd.store.connection import Connection, Transaction
from syncd.store.history import decide
from syncd.store.records import load_group, load_issue
from syncd.store.routes import reevaluate

OPERATOR = "operator"


class OperatorActions:
    """Operations of the console and of the commands `sync`, `hold` and `relink`; the daemon beside them goes on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sync(self, group_id: int, owes: NextCall, now: float) -> str | None:
        """Look at the group's issue and bring it up to date at once, whatever that was put off for: the tracker that has something to
        do, None where nothing is to be done. A group that is held is judged once more."""
        return self._connection.write(lambda transaction: _hurry(transaction, group_id, owes, now))

    def hold(self, group_id: int, reason: str, now: float) -> None:
        """File nothing for the group and write nothing to its issue until `end_hold`. What is in hand is finished."""

        def write(transaction: Transaction) -> None:
            transaction.rows("lock_group", group_id=group_id)
            transaction.run("hold_by_hand", group_id=group_id, reason=reason)
            transaction.run("bump", group_id=group_id)  # whoever has it in hand must not settle what is decided here
            transaction.run("forget_waiting", group_id=group_id)
            group = load_group(transaction, transaction.rows("group_by_id", group_id=group_id)[0])
            issue = load_issue(transaction, group_id)
            decide(transaction, group_id, filing.by_hand(group), None, now)
            if issue is not None and issue.state in NEVER_LINKED:
                # What was sent and not answered goes on being looked for.
                owing = plan.next_call(group, issue, [], hold_zero=False, now=now)
                transaction.batch("owe", [(group_id, issue.tracker, owing.due_at, owing.call)])

        self._connection.write(write)

    def end_hold(self, group_id: int, owes: NextCall, now: float) -> bool:
        """Judge the group by its route again; False where no operator held it."""

        def write(transaction: Transaction) -> bool:
            transaction.rows("lock_group", group_id=group_id)
            if transaction.rows("group_by_id", group_id=group_id)[0]["on_hold"] is None:
                return False
            transaction.run("hold_by_hand", group_id=group_id, reason=None)
            _hurry(transaction, group_id, owes, now)
            return True

        return self._connection.write(write)

    def relink(self, group_id: int, tracker: str, place: Place, key: str, owes: NextCall, now: float) -> str | None:
        """Let the issue at `place` stand for the group: the key of the one that did, which stays as it is in its tracker. `key` is
        the instance's. Raises ValueError where the place is another group's, while a create is in doubt, and for an alias."""

        def write(transaction: Transaction) -> str | None:
            transaction.rows("lock_group", group_id=group_id)
            group = load_group(transaction, transaction.rows("group_by_id", group_id=group_id)[0])
            issue = load_issue(transaction, group_id)
            if group.follows is not None:
                raise ValueError(f"it is an alias of {group.follows}; remove the alias first")
            if issue is not None and issue.state in NEVER_LINKED:
                raise ValueError("a create for it was sent and is not answered yet; try again when it is settled")
            if issue is not None and (issue.tracker, issue.remote_id) == (tracker, place.remote_id):
                raise ValueError(f"{place.key} stands for it already")
            theirs = transaction.rows("issue_at", tracker=tracker, remote_id=place.remote_id)
            if theirs:
                raise ValueError(f"{place.key} stands for group {theirs[0]['fingerprint']}; make this one its alias")
            transaction.run("retire_live", group_id=group_id, note=f"an operator linked {place.key}")
            generation = cast(int, transaction.rows("retired", group_id=group_id)[0]["issues"])
            transaction.run(
                "link_by_hand",
                group_id=group_id,
                tracker=tracker,
                marker=plan.marker(key, tracker, group, generation),
                remote_id=place.remote_id,
                key=place.key,
                url=place.url,
                route=None if issue is None else issue.route,
                note="linked by an operator",
            )
            transaction.run("refuse", group_id=group_id, content=None)
            reason = f"an operator linked {place.key}"
            decide(transaction, group_id, Plan(action=Action.UPDATE, reason=reason, rule=OPERATOR), None, now)
            transaction.run("forget_waiting", group_id=group_id)
            _hurry(transaction, group_id, owes, now)
            return None if issue is None else issue.key

        return self._connection.write(write)


def _hurry(transaction: Transaction, group_id: int, owes: NextCall, now: float) -> str | None:
    transaction.rows("lock_group", group_id=group_id)
    transaction.run("hurry", group_id=group_id, now=now)
    issue = load_issue(transaction, group_id)
    if issue is None or issue.state is IssueState.WANTED:
        tracker = reevaluate(transaction, group_id, "an operator asked for it", owes, now, rule=OPERATOR)
    else:
        group = load_group(transaction, transaction.rows("group_by_id", group_id=group_id)[0])
        owed = owes(group, issue, now)
        tracker = None if group.follows is not None else owed.tracker
        if tracker is not None:
            transaction.batch("owe", [(group_id, tracker, now, owed.call)])
    if tracker is not None:
        transaction.run("due_now", group_id=group_id, now=now)
    return tracker
