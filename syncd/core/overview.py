"""The crashes of a release: new in it, back in it, still there, or gone. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncd.core.fold import OTHER_RELEASES
from syncd.core.quantities import DAY
from syncd.core.releases import Order, compare, newest, ordered
from syncd.model import Group, GroupView, Point, ProjectRelease, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A recorded regression: the group and the release in which it came back."""

    fingerprint: str
    release: str
    issue_key: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A crash and its occurrences in the release; for a crash that is gone, its occurrences in the release before."""

    standing: GroupView
    occurrences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The crashes of a release, compared with the release `before`; None if there is none. `early` if it is too early to say what is gone."""

    release: str
    before: str | None
    new: tuple[Entry, ...]
    regressed: tuple[Entry, ...]
    still: tuple[Entry, ...]
    gone: tuple[Entry, ...]
    early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One release of a project: its groups, how many of them are new or came back in it, and its occurrences."""

    release: str
    groups: int
    new: int
    regressed: int
    occurrences: int
    first_seen: int | None
    last_seen: int | None


def releases(views: Iterable[GroupView]) -> list[str]:
    """All releases of a project, the newest first."""
    return ordered({entry.release for view in views for entry in _named(view)})


def latest(views: Sequence[GroupView]) -> str | None:
    """The newest release, or None. Of several that are not comparable, the one that was reported last."""
    noticed: dict[str, float] = {}
    for view in views:
        for entry in _named(view):
            at = entry.noticed_at or float(entry.first_seen or 0)
            noticed[entry.release] = min(noticed.get(entry.release, at), at)
    return max(newest(noticed), key=lambda release: (noticed[release], release), default=None)


def same(left: str, right: str) -> bool:
    """True if both names mean one release: 2.0 is v2.0.0."""
    return compare(left, right) is Order.SAME


def previous(candidates: Iterable[str], release: str) -> str | None:
    """The newest release before this one. Releases that are not comparable do not count."""
    return next(iter(newest(name for name in candidates if compare(name, release) is Order.OLDER)), None)


def overview(views: Sequence[GroupView], returns: Iterable[Return], release: str) -> Overview:
    """The crashes of a release by what it changed, those with the most users first."""
    before = previous(releases(views), release)
    back = {regression.fingerprint for regression in returns if same(regression.release, release)}
    new: list[Entry] = []
    regressed: list[Entry] = []
    still: list[Entry] = []
    gone: list[Entry] = []
    for view in views:
        rows = list(_named(view))
        orders = {compare(row.release, release) for row in rows if row.occurrences}
        if here := sum(row.occurrences for row in rows if same(row.release, release)):
            entry = Entry(standing=view, occurrences=here)
            if view.group.identity.fingerprint in back:
                regressed.append(entry)
            elif Order.OLDER in orders:
                still.append(entry)
            else:
                new.append(entry)
        elif before and Order.NEWER not in orders:
            there = sum(row.occurrences for row in rows if same(row.release, before))
            gone += [Entry(standing=view, occurrences=there)] if there else []
    for entries in (new, regressed, still, gone):
        entries.sort(
            key=lambda entry: (
                -(entry.standing.group.users or 0),
                -entry.occurrences,
                entry.standing.group.identity.fingerprint,
            )
        )
    return Overview(
        release=release,
        before=before,
        new=tuple(new),
        regressed=tuple(regressed),
        still=tuple(still),
        gone=tuple(gone),
    )


def lines(views: Sequence[GroupView], returns: Sequence[Return]) -> list[Line]:
    """One line for each release, the newest first."""
    result = []
    for release in releases(views):
        entries = [entry for view in views for entry in view.group.releases if entry.release == release]
        changes = overview(views, returns, release)
        result.append(
            Line(
                release=release,
                groups=len(entries),
                new=len(changes.new),
                regressed=len(changes.regressed),
                occurrences=sum(entry.occurrences for entry in entries),
                first_seen=min((entry.first_seen for entry in entries if entry.first_seen is not None), default=None),
                last_seen=max((entry.last_seen for entry in entries if entry.last_seen is not None), default=None),
            )
        )
    return result


def _named(view: GroupView) -> Iterable[Release]:
    return (entry for entry in view.group.releases if entry.release != OTHER_RELEASES)


def first_release(group: Group) -> str | None:
    """The release in which the group occurred first; None without one."""
    row = first_row(group)
    return None if row is None else row.release


def first_row(group: Group) -> Release | None:
    """The row of that release."""
    return min(group.releases, key=lambda row: (row.first_seen or row.noticed_at or 0.0, row.release), default=None)


def is_new(group: Group, last: int, project: Sequence[ProjectRelease]) -> bool:
    """True if fewer than `last` releases of the project are newer than the one in which the group occurred first. Names of the same release
    are one, and what a single crash reports is none. A group without a release is not new."""
    first, later = first_release(group), list[str]()
    for release in project:
        if first is None or len(later) >= last:
            break
        is_newer = release.confirmed and compare(release.release, first) is Order.NEWER
        if is_newer and all(compare(release.release, each) is not Order.SAME for each in later):
            later.append(release.release)
    return first is not None and len(later) < last


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What the notifications of a group added in the day before the latest of them, or since the first if that was later: occurrences since a
    time, and the releases that syncd first received then. No clock but that of their arrival counts, so that it changes with the group only."""

    since: float
    occurrences: int
    releases: tuple[str, ...]


