"""Senders under constant load and their ledger, the only record of acknowledged notifications.

One sender owns each group. It sends a notification only after the receiver acknowledged the previous one, and it repeats every
notification without a 200 byte for byte. The first copies therefore reach the inbox in the order of sending, whatever numbers the
deliveries have and whichever copies were stored without a response. The ledger alone determines the expected counts, for totals and for
windows (windows add up, so a copy that counts twice is visible). The number of notifications is different: it includes copies, and lies
between the acknowledged and the sent notifications.
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

Notification = dict[str, Any]
RECENT = 40  # the sender repeats only its latest groups
COPIES = 0.1  # share of acknowledged notifications that the sender repeats on purpose
BUSY_WAIT_SECONDS = 0.02
PACE_SECONDS = 0.3  # longest pause between two notifications; kills hit some of them in transit


@dataclass
class Ledger:
    """The senders' record. `acknowledged` has (position in the order of sending, notification), `numbers` the numbers of deliveries."""

    acknowledged: list[tuple[int, Notification]] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)
    unanswered: dict[str, int] = field(default_factory=dict)  # by fingerprint: sent without a response
    refused: int = 0  # responses other than 200
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def resent(self) -> int:
        return sum(self.unanswered.values()) + self.refused


class Load:
    """Senders that send the granted notifications to the current address of the daemon."""

    def __init__(self, seed: int, senders: int = 4) -> None:
        self.ledger = Ledger()
        self._positions = itertools.count()
        self._changed = threading.Condition()
        self._address: tuple[str, int] | None = None
        self._new = 0
        self._more = 0
        self._numbers = itertools.count()
        self._in_progress = 0
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._send, args=(random.Random(seed * 100 + index),), daemon=True)
            for index in range(senders)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def grant(self, new: int, more: int) -> None:
        """Allow `new` notifications of new groups and `more` of existing groups."""
        with self._changed:
            self._new += new
            self._more += more
            self._changed.notify_all()

    def at(self, address: tuple[str, int] | None) -> None:
        """Set the address of the daemon; None means that it is dead."""
        with self._changed:
            self._address = address
            self._changed.notify_all()

    def end(self, timeout: float) -> bool:
        """Send the rest of the grant. Return True if all of it was acknowledged within `timeout`."""
        with self._changed:
            finished = self._changed.wait_for(lambda: not self._new + self._more + self._in_progress, timeout)
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout)
        return finished

    def _send(self, chance: random.Random) -> None:
        groups: list[Iterator[Notification]] = []
        connection = _Connection()
        while (kind := self._next(bool(groups))) is not None:
            time.sleep(chance.uniform(0.0, PACE_SECONDS))
            if kind == "new":
                groups.append(speak(next(self._numbers), chance))
                notification = next(groups[-1])
            else:
                notification = next(chance.choice(groups[-RECENT:]))
            self._deliver(connection, notification)
            if chance.random() < COPIES:
                self._deliver(connection, notification)
            with self._changed:
                self._in_progress -= 1
                self._changed.notify_all()
        connection.close()

    def _next(self, may_repeat: bool) -> str | None:
        def granted() -> bool:
            return self._stopped or self._new > 0 or (may_repeat and self._more > 0)

        with self._changed:
            self._changed.wait_for(granted)
            if self._stopped:
                return None
            self._in_progress += 1
            if self._new:
                self._new -= 1
                return "new"
            self._more -= 1
            return "more"

    def _deliver(self, connection: "_Connection", notification: Notification) -> None:
        """Send to each daemon in turn until one responds 200."""
        position = next(self._positions)
        while not self._stopped:
            with self._changed:
                self._changed.wait_for(lambda: self._address is not None or self._stopped)
                address = self._address
            if address is None:
                return
            answer = connection.send(address, notification)
            with self.ledger.lock:
                if isinstance(answer, int):
                    self.ledger.acknowledged.append((position, notification))
                    self.ledger.numbers.add(answer)
                    return
                if answer == "refused":
                    self.ledger.refused += 1
                elif answer == "unanswered":
                    name = notification["fingerprint"]
                    self.ledger.unanswered[name] = self.ledger.unanswered.get(name, 0) + 1
            # A short wait avoids a thousand requests to a dead daemon before the trial notices its death.
            time.sleep(BUSY_WAIT_SECONDS)


class _Connection:
    """One keep-alive connection, reopened after an error or for a new daemon."""

    def __init__(self) -> None:
        self._address: tuple[str, int] | None = None
        self._sender: Sender | None = None

    def send(self, address: tuple[str, int], notification: Notification) -> int | str:
        """The number of the delivery, or "refused", "unanswered", or "unsent" if nothing listens."""
        if self._sender is None or self._address != address:
            self.close()
            self._address, self._sender = address, Sender(*address, ("backtrace", PASSWORD))
        try:
            answer = self._sender.send(notification)
        except ConnectionRefusedError:
            self.close()
            return "unsent"
        except (OSError, http.client.HTTPException):
            self.close()
            return "unanswered"
        return int(json.loads(answer.body)["delivery"]) if answer.status == 200 else "refused"

    def close(self) -> None:
        """Close the connection."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None
