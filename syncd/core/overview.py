"""What a release brought: which crashes are new in it, came back in it, are still there, or are gone. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncd.core.fold import OTHERS
from syncd.core.releases import Order, compare, newest, ordered
from syncd.model import GroupView, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A regression that was put down: which group came back in which release."""

    fingerprint: str
    release: str
    issue_key: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A crash in a release; `occurrences` are those in it, or for one that is gone, those in the release before."""

    standing: GroupView
    occurrences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a release brought. `before` is the release it is compared with, None where there is none."""

    release: str
    before: str | None
    new: tuple[Entry, ...]
    regressed: tuple[Entry, ...]
    still: tuple[Entry, ...]
    gone: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One release of a project: in how many groups it was seen, how many began or came back with it, and how often."""

    release: str
    groups: int
    new: int
    regressed: int
    occurrences: int
    first_seen: int | None
    last_seen: int | None


def releases(standings: Iterable[GroupView]) -> list[str]:
    """All releases of a project, the newest first."""
    return ordered({entry.release for one in standings for entry in one.group.releases if entry.release != OTHERS})


def latest(standings: Sequence[GroupView]) -> str | None:
    """The newest release; of several that cannot be compared, the one that was heard of last. None where there is none."""
    noticed: dict[str, float] = {}
    for one in standings:
        for entry in one.group.releases:
            if entry.release != OTHERS:
                at = entry.noticed_at or float(entry.first_seen or 0)
                noticed[entry.release] = min(noticed.get(entry.release, at), at)
    return max(newest(noticed), key=lambda release: (noticed[release], release), default=None)


def overview(standings: Sequence[GroupView], returns: Iterable[Return], release: str) -> Overview:
    """What a release brought, the crash with the most users first."""
    before = previous(releases(standings), release)
    back = {one.fingerprint for one in returns if compare(one.release, release) is Order.SAME}
    new: list[Entry] = []
    regressed: list[Entry] = []
    still: list[Entry] = []
    gone: list[Entry] = []
    for one in standings:
        here = _in(one, release)
        if here:
            entry = Entry(standing=one, occurrences=here)
            if one.group.identity.fingerprint in back:
                regressed.append(entry)
            elif _seen_before(one, release):
                still.append(entry)
            else:
                new.append(entry)
        elif before is not None and (there := _in(one, before)) and not _seen_after(one, release):
            gone.append(Entry(standing=one, occurrences=there))
    return Overview(
        release=release,
        before=before,
        new=_ranked(new),
        regressed=_ranked(regressed),
        still=_ranked(still),
        gone=_ranked(gone),
    )


def same(one: str, other: str) -> bool:
    """Whether both name one release, under whatever spelling."""
    return compare(one, other) is Order.SAME


def previous(known: Iterable[str], release: str) -> str | None:
    """The newest of those that are older than a release; those that cannot be compared are left out."""
    older = [one for one in known if compare(one, release) is Order.OLDER]
    return next(iter(newest(older)), None)


def _in(standing: GroupView, release: str) -> int:
    """Occurrences in a release, under whatever spelling."""
    return sum(
        entry.occurrences
        for entry in standing.group.releases
        if entry.release != OTHERS and compare(entry.release, release) is Order.SAME
    )


def _seen_before(standing: GroupView, release: str) -> bool:
    return any(compare(entry.release, release) is Order.OLDER for entry in _named(standing))


def _seen_after(standing: GroupView, release: str) -> bool:
    return any(compare(entry.release, release) is Order.NEWER for entry in _named(standing))


def _named(standing: GroupView) -> Iterable[Release]:
    return (entry for entry in standing.group.releases if entry.release != OTHERS and entry.occurrences)


def _ranked(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The most users first, then the most occurrences."""
    return tuple(
        sorted(
            entries,
            key=lambda entry: (
                -(entry.standing.group.users or 0),
                -entry.occurrences,
                entry.standing.group.identity.fingerprint,
            ),
        )
    )


def lines(standings: Sequence[GroupView], returns: Sequence[Return]) -> list[Line]:
    """One line for each release, the newest first."""
    return [_line(standings, returns, release) for release in releases(standings)]


def _line(standings: Sequence[GroupView], returns: Sequence[Return], release: str) -> Line:
    entries = [entry for one in standings for entry in one.group.releases if entry.release == release]
    brought = overview(standings, returns, release)
    return Line(
        release=release,
        groups=len(entries),
        new=len(brought.new),
        regressed=len(brought.regressed),
        occurrences=sum(entry.occurrences for entry in entries),
        first_seen=min((entry.first_seen for entry in entries if entry.first_seen is not None), default=None),
        last_seen=max((entry.last_seen for entry in entries if entry.last_seen is not None), default=None),
    )
