"""Receivers and workers as processes that share one PostgreSQL, kept running as a service manager would, whatever happens to them."""

import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from syncd.cli.sender import Sender
from tests.system.daemon import PASSWORD, PROGRAM, Daemon
from tests.system.reference import speak

RESEND_SECONDS = 0.05
WATCH_SECONDS = 0.05


class Cluster:
    """So many receivers and workers on the store at `url`. `program` is what Python is given before `run`."""

    def __init__(
        self,
        folder: Path,
        url: str,
        trackers: str,
        receivers: int,
        workers: int,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._program = program
        self.members: list[Daemon] = []
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._home, self._url, self._trackers = folder, url, trackers
        self.receivers = [self._member("receiver") for _ in range(receivers)]
        self.workers = [self._member("worker") for _ in range(workers)]
        self._watch = threading.Thread(target=self._keep_alive, daemon=True)

    def _member(self, part: str) -> Daemon:
        home = self._home / f"{part}-{len(self.members)}"
        home.mkdir(parents=True)
        member = Daemon(home, self._trackers, store=self._url)
        member.options = ["--only", part]
        self.members.append(member)
        return member

    def add(self, part: str) -> Daemon:
        """One more `receiver` or `worker`, once it has begun."""
        with self._lock:
            member = self._member(part)
            member.spawn(self._program)
        (self.receivers if part == "receiver" else self.workers).append(member)
        member.wait_for(member.listens if part == "receiver" else member.works, "a process to begin")
        return member

    def __enter__(self) -> Self:
        for member in self.members:
            member.spawn(self._program)
        for member in self.members:
            member.wait_for(member.listens if member in self.receivers else member.works, "a process to begin")
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()
        for member in self.members:
            if member.alive:
                member.kill()

    def _keep_alive(self) -> None:
        while not self._ended.wait(WATCH_SECONDS):
            with self._lock:
                for member in self.members:
                    if not member.alive:
                        member.spawn(self._program)

    def kill(self, member: Daemon) -> None:
        """SIGKILL; it is started again at once."""
        with self._lock:
            if member.alive:
                member.kill()
            member.spawn(self._program)

    def address(self, chance: random.Random) -> tuple[str, int] | None:
        """Of a receiver that listens, as a load balancer picks one."""
        listening = [member.address for member in self.receivers if member.alive and member.listens()]
        return chance.choice(listening) if listening else None


Notification = dict[str, Any]


@dataclass
class Ledger:
    """The senders' record: (place in the order of sending, notification) of each delivery that was answered 200, and the number of
    notifications of each group."""

    acknowledged: list[tuple[int, Notification]] = field(default_factory=list)
    tries: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def send_all(cluster: Cluster, groups: int, each: int, senders: int, seed: int) -> Iterator[Ledger]:
    """Tell of so many groups, so many times each; yields its ledger at once, and again when all is acknowledged."""
    ledger, places = Ledger(), itertools.count()

    def send(number: int) -> None:
        chance = random.Random(seed * 1000 + number)
        own = [itertools.islice(speak(group, chance), each) for group in range(number, groups, senders)]
        for notification in itertools.chain.from_iterable(zip(*own, strict=True)):
            _post_all(cluster, notification, chance, ledger, next(places))

    threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(senders)]
    for thread in threads:
        thread.start()
    yield ledger
    for thread in threads:
        thread.join()
    yield ledger


def _post_all(cluster: Cluster, notification: Notification, chance: random.Random, ledger: Ledger, place: int) -> None:
    """Send it, to one receiver after the other, until one says 200."""
    while True:
        address = cluster.address(chance)
        if address is not None:
            with ledger.lock:
                ledger.tries[notification["fingerprint"]] = ledger.tries.get(notification["fingerprint"], 0) + 1
            if sent(address, notification):
                with ledger.lock:
                    ledger.acknowledged.append((place, notification))
                return
        time.sleep(RESEND_SECONDS)  # no answer or 503: send again a little later


def sent(address: tuple[str, int], notification: Notification) -> bool:
    """Report whether the receiver at an address has acknowledged a notification."""
    sender = Sender(*address, ("backtrace", PASSWORD))
    try:
        return sender.send(notification).status == 200
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return False
    finally:
        sender.close()


@contextmanager
def killed(cluster: Cluster, seed: int, pause: tuple[float, float]) -> Iterator[list[str]]:
    """As long as the context lasts, random processes are killed: the parts of those that were."""
    chance, ended, dead = random.Random(seed), threading.Event(), list[str]()

    def kill() -> None:
        while not ended.wait(chance.uniform(*pause)):
            member = chance.choice(cluster.members)
            cluster.kill(member)
            dead.append(member.options[-1])

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield dead
    finally:
        ended.set()
        thread.join()
