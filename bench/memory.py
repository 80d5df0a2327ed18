"""Resident memory beside a process that has imported the same and serves nothing."""

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
            pass  # the first start makes the store with a library that no later one imports
        idle, other = [], []
        for _ in range(ROUNDS):
            with served.daemon(home) as daemon:
                time.sleep(1.0)  # its threads have had their first turn
                idle.append(_resident(daemon.pid))
                other.append(_resident(noop.pid))
        yield _finding("memory, idle", idle, other, 1.3)
        daemon = stack.enter_context(served.daemon(home))
        taken = 0
        while taken < notifications:
            taken += round(load.post(daemon.address, file, 64, PIECE_SECONDS).rate * PIECE_SECONDS)
        busy, other = [], []
        for _ in range(ROUNDS):
            busy.append(_resident(daemon.pid))
            other.append(_resident(noop.pid))
            time.sleep(1.0)
    yield _finding(f"memory after {notifications:,} notifications", busy, other, 1.6)


def _finding(what: str, ours: list[float], theirs: list[float], goal: float) -> Finding:
    return Finding(
        what=what,
        against="a process that imports the same and serves nothing",
        ratios=[one / other for one, other in zip(ours, theirs, strict=True)],
        seen=f"{max(ours):.0f} and {max(theirs):.0f} MB",
        at_most=goal,
    )


def _resident(pid: int) -> float:
    """Megabytes (proc(5), VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
