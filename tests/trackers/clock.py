"""A clock for tests of an adapter: it agrees with the fake server's, and nothing waits on it."""

import time
from collections.abc import Callable

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
