"""What needs a person, out of a status."""

from typing import Any

import pytest

from syncd.operate import attention
from syncd.operate.attention import AttentionItem


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


def found(told: dict[str, Any]) -> list[AttentionItem]:
    return attention.counts(told) + attention.silent(told)


def test_nothing_is_needed_where_all_is_well() -> None:
    assert found(status()) == []
    assert attention.sentence([], None) == (True, "All is well.")


@pytest.mark.parametrize(
    ("told", "words", "page"),
    [
        (status(dead=1200), "1,200 dead letters: ", "/dead"),
        (status(issues={"parked": 2, "in_doubt": 0, "doubles": 0}), "2 parked", "/dead"),
        (status(issues={"parked": 0, "in_doubt": 0, "doubles": 1}), "1 with more than one", "/groups"),
        (status(quarantined=3), "3 in quarantine", "/quarantine"),
        (status(trackers={"game": {"state": "paused", "reason": "bad token", "cause": "misconfigured"}}), "bad token", "/trackers"),
        (status(instances=[{"instance": "a", "part": "worker", "silent": True}]), "a (worker)", "/trackers"),
    ],
)  # fmt: skip
def test_what_is_wrong_needs_a_person(told: dict[str, Any], words: str, page: str) -> None:
    (need,) = found(told)

    assert words in need.what
    assert (need.page, need.calm) == (page, False)
    assert attention.sentence([need], None) == (False, "1 thing needs a person.")


@pytest.mark.parametrize(
    "told",
    [
        status(issues={"parked": 0, "in_doubt": 4, "doubles": 0}),
        status(trackers={"game": {"state": "paused", "reason": "moving", "cause": "operator"}}),
        status(trackers={"game": {"state": "slowed", "reason": "429", "cause": "throttled"}}),
        status(paused_routes=[{"route": "all", "reason": "moving"}]),
        status(storms=[{"route": "all", "held": 7}]),
    ],
)
def test_what_is_known_or_passes_is_no_alarm(told: dict[str, Any]) -> None:
    (need,) = found(told)

    assert need.calm
    well, sentence = attention.sentence([need], None)
    assert well
    assert sentence.startswith("All is well; ")


def test_a_store_that_takes_nothing_comes_before_everything() -> None:
    calm = AttentionItem(what="1 in doubt", calm=True)
    assert attention.sentence([calm], "the disk is full") == (False, "Notifications cannot be stored: the disk is full")
    alarms = [AttentionItem(what="a"), AttentionItem(what="b"), calm]
    assert attention.sentence(alarms, None) == (False, "2 things need a person.")
