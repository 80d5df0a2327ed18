"""Folding notifications into a group, by the rules of `occurrence_mode`."""

import random
import time
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from syncd.core.counts import Counting, Evidence, Mode
from syncd.core.fold import MAX_LEDGER, OTHER_RELEASES, TEXTS, fold, fold_all
from syncd.model import Group, Notification, Reading, Release, Tally
from tests.factories import make_group, make_notification

MODES: tuple[Mode, ...] = ("auto", "cumulative", "window")


def spoken(count: int | None, first: int | None, last: int | None, **more: Any) -> Notification:
    return make_notification(occurrences=count, first=first, last=last, **more)


def folded(notifications: Iterable[Notification], mode: Mode) -> Group:
    group = None
    for notification in notifications:
        group = fold(group, notification, mode)
    assert group is not None
    return group


def row(group: Group, release: str) -> Release:
    (row,) = [entry for entry in group.releases if entry.release == release]
    return row


# Occurrences. Stored is always a group with 10 occurrences between 100 and 200.


@pytest.mark.parametrize(
    ("mode", "count", "span", "total", "approximate"),
    [
        pytest.param("auto", 25, (100, 300), 25, False, id="same first: a total"),
        pytest.param("auto", 25, (100, 200), 25, False, id="same span: a total"),
        pytest.param("auto", 4, (100, 300), 10, True, id="a total never falls"),
        pytest.param("auto", 4, (100, 150), 10, False, id="an older total that comes late"),
        pytest.param("auto", 25, (50, 300), 25, True, id="earlier first: a total, or a window with a late crash"),
        pytest.param("auto", 25, (50, 100), 25, True, id="earlier first, touching"),
        pytest.param("auto", 25, (201, 300), 35, False, id="later than the last: a new window"),
        pytest.param("auto", 1, (201, 201), 11, False, id="one more"),
        pytest.param("auto", 0, (201, 300), 10, False, id="a new window in which nothing happened"),
        pytest.param("auto", 25, (200, 300), 25, True, id="overlap by a second: the larger"),
        pytest.param("auto", 25, (101, 150), 25, True, id="overlap within"),
        pytest.param("auto", 4, (150, 300), 10, True, id="overlap, and the stored is the larger"),
        pytest.param("auto", 25, (50, 99), 35, False, id="ends before the stored began: other occurrences"),
        pytest.param("auto", 25, (None, None), 25, True, id="no times: the larger"),
        pytest.param("auto", None, (100, 300), 10, True, id="no count"),
        pytest.param("auto", None, (201, 300), 11, True, id="no count, later: at least one more"),
        pytest.param("cumulative", 25, (100, 300), 25, False, id="cumulative"),
        pytest.param("cumulative", 25, (201, 300), 25, False, id="cumulative, later"),
        pytest.param("cumulative", 25, (150, 300), 25, True, id="cumulative, overlap: no total of all"),
        pytest.param(
            "cumulative", 4, (201, 300), 14, False, id="cumulative, contradicted: the times prove separate crashes"
        ),
        pytest.param("cumulative", 25, (None, None), 25, False, id="cumulative without times"),
        pytest.param("window", 25, (100, 200), 25, False, id="window, contradicted: all that were counted before"),
        pytest.param("window", 25, (201, 300), 35, False, id="window, later"),
        pytest.param("window", 25, (150, 300), 25, True, id="window, overlap"),
        pytest.param("window", 25, (50, 60), 35, False, id="window, older and late"),
        pytest.param("window", 25, (None, None), 25, True, id="window without times: a larger count may be a total"),
        pytest.param("window", None, (201, 300), 11, True, id="window without count: at least one more"),
    ],
)
def test_ten_occurrences_after_a_further_notification(
    mode: Mode, count: int | None, span: tuple[int | None, int | None], total: int, approximate: bool
) -> None:
    group = folded([spoken(10, 100, 200), spoken(count, *span)], mode)

    assert (group.occurrences, group.approximate) == (total, approximate)


