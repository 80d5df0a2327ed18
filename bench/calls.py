"""How often a tracker is called, beside the fewest calls that show everything in time. Simulated: the rules, without a store."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench.finding import Finding
from syncd.config import Config, Route
from syncd.config.trackers import LocalSettings
from syncd.core import fold, plan
from syncd.model import Action, Group, Identity, Issue, IssueState, Notification
from syncd.worker.routing import Routing

NOTIFICATIONS, GROUPS, INTERVAL = 100_000, 1000, 300.0
RATES = (20, 100, 1000)  # notifications a second
START = 1_750_000_000
SEED = 11


def measure() -> Iterator[Finding]:
    """Creates and updates for each rate at which notifications come."""
    for rate in RATES:
        told = _told(rate)
        made, fewest = _Simulated().run(told), _fewest(told)
        yield Finding(
            what=f"writes to the tracker, {NOTIFICATIONS:,} notifications of {GROUPS:,} groups at {rate:,} a second (simulated)",
            against="one for each group, and one for each group and interval in which it changed",
            ratios=[made / fewest],
            seen=f"{made:,} and {fewest:,}; each update looks at the issue before",
            at_most=1.02,
        )


def _told(rate: int) -> list[tuple[float, int]]:
    """When which group is spoken of; the first group as often as the second twice."""
    chosen = random.Random(SEED)
    groups = chosen.choices(range(GROUPS), [1 / (rank + 1) for rank in range(GROUPS)], k=NOTIFICATIONS)
    return [(START + number / rate, group) for number, group in enumerate(groups)]


def _fewest(told: list[tuple[float, int]]) -> int:
    shown: dict[int, float] = {}
    calls = 0
    for at, group in told:
        # A call that is already due, or was made at this time, shows this one too.
        if shown.get(group, -INTERVAL) < at:
            shown[group] = max(at, shown.get(group, -INTERVAL) + INTERVAL if group in shown else at)
            calls += 1
    return calls


@dataclass
class _Standing:
    group: Group
    issue: Issue | None = None
    due: float | None = None


class _Simulated:
    """What the worker does, with a clock of its own and a tracker that answers at once."""

    def __init__(self) -> None:
        config = Config(
            trackers={"here": LocalSettings(kind="local", folder="unused")},
            routes=[Route(tracker="here", status_interval=INTERVAL, max_new_issues=[], max_updates=[])],
        )
        self._rules = Routing(config=config, instance_key="00")
        self._standing: dict[int, _Standing] = {}
        self._due: list[tuple[float, int]] = []
        self._calls = 0

    def run(self, told: list[tuple[float, int]]) -> int:
        """How many calls that takes."""
        counts: dict[int, int] = {}
        for at, number in told:
            self._work(until=at)
            counts[number] = counts.get(number, 0) + 1
            self._fold(number, counts[number], at)
        self._work(until=float("inf"))
        return self._calls

    def _fold(self, number: int, total: int, at: float) -> None:
        known = self._standing.setdefault(number, _Standing(Group(identity=Identity("acme", "game", f"f{number}"))))
        known.group = fold.fold(known.group, _notification(number, total, at), "auto")
        owed = self._rules.owes(known.group, known.issue, at)
        if owed.tracker is not None:
            self._owe(number, owed.due_at)

    def _owe(self, number: int, at: float) -> None:
        known = self._standing[number]
        if known.due is None or at < known.due:
            known.due = at
            heapq.heappush(self._due, (at, number))

    def _work(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            at, number = heapq.heappop(self._due)
            known = self._standing[number]
            if known.due == at:
                known.due = None
                self._sync(number, known, at)

    def _sync(self, number: int, known: _Standing, at: float) -> None:
        decision = plan.plan(known.group, known.issue, self._rules.route(known.group), self._rules.context("here"), at)
        if decision.action in (Action.CREATE, Action.UPDATE):
            self._calls += 1
            known.issue = _issue(number, known.group.revision, at)
        elif decision.action is Action.WAIT and decision.until is not None:
            self._owe(number, decision.until)


def _issue(number: int, revision: int, at: float) -> Issue:
    return Issue(
        tracker="here",
        state=IssueState.LINKED,
        marker="",
        remote_id=str(number),
        key=f"G-{number}",
        url=f"https://acme.example/{number}",
        synced_revision=revision,
        synced_at=at,
    )


def _notification(number: int, total: int, at: float) -> Notification:
    return Notification(
        identity=Identity("acme", "game", f"f{number}"),
        digest=b"",
        callstack=("draw", "main"),
        occurrences=total,
        first=START,
        last=int(at),
        releases=(("1.0", total),),
        received_at=at,
    )
