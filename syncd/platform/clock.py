"""The clocks of this machine, handed to whoever needs the time. Nothing here waits or formats."""

import time

Reading = tuple[float, float, float]


class Clock:
    """Reads the machine. A test hands in a subclass that it moves itself."""

    def wall(self) -> float:
        """Return UTC seconds since the epoch. An administrator or a time server may set this clock forward or back."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since the machine booted, for measuring spans: nobody can set this clock, and all processes read the same."""
        return time.monotonic()

    def boottime(self) -> float:
        """Return seconds since the machine booted, and unlike `monotonic` those that it slept (Linux, clock_gettime(2))."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def reading(self) -> Reading:
        """Return what all clocks show, for `since`."""
        return self.wall(), self.monotonic(), self.boottime()

    def since(self, reading: Reading) -> float:
        """Return the seconds since a reading, by the clock that says most. A machine that sleeps stops the monotonic clock; a virtual
        machine that is paused stops both clocks of its boot, and its wall clock is set right afterwards."""
        return max(now - before for now, before in zip(self.reading(), reading, strict=True))
