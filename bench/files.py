"""Filing issues as files: issues per second on a disk whose syncs take 10 ms more, CPU time, and memory after many issues."""

import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import load, served
from bench.finding import Finding
from bench.memory import GROWTH_MB, resident
from syncd import config as configuration
from syncd.store import open_store
from syncd.worker.absorb import absorb
from syncd.worker.presentation import Presentation
from syncd.worker.routing import Routing
from tests.prove.crashes import fingerprint
from tests.store.filled import accept
from tests.system.daemon import PROGRAM, Daemon

ROUNDS = 3
ISSUES = 400  # in each measurement of a rate
FIRST = 100  # of them, which are not measured: all threads have begun
DELAY_MS = 10
MANY = 50_000  # for `make bench ONLY=memory-filed`
BEGUN = 5_000
PATIENCE_SECONDS = 3600.0
ROUTE = '[[routes]]\ntracker = "here"\nmax_new_issues = []\nmax_updates = []\n'


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    filed: int
    cpu: float
    resident: float


def measure() -> Iterator[Finding]:
    """Files written at the same time and one after the other, in turn."""
    slow = ("-m", "bench.variants", f"delay={DELAY_MS},slow={DELAY_MS}")
    together, alone = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as home:
        for number in range(ROUNDS):
            for rates, keys in ((together, ""), (alone, "concurrency = 1\n")):
                folder = Path(home) / f"{number}-{len(keys)}"
                with _filing(folder, ISSUES, keys, slow) as daemon:
                    first, last = _reached(daemon, FIRST), _reached(daemon, ISSUES)
                rates.append((last.filed - first.filed) / (last.at - first.at))
    yield Finding(
        subject=f"issues filed as files per second, {DELAY_MS} ms more for each sync of the disk",
        baseline="one after the other (`concurrency = 1`)",
        ratios=[rate / reference for rate, reference in zip(together, alone, strict=True)],
        figures=f"{median(together):,.0f} and {median(alone):,.0f} per second",
        at_least=5.0,
    )


def memory() -> Iterator[Finding]:
    """One daemon that files MANY issues, whose groups all wait from the start."""
    with tempfile.TemporaryDirectory() as home, _filing(Path(home), MANY, "", PROGRAM) as daemon:
        first, last = _reached(daemon, BEGUN), _reached(daemon, MANY)
    yield Finding(
        subject=f"memory after {MANY:,} filed issues",
        baseline=f"the same daemon after {BEGUN:,} of them",
        ratios=[last.resident / first.resident],
        figures=f"{last.resident:.0f} and {first.resident:.0f} MB; "
        f"{(last.cpu - first.cpu) / (last.filed - first.filed) * 1000:.1f} ms of CPU time for each issue",
        at_most=1 + GROWTH_MB / first.resident,
    )


@contextmanager
def _filing(folder: Path, issues: int, keys: str, program: Sequence[str]) -> Iterator[Daemon]:
    """A worker with so many groups that wait for their first issue."""
    worker = served.daemon(folder, "--only", "worker", more=keys + ROUTE)
    config = configuration.load(worker.config)
    store = open_store(config.store)
    presentation = Presentation.from_config(config)
    routing = Routing(config=config, instance_key=store.instance_key(), presentation=presentation)
    chosen = random.Random(load.SEED)
    for start in range(0, issues, load.GROUPS):
        crashes = [json.loads(load.notification(number, chosen)) for number in range(start, start + load.GROUPS)]
        for number, crash in enumerate(crashes, start):
            crash["fingerprint"] = fingerprint(number)
            crash["callstack"][0] = f"frame_{number}"
        accept(store, *crashes[: issues - start], at=time.time())
        while absorb(store, routing, time.time())[0]:
            pass
    store.close()
    worker.spawn(program)
    try:
        yield worker
    finally:
        worker.stop()


def _reached(daemon: Daemon, issues: int) -> _Moment:
    """Wait until so many issues are filed. Raises TimeoutError after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    folder = daemon.folder / "issues"
    while time.monotonic() < deadline:
        filed = sum(name.endswith(".md") for name in os.listdir(folder)) if folder.exists() else 0
        if filed >= issues:
            used = Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            cpu = sum(map(int, used)) / os.sysconf("SC_CLK_TCK")
            return _Moment(time.monotonic(), filed, cpu, resident(daemon.pid))
        time.sleep(0.05 if issues <= ISSUES else 1.0)
    raise TimeoutError(f"{filed} issues of {issues} are filed")
