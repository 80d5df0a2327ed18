"""The worker's threads: one absorbs, and `concurrency` threads per tracker sync, so that a tracker that hangs holds up only its own groups."""

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

import structlog

from syncd.backtrace.client import Target
from syncd.backtrace.poll import Poller
from syncd.config import tracker_secrets
from syncd.daemon import arrivals
from syncd.daemon.arrivals import Arrivals
from syncd.daemon.pollers import PollThread
from syncd.errors import Deferred, LeaseLost, StoreUnavailable
from syncd.model import Identity
from syncd.notices.sender import Sender
from syncd.platform.clock import Clock
from syncd.store import Store
from syncd.store.hints import INBOX, of_tracker
from syncd.trackers import Tracker
from syncd.worker import breaker, reconcile, storms, surveys, sync
from syncd.worker.absorb import BATCH, SHORT_BATCH, absorb, recount
from syncd.worker.routing import Routing, digest, opens
from syncd.worker.surveys import Surveyor

log = structlog.get_logger("syncd.worker")

POLL_SECONDS = 1.0  # the longest delay of work that another process stored; work of this process wakes its thread
FAULT_SECONDS = 1.0
PURGE_SECONDS = 60.0
DRAIN_SECONDS = 5.0
POLL_STOP_SECONDS = 3.0  # for a request to Backtrace: what it would bring is read again
STOP_SECONDS = 45.0  # longer than one request with its timeouts, shorter than a service manager's patience


class Bell:
    """Wakes one of the threads that wait for it: of 16 that wake for one new group, 15 would be in the way of the first."""

    def __init__(self) -> None:
        self._rung = threading.BoundedSemaphore(1)
        self._rung.acquire()

    def set(self) -> None:
        """Wake a thread that waits, or the next that will."""
        with suppress(ValueError):  # it was rung already
            self._rung.release()

    def clear(self) -> None:
        """Take the signal back."""
        self._rung.acquire(blocking=False)

    def wait(self, timeout: float) -> bool:
        """Return True once the bell was rung for this thread, False after `timeout` seconds."""
        return self._rung.acquire(timeout=timeout)


Wake = Bell | threading.Event


class Absorber(threading.Thread):
    """Folds deliveries into groups until it is stopped."""

    def __init__(
        self,
        store: Store,
        routing: Routing,
        wake: Mapping[str, Wake],
        clock: Clock,
        note: Callable[[Identity], object] | None = None,
    ) -> None:
        """`wake` holds, by tracker, the bell of its syncing threads. `note` is called for each group of which a notification came."""
        super().__init__(name="absorb")
        self.arrivals = Arrivals()
        self._store = store
        self._routing = routing
        self._wake = wake
        self._note = note
        self._clock = clock
        self._stopping = threading.Event()
        self._routes = digest(routing.config)
        self._purge_at = 0.0
        self._drain_at = 0.0
        self._batch = BATCH
        self.beat = self._clock.monotonic()
        self.folded = 0

    def run(self) -> None:
        while not self._stopping.is_set():
            self.arrivals.any.clear()
            self.beat = began = self._clock.monotonic()
            rate = self.arrivals.rate(began)
            self._batch = SHORT_BATCH if rate else BATCH
            try:
                taken = self._absorb()
                self.folded += taken
            except StoreUnavailable as error:
                log.error("store_unavailable", reason=str(error))
                self._stopping.wait(FAULT_SECONDS)
            except Exception:  # this thread's boundary: a bug must not end the absorbing of all groups
                log.exception("unexpected_error")
                self._stopping.wait(FAULT_SECONDS)
            else:
                if not taken:
                    self.arrivals.any.wait(POLL_SECONDS)
                elif pause := arrivals.pause(rate, taken, self._clock.monotonic() - began):
                    self.arrivals.first.wait(pause)

    def _absorb(self) -> int:
        """Absorb one batch, and do the chores that are due. Return how many deliveries there were."""
        if not self._store.hints.leads:
            return 0  # another process absorbs; a hint says when this one takes over
        self._store.due_times.follow_clock()
        first = self.arrivals.take_firsts(self._batch)
        taken, woken = absorb(self._store, self._routing, self._clock.wall(), first, self._batch, self._note)
        recounted, due = recount(self._store, self._routing, self._clock.wall())
        taken, woken = taken + recounted, woken | due
        if self._clock.monotonic() >= self._drain_at:
            self._drain_at = self._clock.monotonic() + DRAIN_SECONDS
            now = self._clock.wall()
            woken |= storms.drain(self._store, self._routing, now)
            if groups := reconcile.reroute(self._store, self._routing, self._routes, now, starts=False):
                log.info("groups_reevaluated", groups=groups)
                woken |= self._wake.keys()
        for tracker in woken & self._wake.keys():
            self._wake[tracker].set()
        self._store.hints.send(*(of_tracker(tracker) for tracker in woken))
        if not taken and self._clock.monotonic() >= self._purge_at:
            self._purge_at = self._clock.monotonic() + PURGE_SECONDS
            now, settings = self._clock.wall(), self._routing.config.store
            before, decided_before = now - settings.retention, now - settings.history
            while (
                self._store.inbox.purge(before, decided_before)
                and not self._stopping.is_set()
                and not self.arrivals.any.is_set()
            ):
                self.beat = self._clock.monotonic()
            if self._store.bodies.learn(self._clock.wall()):
                log.info("bodies_learned")
                self._store.bodies.forget(self._clock.wall())
        return taken

    def stop(self) -> None:
        """Request the end, after the current batch."""
        self._stopping.set()
        self.arrivals.any.set()
        self.arrivals.first.set()


