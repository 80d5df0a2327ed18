"""The expected counts, computed in the plainest way from the notifications sent, by code that shares nothing with syncd."""

import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

START = 1_750_000_000


def story(groups: int, size: int, seed: int) -> list[dict[str, Any]]:
    """`size` notifications over `groups` groups, one in ten of them sent twice, shuffled. Some groups count totals, some
    windows, some both."""
    chance = random.Random(seed)
    notifications: list[dict[str, Any]] = []
    each = size * 10 // 11 // groups
    for number in range(groups):
        notifications += itertools.islice(speak(number, chance), each)
    notifications += [dict(chance.choice(notifications)) for _ in range(size - len(notifications))]
    chance.shuffle(notifications)
    return notifications


def speak(number: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    """An endless stream of notifications of one group: totals, windows, or both by turns."""
    kind = ("total", "window", "mixed")[number % 3]
    first, last, total = START + number * 1000, START + number * 1000, 0
    ledger: dict[str, int] = {}
    for step in itertools.count():
        windowed = kind == "window" or (kind == "mixed" and step % 2 == 1)
        count = chance.randint(1, 9)
        since, last = last + 1, last + chance.randint(10, 500)
        total += count
        release = f"1.{step // 5}.{number % 4}"
        ledger[release] = ledger.get(release, 0) + count
        yield {
            "universe": "acme",
            "project": ("game-client", "game-server")[number % 2],
            "fingerprint": hashlib.sha256(f"group {number}".encode()).hexdigest(),
            "application": f"app-{number % 5}",
            "callstack": [f"frame_{number}", "main"],
            "occurrences": count if windowed else total,
            "object_id": format(step, "x"),
            "timestamp": [since if windowed else first, last],
            "classifiers": ["segfault"],
            "hosts": step + 1,
            "guids": step + 2,
            "attributes": {"version": [[release, count]] if windowed else [list(pair) for pair in ledger.items()]},
        }


def counts(accepted: list[tuple[int, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """By fingerprint, what the rules of `occurrence_mode = "auto"` make of what was accepted, in the order it was."""
    result: dict[str, dict[str, Any]] = {}
    digests: set[str] = set()
    for _, sent in sorted(accepted, key=lambda pair: pair[0]):
        group = result.setdefault(
            sent["fingerprint"],
            {
                "notifications": 0,
                "total": None,
                "releases": {},
                "first_seen": 10**12,
                "last_seen": 0,
                "hosts": 0,
                "users": 0,
            },
        )
        group["notifications"] += 1
        text = json.dumps(sent, sort_keys=True)
        if text in digests:
            continue
        digests.add(text)
        first, last = sent["timestamp"]
        group["total"] = _folded(group["total"], sent["occurrences"], first, last)
        for release, count in sent["attributes"]["version"]:
            group["releases"][release] = _folded(group["releases"].get(release), count, first, last)
        group["first_seen"] = min(group["first_seen"], first)
        group["last_seen"] = max(group["last_seen"], last)
        group["hosts"] = max(group["hosts"], sent["hosts"])
        group["users"] = max(group["users"], sent["guids"])
    return result


def _folded(counts: tuple[int, int, int] | None, count: int, first: int, last: int) -> tuple[int, int, int]:
    """(occurrences, earliest first, latest last)"""
    if counts is None:
        return count, first, last
    total, since, until = counts
    total = total + count if first > until else max(total, count)
    return total, min(since, first), max(until, last)


def as_listed(group: dict[str, Any]) -> dict[str, Any]:
    """A group of `groups --json`, in the words of `expected`."""
    names = ("occurrences", "notifications", "first_seen", "last_seen", "hosts", "users")
    return {name: group[name] for name in names} | {
        "releases": {entry["release"]: entry["occurrences"] for entry in group["releases"]}
    }


def expected(group: dict[str, Any]) -> dict[str, Any]:
    """One group of `counts`, ready to be compared."""
    return {
        "occurrences": group["total"][0],
        "releases": {release: total[0] for release, total in group["releases"].items()},
    } | {name: group[name] for name in ("notifications", "first_seen", "last_seen", "hosts", "users")}
