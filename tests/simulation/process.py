"""A simulated syncd process: the daemon's own threads, run as tasks of the scheduler.

The loops are those of `syncd.daemon.threads`. Only what they wait on is replaced: an event of the scheduler instead of one of threading.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import cast

from syncd.config import Config
from syncd.core import budget
from syncd.core.hooks import GATHER_SECONDS
from syncd.daemon import threads
from syncd.errors import StoreUnavailable
from syncd.intake.reports import Delivery, Reports
from syncd.store import Store, limits, outbox
from syncd.store.hints import NoHints
from syncd.worker import reconcile
from syncd.worker.absorb import BATCH
from syncd.worker.routing import Routing, digest
from tests.simulation.clocks import ProcessClock
from tests.simulation.database import Database
from tests.simulation.postgresql import ServerDatabase
from tests.simulation.scheduler import Owner, Scheduler, Task
from tests.simulation.tracker import Client, Site

HEARTBEAT_SECONDS = 30.0
ABSORBED = frozenset({"deliveries", "settings", "storms"})  # the tables that tell an absorber of work
SYNCED = frozenset({"outbox", "trackers", "silences", "budgets", "route_pauses"})  # the same of a syncer
IDLE_SECONDS = 3600.0  # a loop without work sleeps until a commit wakes it, not for a second at a time


_digests: dict[int, tuple[Config, str]] = {}  # by the identity of the configuration, which has no hash


def _digest(config: Config) -> str:
    """Return the digest of a configuration, computed for its first process only."""
    if config is not _digests.get(id(config), (None, ""))[0]:
        _digests[id(config)] = config, digest(config)
    return _digests[id(config)][1]


class Event:
    """threading.Event over the scheduler. `idle` returns for how many seconds its loop has nothing to do; a daemon polls instead."""

    def __init__(self, scheduler: Scheduler, idle: Callable[[], float] | None = None) -> None:
        """Without `idle` the event is waited for as long as its waiter says."""
        self._scheduler = scheduler
        self._idle = idle
        self._is_set = False
        self._waiter: Task | None = None

    def is_set(self) -> bool:
        """Report whether the event is set."""
        return self._is_set

    def set(self) -> None:
        """Wake the task that waits, within a second as a poll would."""
        self._is_set = True
        if self._waiter is not None:
            soon = self._scheduler.now + self._scheduler.random.uniform(0.0, 1.0)
            self._waiter.wake_at = min(self._waiter.wake_at, soon)

    def clear(self) -> None:
        """Take the signal back."""
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until the event is set or the timeout is over."""
        if not self._is_set:
            self._waiter = self._scheduler.current
            polls = self._idle is not None and timeout in (None, threads.POLL_SECONDS)
            seconds = self._idle() if polls and self._idle else IDLE_SECONDS if timeout is None else timeout
            self._scheduler.sleep(seconds, "idle")
            self._waiter = None
        return self._is_set


