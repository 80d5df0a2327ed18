"""Folding a notification into its group. Pure, and level-triggered: the result says what is true, not what happened.

Backtrace does not say whether `occurrences` is a lifetime total or the count of a window. Mode `auto` reads it off the
timestamps; `cumulative` and `window` say it. In every mode a count never falls. The caller never folds the same notification
twice (`Notification.digest`): for a redelivery it calls `again`.
"""

from dataclasses import replace
from typing import Literal, TypeVar

from syncd.model import Group, Notification, Release

Mode = Literal["auto", "cumulative", "window"]
Shown = TypeVar("Shown")

_MOST = 2**63 - 1  # a database holds no larger number, and one it refused would hold up every delivery behind it


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
    changed = before.revision == 0 or _shown(after) != _shown(before)
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
    )


def _counted(before: Group, after: Group, notification: Notification, mode: Mode) -> Group:
    counted = notification.occurrences
    guessed = counted is None
    if counted is None:
        # Somebody was notified of something: the histogram's sum, or at least one.
        counted = min(sum(count for _, count in notification.releases) or 1, _MOST)
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
        return min(stored + counted, _MOST), False
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
        return min(stored + counted, _MOST), False
    return larger, True


def _ledger(group: Group, notification: Notification, mode: Mode) -> tuple[Release, ...]:
    ledger = {row.release: row for row in group.releases}
    for release, counted in notification.releases:
        row = ledger.get(release)
        ledger[release] = _entry(group, release, counted, notification) if row is None else _grown(row, counted, notification, mode)
    return tuple(ledger.values())


def _entry(group: Group, release: str, counted: int, notification: Notification) -> Release:
    first, last = notification.first, notification.last
    seen = first
    if first is not None and last is not None and group.last_seen is not None and first <= group.last_seen < last:
        # Until `group.last_seen` nobody had spoken of this release, and a total's first timestamp is the group's, not
        # the release's: the time of the latest occurrence is the earliest that is certain.
        seen = last
    return Release(
        release=release, occurrences=counted, first_seen=seen, last_seen=last, since=first, until=last
    )


def _grown(row: Release, counted: int, notification: Notification, mode: Mode) -> Release:
    total, doubtful = _total(row.occurrences, (row.since, row.until), counted, notification, mode)
    # A total names every release there ever was: only one that grew was seen again.
    grew = total > row.occurrences
    return replace(
        row,
        occurrences=total,
        approximate=row.approximate or doubtful,
        first_seen=_earlier(row.first_seen, notification, mode),
        last_seen=_larger(row.last_seen, notification.last) if grew else row.last_seen,
        since=_smaller(row.since, notification.first),
        until=_larger(row.until, notification.last),
    )


def _earlier(known: int | None, notification: Notification, mode: Mode) -> int | None:
    """When a release was first seen, given a further notification that speaks of it."""
    first, last = notification.first, notification.last
    if known is None or first is None or last is None:
        return first if known is None else known
    # Within a span that reaches over `known`, a total's first timestamp is the group's and says nothing new.
    return min(known, first) if mode == "window" or last < known else known


def _larger(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _smaller(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
