"""`/livez` and `/readyz`: whether the daemon runs, and whether it can store notifications."""

import threading

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from syncd.config import Config
from syncd.errors import StoreUnavailable
from syncd.operate.needs import numbers
from syncd.operate.status import status
from syncd.platform.clock import Clock
from syncd.store import Store

SHARED_SECONDS = 1.0  # requests within this time share an answer, since each reads and writes the store


class Health:
    """Answers from the state of the whole system. Anybody may ask, so that an answer has states and numbers, and no sentence about a crash.
    What waits or needs a person is named but makes nothing unready."""

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self._answer: dict[str, object] = {}

    async def livez(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """Answer 200 as long as the event loop runs."""
        return JSONResponse({"live": True})

    def readyz(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """Answer 200 if a notification would be stored, else 503 with reasons."""
        with self._lock:
            if self._clock.monotonic() >= self._until:
                self._answer = self._ask()
                self._until = self._clock.monotonic() + SHARED_SECONDS
            answer = self._answer
        return JSONResponse(answer, 200 if answer["ready"] else 503)

    def _ask(self) -> dict[str, object]:
        try:
            shape = status(self._config, self._store, self._clock.wall())
        except StoreUnavailable as error:
            # Why the latest commit failed says more than a failed read.
            fault = self._store.connection.fault or str(error)
            shape = {"store": {"fault": fault}, "trackers": {}, "needs": [{"state": "store_fault", "count": 1}]}
        fault = shape["store"]["fault"]
        paused, unreachable = {}, {}
        for name, tracker in shape["trackers"].items():
            if tracker["state"] == "unreachable":
                facts = {key: tracker[key] for key in ("reason", "since", "calls")}
                unreachable[name] = facts | {"next_try": tracker["until"]}
            elif tracker["state"] != "ok":
                paused[name] = tracker["reason"] or ""
        return {
            "ready": fault is None,
            "reasons": [] if fault is None else [fault],
            "needs": numbers(shape),
            "unreachable_trackers": unreachable,
            "paused_trackers": paused,
        }
