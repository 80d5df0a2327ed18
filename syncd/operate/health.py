"""`/livez` and `/readyz`: whether the daemon lives, and whether it can take notifications; if not, why not."""

import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from syncd.errors import StoreUnavailable
from syncd.store import Store

STALE_SECONDS = 15.0


class Health:
    """Answers from the store's own state; a slow or paused tracker is told but makes nothing unready."""

    def __init__(self, store: Store, credentials: Mapping[str, str]) -> None:
        """`credentials` are those of the configured trackers, by name."""
        self._store = store
        self._credentials = credentials

    async def livez(self, request: Request) -> Response:  # noqa: ARG002 - the shape Starlette asks for
        """200 as long as the event loop turns."""
        return JSONResponse({"live": True})

    def readyz(self, request: Request) -> Response:  # noqa: ARG002 - the shape Starlette asks for
        """200 when a notification would be stored, else 503 with reasons."""
        reasons = self._reasons()
        paused: dict[str, str] = {}
        try:
            trackers = self._store.report.trackers(self._credentials, time.time())
            paused = {name: tracker.reason or "" for name, tracker in trackers.items() if tracker.state != "ok"}
        except StoreUnavailable as error:
            reasons.append(str(error))
        said = {"ready": not reasons, "reasons": sorted(set(reasons)), "paused_trackers": paused}
        return JSONResponse(said, 503 if reasons else 200)

    def _reasons(self) -> list[str]:
        if self._store.fault is not None:
            return [self._store.fault]
        if time.monotonic() - self._store.beat > STALE_SECONDS:
            return [f"the store's writer has not turned for {STALE_SECONDS:.0f} seconds"]
        return []
