"""The order of releases: lists by scheme, and the comparators of the schemes."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.core.release_judges import JUDGES, LISTS, rates, summary
from tests.prove.report import Row

PART = 1_000  # pairs of one call of a comparator


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A row for each kind of scheme in releases.toml, and a row for each comparator that is installed, with `size` random pairs."""
    del folder
    total: Counter[str] = Counter()
    kinds = tomllib.loads(LISTS.read_text())
    for kind, lists in kinds.items():
        count, faults = rates(lists)
        total += count
        yield Row(
            action=f"releases of the kind {kind.replace('_', ' ')}, oldest first",
            scale=f"{len(lists)} lists",
            result=summary(count) + (f"; {'; '.join(faults[:3])}" if faults else ""),
            ok=not count["wrong"] and count["incomparable"] <= 0.08 * count.total(),
        )
    yield Row(
        action="all kinds together",
        scale=f"{sum(map(len, kinds.values()))} lists",
        result=summary(total),
        ok=not total["wrong"],
    )
    for judge in JUDGES:
        if not judge.available():
            yield Row(
                action=f"releases that {judge.name} orders", scale="none", result="the comparator is not installed"
            )
            continue
        number = size // 20 if judge.name == "dpkg" else size  # dpkg takes two processes for a pair
        parts = range(0, number, PART)
        disagreements = [
            fault for part in parts for fault in judge.disagreements(min(PART, number - part), seed + part)
        ]
        result = f"{len(disagreements)} disagreements" + (f": {'; '.join(disagreements[:3])}" if disagreements else "")
        yield Row(
            action=f"random releases of the scheme of {judge.name}",
            scale=f"{number:,} pairs",
            result=result,
            ok=not disagreements,
        )