@pytest.mark.parametrize(
    ("mode", "count", "span", "total", "approximate"),
    [
        pytest.param("auto", 25, (100, 300), 25, False, id="same first: a total"),
        pytest.param("auto", 4, (100, 300), 10, True, id="a total never falls"),
        pytest.param("auto", 25, (50, 300), 25, True, id="earlier first: a total, or a window with a late crash"),
        pytest.param("auto", 25, (201, 300), 35, False, id="later than the last: a new window"),
        pytest.param("auto", 25, (200, 300), 25, True, id="overlap: the larger"),
        pytest.param("auto", 25, (None, None), 25, True, id="no times: the larger"),
        pytest.param("cumulative", 25, (201, 300), 25, False, id="cumulative"),
        pytest.param(
            "cumulative", 4, (201, 300), 14, False, id="cumulative, contradicted: the times prove separate crashes"
        ),
        pytest.param("window", 25, (100, 200), 25, False, id="window, contradicted: all that were counted before"),
    ],
)
def test_the_same_rule_holds_for_every_release(
    mode: Mode, count: int, span: tuple[int | None, int | None], total: int, approximate: bool
) -> None:
    first = spoken(99, 100, 200, releases=(("1.0", 10), ("0.9", 89)))
    group = folded([first, spoken(89 + count, *span, releases=(("1.0", count),))], mode)

    assert (row(group, "1.0").occurrences, row(group, "1.0").approximate) == (total, approximate)
    assert (row(group, "0.9").occurrences, row(group, "0.9").approximate) == (89, False)


def test_a_release_is_judged_by_the_notifications_that_spoke_of_it() -> None:
    """The second window overlaps with the group, yet nobody has spoken of 1.1 at that time."""
    group = folded(
        [
            spoken(5, 100, 200, releases=(("1.1", 5),)),
            spoken(9, 300, 500, releases=(("1.0", 9),)),
            spoken(3, 400, 600, releases=(("1.1", 3),)),
        ],
        "auto",
    )

    assert (group.occurrences, group.approximate) == (14, True)
    assert (row(group, "1.1").occurrences, row(group, "1.1").approximate) == (8, False)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("count", "releases", "total", "approximate"),
    [
        pytest.param(35, (("1.0", 30),), 35, False, id="what is said"),
        pytest.param(0, (("1.0", 30),), 0, False, id="also when it is nothing"),
        pytest.param(None, (("1.0", 30), ("1.1", 5)), 35, True, id="the sum of its releases"),
        pytest.param(None, (), 1, True, id="at least one"),
    ],
)
def test_the_count_of_a_first_notification(
    mode: Mode, count: int | None, releases: tuple[tuple[str, int], ...], total: int, approximate: bool
) -> None:
    group = fold(None, spoken(count, 100, 200, releases=releases), mode)

    assert (group.occurrences, group.approximate) == (total, approximate)


def test_a_count_of_all_ends_the_doubt() -> None:
    deliveries = [(10, 100, 200), (5, 150, 300), (20, 100, 300)]
    group = folded([spoken(*delivery, releases=(("1.0", delivery[0]),)) for delivery in deliveries], "auto")

    assert (group.occurrences, group.approximate) == (20, False)
    assert (row(group, "1.0").occurrences, row(group, "1.0").approximate) == (20, False)


def test_an_earlier_beginning_counts_from_then_on() -> None:
    """The last one begins after the total before it, so that it is neither a total nor a new window."""
    deliveries = [(10, 100, 200), (12, 50, 200), (14, 70, 200)]
    group = folded([spoken(*delivery, releases=(("1.0", delivery[0]),)) for delivery in deliveries], "auto")

    assert (group.occurrences, group.approximate) == (14, True)
    assert (row(group, "1.0").occurrences, row(group, "1.0").approximate) == (14, True)


