"""Charts as inline SVG: no script, no style attribute, colours by class. Pure."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from syncd.core.quantities import counted
from syncd.core.releases import ordered
from syncd.model import Point, Release

WIDTH, HEIGHT = 720, 120
SPARK_WIDTH, SPARK_HEIGHT = 84, 20
MOST_SEGMENTS = 7


def _svg(width: int, height: int, title: str, inside: str, kind: str) -> Markup:
    return Markup(  # noqa: S704 - every text in it was escaped where it was put in
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'preserveAspectRatio="none" aria-label="{escape(title)}"><title>{escape(title)}</title>{inside}</svg>'
    )


def _bar(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> str:
    told = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">{told}</rect>'


def stacked(series: Mapping[str, Sequence[int]], labels: Sequence[str], title: str) -> Markup:
    """Columns, one for each label, of the counts of several series on top of each other."""
    totals = [sum(counts[at] for counts in series.values()) for at in range(len(labels))]
    most = max([*totals, 1])
    step = WIDTH / max(len(labels), 1)
    parts = []
    for at, label in enumerate(labels):
        floor = float(HEIGHT)
        for number, (name, counts) in enumerate(series.items()):
            if not counts[at]:
                continue
            tall = max(counts[at] / most * (HEIGHT - 4), 1.5)
            floor -= tall
            parts.append(_bar(at * step + 1, floor, step - 2, tall, f"s{number}", f"{label}: {counts[at]:,} {name}"))
    parts.append(f'<line class="axis" x1="0" x2="{WIDTH}" y1="{HEIGHT - 0.5}" y2="{HEIGHT - 0.5}"/>')
    return _svg(WIDTH, HEIGHT, title, "".join(parts), "chart")


def shares(releases: Sequence[Release]) -> Markup:
    """One bar whose segments are the releases in which a group was seen, the largest with a colour of its own."""
    known = sorted((one for one in releases if one.occurrences), key=lambda one: -one.occurrences)
    total = sum(one.occurrences for one in known)
    if not total:
        return Markup("")
    shown = known[:MOST_SEGMENTS]
    rest = total - sum(one.occurrences for one in shown)
    segments = [(one.release, one.occurrences) for one in shown] + ([("others", rest)] if rest else [])
    parts, left = [], 0.0
    for number, (name, count) in enumerate(segments):
        wide = count / total * WIDTH
        title = f"{name}: {counted(count, 'occurrence')}, {count / total:.0%}"
        parts.append(_bar(left, 0, max(wide - 1, 1), 28, f"s{number}", title))
        left += wide
    told = ", ".join(f"{name} {count / total:.0%}" for name, count in segments)
    return _svg(WIDTH, 28, f"Occurrences by release: {told}", "".join(parts), "chart shares")


def ranked(releases: Sequence[Release]) -> dict[str, int]:
    """By release, the number of the colour that it has in `shares`."""
    known = sorted((one for one in releases if one.occurrences), key=lambda one: -one.occurrences)
    return {one.release: min(number, MOST_SEGMENTS) for number, one in enumerate(known)}


def sparkline(releases: Sequence[Release], most: int = 10) -> Markup:
    """A small bar for each of the newest releases in which a group was seen, the newest at the right."""
    named = {one.release: one.occurrences for one in releases}
    newest = list(reversed(ordered(named)[:most]))
    if not newest:
        return Markup("")
    tallest = max([*(named[one] for one in newest), 1])
    step = min(SPARK_WIDTH / len(newest), 12.0)
    parts = []
    for at, release in enumerate(newest):
        tall = max(named[release] / tallest * SPARK_HEIGHT, 2.0)
        title = f"{release}: {named[release]:,}"
        parts.append(_bar(at * step, SPARK_HEIGHT - tall, step - 2, tall, "s0", title))
    told = ", ".join(f"{one} {named[one]:,}" for one in newest)
    return _svg(SPARK_WIDTH, SPARK_HEIGHT, f"Occurrences by release: {told}", "".join(parts), "spark")


def growth(trail: Sequence[Point], columns: int = 60) -> Markup:
    """How many occurrences came in each of as many equal spans of time."""
    if len(trail) < 2 or trail[-1].at <= trail[0].at:
        return Markup("")
    span = (trail[-1].at - trail[0].at) / columns
    totals = [0] * columns
    before = trail[0].occurrences
    totals[0] = before
    for point in trail[1:]:
        totals[min(columns - 1, int((point.at - trail[0].at) / span))] += max(point.occurrences - before, 0)
        before = point.occurrences
    most, step = max([*totals, 1]), WIDTH / columns
    parts = [
        _bar(at * step + 1, 60 - max(count / most * 58, 1.5), step - 2, max(count / most * 58, 1.5), "s0", f"{count:,}")
        for at, count in enumerate(totals)
        if count
    ]
    return _svg(WIDTH, 60, "Occurrences over time, as they were told of", "".join(parts), "chart")


def meter(count: int, most: int) -> Markup:
    """A bar as long as `count` is of `most`."""
    wide = 0.0 if most <= 0 else max(count / most * 100, 1.0)
    return _svg(100, 8, f"{count:,}", _bar(0, 0, wide, 8, "s0"), "meter")
