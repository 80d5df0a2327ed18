"""From the answer to the first notification of a group to its issue, in a GitHub that needs 100 ms for each request."""

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from bench import load
from bench.finding import ROUNDS, Finding
from tests.fakes.server import Moment, Recorded
from tests.prove.crashes import FINGERPRINT, crash, fingerprint
from tests.system.daemon import Daemon
from tests.system.kinds import opened

LATENCY = 0.1
CRASHES = 15  # in each round
STORM_SECONDS = 4
PATIENCE_SECONDS = 60.0


def measure() -> Iterator[Finding]:
    """While nothing else comes, and while a storm of groups that are known is accepted as fast as can be."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tracker = stack.enter_context(opened("github", home))
        assert tracker.fake is not None
        filed = _Filed()
        tracker.fake.watch = filed.told
        # The storm is of another project, which no route takes: what is measured is how long a new group waits behind it.
        toml = tracker.toml("writes = []\n").replace("[[routes]]\n", '[[routes]]\nmatch = { project = "new" }\n')
        daemon = stack.enter_context(Daemon(home, toml))
        file = load.bodies(home)
        numbers = count(10_000)
        _round(daemon, filed, numbers, 1)  # the tracker is asked what it is asked once
        tracker.fake.latency = LATENCY
        load.post(daemon.address, file, 64, 1)
        daemon.wait_for(lambda: not daemon.status()["inbox"]["waiting"], "the storm to be folded")
        idle, storm = [], []
        with ThreadPoolExecutor(1) as pool:
            for _ in range(ROUNDS):
                idle.append(_round(daemon, filed, numbers, CRASHES))
                posting = pool.submit(load.post, daemon.address, file, 64, STORM_SECONDS)
                time.sleep(0.5)  # the storm's own connections
                storm.append(_round(daemon, filed, numbers, CRASHES))
                posting.result()
                daemon.wait_for(lambda: not daemon.status()["inbox"]["waiting"], "the storm to be folded")
    yield _finding("a new group has its issue within", "the tracker's 100 ms", idle, [LATENCY] * ROUNDS, 1.3)
    yield _finding("the same in a storm of other groups", "without one", storm, idle, 3.0)


def _finding(what: str, against: str, seconds: list[float], others: list[float], goal: float) -> Finding:
    return Finding(
        what=f"{what} (99 of 100)",
        against=against,
        ratios=[one / other for one, other in zip(seconds, others, strict=True)],
        seen=f"{statistics.median(seconds) * 1000:.0f} and {statistics.median(others) * 1000:.0f} ms",
        at_most=goal,
    )


class _Filed:
    """When issues came to be, told by the fake."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._told = threading.Condition()

    def told(self, moment: Moment, request: Recorded) -> None:
        """A moment of a request."""
        if moment == "carried_out" and request.method == "POST" and request.path.endswith("/issues"):
            with self._told:
                self._at[FINGERPRINT.findall(request.body["body"])[0]] = time.monotonic()
                self._told.notify_all()

    def at(self, name: str) -> float:
        """When the issue of a crash was there; waits for it."""
        with self._told:
            if not self._told.wait_for(lambda: name in self._at, PATIENCE_SECONDS):
                raise TimeoutError(f"{name} has no issue")
            return self._at[name]


def _round(daemon: Daemon, filed: _Filed, numbers: Iterator[int], crashes: int) -> float:
    """Seconds within which all but one in a hundred have their issue."""
    sender = daemon.sender()
    waited = []
    for number in (next(numbers) for _ in range(crashes)):
        answer = sender.send(crash(number, project="new"))
        answered = time.monotonic()
        if answer.status != 200:
            raise RuntimeError(f"the daemon did not answer well: {answer}")
        waited.append(filed.at(fingerprint(number)) - answered)
    sender.close()
    return statistics.quantiles(waited, n=100, method="inclusive")[98] if crashes > 1 else waited[0]