@pytest.mark.parametrize("mode", MODES)
def test_no_sum_is_larger_than_a_database_can_store(mode: Mode) -> None:
    enormous = tuple((f"1.{number}", 2**53) for number in range(500))
    fields = [
        spoken(count, 100 * number, 100 * number + 50, releases=enormous)
        for number in range(1, 6)
        for count in (None, 2**62)
    ]

    group = folded(fields, mode)
    assert group.occurrences < 2**63
    assert max(entry.occurrences for entry in group.releases) < 2**63


# What else a group knows.


@pytest.mark.parametrize("mode", MODES)
def test_the_latest_notification_describes_the_group(mode: Mode) -> None:
    old = {"application": "a", "group_url": "u", "callstack": ("f",), "object_id": "1", "classifiers": ("oom",)}
    new = {"application": "b", "group_url": "v", "callstack": ("g",), "object_id": "2", "classifiers": ("dump",)}
    group = folded([spoken(1, 100, 200, **old), spoken(2, 100, 300, **new)], mode)

    assert {name: getattr(group, name) for name in new} == new
    assert (group.first_seen, group.last_seen) == (100, 300)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("span", [(100, 150), (50, 60), (250, 290), (None, None)])
def test_an_older_notification_that_comes_late_moves_nothing_back(
    mode: Mode, span: tuple[int | None, int | None]
) -> None:
    facts: dict[str, Any] = {"application": "a", "group_url": "u", "callstack": ("f",)}
    facts |= {"object_id": "1", "classifiers": ("oom",)}
    late: dict[str, Any] = {
        "application": "b",
        "group_url": "v",
        "callstack": ("g",),
        "object_id": "2",
        "classifiers": ("dump",),
    }
    before = fold(None, spoken(10, 100, 300, **facts), mode)

    group = fold(before, spoken(1, *span, **late), mode)
    assert group.last_seen == 300
    assert {name: getattr(group, name) for name in facts} == facts


def test_an_older_notification_that_arrives_late_fills_empty_fields() -> None:
    before = fold(None, spoken(10, 100, 300), "auto")

    group = fold(before, spoken(1, 100, 150, object_id="1", callstack=("f",), application="a"), "auto")
    assert (group.object_id, group.callstack, group.application) == ("1", ("f",), "a")


def test_a_notification_that_says_nothing_takes_nothing_away() -> None:
    fields = {"application": "a", "group_url": "u", "callstack": ("f",), "object_id": "1", "classifiers": ("oom",)}
    before = fold(None, spoken(10, 100, 200, hosts=3, users=4, **fields), "auto")

    group = fold(before, spoken(11, 100, 300), "auto")
    assert {name: getattr(group, name) for name in fields} == fields
    assert (group.hosts, group.users) == (3, 4)


def test_without_times_the_one_that_came_last_is_the_latest() -> None:
    group = folded([spoken(1, None, None, object_id="1"), spoken(2, None, None, object_id="2")], "auto")

    assert group.object_id == "2"
    assert (group.first_seen, group.last_seen) == (None, None)


def test_machines_and_users_never_become_fewer() -> None:
    group = folded([spoken(1, 100, 200, hosts=3, users=0), spoken(1, 100, 300, hosts=2, users=9)], "auto")

    assert (group.hosts, group.users) == (3, 9)


def test_a_group_keeps_the_fingerprint_that_came_first() -> None:
    lower, upper = "ab" * 32, "AB" * 32
    group = folded([spoken(1, 100, 200, fingerprint=upper), spoken(2, 100, 300, fingerprint=lower)], "auto")

    assert group.identity.fingerprint == upper


# When a release was seen.


def spans(group: Group) -> dict[str, tuple[int | None, int | None]]:
    return {entry.release: (entry.first_seen, entry.last_seen) for entry in group.releases}


def test_a_release_that_a_total_names_anew_was_first_seen_when_the_latest_crash_happened() -> None:
    """A total's first timestamp is the group's, not that of a release it names for the first time."""
    group = folded(
        [spoken(3, 100, 200, releases=(("1.0", 3),)), spoken(5, 100, 300, releases=(("1.0", 3), ("1.1", 2)))], "auto"
    )

    assert spans(group) == {"1.0": (100, 200), "1.1": (300, 300)}


