"""What is told of deliveries as they come."""

import pytest

from syncd.daemon import arrivals
from syncd.daemon.arrivals import AHEAD, GIVE_WAY, Arrivals, pause
from syncd.model import Identity


def _identity(number: int) -> Identity:
    return Identity("acme", "game", f"f{number}")


def test_the_first_of_each_group_is_given_once_and_the_oldest_first() -> None:
    told = Arrivals()
    for delivery, group in enumerate([1, 1, 2, 1, 3, 2], 10):
        told.told(delivery, _identity(group))
    assert told.count == 6
    assert (told.take_firsts(2), told.first.is_set()) == ([10, 12], True)
    assert (told.take_firsts(2), told.first.is_set()) == ([14], False)
    told.told(16, _identity(3))
    assert (told.take_firsts(2), told.first.is_set(), told.any.is_set()) == ([], False, True)


def test_no_more_than_so_many_groups_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "KNOWN", 2)
    told = Arrivals()
    for delivery, group in enumerate([1, 2, 3, 3, 1]):
        told.told(delivery, _identity(group))
    assert told.take_firsts(9) == [0, 1, 2, 4]


def test_the_rate_is_that_since_it_was_last_asked_for() -> None:
    told = Arrivals()
    told.rate(100.0)
    for delivery in range(30):
        told.told(delivery, _identity(1))
    assert (told.rate(102.0), told.rate(103.0)) == (15.0, 0.0)


def test_folding_gives_way_to_what_comes_but_keeps_up_where_it_can() -> None:
    assert pause(0.0, 200, 0.05) == 0.0, "nobody is in the way"
    assert 0 < pause(10.0, 200, 0.05) < 0.01, "hardly anybody"
    assert pause(1e6, 200, 0.05) == GIVE_WAY * 0.05, "it cannot keep up: who sends comes first"
    for rate in (100.0, 500.0, 1000.0, 2000.0, 3000.0):
        assert 200 / (0.05 + pause(rate, 200, 0.05)) >= AHEAD * rate * 0.999, "it falls behind for no reason"
