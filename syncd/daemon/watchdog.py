"""Telling the service manager that this process is well, only as long as everything in it turns."""

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from syncd.errors import StoreUnavailable
from syncd.platform.systemd import Manager

log = structlog.get_logger("syncd")

STATUS_SECONDS = 15.0


class Watchdog(threading.Thread):
    """Beats for as long as all `beats` (monotonic times of what must turn, by name) are fresh; `status` is one line for people."""

    def __init__(self, manager: Manager, beats: Mapping[str, Callable[[], float]], status: Callable[[], str]) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._manager = manager
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
                self._turn(limit)
            except Exception:  # this thread's boundary: without it a daemon that is well would be ended
                log.exception("bug")

    def _turn(self, limit: float | None) -> None:
        stale = [] if limit is None else self._judge(limit / 2)
        if stale != self._stale:
            log.error("stale", parts=stale) if stale else log.info("fresh")
        self._stale = stale
        if limit is not None and not stale:
            self._manager.tell(WATCHDOG="1")
        if time.monotonic() >= self._status_at:
            self._status_at = time.monotonic() + STATUS_SECONDS
            try:
                self._manager.tell(STATUS=self._status())
            except StoreUnavailable as error:
                self._manager.tell(STATUS=str(error))

    def _judge(self, seconds: float) -> list[str]:
        now = time.monotonic()
        return [name for name, beat in self._beats.items() if now - beat() > seconds]

    def stop(self) -> None:
        """Ask it to end, and return once it has."""
        self._stopping.set()
        self.join()
