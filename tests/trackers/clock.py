"""A clock for tests of an adapter: it agrees with the fake server's, and nothing waits on it."""

import time
from collections.abc import Callable

from syncd.errors import Unavailable
from syncd.platform.clock import Clock
from tests.clock import MovableClock
from tests.fakes.server import Moment, Recorded


class AdapterClock(MovableClock):
    """The wall shows the time at which the test began. Reading `monotonic` lets `step` seconds pass; `sleep` records its seconds in
    `waits`, and lets none pass."""

    def __init__(self) -> None:
        super().__init__(time.time())
        self.step = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        self.uptime += self.step
        return self.uptime

    def pass_during(self, path: str, seconds: float) -> Callable[[Moment, Recorded], None]:
        """A fake's `watch` that lets time pass whenever a GET of `path` arrives."""

        def watch(moment: Moment, request: Recorded) -> None:
            if moment == "arrived" and request.method == "GET" and request.path.endswith(path):
                self.advance(seconds)

        return watch

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def fresh_for(clock: Clock, seconds: float) -> Callable[[], None]:
    """The check of a draft whose time is over after `seconds`."""
    until = clock.monotonic() + seconds

    def require_fresh() -> None:
        if clock.monotonic() > until:
            raise Unavailable("it took too long to begin; nothing was sent")

    return require_fresh
