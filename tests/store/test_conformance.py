"""The conformance suite of the databases: each test is a guarantee of the Connection seam, of the schema, or between two processes on one
store, and runs on SQLite and PostgreSQL from one body. The other tests of this folder do the same for the operations above the seam."""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
import pytest

from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.core import budget
from syncd.core.budget import Allowance, Limit
from syncd.errors import LeaseLost, SchemaMismatch, StoreUnavailable
from syncd.model import Call, Created
from syncd.platform.clock import Clock
from syncd.store import Store, bring_up, limits, open_store, probe, read_store
from syncd.store.connection import Transaction
from syncd.store.issues import Intent
from syncd.store.migrate import migrate, steps
from syncd.store.outbox import Claim
from syncd.store.queries import MAX_ROWS
from syncd.store.sqlite.file import sqlite3
from syncd.worker import create
from syncd.worker.routing import Routing
from syncd.worker.sync import load
from tests.clock import MovableClock
from tests.postgres import Databases
from tests.scene import Tracker
from tests.store import steps as store_steps
from tests.store.conformance import DONE, MANY, at_once
from tests.store.filled import NOW, absorb, accept, claimed, crash_notification, owed
from tests.store.raw import ask, change


def put(transaction: Transaction, name: str, value: str) -> None:
    transaction.run("set", name=name, value=value)


def value(store: Store, name: str) -> object:
    rows = store.connection.select("setting", name=name)
    return rows[0]["value"] if rows else None


# The Connection seam.


def test_a_write_is_visible_to_another_process_when_it_returns(store: Store, another: Store) -> None:
    store.write(lambda transaction: put(transaction, "a", "1"))

    assert value(another, "a") == "1"


def test_a_write_that_raises_leaves_nothing_and_the_store_healthy(store: Store) -> None:
    def write(transaction: Transaction) -> None:
        put(transaction, "a", "1")
        raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="the caller's own"):
        store.write(write)
    assert value(store, "a") is None
    assert store.connection.fault is None


def test_a_violated_constraint_is_the_callers_error_and_no_fault(store: Store) -> None:
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        store.write(lambda transaction: transaction.batch("owe", [(10**6, "here", NOW, Call.CREATE, None)]))
    assert store.connection.fault is None
    store.write(lambda transaction: put(transaction, "a", "1"))


def test_a_submitted_operation_that_fails_is_undone_alone(store: Store) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def first(transaction: Transaction) -> None:
        entered.set()
        assert go_on.wait(30)
        put(transaction, "first", "1")

    def failing(transaction: Transaction) -> None:
        put(transaction, "failing", "1")
        raise ValueError("the caller's own")

    futures = [store.connection.submit(first)]
    assert entered.wait(30)
    futures += [
        store.connection.submit(failing),
        store.connection.submit(lambda transaction: put(transaction, "last", "1")),
    ]
    go_on.set()
    assert futures[0].result(30) is None
    with pytest.raises(ValueError, match="the caller's own"):
        futures[1].result(30)
    assert futures[2].result(30) is None
    assert [value(store, name) for name in ("first", "failing", "last")] == ["1", None, "1"]


def test_a_future_is_done_only_after_the_commit(store: Store, another: Store) -> None:
    for number in range(20):
        store.connection.submit(partial(put, name="a", value=str(number))).result(30)
        assert value(another, "a") == str(number)


@pytest.mark.parametrize("rows", [0, 1, MAX_ROWS, MAX_ROWS + 1, 3 * MAX_ROWS])
@pytest.mark.parametrize("atomic", [False, True])
def test_added_rows_are_numbered_in_their_order(store: Store, rows: int, atomic: bool) -> None:
    bodies = [(NOW + number, f"{number}".encode(), None, None, None, None) for number in range(rows)]
    atomic = atomic and rows <= MAX_ROWS

    numbers = store.connection.submit(lambda transaction: transaction.add("accept", bodies), atomic=atomic).result(60)

    assert numbers == sorted(set(numbers))
    times = {row["id"]: row["received_at"] for row in store.connection.select("waiting_until", last=10**9)}
    assert [times[number] for number in numbers] == [received_at for received_at, *_ in bodies]


def test_a_batch_returns_the_rows_of_all_its_statements_and_without_rows_nothing_runs(store: Store) -> None:
    identities = [("acme", "game", f"f{number}", f"f{number}") for number in range(2 * MAX_ROWS + 1)]

    rows = store.write(lambda transaction: transaction.batch("new_groups", identities))

    assert len({row["id"] for row in rows}) == len(identities)
    assert store.write(lambda transaction: transaction.batch("new_groups", [])) == []


