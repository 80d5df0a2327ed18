"""Folding a notification into its group. Pure and level-triggered: a group says what is true, not what happened.

What a count means is decided by `counts`. While a reading stands, a count never falls. The caller never folds a notification twice
(`Notification.digest`): a redelivery only raises the number of notifications.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from operator import attrgetter

from msgspec.structs import replace

from syncd.core import counts, polls, source_reports, trend
from syncd.core.counts import Comparison, Counting, Evidence, Mode, Place
from syncd.core.quantities import larger, smaller
from syncd.model import Group, Notification, Point, Reading, Release, Tally

MAX_LEDGER = 2000  # releases of one group: a sender that invents one each time must not slow the folds of other groups
OTHER_RELEASES = "(other releases)"
TEXTS = ("application", "group_url", "callstack", "object_id", "classifiers", "message", "attributes")
_NUMBERS = ("occurrences", "approximate", "at_most", "hosts", "users", "first_seen", "last_seen")
_APPEARANCE = attrgetter(*TEXTS, *_NUMBERS, "triage", "source_state", "backfilled")


def fold(group: Group | None, notification: Notification, mode: Mode) -> Group:
    """The group after one notification of a project without evidence. Its revision rises exactly if the texts of its issue change."""
    return fold_all(group, [notification], Counting(mode=mode), lambda _: notification)[0]


def fold_all(
    group: Group | None,
    notifications: Sequence[Notification],
    counting: Counting,
    read: Callable[[int], Notification],
    repeats: Container[int] = (),
) -> tuple[Group, Evidence]:
    """The group after several notifications, in the order of their arrival: as if each were folded by itself, except that its revision
    rises by at most one, exactly if the texts of its issue differ from before. Return also what they show of their project.

    `read` returns the notification at a place with all of its texts; only those that describe the group are read. Those at the places
    `repeats` repeat an earlier one to the letter, and have neither a time nor an object: each is a redelivery, or another crash."""
    before = after = group or Group(identity=notifications[0].identity)
    if not before.revision:
        after = replace(after, reading=counting.reading(after.tally))
    ledger, trail = {row.release: row for row in before.releases}, [*before.trail]
    object_id, evidence = before.object_id, Evidence()
    latest: list[int] = []
    late: list[int] = []
    for place, notification in enumerate(notifications):
        if place in repeats:
            after = _doubted(
                replace(after, releases=tuple(ledger.values()), trail=tuple(trail)), notification, counting
            )
            ledger, trail = {row.release: row for row in after.releases}, [*after.trail]
            continue
        if notification.polled:
            evidence = evidence.plus(polls.lesson(after.tally, _count(notification)))
            after = _polled(replace(after, releases=tuple(ledger.values()), trail=tuple(trail)), notification, counting)
            ledger, trail = {row.release: row for row in after.releases}, [*after.trail]
            late.append(place)  # a notification has more to say of the latest crash
            continue
        # The latest notification describes the group. An older one that arrives late only fills empty fields.
        describes = after.last_seen is None or (notification.last is not None and notification.last >= after.last_seen)
        (latest if describes else late).append(place)
        notification = _with_possible_times(after, notification)
        guessed, count = notification.occurrences is None, _count(notification)
        how = Comparison()
        if after.revision:
            span = after.first_seen, after.last_seen
            how = counts.compare(notification, count, _tally(after), span, object_id, counting.mode)
            if not after.tally.polled:  # or else the poll before it teaches what it is, and not its times
                evidence = evidence.plus(how.events)
        object_id = (notification.object_id if describes or object_id is None else None) or object_id
        in_parts = counting.mode == "window" or after.reading in _PARTS
        grown = _count_releases(ledger, after, notification, how, in_parts=in_parts)
        earlier, after = after, _counted(after, notification, count, how, guessed=guessed)
        if (reading := counting.reading(after.tally)) != after.reading:
            after = read_as(replace(after, releases=tuple(ledger.values()), trail=tuple(trail)), reading)
            ledger, trail = {row.release: row for row in after.releases}, [*after.trail]
        after = replace(after, backfilled=False)  # its crash goes on
        if grown or replace(after, tally=earlier.tally) != earlier:
            trend.leave_point(trail, after, notification)

    places = (*reversed(latest), None, *late)  # None stands for the group before
    sources = {field: _describing(field, before, notifications, places, read) for field in TEXTS}
    after = replace(
        after,
        releases=tuple(ledger.values()),
        trail=tuple(trail),
        notifications=before.notifications + len(notifications),
        attribute_counts=sources["attributes"].attribute_counts,
        **{field: getattr(source, field) for field, source in sources.items()},
    )
    after = replace(after, revision=before.revision + _differs(before, after)) if before.revision else after
    return replace(after, source_state=source_reports.at_revision(before.source_state, after)), evidence


def _describing(
    field: str,
    before: Group,
    notifications: Sequence[Notification],
    places: Iterable[int | None],
    read: Callable[[int], Notification],
) -> Notification | Group:
    """The first of the notifications at `places` that has the text, or the group before."""
    for place in places:
        source: Notification | Group = before
        if place is not None:
            notification = notifications[place]
            source = read(place) if field in notification.unread else notification
        if getattr(source, field):
            return source
    return before


_PARTS = (Reading.WINDOWS, Reading.WINDOWS_OR_TOTAL, Reading.WINDOWS_KEPT, Reading.SUM)


def read_as(group: Group, reading: Reading) -> Group:
    """The group with the numbers of a reading. Its trail keeps its shape: what grew since a time still did, in proportion."""
    if reading == group.reading:
        return group
    occurrences, approximate, at_most = counts.bounds(_tally(group), reading)
    ledger = tuple(_row_as(row, _tally(row), reading) for row in group.releases)
    trail = group.trail
    if occurrences != group.occurrences and group.occurrences:
        trail = tuple(
            replace(point, occurrences=point.occurrences * occurrences // group.occurrences) for point in trail
        )
    return replace(
        group,
        occurrences=occurrences,
        approximate=approximate,
        at_most=at_most,
        reading=reading,
        releases=ledger,
        trail=trail,
    )


def read_again(group: Group, counting: Counting) -> Group:
    """The group as its project is read now. Its revision rises if the texts of its issue change."""
    after = read_as(group, counting.reading(_tally(group)))
    return after if after is group else replace(after, revision=group.revision + _differs(group, after))


def _row_as(row: Release, tally: Tally, reading: Reading) -> Release:
    occurrences, approximate, at_most = counts.bounds(tally, reading)
    return replace(row, tally=tally, occurrences=occurrences, approximate=approximate, at_most=at_most)


def _doubted(group: Group, notification: Notification, counting: Counting) -> Group:
    named = dict(notification.releases)
    tally = counts.doubted(_tally(group), _count(notification))
    rows = tuple(
        _row_as(row, counts.doubted(_tally(row), named[row.release]), group.reading) if row.release in named else row
        for row in group.releases
    )
    occurrences, approximate, at_most = counts.bounds(tally, group.reading)
    after = replace(
        group, tally=tally, occurrences=occurrences, approximate=approximate, at_most=at_most, releases=rows
    )
    return read_as(after, counting.reading(tally))


def _polled(group: Group, notification: Notification, counting: Counting) -> Group:
    """The group with the totals of a poll."""
    message = _with_possible_times(group, notification)
    tally = polls.tally(_tally(group), _count(message), message.received_at)
    reading = counting.reading(tally)
    totals = dict(message.releases)
    rows = {row.release: replace(row, tally=_tally(row)) for row in group.releases}
    new = [release for release in totals if release not in rows]
    if surplus := new[max(0, MAX_LEDGER - len(rows)) :]:
        totals[OTHER_RELEASES] = total(totals.pop(release) for release in surplus)
    for release, counted in totals.items():
        rows[release] = polls.row(rows.get(release), release, counted, message)
    occurrences, approximate, at_most = counts.bounds(tally, reading)
    after = replace(
        group,
        occurrences=occurrences,
        approximate=approximate,
        at_most=at_most,
        reading=reading,
        tally=tally,
        releases=tuple(_row_as(row, row.tally, reading) for row in rows.values()),
        hosts=larger(group.hosts, message.hosts),
        users=larger(group.users, message.users),
        first_seen=smaller(group.first_seen, message.first),
        last_seen=larger(group.last_seen, message.last),
        triage=message.triage or group.triage,
        backfilled=polls.is_backfilled(group, message, occurrences),
        revision=group.revision or 1,
    )
    if after.occurrences != group.occurrences or after.users != group.users or after.hosts != group.hosts:
        trail = [*after.trail]
        trend.leave_point(trail, after, polls.first_point(group, message))
        after = replace(after, trail=tuple(trail))
    return after


def _with_possible_times(group: Group, notification: Notification) -> Notification:
    """The notification without times that a wrong clock set: long before all others of its group."""
    since, first, last = group.first_seen, notification.first, notification.last
    if since is None or first is None or last is None or first >= since - counts.STRANGE_SECONDS:
        return notification
    return replace(notification, first=None, last=last if last >= since - counts.STRANGE_SECONDS else None)


def _counted(before: Group, notification: Notification, count: int, how: Comparison, *, guessed: bool) -> Group:
    """The group with the numbers and times of a notification."""
    if before.revision:
        tally = counts.added(_tally(before), count, how.place, how, of_group=True, guessed=guessed)
    else:
        tally = counts.first_tally(count, guessed=guessed, at=notification.received_at)
    occurrences, approximate, at_most = counts.bounds(tally, before.reading)
    since, until, first = before.first_seen, before.last_seen, notification.first
    is_first = False
    if since is not None and until is not None and first is not None:
        # Or else the earliest time was that of a wrong clock.
        is_first = min(first - since, max(until - since, first - until)) > counts.WRONG_SECONDS
    return replace(
        before,
        occurrences=occurrences,
        approximate=approximate,
        at_most=at_most,
        tally=tally,
        hosts=larger(before.hosts, notification.hosts),
        users=larger(before.users, notification.users),
        first_seen=notification.first if is_first else smaller(before.first_seen, notification.first),
        last_seen=larger(before.last_seen, notification.last),
        source_state=source_reports.state(before, notification),
        revision=before.revision or 1,
    )


def _tally(entry: Group | Release) -> Tally:
    """The tally of a group or a row; an older program kept none."""
    if entry.tally.added or not entry.occurrences:
        return entry.tally
    return counts.first_tally(entry.occurrences, guessed=entry.approximate)


def _count(notification: Notification) -> int:
    """The count of a notification. Without one: the histogram's sum, and at least one, since a crash caused the notification."""
    if notification.occurrences is not None:
        return notification.occurrences
    return total(counted for _, counted in notification.releases) or 1


