"""What the numbers of a sender mean: a total of the group, or occurrences to be added. Pure.

Backtrace documents `occurrences` as the number of objects in the group, and does not say whether an alert's window limits it. Every count
is therefore kept by both readings, as a `Tally`. What the notifications of a whole project show is its `Evidence`; `Counting` decides by it,
and a change of that decision loses nothing. Where nothing decides, a count has a lower and an upper bound, and both hold.
"""

from collections.abc import Mapping
from enum import IntEnum
from operator import add
from typing import Literal

import msgspec
from msgspec.structs import astuple, replace

from syncd.core.quantities import bounded, counted
from syncd.model import Group, Notification, Reading, Tally

Mode = Literal["auto", "cumulative", "window"]
AnyMode = Mode | Literal["sum"]  # of a source that says so: each number is of occurrences of its own

MOST = 2**63 - 1  # databases store no larger number, and a refused one would block all later deliveries
PRECISION = 100  # bounds that differ by less than this part of a count are not worth a word
FEW = 4  # counts that rise as totals do decide, unless others contradict
SEVERAL = 8  # separate windows, or notifications of one crash each, that decide
TOLERANCE = 50  # of so many notifications one may contradict; a decision is given up at twice that share
REMEMBERED = 4000  # beyond, older evidence counts half: somebody may have configured other alerts
DAY_SECONDS = 86400  # in which no tracker deletes a crash that it counted
STRANGE_SECONDS = 365 * 86400  # a crash so long before all others of its group has a wrong clock, perhaps
WRONG_SECONDS = 5 * STRANGE_SECONDS  # the same, surely


class Place(IntEnum):
    """The time span of a count, compared with the span of all counts before it."""

    UNKNOWN = 0  # one of them has no times
    APART = 1  # later
    BEFORE = 2  # earlier
    EDGE = 3  # begins in the second in which the others end
    WHOLE = 4  # begins with the others and ends no earlier
    OVER = 5  # overlaps


