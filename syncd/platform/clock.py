"""The two clocks of this machine, handed to whoever needs the time. Nothing here waits or formats."""

import time


class Clock:
    """Reads the machine. A test hands in a subclass that it moves itself."""

    def wall(self) -> float:
        """Return UTC seconds since the epoch. An administrator or a time server may set this clock forward or back."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since the machine booted, for measuring spans: nobody can set this clock, and all processes read the same."""
        return time.monotonic()
