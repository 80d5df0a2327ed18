"""What people ask of the store. Reads only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from syncd.core.budget import in_force
from syncd.core.overview import Return
from syncd.model import GroupView, IssueState
from syncd.store.connection import Connection, Transaction
from syncd.store.limits import ALL
from syncd.store.records import load_group, load_issue

EVERYTHING = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerStanding:
    """How a tracker is: `ok`, `paused`, `slowed` (some kinds of call are), or `missing`. `until` is when that ends, None for
    not by itself; `cause` is `misconfigured`, `throttled` or `operator`."""

    state: str
    reason: str | None = None
    until: float | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of everything that waits, is held, or needs a person."""

    inbox_waiting: int
    outbox_due: int
    outbox_waiting: int
    linked: int
    in_doubt: int
    parked: int
    dropped: int
    doubles: int
    held: int
    storms: int
    dead: int
    quarantined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An authentic body that is no notification, and why."""

    id: int
    received_at: float
    body: bytes
    code: str
    reason: str
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One line of a group's history."""

    at: float
    action: str
    reason: str
    outcome: str | None
    rule: str | None = None
    inputs: str | None = None  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Stormy:
    """A route that holds groups back: how many, and since when."""

    route: str
    held: int
    since: float


class Report:
    """Questions, each answered from one consistent view."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def counts(self, now: float) -> Counts:
        """Everything `syncd status` counts."""
        row = self._connection.select("counts", now=now)[0]
        return Counts(**cast(dict[str, Any], row))

    def trackers(self, credentials: Mapping[str, str], now: float) -> dict[str, TrackerStanding]:
        """Every tracker that was ever called, and every configured one that has to be silent, by name. `credentials` are
        those of the configured ones."""

        def read(transaction: Transaction) -> dict[str, TrackerStanding]:
            known = {cast(str, row["name"]): _tracker(row) for row in transaction.rows("trackers")}
            for name, credential in credentials.items():
                silent = _silence(transaction.rows("silences", credential=credential), now)
                if silent is not None and (name not in known or known[name].state != "paused"):
                    known[name] = silent
            return known

        return self._connection.read(read)

    def owed(self) -> dict[str, int]:
        """How many groups owe each tracker a call."""
        rows = self._connection.select("owed_by_tracker")
        return {cast(str, row["tracker"]): cast(int, row["groups"]) for row in rows}

    def left_behind(self, configured: Iterable[str]) -> dict[str, TrackerStanding]:
        """Trackers that groups wait for although the configuration has them no more."""
        waiting = self.owed()
        return {
            name: TrackerStanding(state="missing", reason=f"not configured any more, and {count} groups wait for it")
            for name, count in waiting.items()
            if name not in set(configured)
        }

    def groups(self, size: int = EVERYTHING) -> list[GroupView]:
        """Groups, the one seen last first."""
        return self._connection.read(
            lambda transaction: [standing_of(transaction, row) for row in transaction.rows("all_groups", size=size)]
        )

    def held_groups(self, size: int = EVERYTHING) -> list[GroupView]:
        """The groups that are held, the largest first."""
        return self._connection.read(
            lambda transaction: [standing_of(transaction, row) for row in transaction.rows("held_groups", size=size)]
        )

    def how_many(self) -> int:
        """The number of groups."""
        return cast(int, self._connection.select("how_many")[0]["groups"])

    def history(self, group_id: int) -> list[Past]:
        """The latest decisions about a group, latest first."""
        return self._connection.read(lambda transaction: history_of(transaction, group_id))

    def project(self, project: str) -> list[GroupView]:
        """The groups of a project in all universes; those that follow another one are in that one's numbers."""

        def read(transaction: Transaction) -> list[GroupView]:
            rows = transaction.rows("groups_of_project", project=project)
            return [standing_of(transaction, row) for row in rows]

        return self._connection.read(read)

    def projects(self) -> list[str]:
        """The names of all projects."""
        rows = self._connection.select("projects")
        return [str(row["project"]) for row in rows]

    def returns(self, project: str) -> list[Return]:
        """The regressions of a project."""
        rows = self._connection.select("regressions_of", project=project)
        return [
            Return(
                fingerprint=str(row["fingerprint"]),
                release=str(row["release"]),
                issue_key=str(row["issue_key"]),
                answer=str(row["answer"]),
            )
            for row in rows
        ]

    def storms(self) -> list[Stormy]:
        """The routes that hold groups back."""

        def read(transaction: Transaction) -> list[Stormy]:
            return [
                Stormy(
                    route=str(row["route"]),
                    held=cast(int, transaction.rows("stormy", route=row["route"])[0]["groups"]),
                    since=cast(float, row["since"]),
                )
                for row in transaction.rows("storms")
            ]

        return self._connection.read(read)

    def held(self) -> list[tuple[str, str | None, int]]:
        """How many groups are held, by rule and route."""
        rows = self._connection.select("held_counts")
        return [
            (
                str(row["rule"] or "unrouted"),
                None if row["route"] is None else str(row["route"]),
                cast(int, row["groups"]),
            )
            for row in rows
        ]

    def quarantine(self, size: int = EVERYTHING) -> list[Quarantined]:
        """What was kept although it is no notification, newest first."""
        rows = self._connection.select("quarantined", size=size)
        return [Quarantined(**cast(dict[str, Any], row)) for row in rows]


def _tracker(row: Mapping[str, Any]) -> TrackerStanding:
    # Before there were causes, every pause was one to wait for.
    cause = (row["cause"] or "misconfigured") if row["state"] == "paused" else None
    return TrackerStanding(state=row["state"], reason=row["reason"], until=row["until"], cause=cause)


def _silence(rows: Iterable[Mapping[str, Any]], now: float) -> TrackerStanding | None:
    """What a credential was asked for, if anything is in force: silence of everything before that of one kind of call."""
    lasting = [row for row in rows if in_force(row["until"], now)]
    for row in sorted(lasting, key=lambda row: (row["part"] != ALL, -row["until"])):
        state = "paused" if row["part"] == ALL else "slowed"
        return TrackerStanding(state=state, reason=row["reason"], until=row["until"], cause="throttled")
    return None


def standing_of(transaction: Transaction, row: Mapping[str, Any]) -> GroupView:
    """How a group stands, from its row with what it owes."""
    issue = load_issue(transaction, row["id"])
    decision, reason = row["decision"], row["decision_reason"]
    if row["owed"] == "dead":
        decision, reason = "dead", row["owed_reason"]
    elif row["owed_attempts"]:
        reason = f"{reason}; try {row['owed_attempts']} failed: {row['owed_reason']}"
    return GroupView(
        group=load_group(transaction, row),
        issue=None if issue is None or issue.state is IssueState.WANTED else issue,
        decision=decision or "wait",
        reason=reason or "not judged yet",
        rule=row["decision_rule"],
    )


def history_of(transaction: Transaction, group_id: object) -> list[Past]:
    """The latest decisions about a group, latest first."""
    rows = transaction.rows("group_history", group_id=group_id, size=50)
    return [Past(**cast(dict[str, Any], entry)) for entry in rows]