def test_a_span_that_touches_the_group_s_may_be_a_total_s() -> None:
    deliveries = [spoken(3, 100, 200, releases=(("1.0", 3),)), spoken(5, 200, 300, releases=(("1.1", 2),))]

    assert spans(folded(deliveries, "auto"))["1.1"] == (300, 300)


def test_a_release_that_a_new_window_names_was_first_seen_in_that_window() -> None:
    group = folded([spoken(3, 100, 200, releases=(("1.0", 3),)), spoken(2, 250, 300, releases=(("1.1", 2),))], "auto")

    assert spans(group) == {"1.0": (100, 200), "1.1": (250, 300)}


def test_windows_that_touch_say_when_their_releases_were_seen() -> None:
    deliveries = [spoken(3, 100, 200, releases=(("1.0", 3),)), spoken(2, 200, 300, releases=(("1.1", 2),))]

    for order in (deliveries, deliveries[::-1]):
        assert spans(folded(order, "window")) == {"1.0": (100, 200), "1.1": (200, 300)}


def test_a_release_that_did_not_grow_was_not_seen_again() -> None:
    totals = [spoken(n, 100, 100 * n, releases=(("1.0", 2), ("1.1", n))) for n in (2, 3, 4)]

    assert spans(folded(totals, "cumulative")) == {"1.0": (100, 200), "1.1": (100, 400)}


def test_an_older_total_that_comes_late_says_at_most_when_it_was_sent_that_a_release_was_seen() -> None:
    totals = [
        spoken(1, 100, 200, releases=(("1.0", 1),)),
        spoken(9, 100, 500, releases=(("1.0", 5), ("1.1", 4))),
        spoken(5, 100, 300, releases=(("1.0", 3), ("1.1", 2))),
    ]

    assert spans(folded(totals, "auto"))["1.1"] == (300, 500)
    assert spans(folded(sorted(totals, key=lambda notification: notification.last or 0), "auto"))["1.1"] == (300, 500)


def test_an_older_window_that_comes_late_moves_the_first_time_back() -> None:
    windows = [spoken(4, 300, 400, releases=(("1.0", 4),)), spoken(2, 100, 200, releases=(("1.0", 2),))]

    for mode in MODES:
        group = folded(windows, mode)
        assert spans(group) == {"1.0": (100, 400)}
        assert (group.first_seen, group.last_seen) == (100, 400)


def test_a_release_first_reported_without_times_gets_them_later() -> None:
    group = folded([spoken(3, None, None, releases=(("1.0", 3),)), spoken(3, 100, 200, releases=(("1.0", 3),))], "auto")

    assert spans(group) == {"1.0": (100, 200)}


# Redeliveries and revisions.


@pytest.mark.parametrize("mode", MODES)
def test_a_notification_that_says_nothing_new_asks_for_nothing(mode: Mode) -> None:
    fields = {"releases": (("1.0", 10),), "hosts": 3, "callstack": ("f",)}
    before = fold(None, spoken(10, 100, 200, **fields), mode)

    nothing_new = spoken(0, 120, 180, hosts=2) if mode == "window" else spoken(7, 100, 150, releases=(("1.0", 7),))
    after = fold(before, nothing_new, mode)
    assert (visible(after), after.revision, after.notifications) == (visible(before), before.revision, 2)


