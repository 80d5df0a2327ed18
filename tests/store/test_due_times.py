"""Due times after the wall clock was set: of the one machine that a file is on, and of machines that share a server."""

import json
import re
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from syncd.core.budget import Allowance, Limit
from syncd.errors import StoreUnavailable
from syncd.model import Action, Call, Plan
from syncd.store import Store, outbox, queries
from syncd.store.due_times import BELIEVED_SECONDS, MOMENTS, NOT_MOVED, SPANS, DueTimes
from syncd.store.sqlite.backup import back_up
from tests.clock import MovableClock
from tests.store import steps
from tests.store.filled import FREE, NOW, absorb, accept, claimed, crash_notification, owed

CREATE = Plan(action=Action.CREATE, reason="the group has no issue yet")


one_machine = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
def due_times(store: Store, clock: MovableClock) -> DueTimes:
    times = DueTimes(store.connection, clock)
    times.follow_clock()
    return times


def later(store: Store) -> None:
    """A group that is due in a minute, and a silence of half a minute."""
    owed(store)
    steps.postpone(store, claimed(store), CREATE, "later", NOW + 60, 1, NOW)
    steps.silence(store, FREE, "slow down", NOW + 30, NOW)


def waits(store: Store, now: float) -> tuple[float, float]:
    """The seconds until the group is due, and until the tracker may be called."""
    due = min(store.read(partial(outbox.next_due, tracker="here")).values())
    return due - now, min(steps.opens(store, FREE, now).values()) - now


@one_machine
def test_waits_keep_their_length_when_the_clock_is_set_back(
    store: Store, due_times: DueTimes, clock: MovableClock
) -> None:
    later(store)
    clock.set_back(3600)
    due_times.follow_clock()
    due_times.follow_clock()

    assert waits(store, clock.wall()) == (60, 30)


@one_machine
def test_a_backup_in_place_of_the_store_is_moved_by_what_the_clock_was_set_since(
    store: Store, due_times: DueTimes, clock: MovableClock, settings: StoreSettings, tmp_path: Path
) -> None:
    later(store)
    back_up(settings.path, tmp_path / "backup.db")
    clock.set_back(3600)
    due_times.follow_clock()
    for end in ("-wal", "-shm"):
        settings.path.with_name(f"{settings.path.name}{end}").unlink(missing_ok=True)
    (tmp_path / "backup.db").replace(settings.path)
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        accept(store, crash_notification("f2"))
    accept(store, crash_notification("f2"))

    assert waits(store, clock.wall()) == (60, 30)


@one_machine
def test_another_process_of_the_machine_does_not_shift_them_again(
    store: Store, due_times: DueTimes, clock: MovableClock
) -> None:
    later(store)
    clock.set_back(3600)
    due_times.follow_clock()

    DueTimes(store.connection, clock).follow_clock()
    assert waits(store, clock.wall()) == (60, 30)


@one_machine
@pytest.mark.parametrize("seconds", [-86400.0, 86400.0])
def test_times_that_a_process_with_another_clock_moved_are_moved_back(
    store: Store, due_times: DueTimes, clock: MovableClock, seconds: float
) -> None:
    later(store)
    DueTimes(store.connection, MovableClock(NOW - seconds)).follow_clock()
    store.connection.first = due_times._first
    clock.advance(BELIEVED_SECONDS)
    due_times.follow_clock()

    assert waits(store, clock.wall()) == (60 - BELIEVED_SECONDS, 30 - BELIEVED_SECONDS)


@one_machine
@pytest.mark.parametrize("seconds", [-86400.0, -3600.0, -6.0, 6.0])
def test_waits_keep_their_length_when_the_clock_is_set_forward_and_back(
    store: Store, due_times: DueTimes, clock: MovableClock, seconds: float
) -> None:
    later(store)
    clock.set_back(seconds)
    due_times.follow_clock()
    assert waits(store, clock.wall()) == (60, 30)
    clock.advance(10)
    clock.set_back(-seconds)
    due_times.follow_clock()

    assert waits(store, clock.wall()) == (50, 20)


