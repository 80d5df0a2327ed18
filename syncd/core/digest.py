"""What a lead asks in the morning: which crashes are new, came back, grow, hit the most users, or go on after their issue was closed. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from syncd.model import Group, GroupView

MOST = 5  # entries of a section
LEAST_GROWTH, FACTOR = 10, 2  # a crash grows if it came so often, and so many times as often as in the period before


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A group with the occurrences that notifications added in the period and in one of the same length before it; the release in which it
    came back, None if it did not."""

    group_id: int
    view: GroupView
    added: int
    before: int
    release: str | None = None

    @property
    def users(self) -> int:
        """The users of the group; 0 where none are known."""
        return self.view.group.users or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The first entries of a section, and how many it has."""

    entries: tuple[Entry, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The sections, each with the most important first, and how many groups occurred in the period."""

    active: int
    new: Section
    came_back: Section
    growing: Section
    worst: Section
    closed: Section


def digest(views: Mapping[int, GroupView], returns: Mapping[int, str], since: float, now: float) -> Digest:
    """Sort the groups that may have occurred in a period into sections. `returns` has the release in which a group came back."""
    entries = [
        Entry(
            group_id=group_id,
            view=view,
            added=growth(view.group, since, now),
            before=growth(view.group, since - (now - since), since),
            release=returns.get(group_id),
        )
        for group_id, view in views.items()
    ]
    active = [entry for entry in entries if entry.added > 0]
    new = [entry for entry in active if _began(entry.view.group) >= since]
    old = [entry for entry in active if _began(entry.view.group) < since]
    growing = [entry for entry in old if entry.added >= max(LEAST_GROWTH, FACTOR * entry.before)]
    closed = [entry for entry in active if entry.release is None and _is_closed(entry.view)]
    return Digest(
        active=len(active),
        new=_section(new, lambda entry: entry.users),
        came_back=_section([entry for entry in entries if entry.release is not None], lambda entry: entry.users),
        growing=_section(growing, lambda entry: entry.added),
        worst=_section([entry for entry in active if entry.users], lambda entry: entry.users),
        closed=_section(closed, lambda entry: entry.added),
    )


def growth(group: Group, since: float, until: float) -> int:
    """Return the occurrences that notifications added after `since`, up to `until`: the whole count of a group that began in that time."""
    points = [point for point in group.trail if point.at <= until]
    if not points:
        return 0
    start = max((point.occurrences for point in points if point.at <= since), default=0)
    return max(0, max(point.occurrences for point in points) - start)


def _began(group: Group) -> float:
    return group.trail[0].at if group.trail else 0.0


def _is_closed(view: GroupView) -> bool:
    """True for a crash that goes on after its issue was closed."""
    condition = None if view.issue is None else view.issue.condition
    if condition is None or not condition.closed:
        return False
    return condition.closed_at is None or (view.group.last_seen or 0) > condition.closed_at


def _section(entries: Sequence[Entry], weight: Callable[[Entry], int]) -> Section:
    ranked = sorted(entries, key=lambda entry: (-weight(entry), -entry.added, entry.group_id))
    return Section(entries=tuple(ranked[:MOST]), total=len(ranked))
