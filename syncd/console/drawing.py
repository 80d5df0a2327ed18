"""Charts as inline SVG, without scripts or style attributes; classes select the colours. Pure."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from syncd.core.overview import DAY
from syncd.core.quantities import counted, day
from syncd.model import Point, Release

WIDTH, HEIGHT = 720, 120
SPARK_WIDTH, SPARK_HEIGHT = 84, 20
MOST_SEGMENTS = 7


def _svg(width: int, height: int, title: str, inside: str, kind: str) -> Markup:
    return Markup(  # noqa: S704 - every text in it is escaped where it is inserted
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'preserveAspectRatio="none" aria-label="{escape(title)}"><title>{escape(title)}</title>{inside}</svg>'
    )


def _bar(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> str:
    tooltip = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">{tooltip}</rect>'


def stacked(series: Mapping[str, Sequence[int]], labels: Sequence[str], title: str) -> Markup:
    """One column per label, with the counts of all series on top of each other."""
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
    """One bar with a segment per release of a group. The MOST_SEGMENTS largest have colours of their own."""
    ranks = ranked(releases)
    if not ranks:
        return Markup("")
    counts = {entry.release: entry.occurrences for entry in releases}
    segments = [(name, counts[name]) for name in list(ranks)[:MOST_SEGMENTS]]
    total = sum(counts[name] for name in ranks)
    rest = total - sum(count for _, count in segments)
    segments += [("others", rest)] if rest else []
    parts, left = [], 0.0
    for number, (name, count) in enumerate(segments):
        wide = count / total * WIDTH
        title = f"{name}: {counted(count, 'occurrence')}, {count / total:.0%}"
        parts.append(_bar(left, 0, max(wide - 1, 1), 28, f"s{number}", title))
        left += wide
    summary = ", ".join(f"{name} {count / total:.0%}" for name, count in segments)
    return _svg(WIDTH, 28, f"Occurrences by release: {summary}", "".join(parts), "chart shares")


def ranked(releases: Sequence[Release]) -> dict[str, int]:
    """By release, the number of its colour in `shares`; the release with the most occurrences first."""
    entries = sorted((entry for entry in releases if entry.occurrences), key=lambda entry: -entry.occurrences)
    return {entry.release: min(number, MOST_SEGMENTS) for number, entry in enumerate(entries)}


def days(counts: Sequence[int | None], now: float) -> Markup:
    """A small bar for each day up to today; a day of which nothing is known has a mark below the line. The text has each count."""
    most, step, height = (
        max([*(count or 0 for count in counts), 1]),
        SPARK_WIDTH / max(len(counts), 1),
        SPARK_HEIGHT - 3,
    )
    parts, texts = [], []
    for at, count in enumerate(counts):
        name = day(now - DAY * (len(counts) - 1 - at))
        texts.append(f"{name} {'not known' if count is None else f'{count:,}'}")
        if count is None:
            parts.append(_bar(at * step, SPARK_HEIGHT - 1, step - 1, 1, "unknown", texts[-1]))
        elif count:
            tall = max(count / most * height, 1.5)
            parts.append(_bar(at * step, height - tall, step - 1, tall, "s0", texts[-1]))
    parts.append(f'<line class="axis" x1="0" x2="{SPARK_WIDTH}" y1="{height + 0.5}" y2="{height + 0.5}"/>')
    return _svg(SPARK_WIDTH, SPARK_HEIGHT, f"Occurrences by day: {', '.join(texts)}", "".join(parts), "spark")


def growth(trail: Sequence[Point], columns: int = 60) -> Markup:
    """The occurrences in each of `columns` equal spans of time."""
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
    return _svg(WIDTH, 60, "Occurrences over time, as notifications reported them", "".join(parts), "chart")


def meter(count: int, most: int) -> Markup:
    """A bar whose length is the share of `count` in `most`."""
    wide = 0.0 if most <= 0 else max(count / most * 100, 1.0)
    return _svg(100, 8, f"{count:,}", _bar(0, 0, wide, 8, "s0"), "meter")