def total(numbers: Iterable[int]) -> int:
    """The sum, or the largest number that a database can store."""
    return min(sum(numbers), counts.MOST)


def _count_releases(
    ledger: dict[str, Release], group: Group, notification: Notification, how: Comparison, *, in_parts: bool
) -> bool:
    """Put the counts of a notification into the ledger of its group. Releases beyond MAX_LEDGER share one row. Return whether anything
    that an issue shows has changed."""
    # The earliest time at which every release in the notification had certainly crashed. A span that overlaps the group's may
    # belong to a total: its first timestamp is the group's, not a release's.
    first_seen, last = notification.first, notification.last
    if how.place is Place.WHOLE or (how.place in (Place.EDGE, Place.OVER) and not in_parts):
        first_seen = last
    changed, surplus = False, 0
    for release, counted in notification.releases:
        row = ledger.get(release)
        if row is None and len(ledger) >= MAX_LEDGER and release != OTHER_RELEASES:
            surplus = total((surplus, counted))
            continue
        if row is not None:
            ledger[release] = grown = _grown(row, counted, first_seen, notification, group.reading, how)
            changed = changed or _row_appearance(grown) != _row_appearance(row)
            continue
        changed = True
        ledger[release] = Release(
            release=release,
            occurrences=counted,
            tally=counts.first_tally(counted, guessed=notification.partial, at=notification.received_at),
            approximate=notification.partial,
            first_seen=first_seen,
            last_seen=notification.last,
            since=notification.first,
            until=notification.last,
            noticed_at=notification.received_at,
            grown_at=notification.received_at,
        )
    if surplus:
        row = ledger.get(OTHER_RELEASES) or Release(release=OTHER_RELEASES, occurrences=0, first_seen=first_seen)
        row = replace(row, tally=replace(_tally(row), guessed=True))
        grown = _grown(row, surplus, first_seen, notification, group.reading, how)
        changed = changed or OTHER_RELEASES not in ledger or _row_appearance(grown) != _row_appearance(row)
        ledger[OTHER_RELEASES] = grown
    return changed


