"""Moving a store to a server: everything arrives, nothing is filed twice, and nothing is kept in the file afterwards."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from syncd.errors import RejectedDelivery, StoreUnavailable
from syncd.model import Created
from syncd.operate import actions
from syncd.store import Store, bring_up, move_store, open_store, probe, read_store
from syncd.store.audit import Filter
from syncd.store.issues import Intent
from syncd.store.move import TABLES
from syncd.store.quarantine import Bound
from syncd.store.sqlite.file import sqlite3
from tests.postgres import Databases
from tests.store import steps
from tests.store.filled import NOW, absorb, accept, claimed, crash_notification, owed
from tests.store.raw import ask, change


def silent(what: str, done: int, whole: int) -> None:
    assert done <= whole, what


@pytest.fixture
def target(servers: Databases) -> StoreSettings:
    return StoreSettings(url=servers.new(empty=True))


@pytest.fixture
def source(tmp_path: Path) -> StoreSettings:
    return StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")


@pytest.fixture
def running(source: StoreSettings) -> Iterator[Store]:
    """A store with a linked issue, an intent, something held, something in the inbox and in the quarantine, open in a daemon."""
    store = open_store(source)
    owed(store, "f1", "f2", "f3")
    linked, intended = claimed(store, "old/0"), claimed(store, "old/1")
    for claim in (linked, intended):
        steps.intend(store, claim, Intent(marker=f"m{claim.group_id}", revision=1), NOW)
    steps.link(store, linked, Created(remote_id="7", key="K-7", url="https://example.com/7", number=7), NOW)
    accept(
        store,
        crash_notification("held", project="unrouted"),
        crash_notification("odd", application="a\x00b", callstack=["✓ \U0001f480"]),
    )
    absorb(store)
    accept(store, crash_notification("waiting"))
    store.instance_key()
    yield store
    store.close()


def test_every_table_is_copied(source: StoreSettings) -> None:
    bring_up(source)
    tables = {str(name) for (name,) in ask(source, "SELECT name FROM sqlite_master WHERE type = 'table'")}

    assert set(TABLES) == tables - {"schema_migrations", "instances", "sqlite_sequence"}


def test_all_that_was_known_is_known_on_the_server(
    running: Store, source: StoreSettings, target: StoreSettings
) -> None:
    running.acting("console:operator").limits.pause_by_hand("here", "moving", NOW)
    before = running.report.groups(), running.report.counts(NOW), running.instance_key()
    counts = move_store(source, target, silent, "cli:alice")

    moved = open_store(target)
    entries = moved.audit.entries(Filter(), 10)
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("cli:alice", "migrate-store"),
        ("console:operator", "pause"),
    ]
    assert moved.audit.entries(Filter(actor="alice", subject="STO", since=1.0), 10) == entries[:1]
    assert (moved.report.groups(), moved.report.counts(NOW), moved.instance_key()) == before
    assert counts["groups"] == 5
    numbers = accept(moved, crash_notification("f9"))
    assert numbers > [kept.id for kept in moved.inbox.waiting(10)][:1], "no number is given twice"
    absorb(moved)
    assert moved.report.how_many() == 7
    moved.close()


def test_nothing_is_kept_in_the_file_any_more(running: Store, source: StoreSettings, target: StoreSettings) -> None:
    move_store(source, target, silent)

    with pytest.raises(StoreUnavailable, match="was moved to postgresql://"):
        accept(running, crash_notification("late"))
    assert "set store.url" in str(running.connection.fault)
    with pytest.raises(StoreUnavailable, match="was moved to"):
        running.outbox.claim("here", "old/2", NOW)
    for refuse in (open_store, read_store, probe):
        with pytest.raises(StoreUnavailable, match="was moved to"):
            refuse(source)


# What people, senders and the daemon itself do that touches neither the inbox nor the outbox.
WRITES: dict[str, Callable[[Store], object]] = {
    "a body for the quarantine": lambda store: store.quarantine.add(
        b"{", NOW, RejectedDelivery(400, "not_json", "The body is not JSON."), Bound(10, 2**20)
    ).result(),
    "a hold": lambda store: actions.hold(store, 1, "an operator holds it", NOW),
    "a pause of a route": lambda store: store.limits.pause_route("all", "maintenance", NOW),
    "a pause of a tracker": lambda store: store.limits.pause_by_hand("here", "maintenance", NOW),
    "a fact about a tracker": lambda store: store.notebook("here").note("survey_since", "1.0"),
    "a process that joins": lambda store: store.join("worker", NOW),
    "a probe of the store": lambda store: store.connection.execute("set", name="store.probe", value="1"),
}


@pytest.mark.parametrize("write", [pytest.param(write, id=name) for name, write in WRITES.items()])
def test_no_write_to_a_moved_store_is_acknowledged(
    write: Callable[[Store], object], running: Store, source: StoreSettings, target: StoreSettings
) -> None:
    move_store(source, target, silent)

    with pytest.raises(StoreUnavailable, match="was moved to postgresql://"):
        write(running)


def test_every_table_of_a_moved_store_refuses_every_change(
    running: Store, source: StoreSettings, target: StoreSettings
) -> None:
    here = running.join("all", NOW)
    move_store(source, target, silent)

    for (table,) in ask(source, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        column = ask(source, f"SELECT name FROM pragma_table_info('{table}')")[0][0]
        with pytest.raises(sqlite3.IntegrityError, match="was moved to"):
            ask(source, f"INSERT INTO {table} DEFAULT VALUES")
        if ask(source, f"SELECT 1 FROM {table}"):
            for change in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
                with pytest.raises(sqlite3.IntegrityError, match="was moved to"):
                    ask(source, change)
    with pytest.raises(StoreUnavailable, match="was moved to"):
        here.close()


def test_an_intent_of_the_old_daemon_is_in_doubt_and_not_sent_again(
    running: Store, source: StoreSettings, target: StoreSettings
) -> None:
    move_store(source, target, silent)
    moved = open_store(target)
    here = moved.join("worker", NOW)
    moved.outbox.take_over(partial(here.judge, now=NOW), NOW)

    counts = moved.report.counts(NOW)
    assert (counts.linked, counts.in_doubt) == (1, 1)
    here.close()
    moved.close()


def test_a_target_in_use_is_refused_and_stays_as_it_is(
    running: Store, source: StoreSettings, target: StoreSettings
) -> None:
    target_store = open_store(target)
    accept(target_store, crash_notification("theirs"))
    with pytest.raises(StoreUnavailable, match="is not empty: it has rows in deliveries"):
        move_store(source, target, silent)

    assert [kept.body for kept in target_store.inbox.waiting(10)]
    accept(running, crash_notification("goes on"))
    target_store.close()


def test_a_copy_that_no_daemon_used_is_made_anew(running: Store, source: StoreSettings, target: StoreSettings) -> None:
    first = move_store(source, target, silent)
    assert move_store(source, target, silent) == first

    moved = open_store(target)
    moved.join("all", NOW).close()
    moved.close()
    with pytest.raises(StoreUnavailable, match="is not empty"):
        move_store(source, target, silent)


def test_an_interrupted_copy_has_not_happened(running: Store, source: StoreSettings, target: StoreSettings) -> None:
    def interrupt(what: str, done: int, whole: int) -> None:
        if what == "done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move_store(source, target, interrupt)
    accept(running, crash_notification("meanwhile"))
    move_store(source, target, silent)
    moved = open_store(target)
    assert moved.report.counts(NOW).inbox_waiting == 2
    moved.close()


def test_rows_that_did_not_arrive_as_they_were_are_noticed(
    running: Store, source: StoreSettings, target: StoreSettings
) -> None:
    bring_up(target)
    change(
        target,
        "CREATE FUNCTION forge() RETURNS trigger AS $$ BEGIN NEW.occurrences := 1; RETURN NEW; END $$ LANGUAGE plpgsql",
    )
    change(target, "CREATE TRIGGER t BEFORE INSERT ON groups FOR EACH ROW EXECUTE FUNCTION forge()")

    with pytest.raises(StoreUnavailable, match="rows of groups are not the same"):
        move_store(source, target, silent)
    accept(running, crash_notification("goes on"))
    assert ask(target, "SELECT 1 FROM groups") == []


def test_killed_while_it_copies_it_can_be_run_again(source: StoreSettings, target: StoreSettings) -> None:
    store = open_store(source)
    accept(store, *(crash_notification(f"f{number}") for number in range(3000)))
    command = [sys.executable, "-m", "syncd", "migrate-store", "--from", source.url, "--to", target.url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not _copying(target):
        assert time.monotonic() < deadline
        assert process.poll() is None
    process.kill()
    process.communicate()

    accept(store, crash_notification("meanwhile"))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "3,001 deliveries" in done.stdout
    store.close()


def _copying(target: StoreSettings) -> bool:
    return bool(
        ask(target, "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND locktype = 'relation' AND granted")
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--from", "postgresql://h/d", "--to", "postgresql://h/e"], "from sqlite:"),
        (["--from", "sqlite:a.db", "--to", "mysql://u:hunter2@h/d"], "--to: 'mysql://…' is not a store"),
        (["--from", "sqlite:a.db", "--to", "postgresql://u:hunter2@h/d"], "store.password = "),
        (["--from", "sqlite:missing.db", "--to", "postgresql://127.0.0.1:1/d"], "there is no such file"),
    ],
)
def test_a_refused_move_names_the_remedy(options: list[str], why: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "syncd", "migrate-store", *options], capture_output=True, text=True, cwd=tmp_path
    )

    assert done.returncode in (1, 2)
    assert why in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
