"""Crashes whose issues can be told apart, waiting for what becomes of them, and counting it."""

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
    """Of crash `number`."""
    return hashlib.sha256(f"crash {number}".encode()).hexdigest()


def crash(number: int, total: int = 1, project: str = "game-client") -> dict[str, Any]:
    """A notification that crash `number` has occurred `total` times so far."""
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
    """How often each crash has an issue: `missing` have none, `doubles` are issues beyond the first of their crash."""

    issues: int
    missing: int
    doubles: int

    @property
    def exact(self) -> bool:
        return not self.missing and not self.doubles


def tally(wanted: Iterable[str], texts: Iterable[str]) -> Tally:
    """`wanted` fingerprints, counted in the texts of all issues there are."""
    found = Counter(match[0] for text in texts if (match := FINGERPRINT.search(text)))
    expected = set(wanted)
    return Tally(
        issues=found.total(),
        missing=len(expected - found.keys()),
        doubles=found.total() - len(found),
    )


def until(asked: Callable[[], object], what: str, seconds: float) -> None:
    """Return once `asked` says so. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not asked():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:g} seconds"
        time.sleep(0.02)
