"""How fast notifications are accepted, by a receiver as it is run: credentials, full check, deadlines, metrics, and the
commit on disk before the answer."""

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
GOALS = {8: 0.40, 64: 0.75, 256: 0.90}  # few clients cannot hide that a commit waits for a disk
DELAYS = (4, 10)  # milliseconds of a slower disk


def measure() -> Iterator[Finding]:
    """Against the no-op server, and against one commit for each request."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        ours = stack.enter_context(served.daemon(home / "ours", "--only", "receiver")).address
        noop = stack.enter_context(served.module("bench.noop")).address
        load.post(ours, file, 64, 1)  # warm
        for clients, goal in GOALS.items():
            pairs = pairs_of(file, clients, ours, noop, SECONDS)
            yield rates(f"accepted a second, {clients} clients", "a server that does nothing", pairs, goal)
            if clients == 64:
                yield Finding(
                    what="99 of 100 answers within, 64 clients",
                    against="a server that does nothing",
                    ratios=[one.p99 / other.p99 for one, other in pairs],
                    seen=f"{_median(pairs, 0, 'p99'):.1f} and {_median(pairs, 1, 'p99'):.1f} ms",
                    at_most=1.5,
                )
                yield Finding(
                    what="the load generator's own use of a core, while it drives the server that does nothing",
                    against="a whole core, where it would be the bottleneck",
                    ratios=[other.busy for _, other in pairs],
                    seen=f"wrk has {os.cpu_count()} cores to share with what it measures",
                    at_most=0.9,
                )
        alone = stack.enter_context(served.changed(home / "alone", "alone", "--only", "receiver")).address
        yield rates("accepted a second, 64 clients", "a commit each", pairs_of(file, 64, ours, alone), 4.0)
    for delay in DELAYS:
        yield from _slow_disk(delay)


def _slow_disk(delay: int) -> Iterator[Finding]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        ours, alone = (
            stack.enter_context(served.changed(home / name, f"{name}delay={delay}", "--only", "receiver")).address
            for name in ("", "alone,")
        )
        pairs = pairs_of(file, 64, ours, alone)
        yield rates(f"the same, a disk that needs {delay} ms more", "a commit each", pairs, 20.0)


def pairs_of(
    file: Path, clients: int, one: tuple[str, int], other: tuple[str, int], seconds: int = 1
) -> list[tuple[Observation, Observation]]:
    """What so many clients saw of each, one right after the other, ROUNDS times."""
    return [(load.post(one, file, clients, seconds), load.post(other, file, clients, seconds)) for _ in range(ROUNDS)]


def rates(what: str, against: str, pairs: list[tuple[Observation, Observation]], goal: float) -> Finding:
    """How many requests a second the one answers, beside the other."""
    return Finding(
        what=what,
        against=against,
        ratios=[one.rate / other.rate for one, other in pairs],
        seen=f"{_median(pairs, 0, 'rate'):,.0f} and {_median(pairs, 1, 'rate'):,.0f} a second",
        at_least=goal,
    )


def _median(pairs: list[tuple[Observation, Observation]], which: int, figure: str) -> float:
    figures: list[float] = [getattr(pair[which], figure) for pair in pairs]
    return median(figures)
