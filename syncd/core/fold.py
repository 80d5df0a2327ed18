"""Folding a notification into its group. Pure and level-triggered: a group says what is true, not what happened.

Backtrace does not document whether `occurrences` is a lifetime total or the count of a time window. Mode `auto` infers it from
the timestamps; `cumulative` and `window` state it. In every mode a count never falls. The caller never folds a notification twice
(`Notification.digest`): for a redelivery it calls `fold_redelivery`.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from msgspec.structs import replace

from syncd.model import Group, Notification, Point, Release

Mode = Literal["auto", "cumulative", "window"]
T = TypeVar("T")

MAX_LEDGER = 2000  # releases of one group: a sender that invents one each time must not slow the folds of other groups
OTHER_RELEASES = "(other releases)"
MAX_TRAIL = 64


def fold(group: Group | None, notification: Notification, mode: Mode) -> Group:
    """The group after the notification. Its revision rises exactly if the texts of its issue change."""
    before = group or Group(identity=notification.identity)
    # The latest notification describes the group. An older one that arrives late only fills empty fields.
    latest = before.last_seen is None or (notification.last is not None and notification.last >= before.last_seen)

    def chosen(old: T, new: T) -> T:
        return (new or old) if latest else (old or new)

    after = replace(
        before,
        application=chosen(before.application, notification.application),
        group_url=chosen(before.group_url, notification.group_url),
        callstack=chosen(before.callstack, notification.callstack),
        object_id=chosen(before.object_id, notification.object_id),
        classifiers=chosen(before.classifiers, notification.classifiers),
        attributes=chosen(before.attributes, notification.attributes),
        hosts=_larger(before.hosts, notification.hosts),
        users=_larger(before.users, notification.users),
        first_seen=_smaller(before.first_seen, notification.first),
        last_seen=_larger(before.last_seen, notification.last),
        releases=_ledger(before, notification, mode),
    )
    # Without a count: the histogram's sum, and at least one, since a crash caused the notification.
    counted, guessed = notification.occurrences, notification.occurrences is None
    if counted is None:
        counted = _sum(count for _, count in notification.releases) or 1
    total, doubtful = counted, False
    if before.revision:
        span = (before.first_seen, before.last_seen)
        total, doubtful = _total(before.occurrences, span, counted, notification, mode)
    approximate = guessed or doubtful or (before.revision > 0 and before.approximate)
    after = replace(after, occurrences=total, approximate=approximate)
    changed = before.revision == 0 or _differs(before, after)
    if changed:
        after = replace(after, trail=_trail(before.trail, after, notification))
    return replace(after, notifications=before.notifications + 1, revision=before.revision + changed)


def fold_redelivery(group: Group) -> Group:
    """The group after an exact redelivery: only the number of notifications changes."""
    return replace(group, notifications=group.notifications + 1)


def _total(
    stored: int, span: tuple[int | None, int | None], counted: int, notification: Notification, mode: Mode
) -> tuple[int, bool]:
    """The new count, and True if it is doubtful. `span` is the time span of the stored count."""
    if mode == "window":
        return _sum((stored, counted)), False
    larger = max(stored, counted)
    if mode == "cumulative":
        return larger, False
    (since, until), first, last = span, notification.first, notification.last
    if since is None or until is None or first is None or last is None:
        return larger, True
    if first <= since:
        # A total starts at the beginning. A count that also ends before the stored span is of different occurrences.
        return larger, last < since
    if first > until:
        return _sum((stored, counted)), False
    return larger, True


def _sum(counts: Iterable[int]) -> int:
    # Databases store no larger number, and a refused one would block all later deliveries.
    return min(sum(counts), 2**63 - 1)


def _ledger(group: Group, notification: Notification, mode: Mode) -> tuple[Release, ...]:
    """The group's releases with the counts of the notification. Releases beyond MAX_LEDGER share one row."""
    ledger = {row.release: row for row in group.releases}
    # The earliest time at which every release in the notification had certainly crashed. A span that overlaps the group's may
    # belong to a total: its first timestamp is the group's, not a release's.
    first_seen, last = notification.first, notification.last
    if mode != "window" and first_seen is not None and last is not None:
        since, until = group.first_seen, group.last_seen
        if since is not None and until is not None and first_seen <= until and last >= since:
            first_seen = last
    surplus = 0
    for release, counted in notification.releases:
        row = ledger.get(release)
        if row is None and len(ledger) >= MAX_LEDGER and release != OTHER_RELEASES:
            surplus = _sum((surplus, counted))
            continue
        if row is not None:
            ledger[release] = _grown(row, counted, first_seen, notification, mode)
            continue
        ledger[release] = Release(
            release=release,
            occurrences=counted,
            first_seen=first_seen,
            last_seen=notification.last,
            since=notification.first,
            until=notification.last,
            noticed_at=notification.received_at,
            grown_at=notification.received_at,
        )
    if surplus:
        row = ledger.get(OTHER_RELEASES) or Release(release=OTHER_RELEASES, occurrences=0, first_seen=first_seen)
        ledger[OTHER_RELEASES] = replace(_grown(row, surplus, first_seen, notification, mode), approximate=True)
    return tuple(ledger.values())


