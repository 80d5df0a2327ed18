"""Which readings are news, and which issues a survey reads."""

from dataclasses import replace

import pytest

from syncd.core import readings
from syncd.core.readings import Cursor
from syncd.model import Condition, Issue, IssueState, Observation, Place

NOW = 1_790_000_000.0
LONG_AGO = NOW - 90 * 86400.0
ISSUE = Issue(
    tracker="here",
    state=IssueState.LINKED,
    marker="m",
    remote_id="7",
    key="K-7",
    url="https://example.com/K-7",
    condition=Condition(closed=True, closed_at=LONG_AGO),
    looked_at=LONG_AGO,
    changed_at=LONG_AGO,
)
READING = Observation(
    place=Place(remote_id="7", key="K-7", url="https://example.com/K-7"),
    condition=Condition(closed=True, closed_at=LONG_AGO),
    changed_at=LONG_AGO,
)


def several(count: int, **facts: object) -> list[Issue]:
    return [replace(ISSUE, remote_id=str(number), **facts) for number in range(1, count + 1)]  # type: ignore[arg-type]


def test_every_dormant_issue_is_read_within_a_round_of_surveys() -> None:
    issues, cursor, read = several(310), Cursor(), list[str]()
    for _ in range(readings.ROUNDS):
        part, cursor = readings.portion(issues, cursor, NOW)
        assert len(part) <= 13
        read += [str(issue.remote_id) for issue in part]

    assert set(read) == {issue.remote_id for issue in issues}


def test_open_issues_and_those_that_were_touched_lately_are_read_by_each_survey() -> None:
    dormant = several(100)
    active = [
        replace(ISSUE, remote_id="201", condition=Condition()),
        replace(ISSUE, remote_id="202", condition=None),
        replace(ISSUE, remote_id="203", synced_at=NOW - 86400.0),
        replace(ISSUE, remote_id="204", condition=Condition(closed=True, closed_at=NOW - 86400.0)),
    ]
    cursor = Cursor()
    for _ in range(3):
        part, cursor = readings.portion([*dormant, *active], cursor, NOW)
        assert {"201", "202", "203", "204"} <= {issue.remote_id for issue in part}


def test_a_survey_reads_a_bounded_number_of_issues_and_goes_on_where_it_ended() -> None:
    issues = several(9_000, condition=Condition()) + [
        replace(ISSUE, remote_id=str(number)) for number in range(20_000, 60_000)
    ]
    first, cursor = readings.portion(issues, Cursor(), NOW)
    second, _ = readings.portion(issues, cursor, NOW)

    assert len(first) == len(second) == readings.MOST_ACTIVE + readings.MOST_DORMANT
    assert not {issue.remote_id for issue in first} & {issue.remote_id for issue in second}


@pytest.mark.parametrize(
    ("change", "news"),
    [
        ({}, False),
        ({"place": replace(READING.place, key="OTHER-1")}, True),
        ({"condition": Condition()}, True),
        ({"changed_at": None}, False),
    ],
)
def test_another_key_or_another_condition_is_news(change: dict[str, object], news: bool) -> None:
    assert readings.is_news(ISSUE, replace(READING, **change)) is news  # type: ignore[arg-type]


def test_a_reading_from_before_the_latest_look_is_outdated_for_ten_minutes_only() -> None:
    issue = replace(ISSUE, looked_at=NOW, changed_at=NOW)
    reading = replace(READING, condition=Condition(), changed_at=NOW - 5.0)

    assert readings.is_outdated(issue, reading, NOW + 60.0)
    assert not readings.is_outdated(issue, reading, NOW + 700.0), "the tracker was restored from a backup"
    assert not readings.is_outdated(issue, replace(reading, changed_at=NOW), NOW + 60.0)


OPEN_AT, CHANGED_AT = NOW - 500.0, NOW - 100.0  # the latest change of the open issue, and that of the reading


@pytest.mark.parametrize(
    ("before", "named", "believed"),
    [
        pytest.param(Condition(), NOW - 300.0, NOW - 300.0, id="closed since it was open"),
        pytest.param(Condition(), OPEN_AT, OPEN_AT, id="closed with the change that was read last"),
        pytest.param(Condition(), OPEN_AT - 1, CHANGED_AT, id="a resolution that survived reopening"),
        pytest.param(Condition(), None, CHANGED_AT, id="no time at all"),
        pytest.param(Condition(closed=True, closed_at=CHANGED_AT), OPEN_AT - 1, CHANGED_AT, id="the same closing, read again"),
        pytest.param(Condition(closed=True, closed_at=CHANGED_AT), None, CHANGED_AT, id="the same without a time"),
        pytest.param(Condition(closed=True, closed_at=OPEN_AT - 9), OPEN_AT - 1, OPEN_AT - 1, id="closed again, and never read open"),
        pytest.param(None, OPEN_AT - 1, OPEN_AT - 1, id="never read before"),
    ],
)  # fmt: skip
def test_a_closing_is_later_than_all_that_was_read_before_it(
    before: Condition | None, named: float | None, believed: float | None
) -> None:
    issue = replace(ISSUE, condition=before, changed_at=OPEN_AT, looked_at=OPEN_AT + 50)
    reading = replace(READING, condition=Condition(closed=True, closed_at=named), changed_at=CHANGED_AT)

    dated = readings.dated(issue, reading)

    assert dated == Condition(closed=True, closed_at=believed)
    again = replace(issue, condition=dated, changed_at=CHANGED_AT)
    assert not readings.is_news(again, reading)


def test_without_the_time_of_a_change_a_closing_is_later_than_the_latest_look() -> None:
    issue = replace(ISSUE, condition=Condition(), changed_at=None, looked_at=OPEN_AT, is_read=True)
    reading = replace(READING, condition=Condition(closed=True, closed_at=OPEN_AT - 1), changed_at=None)

    assert readings.dated(issue, reading).closed_at == OPEN_AT
    filed = replace(issue, is_read=False)
    assert (
        readings.dated(filed, reading) == readings.dated(filed, replace(reading, changed_at=NOW)) == reading.condition
    )
    assert readings.dated(issue, replace(reading, condition=Condition(labels=("x",)))) == Condition(labels=("x",))