@pytest.mark.parametrize(
    "new",
    [
        pytest.param({"occurrences": 11}, id="count"),
        pytest.param({"first": 99}, id="first seen"),
        pytest.param({"last": 201}, id="last seen"),
        pytest.param({"hosts": 4}, id="machines"),
        pytest.param({"users": 5}, id="users"),
        pytest.param({"releases": (("1.0", 11),)}, id="count of a release"),
        pytest.param({"releases": (("1.0", 10), ("1.1", 1))}, id="another release"),
        pytest.param({"application": "b"}, id="application"),
        pytest.param({"group_url": "v"}, id="page"),
        pytest.param({"object_id": "2"}, id="object"),
        pytest.param({"callstack": ("g",)}, id="call stack"),
        pytest.param({"classifiers": ("dump",)}, id="classifiers"),
        pytest.param({"occurrences": None, "releases": ()}, id="that the count is approximate"),
    ],
)
def test_anything_new_is_a_new_revision(new: dict[str, object]) -> None:
    fields: dict[str, Any] = {
        **{"occurrences": 10, "first": 100, "last": 200, "hosts": 3, "users": 4, "releases": (("1.0", 10),)},
        **{"application": "a", "group_url": "u", "object_id": "1", "callstack": ("f",), "classifiers": ("oom",)},
    }
    before = fold(None, make_notification(**fields), "auto")

    assert before.revision == 1
    assert fold(before, make_notification(**fields | new), "auto").revision == 2


def test_even_a_first_notification_that_says_nothing_is_a_revision() -> None:
    """Otherwise its group would never get an issue. The store folds it into an empty group, not into None."""
    nothing = spoken(0, None, None)

    assert fold(None, nothing, "auto").revision == 1
    assert fold(Group(identity=nothing.identity), nothing, "auto").revision == 1


def test_a_change_of_bookkeeping_is_no_revision() -> None:
    deliveries = [
        spoken(9, 100, 500, releases=(("1.0", 9),)),
        spoken(1, 100, 200, releases=(("1.1", 1),)),
        spoken(1, 100, 300, releases=(("1.1", 1),)),
    ]
    before = folded(deliveries[:2], "auto")

    after = fold(before, deliveries[2], "auto")
    assert row(after, "1.1").until == 300
    assert after.revision == before.revision


# Whatever comes.

times = st.integers(1, 60)
time_spans = st.none() | st.tuples(times, times).map(sorted)
counts = st.integers(0, 9)
histograms = st.dictionaries(st.sampled_from(["1.0", "1.1", "2.0"]), st.integers(1, 9)).map(
    lambda histogram: tuple(histogram.items())
)


@st.composite
def notifications(draw: st.DrawFn) -> Notification:
    first, last = draw(time_spans) or (None, None)
    return spoken(
        draw(st.none() | counts),
        first,
        last,
        releases=draw(histograms),
        hosts=draw(st.none() | counts),
        users=draw(st.none() | counts),
        object_id=draw(st.none() | st.sampled_from("ab")),
        callstack=draw(st.sampled_from([(), ("f",), ("g",)])),
    )


def never_less(old: int | None, new: int | None) -> bool:
    return old is None or (new is not None and new >= old)


def visible(group: Group) -> Group:
    """The group without the facts that no issue shows."""
    rows = tuple(replace(entry, since=None, until=None, tally=Tally()) for entry in group.releases)
    return replace(group, releases=rows, notifications=0, revision=0, tally=Tally(), reading=Reading.BETWEEN)


@settings(max_examples=200, deadline=None)
@given(st.lists(notifications(), min_size=1, max_size=8), st.sampled_from(MODES))
def test_nothing_a_group_knows_ever_runs_backwards(stream: list[Notification], mode: Mode) -> None:
    before = fold(None, stream[0], mode)
    for notification in stream[1:]:
        after = fold(before, notification, mode)

        assert after.notifications == before.notifications + 1
        assert after.occurrences >= before.occurrences
        for name in ("hosts", "users", "last_seen"):
            assert never_less(getattr(before, name), getattr(after, name))
        assert never_less(after.first_seen, before.first_seen) or before.first_seen is None
        assert [entry.release for entry in after.releases[: len(before.releases)]] == [
            entry.release for entry in before.releases
        ]
        for old, new in zip(before.releases, after.releases, strict=False):
            assert new.occurrences >= old.occurrences
            assert never_less(old.last_seen, new.last_seen)
            assert old.first_seen is None or (new.first_seen is not None and new.first_seen <= old.first_seen)
        before = after


