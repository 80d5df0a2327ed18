"""Senders with parameters by chance: what is counted is right within 1 %, or between bounds that hold."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.counting import faults
from tests.prove.report import Row
from tests.senders import drawn


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row: `size` senders, whose seeds begin with that of the proof."""
    wrong, limits = list[str](), Counter[str]()
    for number in range(seed, seed + size):
        sender = drawn(number)
        problems, unknowable = faults(sender, number)
        wrong += problems[:1]
        limits[sender.limit] += unknowable > 0
    most = sum(limits.values())
    rare = "; ".join(f"{count:,}: {limit}" for limit, count in limits.items() if count)
    yield Row(
        action="totals, windows, retention, two alerts, merges, late uploads, outages and wrong clocks, with parameters by chance",
        scale=f"{size:,} senders, two groups each",
        result="; ".join(wrong[:3])
        or "after each notification every count was right within 1 %, or between bounds that held"
        + (f", but for an upper bound that nobody can know ({rare})" if rare else ""),
        ok=not wrong and most * 20 <= size,
    )
