"""A tracker that hangs for minutes, during load for it and for a healthy tracker. The daemon files everything in the healthy tracker
meanwhile, and everything in the other after it recovers, although that tracker carried out half of the unanswered requests.

By hand: `python -m tests.prove.hanging FOLDER SEED SECONDS`.
"""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.github import FakeGitHub
from tests.fakes.server import Fault, Recorded
from tests.prove.crashes import tally, until
from tests.prove.daemons import deliver_all, github_section, is_drained, require_no_unexpected_errors, require_stored
from tests.prove.report import Row
from tests.system import reference
from tests.system.daemon import Daemon

GROUPS = 20  # half of them for the hanging tracker
NOTIFICATIONS = 400
HELD_SECONDS = 3.0  # delay of each request; longer than the timeout, shorter than the wait before the first probe
PATIENCE_SECONDS = 120.0
_SETTINGS = ('timeout = "1s"', 'probe_after = ["4s", "5s", "7s"]')
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
class HangResult:
    """The result: seconds until the healthy tracker had its issues, and until the other had them after its recovery."""

    accepted: int
    hung: int
    creates: int
    healthy_after: float
    filed_after: float


class _Hanging:
    """Delays every write and one in ten reads. Half of these requests are carried out before the delay, half after it."""

    def __init__(self, seed: int) -> None:
        self.over = False
        self.hung = 0
        self.creates = 0
        self._chance = random.Random(seed)

    def __call__(self, request: Recorded) -> Fault | None:
        is_create = request.path.endswith("/issues") and request.method == "POST"
        # It begins to hang with its first create: without what it answers before, none would be sent.
        if self.over or not (self.hung or is_create) or (request.method == "GET" and self._chance.random() < 0.9):
            return None
        self.hung += 1
        self.creates += is_create
        return Fault(how=self._chance.choice(("hang_before", "hang_after")), seconds=HELD_SECONDS)


def hang(folder: Path, seed: int, seconds: float) -> HangResult:
    """Let a tracker hang for `seconds`. Raises AssertionError if a promise is broken."""
    story = reference.story(GROUPS, NOTIFICATIONS, seed)
    with FakeGitHub() as here, FakeGitHub() as slow:
        hanging = _Hanging(seed)
        slow.weather = hanging
        trackers = "".join(
            [
                github_section(folder, here.url, *_SETTINGS),
                github_section(folder, slow.url, *_SETTINGS, name="slow"),
                _ROUTES,
            ]
        )
        with Daemon(folder, trackers) as daemon:
            start_time = time.monotonic()
            accepted, refused = deliver_all(daemon, story)
            assert not refused
            until(lambda: len(here.repository.issues) == GROUPS // 2, "the healthy tracker's issues", PATIENCE_SECONDS)
            healthy_after = time.monotonic() - start_time
            time.sleep(max(0.0, seconds - healthy_after))  # the duration of the fault
            assert hanging.creates, "no create was delayed"
            hanging.over = True
            end_time = time.monotonic()
            until(lambda: is_drained(daemon), "everything to be filed", PATIENCE_SECONDS)
            filed_after = time.monotonic() - end_time
            groups = daemon.groups()
            assert daemon.stop() == 0
        texts = [issue.body or "" for fake in (here, slow) for issue in fake.repository.issues.values()]
        assert tally(groups, texts).exact, tally(groups, texts)
    require_no_unexpected_errors(daemon)
    assert require_stored(folder / "syncd.db", accepted, groups) == 0
    return HangResult(
        accepted=len(accepted),
        hung=hanging.hung,
        creates=hanging.creates,
        healthy_after=healthy_after,
        filed_after=filed_after,
    )


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row. `size` is the duration of the hang in seconds."""
    result = hang(folder, seed, float(size))
    yield Row(
        action="one of two trackers hangs during load; it carries out half of its requests before the delay and half after it",
        scale=f"{size} s, {result.hung} delayed requests, {result.creates} of them creates, {result.accepted} notifications, {GROUPS // 2} crashes per tracker",
        result=f"the healthy tracker had all its issues after {result.healthy_after:.1f} s, the other {result.filed_after:.0f} s after its "
        "recovery, without intervention; one issue per crash, every count correct",
    )


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
        print("\n".join(filter(None, row[:4])), flush=True)
