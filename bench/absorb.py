"""Whether folding keeps up with accepting, and how much accepting loses while it does."""

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
from syncd.store import Store, read_store
from tests.store.raw import change

CLIENTS = 64
SECONDS = 1
PATIENCE_SECONDS = 120.0


def measure() -> Iterator[Finding]:
    """Accepted by a receiver alone, folded by a worker alone, and accepted by a daemon that folds meanwhile; in each round one after the other,
    in one store."""
    accepted, folded, both = [], [], []
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = load.bodies(home)
        for _ in range(ROUNDS + 1):  # the first one finds everything cold
            with served.daemon(home / "it", "--only", "receiver") as receiver:
                accepted.append(load.post(receiver.address, file, CLIENTS, SECONDS).rate)
            folded.append(_folded(home / "it"))
            with served.daemon(home / "it", "--only", "receiver") as receiver:
                load.post(receiver.address, file, CLIENTS, SECONDS)  # something to fold
            with served.daemon(home / "it") as daemon:
                load.post(daemon.address, file, CLIENTS, SECONDS)  # it learns how fast they come
                both.append(load.post(daemon.address, file, CLIENTS, SECONDS).rate)
            _forget(home / "it")
    accepted, folded, both = accepted[1:], folded[1:], both[1:]
    yield Finding(
        what="folded a second",
        against="accepted a second, 64 clients",
        ratios=[one / other for one, other in zip(folded, accepted, strict=True)],
        seen=f"{median(folded):,.0f} and {median(accepted):,.0f} a second",
        at_least=1.5,
    )
    yield Finding(
        what="accepted a second while what waits is folded, 64 clients",
        against="accepted a second while nothing is",
        ratios=[one / other for one, other in zip(both, accepted, strict=True)],
        seen=f"{median(both):,.0f} and {median(accepted):,.0f} a second",
        at_least=0.75,
    )


def _folded(folder: Path) -> float:
    """Deliveries folded a second by a worker of its own, from its first ones to the last."""
    worker = served.daemon(folder, "--only", "worker")
    store = read_store(_settings(folder))
    worker.spawn()
    try:
        before = store.report.counts(time.time()).inbox_waiting
        first = _until(store, lambda waiting: waiting < before)
        last = _until(store, lambda waiting: not waiting)
    finally:
        worker.kill()
        store.close()
    return (first.waiting - last.waiting) / (last.at - first.at)


def _forget(folder: Path) -> None:
    """What still waits was measured; folding it would take longer than all the rest."""
    change(_settings(folder), "DELETE FROM deliveries WHERE state = 'waiting'")


def _settings(folder: Path) -> StoreSettings:
    return StoreSettings(url=f"sqlite:{folder}/syncd.db")


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    waiting: int


def _until(store: Store, met: Callable[[int], bool]) -> _Moment:
    """When so many first waited as were asked for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        waiting = store.report.counts(time.time()).inbox_waiting
        if met(waiting):
            return _Moment(time.monotonic(), waiting)
        time.sleep(0.02)
    raise TimeoutError(f"{waiting} deliveries still wait to be folded")
