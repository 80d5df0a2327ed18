"""When a group crashed: whatever comes, the columns add up, lie within its history, and are few."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.quantities import DAY
from syncd.core.trend import FEWEST_COLUMNS, HOUR, MOST_COLUMNS, SPANS, Trend, trend
from syncd.model import Group, Point
from tests.factories import make_group

NOW = 1_795_000_000 // DAY * DAY


def crashed(*points: tuple[int, int], first: int | None = NOW) -> Group:
    """A group of which each notification, all received at once a week later, had (latest crash, occurrences so far)."""
    trail = tuple(
        Point(at=NOW + 7 * DAY + place / 10, occurrences=count, crashed_at=time)
        for place, (time, count) in enumerate(points)
    )
    return make_group(trail=trail, first_seen=first, occurrences=points[-1][1])


@pytest.mark.parametrize(
    ("group", "hours", "wanted"),
    [
        (make_group(trail=()), 1, None),
        (crashed((NOW + 60, 5)), 0.5, Trend(since=NOW - 5 * 300, span=300, counts=(0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0))),
        # The columns go on to the present, so that an end of the crashes is visible.
        (crashed((NOW + 60, 5)), 12, Trend(since=NOW, span=HOUR, counts=(5, *[0] * 12))),
        # Evenly from the first crash to the latest, and then from that to the next.
        (crashed((NOW + 2 * HOUR, 8)), 12, Trend(since=NOW, span=HOUR, counts=(4, 4, *[0] * 11))),
        (crashed((NOW + HOUR, 4), (NOW + 3 * HOUR, 10)), 12, Trend(since=NOW, span=HOUR, counts=(4, 3, 3, *[0] * 10))),
        # A window that arrives late, from before what is known.
        (crashed((NOW + 3 * HOUR, 3), (NOW + HOUR, 9)), 12, Trend(since=NOW, span=HOUR, counts=(1, 7, 1, *[0] * 10))),
        (crashed((NOW + 4 * DAY, 160)), 96, Trend(since=NOW, span=6 * HOUR, counts=(*[10] * 16, 0))),
        (crashed((NOW + 60, 5), first=None), 12, Trend(since=NOW, span=HOUR, counts=(5, *[0] * 12))),
        # Without a time of the crash that of the arrival counts.
        (crashed((0, 5), first=None), 180, Trend(since=NOW + 7 * DAY, span=HOUR, counts=(5, *[0] * 12))),
        # A machine whose clock is years ahead does not move the others off the chart.
        (crashed((NOW + 60, 5), (NOW + 9000 * DAY, 6)), 12, Trend(since=NOW, span=HOUR, counts=(5, 0, 0, 0, 0, 0, 1, *[0] * 6))),
    ],
)  # fmt: skip
def test_growth_is_spread_over_the_time_of_its_crashes(group: Group, hours: float, wanted: Trend | None) -> None:
    assert trend(group, NOW + hours * HOUR) == wanted


TIMES = st.one_of(st.just(0), st.integers(0, 2_000_000_000))


@given(
    st.lists(st.tuples(TIMES, TIMES, st.integers(0, 10**7)), max_size=30),
    st.none() | st.integers(0, 2_000_000_000),
    st.integers(0, 2_000_000_000),
)
def test_the_columns_of_any_trail_add_up(points: list[tuple[int, int, int]], first: int | None, now: int) -> None:
    trail = tuple(Point(at=float(at), crashed_at=time, occurrences=count) for at, time, count in sorted(points))
    result = trend(make_group(trail=trail, first_seen=first), now)
    grown = sum(
        max(0, point.occurrences - before)
        for before, point in zip([0, *(point.occurrences for point in trail)], trail, strict=False)
    )
    assert (result is None) == (grown == 0)
    if result is not None:
        assert result.span in SPANS
        assert FEWEST_COLUMNS <= len(result.counts) <= MOST_COLUMNS
        assert min(result.counts) >= 0
        assert 0 <= now - (result.since + (len(result.counts) - 1) * result.span) < result.span, (
            "the last column is now"
        )
        times = [now, *(point.crashed_at or int(point.at) for point in trail), *([] if first is None else [first])]
        assert sum(result.counts) <= grown
        assert result.since > min(times) or sum(result.counts) == grown
