"""The rate of folding, and the loss of accept rate while a daemon folds."""

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import load, served
from bench.finding import ROUNDS, Finding
from syncd.config import StoreSettings
from syncd.intake.sources import backtrace
from syncd.intake.sources.values import Reading
from syncd.store import Store, open_store, read_store
from syncd.worker.absorb import absorb as fold_batch
from tests.store.filled import NOW, ToHere, accept
from tests.store.raw import change

CLIENTS = 64
SECONDS = 1
STORM = 4000
PATIENCE_SECONDS = 120.0


def measure() -> Iterator[Finding]:
    """In each round and in one store: a receiver accepts alone, a worker folds alone, a daemon accepts and folds."""
    accepted, folded, both = [], [], []
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        for _ in range(ROUNDS + 1):  # the first round warms the caches
            with served.daemon(home / "it", "--only", "receiver") as receiver:
                accepted.append(load.post(receiver.address, file, CLIENTS, SECONDS).rate)
            folded.append(_folded(home / "it"))
            with served.daemon(home / "it", "--only", "receiver") as receiver:
                load.post(receiver.address, file, CLIENTS, SECONDS)  # a backlog
            with served.daemon(home / "it") as daemon:
                load.post(daemon.address, file, CLIENTS, SECONDS)  # the daemon measures the arrival rate
                both.append(load.post(daemon.address, file, CLIENTS, SECONDS).rate)
                daemon.stop()  # after a kill the next process absorbs the oldest deliveries one at a time
            _forget(home / "it")
    accepted, folded, both = accepted[1:], folded[1:], both[1:]
    yield Finding(
        subject="folded notifications per second",
        baseline="accepted notifications per second, 64 clients",
        ratios=[value / reference for value, reference in zip(folded, accepted, strict=True)],
        figures=f"{median(folded):,.0f} and {median(accepted):,.0f} per second",
        at_least=1.0,
    )
    yield Finding(
        subject="accepted notifications per second while the daemon folds the backlog, 64 clients",
        baseline="accepted notifications per second without folding",
        ratios=[value / reference for value, reference in zip(both, accepted, strict=True)],
        figures=f"{median(both):,.0f} and {median(accepted):,.0f} per second",
        at_least=0.8,
    )


def cpu() -> Iterator[Finding]:
    """CPU time of all threads for a notification, from the inbox to its group, in a storm of many and of few groups."""
    reading, chosen = Reading(), random.Random(load.SEED)
    lines = [load.notification(number, chosen) for number in range(load.BODIES)]
    for groups in (load.GROUPS, load.GROUPS // 10):
        storm = [line for number, line in enumerate(lines) if number % load.GROUPS < groups]
        ratios, each = [], []
        with tempfile.TemporaryDirectory() as home:
            store = open_store(StoreSettings(url=f"sqlite:{home}/syncd.db"))
            for number in range(ROUNDS + 1):  # the first round warms the caches
                notifications = [json.loads(storm[place % len(storm)]) for place in range(STORM)]
                for place, notification in enumerate(notifications):
                    notification["occurrences"] = number * STORM + place
                for start in range(0, STORM, 500):
                    accept(store, *notifications[start : start + 500])
                before = time.process_time()
                while fold_batch(store, ToHere(), NOW)[0]:
                    pass
                folded = time.process_time()
                for notification in notifications:
                    backtrace.parse(json.dumps(notification).encode(), NOW, reading)
                read = time.process_time()
                each.append((folded - before) / STORM * 1e6)
                ratios.append((folded - before) / (read - folded))
            store.close()
        yield Finding(
            subject=f"CPU time of folding a notification of one of {groups} groups",
            baseline="CPU time of decoding, encoding and reading one",
            ratios=ratios[1:],
            figures=f"{median(each[1:]):,.0f} µs of the process",
            at_most=1.2,
        )


def _folded(folder: Path) -> float:
    """Deliveries per second that a separate worker folds, from its first batch to its last."""
    worker = served.daemon(folder, "--only", "worker")
    store = read_store(_settings(folder))
    worker.spawn()
    try:
        before = store.report.counts(time.time()).inbox_waiting
        first = _until(store, lambda waiting: waiting < before)
        last = _until(store, lambda waiting: not waiting)
    finally:
        worker.stop()
        store.close()
    return (first.waiting - last.waiting) / (last.at - first.at)


def _forget(folder: Path) -> None:
    """Delete the backlog: folding it would take longer than all measurements."""
    change(_settings(folder), "DELETE FROM deliveries WHERE state = 'waiting'")


def _settings(folder: Path) -> StoreSettings:
    return StoreSettings(url=f"sqlite:{folder}/syncd.db")


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    waiting: int


def _until(store: Store, satisfied: Callable[[int], bool]) -> _Moment:
    """The first moment at which the number of waiting deliveries is `satisfied`. Raises TimeoutError after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        waiting = store.report.counts(time.time()).inbox_waiting
        if satisfied(waiting):
            return _Moment(time.monotonic(), waiting)
        time.sleep(0.02)
    raise TimeoutError(f"{waiting} deliveries are not folded yet")
