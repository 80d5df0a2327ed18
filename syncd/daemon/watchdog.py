"""The watchdog: it reports to the service manager that this process is well, but only while each of its parts makes progress."""

import threading
from collections.abc import Callable, Mapping

import structlog

from syncd.errors import StoreUnavailable
from syncd.platform.clock import Clock
from syncd.platform.systemd import Manager

log = structlog.get_logger("syncd")

STATUS_SECONDS = 15.0


class Watchdog(threading.Thread):
    """Reports while all `beats` are recent: by part, the monotonic time of its last sign of life. `status` is one line for people."""

    def __init__(
        self, manager: Manager, clock: Clock, beats: Mapping[str, Callable[[], float]], status: Callable[[], str]
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._manager = manager
        self._clock = clock
        self._beats = beats
        self._status = status
        self._stopping = threading.Event()
        self._status_at = 0.0
        self._stale: list[str] = []

    def run(self) -> None:
        limit = self._manager.watchdog_seconds
        pause = STATUS_SECONDS if limit is None else min(STATUS_SECONDS, limit / 4)
        while not self._stopping.wait(pause):
            try:
                now = self._clock.monotonic()
                stale = (
                    [] if limit is None else [part for part, beat in self._beats.items() if now - beat() > limit / 2]
                )
                if stale != self._stale:
                    log.error("watchdog_stuck", parts=stale) if stale else log.info("watchdog_recovered")
                self._stale = stale
                if limit is not None and not stale:
                    self._manager.notify(WATCHDOG="1")
                if self._clock.monotonic() >= self._status_at:
                    self._status_at = self._clock.monotonic() + STATUS_SECONDS
                    try:
                        self._manager.notify(STATUS=self._status())
                    except StoreUnavailable as error:
                        self._manager.notify(STATUS=str(error))
            except Exception:  # this thread's boundary: without it systemd would kill a daemon that is well
                log.exception("unexpected_error")

    def stop(self) -> None:
        """Ask it to end, and return once it has."""
        self._stopping.set()
        self.join()
