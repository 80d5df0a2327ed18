"""The heartbeat of a process: it renews the process's registration, takes over from processes that died, and returns freed memory."""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog

from syncd.errors import StoreUnavailable
from syncd.platform.clock import Clock
from syncd.platform.process import return_memory
from syncd.store import Store
from syncd.store.instances import Registration

log = structlog.get_logger("syncd")

BEAT_SECONDS = 5.0  # also how soon a store that was away is noticed to be back
FAULT_SECONDS = 1.0
RATE_BEATS = 4  # the rate of folding is measured between the first and the last of so many beats


class Heartbeat(threading.Thread):
    """Beats until it is stopped. With `takes_over` it also takes over the claims of dead processes: only a worker can sync them."""

    def __init__(
        self, store: Store, registration: Registration, clock: Clock, folded: Callable[[], int], *, takes_over: bool
    ) -> None:
        """`folded` returns how many deliveries this process has folded."""
        super().__init__(name="heartbeat", daemon=True)
        self._folded = folded
        self._store = store
        self._registration = registration
        self._clock = clock
        self._takes_over = takes_over
        self._stopping = threading.Event()

    def run(self) -> None:
        away = False
        counts = deque([(self._clock.monotonic(), self._folded())], maxlen=RATE_BEATS)
        while not self._stopping.wait(FAULT_SECONDS if away else BEAT_SECONDS):
            return_memory()
            try:
                now = self._clock.wall()
                counts.append((self._clock.monotonic(), self._folded()))
                (began, before), (latest, folded) = counts[0], counts[-1]
                self._registration.beat(now, (folded - before) / max(latest - began, FAULT_SECONDS))
                if self._takes_over:
                    take_over(self._store, self._registration, now)
            except StoreUnavailable as error:
                if not away:  # the other threads log it again each time they need the store
                    log.error("store_unavailable", reason=str(error))
                away = True
            except Exception:  # this thread's boundary: a process that looks dead while it lives would be taken over
                log.exception("unexpected_error")
            else:
                if away:
                    log.info("store_available")
                away = False

    def stop(self) -> None:
        """Ask it to end, and return once it has."""
        self._stopping.set()
        self.join()


def take_over(store: Store, registration: Registration, now: float) -> None:
    """Free the claims of dead processes, and forget these processes. One that was only suspended registers again with its next beat.
    Raises StoreUnavailable."""
    if dead := store.outbox.take_over(partial(registration.judge, now=now), now):
        log.warning("claims_taken_over", owners=len(dead))