def _grown(
    row: Release, counted: int, first_seen: int | None, notification: Notification, reading: Reading, how: Comparison
) -> Release:
    """The row after a count of its release."""
    where = counts.place(notification.first, notification.last, row.since, row.until)
    tally = counts.added(_tally(row), counted, where, how, of_group=False, guessed=notification.partial)
    occurrences, approximate, at_most = counts.bounds(tally, reading)
    # A total names every release of the group: only a release that grew has crashed again.
    newly = occurrences > row.occurrences or row.last_seen is None
    at, noticed_at, grown_at = notification.received_at, row.noticed_at, row.grown_at
    if occurrences > row.occurrences:
        # An older program wrote no times.
        noticed_at, grown_at = at if noticed_at is None else min(noticed_at, at), max(grown_at or 0.0, at)
    elif noticed_at is not None and counted:
        # An older notification may be folded later: the release had crashed by then, and maybe as often as now.
        noticed_at = min(noticed_at, at)
        grown_at = min(grown_at or at, at) if counted == occurrences else grown_at
    return replace(
        row,
        occurrences=occurrences,
        approximate=approximate,
        at_most=at_most,
        tally=tally,
        first_seen=smaller(row.first_seen, first_seen),
        last_seen=larger(row.last_seen, notification.last) if newly else row.last_seen,
        since=smaller(row.since, notification.first),
        until=larger(row.until, notification.last),
        noticed_at=noticed_at,
        grown_at=grown_at,
    )


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