class Syncer(threading.Thread):
    """Brings one tracker's groups up to date, one after the other, until it is stopped."""

    def __init__(
        self,
        store: Store,
        routing: Routing,
        name: str,
        owner: str,
        client: Tracker,
        wake: Wake,
        clock: Clock,
        *,
        surveys: bool = False,
    ) -> None:
        """With `surveys`, the thread also surveys the tracker from time to time; one thread per tracker does."""
        super().__init__(name=f"sync {name}", daemon=True)  # a call that never returns must not keep the process alive
        self._store = store
        self._routing = routing
        self._tracker = name
        self._owners = (f"{owner}/{name}-{number}" for number in itertools.count())
        self._client = client
        self._clock = clock
        self._wake = wake
        self._stopping = threading.Event()
        self._surveyor = Surveyor(store, client, name, routing, clock)
        self._survey_at = 0.0 if surveys and not routing.dry else float("inf")
        self._secrets = [secret for owner, (_, secret) in tracker_secrets(routing.config) if owner == name]
        self._versions = [secret.version() for secret in self._secrets]

    def run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            owner, pause = next(self._owners), POLL_SECONDS
            try:
                # Only one of several processes surveys.
                if self._clock.monotonic() >= self._survey_at and self._store.hints.leads:
                    # Scheduled first, so that a failure here does not keep this thread from its groups.
                    self._survey_at = self._clock.monotonic() + surveys.RETRY_SECONDS
                    pause = self._surveyor.step()
                    self._survey_at = self._clock.monotonic() + pause
                self._store.due_times.follow_clock()
                now = self._clock.wall()
                if (versions := [secret.version() for secret in self._secrets]) != self._versions:
                    self._versions = versions
                    self._client.close()  # the next request reads the secret anew
                    self._store.limits.try_now(self._tracker, now)
                    log.info("token_changed", tracker=self._tracker)
                allowed = opens(self._store, self._tracker, self._routing.allowance(self._tracker), now)
                idle = min((at - now for at in allowed.values()), default=POLL_SECONDS)
                calls = [call for call, at in allowed.items() if at <= now]
                if calls and (claim := self._store.outbox.claim(self._tracker, owner, now, calls)):
                    self._wake.set()  # there may be more, for another thread
                    sync.sync(self._store, self._client, claim, self._routing, self._clock)
                else:
                    pause = min(
                        pause, breaker.step(self._store, self._client, self._tracker, self._routing, self._clock)
                    )
            except LeaseLost as error:
                log.warning("lease_lost", tracker=self._tracker, reason=str(error))
                self._give_back(owner, str(error))
            except StoreUnavailable as error:
                log.error("store_unavailable", reason=str(error))
                self._give_back(owner, str(error))
            except Exception as error:  # this thread's boundary: a bug in one group must not stop the others
                log.exception("unexpected_error", tracker=self._tracker, owner=owner)
                reason = f"a bug in syncd ({type(error).__name__}); its log has the details"
                self._give_back(owner, reason, failed=True)
            else:
                self._wake.wait(max(0.0, min(idle, pause, POLL_SECONDS)))
        self._wake.set()  # the next thread stops, too
        self._client.close()

    def _give_back(self, owner: str, reason: str, *, failed: bool = False) -> None:
        """Try until the store takes back what `owner` has claimed. Otherwise the group would wait for the end of its lease, long after the
        store works again: also after a claim whose commit was made and reported failed."""
        while not self._stopping.wait(FAULT_SECONDS):
            try:
                sync.give_back(self._store, owner, reason, self._clock.wall(), failed=failed)
            except StoreUnavailable as error:
                log.error("store_unavailable", reason=str(error))
            else:
                return

    def stop(self) -> None:
        """Request the end, after the current group."""
        self._stopping.set()
        self._wake.set()


