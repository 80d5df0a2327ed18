"""Bars and lines made of characters."""

from collections.abc import Sequence

from syncd.model import Point

BARS = "▁▂▃▄▅▆▇█"


def sparkline(trail: Sequence[Point], width: int = 24) -> str:
    """How many occurrences came in each of as many equal spans of time."""
    first, last = trail[0].at, trail[-1].at
    span = (last - first) / width or 1.0
    totals = [0] * width
    before = 0
    for point in trail:
        totals[min(width - 1, int((point.at - first) / span))] += point.occurrences - before
        before = point.occurrences
    most = max(totals) or 1
    return "".join(BARS[min(len(BARS) - 1, (count * len(BARS)) // (most + 1))] if count else " " for count in totals)
