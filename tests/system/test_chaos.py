"""kill -9 at every step and at random times, in small; `make prove` does the same a thousand times for each kind of tracker, and beside
it with a daemon that forgets its doubt."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.prove import chaos, chaos_verdict, dying
from tests.prove.chaos_load import Ledger, Notification
from tests.prove.chaos_verdict import Verdict
from tests.system import reference
from tests.system.reference import speak

KILLS = 15
SEED = 20261125


def test_killed_again_and_again_every_acknowledged_group_has_exactly_one_issue_with_the_right_counts(
    tmp_path: Path,
) -> None:
    verdict = chaos.run("github", tmp_path, KILLS, SEED)
    print(verdict.line())

    assert verdict.wrong == []
    assert sum(verdict.kills.values()) == KILLS
    assert verdict.groups >= KILLS
    assert verdict.busy >= KILLS // 3  # the rest were killed as they started, or between two groups
    assert verdict.resent > 0
    assert sum(verdict.failed.values()) > 0
    assert verdict.in_doubt > 0


@pytest.mark.parametrize("step", dying.STEPS)
def test_the_method_that_a_step_is_named_after_is_still_there(step: str) -> None:
    holder, name = dying.resolve(step)

    assert callable(getattr(holder, name))


def test_a_ledger_that_the_tracker_honours_is_no_complaint() -> None:
    assert _judged() == []


def test_a_second_issue_of_a_group_is_a_duplicate() -> None:
    assert _judged(texts=[_text(0), _text(1), _text(1)]) == ["1 issues are duplicates"]


def test_a_group_without_an_issue_is_missing() -> None:
    assert _judged(texts=[_text(0)]) == ["1 groups have no issue"]


def test_an_issue_that_nobody_asked_for_is_a_stray() -> None:
    assert _judged(texts=[_text(0), _text(1), "0" * 64]) == ["1 issues belong to no acknowledged group"]


def test_a_count_that_the_issue_shows_wrongly_is_found() -> None:
    (sentence,) = _judged(texts=[_text(0), _text(1, total=1)])

    assert "says 1 instead of" in sentence


def test_a_count_that_the_store_keeps_wrongly_is_found() -> None:
    (sentence,) = _judged(hosts=7777)

    assert "7777" in sentence


def test_a_notification_that_was_acknowledged_and_is_not_counted_is_lost() -> None:
    assert _judged(notifications=-1) == ["2 acknowledged notifications are lost"]


def test_a_copy_that_nobody_sent_is_found() -> None:
    (sentence,) = _judged(notifications=+1)

    assert "2 counts are wrong" in sentence


def test_two_acknowledgements_under_one_number_are_a_loss() -> None:
    assert _judged(numbers=[1, 2, 3, 4, 5, 5]) == ["1 acknowledged notifications are lost"]


def _judged(
    texts: list[str] | None = None, numbers: list[int] | None = None, notifications: int = 0, **changed: object
) -> list[str]:
    """The verdict over two groups of three notifications each; without arguments nothing is wrong."""
    sent = _notifications(0) + _notifications(1)
    ledger = Ledger(acknowledged=list(enumerate(sent)), numbers=set(numbers or range(len(sent))))
    groups = {
        name: _kept(group, notifications, changed) for name, group in reference.counts(ledger.acknowledged).items()
    }
    verdict = Verdict(kind="github", seed=1, drained_after=1.0)
    chaos_verdict.count(verdict, ledger, texts or [_text(0), _text(1)], [1, 1], groups)
    return verdict.wrong


def _notifications(number: int) -> list[Notification]:
    stream = speak(number, random.Random(number))
    return [next(stream) for _ in range(3)]


def _text(number: int, total: int | None = None) -> str:
    (group,) = reference.counts(list(enumerate(_notifications(number)))).values()
    total = group["occurrences"] if total is None else total
    return f"Fingerprint {_notifications(number)[0]['fingerprint']}\n3 times on 3 machines\nSeen {total:,} times on 3 machines by 4 users."


def _kept(group: dict[str, Any], notifications: int, changed: dict[str, object]) -> dict[str, Any]:
    """As `groups --json` has it."""
    releases = [{"release": release, "occurrences": count} for release, count in group["releases"].items()]
    return group | {"notifications": group["notifications"] + notifications, "releases": releases} | changed
