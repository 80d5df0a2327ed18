"""Folding a notification into its group. Pure, and level-triggered: the result says what is true, not what happened.

Backtrace does not say whether `occurrences` is a lifetime total or the count of a window. Mode `auto` reads it off the
timestamps; `cumulative` and `window` say it. In every mode a count never falls. The caller never folds the same notification
twice (`Notification.digest`): for a redelivery it calls `again`.
"""

from collections.abc import Iterable
from typing import Literal, TypeVar

from msgspec.structs import replace

from syncd.model import Group, Notification, Point, Release

Mode = Literal["auto", "cumulative", "window"]
Shown = TypeVar("Shown")

MAX_LEDGER = 2000  # releases of one group; a sender that names a new one each time would slow everybody's folds
OTHERS = "(other releases)"
MAX_TRAIL = 64


def fold(group: Group | None, notification: Notification, mode: Mode) -> Group:
    """The group with the notification in it. Its revision rises exactly when something an issue shows has changed."""
    before = group or Group(identity=notification.identity)
    after = replace(
        _described(before, notification),
        hosts=_larger(before.hosts, notification.hosts),
        users=_larger(before.users, notification.users),
        first_seen=_smaller(before.first_seen, notification.first),
        last_seen=_larger(before.last_seen, notification.last),
        releases=_ledger(before, notification, mode),
    )
    after = _counted(before, after, notification, mode)
    changed = before.revision == 0 or _differs(before, after)
    if changed:
        after = replace(after, trail=_trail(before.trail, after, notification))
    return replace(after, notifications=before.notifications + 1, revision=before.revision + changed)


def again(group: Group) -> Group:
    """The group after an exact redelivery: only the number of notifications has changed."""
    return replace(group, notifications=group.notifications + 1)


def _described(before: Group, notification: Notification) -> Group:
    """What the latest notification says it looks like. An older one that comes late only fills what is empty."""
    latest = before.last_seen is None or (notification.last is not None and notification.last >= before.last_seen)

    def chosen(old: Shown, new: Shown) -> Shown:
        return (new or old) if latest else (old or new)

    return replace(
        before,
        application=chosen(before.application, notification.application),
        group_url=chosen(before.group_url, notification.group_url),
        callstack=chosen(before.callstack, notification.callstack),
        object_id=chosen(before.object_id, notification.object_id),
        classifiers=chosen(before.classifiers, notification.classifiers),
        attributes=chosen(before.attributes, notification.attributes),
    )


def _counted(before: Group, after: Group, notification: Notification, mode: Mode) -> Group:
    counted = notification.occurrences
    guessed = counted is None
    if counted is None:
        # Somebody was notified of something: the histogram's sum, or at least one.
        counted = _sum(count for _, count in notification.releases) or 1
    if before.revision == 0:
        return replace(after, occurrences=counted, approximate=guessed)
    known = (before.first_seen, before.last_seen)
    total, doubtful = _total(before.occurrences, known, counted, notification, mode)
    return replace(after, occurrences=total, approximate=before.approximate or guessed or doubtful)


def _total(
    stored: int, known: tuple[int | None, int | None], counted: int, notification: Notification, mode: Mode
) -> tuple[int, bool]:
    """The new count, and whether it is doubtful. `known` is the span of time that the stored count stands for."""
    if mode == "window":
        return _sum((stored, counted)), False
    larger = max(stored, counted)
    if mode == "cumulative":
        return larger, False
    (since, until), first, last = known, notification.first, notification.last
    if since is None or until is None or first is None or last is None:
        return larger, True
    if first <= since:
        # A total reaches back to the beginning. One that also ends before it began speaks of other occurrences.
        return larger, last < since
    if first > until:
        return _sum((stored, counted)), False
    return larger, True


def _sum(counts: Iterable[int]) -> int:
    # A database holds no larger number, and one that it refused would hold up every delivery behind it.
    return min(sum(counts), 2**63 - 1)


def _ledger(group: Group, notification: Notification, mode: Mode) -> tuple[Release, ...]:
    ledger = {row.release: row for row in group.releases}
    seen = _sighting(group, notification, mode)
    others = 0
    for release, counted in notification.releases:
        row = ledger.get(release)
        if row is None and len(ledger) >= MAX_LEDGER and release != OTHERS:
            others = _sum((others, counted))
            continue
        ledger[release] = (
            _entry(release, counted, seen, notification)
            if row is None
            else _grown(row, counted, seen, notification, mode)
        )
    if others:
        row = ledger.get(OTHERS) or Release(release=OTHERS, occurrences=0, first_seen=seen)
        ledger[OTHERS] = replace(_grown(row, others, seen, notification, mode), approximate=True)
    return tuple(ledger.values())


def _sighting(group: Group, notification: Notification, mode: Mode) -> int | None:
    """The earliest time at which every release the notification names had certainly been seen."""
    first, last = notification.first, notification.last
    if mode == "window" or first is None or last is None or group.first_seen is None or group.last_seen is None:
        return first
    # A span that overlaps the group's may be a total's. Its first timestamp is then that of the group and says
    # nothing of a release.
    return last if first <= group.last_seen and last >= group.first_seen else first


