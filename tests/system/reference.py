"""The expected counts, computed in the plainest way from the notifications sent, by code that shares nothing with syncd."""

import hashlib
import itertools
import json
import random
from collections.abc import Iterable, Iterator
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
    """By fingerprint, the facts of what was accepted: how many crashes these notifications count, each crash once."""
    result: dict[str, dict[str, Any]] = {}
    distinct: dict[str, dict[str, dict[str, Any]]] = {}
    for _, sent in sorted(accepted, key=lambda pair: pair[0]):
        group = result.setdefault(
            sent["fingerprint"],
            {"notifications": 0, "first_seen": 10**12, "last_seen": 0, "hosts": 0, "users": 0},
        )
        group["notifications"] += 1
        distinct.setdefault(sent["fingerprint"], {})[json.dumps(sent, sort_keys=True)] = sent
        first, last = sent["timestamp"]
        group["first_seen"] = min(group["first_seen"], first)
        group["last_seen"] = max(group["last_seen"], last)
        group["hosts"] = max(group["hosts"], sent["hosts"])
        group["users"] = max(group["users"], sent["guids"])
    for fingerprint, group in result.items():
        group["occurrences"], group["releases"] = _truth(distinct[fingerprint].values())
    return result


def _truth(stream: Iterable[dict[str, Any]]) -> tuple[int, dict[str, int]]:
    """The crashes that these notifications of one group count: those of the latest total, and of each window after it."""
    occurrences, ledger = 0, dict[str, int]()
    by_step = sorted(stream, key=lambda sent: int(sent["object_id"], 16))
    totals = [place for place, sent in enumerate(by_step) if not _windowed(sent)]
    for sent in by_step[totals[-1] if totals else 0 :]:
        occurrences += sent["occurrences"]
        for release, count in sent["attributes"]["version"]:
            ledger[release] = ledger.get(release, 0) + count
    return occurrences, ledger


def _windowed(sent: dict[str, Any]) -> bool:
    """True if the notification counts a window; see `speak`."""
    number = int(sent["callstack"][0].removeprefix("frame_"))
    return number % 3 == 1 or (number % 3 == 2 and int(sent["object_id"], 16) % 2 == 1)


def differences(
    groups: dict[str, dict[str, Any]], expected: dict[str, dict[str, Any]]
) -> dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """What is wrong in `groups --json`: by fingerprint, the group as it is and as it should be."""
    return {
        name: (groups.get(name), expected.get(name))
        for name in groups | expected
        if name not in groups or name not in expected or not fits(groups[name], expected[name])
    }


def fits(group: dict[str, Any], expected: dict[str, Any]) -> bool:
    """True if a group of `groups --json` has these facts: an unmarked count is right within 1 %, a marked one has bounds that hold it."""
    ledger = {entry["release"]: entry for entry in group["releases"]}
    return (
        all(group[name] == expected[name] for name in ("notifications", "first_seen", "last_seen", "hosts", "users"))
        and _holds(group, expected["occurrences"])
        and ledger.keys() == expected["releases"].keys()
        and all(_holds(ledger[release], count) for release, count in expected["releases"].items())
    )


def _holds(row: dict[str, Any], truth: int) -> bool:
    low = row["occurrences"]
    if not row.get("approximate"):
        return bool(abs(truth - low) * 100 <= truth)
    return bool(low <= truth and (row["at_most"] is None or truth <= row["at_most"]))
