"""The number of tracker writes, compared with the fewest that keep every issue up to date. A simulation of the rules without a store."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench.finding import Finding
from syncd.config import Config, Route
from syncd.config.trackers import LocalSettings
from syncd.core import fold, plan
from syncd.core.plan import PlanContext
from syncd.model import Action, Group, Identity, Issue, IssueState, Notification
from syncd.worker.routing import Routing

NOTIFICATIONS, GROUPS, INTERVAL = 100_000, 1000, 300.0
RATES = (20, 100, 1000)  # notifications a second
START = 1_750_000_000
SEED = 11


def measure() -> Iterator[Finding]:
    """Creates and updates for each arrival rate."""
    for rate in RATES:
        arrivals = _arrivals(rate)
        calls, fewest = _Simulation().run(arrivals), _fewest(arrivals)
        yield Finding(
            subject=f"writes to the tracker, {NOTIFICATIONS:,} notifications of {GROUPS:,} groups at {rate:,} per second (simulated)",
            baseline="one per group, plus one per group and interval with a change",
            ratios=[calls / fewest],
            figures=f"{calls:,} and {fewest:,}; each update also reads the issue first",
            at_most=1.02,
        )


def _arrivals(rate: int) -> list[tuple[float, int]]:
    """Times and groups of all notifications. The frequency of a group is the inverse of its rank (Zipf's law)."""
    chosen = random.Random(SEED)
    groups = chosen.choices(range(GROUPS), [1 / (rank + 1) for rank in range(GROUPS)], k=NOTIFICATIONS)
    return [(START + number / rate, group) for number, group in enumerate(groups)]


def _fewest(arrivals: list[tuple[float, int]]) -> int:
    covered: dict[int, float] = {}
    calls = 0
    for at, group in arrivals:
        # A call that is due later, or at this very time, covers this notification too.
        if covered.get(group, -INTERVAL) < at:
            covered[group] = max(at, covered.get(group, -INTERVAL) + INTERVAL if group in covered else at)
            calls += 1
    return calls


@dataclass
class _GroupState:
    group: Group
    issue: Issue | None = None
    due: float | None = None


class _Simulation:
    """The rules of the worker, with a simulated clock and a tracker without latency."""

    def __init__(self) -> None:
        config = Config(
            trackers={"here": LocalSettings(kind="local", folder="unused")},
            routes=[Route(tracker="here", status_interval=INTERVAL, max_new_issues=[], max_updates=[])],
        )
        self._routing = Routing(config=config, instance_key="00")
        self._states: dict[int, _GroupState] = {}
        self._due: list[tuple[float, int]] = []
        self._calls = 0

    def run(self, arrivals: list[tuple[float, int]]) -> int:
        """The number of calls."""
        counts: dict[int, int] = {}
        for at, number in arrivals:
            self._work(until=at)
            counts[number] = counts.get(number, 0) + 1
            self._fold(number, counts[number], at)
        self._work(until=float("inf"))
        return self._calls

    def _fold(self, number: int, total: int, at: float) -> None:
        state = self._states.setdefault(number, _GroupState(Group(identity=Identity("acme", "game", f"f{number}"))))
        state.group = fold.fold(state.group, _notification(number, total, at), "auto")
        owed = self._routing.next_call(state.group, state.issue, at)
        if owed.tracker is not None:
            self._owe(number, owed.due_at)

    def _owe(self, number: int, at: float) -> None:
        state = self._states[number]
        if state.due is None or at < state.due:
            state.due = at
            heapq.heappush(self._due, (at, number))

    def _work(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            at, number = heapq.heappop(self._due)
            state = self._states[number]
            if state.due == at:
                state.due = None
                self._sync(number, state, at)

    def _sync(self, number: int, state: _GroupState, at: float) -> None:
        decision = plan.plan(
            state.group, state.issue, self._routing.route(state.group), PlanContext(probe_after=[20.0]), at
        )
        if decision.action in (Action.CREATE, Action.UPDATE):
            self._calls += 1
            state.issue = _issue(number, state.group.revision, at)
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