def recent(group: Group, window: float | None, now: float) -> tuple[Point, bool]:
    """The group's numbers within the last `window` seconds, or of all time; and whether its users and hosts are counted.

    A notification may count those of all time, so that in a group older than the window they are the most that there can be: no more
    than occurrences.
    """
    if window is None:
        numbers = Point(at=0.0, occurrences=group.occurrences, users=group.users or 0, hosts=group.hosts or 0)
        return numbers, True
    grown = growth(group, now - window)
    if group.first_seen is not None and group.first_seen >= now - window:
        return grown, True
    bound = grown.occurrences
    return replace(grown, users=min(grown.users, bound), hosts=min(grown.hosts, bound)), False


def _row_appearance(row: Release) -> tuple[object, ...]:
    """What an issue shows of a release: not the time spans that the fold decides by."""
    return row.occurrences, row.approximate, row.at_most, row.first_seen, row.last_seen


def _differs(before: Group, after: Group) -> bool:
    """True if the texts of the issue change."""
    if len(after.releases) > len(before.releases) or _APPEARANCE(before) != _APPEARANCE(after):
        return True
    # Rows keep their order, and new ones are appended.
    rows = zip(before.releases, after.releases, strict=True)
    return any(_row_appearance(new) != _row_appearance(old) for old, new in rows if new is not old)
