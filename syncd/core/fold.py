"""Folding a notification into its group. Pure and level-triggered: a group says what is true, not what happened.

Backtrace does not document whether `occurrences` is a lifetime total or the count of a time window. Mode `auto` infers it from
the timestamps; `cumulative` and `window` state it. In every mode a count never falls. The caller never folds a notification twice
(`Notification.digest`): a redelivery only raises the number of notifications.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Literal

from msgspec.structs import replace

from syncd.model import Group, Notification, Point, Release

Mode = Literal["auto", "cumulative", "window"]

MAX_LEDGER = 2000  # releases of one group: a sender that invents one each time must not slow the folds of other groups
OTHER_RELEASES = "(other releases)"
MAX_TRAIL = 64
TEXTS = ("application", "group_url", "callstack", "object_id", "classifiers", "attributes")
_APPEARANCE = attrgetter(*TEXTS, "occurrences", "approximate", "hosts", "users", "first_seen", "last_seen")


def fold(group: Group | None, notification: Notification, mode: Mode) -> Group:
    """The group after one notification. Its revision rises exactly if the texts of its issue change."""
    return fold_all(group, [notification], mode, lambda _: notification)


def fold_all(
    group: Group | None, notifications: Sequence[Notification], mode: Mode, read: Callable[[int], Notification]
) -> Group:
    """The group after several notifications, in the order of their arrival: as if each were folded by itself, except that its revision
    rises by at most one, exactly if the texts of its issue differ from before.

    `read` returns the notification at a place with all of its texts; only those that describe the group are read."""
    before = after = group or Group(identity=notifications[0].identity)
    ledger, trail = {row.release: row for row in before.releases}, [*before.trail]
    latest: list[int] = []
    late: list[int] = []
    for place, notification in enumerate(notifications):
        # The latest notification describes the group. An older one that arrives late only fills empty fields.
        describes = after.last_seen is None or (notification.last is not None and notification.last >= after.last_seen)
        (latest if describes else late).append(place)
        grown = _count_releases(ledger, after, notification, mode)
        earlier, after = after, _counted(after, notification, mode)
        if grown or after != earlier:
            _leave_point(trail, after, notification)

    def text(field: str) -> object:
        old = getattr(before, field)
        places = (*reversed(latest), None, *late)  # None stands for the group before
        for place in places:
            if place is None:
                value = old
            else:
                notification = notifications[place]
                value = getattr(read(place) if field in notification.unread else notification, field)
            if value:
                return value
        return old

    after = replace(
        after, releases=tuple(ledger.values()), trail=tuple(trail), **{field: text(field) for field in TEXTS}
    )
    notified = before.notifications + len(notifications)
    if before.revision:
        return replace(after, notifications=notified, revision=before.revision + _differs(before, after))
    return replace(after, notifications=notified)


def _counted(before: Group, notification: Notification, mode: Mode) -> Group:
    """The group with the numbers and times of a notification."""
    # Without a count: the histogram's sum, and at least one, since a crash caused the notification.
    counted, guessed = notification.occurrences, notification.occurrences is None
    if counted is None:
        counted = _sum(count for _, count in notification.releases) or 1
    total, doubtful = counted, False
    if before.revision:
        span = (before.first_seen, before.last_seen)
        total, doubtful = _total(before.occurrences, span, counted, notification, mode)
    return replace(
        before,
        occurrences=total,
        approximate=guessed or doubtful or (before.revision > 0 and before.approximate),
        hosts=_larger(before.hosts, notification.hosts),
        users=_larger(before.users, notification.users),
        first_seen=_smaller(before.first_seen, notification.first),
        last_seen=_larger(before.last_seen, notification.last),
        revision=before.revision or 1,
    )


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


def _count_releases(ledger: dict[str, Release], group: Group, notification: Notification, mode: Mode) -> bool:
    """Put the counts of a notification into the ledger of its group. Releases beyond MAX_LEDGER share one row. Return whether anything
    that an issue shows has changed."""
    # The earliest time at which every release in the notification had certainly crashed. A span that overlaps the group's may
    # belong to a total: its first timestamp is the group's, not a release's.
    first_seen, last = notification.first, notification.last
    if mode != "window" and first_seen is not None and last is not None:
        since, until = group.first_seen, group.last_seen
        if since is not None and until is not None and first_seen <= until and last >= since:
            first_seen = last
    changed, surplus = False, 0
    for release, counted in notification.releases:
        row = ledger.get(release)
        if row is None and len(ledger) >= MAX_LEDGER and release != OTHER_RELEASES:
            surplus = _sum((surplus, counted))
            continue
        if row is not None:
            ledger[release] = grown = _grown(row, counted, first_seen, notification, mode)
            changed = changed or _row_appearance(grown) != _row_appearance(row)
            continue
        changed = True
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
        grown = replace(_grown(row, surplus, first_seen, notification, mode), approximate=True)
        changed = changed or OTHER_RELEASES not in ledger or _row_appearance(grown) != _row_appearance(row)
        ledger[OTHER_RELEASES] = grown
    return changed


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


def _leave_point(trail: list[Point], group: Group, notification: Notification) -> None:
    """Add the group's newest state to its trail.

    If it is too long, the point whose neighbours are closest together relative to their age is dropped: recent growth keeps a
    fine resolution, old growth a coarse one.
    """
    at = max(notification.received_at, trail[-1].at if trail else 0.0)
    trail.append(
        Point(at=at, occurrences=group.occurrences, users=notification.users or 0, hosts=notification.hosts or 0)
    )
    if len(trail) > 1 and trail[-2].at == at:
        least = len(trail) - 2
    elif len(trail) > MAX_TRAIL:
        ages = {index: at - trail[index].at + 60.0 for index in range(1, len(trail) - 1)}
        least = min(ages, key=lambda index: (trail[index + 1].at - trail[index - 1].at) / ages[index])
    else:
        return
    dropped, following = trail[least : least + 2]
    users, hosts = max(dropped.users, following.users), max(dropped.hosts, following.hosts)
    trail[least : least + 2] = [replace(following, users=users, hosts=hosts)]


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


def _row_appearance(row: Release) -> tuple[object, ...]:
    """What an issue shows of a release: not the time spans that the fold decides by."""
    return row.occurrences, row.approximate, row.first_seen, row.last_seen


def _differs(before: Group, after: Group) -> bool:
    """True if the texts of the issue change."""
    if len(after.releases) > len(before.releases) or _APPEARANCE(before) != _APPEARANCE(after):
        return True
    # Rows keep their order, and new ones are appended.
    rows = zip(before.releases, after.releases, strict=True)
    return any(_row_appearance(new) != _row_appearance(old) for old, new in rows if new is not old)


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
