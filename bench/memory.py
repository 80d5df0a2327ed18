"""Resident memory, compared with a process that has imported the same modules and serves nothing."""

import http.client
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench import load, served
from bench.finding import ROUNDS, Finding
from syncd.cli.sender import WEBHOOK
from tests.system.daemon import PASSWORD

NOTIFICATIONS = 100_000  # `make bench ONLY=memory-million` takes ten times as many
PIECE_SECONDS = 3
REFUSED = 10_000  # bodies, for `make bench ONLY=memory-refused`
REFUSED_BYTES = 900_000
SENDERS = 4
GROWTH_MB = 20


def measure() -> Iterator[Finding]:
    """Idle, and after a hundred thousand notifications."""
    return _measured(NOTIFICATIONS)


def million() -> Iterator[Finding]:
    """The same after a million."""
    return _measured(10 * NOTIFICATIONS)


def _measured(notifications: int) -> Iterator[Finding]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        noop = stack.enter_context(served.module("bench.noop", "same-imports"))
        load.post(noop.address, file, 64, 1)
        with served.daemon(home):
            pass  # the first start creates the store with a library that no later start imports
        idle, noop_idle = [], []
        for _ in range(ROUNDS):
            with served.daemon(home) as daemon:
                time.sleep(1.0)  # each thread has run once
                idle.append(resident(daemon.pid))
                noop_idle.append(resident(noop.pid))
        yield _finding("memory, idle", idle, noop_idle, 1.3)
        daemon = stack.enter_context(served.daemon(home))
        accepted = 0
        while accepted < notifications:
            accepted += round(load.post(daemon.address, file, 64, PIECE_SECONDS).rate * PIECE_SECONDS)
        busy, noop_busy = [], []
        for _ in range(ROUNDS):
            busy.append(resident(daemon.pid))
            noop_busy.append(resident(noop.pid))
            time.sleep(1.0)
    yield _finding(f"memory after {notifications:,} notifications", busy, noop_busy, 1.6)


def refused() -> Iterator[Finding]:
    """The same daemon before and after it has refused bodies of 0.9 MB: without a login, without an identity, not JSON, too large, and of so many
    values that the tree of them takes 25 MB."""
    space = b" " * REFUSED_BYTES
    lists = b"[" + b"[]," * (REFUSED_BYTES // 3)
    login = {"Authorization": f"Basic {b64encode(f'backtrace:{PASSWORD}'.encode()).decode()}"}
    cases: tuple[tuple[bytes, dict[str, str], int], ...] = (
        (space, {}, 401),
        (b'{"a":1}' + space, login, 422),
        (b'{"a":1' + space, login, 400),
        (space + space, login, 413),
        (b'{"x":' + lists + b"1]}", login, 422),
        (lists + b"1]", login, 422),
        (lists, login, 400),
    )
    with (
        tempfile.TemporaryDirectory() as home,
        served.daemon(Path(home)) as daemon,
        ThreadPoolExecutor(SENDERS) as pool,
    ):

        def send(number: int) -> None:
            body, headers, status = cases[number % len(cases)]
            connection = http.client.HTTPConnection(*daemon.address, timeout=60)
            connection.request("POST", WEBHOOK, body, headers)
            if (answered := connection.getresponse().status) != status:
                raise RuntimeError(f"answered {answered} instead of {status}")
            connection.close()

        send(0)
        before = resident(daemon.pid)
        list(pool.map(send, range(REFUSED)))
        after = resident(daemon.pid)
    yield Finding(
        subject=f"memory after {REFUSED:,} refused bodies of 0.9 MB",
        baseline="the same daemon after the first",
        ratios=[after / before],
        figures=f"{after:.1f} and {before:.1f} MB",
        at_most=1 + GROWTH_MB / before,
    )


def _finding(subject: str, values: list[float], references: list[float], goal: float) -> Finding:
    return Finding(
        subject=subject,
        baseline="a process that imports the same modules and serves nothing",
        ratios=[value / reference for value, reference in zip(values, references, strict=True)],
        figures=f"{max(values):.0f} and {max(references):.0f} MB",
        at_most=goal,
    )


def resident(pid: int) -> float:
    """Resident memory in megabytes (proc(5), VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
