"""The accept rate of a receiver in its normal configuration: login, full check, deadlines, metrics, and a commit on disk
before each response."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import load, served
from bench.finding import ROUNDS, Finding
from bench.load import Observation

SECONDS = 2
GOALS = {8: 0.40, 64: 0.75, 256: 0.90}  # with few clients each response waits for its own commit
DELAYS = (4, 10)  # milliseconds of a slower disk


def measure() -> Iterator[Finding]:
    """Compare the receiver with a no-op server and with a receiver that commits each request separately."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        receiver = stack.enter_context(served.daemon(home / "receiver", "--only", "receiver")).address
        noop = stack.enter_context(served.module("bench.noop")).address
        load.post(receiver, file, 64, 1)  # warm
        for clients, goal in GOALS.items():
            pairs = pairs_of(file, clients, receiver, noop, SECONDS)
            yield rates(f"accepted notifications per second, {clients} clients", "a no-op server", pairs, goal)
            if clients == 64:
                yield Finding(
                    subject="99th percentile of the response time, 64 clients",
                    baseline="a no-op server",
                    ratios=[value.p99 / reference.p99 for value, reference in pairs],
                    figures=f"{_median(pairs, 0, 'p99'):.1f} and {_median(pairs, 1, 'p99'):.1f} ms",
                    at_most=1.5,
                )
                yield Finding(
                    subject="CPU use of the load generator against the no-op server",
                    baseline="one full core, at which wrk would be the bottleneck",
                    ratios=[reference.busy for _, reference in pairs],
                    figures=f"wrk shares {os.cpu_count()} cores with the measured processes",
                    at_most=0.9,
                )
        alone = stack.enter_context(served.changed(home / "alone", "alone", "--only", "receiver")).address
        yield rates(
            "accepted notifications per second, 64 clients",
            "one commit per request",
            pairs_of(file, 64, receiver, alone),
            4.0,
        )
    for delay in DELAYS:
        yield from _slow_disk(delay)


def _slow_disk(delay: int) -> Iterator[Finding]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        receiver, alone = (
            stack.enter_context(served.changed(home / name, f"{name}delay={delay}", "--only", "receiver")).address
            for name in ("", "alone,")
        )
        pairs = pairs_of(file, 64, receiver, alone)
        yield rates(f"the same with {delay} ms more for each sync of the disk", "one commit per request", pairs, 20.0)


def pairs_of(
    file: Path, clients: int, value: tuple[str, int], reference: tuple[str, int], seconds: int = 1
) -> list[tuple[Observation, Observation]]:
    """Measure both addresses with `clients` clients, one right after the other, ROUNDS times."""
    return [
        (load.post(value, file, clients, seconds), load.post(reference, file, clients, seconds)) for _ in range(ROUNDS)
    ]


def rates(subject: str, baseline: str, pairs: list[tuple[Observation, Observation]], goal: float) -> Finding:
    """The ratio of the two request rates."""
    return Finding(
        subject=subject,
        baseline=baseline,
        ratios=[value.rate / reference.rate for value, reference in pairs],
        figures=f"{_median(pairs, 0, 'rate'):,.0f} and {_median(pairs, 1, 'rate'):,.0f} per second",
        at_least=goal,
    )


def _median(pairs: list[tuple[Observation, Observation]], which: int, figure: str) -> float:
    figures: list[float] = [getattr(pair[which], figure) for pair in pairs]
    return median(figures)
