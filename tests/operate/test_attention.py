"""Which parts of a status need attention."""

from typing import Any

import pytest

from syncd.operate import attention
from syncd.operate.attention import AttentionItem
from tests.golden import golden


def status(**overrides: Any) -> dict[str, Any]:
    return {
        "dead": 0,
        "quarantined": 0,
        "issues": {"parked": 0, "in_doubt": 0, "doubles": 0},
        "trackers": {"game": {"state": "ok", "reason": None, "cause": None}},
        "paused_routes": [],
        "storms": [],
        "instances": [{"instance": "a", "part": "all", "silent": False}],
    } | overrides


def items(status: dict[str, Any]) -> list[AttentionItem]:
    return attention.counts(status) + attention.interruptions(status)


def test_nothing_needs_attention_if_all_is_well() -> None:
    assert items(status()) == []
    assert attention.sentence([], None)[0] is True


@pytest.mark.parametrize(
    ("status", "fact", "page"),
    [
        (status(dead=1200), "1,200", "/dead"),
        (status(issues={"parked": 2, "in_doubt": 0, "doubles": 0}), "2", "/dead"),
        (status(issues={"parked": 0, "in_doubt": 0, "doubles": 1}), "1", "/groups"),
        (status(quarantined=3), "3", "/quarantine"),
        (status(trackers={"game": {"state": "paused", "reason": "bad token", "cause": "misconfigured"}}), "bad token", "/trackers"),
        (status(instances=[{"instance": "a", "part": "worker", "silent": True}]), "a (worker)", "/trackers"),
    ],
)  # fmt: skip
def test_a_fault_is_an_alarm_on_the_page_that_shows_it(status: dict[str, Any], fact: str, page: str) -> None:
    (item,) = items(status)

    assert fact in item.what
    assert (item.page, item.alarm) == (page, True)
    assert attention.sentence([item], None)[0] is False


def test_the_sentences_of_all_items() -> None:
    single, several = ({"parked": count, "in_doubt": count, "doubles": count} for count in (1, 1200))
    whole = {
        "trackers": {
            "game": {"state": "paused", "reason": "bad token", "cause": "misconfigured"},
            "old": {"state": "missing", "reason": None, "cause": None},
        },
        "paused_routes": [{"route": "all", "reason": "moving"}],
        "storms": [{"route": "all", "held": 7}],
        "instances": [{"instance": "a", "part": "worker", "silent": True}],
    }
    for name, overview in (
        ("one of each", status(dead=1, quarantined=1, issues=single)),
        ("several of each", status(dead=1200, quarantined=1200, issues=several)),
        ("interruptions", status(**whole)),
        ("no alarm", status(storms=[{"route": "all", "held": 1}])),
    ):
        attention_items = items(overview)
        lines = [attention.sentence(attention_items, None)[1], *(item.what for item in attention_items)]
        golden("attention", name, "\n".join(lines))
    golden("attention", "a full disk", attention.sentence([], "the disk is full")[1])


@pytest.mark.parametrize(
    "status",
    [
        status(issues={"parked": 0, "in_doubt": 4, "doubles": 0}),
        status(trackers={"game": {"state": "paused", "reason": "moving", "cause": "operator"}}),
        status(trackers={"game": {"state": "slowed", "reason": "429", "cause": "throttled"}}),
        status(paused_routes=[{"route": "all", "reason": "moving"}]),
        status(storms=[{"route": "all", "held": 7}]),
    ],
)
def test_a_state_that_an_operator_wants_or_that_passes_is_no_alarm(status: dict[str, Any]) -> None:
    (item,) = items(status)

    assert not item.alarm
    assert attention.sentence([item], None)[0] is True


def test_a_store_that_takes_nothing_comes_before_every_alarm() -> None:
    notice = AttentionItem(what="1 create is in doubt", alarm=False)
    well, sentence = attention.sentence([notice], "the disk is full")
    assert (well, "the disk is full" in sentence) == (False, True)
    alarms = [AttentionItem(what="a"), AttentionItem(what="b"), notice]
    well, sentence = attention.sentence(alarms, None)
    assert (well, sentence.split()[0]) == (False, "2")
