"""Due times after the wall clock was set: of the one machine that a file is on, and of machines that share a server."""

from functools import partial

import pytest

from syncd.config import StoreSettings
from syncd.core.budget import Allowance, Limit
from syncd.errors import StoreUnavailable
from syncd.model import Action, Call, Plan
from syncd.store import Store, outbox
from syncd.store.due_times import DueTimes
from tests.clock import MovableClock
from tests.store import steps
from tests.store.filled import FREE, NOW, claimed, owed

CREATE = Plan(action=Action.CREATE, reason="the group has no issue yet")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
def due_times(store: Store, clock: MovableClock) -> DueTimes:
    times = DueTimes(store.connection, clock)
    times.follow_clock()
    return times


def test_waits_keep_their_length_when_the_clock_is_set_back(
    store: Store, due_times: DueTimes, clock: MovableClock
) -> None:
    owed(store)
    steps.postpone(store, claimed(store), CREATE, "later", NOW + 60, 1, NOW)
    steps.silence(store, FREE, "slow down", NOW + 30, NOW)

    clock.set_back(3600)
    assert due_times.follow_clock() == 3600
    assert due_times.follow_clock() == 0.0

    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW - 3540
    assert min(steps.opens(store, FREE, clock.wall()).values()) == NOW - 3570


def test_another_process_of_the_machine_does_not_shift_them_again(
    store: Store, due_times: DueTimes, clock: MovableClock
) -> None:
    clock.set_back(3600)
    due_times.follow_clock()

    assert DueTimes(store.connection, clock).follow_clock() == 0.0


@pytest.mark.parametrize("seconds", [-86400.0, -5.0, 4.0])
def test_a_clock_that_is_set_forward_or_back_a_little_shifts_nothing(
    store: Store, due_times: DueTimes, clock: MovableClock, seconds: float
) -> None:
    owed(store)

    clock.set_back(seconds)
    assert due_times.follow_clock() == 0.0
    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW


def test_time_that_passes_shifts_nothing(store: Store, due_times: DueTimes, clock: MovableClock) -> None:
    owed(store)

    clock.advance(86400)
    assert due_times.follow_clock() == 0.0
    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW


def test_a_budget_refills_after_the_clock_was_set_back(store: Store, due_times: DueTimes, clock: MovableClock) -> None:
    limited = Allowance(credential="here", limits=[Limit(count=10, seconds=60.0)])
    for _ in range(2):
        assert steps.take(store, limited, Call.UPDATE, NOW) == 0.0

    clock.set_back(3600)
    due_times.follow_clock()
    now = clock.advance(60)
    assert steps.opens(store, limited, now)[Call.UPDATE] <= now


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
def test_a_machine_whose_clock_differs_from_the_servers_may_not_work(store: Store, settings: StoreSettings) -> None:
    from syncd.platform.clock import Clock
    from syncd.store.postgresql.connection import Postgresql
    from syncd.store.postgresql.server import SharedDueTimes

    class Shifted(Clock):
        shift = 0.0

        def wall(self) -> float:
            return super().wall() + self.shift

    assert isinstance(store.connection, Postgresql)
    shifted = Shifted()
    times = SharedDueTimes(store.connection, shifted)
    assert times.follow_clock() == 0.0
    shifted.shift = -3600.0
    with pytest.raises(StoreUnavailable, match="clock"):
        times.follow_clock()
    shifted.shift = 0.0
    assert times.follow_clock() == 0.0
