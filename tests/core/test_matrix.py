"""What each release of a project changed: the same numbers as its overview, and nothing said too early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core import matrix, overview
from syncd.core.fold import OTHER_RELEASES
from syncd.core.matrix import Changes
from syncd.core.quantities import DAY
from syncd.model import GroupView, Release
from tests.factories import make_group

NOW = 1_795_000_000
NAMES = ["1.0", "v1.0.0", "1.1", "2.0", "2.0-rc1", "deadbeef", "20261101", OTHER_RELEASES]


@given(st.lists(st.sets(st.sampled_from(NAMES), min_size=1), max_size=12))
def test_the_counts_are_those_of_the_overview_of_each_release(histories: list[set[str]]) -> None:
    views = [
        GroupView(
            group=make_group(fingerprint=str(number), releases=tuple(Release(release=n, occurrences=1) for n in names)),
            issue=None,
            decision="create",
            reason="",
        )
        for number, names in enumerate(histories)
    ]
    candidates = overview.releases(views)
    changes = matrix.changes([(names, 1) for names in histories], candidates, candidates)
    for release in candidates:
        view = overview.overview(views, [], release)
        assert changes[release] == Changes(before=view.before, new=len(view.new), gone=len(view.gone)), release


def test_groups_with_the_same_releases_count_together() -> None:
    histories = [({"1.0"}, 40), ({"1.0", "2.0"}, 5), ({"2.0"}, 3), ({"1.0", "2.1"}, 1)]
    assert matrix.changes(histories, ["2.1", "2.0", "1.0"], ["2.1", "2.0"]) == {
        "2.1": Changes(before="2.0", new=0, gone=8),
        "2.0": Changes(before="1.0", new=3, gone=40),
    }


@pytest.mark.parametrize(
    ("days", "here", "there", "early"),
    [
        (0.01, 5000, 10, True), (0.99, 5000, 10, True), (1.01, 5000, 10, False), (1.01, 99, 1000, True), (1.01, 100, 1000, False),
        (6.9, 99, 1000, True), (7.1, 1, 1000, False), (-3, 9, 9, True),
    ],
)  # fmt: skip
def test_it_is_too_early_while_few_have_a_release(days: float, here: int, there: int, early: bool) -> None:
    rows = [
        Release(release="2.0", occurrences=here - 1, first_seen=int(NOW - days * DAY)),
        Release(release="v2.0.0", occurrences=1, first_seen=NOW),
        Release(release="1.0", occurrences=there, first_seen=1),
        Release(release="0.9", occurrences=10**6, first_seen=1),
    ]
    assert matrix.is_early("2.0", "1.0", rows, NOW) is early


def test_a_release_without_a_time_of_its_first_crash_is_not_young() -> None:
    assert not matrix.is_early("2.0", "1.0", [Release(release="2.0", occurrences=1)], NOW)


def test_an_overview_does_not_say_too_early_what_is_gone() -> None:
    group = make_group(releases=(Release(release="1.0", occurrences=5, first_seen=1),), occurrences=5)
    views = [
        GroupView(group=group, issue=None, decision="create", reason=""),
        GroupView(
            group=make_group(
                fingerprint="f2", releases=(Release(release="2.0", occurrences=5, first_seen=NOW - 3600),)
            ),
            issue=None,
            decision="create",
            reason="",
        ),
    ]
    rows = [row for view in views for row in view.group.releases]
    view = overview.overview(views, [], "2.0")
    assert [entry.standing for entry in view.gone] == views[:1]

    early = matrix.cautious(view, rows, NOW)
    assert (early.gone, early.early, early.new) == ((), True, view.new)
    assert matrix.cautious(view, rows, NOW + 2 * DAY) == view
