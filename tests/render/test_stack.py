import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.overview import by_day, latest_growth
from syncd.core.titles import Rank
from syncd.model import Group, Identity, Point
from syncd.render.stack import OWN, runs, stack
from syncd.render.text import Code, Details

FOLDED = re.compile(r"  … ([\d,]+) ")
frames = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Rank)), min_size=1, max_size=80)


@settings(max_examples=200, deadline=None)
@given(frames, st.integers(0, 3))
def test_every_frame_is_shown_or_counted_and_nothing_of_ones_own_is_folded_into_others(
    ranked: list[tuple[str, Rank]], more: int
) -> None:
    names, ranks = [name for name, _ in ranked], [rank for _, rank in ranked]

    code, *details = stack(names, ranks, more)

    assert isinstance(code, Code)
    counts = [int(match[1]) for line in code.lines if (match := FOLDED.match(line))]
    assert len(code.lines) - len(counts) + sum(counts) == len(names)
    assert [line for line in code.lines if line.startswith(OWN)] == [line for line in code.lines if line[:1] == "→"]
    assert (Rank.OWN in ranks) == any(line.startswith(OWN) for line in code.lines)
    if counts:
        (every,) = details
        assert every == Details(f"All {len(names) + more} frames", (Code(tuple(names), more=more),), spare=True)
    else:
        assert code.more == more
        assert not details


@settings(max_examples=200, deadline=None)
@given(frames)
def test_a_page_has_every_frame_in_order_and_folds_none_of_ones_own_nor_the_first(
    ranked: list[tuple[str, Rank]],
) -> None:
    names, ranks = [name for name, _ in ranked], [rank for _, rank in ranked]

    whole = list(runs(names, ranks))

    assert [name for run in whole for name in run.frames] == names
    assert [run.first for run in whole] == [1 + sum(len(run.frames) for run in whole[:at]) for at in range(len(whole))]
    assert [run.is_own for run in whole for _ in run.frames] == [rank is Rank.OWN for rank in ranks]
    assert not whole[0].summary
    for run in whole:
        assert not (run.is_own and run.summary)
        assert not run.summary or run.summary.startswith(f"{len(run.frames):,} ")


points = st.lists(st.tuples(st.integers(0, 20 * 86400), st.integers(0, 500)), min_size=1, max_size=30).map(
    lambda pairs: tuple(
        Point(at=float(at), occurrences=sum(each[1] for each in sorted(pairs)[: place + 1]))
        for place, (at, _) in enumerate(sorted(pairs))
    )
)


@settings(max_examples=200, deadline=None)
@given(points, st.none() | st.integers(0, 20 * 86400))
def test_the_days_of_a_chart_end_with_the_latest_notification_and_never_add_up_to_more_than_there_are(
    trail: tuple[Point, ...], first_seen: int | None
) -> None:
    group = Group(
        identity=Identity("u", "p", "f"), trail=trail, occurrences=trail[-1].occurrences, first_seen=first_seen
    )

    since, counts = by_day(group)
    growth = latest_growth(group)

    assert len(counts) <= 7
    assert sum(counts) <= group.occurrences
    if counts:
        assert since + len(counts) * 86400 == (trail[-1].at // 86400 + 1) * 86400
    if growth is not None:
        assert 0 < growth.occurrences <= group.occurrences
        assert trail[-1].at - 86400 <= growth.since <= trail[-1].at
    assert all(before.at <= after.at for before, after in pairwise(trail))
