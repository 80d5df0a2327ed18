"""The time from the response to the first notification of a group until its issue exists, with a GitHub latency of 100 ms."""

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
    """Without other load, and during a storm of notifications of existing groups at the highest rate."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tracker = stack.enter_context(opened("github", home))
        assert tracker.fake is not None
        filed = _Filed()
        tracker.fake.watch = filed.observe
        # No route takes the project of the storm: the measurement is the wait of a new group behind it.
        toml = tracker.toml("writes = []\n").replace("[[routes]]\n", '[[routes]]\nmatch = { project = "new" }\n')
        daemon = stack.enter_context(Daemon(home, toml))
        file = load.bodies(home)
        numbers = count(10_000)
        _round(daemon, filed, numbers, 1)  # the daemon asks the tracker its one-time questions
        tracker.fake.latency = LATENCY
        load.post(daemon.address, file, 64, 1)
        daemon.wait_for(lambda: not daemon.status()["inbox"]["waiting"], "the storm to be folded")
        idle, storm = [], []
        with ThreadPoolExecutor(1) as pool:
            for _ in range(ROUNDS):
                idle.append(_round(daemon, filed, numbers, CRASHES))
                posting = pool.submit(load.post, daemon.address, file, 64, STORM_SECONDS)
                time.sleep(0.5)  # the connections of the storm are open by then
                storm.append(_round(daemon, filed, numbers, CRASHES))
                posting.result()
                daemon.wait_for(lambda: not daemon.status()["inbox"]["waiting"], "the storm to be folded")
    yield _finding(
        "time until a new group has its issue", "the tracker's latency of 100 ms", idle, [LATENCY] * ROUNDS, 1.3
    )
    yield _finding("the same during a storm of other groups", "without a storm", storm, idle, 3.0)


def _finding(subject: str, baseline: str, seconds: list[float], references: list[float], goal: float) -> Finding:
    return Finding(
        subject=f"{subject} (99th percentile)",
        baseline=baseline,
        ratios=[value / reference for value, reference in zip(seconds, references, strict=True)],
        figures=f"{statistics.median(seconds) * 1000:.0f} and {statistics.median(references) * 1000:.0f} ms",
        at_most=goal,
    )


class _Filed:
    """The creation time of each issue, from the fake."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._changed = threading.Condition()

    def observe(self, moment: Moment, request: Recorded) -> None:
        """Record the creation of an issue."""
        if moment == "carried_out" and request.method == "POST" and request.path.endswith("/issues"):
            with self._changed:
                self._at[FINGERPRINT.findall(request.body["body"])[0]] = time.monotonic()
                self._changed.notify_all()

    def at(self, name: str) -> float:
        """Wait for the issue of a crash and return its creation time. Raises TimeoutError after PATIENCE_SECONDS."""
        with self._changed:
            if not self._changed.wait_for(lambda: name in self._at, PATIENCE_SECONDS):
                raise TimeoutError(f"{name} has no issue")
            return self._at[name]


def _round(daemon: Daemon, filed: _Filed, numbers: Iterator[int], crashes: int) -> float:
    """The 99th percentile of the seconds until a crash has its issue."""
    sender = daemon.sender()
    waited = []
    for number in (next(numbers) for _ in range(crashes)):
        answer = sender.send(crash(number, project="new"))
        answered = time.monotonic()
        if answer.status != 200:
            raise RuntimeError(f"the daemon did not accept: {answer}")
        waited.append(filed.at(fingerprint(number)) - answered)
    sender.close()
    return statistics.quantiles(waited, n=100, method="inclusive")[98] if crashes > 1 else waited[0]
