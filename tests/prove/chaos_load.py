"""Senders that never stop, and their ledger: the only witness of what was acknowledged.

Each group is told of by one sender, which says the next thing only after the last was acknowledged, and resends whatever got
no 200 word for word. So the order in which first copies reach the inbox is the order of telling, whatever numbers the deliveries
got and whichever copies were stored without the sender learning of it; and what must come out can be computed from the ledger
alone, for windows (which add up: a copy that counted twice would show) as for totals. Only the number of notifications cannot: it
counts copies too, and lies between what was acknowledged and what was tried.
"""

import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from syncd.cli.sender import Sender
from tests.system.daemon import PASSWORD
from tests.system.reference import speak

Told = dict[str, Any]
RECENT = 40  # of a sender's groups, those that are told of again
COPIES = 0.1  # how much of what was acknowledged is sent once more all the same
BUSY_WAIT_SECONDS = 0.02
PACE_SECONDS = 0.3  # the longest a sender waits between two things to tell, so that a kill finds some on their way


@dataclass
class Ledger:
    """What senders know. `acknowledged` are (place in the order of telling, notification); `numbers` the deliveries' numbers."""

    acknowledged: list[tuple[int, Told]] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)
    unanswered: dict[str, int] = field(default_factory=dict)  # by fingerprint: sent, and no answer came
    refused: int = 0  # answers other than 200
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def resent(self) -> int:
        return sum(self.unanswered.values()) + self.refused


class Load:
    """So many senders. They send what was granted, to wherever the daemon listens now."""

    def __init__(self, seed: int, senders: int = 4) -> None:
        self.ledger = Ledger()
        self._places = itertools.count()
        self._changed = threading.Condition()
        self._address: tuple[str, int] | None = None
        self._new = 0
        self._more = 0
        self._numbers = itertools.count()
        self._in_hand = 0
        self._ended = False
        self._threads = [
            threading.Thread(target=self._send, args=(random.Random(seed * 100 + one),), daemon=True)
            for one in range(senders)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def grant(self, new: int, more: int) -> None:
        """Let so many new groups be told of, and so many of the old ones again."""
        with self._changed:
            self._new += new
            self._more += more
            self._changed.notify_all()

    def at(self, address: tuple[str, int] | None) -> None:
        """The daemon listens there, or is dead."""
        with self._changed:
            self._address = address
            self._changed.notify_all()

    def end(self, timeout: float) -> bool:
        """Send the rest of what was granted; whether all of it was acknowledged in time."""
        with self._changed:
            done = self._changed.wait_for(lambda: not self._new + self._more + self._in_hand, timeout)
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout)
        return done

    def _send(self, chance: random.Random) -> None:
        groups: list[Iterator[Told]] = []
        connection = _Connection()
        while (kind := self._next(bool(groups))) is not None:
            time.sleep(chance.uniform(0.0, PACE_SECONDS))
            if kind == "new":
                groups.append(speak(next(self._numbers), chance))
                told = next(groups[-1])
            else:
                told = next(chance.choice(groups[-RECENT:]))
            self._tell(connection, told)
            if chance.random() < COPIES:
                self._tell(connection, told)
            with self._changed:
                self._in_hand -= 1
                self._changed.notify_all()
        connection.close()

    def _next(self, may_repeat: bool) -> str | None:
        def granted() -> bool:
            return self._ended or self._new > 0 or (may_repeat and self._more > 0)

        with self._changed:
            self._changed.wait_for(granted)
            if self._ended:
                return None
            self._in_hand += 1
            if self._new:
                self._new -= 1
                return "new"
            self._more -= 1
            return "more"

    def _tell(self, connection: "_Connection", told: Told) -> None:
        """Send it, to one daemon after the other, until one says 200."""
        place = next(self._places)
        while not self._ended:
            with self._changed:
                self._changed.wait_for(lambda: self._address is not None or self._ended)
                address = self._address
            if address is None:
                return
            answer = connection.send(address, told)
            with self.ledger.lock:
                if isinstance(answer, int):
                    self.ledger.acknowledged.append((place, told))
                    self.ledger.numbers.add(answer)
                    return
                if answer == "refused":
                    self.ledger.refused += 1
                elif answer == "unanswered":
                    name = told["fingerprint"]
                    self.ledger.unanswered[name] = self.ledger.unanswered.get(name, 0) + 1
            # Nobody is told of a death before it is noticed; a short wait spares asking a dead one a thousand times.
            time.sleep(BUSY_WAIT_SECONDS)


class _Connection:
    """One kept-alive connection, made anew where the daemon is another one or it broke."""

    def __init__(self) -> None:
        self._address: tuple[str, int] | None = None
        self._sender: Sender | None = None

    def send(self, address: tuple[str, int], told: Told) -> int | str:
        """The number of the delivery; else "refused", "unanswered", or "unsent" where nobody listened."""
        if self._sender is None or self._address != address:
            self.close()
            self._address, self._sender = address, Sender(*address, ("backtrace", PASSWORD))
        try:
            answer = self._sender.send(told)
        except ConnectionRefusedError:
            self.close()
            return "unsent"
        except (OSError, http.client.HTTPException):
            self.close()
            return "unanswered"
        return int(json.loads(answer.body)["delivery"]) if answer.status == 200 else "refused"

    def close(self) -> None:
        """Give the connection back."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None
