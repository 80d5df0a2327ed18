"""What hooks of trackers report: which issues owe a look for it, which reports came before, and when each hook was heard."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from syncd.core.hooks import SURVEY_DUE
from syncd.core.plan import DueCall
from syncd.model import Call, IssueState
from syncd.store import outbox
from syncd.store.connection import Connection, Transaction

MOST_REPORTS = 20_000  # marks that are kept; the oldest leave first
MISSED = "survey_missed_at"  # the fact of a tracker: when a survey last met what no hook had reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An issue that a report names. `claimed`: a worker may be looking at it now."""

    group_id: int
    tracker: str
    remote_id: str
    state: IssueState
    looks_owed: int
    hooked_at: float | None
    news_at: float | None
    claimed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a hook was heard, and when it last reported something of one of its trackers."""

    name: str
    tracker: str
    heard_at: float
    reported_at: float | None


def named(transaction: Transaction, places: Iterable[tuple[str, str]]) -> list[Named]:
    """The issues at these places, each a tracker and a remote id, that stand for a group and are linked or out of reach; in the order of their groups."""
    rows = transaction.batch("hooked_issues", sorted(set(places)))
    return [
        Named(
            group_id=cast(int, row["group_id"]),
            tracker=str(row["tracker"]),
            remote_id=str(row["remote_id"]),
            state=IssueState(str(row["state"])),
            looks_owed=cast(int, row["looks_owed"]),
            hooked_at=cast(float | None, row["hooked_at"]),
            news_at=cast(float | None, row["news_at"]),
            claimed=row["standing"] == "claimed",
        )
        for row in sorted(rows, key=lambda row: cast(int, row["group_id"]))
    ]


def lock(transaction: Transaction, issues: Sequence[Named]) -> None:
    """Lock the groups of these issues until the transaction ends."""
    for issue in issues:
        transaction.rows("lock_group", group_id=issue.group_id)


def ask(transaction: Transaction, looks: Mapping[Named, tuple[float, float | None]]) -> None:
    """Let each issue owe a look from a time on, for the latest change that a report names."""
    transaction.batch("ask_hooked", [(issue.group_id, due_at, news_at) for issue, (due_at, news_at) in looks.items()])
    outbox.owe(
        transaction,
        {
            issue.group_id: DueCall(tracker=issue.tracker, due_at=due_at, call=Call.UPDATE)
            for issue, (due_at, _) in looks.items()
        },
    )


def ask_survey(transaction: Transaction, tracker: str, now: float) -> None:
    """Let a survey of the tracker be due."""
    transaction.run("note", tracker=tracker, fact=SURVEY_DUE, value=repr(now))


def repeated(transaction: Transaction, marks: Iterable[str]) -> set[str]:
    """Those of these marks that are remembered."""
    return {str(row["mark"]) for row in transaction.batch("known_reports", [(mark,) for mark in marks])}


def remember(transaction: Transaction, marks: Iterable[str]) -> None:
    """Remember these marks, and forget the oldest beyond MOST_REPORTS."""
    transaction.batch("remember_reports", [(mark,) for mark in sorted(set(marks))])
    transaction.run("forget_reports", most=MOST_REPORTS)


def hear(transaction: Transaction, hooks: Iterable[Heard]) -> None:
    """Write when hooks were heard."""
    transaction.batch("hear_hooks", [(hook.name, hook.tracker, hook.heard_at, hook.reported_at) for hook in hooks])


def heard(connection: Connection) -> list[Heard]:
    """All hooks that were ever heard. Raises StoreUnavailable."""
    return [
        Heard(
            name=str(row["name"]),
            tracker=str(row["tracker"]),
            heard_at=cast(float, row["heard_at"]),
            reported_at=cast(float | None, row["reported_at"]),
        )
        for row in connection.select("heard_hooks")
    ]


def reported_at(transaction: Transaction, tracker: str) -> float | None:
    """When a hook last reported something of this tracker; None if none ever did."""
    return cast(float | None, transaction.rows("reported_at", tracker=tracker)[0]["reported_at"])
