"""When reports of hooks lead to looks, and how often surveys are made beside them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.hooks import HEARD_SECONDS, LONGEST_SECONDS, SPACING_SECONDS, due, survey_interval

NOW = 1_790_000_000.0
HOUR = 3600.0


def test_the_first_report_is_due_at_once_and_those_after_it_together_once_more() -> None:
    first = due(None, NOW)
    second = due(first, NOW + 0.1)

    assert (first, second) == (NOW, NOW + SPACING_SECONDS)
    assert due(second, NOW + 0.2) == due(second, NOW + 14) == second
    assert due(second, second + 0.1) == second + SPACING_SECONDS
    assert due(second, second + SPACING_SECONDS + 1) == second + SPACING_SECONDS + 1


def test_a_time_of_before_the_clock_was_set_back_holds_up_no_look() -> None:
    assert due(NOW + HOUR, NOW) == NOW


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_each_report_is_followed_by_a_look_and_looks_keep_their_distance(gaps: list[float]) -> None:
    now, latest, looks = NOW, None, set()
    for gap in gaps:
        now += gap
        latest = due(latest, now)
        assert now <= latest <= now + SPACING_SECONDS
        looks.add(latest)
    spans = sorted(looks)
    assert all(after - before >= SPACING_SECONDS - 1e-6 for before, after in pairwise(spans))


def test_surveys_are_rarer_while_a_hook_reports_and_come_back_when_it_is_silent() -> None:
    assert survey_interval(HOUR, None, None, NOW) == HOUR, "it was never heard"
    assert survey_interval(HOUR, NOW - 60, None, NOW) == 6 * HOUR
    assert survey_interval(HOUR, NOW - HEARD_SECONDS, None, NOW) == HOUR
    assert survey_interval(HOUR, NOW + 60, None, NOW) == HOUR, "a time of before the clock was set back"
    assert survey_interval(HOUR, NOW - 60, NOW - 60, NOW) == HOUR, "what it did not report was met"
    assert survey_interval(HOUR, NOW - 60, NOW - HEARD_SECONDS, NOW) == 6 * HOUR


def test_no_survey_waits_longer_than_a_day_unless_the_configuration_says_so() -> None:
    assert survey_interval(12 * HOUR, NOW, None, NOW) == LONGEST_SECONDS
    assert survey_interval(2 * LONGEST_SECONDS, NOW, None, NOW) == 2 * LONGEST_SECONDS
