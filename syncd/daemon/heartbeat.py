"""The pulse of a process: it shows the others that it lives, and frees what those left behind that do not."""

import threading
import time

import structlog

from syncd.errors import StoreUnavailable
from syncd.store import Store
from syncd.store.instances import Registration

log = structlog.get_logger("syncd")

BEAT_SECONDS = 5.0  # also how soon a store that was away is noticed to be back
FAULT_SECONDS = 1.0


class Heartbeat(threading.Thread):
    """Beats until it is stopped. `frees`: a worker also takes over from the dead."""

    def __init__(self, store: Store, presence: Registration, *, frees: bool) -> None:
        super().__init__(name="pulse", daemon=True)
        self._store = store
        self._presence = presence
        self._frees = frees
        self._stopping = threading.Event()

    def run(self) -> None:
        away = False
        while not self._stopping.wait(FAULT_SECONDS if away else BEAT_SECONDS):
            try:
                self._beat()
            except StoreUnavailable as error:
                if not away:  # the other threads say it again each time they need the store
                    log.error("store_unavailable", reason=str(error))
                away = True
            except Exception:  # this thread's boundary: a process that looks dead while it lives would be taken over
                log.exception("bug")
            else:
                if away:
                    log.info("store_available")
                away = False

    def _beat(self) -> None:
        now = time.time()
        self._presence.beat(now)
        if self._frees:
            take_over(self._store, self._presence, now)

    def stop(self) -> None:
        """Ask it to end, and return once it has."""
        self._stopping.set()
        self.join()


def take_over(store: Store, presence: Registration, now: float) -> None:
    """Free what dead processes held. Raises StoreUnavailable."""
    is_dead = presence.judge(now)
    if dead := store.outbox.take_over(is_dead, now):
        log.warning("took_over", owners=len(dead))
    presence.sweep(is_dead)
