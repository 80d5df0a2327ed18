"""The verdict of the evidence about a create in doubt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core import doubt
from syncd.core.doubt import Evidence, Outcome, Proof
from syncd.model import Condition, Created, Issue, IssueState, Observation, Place
from tests.factories import make_issue
from tests.golden import golden

NOW = 1_800_000_000.0
CLOCK = 1_799_990_000.0  # the tracker's: another one than ours
PROBES = [20.0, 60.0, 180.0]


def doubtful(probes: int = 0, since: float | None = None, floor: int = 7) -> Issue:
    return make_issue(state=IssueState.IN_DOUBT, remote_id=None, probes=probes, probed_since=since, floor=floor)


def made(number: int) -> Created:
    return Created(remote_id=str(number), key=f"K-{number}", url="", number=number)


def clean(**facts: object) -> Evidence:
    fields = {"covered": True, "newest": 9, "newest_at": CLOCK - 5000, "at": CLOCK, "summary": "nothing"} | facts
    return Evidence(**fields)  # type: ignore[arg-type]


def outcome(issue: Issue, evidence: Evidence, probe_after: list[float] = PROBES) -> Outcome:
    return doubt.judge(issue, evidence, probe_after, NOW).outcome


def test_a_tracker_without_numbers_and_times_states_none() -> None:
    assert Evidence(covered=True) == Evidence(
        issues=(), covered=True, newest=0, newest_at=None, floor_at=None, at=None, summary="", proof=Proof.NUMBERS
    )


def test_an_issue_with_the_marker_exists_whatever_the_other_evidence() -> None:
    judgement = doubt.judge(
        doubtful(), Evidence(issues=(made(8), made(9)), covered=False, summary="2 pages"), PROBES, NOW
    )

    assert judgement.outcome is Outcome.EXISTS
    golden("doubt", "found", judgement.reason)


def test_one_negative_probe_proves_nothing_and_the_next_one_waits_its_time() -> None:
    first = doubt.judge(doubtful(), clean(), PROBES, NOW)
    second = doubt.judge(doubtful(1, CLOCK - 40), clean(), PROBES, NOW)

    golden("doubt", "open", first.reason)
    assert (first.outcome, first.until) == (Outcome.OPEN, NOW + 40)
    assert (second.outcome, second.until) == (Outcome.OPEN, NOW + 120)


def test_all_probes_together_prove_that_it_does_not_exist() -> None:
    judgement = doubt.judge(doubtful(2, CLOCK - 160), clean(), PROBES, NOW)

    assert judgement.outcome is Outcome.ABSENT
    golden("doubt", "absent by all probes", judgement.reason)


def test_a_later_issue_proves_that_it_does_not_exist() -> None:
    judgement = doubt.judge(doubtful(1, CLOCK - 60), clean(newest_at=CLOCK - 39), PROBES, NOW)

    assert judgement.outcome is Outcome.ABSENT
    golden("doubt", "absent by a later issue", judgement.reason)


def test_one_look_by_key_proves_that_it_does_not_exist_once_the_request_has_run_out() -> None:
    issue = replace(doubtful(), sent_at=NOW - 20, floor=0)
    evidence = Evidence(covered=True, summary="nothing", proof=Proof.KEY)
    judgement = doubt.judge(issue, evidence, PROBES, NOW)

    assert judgement.outcome is Outcome.ABSENT
    golden("doubt", "absent by its key", judgement.reason)
    assert doubt.judge(replace(issue, sent_at=NOW - 19), evidence, PROBES, NOW).outcome is Outcome.OPEN
    assert outcome(issue, replace(evidence, covered=False), PROBES[:1]) is Outcome.UNPROVEN
    assert outcome(issue, replace(evidence, proof=Proof.NUMBERS)) is Outcome.OPEN


def test_probes_that_only_our_clock_put_far_apart_prove_nothing() -> None:
    """A clock that jumped a day forward makes three probes due within a second."""
    judgement = doubt.judge(doubtful(2, CLOCK - 2), clean(), PROBES, NOW)

    assert (judgement.outcome, judgement.until) == (Outcome.OPEN, NOW + 158)


def test_a_date_of_whole_seconds_may_lack_one_second_and_no_more() -> None:
    assert outcome(doubtful(2, CLOCK - 159), clean()) is Outcome.ABSENT
    assert outcome(doubtful(2, CLOCK - 158.9), clean()) is Outcome.OPEN


@pytest.mark.parametrize(
    ("before", "now", "remote_id", "expected"),
    [
        pytest.param(CLOCK, CLOCK + 60, "7001", True, id="the number was given once more"),
        pytest.param(CLOCK, CLOCK + 1, "7001", False, id="the same time, rounded"),
        pytest.param(CLOCK, CLOCK + 1.5, "7001", True, id="more than rounded"),
        pytest.param(CLOCK, CLOCK, "7001", False, id="the same issue"),
        pytest.param(CLOCK, CLOCK + 60, "7002", False, id="another place"),
        pytest.param(CLOCK, CLOCK + 60, "6999", False, id="another place before it"),
        pytest.param(None, CLOCK + 60, "7001", False, id="no time before"),
        pytest.param(CLOCK, None, "7001", False, id="no time now"),
    ],
)
def test_another_issue_under_the_same_number_has_another_time_of_creation(
    before: float | None, now: float | None, remote_id: str, expected: bool
) -> None:
    issue = make_issue(condition=Condition(created_at=before))
    place = Place(remote_id=remote_id, key="#1", url="")

    assert doubt.is_another(issue, Observation(place=place, condition=Condition(created_at=now))) is expected
    assert not doubt.is_another(make_issue(), Observation(place=place, condition=Condition(created_at=now)))


def test_an_index_alone_never_proves_absence() -> None:
    judgement = doubt.judge(doubtful(2, CLOCK - 160), clean(covered=False), PROBES, NOW)

    assert judgement.outcome is Outcome.UNPROVEN
    golden("doubt", "unproven", judgement.reason)


@pytest.mark.parametrize(
    ("issue", "evidence", "expected"),
    [
        pytest.param(doubtful(1, CLOCK - 60), clean(newest_at=CLOCK - 39), Outcome.ABSENT, id="a later one is there"),
        pytest.param(
            doubtful(1, CLOCK - 60), clean(newest_at=CLOCK - 41), Outcome.OPEN, id="it may be older than ours"
        ),
        pytest.param(
            doubtful(1, CLOCK - 60), clean(newest_at=CLOCK - 39, covered=False), Outcome.OPEN, id="not all read"
        ),
        pytest.param(doubtful(0, None), clean(newest_at=CLOCK), Outcome.OPEN, id="no earlier probe to compare with"),
        pytest.param(doubtful(1, CLOCK - 60, floor=9), clean(newest_at=CLOCK - 1), Outcome.OPEN, id="known before"),
        pytest.param(doubtful(1, CLOCK - 60, floor=12), clean(newest_at=CLOCK - 1), Outcome.OPEN, id="below the floor"),
        pytest.param(doubtful(1, CLOCK - 60), clean(newest_at=CLOCK - 40), Outcome.OPEN, id="in the last second"),
        pytest.param(doubtful(1, CLOCK - 60), clean(newest_at=CLOCK), Outcome.ABSENT, id="created just now"),
    ],
)
def test_an_issue_numbered_later_proves_it_at_once(issue: Issue, evidence: Evidence, expected: Outcome) -> None:
    assert outcome(issue, evidence) is expected


def test_an_issue_from_the_future_proves_nothing() -> None:
    assert outcome(doubtful(1, CLOCK - 40), clean(newest_at=CLOCK + 290)) is Outcome.OPEN


def test_a_trackers_clock_that_was_set_back_is_waited_for_without_haste() -> None:
    judgement = doubt.judge(doubtful(2, CLOCK + 2 * 86400), clean(), PROBES, NOW)

    assert (judgement.outcome, judgement.until) == (Outcome.OPEN, NOW + 180)


def test_a_tracker_without_a_clock_is_its_own_witness() -> None:
    assert outcome(doubtful(), clean(at=None, newest_at=None), [0.0]) is Outcome.ABSENT


@pytest.mark.parametrize("waited", [2.0, 19.0])
def test_a_probe_that_came_too_early_may_find_the_issue_and_proves_nothing(waited: float) -> None:
    """An operator may ask for a look at once, while the tracker still carries the request out."""
    issue = replace(doubtful(2, CLOCK - 160), sent_at=NOW - waited)

    judgement = doubt.judge(issue, clean(), PROBES, NOW)
    assert (judgement.outcome, judgement.until, judgement.counts) == (Outcome.OPEN, NOW - waited + 20, False)
    assert outcome(issue, Evidence(issues=(made(8),), covered=False)) is Outcome.EXISTS


def test_a_create_that_was_sent_in_the_future_is_no_reason_to_wait() -> None:
    issue = replace(doubtful(2, CLOCK - 160), sent_at=NOW + 3600)

    assert outcome(issue, clean()) is Outcome.ABSENT


times = st.floats(0, 1e6)


@given(st.integers(0, 5), times, times, st.booleans(), st.lists(st.floats(0, 1e4), min_size=2, max_size=5, unique=True))
def test_absence_needs_every_number_read_and_time_by_the_trackers_clock(
    probes: int, since: float, passed: float, covered: bool, schedule: list[float]
) -> None:
    schedule.sort()
    issue = doubtful(probes, CLOCK + since if probes else None)
    evidence = clean(covered=covered, at=CLOCK + since + passed, newest_at=None)

    if outcome(issue, evidence, schedule) is Outcome.ABSENT:
        assert covered
        assert probes + 1 >= len(schedule)
        assert passed >= schedule[-1] - schedule[0] - 1.0


@pytest.mark.parametrize(
    ("floor_age", "since_seconds", "judged"),
    [
        pytest.param(3600.0, 100.0, (Outcome.ABSENT, None), id="the number of the floor was given long before"),
        pytest.param(99.0, 100.0, (Outcome.ABSENT, None), id="at the same time, as far as the clocks can tell"),
        pytest.param(98.0, 100.0, (Outcome.ABSENT, None), id="two seconds later, as rounded times may be"),
        pytest.param(97.5, 100.0, (Outcome.OPEN, 250), id="more than two seconds later"),
        pytest.param(90.0, 100.0, (Outcome.OPEN, 250), id="the number of the floor was given since"),
        pytest.param(90.0, None, (Outcome.ABSENT, None), id="a lowered floor was given before it was sent"),
        pytest.param(62.0, None, (Outcome.ABSENT, None), id="a lowered floor was given two seconds before it was sent"),
        pytest.param(61.0, None, (Outcome.OPEN, 250), id="a lowered floor was perhaps given since it was sent"),
        pytest.param(None, 100.0, (Outcome.ABSENT, None), id="nobody knows when"),
    ],
)
def test_numbers_that_were_given_once_more_prove_nothing(
    floor_age: float | None, since_seconds: float | None, judged: tuple[Outcome, int | None]
) -> None:
    """A tracker that was restored from a backup gives the number of the floor once more, perhaps after a lower one to ours."""
    since = None if since_seconds is None else NOW - since_seconds
    issue = replace(doubtful(2, CLOCK - 160, floor=350), sent_at=NOW - 60.0, floor_since=since)
    evidence = clean(newest=360, floor_at=None if floor_age is None else CLOCK - floor_age)

    judgement = doubt.judge(issue, evidence, PROBES, NOW)

    assert (judgement.outcome, judgement.floor) == judged
    if judgement.floor is not None:
        golden("doubt", "given once more", judgement.reason)
        assert (judgement.counts, judgement.until) == (False, NOW + 20)


@pytest.mark.parametrize(("floor", "lowered"), [(350, 250), (101, 1), (100, 0), (50, 0)])
def test_the_floor_of_numbers_that_were_given_once_more_is_lowered_by_a_hundred(floor: int, lowered: int) -> None:
    issue = replace(doubtful(2, CLOCK - 160, floor=floor), sent_at=NOW - 60.0, floor_since=NOW - 100)

    assert doubt.judge(issue, clean(newest=360, floor_at=CLOCK - 90), PROBES, NOW).floor == lowered


@pytest.mark.parametrize(
    ("sent_at", "until", "counts"),
    [
        pytest.param(NOW - 21, NOW + 40, True, id="it cannot take effect any more"),
        pytest.param(NOW - 20, NOW + 40, True, id="it cannot take effect from now on"),
        pytest.param(NOW - 19, NOW + 1, False, id="it may still take effect"),
        pytest.param(NOW + 160, NOW + 180, False, id="the longest wait"),
        pytest.param(NOW + 161, NOW + 40, True, id="longer than any wait: the clock was set back"),
    ],
)
def test_a_probe_counts_once_the_create_cannot_take_effect_any_more(sent_at: float, until: float, counts: bool) -> None:
    judgement = doubt.judge(replace(doubtful(), sent_at=sent_at), clean(), PROBES, NOW)

    assert (judgement.outcome, judgement.until, judgement.counts) == (Outcome.OPEN, until, counts)


def test_the_floor_is_lowered_to_the_newest_number_below_it() -> None:
    assert doubt.judge(doubtful(floor=12), clean(newest=9), PROBES, NOW).floor == 9
    assert doubt.judge(doubtful(floor=9), clean(newest=9), PROBES, NOW).floor is None
    assert doubt.judge(doubtful(floor=7), clean(newest=9), PROBES, NOW).floor is None
