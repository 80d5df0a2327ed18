"""The trail of a group: its points, and from them its occurrences by the times at which it crashed, for a chart. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from msgspec.structs import replace

from syncd.core.quantities import DAY
from syncd.model import Group, Notification, Point

HOUR = 3600
SPANS = (300, HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY)  # of a column, in seconds
FEWEST_COLUMNS, MOST_COLUMNS = 12, 60
MAX_TRAIL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Occurrences in columns of `span` seconds each, the first from `since` on, in epoch seconds."""

    since: int
    span: int
    counts: tuple[int, ...]


def trend(group: Group, now: float) -> Trend | None:
    """The trend of a group up to `now`, in the shortest span of which MOST_COLUMNS are enough; of a longer history the latest columns, and
    FEWEST_COLUMNS even of a shorter one. None without occurrences.

    A notification says how many occurrences there are up to its latest crash, not when each was. What it adds is spread evenly over the time
    since the latest crash of the notifications before it. Where a crash has no time that of its arrival counts, and a time after `now`, of a
    wrong clock, counts as `now`."""
    last = int(now)
    growths = list(_growths(group, last))
    if not growths:
        return None
    first = min(start for start, _, _ in growths)
    span = next((span for span in SPANS if last // span - first // span < MOST_COLUMNS), SPANS[-1])
    begin = max(min(first // span, last // span - FEWEST_COLUMNS + 1), last // span - MOST_COLUMNS + 1)
    columns = [0.0] * (last // span - begin + 1)
    for start, end, count in growths:
        for number in range(max(start // span, begin), end // span + 1):
            within = min(end, (number + 1) * span) - max(start, number * span)
            columns[number - begin] += count * within / (end - start) if end > start else count
    # Rounded sums, so that the columns add up to the occurrences.
    totals = [0, *(round(total) for total in accumulate(columns))]
    return Trend(since=begin * span, span=span, counts=tuple(after - before for before, after in pairwise(totals)))


def _growths(group: Group, now: int) -> Iterator[tuple[int, int, int]]:
    """Each growth with the times between which it crashed."""
    count, latest = 0, group.first_seen
    for point in group.trail:
        end = min(point.crashed_at or int(point.at), now)
        if point.occurrences > count:
            yield min(end if latest is None else latest, end), end, point.occurrences - count
        count, latest = point.occurrences, max(latest or end, end)


def leave_point(trail: list[Point], group: Group, notification: Notification) -> None:
    """Add the group's newest state to its trail.

    If it is too long, the point whose neighbours are closest together relative to their age is dropped: recent growth keeps a
    fine resolution, old growth a coarse one.
    """
    at = max(notification.received_at, trail[-1].at if trail else 0.0)
    trail.append(
        Point(
            at=at,
            occurrences=group.occurrences,
            users=notification.users or 0,
            hosts=notification.hosts or 0,
            crashed_at=notification.last or 0,
        )
    )
    if len(trail) > 1 and trail[-2].at == at:
        least = len(trail) - 2
    elif len(trail) > MAX_TRAIL:
        times = [point.at for point in trail]
        spaces = zip(times, times[1:], times[2:], strict=False)
        distances = [(after - before) / (at - time + 60.0) for before, time, after in spaces]
        least = 1 + distances.index(min(distances))
    else:
        return
    dropped, following = trail[least : least + 2]
    users, hosts = max(dropped.users, following.users), max(dropped.hosts, following.hosts)
    crashed_at = max(dropped.crashed_at, following.crashed_at)
    trail[least : least + 2] = [replace(following, users=users, hosts=hosts, crashed_at=crashed_at)]


def not_after(group: Group, now: float) -> Group:
    """The group without a point of its trail in the future: it was received while the clock was ahead, and all later ones would join it."""
    if not group.trail or group.trail[-1].at <= now:
        return group
    return replace(group, trail=tuple(replace(point, at=min(point.at, now)) for point in group.trail))
