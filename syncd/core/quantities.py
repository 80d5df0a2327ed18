"""Numbers and spans of time as people say them. Pure."""


def counted(count: int, noun: str) -> str:
    """1 user, 2,000 users."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """90s, 15m, 2h, 3d: in the largest unit of which there are at least two, rounded up."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{-(-seconds // size):.0f}{unit}"
    return f"{-(-seconds // 1):.0f}s"


def listed(items: tuple[str, ...] | list[str], most: int = 3) -> str:
    """a, b and c; a, b, c and 4 more."""
    shown, rest = list(items[:most]), len(items) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest:,} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
