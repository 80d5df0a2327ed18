"""What each release of a project changed, counted from the releases that its groups occurred in. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from syncd.core.fold import OTHER_RELEASES
from syncd.core.overview import Overview, previous
from syncd.core.quantities import DAY
from syncd.core.releases import Order, compare

SURE_AFTER, LEAST_SHARE = 7 * DAY, 10  # seconds; one in so many


class Row(Protocol):
    """The occurrences of a project, or of a part of it, in a release, and the time of the first."""

    @property
    def release(self) -> str: ...
    @property
    def occurrences(self) -> int: ...
    @property
    def first_seen(self) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How many groups of a release occurred in no older one, and how many of the release `before` occur neither in it nor in a newer one."""

    before: str | None
    new: int
    gone: int


def changes(
    histories: Iterable[tuple[Collection[str], int]], candidates: Sequence[str], releases: Sequence[str]
) -> dict[str, Changes]:
    """The changes of `releases`, which are some of the `candidates`: all of their project. A history is the releases in which a number of
    groups occurred. What cannot be compared is neither older nor newer, as in `overview.overview`."""
    before = {release: previous(candidates, release) for release in releases}
    # By name, the releases than which it is older or newer, which it is, and before which it comes, each as a bit.
    bits: dict[str, tuple[int, int, int, int]] = {}
    new, gone = dict.fromkeys(releases, 0), dict.fromkeys(releases, 0)
    for names, count in histories:
        older = newer = here = there = 0
        for name in names:
            if name == OTHER_RELEASES:
                continue
            if name not in bits:
                orders = [compare(name, release) for release in releases]
                bits[name] = (
                    _bits(order is Order.OLDER for order in orders),
                    _bits(order is Order.NEWER for order in orders),
                    _bits(order is Order.SAME for order in orders),
                    _bits(
                        (last := before[each]) is not None and compare(name, last) is Order.SAME for each in releases
                    ),
                )
            of_name = bits[name]
            older, newer, here, there = older | of_name[0], newer | of_name[1], here | of_name[2], there | of_name[3]
        for release in releases:
            new[release] += count * (here & ~older & 1)
            gone[release] += count * (there & ~here & ~newer & 1)
            older, newer, here, there = older >> 1, newer >> 1, here >> 1, there >> 1
    return {name: Changes(before=before[name], new=new[name], gone=gone[name]) for name in releases}


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << place for place, flag in enumerate(flags) if flag)


def is_early(release: str, before: str | None, rows: Iterable[Row], now: float) -> bool:
    """True as long as nothing can be said to be gone in a release since the one `before`: if its first crash was less than a day ago, or
    less than a week and it has less than a tenth of the occurrences of that one. Few users have it then. `rows` are those of the project."""
    since, here, there = now, 0, 0
    for row in rows:
        if compare(row.release, release) is Order.SAME:
            here += row.occurrences
            since = min(since, now - SURE_AFTER if row.first_seen is None else row.first_seen)
        elif before is not None and compare(row.release, before) is Order.SAME:
            there += row.occurrences
    return now - since < DAY or (now - since < SURE_AFTER and here * LEAST_SHARE < there)


def cautious(view: Overview, rows: Iterable[Row], now: float) -> Overview:
    """The overview of a release without what is gone in it, as long as that is too early to say."""
    return replace(view, gone=(), early=True) if is_early(view.release, view.before, rows, now) else view
