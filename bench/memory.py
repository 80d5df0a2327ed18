"""Resident memory, compared with a process that has imported the same modules and serves nothing."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import load, served
from bench.finding import ROUNDS, Finding

NOTIFICATIONS = 100_000  # `make bench ONLY=memory-million` takes ten times as many
PIECE_SECONDS = 3


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
                idle.append(_resident(daemon.pid))
                noop_idle.append(_resident(noop.pid))
        yield _finding("memory, idle", idle, noop_idle, 1.3)
        daemon = stack.enter_context(served.daemon(home))
        accepted = 0
        while accepted < notifications:
            accepted += round(load.post(daemon.address, file, 64, PIECE_SECONDS).rate * PIECE_SECONDS)
        busy, noop_busy = [], []
        for _ in range(ROUNDS):
            busy.append(_resident(daemon.pid))
            noop_busy.append(_resident(noop.pid))
            time.sleep(1.0)
    yield _finding(f"memory after {notifications:,} notifications", busy, noop_busy, 1.6)


def _finding(subject: str, values: list[float], references: list[float], goal: float) -> Finding:
    return Finding(
        subject=subject,
        baseline="a process that imports the same modules and serves nothing",
        ratios=[value / reference for value, reference in zip(values, references, strict=True)],
        figures=f"{max(values):.0f} and {max(references):.0f} MB",
        at_most=goal,
    )


def _resident(pid: int) -> float:
    """Megabytes (proc(5), VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
