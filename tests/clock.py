"""A clock that stands still until a test moves it."""

from syncd.platform.clock import Clock

START = 1_790_000_000.0


class MovableClock(Clock):
    """`advance` lets time pass; `set_back` only changes what the wall shows, as an administrator would."""

    def __init__(self, start: float = START) -> None:
        self.now = start
        self.uptime = 1000.0

    def wall(self) -> float:
        """The time on the wall, in UTC seconds since the epoch."""
        return self.now

    def monotonic(self) -> float:
        """Seconds that `set_back` does not change."""
        return self.uptime

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass and return the new wall time."""
        self.now += seconds
        self.uptime += seconds
        return self.now

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back by `seconds`; no time passes."""
        self.now -= seconds
