"""Numbers, durations and lists as text. Pure."""


def counted(count: int, noun: str) -> str:
    """1 user, 2,000 users."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """90s, 15m, 2h, 3d: the duration in the largest unit of which it has at least two, rounded up."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{-(-seconds // size):.0f}{unit}"
    return f"{-(-seconds // 1):.0f}s"


def listed(items: tuple[str, ...] | list[str], most: int = 3) -> str:
    """a, b and c; a, b, c and 4 more."""
    first, rest = list(items[:most]), len(items) - most
    if rest > 0:
        return f"{', '.join(first)} and {rest:,} more"
    return f"{', '.join(first[:-1])} and {first[-1]}" if len(first) > 1 else "".join(first)
