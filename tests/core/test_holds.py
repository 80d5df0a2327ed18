"""What holds a group: thresholds within a window, which stay met once a group has met them."""

from typing import Any

import pytest
from msgspec.structs import replace

from syncd.core import holds
from syncd.model import Action, Call, Group, Point, Thresholds
from tests.factories import make_group, make_policy

NOW = 1_800_000_000.0
MINUTE, HOUR = 60.0, 3600.0
TEN_IN_AN_HOUR: dict[str, Any] = {"min_occurrences": 10, "within": "1h"}


def notified(*points: tuple[float, int], **facts: Any) -> Group:
    """A group whose notifications counted so many occurrences, so many seconds before now."""
    trail = tuple(Point(at=NOW - ago, occurrences=count) for ago, count in points)
    count = points[-1][1] if points else 100
    return make_group(**{"trail": trail, "occurrences": count, "first_seen": int(NOW - 90 * 86400)} | facts)


def of(occurrences: int = 10, users: int = 0, hosts: int = 0, age: float = 0.0, within: float = HOUR) -> Thresholds:
    return Thresholds(occurrences=occurrences, users=users, hosts=hosts, age=age, within=within)


@pytest.mark.parametrize(
    ("route", "points", "since", "is_met"),
    [
        pytest.param({}, [(3 * HOUR, 10)], 3 * HOUR, True, id="enough in one notification"),
        pytest.param({}, [(3 * HOUR, 9)], 3 * HOUR, False, id="too few in one notification"),
        pytest.param({}, [(3 * HOUR, 10)], 3 * HOUR - 1, False, id="enough, but before the time asked for"),
        pytest.param({}, [(3 * HOUR, 10)], 0.0, False, id="enough long ago, asked for now"),
        pytest.param({}, [(59 * MINUTE, 10)], 0.0, True, id="enough, and still within the window"),
        pytest.param({}, [(5 * HOUR, 10), (3 * HOUR, 11)], 9 * HOUR, True, id="enough at the first of two notifications"),
        pytest.param({}, [(5 * HOUR, 1), (3 * HOUR, 11)], 9 * HOUR, True, id="enough at the second of two notifications"),
        pytest.param({}, [(5 * HOUR, 1), (3 * HOUR, 10)], 9 * HOUR, False, id="enough only over several windows"),
        pytest.param({}, [(6 * HOUR, 1), (5 * HOUR, 2), (4.5 * HOUR, 12), (HOUR, 13)], 9 * HOUR, True, id="enough at the third of four"),
        pytest.param({}, [(-HOUR, 9)], 9 * HOUR, False, id="a notification of a clock that was ahead"),
        pytest.param({"min_age": "2h", "within": "3h"}, [(5 * HOUR, 10)], 0.0, True, id="old enough while the numbers were within the window"),
        pytest.param({"min_age": "2h", "within": "3h"}, [(6 * HOUR, 2), (5 * HOUR, 11)], 0.0, True, id="old enough since its first notification"),
        pytest.param({"min_age": "4h", "within": "3h"}, [(5 * HOUR, 10)], 0.0, False, id="old enough when the numbers had left the window"),
        pytest.param({"min_age": "4h", "within": "3h"}, [(5 * HOUR, 1), (2 * HOUR, 11)], 0.0, True, id="old enough, and the numbers came late"),
        pytest.param({"min_age": "4h", "within": "3h"}, [(6 * HOUR, 1), (2.5 * HOUR, 2), (HOUR, 11)], 9 * HOUR, True, id="the numbers came after the age"),
        pytest.param({"min_age": "2h", "within": "3h"}, [(2 * HOUR, 10)], 0.0, True, id="old enough just now"),
        pytest.param({"min_age": "2h", "within": "3h"}, [(2 * HOUR - 1, 10)], 9 * HOUR, False, id="a second too young"),
        pytest.param({"min_age": "2h", "within": "3h"}, [(HOUR, 1), (-1.5 * HOUR, 12)], 9 * HOUR, False, id="old enough only by a clock that was ahead"),
        pytest.param({"min_age": "2h", "within": "3h"}, [], 9 * HOUR, True, id="older than what is remembered of it"),
    ],
)  # fmt: skip
def test_a_group_meets_the_thresholds_at_a_notification_or_when_it_is_old_enough(
    route: dict[str, Any], points: list[tuple[float, int]], since: float, is_met: bool
) -> None:
    policy, group = make_policy(**TEN_IN_AN_HOUR | route), notified(*points)
    after = holds.qualified(group, policy, NOW - since, NOW)

    assert after == replace(group, met=(policy.thresholds,) if is_met else ())