def sleep_until(stopping: threading.Event) -> Callable[[float], None]:
    """Return a function that waits between two tries of a tracker call. It raises Unavailable once `stopping` is set."""

    def sleep(seconds: float) -> None:
        if stopping.wait(seconds):
            raise Deferred("syncd is stopping")

    return sleep


class Worker:
    """All threads of one process."""

    def __init__(
        self,
        store: Store,
        routing: Routing,
        owner: str,
        clients: Mapping[str, Sequence[Tracker]],
        stopping: threading.Event | None = None,
        clock: Clock | None = None,
        polled: Iterable[Target] = (),
        senders: Sequence[Sender] = (),
    ) -> None:
        """`clients` has, by tracker, one client for each thread. `stopping` interrupts their waits between two tries. `polled` are the projects
        of Backtrace to poll. `senders` has one thread for each channel."""
        self._senders = senders
        self._stopping = stopping or threading.Event()
        self._clock = clock or Clock()
        self._hints = store.hints
        self._wake = {name: Bell() for name in clients}
        sleep = sleep_until(self._stopping)
        self._pollers = [
            PollThread(store, Poller(target, store, routing, self._clock, sleep, self.arrived), self._stopping)
            for target in polled
        ]
        self._absorber = Absorber(store, routing, self._wake, self._clock, self._note if self._pollers else None)
        self._syncers = [
            Syncer(
                store, routing, name, f"{owner}/{number}", client, self._wake[name], self._clock, surveys=number == 0
            )
            for name, several in clients.items()
            for number, client in enumerate(several)
        ]

    def start(self) -> None:
        """Start all threads."""
        self._hints.listen(self._wake_for)
        for thread in (self._absorber, *self._syncers, *self._pollers, *self._senders):
            thread.start()

    def _wake_for(self, topic: str) -> None:
        """Wake the threads of a topic: another process stored something, or this one takes over absorbing."""
        if topic == INBOX:
            self._absorber.arrivals.any.set()
        for name, event in self._wake.items():
            if topic == of_tracker(name):
                event.set()

    @property
    def beat(self) -> float:
        """The monotonic time of the absorbing thread's last sign of life. A syncing thread may wait for a tracker, and has none."""
        return self._absorber.beat

    @property
    def folded(self) -> int:
        """How many deliveries this process has folded."""
        return self._absorber.folded

    def _note(self, identity: Identity) -> None:
        """Let the next poll of its project read the group of a notification."""
        for thread in self._pollers:
            thread.poller.note(identity)

    def arrived(self, identity: Identity) -> None:
        """Announce a stored delivery to this process and the others."""
        self._absorber.arrivals.add(identity)
        self._hints.send(INBOX)

    def wake(self, tracker: str) -> None:
        """Announce a call that is due at a tracker to this process and the others."""
        if tracker in self._wake:
            self._wake[tracker].set()
        self._hints.send(of_tracker(tracker))

    def stop(self) -> None:
        """Begin nothing new, and return when the current work is finished, at the latest after STOP_SECONDS."""
        self._stopping.set()
        self._absorber.stop()
        for syncer in self._syncers:
            syncer.stop()
        for sender in self._senders:
            sender.stop()
        deadline = self._clock.monotonic() + STOP_SECONDS
        for thread in (self._absorber, *self._syncers, *self._senders):
            if thread.ident is None:
                continue  # a daemon that was stopped while it started
            thread.join(max(0.0, deadline - self._clock.monotonic()))
            if thread.is_alive():
                # A tracker that answers byte by byte never times out. Its create is in doubt at the next start.
                log.warning("shutdown_timeout", thread=thread.name)
        for poll in self._pollers:
            if poll.ident is not None:
                poll.join(min(POLL_STOP_SECONDS, max(0.0, deadline - self._clock.monotonic())))
