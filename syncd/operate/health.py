"""`/livez` and `/readyz`: whether the daemon runs, and whether it can store notifications."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from syncd.errors import StoreUnavailable
from syncd.platform.clock import Clock
from syncd.store import Store

STALE_SECONDS = 15.0


class Health:
    """Answers from the store's own state. A slow or paused tracker is reported but makes nothing unready."""

    def __init__(self, store: Store, credentials: Mapping[str, str], clock: Clock) -> None:
        """`credentials` maps each configured tracker to its credential."""
        self._store = store
        self._credentials = credentials
        self._clock = clock

    async def livez(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """Answer 200 as long as the event loop runs."""
        return JSONResponse({"live": True})

    def readyz(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """Answer 200 if a notification would be stored, else 503 with reasons."""
        reasons: list[str] = []
        if self._store.connection.fault is not None:
            reasons.append(self._store.connection.fault)
        elif self._clock.monotonic() - self._store.connection.beat > STALE_SECONDS:
            reasons.append(f"the store's writer is stuck: no progress for {STALE_SECONDS:.0f} seconds")
        paused: dict[str, str] = {}
        unreachable: dict[str, dict[str, object]] = {}
        try:
            trackers = self._store.report.trackers(self._credentials, self._clock.wall())
            for name, tracker in trackers.items():
                if tracker.state == "unreachable":
                    facts = {"since": tracker.since, "calls": tracker.calls, "next_try": tracker.until}
                    unreachable[name] = {"reason": tracker.reason, **facts}
                elif tracker.state != "ok":
                    paused[name] = tracker.reason or ""
        except StoreUnavailable as error:
            reasons.append(str(error))
        answer = {
            "ready": not reasons,
            "reasons": sorted(set(reasons)),
            "unreachable_trackers": unreachable,
            "paused_trackers": paused,
        }
        return JSONResponse(answer, 503 if reasons else 200)