def latest_growth(group: Group) -> Growth | None:
    """The growth of the latest day; None if the group has not grown since its first notification."""
    if len(group.trail) < 2:
        return None
    since = max(group.trail[-1].at - DAY, group.trail[0].at)
    before = max(point.occurrences for point in group.trail if point.at <= since)
    rows = [row for row in group.releases if row.release != OTHER_RELEASES and row.noticed_at is not None]
    releases = tuple(row.release for row in rows if (row.noticed_at or 0.0) > since)
    growth = max(0, group.occurrences - before)
    return Growth(since=since, occurrences=growth, releases=releases) if growth or releases else None


def by_day(group: Group, most: int = 7) -> tuple[int, tuple[int, ...]]:
    """The occurrences that syncd received on each of the last days of UTC up to the latest notification, at most so many, and the time at which
    the first of these days began. Days of which nothing is known are left out: of those before the first notification only that of a
    crash which began that day is known."""
    if not group.trail:
        return 0, ()
    first, last = int(group.trail[0].at // DAY), int(group.trail[-1].at // DAY)
    began = group.first_seen is not None and group.first_seen // DAY >= first
    start = max(first if began else first + 1, last - most + 1)
    counts, before = [0] * max(0, last - start + 1), 0
    for point in group.trail:
        if point.at // DAY >= start:
            counts[int(point.at // DAY) - start] += max(0, point.occurrences - before)
        before = point.occurrences
    return start * DAY, tuple(counts)


def added(trail: Sequence[Point], first_seen: float | None, since: float) -> int:
    """The occurrences that syncd received after `since`. What the first notification brought counts only if the crash began after `since`: it
    may tell of years."""
    if not trail:
        return 0
    before = [point.occurrences for point in trail if point.at <= since]
    began = first_seen is not None and first_seen > since
    return max(0, trail[-1].occurrences - (before[-1] if before else 0 if began else trail[0].occurrences))


def acceleration(trail: Sequence[Point], first_seen: float | None, now: float) -> int:
    """By how many occurrences the last 24 hours exceed the 24 hours before them."""
    latest = added(trail, first_seen, now - DAY)
    return latest - (added(trail, first_seen, now - 2 * DAY) - latest)


def last_days(group: Group, now: float, days: int = 14) -> tuple[int | None, ...]:
    """The occurrences that syncd received on each of the last days of UTC up to today; None for a day of which nothing is known."""
    start, counts = by_day(group, days)
    began = None if group.first_seen is None else group.first_seen // DAY
    result: list[int | None] = []
    for day in range(int(now // DAY) - days + 1, int(now // DAY) + 1):
        at = day - start // DAY
        if group.trail and at < 0:
            result.append(0 if began is not None and began > day else None)
        else:
            result.append(counts[at] if group.trail and at < len(counts) else 0)
    return tuple(result)


def newest_alone(group: Group) -> Release | None:
    """The group's newest release; None where several could be, or it has only one."""
    rows = {row.release: row for row in group.releases if row.release != OTHER_RELEASES}
    names = newest(rows)
    return rows[names[0]] if len(rows) > 1 and len(names) == 1 else None
