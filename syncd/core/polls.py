"""What a poll of Backtrace says of a group: totals of all time. Pure.

Where a poll is fresh, its totals are the counts. The counts of notifications since are kept beside them, and count again once polls fail:
then they bound what happened since the last one.
"""

from msgspec.structs import replace

from syncd.core.counts import MOST, Evidence, first_tally
from syncd.model import Group, Notification, Release, Tally

FRESH_POLLS = 3  # intervals
FRESH_SECONDS = 3600.0

RESOLVED, MUTED = "resolved", "muted"
STATES = ("open", "in-progress", RESOLVED, MUTED)


def is_fresh(polled_at: float, interval: float, now: float) -> bool:
    """Whether the totals of a poll are still the counts of a project. One or two polls may fail."""
    return polled_at > 0 and now - polled_at <= max(FRESH_POLLS * interval, FRESH_SECONDS)


def tally(before: Tally, total: int, at: float) -> Tally:
    """The tally after a total, received at a time. A total that falls lowers nothing, nor what notifications have proved."""
    total = min(max(total, before.polled, before.least), MOST)
    # What contradicted totals of the webhook still does.
    return replace(
        first_tally(total, guessed=False, at=at), polled=total, parts=before.parts, falls=before.falls, gone=0
    )


def lesson(before: Tally, total: int) -> Evidence:
    """What a total shows of the counts of the notifications since the total before it: whether those were totals or windows."""
    grown = total - before.polled
    if not before.polled or not before.since or grown <= 0:
        return Evidence()
    if before.since > grown and before.polled < before.largest <= total:
        return Evidence(rises=1)
    if before.since <= grown and before.since < before.polled:
        return Evidence(apart=1, falls=1)
    return Evidence()


def is_news(group: Group, poll: Notification) -> bool:
    """Whether a poll says what the group lacks. Counts that fall are not news, as `tally` ignores them."""
    rows = {row.release: row.tally.polled for row in group.releases}
    return (
        (poll.occurrences or 0) > group.tally.polled
        or group.tally.since > 0
        or any(count > rows.get(release, 0) for release, count in poll.releases)
        or (poll.hosts or 0) > (group.hosts or 0)
        or (poll.users or 0) > (group.users or 0)
        or (poll.last or 0) > (group.last_seen or 0)
        or poll.triage not in (None, group.triage)
        or (poll.backfill is False and group.backfilled)
    )


def is_backfilled(group: Group, poll: Notification, occurrences: int) -> bool:
    """Whether nothing is known of the group but what a backfill brought, which is not to be filed."""
    if not group.revision:
        return poll.backfill is True
    return group.backfilled and poll.backfill is not False and occurrences <= group.occurrences


def moment(notification: Notification) -> float:
    """The time by which everything that a poll counts had crashed."""
    last = notification.last
    return notification.received_at if last is None else min(float(last), notification.received_at)


def row(before: Release | None, release: str, total: int, notification: Notification) -> Release:
    """The row of a release after a total. Its numbers are read by the caller."""
    at, last = moment(notification), notification.last
    if before is None:
        return Release(
            release=release,
            occurrences=0,
            tally=tally(Tally(), total, notification.received_at),
            first_seen=last,
            last_seen=last,
            since=notification.first,
            until=last,
            noticed_at=at,
            grown_at=at,
        )
    after = replace(before, tally=tally(before.tally, total, notification.received_at))
    if after.tally.polled <= before.occurrences:
        return after
    return replace(
        after,
        last_seen=last if before.last_seen is None else max(before.last_seen, last or 0),
        until=last if before.until is None else max(before.until, last or 0),
        noticed_at=at if before.noticed_at is None else min(before.noticed_at, at),
        grown_at=max(before.grown_at or 0.0, at),
    )


def first_point(group: Group, notification: Notification) -> Notification:
    """The first poll of a group as received when the group began to crash: nothing says when the crashes since then came, and none of them
    may pass for a recent one."""
    if group.revision or notification.first is None or notification.first >= notification.received_at:
        return notification
    return replace(notification, received_at=float(notification.first))


def sentence(state: str) -> str:
    """What Backtrace's triage shows, for people."""
    return {RESOLVED: "Backtrace shows it as resolved", MUTED: "it is muted in Backtrace"}.get(
        state, f"Backtrace shows it as {state}"
    )
