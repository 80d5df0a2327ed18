"""Issues that pass between a group and its alias: given up, handed over, given back. Functions over a transaction of the caller's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import cast

from syncd.model import Issue, IssueState
from syncd.store import issues
from syncd.store.connection import Transaction
from syncd.store.records import issue_of


def given_up(transaction: Transaction, target_id: int) -> Sequence[tuple[int, Issue]]:
    """The aliases of a group that gave up a linked issue of their own which no other group has, with that issue; the oldest first."""
    return [
        (cast(int, row["group_id"]), issue_of({**row, "state": IssueState.LINKED}))
        for row in transaction.rows("given_up_to", group_id=target_id)
    ]


def hand_over(transaction: Transaction, group_id: int, target_id: int, marker: str, ledger: Mapping[str, int]) -> None:
    """The issue that an alias gave up stands for its target, which has no live issue; it shows the `ledger`."""
    note, baseline = "the issue of its alias, which has given it up", json.dumps(dict(ledger), ensure_ascii=False)
    transaction.run("hand_over", group_id=group_id, target_id=target_id, marker=marker, note=note, baseline=baseline)
    transaction.run("handed_over", group_id=group_id, marker=marker)


def give_back(
    transaction: Transaction, group_id: int, target_id: int, target: Issue | None, ledger: Mapping[str, int]
) -> str | None:
    """Link the issue that an alias gave up to it again, wherever it is now, and take it from the target to which it was handed. Return its
    key, None if there is none or if it stands for another group by now. An issue that was open shows the `ledger`: what came while the
    target's issue showed it is no news."""
    rows = transaction.rows("given_up", group_id=group_id)
    if not rows:
        return None
    current, followed = issue_of({**rows[0], "state": IssueState.LINKED}), []
    if target is not None and target.marker == rows[0]["handed"]:
        current = target
        issues.retire(transaction, target_id, f"{target.key} is the issue of its former alias again", wanted_too=True)
    elif target is not None and target.remote_id is not None:
        followed = [target.remote_id]  # it is not followed there again, however it was closed
    closed = current.condition is not None and current.condition.closed
    given = transaction.run(
        "give_back",
        group_id=group_id,
        state="linked" if rows[0]["cause"] is None else "parked",
        remote_id=current.remote_id,
        key=current.key,
        url=current.url,
        condition=None
        if current.condition is None
        else json.dumps(asdict(current.condition), ensure_ascii=False, sort_keys=True),
        baseline=json.dumps(
            {name: min(count, ledger.get(name, 0)) for name, count in current.baseline.items()}
            if closed
            else dict(ledger),
            ensure_ascii=False,
        ),
        comment_id=current.comment_id,
        comment_losses=current.comment_losses,
        followed=json.dumps([*current.followed, *followed]),
    )
    return current.key if given else None