@pytest.mark.parametrize(
    ("route", "met", "is_held"),
    [
        pytest.param({}, (), True, id="none"),
        pytest.param({}, (of(),), False, id="the same"),
        pytest.param({}, (of(11),), False, id="more occurrences"),
        pytest.param({}, (of(9),), True, id="fewer occurrences"),
        pytest.param({}, (of(within=HOUR / 2),), False, id="in less time"),
        pytest.param({}, (of(within=HOUR * 2),), True, id="in more time"),
        pytest.param({"min_users": 2}, (of(),), True, id="without users"),
        pytest.param({"min_users": 2}, (of(), of(users=3)), False, id="several, one of them enough"),
        pytest.param(
            {"min_users": 2, "min_hosts": 2}, (of(users=2), of(hosts=2)), True, id="each at a time of its own"
        ),
    ],
)
def test_what_was_met_once_stays_met_for_every_route_that_asks_for_no_more(
    route: dict[str, Any], met: tuple[Thresholds, ...], is_held: bool
) -> None:
    policy = make_policy(**TEN_IN_AN_HOUR | route)
    group = replace(notified((3 * HOUR, 10)), met=met)

    assert (holds.decision(group, policy, hold_zero=True, now=NOW) is not None) is is_held
    assert holds.qualified(group, policy, NOW, NOW) == group


def test_only_a_route_with_a_window_has_thresholds_that_stay_met() -> None:
    group = notified((MINUTE, 10))

    assert holds.qualified(group, None, NOW - HOUR, NOW) == group
    assert holds.qualified(group, make_policy(min_occurrences=10), NOW - HOUR, NOW) == group
    assert replace(holds.qualified(group, make_policy(**TEN_IN_AN_HOUR), NOW - HOUR, NOW), met=()) == group


def test_a_route_with_two_thresholds_keeps_what_a_group_met_before() -> None:
    group = replace(notified((MINUTE, 10)), met=(of(9),))

    assert holds.qualified(group, make_policy(**TEN_IN_AN_HOUR), NOW, NOW).met == (of(9), of())


@pytest.mark.parametrize(
    ("route", "group", "misses"),
    [
        (
            {"min_occurrences": 10, "min_users": 2},
            notified((HOUR, 3), users=1, hosts=1),
            "it has 3 of 10 occurrences and 1 of 2 users",
        ),
        ({"min_hosts": 2}, notified((HOUR, 3), hosts=1), "it has 1 of 2 machines"),
        (TEN_IN_AN_HOUR, notified((MINUTE, 9)), "it has 9 of 10 occurrences within 1h"),
        (TEN_IN_AN_HOUR, notified((2 * HOUR, 8), (MINUTE, 9)), "it has 1 of 10 occurrences within 1h (9 in all)"),
        (
            TEN_IN_AN_HOUR | {"min_occurrences": 1, "min_users": 2},
            notified((2 * HOUR, 8), (MINUTE, 9)),
            "it has 0 of 2 users within 1h",
        ),
        (
            TEN_IN_AN_HOUR | {"min_users": 2},
            notified((MINUTE, 9), first_seen=int(NOW - HOUR)),
            "it has 9 of 10 occurrences and 0 of 2 users within 1h",
        ),
        (
            {"min_occurrences": 2, "min_age": "2h"},
            notified((HOUR, 1)),
            "it has 1 of 2 occurrences; it is filed at 2027-01-15 09:00 UTC at the earliest (min_age 2h)",
        ),
    ],
)
def test_the_reason_names_all_that_a_group_misses(route: dict[str, Any], group: Group, misses: str) -> None:
    hold = holds.decision(group, make_policy(**route), hold_zero=True, now=NOW)

    assert hold is not None
    assert hold.reason == f"below the thresholds of route main: {misses}"
    assert (hold.action, hold.rule, hold.call, hold.until) == (Action.HOLD, "threshold", Call.CREATE, None)


def test_the_inputs_are_the_numbers_of_the_thresholds_that_the_route_has() -> None:
    group = notified((HOUR, 3), users=1, hosts=5)
    hold = holds.decision(group, make_policy(min_occurrences=3, min_users=2), hold_zero=True, now=NOW)

    assert hold is not None
    assert hold.inputs == {"occurrences": 3, "users": 1, "min_occurrences": 3, "min_users": 2}


@pytest.mark.parametrize(
    ("points", "first_seen", "until"),
    [
        pytest.param([(HOUR, 1)], NOW - 9 * HOUR, NOW + HOUR, id="its first notification"),
        pytest.param([], NOW - HOUR, NOW + HOUR, id="no notification is remembered: its first occurrence"),
        pytest.param([(-9 * HOUR, 1)], NOW, NOW + 2 * HOUR, id="a clock that was ahead: now"),
    ],
)
def test_a_group_that_is_only_too_young_is_filed_when_it_is_old_enough(
    points: list[tuple[float, int]], first_seen: float, until: float
) -> None:
    group = notified(*points, first_seen=int(first_seen))
    hold = holds.decision(group, make_policy(min_age="2h"), hold_zero=True, now=NOW)

    assert hold is not None
    assert hold.until == until


def test_a_group_that_an_operator_files_or_that_no_route_takes_is_judged_by_no_threshold() -> None:
    young = notified((MINUTE, 1))
    policy = make_policy(min_occurrences=5)

    assert holds.decision(replace(young, ordered="the customer waits"), policy, hold_zero=True, now=NOW) is None
    unrouted = holds.decision(young, None, hold_zero=True, now=NOW)
    assert unrouted is not None
    assert (unrouted.rule, unrouted.reason) == ("unrouted", holds.UNROUTED)
