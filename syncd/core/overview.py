"""The crashes of a release: new in it, back in it, still there, or gone. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncd.core.fold import OTHER_RELEASES
from syncd.core.releases import Order, compare, newest, ordered
from syncd.model import Group, GroupView, ProjectRelease, Release


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
    """The crashes of a release, compared with the release `before`; None if there is none."""

    release: str
    before: str | None
    new: tuple[Entry, ...]
    regressed: tuple[Entry, ...]
    still: tuple[Entry, ...]
    gone: tuple[Entry, ...]


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
    noticed = [(row.first_seen or row.noticed_at or 0.0, row.release) for row in group.releases]
    return min(noticed)[1] if noticed else None


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