def _grown(row: Release, counted: int, first_seen: int | None, notification: Notification, mode: Mode) -> Release:
    """The row after a count of its release."""
    total, doubtful = _total(row.occurrences, (row.since, row.until), counted, notification, mode)
    # A total names every release of the group: only a release that grew has crashed again.
    newly = total > row.occurrences or row.last_seen is None
    at, noticed_at, grown_at = notification.received_at, row.noticed_at, row.grown_at
    if total > row.occurrences:
        # An older program wrote no times.
        noticed_at, grown_at = at if noticed_at is None else min(noticed_at, at), max(grown_at or 0.0, at)
    elif noticed_at is not None and counted:
        # An older notification may be folded later: the release had crashed by then, and maybe as often as now.
        noticed_at = min(noticed_at, at)
        grown_at = min(grown_at or at, at) if counted == total else grown_at
    return replace(
        row,
        occurrences=total,
        approximate=row.approximate or doubtful,
        first_seen=_smaller(row.first_seen, first_seen),
        last_seen=_larger(row.last_seen, notification.last) if newly else row.last_seen,
        since=_smaller(row.since, notification.first),
        until=_larger(row.until, notification.last),
        noticed_at=noticed_at,
        grown_at=grown_at,
    )


def _trail(trail: tuple[Point, ...], group: Group, notification: Notification) -> tuple[Point, ...]:
    """The trail with the group's newest state.

    If it is too long, the point whose neighbours are closest together relative to their age is dropped: recent growth keeps a
    fine resolution, old growth a coarse one.
    """
    at = max(notification.received_at, trail[-1].at if trail else 0.0)
    point = Point(at=at, occurrences=group.occurrences, users=notification.users or 0, hosts=notification.hosts or 0)
    longer = (*trail, point)
    if trail and trail[-1].at == at:
        least = len(trail) - 1
    elif len(longer) > MAX_TRAIL:
        ages = {index: at - longer[index].at + 60.0 for index in range(1, len(trail))}
        least = min(ages, key=lambda index: (longer[index + 1].at - longer[index - 1].at) / ages[index])
    else:
        return longer
    dropped, following = longer[least : least + 2]
    users, hosts = max(dropped.users, following.users), max(dropped.hosts, following.hosts)
    return (*longer[:least], replace(following, users=users, hosts=hosts), *longer[least + 2 :])


def not_after(group: Group, now: float) -> Group:
    """The group without a point of its trail in the future: it was received while the clock was ahead, and all later ones would join it."""
    if not group.trail or group.trail[-1].at <= now:
        return group
    return replace(group, trail=tuple(replace(point, at=min(point.at, now)) for point in group.trail))


def growth(group: Group, since: float) -> Point:
    """The growth after `since`: occurrences, and the most users and hosts that any one notification counted."""
    later = [point for point in group.trail if point.at > since]
    before = [point.occurrences for point in group.trail if point.at <= since]
    return Point(
        at=since,
        occurrences=group.occurrences - (before[-1] if before else 0),
        users=max((point.users for point in later), default=0),
        hosts=max((point.hosts for point in later), default=0),
    )


def _differs(before: Group, after: Group) -> bool:
    """True if the texts of the issue change. They do not show the time spans of the ledger's rows."""
    if len(after.releases) > len(before.releases) or replace(after, releases=()) != replace(before, releases=()):
        return True
    # Rows keep their order, and new ones are appended.
    rows = zip(before.releases, after.releases, strict=True)
    return any(
        replace(new, since=old.since, until=old.until, noticed_at=old.noticed_at, grown_at=old.grown_at) != old
        for old, new in rows
        if new is not old
    )


def with_aliases(group: Group, aliases: Sequence[Group]) -> Group:
    """The group with the occurrences of its aliases.

    The users and hosts of several groups overlap and cannot be added: the result has the largest numbers.
    """
    # Each point has the occurrences of all groups at its time. A group without a trail had all of its occurrences before.
    totals = [0 if part.trail else part.occurrences for part in (group, *aliases)]
    trail: list[Point] = []
    parts = ((point, index) for index, part in enumerate((group, *aliases)) for point in part.trail)
    for point, index in sorted(parts, key=lambda entry: entry[0].at):
        totals[index] = point.occurrences
        trail.append(replace(point, occurrences=_sum(totals)))
    for alias in aliases:
        ledger = {row.release: row for row in group.releases}
        for row in alias.releases:
            own = ledger.get(row.release)
            if own is None:
                ledger[row.release] = row
                continue
            noticed = [at for at in (own.noticed_at, row.noticed_at) if at is not None]
            grown = [at for at in (own.grown_at, row.grown_at) if at is not None]
            ledger[row.release] = replace(
                own,
                occurrences=_sum((own.occurrences, row.occurrences)),
                approximate=own.approximate or row.approximate,
                first_seen=_smaller(own.first_seen, row.first_seen),
                last_seen=_larger(own.last_seen, row.last_seen),
                noticed_at=min(noticed, default=None),
                grown_at=max(grown, default=None),
            )
        group = replace(
            group,
            occurrences=_sum((group.occurrences, alias.occurrences)),
            approximate=group.approximate or alias.approximate,
            notifications=group.notifications + alias.notifications,
            hosts=_larger(group.hosts, alias.hosts),
            users=_larger(group.users, alias.users),
            first_seen=_smaller(group.first_seen, alias.first_seen),
            last_seen=_larger(group.last_seen, alias.last_seen),
            releases=tuple(ledger.values()),
            aliases=(*group.aliases, alias.identity.fingerprint),
        )
    return replace(group, trail=tuple(trail))


def _larger(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)


def _smaller(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else min(a, b)