class Process(Owner):
    """One daemon. It dies as a whole, and a new one is started in its place."""

    def __init__(
        self,
        scheduler: Scheduler,
        database: "Database | ServerDatabase",
        site: Site,
        make_routing: Callable[[Store], Routing],
        *,
        name: str,
        syncers: int,
        surveys: bool,
        offset: float = 0.0,
        batch: int = BATCH,
    ) -> None:
        super().__init__(name)
        self.scheduler = scheduler
        self.clock = ProcessClock(scheduler)
        self.clock.offset = offset
        self.database = database
        self._events: list[tuple[Event, frozenset[str]]] = []
        connection = database.connect(self, self.clock)
        self.store = Store(connection, NoHints(), database.due_times(connection, self.clock), self.clock)
        self.routing = make_routing(self.store)
        unused = cast(threading.Event, Event(scheduler))
        self.absorber = threads.Absorber(self.store, self.routing, {site.name: unused}, self.clock)
        self.absorber.arrivals.any = self._event(ABSORBED, lambda: IDLE_SECONDS)
        self.absorber.arrivals.first = unused
        self.absorber._stopping = cast(threading.Event, Event(scheduler))
        self.absorber._purge_at = float("inf")
        self.absorber._batch = batch
        self._reports = Reports(self.store, self.clock)
        self._hears = False
        self._in_hand: dict[int, str] = {}
        self.strays: list[str] = []  # owners that went on without their claims
        self.syncers = []
        for number in range(syncers):
            syncer = threads.Syncer(
                self.store,
                self.routing,
                site.name,
                f"{name}/{number}",
                Client(site, self.clock),
                self._event(SYNCED, partial(self._until_due, site.name)),
                self.clock,
                surveys=surveys and number == 0,
            )
            syncer._stopping = cast(threading.Event, Event(scheduler))
            syncer._owners = map(partial(self._take_in_hand, number), syncer._owners)  # type: ignore[assignment]
            self.syncers.append(syncer)

    def _take_in_hand(self, number: int, owner: str) -> str:
        """A syncer goes on under another name: nothing may be claimed under the name before."""
        before, self._in_hand[number] = self._in_hand.get(number), owner
        if before is not None and self.database.exists(f"SELECT 1 FROM outbox WHERE owner = '{before}'"):
            self.strays.append(before)
        return owner

    def _event(self, tables: frozenset[str], idle: Callable[[], float]) -> threading.Event:
        event = Event(self.scheduler, idle)
        self._events.append((event, tables))
        return cast(threading.Event, event)

    def _until_due(self, tracker: str) -> float:
        """Return the seconds until a call of the tracker is due, as the syncer itself computes them at each poll."""
        transaction, now = self.database.cursor, self.clock.wall()
        due = outbox.next_due(transaction, tracker)
        seconds = min((at - now for at in due.values()), default=IDLE_SECONDS)
        if seconds <= 0:  # a rest, a silence or a budget stands against it
            allowance = self.routing.allowance(tracker)
            allowed = budget.opens(limits.standing(transaction, tracker, allowance.credential), allowance, now)
            seconds = min(max(allowed[call], at) - now for call, at in due.items())
        rest = limits.rest(transaction, tracker)
        if rest is not None and rest.cause == limits.UNREACHABLE and rest.until is not None:
            seconds = min(seconds, rest.until - now)  # until it is read
        survey_at = min(syncer._survey_at for syncer in self.syncers) - self.clock.monotonic()
        return min(IDLE_SECONDS, max(threads.POLL_SECONDS, min(seconds, survey_at)))

    def start(self, dead: Callable[[str], bool], exit_process: Callable[["Process"], None]) -> None:
        """Recover as a daemon does at its start, then run its loops. `dead` recognises the owner of a claim that has died; a process
        that cannot recover ends by `exit_process`."""

        def begin() -> None:
            try:
                self.store.due_times.follow_clock()
                now = self.clock.wall()
                self.store.outbox.take_over(lambda _: dead, now)
                self.store.outbox.recover(now)
                reconcile.reroute(self.store, self.routing, _digest(self.routing.config), now)
            except StoreUnavailable as error:
                self.scheduler.record("exits", str(error))
                exit_process(self)
                return
            self.scheduler.spawn(self, f"{self.name} absorber", self.absorber.run)
            for number, syncer in enumerate(self.syncers):
                self.scheduler.spawn(self, f"{self.name} syncer {number}", syncer.run)

        self.scheduler.spawn(self, f"{self.name} start", begin)

    def take_over(self, dead: Callable[[str], bool]) -> None:
        """Free what dead processes held, as the heartbeat does."""

        def beat() -> None:
            with suppress(StoreUnavailable):
                self.store.outbox.take_over(lambda _: dead, self.clock.wall())

        self.scheduler.spawn(self, f"{self.name} heartbeat", beat)

    def hear(self, delivery: Delivery) -> bool:
        """Take a report of a hook, for a task of the tracker: whether it leads to something. Looks are brought forward as by `intake.hooks`.
        Raises StoreUnavailable."""
        with self._in_line():
            silence = self._reports.take([delivery]).silences[0]
        self.scheduler.spawn(self, f"{self.name} hooks", self._hasten)
        return not silence

    def _hasten(self) -> None:
        while self._reports.gathers:
            self.scheduler.sleep(GATHER_SECONDS / 4, "gathers reports")
            with suppress(StoreUnavailable), self._in_line():
                self._reports.hasten()

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        """One thread takes all reports."""
        while self._hears:
            self.scheduler.sleep(0.1, "waits for the thread of the hooks")
        self._hears = True
        try:
            yield
        finally:
            self._hears = False

    def wake(self, tables: set[str]) -> None:
        """Tell every loop that reads one of these tables that something was committed."""
        for event, read in self._events:
            if not read.isdisjoint(tables):
                event.set()
