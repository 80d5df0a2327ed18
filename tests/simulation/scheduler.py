"""Runs tasks one at a time in an order that a seed decides. No thread runs beside another and no real time passes.

A task is ordinary synchronous code in a greenlet. It gives up control only at a *point*: before and after a transaction, before and
after a tracker call, and at each sleep. The scheduler then picks any task that may go on. A script can also name the task and the
point itself.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import greenlet

START = 1_790_000_000.0
STEP_SECONDS = 0.05  # the mean time between two points


MAX_SWITCHES = 60_000  # a run of a short history needs some hundreds, a storm of hours with many surveys half of it


class Deadlock(Exception):
    """No task can go on and none will wake."""


@dataclass(eq=False)
class Task:
    """One line of control inside a simulated process."""

    name: str
    owner: "Owner"
    body: Callable[[], None]
    wake_at: float
    point: str = "start"
    thread: Any = field(default=None, repr=False)

    @property
    def is_over(self) -> bool:
        """Report whether the body returned, raised, or was killed."""
        return (self.thread is not None and self.thread.dead) or self.owner.is_dead


@dataclass(eq=False)
class Owner:
    """A process, a person or the network: whatever dies or is suspended as a whole."""

    name: str
    is_dead: bool = False
    suspended_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a history: when, who, and what happened at which point."""

    at: float
    actor: str
    event: str


class Scheduler:
    """Owns the true time, every task, and the one random source of a run."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.steps: list[Step] = []
        self.failure: BaseException | None = None
        self.traps: list[Callable[[Task], None]] = []  # called with each task that has reached a point
        self._tasks: list[Task] = []
        self._current: Task | None = None
        self._switches = 0
        self.max_switches = MAX_SWITCHES
        self._hub = greenlet.getcurrent()

    def spawn(self, owner: Owner, name: str, body: Callable[[], None], at: float | None = None) -> Task:
        """Add a task that may start at the true time `at`, or at once."""
        task = Task(name=name, owner=owner, body=body, wake_at=self.now if at is None else at)
        task.thread = greenlet.greenlet(lambda: self._guarded(task), parent=self._hub)
        self._tasks.append(task)
        return task

    def _guarded(self, task: Task) -> None:
        try:
            task.body()
        except greenlet.GreenletExit:
            raise
        except BaseException as error:  # noqa: BLE001 - the task's boundary: the run reports it with its history
            self.failure = error
            self.record("raises", f"{type(error).__name__}: {error}")

    @property
    def current(self) -> Task:
        """Return the task that runs now."""
        assert self._current is not None, "a point was reached outside of any task"
        return self._current

    @property
    def actor(self) -> str:
        """Return the name of the task that runs now, if one does."""
        return self._current.name if self._current else "scheduler"

    def record(self, event: str, detail: str = "", actor: str | None = None) -> None:
        """Add a line to the history."""
        self.steps.append(Step(self.now, actor or self.actor, f"{event} {detail}".rstrip()))

    def point(self, label: str) -> None:
        """Let any other task run before this one goes on."""
        self.sleep(0.0, label)

    def sleep(self, seconds: float, label: str = "sleep") -> None:
        """Go on after `seconds` of true time at the earliest."""
        if self._current is None:
            return  # preparation and verdicts of a run are not interleaved
        self._current.wake_at = self.now + max(0.0, seconds)
        self._current.point = label
        self._hub.switch()

    def kill(self, owner: Owner) -> None:
        """End every task of `owner` where it stands: no handler and no `finally` of it runs with an effect on the world."""
        owner.is_dead = True
        self.record("is killed", actor=owner.name)

    def runnable(self) -> list[Task]:
        """Return the tasks that may go on now, and forget those that are over."""
        now, living, ready = self.now, [], []
        for task in self._tasks:
            if task.owner.is_dead or task.thread.dead:
                continue
            living.append(task)
            if task.wake_at <= now and task.owner.suspended_until <= now:
                ready.append(task)
        self._tasks = living
        return ready

    def run(
        self,
        until: float,
        after_step: Callable[[], None] = lambda: None,
        is_at_rest: Callable[[], bool] = lambda: False,
    ) -> None:
        """Let tasks run in random order until the true time `until`, until one of them fails, or until nobody can go on and
        `is_at_rest` says that nothing is left to do."""
        while self.failure is None:
            self._switches += 1
            if self._switches > self.max_switches:
                self.failure = Deadlock("the run does not come to rest")
                return
            ready = self.runnable()
            if not ready:
                waking = [max(task.wake_at, task.owner.suspended_until) for task in self._tasks]
                if not waking or min(waking) > until or is_at_rest():
                    self.now = until if not waking or min(waking) > until else self.now
                    return
                self.now = min(waking)
                continue
            if self.now > until:
                return
            chance = self.random.random
            self.step(ready[int(chance() * len(ready))])
            after_step()
            self.now += -STEP_SECONDS * math.log(1.0 - chance())

    def step(self, task: Task) -> None:
        """Let one task run to its next point."""
        self._current = task
        try:
            task.thread.switch()
        finally:
            self._current = None
        for trap in self.traps:
            trap(task)

    def run_task(self, task: Task, until: str | None = None) -> None:
        """For scripts: let only this task run, until it stands at the point `until` or is over. Sleeps pass at once."""
        while not task.is_over and self.failure is None:
            self.now = max(self.now, task.wake_at)
            self.step(task)
            if until is not None and task.point == until:
                return
        if self.failure is not None:
            raise self.failure
        if until is not None and task.is_over:
            raise Deadlock(f"{task.name} ended before it reached {until!r}")
