"""How a group grew, what is new in a window of time, and several groups seen as one."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncd.core import aliases, fold, trend
from syncd.model import Group, Point, Release
from tests.factories import make_group, make_notification

DAY = 86400.0
NOW = 1_800_000_000.0


def grown(group: Group | None, at: float, occurrences: int, **facts: object) -> Group:
    return fold.fold(group, make_notification(received_at=at, occurrences=occurrences, **facts), "cumulative")


def test_each_notification_that_changes_something_leaves_a_point() -> None:
    group = grown(None, NOW, 3, users=2)
    group = grown(group, NOW + 60, 3, users=2)
    group = grown(group, NOW + 120, 9, hosts=4)

    crashed_at = make_notification().last or 0
    assert group.trail == (
        Point(at=NOW, occurrences=3, users=2, crashed_at=crashed_at),
        Point(at=NOW + 120, occurrences=9, hosts=4, crashed_at=crashed_at),
    )


def test_what_was_gained_since_a_time_is_told_by_the_trail() -> None:
    group = grown(grown(grown(None, NOW, 10, users=9), NOW + DAY, 14, users=2), NOW + 2 * DAY, 15, users=3)

    assert fold.growth(group, NOW - 1) == Point(at=NOW - 1, occurrences=15, users=9)
    assert fold.growth(group, NOW) == Point(at=NOW, occurrences=5, users=3)
    assert fold.growth(group, NOW + 1.5 * DAY).occurrences == 1
    assert fold.growth(group, NOW + 3 * DAY) == Point(at=NOW + 3 * DAY, occurrences=0)


@given(st.lists(st.tuples(st.floats(0, 1e7), st.integers(1, 50), st.integers(0, 9)), min_size=1, max_size=150))
def test_a_trail_is_short_rises_and_never_forgets_its_ends_nor_who_was_there(
    steps: list[tuple[float, int, int]],
) -> None:
    at, total, group = NOW, 0, None
    for seconds, more, users in steps:
        at, total = at + seconds, total + more
        group = grown(group, at, total, users=users)

    assert group is not None
    times = [point.at for point in group.trail]
    counts = [point.occurrences for point in group.trail]
    assert len(times) <= trend.MAX_TRAIL
    assert times == sorted(set(times))
    assert counts == sorted(counts)
    assert counts[-1] == total
    assert times[0] == NOW + steps[0][0] or len(steps) > 1
    assert max(point.users for point in group.trail) == max(users for _, _, users in steps)


def test_a_long_trail_is_fine_where_it_is_new_and_coarse_where_it_is_old() -> None:
    group = None
    for hour in range(24 * 60):
        group = grown(group, NOW + hour * 3600, hour + 1)

    assert group is not None
    newest, oldest = group.trail[-1].at, group.trail[0].at
    assert oldest == NOW
    assert len([point for point in group.trail if point.at > newest - DAY]) > 10
    assert fold.growth(group, newest - 7 * DAY).occurrences in range(7 * 24 - 24, 7 * 24 + 60)


def test_a_release_knows_when_it_was_first_heard_of_and_when_it_grew_last() -> None:
    group = grown(None, NOW, 3, releases=(("1.0", 3),))
    group = grown(group, NOW + 10, 3, releases=(("1.0", 3),), hosts=5)
    group = grown(group, NOW + 20, 5, releases=(("1.0", 4), ("1.1", 1)))
    group = grown(group, NOW + 30, 5, releases=(("1.0", 4), ("1.1", 1)), hosts=6)

    assert [(entry.release, entry.noticed_at, entry.grown_at) for entry in group.releases] == [
        ("1.0", NOW, NOW + 20),
        ("1.1", NOW + 20, NOW + 20),
    ]


def a_release(name: str, count: int, noticed: float, grown: float) -> Release:
    return Release(release=name, occurrences=count, noticed_at=noticed, grown_at=grown, first_seen=5, last_seen=9)


def test_aliases_are_seen_as_one_group_that_keeps_its_own_face() -> None:
    own = make_group(occurrences=3, users=2, hosts=None, application="a", releases=(a_release("1.0", 3, 10, 20),))
    alias = make_group(
        fingerprint="other", occurrences=4, users=1, hosts=7, first_seen=1, application="b",
        releases=(a_release("1.0", 3, 5, 15), a_release("1.1", 1, 30, 30)),
    )  # fmt: skip

    whole = aliases.with_aliases(own, [alias])
    assert (whole.occurrences, whole.users, whole.hosts, whole.first_seen) == (7, 2, 7, 1)
    assert (whole.application, whole.identity, whole.revision) == ("a", own.identity, own.revision)
    assert whole.aliases == ("other",)
    assert whole.releases == (a_release("1.0", 6, 5, 20), a_release("1.1", 1, 30, 30))
    assert aliases.with_aliases(own, []) == own


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=6))
def test_a_sum_never_outgrows_a_database(counts: list[int]) -> None:
    some = [make_group(fingerprint=str(number), occurrences=count) for number, count in enumerate(counts)]

    whole = aliases.with_aliases(some[0], some[1:])
    assert max(counts) <= whole.occurrences <= 2**63 - 1


def test_what_an_issue_shows_has_not_changed_when_only_the_moment_of_hearing_has() -> None:
    group = grown(None, NOW, 3, releases=(("1.0", 3),))
    again = fold.fold(
        group, make_notification(received_at=NOW + 5, occurrences=3, releases=(("1.0", 3),)), "cumulative"
    )

    rows = tuple(replace(new, tally=old.tally) for old, new in zip(group.releases, again.releases, strict=True))
    assert replace(again, tally=group.tally, releases=rows) == replace(group, notifications=2)
