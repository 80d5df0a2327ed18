"""kill -9 at every step and at random times: `python -m tests.prove.chaos KIND KILLS SEED`.

The trial kills and restarts a real daemon under constant load. The tracker keeps running, hides new issues from its lists for longer
than a restart takes, and fails a quarter of all requests. At the end the tracker works again, the trial starts the daemon once more and
counts the issues in the tracker. The seed determines steps, times, loads and failures. It does not determine how threads and processes
interleave, so two runs with one seed differ.

On Data Center no request fails in a life that ends at a step of a doubt or of a comment: a probe reads about twenty keys one by one and
would not end within such a life.
"""

import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fakes.github import FakeGitHub
from tests.fakes.server import Fault
from tests.fakes.weather import Weather
from tests.prove import chaos_verdict, dying
from tests.prove.chaos_kills import (
    CREATE,
    DOUBTS,
    MISSED,
    ONCE,
    PATIENT,
    RANDOM,
    STARTING,
    Watch,
    next_step,
    schedule,
)
from tests.prove.chaos_load import Load
from tests.prove.chaos_verdict import Verdict
from tests.prove.daemons import UNEXPECTED
from tests.system import processes
from tests.system.daemon import PROGRAM, Daemon
from tests.system.kinds import Kind, opened

SHARE = 0.25  # of the tracker's requests fail
LAG_SECONDS = 3.5  # a restart takes less than one second
HOLD_SECONDS = (0.3, 1.3)  # some exceed the timeout of the client, all end before the first probe
STARTING_SECONDS = 0.4
RANDOM_SECONDS = 0.7
LIFE_SECONDS = 1.2  # the trial waits this long for a step
PATIENT_SECONDS = 3.0  # the first probe starts after two seconds
DRAIN_SECONDS = 600.0
REMEMBERED = 300  # requests that the fake checks against the published description

_SERVER = 'timeout = "1s"\nprobe_after = ["2s", "4s", "6s"]\nconcurrency = 2\nwrites = []\n'


def run(kind: str, folder: Path, kills: int, seed: int, fault: str = dying.NEVER) -> Verdict:
    """Kill the daemon `kills` times, drain it, and count. With `fault=dying.FORGETTING` the verdict must have duplicates."""
    start_time = time.monotonic()
    processes.PREPARED = True  # a life lasts about as long as the imports of a new program
    with opened(kind, folder) as tracker:
        daemon = Daemon(folder, tracker.toml("" if kind == "local" else _SERVER))
        trial = _Trial(tracker, daemon, kind, seed, fault)
        try:
            trial.kill_often(kills)
            trial.drain()
            trial.judge()
        finally:
            if daemon.alive:
                daemon.kill()
        trial.verdict.seconds = time.monotonic() - start_time
        return trial.verdict