def test_a_read_is_one_consistent_view(store: Store, another: Store) -> None:
    store.write(lambda transaction: put(transaction, "a", "before"))

    def read(transaction: Transaction) -> list[object]:
        first = transaction.rows("setting", name="a")[0]["value"]
        another.write(lambda meanwhile: put(meanwhile, "a", "after"))
        return [first, transaction.rows("setting", name="a")[0]["value"]]

    assert store.read(read) == ["before", "before"]
    assert value(store, "a") == "after"


def test_a_read_may_not_write(store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        store.read(lambda transaction: put(transaction, "a", "1"))
    assert value(store, "a") is None


def increment(transaction: Transaction, *, lock: str | None = None) -> None:
    if lock is not None:
        transaction.lock(lock)
    number = int(str(transaction.rows("setting", name="number")[0]["value"]))
    put(transaction, "number", str(number + 1))


@pytest.mark.parametrize("exclusive", [True, False])
def test_no_increment_is_lost_between_two_processes(store: Store, another: Store, exclusive: bool) -> None:
    store.write(lambda transaction: put(transaction, "number", "0"))
    operation = partial(increment, lock=None if exclusive else "number")

    at_once(*(partial(which.write, operation, exclusive=exclusive) for which in [store, another] * 10))

    assert value(store, "number") == "20"


def test_a_closed_store_accepts_nothing(store: Store) -> None:
    store.write(lambda transaction: put(transaction, "a", "1"))
    store.close()

    with pytest.raises(StoreUnavailable):
        store.connection.submit(lambda transaction: put(transaction, "a", "2")).result(30)


def test_the_size_of_the_database_is_known(store: Store) -> None:
    assert store.connection.room().taken > 0


def test_a_probe_commits(store: Store, settings: StoreSettings) -> None:
    probe(settings)

    assert value(store, "store.probe") is not None


@pytest.mark.parametrize("text", ["", "Ünïcode \U0001f4a5", "a'b\"c%s?:x", "line\nline", "\u202e"])
def test_text_is_stored_as_it_is(store: Store, text: str) -> None:
    store.write(lambda transaction: put(transaction, "a", text))

    assert value(store, "a") == text


def test_bodies_and_times_are_stored_exactly(store: Store) -> None:
    body, received_at = bytes(range(256)) * 5, NOW + 1 / 3
    store.write(lambda transaction: transaction.add("accept", [(received_at, body, None, None, None, None)]))

    (row,) = store.connection.select("waiting_until", last=10**9)
    assert (bytes(row["body"]), row["received_at"]) == (body, received_at)  # type: ignore[call-overload]


# Two processes on one store.


def test_no_group_is_claimed_twice_and_none_is_left(store: Store, another: Store) -> None:
    owed(store, *MANY)

    taken: list[int] = []

    def drain(which: Store, owner: str) -> None:
        for number in count():
            claim = which.outbox.claim("here", f"{owner}/{number}", NOW)
            if claim is None:
                return
            taken.append(claim.group_id)

    at_once(*(partial(drain, which, f"w{number}") for number, which in enumerate([store, another] * 3)))
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == len(MANY)


def test_deliveries_that_are_absorbed_by_two_at_once_count_once(store: Store, another: Store) -> None:
    for round_ in range(10):
        accept(
            store,
            *(crash_notification(name, occurrences=3 + round_, timestamp=[1000, 2000 + round_]) for name in MANY[:20]),
        )
        at_once(partial(absorb, store), partial(absorb, another), partial(absorb, store))

    groups = [standing.group for standing in store.report.groups()]
    assert {group.notifications for group in groups} == {10}
    assert len(groups) == 20
    assert {group.occurrences for group in groups} == {12}


def test_two_processes_together_spend_no_more_than_a_credentials_budget(store: Store, another: Store) -> None:
    limit = Limit(count=35, seconds=3600.0)
    allowance = Allowance(credential="here", limits=[limit])
    waits = at_once(*(partial(store_steps.take, each, allowance, Call.UPDATE, NOW) for each in [store, another] * 10))
    assert waits.count(0.0) == budget.burst(limit) == 7


def test_two_processes_together_file_no_more_than_a_routes_limit(store: Store, another: Store) -> None:
    owed(store, *MANY[:20])
    claims = [claimed(store, f"one/{number}") for number in range(20)]
    routes = [Route(tracker="here", max_new_issues=[Limit(count=5, seconds=3600.0)], gather=0.0)]
    config = Config(
        store=StoreSettings(), trackers={"here": LocalSettings(kind="local", folder="unused")}, routes=routes
    )
    routing, clock = Routing(config=config, instance_key="00"), MovableClock(NOW)

    def intend(claim: Claim, each: Store) -> object:
        context = load(each, Tracker(), claim, routing, clock)
        return create.intend(context, Intent(marker=f"m{claim.group_id}", revision=1, route="route-1"), None)

    obstacles = at_once(*(partial(intend, *pair) for pair in zip(claims, [store, another] * 10, strict=True)))
    assert obstacles.count(None) == 5


def test_a_tracker_that_rested_is_tried_by_one_alone(store: Store, another: Store) -> None:
    owed(store, *MANY[:20])
    claimed(store, "first/0")
    store.write(
        partial(limits.pause, tracker="here", reason="no such token", until=NOW + 10, cause="misconfigured", attempts=1)
    )
    later = NOW + 11

    pairs = enumerate([store, another] * 4)
    claims = at_once(*(partial(which.outbox.claim, "here", f"w/{number}", later) for number, which in pairs))
    assert [claim.trial for claim in claims if isinstance(claim, Claim)] == [True]


def test_an_owner_that_lost_its_lease_writes_nothing(store: Store, another: Store) -> None:
    owed(store)
    late = claimed(store)
    after = NOW + 1000
    second = another.outbox.claim("here", "two/0", after)
    assert second is not None

    with pytest.raises(LeaseLost):
        store_steps.intend(store, late, Intent(marker="m", revision=1), after)
    with pytest.raises(LeaseLost):
        store_steps.settle(store, late, DONE, None, 1, after, after)
    assert store_steps.load(another, second)[1] is None
    store_steps.intend(another, second, Intent(marker="m", revision=1), after)
    store_steps.link(another, second, Created(remote_id="7", key="K-7", url="https://example.com/7", number=7), after)


# The schema.


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    """A place for a store without a schema."""
    if request.param == "sqlite":
        return StoreSettings(url=f"sqlite:{tmp_path}/new/syncd.db")
    databases: Databases = request.getfixturevalue("servers")
    return StoreSettings(url=databases.new(empty=True))


def apply(settings: StoreSettings, required: Sequence[tuple[str, str]]) -> list[str]:
    if settings.dialect == "sqlite":
        return migrate(settings.path, Clock(), required)
    from syncd.store.postgresql import server

    return server.apply(settings, Clock(), required)


def test_an_empty_place_becomes_a_store_and_a_second_migration_has_nothing_to_do(empty: StoreSettings) -> None:
    assert bring_up(empty) == [name for name, _ in steps(empty.dialect)]
    assert bring_up(empty) == []
    read_store(empty).close()


@pytest.mark.slow
def test_processes_that_start_at_once_do_not_clash(empty: StoreSettings) -> None:
    program = (
        "import sys; from syncd.config import StoreSettings; from syncd.store import open_store; sys.stdin.read();"
        "open_store(StoreSettings(url=sys.argv[1])).close()"
    )
    racing = [
        subprocess.Popen([sys.executable, "-c", program, empty.url], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(6)
    ]

    for process in racing:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None  # communicate() would close them one after the other
    assert [process.communicate()[1].decode() for process in racing] == [""] * 6
    assert len(ask(empty, "SELECT 1 FROM schema_migrations")) == len(steps(empty.dialect))


@pytest.mark.parametrize("open_", [bring_up, read_store, open_store])
def test_a_newer_schema_is_refused_and_both_steps_are_named(
    empty: StoreSettings, open_: Callable[[StoreSettings], object]
) -> None:
    bring_up(empty)
    change(empty, "INSERT INTO schema_migrations VALUES ('9999_future', 'x', 0)")

    with pytest.raises(SchemaMismatch, match=rf"9999_future.*{steps(empty.dialect)[-1][0]}"):
        open_(empty)


def test_a_step_with_another_text_is_refused(empty: StoreSettings) -> None:
    bring_up(empty)
    change(empty, "UPDATE schema_migrations SET sha256 = 'other'")

    with pytest.raises(SchemaMismatch, match="another text"):
        bring_up(empty)


def test_a_store_without_the_schema_is_not_read_and_the_remedy_is_named(empty: StoreSettings) -> None:
    if empty.dialect == "sqlite":
        empty.path.parent.mkdir()
        empty.path.touch()

    with pytest.raises(SchemaMismatch, match="syncd migrate"):
        read_store(empty)


def test_a_step_that_fails_leaves_nothing_behind(empty: StoreSettings) -> None:
    broken = [*steps(empty.dialect), ("9000_broken", "CREATE TABLE half (x INTEGER); CREATE TABLE half (x INTEGER);")]

    with pytest.raises(StoreUnavailable, match="half"):
        apply(empty, broken)
    assert set(bring_up(empty)) == {name for name, _ in steps(empty.dialect)}
