"""Reads for console and commands: counts, trackers, groups, quarantine. Nothing here writes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from syncd.core.budget import FAILURES, in_force
from syncd.core.overview import Return
from syncd.core.quantities import counted
from syncd.model import GroupView, IssueState
from syncd.store import countings
from syncd.store.connection import Operations, Transaction, reads
from syncd.store.limits import ALL, FAILING, UNREACHABLE
from syncd.store.operator import Alias
from syncd.store.records import decode_attributes, load_group, load_issue

EVERYTHING = 2**31 - 1
PREFIX_BYTES = 4000  # of a quarantined body: enough to recognise its sender


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerStanding:
    """The state of a tracker: `ok`, `unreachable` (its API does not answer), `paused`, `slowed` (some kinds of call are paused), or
    `missing`. `until` is when that ends or is tried next, None if it does not end by itself; `cause` is `misconfigured`, `throttled`,
    `unreachable` or `operator`. An unreachable tracker failed `calls` times in a row `since` a time, in epoch seconds."""

    state: str
    reason: str | None = None
    until: float | None = None
    cause: str | None = None
    since: float | None = None
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of deliveries, groups and issues by state."""

    inbox_waiting: int
    outbox_due: int
    outbox_waiting: int
    linked: int
    intended: int
    in_doubt: int
    parked: int
    dropped: int
    doubles: int
    by_hand: int
    held: int
    storms: int
    dead: int
    quarantined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """How many groups owe a tracker a call, now or later; how many of them by now, and since when the oldest does, however often that
    failed."""

    groups: int
    due: int
    oldest_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A linked issue that people have to change, and why syncd could not."""

    tracker: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An authentic body that cannot be read as a notification, with the reason: its beginning in `body`, and its `size` in bytes."""

    id: int
    received_at: float
    body: bytes
    size: int
    code: str
    reason: str
    field: str | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A line of a group's history: a decision, what people did in the tracker, or what an operator asked for. `actor` is the operator who
    caused it."""

    at: float
    action: str
    reason: str
    outcome: str | None
    rule: str | None = None
    inputs: str | None = None  # JSON
    actor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stormy:
    """A route in a storm: how many groups it holds back, and since when."""

    route: str
    held: int
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comeback:
    """A crash that came back `at` a time after its issue was closed; `id` is the number of the regression."""

    id: int
    group_id: int
    release: str
    issue_key: str
    closed_at: float
    at: float


class Report(Operations):
    """Reads for console and commands, each from one consistent view; for any thread."""

    def counts(self, now: float) -> Counts:
        """Return the numbers of `syncd status`."""
        row = self._connection.select("counts", now=now)[0]
        return Counts(**cast(dict[str, Any], row))

    @reads
    def trackers(
        self, transaction: Transaction, credentials: Mapping[str, str], now: float
    ) -> dict[str, TrackerStanding]:
        """Return by name every tracker that was ever called, and every configured tracker that has to be silent. `credentials` has the
        credential of each configured tracker."""
        rows = cast(list[dict[str, Any]], transaction.rows("trackers"))
        standings = {row["name"]: _standing_of_tracker(row) for row in rows}
        for name, credential in credentials.items():
            silent = _silence(transaction.rows("silences", credential=credential), now)
            if silent is not None and (name not in standings or standings[name].state in ("ok", "slowed")):
                standings[name] = silent
        return standings

    def owed(self, now: float) -> dict[str, Owed]:
        """Return what groups owe each tracker, now or later."""
        rows = cast(list[dict[str, Any]], self._connection.select("owed_by_tracker", now=now))
        return {row.pop("tracker"): Owed(**row) for row in rows}

    def by_hand(self, size: int) -> list[ByHand]:
        """Return linked issues that are left to people, the newest first."""
        return [ByHand(**cast(dict[str, Any], row)) for row in self._connection.select("by_hand", size=size)]

    def strays(self) -> list[dict[str, Any]]:
        """Return by tracker how many issues were found again that stand for no group yet, and when the last of them was found."""
        return cast(list[dict[str, Any]], self._connection.select("strays_by_tracker"))

    def countings(self) -> dict[countings.Project, countings.ProjectCounting]:
        """Return how the counts of each project are read, and by what evidence."""
        return countings.by_project(self._connection.select("countings"))

    def unreleased(self, size: int) -> tuple[int, list[str]] | None:
        """Return the number of the newest groups, at most `size`, and the names of their attributes, the most frequent first; None if
        one of them has a release or there is no group."""
        rows = self._connection.select("newest_attributes", size=size)
        if not rows or any(row["released"] for row in rows):
            return None
        names = Counter(each.name for row in rows for each in decode_attributes(cast(str, row["attributes"])))
        return len(rows), sorted(names, key=lambda name: (-names[name], name))

    def intents(self) -> dict[str, int]:
        """Return the number of creates without an answer, by the thread that sent them."""
        return {cast(str, row["owner"]): cast(int, row["creates"]) for row in self._connection.select("intents")}

    @reads
    def groups(self, transaction: Transaction, size: int = EVERYTHING, *, held: bool = False) -> list[GroupView]:
        """Return groups, the latest occurrence first; with `held`, those on hold, the largest first."""
        rows = transaction.rows("held_groups" if held else "all_groups", size=size)
        return [standing_of(transaction, row) for row in rows]

    def how_many(self) -> int:
        """Return the number of groups."""
        return cast(int, self._connection.select("how_many")[0]["groups"])

    @reads
    def history(self, transaction: Transaction, group_id: int) -> list[Past]:
        """Return the latest decisions about a group, latest first."""
        return history_of(transaction, group_id)

    @reads
    def project(self, transaction: Transaction, project: str) -> list[GroupView]:
        """Return the groups of a project in all universes. An alias is part of the numbers of its target, and is left out."""
        rows = transaction.rows("groups_of_project", project=project)
        return [standing_of(transaction, row) for row in rows]

    def projects(self) -> list[str]:
        """Return the names of all projects."""
        rows = self._connection.select("projects")
        return [str(row["project"]) for row in rows]

    def releases(self, size: int) -> list[tuple[str, str, str, str]]:
        """Return up to `size` releases that notifications named last, each as (universe, project, application, release)."""
        rows = self._connection.select("named_releases", size=size)
        return [
            (str(row["universe"]), str(row["project"]), str(row["application"]), str(row["release"])) for row in rows
        ]

    def returns(self, project: str) -> list[Return]:
        """Return the regressions of a project."""
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

    def comebacks(self, since: float, size: int) -> list[Comeback]:
        """Return the latest regressions since a time."""
        rows = self._connection.select("comebacks", since=since, size=size)
        return [Comeback(**cast(dict[str, Any], row)) for row in rows]

    def noticed(self, project: str) -> dict[str, float]:
        """Return when syncd first received the name of each release of a project that more than one crash reports."""
        rows = self._connection.select("releases_noticed", project=project)
        return {str(row["release"]): cast(float, row["noticed_at"]) for row in rows}

    def aliases(self) -> list[Alias]:
        """Return all aliases, the newest first."""
        return [Alias(**cast(dict[str, Any], row)) for row in self._connection.select("all_aliases")]

    @reads
    def storms(self, transaction: Transaction) -> list[Stormy]:
        """Return the routes in a storm."""
        return [
            Stormy(
                route=str(row["route"]),
                held=cast(int, transaction.rows("stormy", route=row["route"])[0]["groups"]),
                since=cast(float, row["since"]),
            )
            for row in transaction.rows("storms")
        ]

    def held(self) -> list[tuple[str, str | None, int]]:
        """Return how many groups are on hold, by rule and route."""
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
        """Return the quarantine, newest first, with the first PREFIX_BYTES of each body."""
        rows = self._connection.select("quarantined", size=size, prefix=PREFIX_BYTES)
        return [Quarantined(**cast(dict[str, Any], row)) for row in rows]


def left_behind(owed: Mapping[str, Owed], configured: Iterable[str]) -> dict[str, TrackerStanding]:
    """Return the trackers that groups wait for and that are no longer configured."""
    missing = owed.keys() - set(configured)
    return {
        name: TrackerStanding(
            state="missing",
            reason=f"not configured any more, and {counted(waiting.groups, 'group')} {'waits' if waiting.groups == 1 else 'wait'} for it",
        )
        for name, waiting in owed.items()
        if name in missing
    }


def _standing_of_tracker(row: Mapping[str, Any]) -> TrackerStanding:
    """Return the state of a tracker from its row. One whose calls have failed only once or twice is not called for some seconds, and is
    not unreachable yet."""
    if row["state"] == "ok":
        return TrackerStanding(state="ok")
    if row["cause"] not in (UNREACHABLE, FAILING):
        # Older programs stored no cause; every pause was a misconfiguration.
        cause = row["cause"] or "misconfigured"
        return TrackerStanding(state="paused", reason=row["reason"], until=row["until"], cause=cause)
    if row["cause"] == UNREACHABLE and row["failures"] < FAILURES:
        return TrackerStanding(state="ok")
    return TrackerStanding(
        state="unreachable",
        reason=row["reason"],
        until=row["until"],
        cause=UNREACHABLE,
        since=row["failing_since"],
        calls=row["failures"],
    )


def _silence(rows: Iterable[Mapping[str, Any]], now: float) -> TrackerStanding | None:
    """Return the silence in force for a credential; a silence of all calls comes before that of one kind."""
    lasting = [row for row in rows if in_force(row["until"], now)]
    for row in sorted(lasting, key=lambda row: (row["part"] != ALL, -row["until"])):
        state = "paused" if row["part"] == ALL else "slowed"
        return TrackerStanding(state=state, reason=row["reason"], until=row["until"], cause="throttled")
    return None


def standing_of(transaction: Transaction, row: Mapping[str, Any]) -> GroupView:
    """Return a group with its issue and its latest decision, from its row joined with its outbox row."""
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
        reason=reason or ("its first tracker call was not made yet" if row["owed"] else "not judged yet"),
        rule=row["decision_rule"],
    )


def history_of(transaction: Transaction, group_id: object) -> list[Past]:
    """Return the latest decisions about a group, latest first."""
    rows = transaction.rows("group_history", group_id=group_id, size=50)
    return [Past(**cast(dict[str, Any], entry)) for entry in rows]