@settings(max_examples=200, deadline=None)
@given(st.lists(notifications(), min_size=1, max_size=8), st.sampled_from(MODES))
def test_a_revision_rises_exactly_when_something_shown_has_changed(stream: list[Notification], mode: Mode) -> None:
    before = fold(None, stream[0], mode)
    for notification in stream[1:]:
        after = fold(before, notification, mode)

        assert after.revision - before.revision == (visible(after) != visible(before))
        before = after


@settings(max_examples=200, deadline=None)
@given(st.lists(notifications(), min_size=1, max_size=8), st.sampled_from(MODES))
def test_a_release_was_seen_while_its_group_was(stream: list[Notification], mode: Mode) -> None:
    group = folded(stream, mode)

    for entry in group.releases:
        for moment in (entry.first_seen, entry.last_seen):
            assert moment is None or (group.first_seen or 0) <= moment <= (group.last_seen or 0)
        assert entry.first_seen is None or entry.last_seen is None or entry.first_seen <= entry.last_seen


@st.composite
def totals(draw: st.DrawFn) -> list[Notification]:
    """A stream of lifetime totals, as they grow; every release that has crashed is in each of them. None has one second alone: such a
    total that comes late looks like another crash."""
    first = draw(times)
    last, ledger = first + draw(st.integers(1, 30)), dict[str, int]()
    stream = []
    for _ in range(draw(st.integers(1, 8))):
        for release, count in draw(histograms.filter(bool)):
            ledger[release] = ledger.get(release, 0) + count
        stream.append(spoken(sum(ledger.values()), first, last, releases=tuple(ledger.items())))
        last += draw(st.integers(1, 30))
    return stream


@settings(max_examples=200, deadline=None)
@given(totals(), st.sampled_from(["auto", "cumulative"]), st.randoms())
def test_totals_in_any_order_come_to_the_largest(stream: list[Notification], mode: Mode, chance: random.Random) -> None:
    latest = stream[-1]
    chance.shuffle(stream)

    group = folded(stream, mode)
    assert (group.occurrences, group.approximate) == (latest.occurrences, False)
    assert (group.first_seen, group.last_seen) == (latest.first, latest.last)
    assert {entry.release: entry.occurrences for entry in group.releases} == dict(latest.releases)
    assert not any(entry.approximate for entry in group.releases)


@st.composite
def windows(draw: st.DrawFn) -> list[Notification]:
    """A stream of windows that neither overlap nor touch."""
    last, stream = 0, []
    for _ in range(draw(st.integers(1, 8))):
        first = last + draw(st.integers(1, 30))
        last = first + draw(st.integers(1, 30))
        releases = draw(histograms)
        stream.append(spoken(sum(count for _, count in releases), first, last, releases=releases))
    return stream


def sums(stream: Sequence[Notification]) -> dict[str, int]:
    result = dict[str, int]()
    for notification in stream:
        for release, count in notification.releases:
            result[release] = result.get(release, 0) + count
    return result


def assert_summed(group: Group, stream: Sequence[Notification]) -> None:
    assert (group.occurrences, group.approximate) == (sum(sums(stream).values()), False)
    assert {entry.release: entry.occurrences for entry in group.releases} == sums(stream)
    assert not any(entry.approximate for entry in group.releases)
    for entry in group.releases:
        spans = [(n.first, n.last) for n in stream if entry.release in dict(n.releases)]
        assert (entry.first_seen, entry.last_seen) == (spans[0][0], spans[-1][1])


@settings(max_examples=200, deadline=None)
@given(windows(), st.sampled_from(["auto", "window"]))
def test_windows_in_order_come_to_their_sum(stream: list[Notification], mode: Mode) -> None:
    assert_summed(folded(stream, mode), stream)


