"""Hints from the receiver to the absorbing thread, and how folding gives way to accepting."""

import pytest

from syncd.daemon import arrivals
from syncd.daemon.arrivals import AHEAD, GIVE_WAY, Arrivals, pause
from syncd.model import Identity


def _identity(number: int) -> Identity:
    return Identity("acme", "game", f"f{number}")


def test_the_first_of_each_group_is_given_once_and_the_oldest_first() -> None:
    hints = Arrivals()
    for group in (1, 1, 2, 1, 3, 2):
        hints.add(_identity(group))
    assert hints.count == 6
    assert (hints.take_firsts(2), hints.first.is_set()) == ([_identity(1), _identity(2)], True)
    assert (hints.take_firsts(2), hints.first.is_set()) == ([_identity(3)], False)
    hints.add(_identity(3))
    assert (hints.take_firsts(2), hints.first.is_set(), hints.any.is_set()) == ([], False, True)


def test_no_more_than_so_many_groups_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "REMEMBERED", 2)
    hints = Arrivals()
    for group in (1, 2, 3, 3, 1):
        hints.add(_identity(group))
    assert hints.take_firsts(9) == [_identity(group) for group in (1, 2, 3, 1)]


def test_the_rate_is_that_since_it_was_last_asked_for() -> None:
    hints = Arrivals()
    hints.rate(100.0)
    for _ in range(30):
        hints.add(_identity(1))
    assert (hints.rate(102.0), hints.rate(103.0)) == (15.0, 0.0)


def test_folding_gives_way_to_what_comes_but_keeps_up_where_it_can() -> None:
    assert pause(0.0, 200, 0.05) == 0.0, "nobody is in the way"
    assert 0 < pause(10.0, 200, 0.05) < 0.01, "hardly anybody"
    assert pause(1e6, 200, 0.05) == GIVE_WAY * 0.05, "it cannot keep up: who sends comes first"
    for rate in (100.0, 500.0, 1000.0, 2000.0, 3000.0):
        assert 200 / (0.05 + pause(rate, 200, 0.05)) >= AHEAD * rate * 0.999, "it falls behind for no reason"
