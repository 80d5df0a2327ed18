"""A group together with its aliases: other groups of the same crash. Pure."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from syncd.core import frames
from syncd.core.fold import total
from syncd.core.quantities import larger, smaller
from syncd.model import Group, Point, Reading, Release


def with_aliases(group: Group, aliases: Sequence[Group]) -> Group:
    """The group with the occurrences of its aliases.

    The users and hosts of several groups overlap and cannot be added: the result has the largest numbers. A group that was merged in
    Backtrace may count the occurrences of those that it was merged from; it certainly does if it has their times, or counts totals.
    """
    parts = (group, *aliases)
    merged = [frames.merged(part.identity.fingerprint) for part in parts]
    if all(merged):
        merged = [False] * len(parts)
    plain = [part for part, is_merged in zip(parts, merged, strict=True) if not is_merged]
    included = any(merged) and any(
        all(_includes(whole, part, plain) for part in plain)
        for whole, is_merged in zip(parts, merged, strict=True)
        if is_merged
    )

    def together(numbers: Sequence[int]) -> int:
        largest = max((number for number, is_merged in zip(numbers, merged, strict=True) if is_merged), default=0)
        return max(largest, total(number for number, is_merged in zip(numbers, merged, strict=True) if not is_merged))

    def bounds(entries: Sequence[Group | Release | None]) -> tuple[int, bool, int | None]:
        low = together([entry.occurrences if entry else 0 for entry in entries])
        approximate = any(entry.approximate for entry in entries if entry)
        if any(entry.approximate and entry.at_most is None for entry in entries if entry):
            return low, True, None
        highs = [(entry.at_most if entry.approximate else entry.occurrences) or 0 if entry else 0 for entry in entries]
        high = together(highs) if included else total(highs)
        approximate = approximate or high > low
        return low, approximate, max(low, high) if approximate else None

    # Each point has the occurrences of all groups at its time. A group without a trail had all of its occurrences before.
    totals = [0 if part.trail else part.occurrences for part in parts]
    trail: list[Point] = []
    points = ((point, index) for index, part in enumerate(parts) for point in part.trail)
    for point, index in sorted(points, key=lambda entry: entry[0].at):
        totals[index] = point.occurrences
        trail.append(replace(point, occurrences=together(totals)))
    occurrences, approximate, at_most = bounds(parts)
    ledgers = [{row.release: row for row in part.releases} for part in parts]
    names = dict.fromkeys(row.release for part in parts for row in part.releases)
    whole = group
    for alias in aliases:
        whole = replace(
            whole,
            notifications=whole.notifications + alias.notifications,
            hosts=larger(whole.hosts, alias.hosts),
            users=larger(whole.users, alias.users),
            first_seen=smaller(whole.first_seen, alias.first_seen),
            last_seen=larger(whole.last_seen, alias.last_seen),
            aliases=(*whole.aliases, alias.identity.fingerprint),
        )
    return replace(
        whole,
        occurrences=occurrences,
        approximate=approximate,
        at_most=at_most,
        releases=tuple(_joined([ledger.get(name) for ledger in ledgers], bounds) for name in names),
        trail=tuple(trail),
    )


def _includes(whole: Group, part: Group, plain: Sequence[Group]) -> bool:
    """True if the count of a merged group certainly includes that of a group that it was merged from."""
    if whole.occurrences < total(entry.occurrences for entry in plain):
        return False
    if whole.reading in (Reading.TOTAL, Reading.KEPT):
        return True
    since, until, first, last = whole.first_seen, whole.last_seen, part.first_seen, part.last_seen
    if since is None or until is None or first is None or last is None:
        return False
    return since <= first and last <= until


def _joined(
    rows: Sequence[Release | None], bounds: Callable[[Sequence[Release | None]], tuple[int, bool, int | None]]
) -> Release:
    """The row of one release in several groups."""
    named = [row for row in rows if row is not None]
    if len(named) == 1:
        return named[0]
    occurrences, approximate, at_most = bounds(rows)
    whole = named[0]
    for row in named[1:]:
        noticed = [at for at in (whole.noticed_at, row.noticed_at) if at is not None]
        grown = [at for at in (whole.grown_at, row.grown_at) if at is not None]
        whole = replace(
            whole,
            first_seen=smaller(whole.first_seen, row.first_seen),
            last_seen=larger(whole.last_seen, row.last_seen),
            noticed_at=min(noticed, default=None),
            grown_at=max(grown, default=None),
        )
    return replace(whole, occurrences=occurrences, approximate=approximate, at_most=at_most)
