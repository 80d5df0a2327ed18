"""A crowd at the receiver: connections that only wait, and large bodies that arrive all at the same time, with a login, with a wrong one and with none."""

import json
import resource
import socket
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.factories import notification_json
from tests.intake.receiving import answer, request, status
from tests.prove.report import Row
from tests.system.daemon import PASSWORD, Daemon
from tests.system.kinds import ROUTE

LIMIT = 256 * 2**20  # bytes that the daemon may take at most
SLOWEST_SECONDS = 5.0  # shorter than the patience of any sender; the crowd runs on the same machine
CROWD_SECONDS = 8.0
HOST = b"Host: 127.0.0.1\r\n"
NOTIFICATION = json.dumps(notification_json()).encode()
LARGE = NOTIFICATION + b" " * 1_000_000


def login(password: str) -> bytes:
    """A header with a login."""
    return b"Authorization: Basic " + b64encode(f"backtrace:{password}".encode()) + b"\r\n"


@dataclass
class Sender:
    """Posts with the right login, each on a new connection, while the crowd is there."""

    address: tuple[str, int]
    answers: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Post until the block ends."""
        ended = threading.Event()

        def post() -> None:
            while not ended.wait(0.02):
                began = time.monotonic()
                self.answers[status(self.address, request(HOST, login(PASSWORD), body=NOTIFICATION))] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)

        thread = threading.Thread(target=post)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def peak(daemon: Daemon) -> int:
    """The most memory that the daemon has had, in bytes."""
    return int(Path(f"/proc/{daemon.pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def wait_in_crowd(address: tuple[str, int], size: int) -> int:
    """Keep `size` connections open that say nothing, and replace each that is closed. Return how many were closed."""
    crowd: dict[int, socket.socket] = {}
    replaced, end = 0, time.monotonic() + CROWD_SECONDS
    while time.monotonic() < end:
        for number in range(size):
            with suppress(BlockingIOError):
                if number in crowd and crowd[number].recv(1):
                    continue
                crowd.pop(number, socket.socket()).close()
            if number not in crowd:
                crowd[number] = socket.create_connection(address)
                crowd[number].setblocking(False)
                replaced += 1
    for connection in crowd.values():
        connection.close()
    return replaced - size


def send_large(address: tuple[str, int], size: int, credentials: bytes) -> Counter[int]:
    """Send a large body on each of `size` connections, all at the same time and none to its end; then their ends. Return the answers."""
    sent = request(HOST, credentials, body=LARGE)[:-1]
    waiting = {socket.create_connection(address, timeout=60): memoryview(sent) for _ in range(size)}
    end = time.monotonic() + CROWD_SECONDS
    while time.monotonic() < end:
        for connection, rest in waiting.items():
            connection.setblocking(False)
            with suppress(BlockingIOError, ConnectionError):
                waiting[connection] = rest[connection.send(rest[:65536]) :]
        time.sleep(0.01)
    answers: Counter[int] = Counter()
    for connection, rest in waiting.items():
        connection.settimeout(60)
        answers[answer(connection, bytes(rest) + b" ")] += 1
        connection.close()
    return answers


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """`size` connections at the same time, of 1,000 that the receiver takes."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    trackers = f'[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n{ROUTE}'
    with Daemon(folder, trackers, "max_connections = 1000\nbody_seconds = 60\n") as daemon:
        sender = Sender(daemon.address)
        with sender.posting():
            closed = wait_in_crowd(daemon.address, 2 * size)
        yield _row(
            daemon,
            sender,
            "connections that say nothing, renewed as they are closed",
            f"{2 * size:,} connections",
            f"{closed:,} were closed",
        )
        for credentials, kind in ((b"", "no login"), (login("guess"), "a wrong login"), (login(PASSWORD), "a login")):
            sender = Sender(daemon.address)
            with sender.posting():
                answers = send_large(daemon.address, size, credentials)
            expected = 200 if kind == "a login" else 401
            result = f"{answers[expected]:,} answered {expected}"
            yield _row(
                daemon,
                sender,
                f"bodies of 1 MB with {kind}, all at the same time",
                f"{size:,} bodies",
                result,
                {*answers} == {expected},
            )


def _row(daemon: Daemon, sender: Sender, action: str, scale: str, result: str, as_expected: bool = True) -> Row:
    memory = peak(daemon)
    return Row(
        action=action,
        scale=scale,
        result=f"{result}; meanwhile {sender.answers.total():,} notifications on new connections, answered {dict(sender.answers)}, the slowest after "
        f"{sender.slowest:.2f} s; at most {memory / 2**20:.0f} MB of memory so far",
        ok=as_expected and {*sender.answers} == {200} and sender.slowest < SLOWEST_SECONDS and memory < LIMIT,
    )
