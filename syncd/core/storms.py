"""Storms: the number of groups that a route may file now, and the end of a storm. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from syncd.core.budget import Limit

CALM_SECONDS = 3600.0  # without a held group until a storm ends; a shorter pause keeps its issue open
MOST_AT_ONCE = 500  # groups released in one transaction


@dataclass(frozen=True, slots=True)
class Filed:
    """The number of issues that a route filed within the window of one limit, and the time of the oldest create."""

    issues: int
    oldest: float | None


def wait(limits: Sequence[Limit], filed: Sequence[Filed], now: float) -> float:
    """Seconds until the route may file another issue; 0 if it may file now. `filed` has one entry for each limit."""
    return max((_room(limit, entry, now)[1] for limit, entry in zip(limits, filed, strict=True)), default=0.0)


def places(limits: Sequence[Limit], filed: Sequence[Filed], released: int, now: float) -> int:
    """The number of held groups that may be released now. Groups `released` before and not yet filed keep their places."""
    rooms = [_room(limit, entry, now)[0] for limit, entry in zip(limits, filed, strict=True)]
    return max(0, min(min(rooms, default=MOST_AT_ONCE) - released, MOST_AT_ONCE))


def is_over(held_back: int, released: int, held_at: float, now: float, *, routed: bool) -> bool:
    """True if no group is held or waits to be filed, and the storm was calm for CALM_SECONDS or its route is gone."""
    calm = not 0 <= now - held_at < CALM_SECONDS
    return not held_back and not released and (calm or not routed)


def _room(limit: Limit, filed: Filed, now: float) -> tuple[int, float]:
    """The number of issues that the limit still allows, and the seconds until it allows one."""
    left = limit.count - filed.issues
    if left > 0 or filed.oldest is None:
        return max(0, left), 0.0
    return 0, max(1.0, filed.oldest + limit.seconds - now)
