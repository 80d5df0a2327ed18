"""Two receivers, four workers, eight senders and one PostgreSQL: `python -m tests.prove.cluster GROUPS EACH SEED`.

Processes are killed with SIGKILL at random times, and all workers between each tenth create and its answer. The server is stopped and
started three times in the middle, once so that it has to recover from its log. Then the trial compares the acknowledged notifications
with the groups and the issues.
"""

import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import postgres
from tests.fakes.server import Moment, Recorded
from tests.postgres import Databases, Server
from tests.prove import dying
from tests.prove.crashes import FINGERPRINT, tally
from tests.prove.report import Row
from tests.system.cluster import Cluster, Ledger, killed, send_all
from tests.system.daemon import PROGRAM
from tests.system.kinds import Kind, opened
from tests.system.reference import counts, fits

RECEIVERS, WORKERS, SENDERS = 2, 4, 8
LAG_SECONDS = 3.5
LATENCY_SECONDS = 0.05
AIMED_CREATES = 10  # of so many creates one is hit between its effect and its answer
FORGETTING = ("-m", "tests.prove.dying", dying.FORGETTING, "1", "0")
KILL_SECONDS = (0.3, 1.2)
RESTARTS = (signal.SIGINT, signal.SIGQUIT, signal.SIGINT)
DRAIN_SECONDS = 300.0
_TRACKER = 'timeout = "2s"\nprobe_after = ["3s", "5s", "8s"]\nconcurrency = 2\nwrites = []\n'


@dataclass(kw_only=True)
class Outcome:
    """The result of a trial. `wrong` lists violations."""

    sent: int
    killed: Counter[str]
    hit: int
    restarts: int
    seconds: float
    issues: int
    groups: int
    doubles: int
    drained_after: float
    wrong: list[str] = field(default_factory=list)


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row. `size` is the number of groups; each gets twenty notifications."""
    outcome = trial(folder / "proved", size, 20, seed)
    control = trial(folder / "control", max(40, size // 10), 20, seed, FORGETTING)
    many = ", ".join(f"{part} {number}" for part, number in sorted(outcome.killed.items()))
    yield Row(
        action=f"{RECEIVERS} receivers, {WORKERS} workers and {SENDERS} senders on one PostgreSQL, kill -9 of random processes, "
        f"and of all workers between each {AIMED_CREATES}th create and its answer; "
        f"{outcome.restarts} restarts of the server during the load, one of them a crash; lists of the tracker lag by {LAG_SECONDS:g} s",
        scale=f"{outcome.sent:,} notifications over {outcome.groups:,} groups in {outcome.seconds:.0f} s; killed at random: {many}; "
        f"creates cut off from their answer: {outcome.hit}",
        result="; ".join(outcome.wrong)
        or f"0 acknowledged notifications lost, {outcome.issues:,} issues, no duplicates, all counts equal the reference; drained "
        f"{outcome.drained_after:.0f} s after the last acknowledgement",
        control=f"workers that repeat creates in doubt: {control.doubles} duplicate issues of {control.groups} groups",
        ok=not outcome.wrong and control.doubles > 0,
    )


def trial(folder: Path, groups: int, each: int, seed: int, program: Sequence[str] = PROGRAM) -> Outcome:
    """Send `each` notifications of each of `groups` groups during kills and restarts. Then drain and compare."""
    folder.mkdir(exist_ok=True)
    with postgres.server() as server, opened("github", folder) as tracker:
        assert tracker.fake is not None
        tracker.fake.lag_seconds = LAG_SECONDS
        tracker.fake.latency = LATENCY_SECONDS  # so that many kills hit a call in progress
        tracker.fake.remember(100)
        url = Databases(server.url("postgres")).new()
        with Cluster(folder / "members", url, tracker.toml(_TRACKER), RECEIVERS, WORKERS, program) as cluster:
            return _run_load(cluster, server, tracker, groups, each, seed)


def _run_load(cluster: Cluster, server: Server, tracker: Kind, groups: int, each: int, seed: int) -> Outcome:
    aim = _Aim(cluster)
    assert tracker.fake is not None
    tracker.fake.watch = aim.note
    start_time = time.monotonic()
    with killed(cluster, seed, KILL_SECONDS) as dead:
        progress = send_all(cluster, groups, each, SENDERS, seed)
        ledger = next(progress)
        for number, how in enumerate(RESTARTS, start=1):
            _await_share(ledger, groups * each * number // (len(RESTARTS) + 1))
            server.restart(how)
        next(progress)
    acknowledged = time.monotonic()
    drain(cluster)
    texts = tracker.texts()
    return Outcome(
        sent=len(ledger.acknowledged),
        killed=Counter(dead),
        hit=aim.hit,
        restarts=len(RESTARTS),
        seconds=acknowledged - start_time,
        issues=sum(bool(FINGERPRINT.search(text)) for text in texts),
        groups=groups,
        doubles=tally(counts(ledger.acknowledged), texts).doubles,
        drained_after=time.monotonic() - acknowledged,
        wrong=differences(cluster, ledger, texts),
    )


class _Aim:
    """Kills every worker between each AIMED_CREATES-th create and its answer. `hit` is the number of these creates."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._creates = 0
        self.hit = 0

    def note(self, moment: Moment, request: Recorded) -> None:
        if moment != "carried_out" or request.method != "POST" or not request.path.endswith("/issues"):
            return
        with self._lock:
            self._creates += 1
            if self._creates % AIMED_CREATES:
                return
            self.hit += 1
            for worker in self._cluster.workers:
                self._cluster.kill(worker)


def _await_share(ledger: Ledger, share: int) -> None:
    while len(ledger.acknowledged) < share:
        time.sleep(0.02)


def drain(cluster: Cluster) -> None:
    """Wait until no work is left. Raises AssertionError after DRAIN_SECONDS."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        status = cluster.receivers[0].status()
        if not status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not drain: {status}\n{cluster.workers[0].log.read_text()[-3000:]}")
        time.sleep(0.5)


def differences(cluster: Cluster, ledger: Ledger, texts: list[str]) -> list[str]:
    """Up to five differences between the cluster and the ledger."""
    wanted = counts(ledger.acknowledged)
    groups = cluster.receivers[0].groups()
    issues = tally(wanted, texts)
    wrong = [] if issues.exact else [f"not every group has one issue: {issues}"]
    if groups.keys() != wanted.keys():
        wrong.append(
            f"{len(wanted.keys() - groups.keys())} groups lost, {len(groups.keys() - wanted.keys())} never sent"
        )
    for name in wanted.keys() & groups.keys():
        # The store may hold a copy whose response was lost. It adds nothing but one notification to the count.
        copies, distinct = groups[name]["notifications"], wanted[name]["notifications"]
        if (
            not fits(groups[name] | {"notifications": distinct}, wanted[name])
            or not distinct <= copies <= ledger.tries[name]
        ):
            wrong.append(
                f"{name[:12]}: {groups[name]} is not {wanted[name]} with {distinct} to {ledger.tries[name]} notifications"
            )
    return wrong[:5]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        print(trial(Path(home), int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
