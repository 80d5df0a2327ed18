"""A tracker that cannot be reached for minutes, with two hundred new crashes for it: the calls that are made, and what comes of the crashes.

By hand: `python -m tests.prove.unreachable FOLDER SECONDS`.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.door import Door, Way
from tests.fakes.github import FakeGitHub
from tests.prove.crashes import Tally, crash, fingerprint, tally
from tests.prove.daemons import github_section, ready
from tests.prove.report import Row
from tests.system.daemon import Daemon

GROUPS = 200
LONGEST_PAUSE_SECONDS = 60.0
_ROUTE = '[[routes]]\ntracker = "here"\nstatus_interval = "1s"\nmax_new_issues = []\nmax_updates = []\n'
_SETTINGS = ('timeout = "2s"', 'probe_after = ["3s", "4s"]')
WAYS: dict[Way | None, str] = {
    "refused": "A port that refuses connections",
    "silent": "A server that accepts connections and never answers",
    "page": "A login page instead of the API (200)",
    "redirect": "A redirect to a login page (302)",
    "html error": "A gateway that answers 502",
    None: "An expired certificate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageResult:
    """The calls that the daemon made during an outage of so many seconds, what it showed then, and what came of the groups."""

    seconds: float
    calls: Counter[str]
    state: str
    since: float
    in_doubt: int
    oldest_age: float
    dead: int
    filed: Tally
    filed_after: float

    def wrong(self) -> list[str]:
        """The broken promises."""
        reads, steps = self.calls["ping"], steps_within(self.seconds)
        return [
            *([] if self.state == "unreachable" else [f"the tracker is {self.state}"]),
            *([] if reads <= steps else [f"{reads} reads in {steps} steps of the back-off"]),
            # A create reads the highest number before it.
            *([] if sum(self.calls.values()) - reads <= 2 else [f"calls besides the reads: {self.calls}"]),
            *([] if self.in_doubt <= 1 else [f"{self.in_doubt} creates in doubt"]),
            *([] if self.oldest_age >= 0.8 * self.seconds else [f"the oldest call is {self.oldest_age:.0f} s old"]),
            *([] if not self.dead and self.filed.exact else [f"{self.dead} dead letters, {self.filed}"]),
        ]


def steps_within(seconds: float) -> int:
    """The reads that an outage may cost: at once, and 1, 2, 4, … 60 seconds after each other; one more for the edge."""
    at, pause, reads = 0.0, 1.0, 1
    while (at := at + pause) <= seconds:
        pause, reads = min(2 * pause, LONGEST_PAUSE_SECONDS), reads + 1
    return reads + 1


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row per kind of outage, each of `size` seconds."""
    for way, what in WAYS.items():
        result = outage(folder / (way or "expired").replace(" ", "-"), way, size)
        wrong = result.wrong()
        yield Row(
            action=f"{what}, for {size} s, with {GROUPS} new crashes",
            scale=f"{result.calls['ping']} reads and {sum(result.calls.values()) - result.calls['ping']} other calls",
            result="; ".join(wrong)
            or f"unreachable is shown with its cause; {result.in_doubt} in doubt; by itself all {GROUPS} filed once "
            f"{result.filed_after:.0f} s after the end",
            ok=not wrong,
        )


def outage(folder: Path, way: Way | None, seconds: float) -> OutageResult:
    """Let a tracker be out of reach for so many seconds; None is an expired certificate."""
    folder.mkdir(parents=True)
    with FakeGitHub() as fake, Door(fake.url, way or "open", None if way else folder) as door:
        secure = [] if way else [f'ca_file = "{door.ca_file}"']
        with Daemon(folder, github_section(folder, door.url, *_SETTINGS, *secure) + _ROUTE) as daemon:
            began = time.time()
            daemon.send_all([crash(number) for number in range(GROUPS)])
            time.sleep(max(0.0, began + seconds - time.time()))
            lines = daemon.log.read_text().splitlines()
            calls = Counter(json.loads(line)["operation"] for line in lines if '"tracker_call"' in line)
            status, answer = daemon.status(), ready(daemon)[1]
            now = time.time()
            if way:
                door.lead("open")
            else:
                door.renew()
            after = daemon.drain()
        texts = [str(issue.body) for issue in fake.repository.issues.values()]
    return OutageResult(
        seconds=seconds,
        calls=calls,
        state=status["trackers"]["here"]["state"],
        since=answer["unreachable_trackers"].get("here", {}).get("since", 0.0),
        in_doubt=status["issues"]["in_doubt"],
        oldest_age=now - (status["outbox"]["oldest_at"] or now),
        dead=after["dead"],
        filed=tally([fingerprint(number) for number in range(GROUPS)], texts),
        filed_after=time.time() - now,
    )


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]), 0, int(sys.argv[2])):
        print(row)
