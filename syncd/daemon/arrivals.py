"""Hints from the receiver to the absorbing thread of the same process: deliveries arrived, and which groups may be new.

Nothing depends on a hint: the absorber polls the inbox anyway.
"""

import threading

from syncd.model import Identity

REMEMBERED = 100_000  # groups; beyond that all of them count as new once more
GIVE_WAY = 8.0  # the longest pause, as a multiple of the time that folding took
PRESSING = 2000.0  # deliveries per second that keep the interpreter so busy that folding delays their answers
AHEAD = 1.2  # folding stays this much faster than deliveries arrive, where it can


class Arrivals:
    """`add` belongs to the receiver's event loop, everything else to any thread."""

    def __init__(self) -> None:
        self.any = threading.Event()  # set by each delivery
        self.first = threading.Event()  # set by the first delivery of a group to this process
        self.count = 0
        self._groups: set[int] = set()
        self._firsts: list[Identity] = []
        self._last_reading = (0, 0.0)
        self._lock = threading.Lock()

    def add(self, identity: Identity) -> None:
        """Announce a stored delivery. A group of which this process has had none may be new, and must not wait behind a storm of others; the
        store says whether it is."""
        self.count += 1
        group = hash(identity)
        if group not in self._groups:
            if len(self._groups) >= REMEMBERED:
                self._groups.clear()
            self._groups.add(group)
            with self._lock:
                self._firsts.append(identity)
            self.first.set()
        if not self.any.is_set():
            self.any.set()  # twenty times as expensive as the look

    def rate(self, now: float) -> float:
        """Return the deliveries per second since the last call. `now` is a monotonic time."""
        (count, at), self._last_reading = self._last_reading, (self.count, now)
        return (self.count - count) / max(now - at, 0.001)

    def take_firsts(self, size: int) -> list[Identity]:
        """Return at most `size` groups that may be new, in the order of their first deliveries. Each is returned once."""
        with self._lock:
            batch, self._firsts = self._firsts[:size], self._firsts[size:]
            if not self._firsts:
                self.first.clear()
        return batch


def pause(rate: float, folded: int, seconds: float) -> float:
    """Return for how many seconds folding gives way to accepting, which shares its interpreter (decision 0019).

    `rate` is in deliveries per second; the last batch folded `folded` deliveries in `seconds`. The pause grows with the rate, but folding
    keeps up with the arrivals where it can. Where it cannot, the pause is the longest: deliveries wait in the inbox, senders do not.
    """
    if not rate:
        return 0.0
    wanted = GIVE_WAY * seconds * min(1.0, rate / PRESSING)
    spare = folded / (AHEAD * rate) - seconds
    return wanted if spare < 0 else min(wanted, spare)
