"""The gain of a second receiver and of three more workers on one PostgreSQL."""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.sending import rate
from tests import postgres
from tests.postgres import Databases, Server
from tests.prove.crashes import crash, fingerprint, tally
from tests.system.cluster import Cluster
from tests.system.kinds import KINDS, opened

SECONDS = 8.0
ROUNDS = 3
GROUPS = 120
LATENCY_SECONDS = 0.2


def measure() -> Iterator[str]:
    """Lines with ratios."""
    with tempfile.TemporaryDirectory() as home, postgres.server() as server:
        yield f"PostgreSQL, receivers, workers and senders share {os.cpu_count()} cores:"
        yield from _receivers(Path(home), server)
        yield from _workers(Path(home), server)


def _receivers(home: Path, server: Server) -> Iterator[str]:
    single, double = [], []
    with opened(KINDS[0], home) as tracker:
        url = Databases(server.url("postgres")).new()
        with Cluster(home / "receivers", url, tracker.toml(), receivers=2, workers=0) as cluster:
            addresses = [receiver.address for receiver in cluster.receivers]
            rate(addresses, 2.0)  # warm
            for _ in range(ROUNDS):
                single.append(rate(addresses[:1], SECONDS))
                double.append(rate(addresses, SECONDS))
    ratio = statistics.median(after / before for before, after in zip(single, double, strict=True))
    yield (
        f"accepted requests per second, 4 KB each: one receiver {statistics.median(single):,.0f}, two {statistics.median(double):,.0f}: "
        f"{ratio:.2f} times as many (median of {ROUNDS})"
    )


def _workers(home: Path, server: Server) -> Iterator[str]:
    single, four = [], []
    for number in range(ROUNDS):
        single.append(_seconds_to_drain(home / f"one-{number}", server, 1))
        four.append(_seconds_to_drain(home / f"four-{number}", server, 4))
    ratio = statistics.median(before / after for before, after in zip(single, four, strict=True))
    yield (
        f"{GROUPS} new groups filed in a GitHub with a latency of {LATENCY_SECONDS * 1000:.0f} ms: one worker "
        f"{statistics.median(single):.1f} s, four {statistics.median(four):.1f} s: {ratio:.2f} times as fast (median of {ROUNDS})"
    )


def _seconds_to_drain(home: Path, server: Server, workers: int) -> float:
    """Seconds until all groups have an issue. Raises AssertionError unless each has exactly one."""
    home.mkdir()
    with opened("github", home) as tracker:
        assert tracker.fake is not None
        url = Databases(server.url("postgres")).new()
        with Cluster(home / "members", url, tracker.toml("concurrency = 1\nwrites = []\n"), 1, workers) as cluster:
            cluster.receivers[0].send(crash(GROUPS + 1))
            cluster.receivers[0].drain()  # opens all connections and asks the tracker its one-time questions
            tracker.fake.latency = LATENCY_SECONDS
            sender = cluster.receivers[0].sender()
            for number in range(GROUPS):
                assert sender.send(crash(number)).status == 200
            sender.close()
            start_time = time.monotonic()
            while len(tracker.texts()) < GROUPS + 1:
                time.sleep(0.02)
            seconds = time.monotonic() - start_time
            cluster.receivers[0].drain()
        assert tally([fingerprint(number) for number in range(GROUPS)], tracker.texts()[1:]).exact
    return seconds
