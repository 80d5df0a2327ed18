"""What a receiver tells the worker of its own process: that deliveries came, and which may be of new groups. Hints only: none is needed."""

import threading

from syncd.model import Identity

KNOWN = 100_000  # fingerprints; beyond that all of them seem new once more
GIVE_WAY = 8.0  # times as long as folding took, at most
PRESSING = 2000.0  # deliveries a second that take so much of the interpreter that folding is felt
AHEAD = 1.2  # times as fast as they come, at least, where that is possible


class Arrivals:
    """`told` belongs to one event loop, everything else to any thread."""

    def __init__(self) -> None:
        self.any = threading.Event()
        self.first = threading.Event()
        self.count = 0
        self._known: set[int] = set()
        self._firsts: list[int] = []
        self._looked = (0, 0.0)
        self._lock = threading.Lock()

    def told(self, delivery: int, identity: Identity) -> None:
        """A delivery was stored. The first one of a group since this process began must not wait behind a storm of others."""
        self.count += 1
        known = hash(identity)
        if known not in self._known:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known.add(known)
            with self._lock:
                self._firsts.append(delivery)
            self.first.set()
        if not self.any.is_set():
            self.any.set()  # which costs twenty times as much as to look

    def rate(self, now: float) -> float:
        """Deliveries a second since it was last asked for; `now` is a time that nobody can set."""
        (count, at), self._looked = self._looked, (self.count, now)
        return (self.count - count) / max(now - at, 0.001)

    def take_firsts(self, size: int) -> list[int]:
        """At most so many deliveries that came first, the oldest first; each is given once."""
        with self._lock:
            taken, self._firsts = self._firsts[:size], self._firsts[size:]
            if not self._firsts:
                self.first.clear()
        return taken


def pause(rate: float, folded: int, seconds: float) -> float:
    """For how many seconds folding gives way to accepting, which shares its interpreter, after `folded` deliveries took it `seconds`.

    The more come, the longer, but never so long that folding falls behind; unless it does so anyway: then what came waits, and its
    senders do not.
    """
    if not rate:
        return 0.0
    wanted = GIVE_WAY * seconds * min(1.0, rate / PRESSING)
    spare = folded / (AHEAD * rate) - seconds
    return wanted if spare < 0 else min(wanted, spare)
