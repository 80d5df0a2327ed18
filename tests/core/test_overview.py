"""The crashes of a release: new, regressed, still there, gone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core import overview, quantities
from syncd.core.fold import OTHER_RELEASES
from syncd.core.overview import Return
from syncd.model import GroupView, Point, Release
from tests.factories import make_group


def view(name: str, ledger: dict[str, int], **facts: Any) -> GroupView:
    releases = tuple(
        Release(release=release, occurrences=count, noticed_at=float(place), first_seen=place, last_seen=place + 1)
        for place, (release, count) in enumerate(ledger.items())
    )
    group = make_group(fingerprint=name, releases=releases, occurrences=sum(ledger.values()), **facts)
    return GroupView(group=group, issue=None, decision="create", reason="")


STANDINGS = [
    view("fresh", {"2.0": 3}, users=1),
    view("larger", {"2.0": 1}, users=9),
    view("old", {"1.0": 5, "2.0": 2}),
    view("gone", {"1.0": 1, "1.1": 4}),
    view("long gone", {"1.0": 4}),
    view("back", {"1.0": 5, "2.0": 7}),
    view("later", {"2.1": 1}),
    view("none", {}),
    view("others", {OTHER_RELEASES: 5}),
    view("commit", {"deadbeef": 2}),
]
RETURNS = [Return(fingerprint="back", release="v2.0", issue_key="K-1", answer="reopened")]


def names(entries: tuple[overview.Entry, ...]) -> list[tuple[str, int]]:
    return [(entry.standing.group.identity.fingerprint, entry.occurrences) for entry in entries]


def test_a_release_is_compared_with_the_one_before_it() -> None:
    result = overview.overview(STANDINGS, RETURNS, "2.0")

    assert result.before == "1.1"
    assert names(result.new) == [("larger", 1), ("fresh", 3)]
    assert names(result.regressed) == [("back", 7)]
    assert names(result.still) == [("old", 2)]
    assert names(result.gone) == [("gone", 4)]


def test_a_crash_that_is_back_in_a_later_release_is_not_gone() -> None:
    result = overview.overview([view("a", {"1.0": 1, "2.1": 1})], [], "2.0")

    assert (result.new, result.gone) == ((), ())


def test_the_first_release_has_nothing_before_it() -> None:
    result = overview.overview(STANDINGS, [], "1.0")

    assert result.before is None
    assert result.gone == ()
    assert [name for name, _ in names(result.new)] == ["back", "old", "long gone", "gone"]


def test_a_release_may_be_asked_for_under_another_spelling() -> None:
    assert names(overview.overview(STANDINGS, RETURNS, "v2.0.0").new) == [("larger", 1), ("fresh", 3)]


def test_the_releases_of_a_project_are_listed_the_newest_first() -> None:
    lines = overview.lines(STANDINGS, RETURNS)

    assert [(line.release, line.groups, line.new, line.regressed, line.occurrences) for line in lines] == [
        ("deadbeef", 1, 1, 0, 2),
        ("2.1", 1, 1, 0, 1),
        ("2.0", 4, 2, 1, 13),
        ("1.1", 1, 0, 0, 4),
        ("1.0", 4, 4, 0, 15),
    ]
    assert (lines[2].first_seen, lines[2].last_seen) == (0, 2)


def test_of_releases_that_cannot_be_compared_the_latest_heard_of_is_the_newest() -> None:
    assert overview.latest(STANDINGS) == "deadbeef"
    assert overview.latest([view("a", {"1.0": 1, "2.0": 1}), view("b", {"1.5": 1, "x": 1})]) == "x"
    assert overview.latest([view("a", {})]) is None


ledgers = st.dictionaries(
    st.sampled_from(["1.0", "1.1", "2.0", "2.1", "x", OTHER_RELEASES]), st.integers(1, 5), max_size=4
)


@given(st.lists(ledgers, max_size=6), st.sampled_from(["1.0", "1.1", "2.0", "x", "9"]), st.sets(st.integers(0, 5)))
@pytest.mark.parametrize("returned", ["2.0"])
def test_each_crash_is_in_one_section_at_most(
    returned: str, some: list[dict[str, int]], release: str, back: set[int]
) -> None:
    standings = [view(str(number), ledger) for number, ledger in enumerate(some)]
    returns = [Return(fingerprint=str(number), release=returned, issue_key="K", answer="") for number in back]

    result = overview.overview(standings, returns, release)
    listed = [name for part in (result.new, result.regressed, result.still, result.gone) for name, _ in names(part)]
    assert len(listed) == len(set(listed))
    assert {name for name, _ in names(result.new + result.regressed + result.still)} == {
        str(number) for number, ledger in enumerate(some) if release in ledger
    }


DAY = quantities.DAY
NOW = 20_000 * DAY + 3600.0


def trail(*points: tuple[float, int]) -> tuple[Point, ...]:
    """Totals, each so many days before NOW."""
    return tuple(Point(at=NOW - days * DAY, occurrences=count) for days, count in points)


@pytest.mark.parametrize(
    ("points", "began", "latest", "faster"),
    [
        pytest.param((), None, 0, 0, id="nothing was received"),
        pytest.param(((0.5, 40),), 0.6, 40, 40, id="it began within the day"),
        pytest.param(((0.5, 4000),), 90, 0, 0, id="the first notification tells of years"),
        pytest.param(((3, 10), (1.5, 30), (0.5, 90), (0.1, 100)), 3, 70, 50, id="it grows faster"),
        pytest.param(((3, 10), (1.5, 80), (0.5, 90)), 3, 10, -60, id="it grows slower"),
        pytest.param(((9, 10), (8, 500)), 9, 0, 0, id="it has stopped"),
        pytest.param(((2, 50), (0.5, 40)), 2, 0, 0, id="a later count is smaller"),
    ],
)
def test_the_growth_of_the_last_day(
    points: tuple[tuple[float, int], ...], began: float | None, latest: int, faster: int
) -> None:
    points_then, first_seen = trail(*points), None if began is None else NOW - began * DAY
    assert overview.added(points_then, first_seen, NOW - DAY) == latest
    assert overview.acceleration(points_then, first_seen, NOW) == faster


def test_the_days_up_to_today_are_known_or_not() -> None:
    began = int(NOW - 3 * DAY)
    group = make_group(trail=trail((3, 5), (2.9, 9), (1, 20)), first_seen=began)
    assert overview.last_days(group, NOW, 5) == (0, 9, 0, 11, 0)
    assert overview.last_days(make_group(trail=trail((3, 5), (1, 20)), first_seen=began - 30 * DAY), NOW, 5) == (
        None,
        None,
        0,
        15,
        0,
    )
    assert overview.last_days(make_group(trail=()), NOW, 3) == (0, 0, 0)
    assert overview.last_days(make_group(trail=trail((90, 7)), first_seen=int(NOW - 90 * DAY)), NOW, 3) == (0, 0, 0)


@given(st.lists(st.tuples(st.floats(0, 40), st.integers(0, 10**6)), max_size=30), st.integers(0, 40))
def test_the_last_days_are_never_more_than_all_occurrences(points: list[tuple[float, int]], began: int) -> None:
    totals = sorted(count for _, count in points)
    moments = sorted((days for days, _ in points), reverse=True)
    group = make_group(trail=trail(*zip(moments, totals, strict=True)), first_seen=int(NOW) - began * DAY)
    days = overview.last_days(group, NOW)
    assert len(days) == 14
    assert sum(count or 0 for count in days) <= (totals[-1] if totals else 0)
