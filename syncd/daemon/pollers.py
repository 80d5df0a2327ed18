"""Threads that poll Backtrace: one for each project, so that a project that does not answer holds up no other, and no tracker."""

import threading

import structlog

from syncd.backtrace.poll import Poller
from syncd.errors import Deferred, StoreUnavailable
from syncd.store import Store

log = structlog.get_logger("syncd.backtrace")

FAULT_SECONDS = 1.0
LOOK_SECONDS = 5.0  # between two looks at what is due: a notification, another token, or the lead of this process


class PollThread(threading.Thread):
    """Polls one project until it is stopped, while its process leads those that share the store."""

    def __init__(self, store: Store, poller: Poller, stopping: threading.Event) -> None:
        # A request that never ends must not keep the process alive.
        super().__init__(name=f"poll {poller.target.title}", daemon=True)
        self._store, self.poller, self._stopping = store, poller, stopping

    def run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(min(pause, LOOK_SECONDS)):
            pause = LOOK_SECONDS
            try:
                if self._store.hints.leads:
                    pause = self.poller.step()
            except Deferred:
                break
            except StoreUnavailable as error:
                log.error("store_unavailable", reason=str(error))
                pause = FAULT_SECONDS
            except Exception:  # this thread's boundary: a bug in one poll must not end all polls
                log.exception("unexpected_error", project=self.poller.target.title)
        self.poller.close()
