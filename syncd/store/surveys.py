"""What a survey of a tracker's issues has found, put down."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

from syncd.core import regression
from syncd.model import Call, Issue, Observation, Survey
from syncd.store.connection import Connection, Transaction
from syncd.store.records import issue_of, load_group, load_issue, seen_values

BITE = 500


class Surveys:
    """Operations of surveys; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def linked(self, tracker: str) -> list[Issue]:
        """All linked issues of a tracker."""
        issues: list[Issue] = []
        after = 0
        while rows := self._linked(tracker, after):
            issues += map(issue_of, rows)
            after = cast(int, rows[-1]["id"])
        return issues

    def _linked(self, tracker: str, after: int) -> list[dict[str, object]]:
        return self._connection.read(
            lambda transaction: transaction.rows("linked_issues", tracker=tracker, after=after, size=BITE)
        )

    def surveyed(self, tracker: str, survey: Survey, now: float) -> int:
        """Put down how people left the issues; those that changed, or are missing, are due for a sync. How many these are."""
        changed = 0
        for remote_ids in _bites([*survey.observations, *survey.missing]):
            changed += self._connection.write(
                partial(_put_down, tracker=tracker, remote_ids=remote_ids, seen=survey.observations, now=now)
            )
        return changed

    def owe_quiet(self, tracker: str, before: float, now: float) -> int:
        """Let the groups be judged whose crash was not seen since a time: how many."""

        def write(transaction: Transaction) -> int:
            rows = transaction.rows("quiet_groups", tracker=tracker, before=int(before), size=BITE)
            transaction.batch("owe", [(row["id"], tracker, now, Call.UPDATE) for row in rows])
            return len(rows)

        return self._connection.write(write)


def _bites(remote_ids: Sequence[str]) -> list[Sequence[str]]:
    return [remote_ids[start : start + 50] for start in range(0, len(remote_ids), 50)]


def _put_down(
    transaction: Transaction, tracker: str, remote_ids: Sequence[str], seen: Mapping[str, Observation], now: float
) -> int:
    changed = 0
    for remote_id in remote_ids:
        for row in transaction.rows("issue_at", tracker=tracker, remote_id=remote_id):
            group_id = cast(int, row["id"])
            issue = load_issue(transaction, group_id)
            if issue is None:
                continue
            found = seen.get(remote_id)
            if found is None:
                transaction.run("forget_look", group_id=group_id)
            elif found.condition != issue.condition:
                group = load_group(transaction, transaction.rows("group_by_id", group_id=group_id)[0])
                known = regression.learned(group, issue, found.condition)
                transaction.run("see_issue", group_id=group_id, now=now, **seen_values(found, known, issue.condition))
            else:
                continue
            transaction.batch("owe", [(group_id, tracker, now, Call.UPDATE)])
            changed += 1
    return changed
