"""The clock of one simulated process: the scheduler's true time, and how far its machine is off."""

from syncd.platform.clock import Clock
from tests.simulation.scheduler import Scheduler


class ProcessClock(Clock):
    """`offset` is what an administrator or a time server changes; it moves the wall clock and nothing else."""

    def __init__(self, scheduler: Scheduler, booted_at: float = 0.0) -> None:
        self._scheduler = scheduler
        self._booted_at = booted_at
        self.offset = 0.0
        self.behind = 0.0  # of the wall clock, until a time service sets it right
        self.slept = 0.0  # the monotonic clock stood still for so long
        self.paused = 0.0  # both clocks of the boot stood still for so long

    def wall(self) -> float:
        """Return this machine's idea of UTC seconds since the epoch."""
        return self._scheduler.now + self.offset - self.behind

    def monotonic(self) -> float:
        """Return seconds since the machine started, without those that it slept."""
        return self.boottime() - self.slept

    def boottime(self) -> float:
        """Return true seconds since the machine started, without those that the virtual machine was paused."""
        return self._scheduler.now - self._booted_at - self.paused