@one_machine
@pytest.mark.parametrize("seconds", [-4.0, 4.0])
def test_a_clock_that_is_set_a_little_shifts_nothing(
    store: Store, due_times: DueTimes, clock: MovableClock, seconds: float
) -> None:
    later(store)
    clock.set_back(seconds)
    due_times.follow_clock()

    assert waits(store, NOW) == (60, 30)


@one_machine
def test_every_column_with_a_time_moves_or_says_why_it_does_not(store: Store, settings: StoreSettings) -> None:
    database = sqlite3.connect(settings.path)
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    times = {
        f"{table}.{column[1]}"
        for table in tables
        for column in database.execute(f"PRAGMA table_info({table})")
        if column[2] == "DOUBLE PRECISION"
    }
    moved = set()
    for name in (*SPANS, *MOMENTS):
        query = queries.load("sqlite")[name]
        table = query.split()[1]
        moved |= {f"{table}.{column}" for column in re.findall(r"(\w+) = CASE WHEN \1 ", query)}

    assert moved.isdisjoint(NOT_MOVED)
    assert times - {"budgets.tokens", "instances.folds"} == moved | set(NOT_MOVED)


@one_machine
def test_what_was_received_while_the_clock_was_ahead_moves_back_and_nothing_else_does(
    store: Store, due_times: DueTimes, clock: MovableClock
) -> None:
    def receive(fingerprint: str) -> None:
        accept(store, crash_notification(fingerprint), at=clock.advance(60))
        absorb(store, clock.advance(60))

    receive("before")
    for step in (-18000.0, 18000.0):
        clock.set_back(step)
        due_times.follow_clock()
        receive(f"after {step:.0f}")

    rows = store.read(lambda transaction: transaction.rows("all_groups", size=10))
    trails = {str(row["fingerprint"]): json.loads(str(row["trail"]))[0][0] - NOW for row in rows}
    assert trails == {"before": 60, "after -18000": 180, "after 18000": 300}


@one_machine
def test_a_group_that_was_folded_before_the_clock_was_set_goes_on_with_the_times_that_moved(
    store: Store, due_times: DueTimes, clock: MovableClock
) -> None:
    clock.set_back(-18000)
    due_times.follow_clock()
    for occurrences, step in ((3, 0), (4, 18000), (5, 0)):
        clock.set_back(step)
        due_times.follow_clock()
        accept(store, crash_notification(occurrences=occurrences), at=clock.advance(60))
        absorb(store, clock.advance(60))

    (view,) = store.report.groups()
    assert [point.at - NOW for point in view.group.trail] == [60, 180, 300]
    assert {row.noticed_at for row in view.group.releases} == {NOW + 60}


@one_machine
def test_what_was_received_between_a_boot_and_the_first_answer_of_a_time_server_moves_forward(
    store: Store, clock: MovableClock
) -> None:
    accept(store, crash_notification("of the boot before"), at=NOW - 1000)
    absorb(store, NOW - 1000)
    clock.set_back(18000)
    clock.uptime = 20.0
    due_times = DueTimes(store.connection, clock)
    due_times.follow_clock()
    accept(store, crash_notification("of this boot"), at=clock.advance(10))
    absorb(store, clock.wall())
    clock.set_back(-18000)
    due_times.follow_clock()

    rows = store.read(lambda transaction: transaction.rows("all_groups", size=10))
    trails = {str(row["fingerprint"]): json.loads(str(row["trail"]))[0][0] - NOW for row in rows}
    assert trails == {"of the boot before": -1000, "of this boot": 10}


@one_machine
def test_time_that_passes_shifts_nothing(store: Store, due_times: DueTimes, clock: MovableClock) -> None:
    owed(store)

    clock.advance(86400)
    due_times.follow_clock()
    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW


@one_machine
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
    times.follow_clock()
    shifted.shift = -3600.0
    with pytest.raises(StoreUnavailable, match="clock"):
        times.follow_clock()
    shifted.shift = 0.0
    times.follow_clock()
