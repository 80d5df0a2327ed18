"""Which notices may be sent now, when a digest is due, and what it has."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.budget import Limit
from syncd.core.digest import digest, growth
from syncd.core.notices import (
    LATEST_DIGEST_SECONDS,
    LONGEST_REST_SECONDS,
    SETTLED_SECONDS,
    Change,
    Kind,
    Outage,
    Schedule,
    Share,
    due_digest,
    follow_trackers,
    rest_seconds,
    share,
)
from syncd.model import Condition, Group, GroupView, Identity, Issue, IssueState
from syncd.model.groups import Point

NOW = 1_790_000_000.0
ZONES = (
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Santiago",
    "Pacific/Apia",
    "UTC",
)


@given(st.integers(0, 5000), st.integers(1, 40))
def test_a_pile_of_any_size_makes_no_more_messages_than_the_limit_and_leaves_none_unsaid(pile: int, most: int) -> None:
    limit, sent, messages = Limit(most, 3600.0), 0, 0
    while (chosen := share(Kind.GROUP, pile, sent, limit)) is not Share.NONE:
        pile -= pile if chosen is Share.ALL else 1
        sent, messages = sent + 1, messages + 1

    assert messages <= most
    assert pile == 0


def test_a_digest_needs_no_place_in_the_limit() -> None:
    assert share(Kind.DIGEST, 1, 1000, Limit(1, 3600.0)) is Share.FIRST


@given(st.integers(0, 10_000), st.floats(0, 1e9) | st.none())
def test_a_channel_rests_longer_each_time_and_never_for_longer_than_it_asked_or_an_hour(
    attempts: int, wanted: float | None
) -> None:
    assert rest_seconds(attempts) <= rest_seconds(attempts + 1) <= LONGEST_REST_SECONDS
    assert rest_seconds(attempts, wanted) >= min(wanted or 0.0, 86400.0)
    assert rest_seconds(attempts, wanted) <= 86400.0


@given(
    st.sampled_from(ZONES),
    st.times(),
    st.dates(date(2020, 1, 1), date(2035, 1, 1)),
    st.lists(st.floats(1.0, 30 * 3600.0), min_size=1, max_size=40),
)
def test_each_day_has_at_most_one_digest_in_every_zone(zone: str, at: time, start: date, steps: list[float]) -> None:
    schedule = Schedule(at.replace(second=0, microsecond=0), ZoneInfo(zone))
    now, last, days = schedule.moment(start), (start, schedule.moment(start)), [start]
    for step in steps:
        now += step
        due = due_digest(schedule, last, now)
        if due is not None:
            assert due.day > days[-1]
            assert due.since <= now
            assert schedule.moment(due.day) <= now < schedule.moment(due.day + timedelta(days=2))
            days.append(due.day)
            last = due.day, now
    assert due_digest(schedule, last, now) is None


@given(st.sampled_from(ZONES), st.times(), st.dates(date(2020, 1, 1), date(2035, 1, 1)))
def test_a_process_that_always_runs_sends_a_digest_each_day(zone: str, at: time, start: date) -> None:
    schedule = Schedule(at.replace(second=0, microsecond=0), ZoneInfo(zone))
    last = start, schedule.moment(start)
    for number in range(1, 8):
        day = start + timedelta(days=number)
        due = due_digest(schedule, last, schedule.moment(day) + 5)
        assert due is not None
        assert (due.day, due.timely) == (day, True)
        last = day, schedule.moment(day) + 5


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 28), "2026-03-28T01:30:00+00:00"),
        (date(2026, 3, 29), "2026-03-29T01:30:00+00:00"),  # 02:30 is skipped, and is 03:30
        (date(2026, 3, 30), "2026-03-30T00:30:00+00:00"),
        (date(2026, 10, 25), "2026-10-25T00:30:00+00:00"),  # 02:30 is there twice: the first counts
        (date(2026, 10, 26), "2026-10-26T01:30:00+00:00"),
    ],
)
def test_an_hour_that_clocks_skip_or_repeat_has_one_moment(day: date, expected: str) -> None:
    moment = Schedule(time(2, 30), ZoneInfo("Europe/Paris")).moment(day)

    assert datetime.fromtimestamp(moment, UTC).isoformat() == expected


def test_a_new_channel_begins_with_the_next_day_and_a_late_start_leaves_the_digest_out() -> None:
    schedule = Schedule(time(8, 30), UTC)
    day = date(2026, 9, 21)
    first, late = (
        due_digest(schedule, None, schedule.moment(day) + 60),
        schedule.moment(day) + LATEST_DIGEST_SECONDS + 1,
    )

    assert first is not None
    assert (first.day, first.timely) == (day, False)
    yesterday = day - timedelta(days=1), schedule.moment(day) - 86400
    assert [
        due and due.timely for due in (due_digest(schedule, yesterday, late), due_digest(schedule, yesterday, late - 2))
    ] == [False, True]


def test_a_digest_covers_what_happened_since_the_one_before() -> None:
    schedule = Schedule(time(8, 30), UTC)
    friday = date(2026, 9, 18), schedule.moment(date(2026, 9, 18)) + 4

    due = due_digest(schedule, friday, schedule.moment(date(2026, 9, 21)) + 1)

    assert due is not None
    assert due.since == friday[1]


def test_a_tracker_that_rests_for_long_makes_one_notice_and_its_end_another() -> None:
    outages: dict[str, Outage] = {}
    changes: list[Change] = []
    for second in range(0, 3600, 10):
        outages, new = follow_trackers(outages, {"game": "401"}, NOW + second)
        changes += new
    outages, new = follow_trackers(outages, {}, NOW + 3600)
    changes += new

    assert [(change.over, change.since, change.reason) for change in changes] == [
        (False, NOW, "401"),
        (True, NOW, "401"),
    ]
    assert follow_trackers(outages, {}, NOW + 3700) == ({}, [])


@given(st.lists(st.sets(st.sampled_from(["a", "b", "c"])), max_size=60), st.floats(1, 200))
def test_the_end_of_a_rest_follows_each_notice_of_one_and_no_other(history: list[set[str]], step: float) -> None:
    outages: dict[str, Outage] = {}
    open_notices: set[str] = set()
    for place, resting in enumerate(history):
        outages, changes = follow_trackers(outages, dict.fromkeys(resting, "down"), NOW + place * step)
        for change in changes:
            assert change.over == (change.tracker in open_notices)
            open_notices ^= {change.tracker}
        assert open_notices <= resting
        assert outages.keys() == resting


def test_a_short_rest_is_worth_no_notice() -> None:
    outages, _ = follow_trackers({}, {"game": "timeout"}, NOW)
    outages, changes = follow_trackers(outages, {"game": "timeout"}, NOW + SETTLED_SECONDS - 1)
    assert not changes
    assert follow_trackers(outages, {}, NOW + SETTLED_SECONDS) == ({}, [])


def view(name: str, *points: tuple[float, int], users: int = 1, closed: float | None = None) -> GroupView:
    """A group whose notifications came at these hours before NOW."""
    trail = tuple(Point(at=NOW - hours * 3600, occurrences=count) for hours, count in points)
    group = Group(
        identity=Identity("u", "p", name), trail=trail, users=users, occurrences=points[-1][1],
        last_seen=int(trail[-1].at),
    )  # fmt: skip
    condition = None if closed is None else Condition(closed=True, resolution="done", closed_at=NOW - closed * 3600)
    issue = Issue(tracker="t", state=IssueState.LINKED, marker="m", key=f"K-{name}", condition=condition)
    return GroupView(group=group, issue=issue, decision="nothing", reason="")


def test_the_sections_answer_what_a_lead_asks() -> None:
    views = {
        1: view("new", (3, 10), users=5),
        2: view("new-and-worse", (5, 3), users=50),
        3: view("growing", (40, 5), (2, 200), users=2),
        4: view("steady", (40, 500), (2, 900), users=900),
        5: view("back", (60, 10), (1, 12), users=7, closed=30),
        6: view("closed-but-crashing", (60, 10), (1, 14), users=1, closed=30),
        7: view("silent", (60, 10), users=10_000),
    }

    sections = digest(views, {5: "2.5.0"}, NOW - 86400, NOW)

    names = {
        name: [entry.view.group.identity.fingerprint for entry in getattr(sections, name).entries]
        for name in ("new", "came_back", "growing", "worst", "closed")
    }
    assert names == {
        "new": ["new-and-worse", "new"],
        "came_back": ["back"],
        "growing": ["growing"],
        "worst": ["steady", "new-and-worse", "back", "new", "growing"],
        "closed": ["closed-but-crashing"],
    }
    assert sections.worst.total == 6
    assert [entry.release for entry in sections.came_back.entries] == ["2.5.0"]


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 1000)), max_size=20), st.floats(0, 100), st.floats(0, 100))
def test_growth_is_never_negative_and_adds_up(points: list[tuple[float, int]], left: float, right: float) -> None:
    counts = sorted(count for _, count in points)
    trail = tuple(
        Point(at=at, occurrences=count) for at, count in zip(sorted(at for at, _ in points), counts, strict=True)
    )
    group = msgspec.structs.replace(view("g", (1, 1)).group, trail=trail)
    first, last = sorted((left, right))

    assert growth(group, first, last) >= 0
    assert growth(group, -1, first) + growth(group, first, last) == growth(group, -1, last)
