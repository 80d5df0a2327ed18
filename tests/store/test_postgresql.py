"""What only several processes on one server can get wrong: lost updates, unknown commits, a server that goes away."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest

from syncd.config import StoreSettings
from syncd.core.budget import HORIZON_SECONDS
from syncd.errors import StoreUnavailable
from syncd.model import Call, IssueState
from syncd.store import Store, open_store, outbox
from syncd.store.connection import Transaction
from syncd.store.hints import INBOX
from syncd.store.instances import DEAD_SECONDS, Registration, running
from syncd.store.issues import Intent
from syncd.store.outbox import LEASE_SECONDS
from syncd.store.postgresql.hints import CHECK_SECONDS, LEADER
from tests import postgres
from tests.fakes.wire import Wire
from tests.postgres import Databases, Server
from tests.store import steps
from tests.store.conformance import DONE, MANY, at_once
from tests.store.filled import ANY_GROUP, NOW, absorb, accept, claimed, crash_notification, owed
from tests.store.raw import ask, change


@pytest.fixture
def settings(servers: Databases) -> StoreSettings:
    return StoreSettings(url=servers.new())


def accepted(store: Store, fingerprint: str) -> bool:
    try:
        return bool(accept(store, crash_notification(fingerprint)))
    except StoreUnavailable:
        return False


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_group_that_changes_while_it_is_settled_is_due_again(
    store: Store, another: Store, settings: StoreSettings
) -> None:
    """Whichever comes first: the group is owed a call for the new number, and nobody waits in a circle."""
    names = MANY[:12]
    owed(store, *names)
    for round_ in range(6):
        claims = [claimed(store, f"one/{round_}-{number}", NOW + round_) for number in range(len(names))]
        revisions = [steps.load(store, claim)[0].revision for claim in claims]
        accept(
            another,
            *(crash_notification(name, occurrences=10 + round_, timestamp=[1000, 3000 + round_]) for name in names),
        )
        settling = [
            partial(steps.settle, store, claim, DONE, None, revision, NOW, NOW)
            for claim, revision in zip(claims, revisions, strict=True)
        ]
        at_once(*settling, partial(absorb, another))
        assert len(ask(settings, "SELECT 1 FROM outbox WHERE due_at = ? AND state = 'waiting'", NOW)) == len(names)
    store.close()
    another.close()  # a session tells of its deadlocks as it ends
    until(
        lambda: (
            not ask(
                settings,
                "SELECT 1 FROM pg_stat_activity WHERE application_name = 'syncd' AND datname = current_database()",
            )
        )
    )
    assert ask(settings, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [(0,)]


def test_a_hint_reaches_the_other_process_and_one_of_them_leads(store: Store, another: Store) -> None:
    heard: dict[str, list[str]] = {"one": [], "two": []}
    store.hints.listen(heard["one"].append)
    until(lambda: store.hints.leads)
    another.hints.listen(heard["two"].append)

    def told_both() -> bool:
        another.hints.send("tracker here")  # one that begins to listen does not hear what was said before
        return all("tracker here" in line for line in heard.values())

    until(told_both)
    assert not another.hints.leads

    store.hints.close()
    until(lambda: another.hints.leads)
    assert INBOX in heard["two"], "whoever leads from now on must look at once"


def test_a_stopped_process_does_not_lead_for_ever(
    settings: StoreSettings, store: Store, another: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(settings.url, autocommit=True) as stopped:
        stopped.execute("SELECT pg_advisory_lock(%s)", [LEADER])
        store.hints.listen(lambda topic: None)
        time.sleep(2 * CHECK_SECONDS)
        too_early = store.hints.leads

        monkeypatch.setattr("syncd.store.postgresql.hints.QUIET_SECONDS", 2 * CHECK_SECONDS)
        until(lambda: store.hints.leads)
        assert not too_early

    another.hints.listen(lambda topic: None)
    time.sleep(4 * CHECK_SECONDS)
    assert store.hints.leads, "a holder that is alive keeps the lock"
    assert not another.hints.leads


def judged(store: Store, registration: Registration, now: float) -> Callable[[str], bool]:
    return store.read(partial(registration.judge, now=now))


def test_a_process_of_another_machine_is_dead_only_after_any_lease(
    settings: StoreSettings, store: Store, another: Store
) -> None:
    here, there = store.join("worker", NOW), another.join("worker", NOW)
    assert not judged(store, here, NOW)(f"{there.owner}/here-0")
    assert judged(store, here, NOW)("somebody-who-left/here-0")

    change(settings, "UPDATE instances SET machine = 'elsewhere' WHERE owner = ?", there.owner)
    assert not judged(store, here, NOW + DEAD_SECONDS - 1)(there.owner)
    assert judged(store, here, NOW + DEAD_SECONDS + 1)(there.owner)
    assert [process.lives for process in running(store.connection, NOW + DEAD_SECONDS - 1)] == [True, True]
    lives = {process.owner: process.lives for process in running(store.connection, NOW + DEAD_SECONDS + 1)}
    assert lives == {here.owner: True, there.owner: False}

    change(
        settings,
        "UPDATE instances SET machine = (SELECT machine FROM instances WHERE owner = ?), pid = 999999999",
        here.owner,
    )
    assert judged(store, here, NOW)(there.owner), "on this machine the kernel tells"
    store.outbox.take_over(partial(here.judge, now=NOW), NOW)
    assert [process.owner for process in running(store.connection, NOW)] == [here.owner]
    there.beat(NOW)
    assert len(running(store.connection, NOW)) == 2, "who was taken for dead comes back"
    there.close()
    here.close()
    assert running(store.connection, NOW) == []


def test_a_process_that_starts_while_a_take_over_waits_keeps_what_it_claims(
    settings: StoreSettings, store: Store, another: Store
) -> None:
    owed(store, "f1", "f2")
    claimed(store, "somebody-who-left/here-0")
    here, there = store.join("worker", NOW), another.join("worker", NOW)
    line = ask(settings, "DELETE FROM instances WHERE owner = ? RETURNING *", there.owner)[0]
    owner = f"{there.owner}/here-0"
    begun, may_commit = threading.Event(), threading.Event()

    def start(transaction: Transaction) -> None:
        names = ("owner", "host", "machine", "pid", "begun", "part", "version", "started_at", "beat_at")
        transaction.run("beat", routes=None, folds=0.0, **dict(zip(names, line, strict=False)))
        lease = {"now": NOW, "leased_until": NOW + LEASE_SECONDS, "horizon": NOW + HORIZON_SECONDS}
        assert transaction.rows("claim_group", tracker="here", rank=Call.CREATE, owner=owner, **lease)
        begun.set()
        may_commit.wait(30)

    with ThreadPoolExecutor() as pool:
        starting = pool.submit(another.write, start, exclusive=False)
        begun.wait(30)
        taking_over = pool.submit(store.outbox.take_over, partial(here.judge, now=NOW), NOW)
        until(lambda: bool(ask(settings, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")))
        may_commit.set()
        starting.result()
        assert taking_over.result() == ["somebody-who-left/here-0"]

    assert store.read(partial(outbox.held, owner=owner)) is not None
    there.close()
    here.close()


def test_where_processes_are_hidden_only_the_beat_tells(
    store: Store, another: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As under ProtectProc=invisible: the number of a process that lives leads nowhere."""
    there = another.join("worker", NOW)
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text(Path("/proc/sys/kernel/random/boot_id").read_text())
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to(Path("/proc/self/ns/pid").readlink())
    monkeypatch.setattr("syncd.store.instances._PROC", tmp_path)
    here = store.join("worker", NOW)

    assert not judged(store, here, NOW)(there.owner)
    assert judged(store, here, NOW + DEAD_SECONDS + 1)(there.owner)
    there.close()
    here.close()