@settings(max_examples=200, deadline=None)
@given(windows(), st.randoms())
def test_windows_in_any_order_are_between_bounds_that_hold(stream: list[Notification], chance: random.Random) -> None:
    group = folded(chance.sample(stream, len(stream)), "window")

    truth = sums(stream)
    entries: list[tuple[int, Group | Release]] = [(sum(truth.values()), group)]
    for count, entry in entries + [(truth[row.release], row) for row in group.releases]:
        highest = entry.at_most if entry.approximate else entry.occurrences
        assert highest is not None
        assert entry.occurrences <= count <= highest


@settings(max_examples=200, deadline=None)
@given(windows(), st.randoms())
def test_windows_out_of_order_are_never_counted_too_high_and_are_approximate(
    stream: list[Notification], chance: random.Random
) -> None:
    exact = folded(stream, "auto").occurrences
    group = folded(chance.sample(stream, len(stream)), "auto")

    assert max(n.occurrences or 0 for n in stream) <= group.occurrences <= exact
    assert group.occurrences == exact or group.approximate


@settings(max_examples=200, deadline=None)
@given(windows(), st.data())
def test_a_window_that_is_delivered_again_later_is_not_counted_twice(
    stream: list[Notification], data: st.DataObject
) -> None:
    """Such as after the memory of redeliveries has been purged."""
    group = folded(stream, "auto")

    assert fold(group, data.draw(st.sampled_from(stream)), "auto").occurrences == group.occurrences


def test_a_ledger_of_thousands_of_releases_is_folded_in_no_time() -> None:
    ledger = tuple(Release(release=f"1.{number}", occurrences=1) for number in range(20_000))
    group = replace(folded([spoken(1, 100, 200)], "auto"), releases=ledger)

    def grown(step: int) -> Notification:
        return spoken(step, 100, 200 + step, releases=((f"1.{step}", 5),))

    begun = time.process_time()
    for step in range(50):
        group = fold(group, grown(step), "auto")
    assert time.process_time() - begun < 2.0
    assert sum(entry.occurrences for entry in group.releases) == 20_000 + 50 * 4


def test_a_ledger_has_a_limit_and_further_releases_share_one_row() -> None:
    group = make_group(
        releases=tuple(Release(release=str(number), occurrences=1) for number in range(MAX_LEDGER)),
    )

    group = fold(group, make_notification(releases=(("new", 3), ("newer", 4), ("7", 5))), "cumulative")

    ledger = {entry.release: entry for entry in group.releases}
    assert len(ledger) == MAX_LEDGER + 1
    assert (ledger[OTHER_RELEASES].occurrences, ledger[OTHER_RELEASES].approximate) == (7, True)
    assert ledger["7"].occurrences == 5


def test_a_release_was_noticed_at_the_earliest_time_in_whatever_order_it_is_folded() -> None:
    early, late = (
        spoken(count, 100, last, releases=(("1.1", count),), received_at=at)
        for count, last, at in ((5, 200, 1000.0), (6, 300, 2000.0))
    )
    for mode in MODES[:2]:
        orders = [replace(row(folded(order, mode), "1.1"), tally=Tally()) for order in ([early, late], [late, early])]
        assert orders[0] == orders[1]
        assert row(folded([late, early], mode), "1.1").noticed_at == 1000.0


def test_a_total_was_reached_when_it_was_first_received() -> None:
    early, late = (spoken(5, 100, 200, releases=(("1.1", 5),), received_at=at) for at in (1000.0, 2000.0))
    assert row(folded([late, early], "auto"), "1.1").grown_at == 1000.0


# Several at once.

_TIMES = st.none() | st.integers(100, 130)
_NOTIFICATIONS = st.builds(
    make_notification,
    occurrences=st.none() | st.integers(0, 9),
    first=_TIMES,
    last=_TIMES,
    hosts=st.none() | st.integers(0, 3),
    users=st.none() | st.integers(0, 3),
    releases=st.lists(st.tuples(st.sampled_from(("1.0", "1.1", "2.0")), st.integers(0, 9)), max_size=3, unique_by=lambda pair: pair[0]).map(tuple),
    received_at=st.floats(1000, 1100),
    application=st.sampled_from((None, "a", "b")),
    group_url=st.sampled_from((None, "https://a.example", "https://b.example")),
    object_id=st.sampled_from((None, "1", "2")),
    callstack=st.sampled_from(((), ("f", "g"), ("h",))),
    classifiers=st.sampled_from(((), ("hang",), ("crash",))),
    attributes=st.sampled_from(((), (("os", ("Linux",)),), (("os", ("Windows", "Linux")),))),
)  # fmt: skip