class Evidence(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How many notifications of a project fit a reading or contradict it, each compared with those of its group before it."""

    wholes: int = 0  # the span of all before it, extended, with a larger count
    broken: int = 0  # the span of all before it, extended, with no larger count
    rises: int = 0  # a larger count at one time, or without a time
    falls: int = 0  # a later crash and no larger count: no total
    apart: int = 0  # a span of its own
    overlaps: int = 0  # a span that overlaps those before
    singles: int = 0  # one crash, and another one than that of the latest notification
    several: int = 0  # several crashes
    doubles: int = 0  # the crash of the latest notification again: two alerts
    late: int = 0  # a crash before all others: an upload that was late

    def plus(self, events: "Evidence") -> "Evidence":
        """The evidence with further events."""
        sums = [*map(add, astuple(self), astuple(events))]
        return Evidence(*([count // 2 for count in sums] if sum(sums) > REMEMBERED else sums))


class Counting(msgspec.Struct, frozen=True, gc=False):
    """The decision how the numbers of a project are read: those of its groups that do not contradict it.

    `totals`: as totals. `spans`: a span that extends all before it counts all of them. `singles`: one crash each. `windows`: separate windows.
    `mixed`: no separate windows. `late`: crashes are uploaded late, so that the oldest of a window may be uploaded after the rest.
    `polled`: syncd reads totals itself, and the last ones are fresh.
    """

    mode: AnyMode = "auto"
    totals: bool = False
    spans: bool = True
    singles: bool = False
    windows: bool = False
    mixed: bool = False
    late: bool = False
    polled: bool = False

    def reading(self, tally: Tally) -> Reading:
        """The reading of a group with this tally."""
        if self.mode == "sum":
            return Reading.SUM
        if self.polled and tally.polled:
            return Reading.POLLED
        if self.mode == "window":
            if self.singles and tally.largest <= 1:
                return Reading.SUM
            # Without a fall, they rise as totals would.
            return self._windows(tally) if tally.falls and not self.mixed else self._between(tally)
        if not tally.falls and (self.mode == "cumulative" or (self.totals and not tally.parts)):
            # Whoever states that they are totals says that they count all crashes.
            return Reading.KEPT if self.mode == "auto" and (self.late or tally.day > 0) else Reading.TOTAL
        if self.mode == "auto":
            if self.singles and tally.largest <= 1:
                return Reading.SUM
            if self.windows:
                return self._windows(tally)
        return self._between(tally)

    def _windows(self, tally: Tally) -> Reading:
        if not self.spans:
            return Reading.WINDOWS
        return Reading.WINDOWS_KEPT if self._is_kept(tally) else Reading.WINDOWS_OR_TOTAL

    def _is_kept(self, tally: Tally) -> bool:
        """True if a span that extends all before it may lack crashes that were uploaded before its oldest."""
        return self.late or bool(tally.falls and tally.parts)

    def _between(self, tally: Tally) -> Reading:
        if not self.spans:
            return Reading.BETWEEN
        return Reading.BETWEEN_KEPT if self._is_kept(tally) else Reading.BETWEEN_TOTAL


def decide(mode: AnyMode, evidence: Evidence, before: Counting) -> Counting:
    """How the numbers of a project are read. A decision that stands needs more to be given up than to be made."""

    def holds(stands: bool, least: int, fits: int, contradicts: int, tolerance: int = TOLERANCE) -> bool:
        return fits >= least and contradicts * (tolerance // 2 if stands else tolerance) <= fits

    rises = evidence.rises + evidence.wholes
    doubts = evidence.overlaps + evidence.doubles
    return Counting(
        mode=mode,
        totals=holds(before.totals, FEW, rises, evidence.falls + evidence.apart),
        spans=holds(before.spans, 0, evidence.wholes, evidence.broken),
        singles=holds(before.singles, SEVERAL, evidence.singles, evidence.several + evidence.doubles),
        windows=holds(before.windows, SEVERAL, evidence.apart, doubts),
        mixed=(rises >= FEW and 4 * rises >= evidence.falls + evidence.apart)
        or (doubts >= FEW and doubts * TOLERANCE * (1 + before.mixed) > evidence.apart),
        late=before.late or evidence.late > 0,
        polled=before.polled,
    )


def first_tally(count: int, *, guessed: bool, at: float = 0.0) -> Tally:
    """The tally of a first count, received `at` a time. A `guessed` one has no upper bound."""
    # The latest crash is new, and all others may be gone soon.
    return Tally(count, count, count, count, guessed=guessed, gone=max(0, count - 1), day=-int(at))


def place(first: int | None, last: int | None, since: int | None, until: int | None) -> Place:
    """Compare the span of a count with the span of those before it."""
    if first is None or last is None or since is None or until is None:
        return Place.UNKNOWN
    if first > until:
        return Place.APART if first <= until + STRANGE_SECONDS else Place.UNKNOWN
    if last < since:
        return Place.BEFORE
    if first == since and last >= until:
        return Place.WHOLE
    return Place.EDGE if first == until else Place.OVER


class Comparison(msgspec.Struct, frozen=True, gc=False):
    """A notification, compared with its group before it."""

    place: Place = Place.UNKNOWN
    proved: bool = True  # nothing but separate occurrences has a span of its own here
    whole: bool = False  # it counts all before it, if the project's spans do
    old: bool = False  # an older total, if totals they are
    fall: int = 0
    part: int = 0
    included: bool = False  # an earlier count may include all of it
    gone: int = 0  # as of the tally
    day: int = 0
    events: Evidence = Evidence()


def compare(
    notification: Notification,
    count: int,
    tally: Tally,
    span: tuple[int | None, int | None],
    object_id: str | None,
    mode: AnyMode,
) -> Comparison:
    """Compare a notification with its group. `span` is the group's, `object_id` that of its latest notification."""
    first, last, (since, until) = notification.first, notification.last, span
    where = place(first, last, since, until)
    named, larger = notification.object_id is not None, count > tally.largest
    again = named and notification.object_id == object_id
    point = first == last  # also without times
    single = count == 1 and point and named and not again
    later = last is not None and until is not None and last > until and not again and count > 0
    # A total that comes with the time of its latest crash has a span that says nothing.
    alone = where is Place.APART or (where is Place.BEFORE and tally.largest <= 1)
    # The one time of a total may be that of an upload that was late: crashes after it are in the total, too.
    proved = not again and tally.day <= 0 and (not point or (count == 1 and alone))
    # In one and the same second nothing tells a total of all from another crash. Two windows may share the second between them.
    shared = since == until and (point or mode == "window")
    whole = where is Place.WHOLE and (again or not (single or shared))
    fall = wholes = broken = rises = 0
    separate = (where is Place.APART and proved) or (where is Place.EDGE and not point)
    if last is None or until is None or (where is Place.UNKNOWN and first is not None):
        fall = int(count < tally.largest or (named and not again and not larger))
        # Windows of that size differ by more from each other.
        rises = int(larger and (count - tally.largest) ** 2 <= tally.largest)
    elif whole:
        # A total of all includes whatever is proved.
        broken = int(later and (not larger or count <= tally.least))
        wholes, fall = int(later and not broken), int(later and not larger)
    elif later and not larger:
        fall = 1
    elif count > 1 and (point or first is None):
        rises = int(larger)
    elif later and where is Place.OVER and first is not None and since is not None:
        fall = int(first > since)  # the beginning of a total moves only where a tracker forgets
    # Where windows come too, one that begins with the group may be of a crash that was uploaded late, in the second of the first.
    of_all = whole and not broken and count >= tally.least and not (tally.falls and tally.parts)
    gone, day = tally.gone, tally.day
    before_all = first is not None and since is not None and first < since
    forgets = later and where is Place.OVER and not point and not before_all and (first or 0) > (since or 0)
    at = int(notification.received_at)
    if before_all or forgets or (point and first == since and first is not None and not again):
        # The oldest crash that it counts was uploaded by now, and may stay longer than all that were counted before.
        gone = tally.most + gone + max(0, count - 1)
    elif point and at >= abs(day) + DAY_SECONDS:
        gone, day = gone + tally.largest + max(0, count - 1), at
    if point and count > 1:
        day = abs(day)
    return Comparison(
        place=where,
        proved=proved,
        whole=of_all,
        old=first == since and first is not None and not point and not (larger or of_all or single or later),
        fall=fall,
        # A total with an upload that was late, or a window that slides over one.
        part=int(separate or (where is Place.OVER and not point and first is not None and first < (since or 0))),
        included=again or where is Place.UNKNOWN or (point and count > 1),
        gone=min(gone, MOST),
        day=day,
        events=Evidence(
            wholes=wholes,
            broken=broken,
            rises=rises,
            falls=fall,
            apart=int(separate),
            overlaps=int(where is Place.OVER and not single and not (point and count > 1)),
            singles=int(single),
            several=int(not single and not again),
            doubles=int(again and count == 1),
            late=int(before_all and not again),
        ),
    )


def added(tally: Tally, count: int, where: Place, how: Comparison, *, of_group: bool, guessed: bool) -> Tally:
    """The tally after a further count of the group, or of one of its releases; `where` is its place among those before."""
    separate = (where is Place.APART and how.proved) or (where is Place.BEFORE and how.proved)
    least = tally.least + count if separate else max(tally.least, count)
    overlaps = how.included or where in (Place.OVER, Place.WHOLE)
    return Tally(
        largest=max(tally.largest, count),
        added=min(tally.added + count, MOST),
        least=min(least, MOST),
        most=count if how.whole else tally.most if how.old else min(tally.most + count, MOST),
        overlapped=min(tally.overlapped + count, MOST) if overlaps else tally.overlapped,
        parts=tally.parts + how.part if of_group else 0,
        falls=tally.falls + how.fall if of_group else 0,
        guessed=tally.guessed or guessed,
        gone=how.gone,
        day=how.day,
        polled=tally.polled,
        since=min(tally.since + count, MOST) if tally.polled else 0,
    )


def doubted(tally: Tally, count: int) -> Tally:
    """The tally after a notification that repeats an earlier one to the letter, and has neither a time nor an object: the same
    notification again, or another crash."""
    return replace(
        tally,
        added=min(tally.added + count, MOST),
        most=min(tally.most + count, MOST),
        overlapped=min(tally.overlapped + count, MOST),
        falls=tally.falls + 1,
    )


def bounds(tally: Tally, reading: Reading) -> tuple[int, bool, int | None]:
    """A count by a reading: the number, whether it is only a lower bound, and then the upper one, None where there is none."""
    low = max(tally.least, tally.added - tally.overlapped)
    high = tally.added
    match reading:
        case Reading.POLLED if tally.polled:
            return tally.polled, False, None
        case Reading.TOTAL:
            low = high = tally.largest
        case Reading.KEPT:
            low, high = tally.largest, min(high, tally.largest + tally.gone)
        case Reading.SUM:
            low = high
        case Reading.BETWEEN | Reading.POLLED:  # a release that no poll has named yet
            low = tally.least
        case Reading.BETWEEN_TOTAL:
            low, high = tally.least, min(high, max(tally.most, tally.least))
        case Reading.WINDOWS_OR_TOTAL:
            high = max(low, min(high, tally.most))
        case Reading.BETWEEN_KEPT:
            low, high = tally.least, min(high, max(tally.most + tally.gone, tally.least))
        case Reading.WINDOWS_KEPT:
            high = max(low, min(high, tally.most + tally.gone))
        case Reading.WINDOWS:
            pass
    if tally.guessed:
        return low, True, None
    approximate = (high - low) * PRECISION > low
    return low, approximate, high if approximate else None


def scaled(counts: Mapping[str, int], before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Earlier numbers of a ledger, after its reading changed its present numbers from `before` to `after`. What was new since then stays
    new, and what was not stays so."""
    return {
        name: count if not before.get(name) else count * after.get(name, count) // before[name]
        for name, count in counts.items()
    }


def why(counting: Counting, evidence: Evidence) -> str:
    """A sentence for people: how the numbers of a project are read, and by what evidence."""
    rises, windows = evidence.rises + evidence.wholes, counted(evidence.apart, "notification")
    comparisons = counted(evidence.singles + evidence.several + evidence.doubles, "comparison")
    if counting.polled:
        text = "occurrences are the totals of Backtrace's API, which syncd polls"
    elif counting.mode == "cumulative":
        text = 'occurrences are totals, as occurrence_mode = "cumulative" states'
    elif counting.mode == "window":
        text = 'occurrences are counts of separate windows, as occurrence_mode = "window" states'
    elif counting.totals:
        text = f"occurrences are totals: {rises:,} of {rises + evidence.falls + evidence.apart:,} comparisons with a later crash rose"
    elif counting.singles:
        text = (
            f"occurrences are added: {counted(evidence.singles, 'notification')} of {comparisons} named one crash each"
        )
    elif counting.windows:
        text = f"occurrences are counts of windows, and are added: {windows} had a time span apart, {evidence.overlaps:,} overlapped"
    else:
        text = f"it is undecided whether occurrences are totals or counts of windows ({comparisons}); a count for which that matters has two bounds"
    against = contradiction(counting, evidence)
    return f"{text}; {against}" if against else text


def contradiction(counting: Counting, evidence: Evidence) -> str | None:
    """What contradicts a configured mode, and what to do; None if nothing does."""
    rises = evidence.rises + evidence.wholes
    if counting.mode == "cumulative" and evidence.falls >= FEW and evidence.falls > rises // 4:
        return (
            f"{evidence.falls:,} of {evidence.falls + rises:,} comparisons contradict that: a later crash came with no larger count; "
            'set occurrence_mode = "auto"'
        )
    if counting.mode == "window" and counting.mixed and not counting.singles:
        doubts = evidence.overlaps + evidence.doubles
        return (
            f"{counted(rises, 'count')} rose as totals do, and {counted(doubts, 'time span')} overlapped, which contradicts that; "
            'set occurrence_mode = "auto"'
        )
    return None


def meaning(group: Group) -> str:
    """A sentence for people: what the count of a group is made of."""
    tally = group.tally
    if group.reading is Reading.POLLED and not group.approximate:
        return f"{group.occurrences:,}: the total of Backtrace's API"
    single = group.reading is not Reading.SUM or group.notifications < 2
    if tally.added == tally.largest and single and not (tally.guessed or group.aliases):
        return f"{group.occurrences:,}: the count of its only notification"
    if not group.approximate:
        match group.reading:
            case Reading.TOTAL | Reading.KEPT:
                return f"{group.occurrences:,}: the largest total"
            case Reading.SUM | Reading.WINDOWS | Reading.WINDOWS_OR_TOTAL | Reading.WINDOWS_KEPT:
                return f"{group.occurrences:,}: the sum of what the notifications counted"
            case _:
                return f"{group.occurrences:,}: what the times of the notifications prove"
    if group.aliases and group.at_most is not None:
        return f"{bounded(group.occurrences, True, group.at_most)}: a merged group may count the occurrences of its aliases"
    if group.at_most is None:
        return f"at least {group.occurrences:,}: a notification came without a count"
    if group.reading is Reading.KEPT:
        return (
            f"{bounded(group.occurrences, True, group.at_most)}: the largest total, and what the sender may have deleted since; "
            'occurrence_mode = "cumulative" states that it keeps all'
        )
    largest, sum_ = f"the largest number is {tally.largest:,}", f"the sum of all is {tally.added:,}"
    return (
        f"{bounded(group.occurrences, True, group.at_most)}: {largest}, {sum_}, and some may count the same occurrences"
    )
