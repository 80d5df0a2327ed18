"""Distinct crashes, waiting for a condition, and counting issues."""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.system.reference import START

FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def fingerprint(number: int) -> str:
    """The fingerprint of crash `number`."""
    return hashlib.sha256(f"crash {number}".encode()).hexdigest()


def crash(number: int, total: int = 1, project: str = "game-client") -> dict[str, Any]:
    """A notification: crash `number` has `total` occurrences so far."""
    return {
        "universe": "acme",
        "project": project,
        "fingerprint": fingerprint(number),
        "application": "game",
        "callstack": [f"frame_{number}", "main"],
        "occurrences": total,
        "object_id": format(total, "x"),
        "timestamp": [START, START + total],
        "attributes": {"version": [["1.0.0", total]]},
    }


@dataclass(frozen=True, slots=True)
class Tally:
    """Issues per crash: `missing` counts crashes without an issue, `doubles` the issues beyond the first of a crash."""

    issues: int
    missing: int
    doubles: int

    @property
    def exact(self) -> bool:
        return not self.missing and not self.doubles


def tally(wanted: Iterable[str], texts: Iterable[str]) -> Tally:
    """Count the `wanted` fingerprints in the texts of all issues."""
    issues = Counter(match[0] for text in texts if (match := FINGERPRINT.search(text)))
    expected = set(wanted)
    return Tally(
        issues=issues.total(),
        missing=len(expected - issues.keys()),
        doubles=issues.total() - len(issues),
    )


def until(condition: Callable[[], object], what: str, seconds: float) -> None:
    """Wait until `condition` is true. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:g} seconds"
        time.sleep(0.02)
