"""A clock jump of an hour or a day during load and tracker failures. The daemon files everything after the tracker recovers.

By hand: `python -m tests.prove.clock FOLDER SEED`.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.github import FakeGitHub
from tests.fakes.server import Fault, Recorded
from tests.prove import shifted
from tests.prove.crashes import tally, until
from tests.prove.daemons import (
    ROUTE,
    deliver_all,
    github_section,
    is_drained,
    require_no_unexpected_errors,
    require_stored,
    started,
)
from tests.prove.report import Row
from tests.system import reference
from tests.system.daemon import Daemon

GROUPS = 8
NOTIFICATIONS = 200
PATIENCE_SECONDS = 90.0
FAILING_SECONDS = 3.0  # back-offs and probes begin within this time
_PROBES = 'timeout = "1s"\nprobe_after = ["2s", "3s", "4s"]'
JUMPS = ("+1d", "-1d", "+1h", "-1h")


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpResult:
    """The result of one jump: calls that failed before the tracker recovered, and seconds from then until everything was filed."""

    accepted: int
    failed: int
    filed_after: float


def jump(folder: Path, seed: int, by: str) -> JumpResult:
    """Move the clock after half of the story, when every group has failed once. Raises AssertionError if a promise is broken."""
    folder.mkdir(parents=True, exist_ok=True)
    offset = folder / "offset"
    offset.write_text("+0")
    story = reference.story(GROUPS, NOTIFICATIONS, seed)
    with FakeGitHub() as github:
        weather = _Weather()
        github.weather = weather
        daemon = Daemon(folder, github_section(folder, github.url, _PROBES) + ROUTE)
        # A command has the clock of its machine: with another one it would move the stored times away from the daemon's clock.
        daemon.commands = ("-m", "tests.prove.shifted", str(offset))
        with started(daemon, *daemon.commands):
            accepted, _ = deliver_all(daemon, story[: NOTIFICATIONS // 2])
            until(lambda: weather.failed >= GROUPS, "a failure of every group", PATIENCE_SECONDS)
            time.sleep(FAILING_SECONDS)
            offset.write_text(by)
            accepted += deliver_all(daemon, story[NOTIFICATIONS // 2 :])[0]
            time.sleep(FAILING_SECONDS)
            weather.fine = True
            start_time = time.monotonic()
            until(lambda: is_drained(daemon), f"everything to be filed after {by}", PATIENCE_SECONDS)
            filed_after = time.monotonic() - start_time
            groups = daemon.groups()
            assert daemon.stop() == 0
        texts = [issue.body or "" for issue in github.repository.issues.values()]
        assert tally(groups, texts).exact, tally(groups, texts)
    require_no_unexpected_errors(daemon)
    assert require_stored(folder / "syncd.db", accepted, groups) == 0
    return JumpResult(accepted=len(accepted), failed=weather.failed, filed_after=filed_after)


class _Weather:
    """Every create fails with 500 until `fine` is set."""

    def __init__(self) -> None:
        self.fine = False
        self.failed = 0

    def __call__(self, request: Recorded) -> Fault | None:
        if self.fine or request.method != "POST":
            return None
        self.failed += 1
        return Fault(how="status", status=500, body={"message": "ordered to fail"})


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row per jump; each jump runs `size` times."""
    assert (why := shifted.missing()) is None, why
    for by in JUMPS:
        jumps = [jump(folder / f"{by}-{number}", seed + number, by) for number in range(size)]
        yield Row(
            action=f"the clock jumps by {by} during load; every create has failed with 500 and waits for its next try",
            scale=f"{size} times, {sum(outcome.accepted for outcome in jumps)} notifications, {sum(outcome.failed for outcome in jumps)} failed calls",
            result=f"all filed {max(outcome.filed_after for outcome in jumps):.0f} s after the tracker recovered; every count correct, one issue "
            "per crash",
        )


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]), int(sys.argv[2]), 1):
        print("\n".join(filter(None, row[:4])), flush=True)