def _entry(release: str, counted: int, seen: int | None, notification: Notification) -> Release:
    first, last = notification.first, notification.last
    received = notification.received_at
    return Release(
        release=release,
        occurrences=counted,
        first_seen=seen,
        last_seen=last,
        since=first,
        until=last,
        noticed_at=received,
        grown_at=received,
    )


def _grown(row: Release, counted: int, seen: int | None, notification: Notification, mode: Mode) -> Release:
    total, doubtful = _total(row.occurrences, (row.since, row.until), counted, notification, mode)
    # A total names every release there ever was: only one that grew was seen again.
    newly = total > row.occurrences or row.last_seen is None
    return replace(
        row,
        occurrences=total,
        approximate=row.approximate or doubtful,
        first_seen=_smaller(row.first_seen, seen),
        last_seen=_larger(row.last_seen, notification.last) if newly else row.last_seen,
        since=_smaller(row.since, notification.first),
        until=_larger(row.until, notification.last),
        noticed_at=notification.received_at if row.noticed_at is None and total > row.occurrences else row.noticed_at,
        grown_at=max(row.grown_at or 0.0, notification.received_at) if total > row.occurrences else row.grown_at,
    )


def _trail(trail: tuple[Point, ...], group: Group, notification: Notification) -> tuple[Point, ...]:
    """The trail with the group's newest state. Where it gets too long, the point goes whose neighbours lie closest together for their
    age: what was lately is told finely, what was long ago coarsely."""
    at = max(notification.received_at, trail[-1].at if trail else 0.0)
    point = Point(at=at, occurrences=group.occurrences, users=notification.users or 0, hosts=notification.hosts or 0)
    if trail and trail[-1].at == at:
        point = _merged(trail[-1], point)
        trail = trail[:-1]
    longer = (*trail, point)
    if len(longer) <= MAX_TRAIL:
        return longer
    inner = range(1, len(longer) - 1)
    least = min(inner, key=lambda index: (longer[index + 1].at - longer[index - 1].at) / (at - longer[index].at + 60.0))
    return (*longer[:least], _merged(longer[least], longer[least + 1]), *longer[least + 2 :])


def _merged(gone: Point, heir: Point) -> Point:
    return replace(heir, users=max(gone.users, heir.users), hosts=max(gone.hosts, heir.hosts))


def gained(group: Group, since: float) -> Point:
    """What came after `since`: occurrences, and the most users and hosts that any notification told of."""
    later = [point for point in group.trail if point.at > since]
    before = [point.occurrences for point in group.trail if point.at <= since]
    return Point(
        at=since,
        occurrences=group.occurrences - (before[-1] if before else 0),
        users=max((point.users for point in later), default=0),
        hosts=max((point.hosts for point in later), default=0),
    )


def _differs(before: Group, after: Group) -> bool:
    """Whether an issue shows anything else now; the spans by which the ledger is kept are not shown."""
    if len(after.releases) > len(before.releases) or replace(after, releases=()) != replace(before, releases=()):
        return True
    # A row keeps its place; new ones come behind.
    rows = zip(before.releases, after.releases, strict=True)
    return any(
        replace(new, since=old.since, until=old.until, noticed_at=old.noticed_at, grown_at=old.grown_at) != old
        for old, new in rows
        if new is not old
    )


def together(group: Group, others: Iterable[Group]) -> Group:
    """The group with its aliases' occurrences in its numbers. Users and hosts of several cannot be added up: the most that any has."""
    for other in others:
        ledger = {row.release: row for row in group.releases}
        for row in other.releases:
            ledger[row.release] = row if row.release not in ledger else _joined(ledger[row.release], row)
        group = replace(
            group,
            occurrences=_sum((group.occurrences, other.occurrences)),
            approximate=group.approximate or other.approximate,
            notifications=group.notifications + other.notifications,
            hosts=_larger(group.hosts, other.hosts),
            users=_larger(group.users, other.users),
            first_seen=_smaller(group.first_seen, other.first_seen),
            last_seen=_larger(group.last_seen, other.last_seen),
            releases=tuple(ledger.values()),
            aliases=(*group.aliases, other.identity.fingerprint),
        )
    return group


def _joined(one: Release, other: Release) -> Release:
    """One release as two groups saw it."""
    noticed = [at for at in (one.noticed_at, other.noticed_at) if at is not None]
    grown = [at for at in (one.grown_at, other.grown_at) if at is not None]
    return replace(
        one,
        occurrences=_sum((one.occurrences, other.occurrences)),
        approximate=one.approximate or other.approximate,
        first_seen=_smaller(one.first_seen, other.first_seen),
        last_seen=_larger(one.last_seen, other.last_seen),
        noticed_at=min(noticed, default=None),
        grown_at=max(grown, default=None),
    )


def _larger(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _smaller(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