def unread(notification: Notification, names: Iterable[str]) -> Notification:
    """The notification as it is before these texts are read."""
    absent = tuple(name for name in names if getattr(notification, name))
    return replace(notification, **{name: type(getattr(notification, name))() for name in absent}, unread=absent)


def contents(group: Group) -> tuple[object, ...]:
    rows = [
        (row.release, row.occurrences, row.approximate, row.at_most, row.first_seen, row.last_seen)
        for row in group.releases
    ]
    numbers = (
        group.occurrences,
        group.approximate,
        group.at_most,
        group.hosts,
        group.users,
        group.first_seen,
        group.last_seen,
    )
    return (rows, numbers, *(getattr(group, name) for name in TEXTS))


_COUNTINGS = st.builds(
    Counting, st.sampled_from(MODES), st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans()
)


@given(st.lists(_NOTIFICATIONS, min_size=1, max_size=90), _COUNTINGS, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_a_batch_equals_its_notifications_one_by_one(
    notifications: list[Notification], counting: Counting, chosen: random.Random
) -> None:
    """Also in its tallies and in what it shows of its project, however that reads its counts."""
    single: Group | None = None
    batched: Group | None = None
    evidence, in_batches = Evidence(), Evidence()
    rest = notifications
    while rest:
        size = chosen.randint(1, len(rest))
        batch, rest = rest[:size], rest[size:]
        lazy = [
            unread(entry, chosen.sample(("callstack", "classifiers", "attributes"), chosen.randint(0, 3)))
            for entry in batch
        ]
        before = batched
        repeats = {
            place
            for place, entry in enumerate(batch)
            if (before or place) and entry.last is None and entry.object_id is None and chosen.random() < 0.5
        }
        for place, entry in enumerate(batch):
            again = [0] if place in repeats else []
            single, events = fold_all(single, [entry], counting, lambda _, entry=entry: entry, again)  # type: ignore[misc]
            evidence = evidence.plus(events)
        batched, events = fold_all(batched, lazy, counting, batch.__getitem__, repeats)
        in_batches = in_batches.plus(events)

        assert single is not None
        assert in_batches == evidence
        assert replace(batched, revision=0) == replace(single, revision=0)
        # What changes and changes back within a batch is nothing that an issue has to show.
        risen = 1 if before is None else before.revision + (contents(before) != contents(batched))
        assert batched.revision == risen


def test_the_counts_of_values_are_those_of_the_notification_that_named_them() -> None:
    linux, both = (("os", ("Linux",)),), (("os", ("Windows", "Linux")),)
    first = spoken(1, 100, 200, attributes=linux, attribute_counts=((7,),))
    silent = spoken(2, 100, 400)
    later = spoken(3, 100, 500, attributes=both)

    groups = [
        fold_all(None, batch, Counting(), lambda _: first)[0] for batch in ([first, silent], [first, silent, later])
    ]

    assert [(group.attributes, group.attribute_counts) for group in groups] == [(linux, ((7,),)), (both, ())]


def test_only_the_texts_of_the_latest_notification_are_read() -> None:
    texts = {"callstack": ("f",), "classifiers": ("hang",), "attributes": (("os", ("Linux",)),)}
    batch = [spoken(number, 100, last, **texts) for number, last in ((1, 200), (2, 400), (3, 300))]
    places: list[int] = []

    def read(place: int) -> Notification:
        places.append(place)
        return batch[place]

    group, _ = fold_all(None, [unread(entry, texts) for entry in batch], Counting(), read)

    assert group.callstack == ("f",)
    assert set(places) == {1}