def test_groups_of_a_dead_process_are_free_and_their_creates_in_doubt(store: Store, another: Store) -> None:
    owed(store, "f1", "f2")
    here = store.join("worker", NOW)
    for number in range(2):
        claim = claimed(another, f"gone/{number}")
        if number:
            steps.intend(another, claim, Intent(marker="m", revision=1), NOW)

    assert sorted(store.outbox.take_over(partial(here.judge, now=NOW), NOW)) == ["gone/0", "gone/1"]
    assert store.report.counts(NOW).in_doubt == 1
    assert store.read(partial(outbox.next_due, tracker="here")) == {Call.CREATE: NOW, Call.PROBE: NOW}


def test_no_character_of_a_tracker_breaks_a_note(store: Store) -> None:
    store.notebook("here").note("home", "a\x00b")

    assert store.notebook("here").recall("home") == "ab"


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that may be stopped."""
    with postgres.server() as running:
        yield running


@pytest.fixture
def place(own: Server) -> StoreSettings:
    return StoreSettings(url=Databases(own.url("postgres")).new())


def test_an_unknown_commit_is_not_acknowledged_and_sent_again_counts_once(own: Server, place: StoreSettings) -> None:
    with Wire(own.port) as wire:
        store = open_store(StoreSettings(url=wire.url(place.url)))
        wire.marked = b"INSERT INTO deliveries"
        for when, kept in (("before", 0), ("after", 1)):
            wire.cut[when] = 1
            body = crash_notification(when)
            with pytest.raises(StoreUnavailable, match="broke during a commit"):
                accept(store, body)
            assert store.report.counts(NOW).inbox_waiting == kept
            accept(store, body)
            absorb(store)
        groups = {standing.group.identity.fingerprint: standing.group for standing in store.report.groups()}
        assert {name: group.occurrences for name, group in groups.items()} == {"before": 3, "after": 3}
        assert wire.was_cut == {"before": 1, "after": 1}
        store.close()


def test_an_intent_whose_commit_is_unknown_sends_nothing_and_is_in_doubt(own: Server, place: StoreSettings) -> None:
    with Wire(own.port) as wire:
        store = open_store(StoreSettings(url=wire.url(place.url)))
        owed(store)
        claim = claimed(store)
        wire.marked = b"intended"
        wire.cut["after"] = 1
        with pytest.raises(StoreUnavailable, match="broke during a commit"):
            steps.intend(store, claim, Intent(marker="m", revision=1), NOW)
        steps.end_intent(store, claim, IssueState.IN_DOUBT, "the store was away", NOW)

        assert store.report.counts(NOW).in_doubt == 1
        store.close()


def test_the_store_is_away_and_comes_back(own: Server, place: StoreSettings) -> None:
    store = open_store(place)
    accept(store, crash_notification("f1"))
    own.stop()
    with pytest.raises(StoreUnavailable):
        accept(store, crash_notification("f2"))
    assert place.place in str(store.connection.fault)
    with pytest.raises(StoreUnavailable):
        store.report.groups()
    own.start()

    until(partial(accepted, store, "f3"))
    absorb(store)
    assert {standing.group.identity.fingerprint for standing in store.report.groups()} == {"f1", "f3"}
    assert store.connection.fault is None
    store.close()


def test_a_restart_between_two_writes_is_not_even_noticed(own: Server, place: StoreSettings) -> None:
    store = open_store(place)
    together = threading.Barrier(10)
    # So many sessions are in the pool then, and none of them survives.
    at_once(*[lambda: store.connection.read(lambda transaction: (together.wait(), transaction.rows("how_many")))] * 10)
    own.restart()

    accept(store, crash_notification("f2"))
    assert store.report.counts(NOW).inbox_waiting == 1
    store.close()


def test_a_server_that_became_a_standby_is_left(own: Server, place: StoreSettings) -> None:
    """After a fail-over the sessions to the old server go on, and refuse every write."""
    store = open_store(place)
    accept(store, crash_notification("f1"))
    session = store.connection.read(lambda transaction: transaction.rows("setting", name="none"))
    assert session == []
    before = _sessions(place)
    server = StoreSettings(url=own.url("postgres"))
    change(server, "ALTER SYSTEM SET default_transaction_read_only = on")
    change(server, "SELECT pg_reload_conf()")
    until(lambda: _refuses(store))
    assert not before & _sessions(place)
    change(server, "ALTER SYSTEM RESET default_transaction_read_only")
    change(server, "SELECT pg_reload_conf()")

    until(partial(accepted, store, "f3"))
    store.close()


def _sessions(place: StoreSettings) -> set[int]:
    rows = ask(
        place,
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'syncd' AND datname = current_database()"
        " AND query <> 'SELECT pg_backend_pid()'",  # those that listen write nothing
    )
    return {int(pid) for (pid,) in rows}


def _refuses(store: Store) -> bool:
    return not accepted(store, "f2")


def test_a_disk_that_is_full_on_the_server_is_a_fault_with_its_name(store: Store, settings: StoreSettings) -> None:
    change(settings, "CREATE FUNCTION full_disk() RETURNS trigger AS $$ BEGIN RAISE disk_full; END $$ LANGUAGE plpgsql")
    change(settings, "CREATE TRIGGER t BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION full_disk()")

    with pytest.raises(StoreUnavailable, match="53100"):
        accept(store, crash_notification())
    assert "53100" in str(store.connection.fault)


def test_an_older_program_goes_on_when_a_newer_one_adds_to_the_schema(store: Store, settings: StoreSettings) -> None:
    """A session that kept a plan of `SELECT *` would refuse it from then on."""
    owed(store)
    for _ in range(20):
        store.report.groups()
    change(settings, "ALTER TABLE groups ADD COLUMN added TEXT")
    change(settings, "ALTER TABLE issues ADD COLUMN added TEXT NOT NULL DEFAULT 'x'")

    assert store.report.groups()[0].group.occurrences == 3
    claim = claimed(store)
    steps.intend(store, claim, Intent(marker="m", revision=1), NOW)
    assert steps.load(store, claim)[1] is not None


def test_requests_that_arrive_together_share_commits(store: Store, settings: StoreSettings) -> None:
    bodies = [json.dumps(crash_notification(name)).encode() for name in MANY * 5]

    async def send() -> None:
        await asyncio.gather(*(store.inbox.accept(body, NOW, ANY_GROUP) for body in bodies))

    asyncio.run(send())
    # Rows of one transaction have the same xmin.
    rows = ask(settings, "SELECT COUNT(*), COUNT(DISTINCT xmin::text) FROM deliveries")
    assert rows[0][0] == 300
    assert rows[0][1] <= 3


def test_the_most_frequent_queries_read_only_an_index(store: Store, settings: StoreSettings, tmp_path: Path) -> None:
    change(
        settings,
        "INSERT INTO groups (universe, project, fingerprint, fingerprint_key, callstack, classifiers, occurrences, approximate,"
        " notifications, revision) SELECT 'u', 'p', n::text, n::text, '[]', '[]', 1, 0, 1, 1 FROM generate_series(1, 20000) n",
    )
    change(
        settings,
        "INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank)"
        " SELECT id, 'here', 'waiting', id + ?, 0, 0 FROM groups",
        NOW,
    )
    change(settings, "ANALYZE")
    plan = "\n".join(
        str(row[0])
        for row in ask(
            settings,
            "EXPLAIN SELECT group_id FROM outbox WHERE tracker = 'here' AND rank = 0 AND state <> 'dead' AND due_at <= ?"
            " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
            NOW + 15_000,
        )
    )
    assert "Index Scan using outbox_next" in plan
    assert "Sort" not in plan
