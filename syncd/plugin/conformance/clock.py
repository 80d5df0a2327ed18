"""A clock that stands still until a test moves it."""

from syncd.platform.clock import Clock

START = 1_790_000_000.0


class MovableClock(Clock):
    """`advance` lets time pass; `set_back` only changes what the wall shows, as an administrator would."""

    def __init__(self, start: float = START) -> None:
        self.now = start
        self.uptime = 1000.0
        self.slept = 0.0

    def wall(self) -> float:
        """The time on the wall, in UTC seconds since the epoch."""
        return self.now

    def monotonic(self) -> float:
        """Seconds that `set_back` does not change."""
        return self.uptime

    def boottime(self) -> float:
        """Seconds that `suspend` lets pass as well."""
        return self.uptime + self.slept

    def suspend(self, seconds: float) -> None:
        """Let the machine sleep: its monotonic clock stands still."""
        self.now += seconds
        self.slept += seconds

    def pause(self, seconds: float) -> None:
        """Let a virtual machine stand still: both clocks of its boot stand, and its wall clock is set right afterwards."""
        self.now += seconds

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass and return the new wall time."""
        self.now += seconds
        self.uptime += seconds
        return self.now

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back by `seconds`; no time passes."""
        self.now -= seconds
