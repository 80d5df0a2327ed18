"""What a person should know about a status."""

from typing import Any

import pytest

from syncd.operate import needs
from syncd.operate.needs import ALARMS, REMARKS, Need
from tests.golden import golden
from tests.operate.statuses import CASES, NOW, process, status, tracker, waiting


def test_a_daemon_that_is_well_needs_nothing() -> None:
    assert needs.needs(status(), NOW) == []
    assert needs.sentence([]) == (True, "All is well.")


def test_every_state_has_a_case() -> None:
    assert {state for state, _ in CASES.values()} == {*ALARMS, *REMARKS}


@pytest.mark.parametrize("case", CASES)
def test_a_state_is_named_and_an_alarm_exactly_if_a_person_has_to_act(case: str) -> None:
    state, status = CASES[case]
    (need,) = needs.needs(status, NOW)

    assert (need.state, need.alarm) == (state, state in ALARMS)
    assert needs.sentence([need])[0] is not need.alarm
    assert need.page or need.command


def test_the_sentences_of_all_states() -> None:
    for case, (_, shape) in CASES.items():
        items = needs.needs(shape, NOW)
        golden("needs", case, "\n".join([needs.sentence(items)[1], *(item.what for item in items)]))


def test_the_worst_comes_first() -> None:
    whole = status(
        dead=1, quarantined=1, storms=[{"route": "all", "held": 1}], instances=[],
        trackers={"a": tracker(state="unreachable", since=NOW, until=NOW), "b": tracker(state="paused", cause="operator")},
    )  # fmt: skip
    items = needs.needs(whole, NOW)

    assert [item.state for item in items] == [
        "no_daemon", "tracker_unreachable", "dead_letters", "quarantined", "tracker_paused", "storm",
    ]  # fmt: skip
    assert needs.sentence(items) == (False, "4 things need attention.")


@pytest.mark.parametrize(
    ("instances", "states"),
    [
        ([process("receiver"), process("worker")], []),
        ([process("receiver"), process("worker", "dead")], ["no_worker"]),
        ([process("receiver", "dead"), process("worker")], ["no_receiver"]),
        ([process("all", "dead"), process("worker", "dead")], ["no_daemon"]),
        ([process("all", "dead"), process()], []),
        ([process("all", "silent")], ["silent"]),
    ],
)
def test_a_part_that_no_living_process_runs_is_missing(instances: list[dict[str, Any]], states: list[str]) -> None:
    assert [need.state for need in needs.needs(status(instances=instances), NOW)] == states


def test_without_a_store_a_missing_heartbeat_is_no_news() -> None:
    fault = status()["store"] | {"fault": "locked"}
    states = [need.state for need in needs.needs(status(store=fault, instances=[process("all", "silent")]), NOW)]

    assert states == ["store_fault"]


def test_what_waits_in_time_is_no_need() -> None:
    busy = status(
        inbox=waiting(20_000, 4),
        trackers={"game": tracker(groups=9, due=9, oldest_at=NOW - 1700)},
        crashes=2,
    )
    assert needs.needs(busy, NOW) == []


def test_a_text_of_a_tracker_is_one_line_without_controls() -> None:
    hostile = tracker(state="paused", cause="misconfigured", reason="a\r\n\x1b[31mb")
    (need,) = needs.needs(status(trackers={"game": hostile}), NOW)

    assert "\n" not in need.what
    assert "\x1b" not in need.what


def test_things_that_pass_by_themselves_are_named_beside_the_sentence() -> None:
    items = [
        Need(state="storm", what="route all is in a storm: 7"),
        Need(state="in_doubt", what="1 create is in doubt"),
    ]
    assert needs.sentence(items) == (True, "All is well; route all is in a storm and 1 create is in doubt.")
