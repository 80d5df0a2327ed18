"""Numbers, times and lists as text. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

DAY = 86400  # seconds


def counted(count: int, noun: str) -> str:
    """1 user, 2,000 users."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """90s, 15m, 2h, 3d: the duration in the largest unit of which it has at least two, rounded up."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{-(-seconds // size):.0f}{unit}"
    return f"{-(-seconds // 1):.0f}s"


def utc(seconds: float | None) -> str:
    """A time such as 2026-11-24 03:15 UTC, or "not known" for None and for times outside the calendar."""
    if seconds is None:
        return "not known"
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return "not known"
    return f"{moment.replace(tzinfo=None).isoformat(' ', 'minutes')} UTC"


BARS = "▁▂▃▄▅▆▇█"


def bars(counts: Sequence[int], empty: str = " ") -> str:
    """Counts as bars of one character each, the largest as the highest; `empty` stands for none."""
    most = max(counts, default=0)
    return "".join(BARS[min(len(BARS) - 1, count * len(BARS) // (most + 1))] if count else empty for count in counts)


def day(seconds: float) -> str:
    """A day of UTC such as 2026-11-24, or "not known"."""
    return utc(seconds).partition(" ")[0] if utc(seconds) != "not known" else "not known"


def listed(items: tuple[str, ...] | list[str], most: int = 3) -> str:
    """a, b and c; a, b, c and 4 more."""
    first, rest = list(items[:most]), len(items) - most
    if rest > 0:
        return f"{', '.join(first)} and {rest:,} more"
    return f"{', '.join(first[:-1])} and {first[-1]}" if len(first) > 1 else "".join(first)


def bounded(low: int, approximate: bool, high: int | None) -> str:
    """12,345; at least 12,345; between 12,345 and 15,000."""
    if not approximate:
        return f"{low:,}"
    return f"at least {low:,}" if high is None else f"between {low:,} and {high:,}"


def figure(low: int, approximate: bool, high: int | None) -> str:
    """The same in a table: 12,345; ≥12,345; 12,345–15,000."""
    if not approximate:
        return f"{low:,}"
    return f"≥{low:,}" if high is None else f"{low:,}–{high:,}"


def larger(a: int | None, b: int | None) -> int | None:
    """The larger number, or the only one."""
    return b if a is None else a if b is None else max(a, b)


def smaller(a: int | None, b: int | None) -> int | None:
    """The smaller number, or the only one."""
    return b if a is None else a if b is None else min(a, b)
