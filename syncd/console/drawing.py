"""Charts as inline SVG, without scripts or style attributes; classes select the colours. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from syncd.core.fold import OTHER_RELEASES
from syncd.core.quantities import DAY, counted, day, duration, utc
from syncd.core.trend import Trend
from syncd.model import Release
from syncd.render.text import one_line

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


PLOT_HEIGHT, PLOT_TOP, PLOT_FLOOR = 170, 18, 146  # of a trend; release names stand above, dates below
MOST_DATES = 6
_NEAREST = 14.0  # percent of the width between two release names


def trend(trend: Trend, releases: Sequence[Release]) -> Markup:
    """The trend of a group with axes and dates, and the first crash of each of its releases. Its horizontal places are percentages, so that
    texts keep their shape at any width."""
    most, count = _round_above(max(trend.counts)), len(trend.counts)
    width, parts, scale = 100 / count, list[str](), list[str]()
    for share in (0, 1, 2):
        y = PLOT_FLOOR - share * (PLOT_FLOOR - PLOT_TOP) / 2
        parts.append(f'<line class="axis" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        if most * share % 2 == 0:
            scale.append(_text("44", y + 4, "end", f"{most * share // 2:,}"))
    for at, number in enumerate(trend.counts):
        if number:
            tall = max(number / most * (PLOT_FLOOR - PLOT_TOP), 1.5)
            title = f"{_label(trend.since + at * trend.span, trend.span)}: {number:,}"
            parts.append(
                f'<rect class="s0" x="{at * width + width * 0.08:.3f}%" y="{PLOT_FLOOR - tall:.1f}" width="{width * 0.84:.3f}%" '
                f'height="{tall:.1f}"><title>{escape(title)}</title></rect>'
            )
    for at in _dates(trend):
        parts.append(_text(f"{at * width:.3f}%", PLOT_HEIGHT - 8, _anchor(at * width), _date(trend, at)))
    free = 101.0
    for x, release in _beginnings(trend, releases):
        title = f"{release} was first seen here"
        parts.append(
            f'<line class="mark" x1="{x:.3f}%" x2="{x:.3f}%" y1="{PLOT_TOP - 4}" y2="{PLOT_FLOOR}"><title>{escape(title)}</title></line>'
        )
        if free - x >= _NEAREST:
            parts.append(_text(f"{x:.3f}%", PLOT_TOP - 7, _anchor(x), one_line(release, 12), "mark"))
            free = x
    busiest = trend.since + trend.counts.index(max(trend.counts)) * trend.span
    summary = (
        f"{sum(trend.counts):,} occurrences by the time of the crash, from {day(trend.since)} to "
        f"{day(trend.since + count * trend.span - 1)}; the most, {max(trend.counts):,}, in {duration(trend.span)} from {utc(busiest)} on"
    )
    return Markup(  # noqa: S704 - every text in it is escaped where it is inserted
        f'<svg class="scale" width="46" height="{PLOT_HEIGHT}" aria-hidden="true">{"".join(scale)}</svg>'
        f'<svg class="plot" width="100%" height="{PLOT_HEIGHT}" role="img" aria-label="{escape(summary)}">{"".join(parts)}</svg>'
    )


def rows(trend: Trend) -> list[tuple[int, int]]:
    """The columns that have occurrences, the latest first: when each begins, and its number."""
    columns = [(trend.since + at * trend.span, number) for at, number in enumerate(trend.counts) if number]
    return columns[::-1]


def _text(x: str, y: float, anchor: str, text: str, kind: str = "label") -> str:
    return f'<text class="{kind}" x="{x}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _anchor(percent: float) -> str:
    return "start" if percent < 6 else "end" if percent > 94 else "middle"


def _round_above(number: int) -> int:
    """The least of 1, 2, 4, 6, 10, 20, 40, 60, 100 … that is not below the number."""
    power = int(10 ** (len(str(number)) - 1))
    return next(step * power for step in (1, 2, 4, 6, 10) if step * power >= number)


def _label(at: float, span: int) -> str:
    return utc(at) if span < DAY else day(at) if span == DAY else f"{span // DAY} days from {day(at)}"


def _dates(trend: Trend) -> list[int]:
    """The columns that are named below the axis: where days begin if there are some, and only so many that the names fit beside each other."""
    columns = range(len(trend.counts))
    days = [at for at in columns if (trend.since + at * trend.span) % DAY == 0]
    candidates = days if len(days) > 1 else list(columns)
    return candidates[:: -(-len(candidates) // MOST_DATES)]


def _date(trend: Trend, at: int) -> str:
    """27 Nov; 14:00; Nov 2024 where days would not say enough."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=trend.since + at * trend.span)
    if trend.span > 7 * DAY:
        return moment.strftime("%b %Y")
    return moment.strftime("%-d %b") if trend.span >= DAY or moment.hour == 0 else moment.strftime("%H:%M")


def _beginnings(trend: Trend, releases: Sequence[Release]) -> list[tuple[float, str]]:
    """Where each release was first seen, in percent of the width, the latest first."""
    length = len(trend.counts) * trend.span
    places = [
        ((row.first_seen - trend.since) / length * 100, row.release) for row in releases if row.first_seen is not None
    ]
    return sorted(((x, name) for x, name in places if 0 <= x <= 100 and name != OTHER_RELEASES), reverse=True)


def meter(count: int, most: int) -> Markup:
    """A bar whose length is the share of `count` in `most`."""
    wide = 0.0 if most <= 0 else max(count / most * 100, 1.0)
    return _svg(100, 8, f"{count:,}", _bar(0, 0, wide, 8, "s0"), "meter")
