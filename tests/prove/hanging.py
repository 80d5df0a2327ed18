"""A tracker that hangs for minutes, while notifications come in for it and for a healthy one: that one files everything meanwhile,
and the other by itself once it answers again, though it had carried out half of what it did not answer.

By hand: `python -m tests.prove.hanging FOLDER SEED SECONDS`.
"""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.server import Fault, Recorded
from tests.prove.crashes import tally, until
from tests.prove.report import Row
from tests.prove.started import insist, require_kept
from tests.system import reference
from tests.system.daemon import Daemon

GROUPS = 20  # every other one for the tracker that hangs
NOTIFICATIONS = 400
HELD_SECONDS = 3.0  # so long each request is held, and then carried out; longer than the timeout, shorter than the first probe waits
PATIENCE_SECONDS = 120.0
_ROUTES = """
[[routes]]
match = { project = "game-server" }
tracker = "slow"
max_new_issues = []
max_updates = []
status_interval = "1s"
[[routes]]
tracker = "here"
max_new_issues = []
max_updates = []
status_interval = "1s"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What came of it: how long the healthy tracker took for its own, and the other once it answered again, in seconds."""

    accepted: int
    hung: int
    creates: int
    healthy_after: float
    filed_after: float


class _Hanging:
    """Every write and half of the reads. Half of them are carried out before nothing is said for long, the others after it."""

    def __init__(self, seed: int) -> None:
        self.over = False
        self.hung = 0
        self.creates = 0
        self._chance = random.Random(seed)

    def __call__(self, request: Recorded) -> Fault | None:
        if self.over or (request.method == "GET" and self._chance.random() < 0.5):
            return None
        self.hung += 1
        self.creates += request.path.endswith("/issues") and request.method == "POST"
        return Fault(how=self._chance.choice(("hang_before", "hang_after")), seconds=HELD_SECONDS)


def hang(folder: Path, seed: int, seconds: float) -> Recovered:
    """Let a tracker hang for so long. Raises AssertionError where a promise is broken."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    told = reference.story(GROUPS, NOTIFICATIONS, seed)
    with FakeGitHub() as here, FakeGitHub() as slow:
        hanging = _Hanging(seed)
        slow.weather = hanging
        trackers = _tracker(folder, "here", here.url) + _tracker(folder, "slow", slow.url) + _ROUTES
        with Daemon(folder, trackers) as daemon:
            began = time.monotonic()
            accepted, refused = insist(daemon, told)
            assert not refused
            until(lambda: len(here.repository.issues) == GROUPS // 2, "the healthy tracker's issues", PATIENCE_SECONDS)
            healthy_after = time.monotonic() - began
            time.sleep(max(0.0, seconds - healthy_after))  # the fault itself
            assert hanging.creates, "no create was held"
            hanging.over = True
            ended = time.monotonic()
            until(lambda: _is_filed(daemon), "everything to be filed", PATIENCE_SECONDS)
            filed_after = time.monotonic() - ended
            groups = daemon.groups()
            assert daemon.stop() == 0
        texts = [issue.body or "" for fake in (here, slow) for issue in fake.repository.issues.values()]
        assert tally(groups, texts).exact, tally(groups, texts)
    assert '"bug"' not in daemon.log.read_text()
    assert require_kept(folder / "syncd.db", accepted, groups) == 0
    return Recovered(
        accepted=len(accepted),
        hung=hanging.hung,
        creates=hanging.creates,
        healthy_after=healthy_after,
        filed_after=filed_after,
    )


def _tracker(folder: Path, name: str, address: str) -> str:
    return (
        f'[trackers.{name}]\nkind = "github"\nrepository = "acme/game"\napi_url = "{address}"\ntimeout = "1s"\n'
        f'token = {{ file = "{folder}/token" }}\nwrites = ["6000/1m"]\nprobe_after = ["4s", "5s", "7s"]\n'
    )


def _is_filed(daemon: Daemon) -> bool:
    time.sleep(0.3)  # each look is a process
    status = daemon.status()
    return not status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One line. `size` is how many seconds the tracker hangs."""
    came = hang(folder, seed, float(size))
    yield Row(
        done="a tracker hangs, half of its requests carried out and half not, while notifications come in for it and a healthy one",
        many=f"{size} s, {came.hung} requests held, {came.creates} of them creates, {came.accepted} notifications, {GROUPS // 2} crashes for each of the two",
        came=f"the healthy one had all its issues after {came.healthy_after:.1f} s; the other by itself {came.filed_after:.0f} s after it "
        "answered again; one issue each, every count right",
    )


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
        print("\n".join(filter(None, row[:4])), flush=True)