class _Trial:
    """One tracker, one store, many lives of the daemon."""

    def __init__(self, tracker: Kind, daemon: Daemon, kind: str, seed: int, fault: str) -> None:
        self.verdict = Verdict(kind=kind, seed=seed)
        self._tracker = tracker
        self._daemon = daemon
        self._fault = fault
        self._chance = random.Random(seed)
        self._load = Load(seed)
        self._watch = Watch()
        self._weather = Weather(seed, SHARE, HOLD_SECONDS)
        self._lives = 0

    def kill_often(self, kills: int) -> None:
        """Run lives that end by SIGKILL, `kills` in number."""
        if fake := self._tracker.fake:
            fake.lag_seconds = LAG_SECONDS
            if isinstance(fake, FakeGitHub):
                fake.filtered_lag_seconds = LAG_SECONDS
                fake.remaining = 10**9
            fake.remember(REMEMBERED)
            fake.weather, fake.watch = self._weather, self._watch
        self._load.start()
        deaths: Counter[str] = Counter()
        plan = schedule(self.verdict.kind, kills, self._chance, self._fault != dying.NEVER)
        how = MISSED
        while plan:
            step = next_step(plan, self.verdict.kind, how)
            how = self._live(step)
            deaths[how] += 1
            if how == MISSED and RANDOM in plan:
                # A missed step counts as a random kill. Replace a planned random kill by a second try of the step.
                plan.remove(RANDOM)
                plan.insert(self._chance.randint(0, len(plan)), step)
        self.verdict.kills = dict(deaths)

    def _live(self, step: str) -> str:
        """Run one life and return the step at which it ended."""
        self._load.grant(new=self._chance.choice((1, 1, 2)), more=6)
        nth = 1 if step in ONCE else self._chance.choice((1, 1, 1, 2, 3))
        self._weather.share = 0.0 if self.verdict.kind == "jira-datacenter" and step in PATIENT else SHARE
        if self._tracker.fake and step in DOUBTS:
            self._tracker.fake.inject(Fault(how=DOUBTS[step], path=CREATE))
        self._daemon.spawn(self._program(step, nth))
        self._watch.arm(self._daemon.pid, step, nth)
        if step == STARTING:
            code = self._daemon.wait_dead(self._chance.uniform(0.0, STARTING_SECONDS))
        else:
            self._await_listening()
            patience = PATIENT_SECONDS if step in PATIENT and self._tracker.fake else LIFE_SECONDS
            code = self._daemon.wait_dead(self._chance.uniform(0.0, RANDOM_SECONDS) if step == RANDOM else patience)
        if code is None:
            code = self._daemon.kill()
            step = step if step in (RANDOM, STARTING) else MISSED
        self._load.at(None)
        self._watch.disarm()
        if code != -9:
            raise RuntimeError(f"the daemon ended with {code}:\n{self._daemon.log.read_text()[-4000:]}")
        return step

    def _program(self, step: str, nth: int) -> tuple[str, ...]:
        self._lives += 1
        own = step if step in dying.STEPS else self._fault
        storm = self.verdict.seed * 10_000 + self._lives if self.verdict.kind == "local" else 0
        if own == dying.NEVER and not storm:
            return PROGRAM
        return "-m", "tests.prove.dying", own, str(nth), str(storm)

    def _await_listening(self) -> None:
        while self._daemon.alive:
            if self._daemon.listens():
                self._load.at(self._daemon.address)
                return
            time.sleep(0.01)

    def drain(self) -> None:
        """Stop all failures, start the daemon once more, and wait until no work is left."""
        start_time = time.monotonic()
        if fake := self._tracker.fake:
            fake.weather = None
        self._daemon.spawn(
            PROGRAM if self._fault == dying.NEVER else ("-m", "tests.prove.dying", self._fault, "0", "0")
        )
        self._watch.arm(self._daemon.pid, dying.NEVER, 0)
        self._await_listening()
        sent = self._load.end(DRAIN_SECONDS)
        while sent and time.monotonic() - start_time < DRAIN_SECONDS:
            if self._is_drained() and not self._replay():
                self.verdict.drained_after = time.monotonic() - start_time
                return
            time.sleep(0.5)

    def _is_drained(self) -> bool:
        status = self._daemon.status()
        self.verdict.parked = status["issues"]["parked"]
        return not status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]

    def _replay(self) -> int:
        """Replay the deliveries that two kills have met alone in hand, as the operator would. Return how many there were."""
        kept = json.loads(self._daemon.syncd("quarantine", "list", "--json"))
        deadly = [str(delivery["id"]) for delivery in kept if delivery["code"] == "deadly"]
        if deadly:
            self._daemon.syncd("quarantine", "replay", *deadly)
        self.verdict.replayed += len(deadly)
        return len(deadly)

    def judge(self) -> None:
        """Count issues in the tracker, then events in the log."""
        groups = self._daemon.groups()
        code = self._daemon.stop()
        if code != 0:
            raise RuntimeError(f"the daemon ended with {code}:\n{self._daemon.log.read_text()[-4000:]}")
        verdict = self.verdict
        chaos_verdict.count(verdict, self._load.ledger, self._tracker.texts(), self._tracker.comments(), groups)
        if fake := self._tracker.fake:
            verdict.requests, verdict.stormy = fake.arrivals, self._weather.met
            verdict.late = self._watch.late
        groups_in_doubt, failures = set(), Counter(self._weather.failed)
        for event in _events(self._daemon.log):
            name = event["event"]
            verdict.busy += name == "claims_taken_over"
            verdict.bugs += name == UNEXPECTED
            verdict.probes += name == "create_probed"
            if name == "create_probed":
                groups_in_doubt.add(event["group"])
            elif name == dying.FILE_FAILED:
                failures[str(event["what"])] += 1
        verdict.in_doubt, verdict.failed = len(groups_in_doubt), dict(failures)


def _events(log: Path) -> list[dict[str, object]]:
    # A kill may have truncated a line.
    whole = [line for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    return [json.loads(line) for line in whole]


def main(kind: str, kills: str, seed: str) -> int:
    """Print the verdict in one line. Keep the folder if anything is wrong."""
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{kind}-"))
    verdict = run(kind, folder, int(kills), int(seed))
    print(verdict.line())
    if not verdict.wrong:
        shutil.rmtree(folder)
        return 0
    print("\n".join(f"  {sentence}" for sentence in verdict.wrong), f"  see {folder}", sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
