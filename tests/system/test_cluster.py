"""Several processes on one PostgreSQL, in small; `make prove` does the same with 20,000 notifications."""

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from syncd.config import StoreSettings
from tests import postgres
from tests.fakes.github import FakeGitHub
from tests.fakes.server import Fault, Recorded
from tests.postgres import Databases
from tests.prove import cluster as proof
from tests.prove.crashes import crash, fingerprint, tally, until
from tests.prove.daemons import ready
from tests.store.raw import ask, change
from tests.system.cluster import Cluster, send_all
from tests.system.daemon import Daemon, run_syncd
from tests.system.kinds import opened

SEED = 20261125


def test_killed_and_restarted_at_random_nothing_is_lost_doubled_or_miscounted(tmp_path: Path) -> None:
    verdict = proof.trial(tmp_path, groups=30, each=15, seed=SEED)

    assert verdict.wrong == []
    assert (verdict.issues, verdict.sent) == (30, 450)
    assert verdict.killed.total() >= 3


@pytest.fixture
def settings(servers: Databases) -> StoreSettings:
    return StoreSettings(url=servers.new())


@pytest.fixture
def pair(tmp_path: Path, settings: StoreSettings) -> Iterator[tuple[Cluster, FakeGitHub]]:
    """A receiver and a worker, which may be stopped."""
    with opened("github", tmp_path) as tracker:
        assert isinstance(tracker.fake, FakeGitHub)
        toml = tracker.toml('timeout = "60s"\nprobe_after = ["61s", "90s", "120s"]\nconcurrency = 1\nwrites = []\n')
        with Cluster(tmp_path / "members", settings.url, toml, receivers=1, workers=1) as cluster:
            yield cluster, tracker.fake


def test_a_worker_stopped_past_its_lease_writes_nothing_and_files_nothing(
    pair: tuple[Cluster, FakeGitHub], settings: StoreSettings
) -> None:
    """The worker is stopped after its claim and before its request. Another worker takes over and files the group once; the first
    one, once continued, drops its claim."""
    cluster, fake = pair
    (worker,) = cluster.workers
    # It hangs in its first read, after the claim and before the intent.
    hanging = Fault(how="hang_before", method="GET", path=r"/issues$", times=1)
    fake.inject(hanging)
    cluster.receivers[0].send(crash(1))
    until(lambda: hanging.times == 0, "the worker's first question", 30)
    worker.send_signal(signal.SIGSTOP)
    assert ask(settings, "SELECT attempt FROM issues") == []
    change(settings, "UPDATE outbox SET due_at = due_at - 1000 WHERE state = 'claimed'")
    second = cluster.add("worker")
    until(lambda: len(fake.repository.issues) == 1, "the second worker to file it", 60)
    second.drain()
    # The stopped one absorbed for both: the server takes that from it.
    cluster.receivers[0].send(crash(3))
    until(lambda: len(fake.repository.issues) == 2, "what came meanwhile to be filed", 60)
    second.drain()
    before = second.groups()

    hanging.released.set()
    worker.send_signal(signal.SIGCONT)
    until(lambda: b"lease_lost" in worker.log.read_bytes(), "the first worker to drop it", 60)
    cluster.receivers[0].send(crash(2))
    until(lambda: len(fake.repository.issues) == 3, "both to go on", 60)
    groups = second.groups()
    assert {name: groups[name] for name in before} == before
    assert len(fake.repository.issues) == 3


def test_a_delivery_without_a_hint_is_filed_as_well(pair: tuple[Cluster, FakeGitHub], settings: StoreSettings) -> None:
    _, fake = pair
    change(
        settings,
        "INSERT INTO deliveries (received_at, body, state) VALUES (?, ?, 'waiting')",
        time.time(),
        json.dumps(crash(1)).encode(),
    )

    until(lambda: len(fake.repository.issues) == 1, "it to be filed", 30)


def test_no_transaction_is_open_during_a_tracker_call(
    pair: tuple[Cluster, FakeGitHub], settings: StoreSettings
) -> None:
    cluster, fake = pair
    hanging = Fault(how="hang_before", path=r"/issues$")
    fake.inject(hanging)
    cluster.receivers[0].send(crash(1))
    until(lambda: hanging.times == 0, "the create to be sent", 30)

    # All that the worker holds meanwhile is a line that says so.
    assert ask(settings, "SELECT state FROM issues") == [("intended",)]
    for _ in range(20):
        rows = ask(
            settings,
            "SELECT state FROM pg_stat_activity WHERE application_name = 'syncd' AND datname = current_database()"
            " AND xact_start < clock_timestamp() - interval '1 second'",
        )
        assert rows == []
    hanging.released.set()
    cluster.receivers[0].drain()


def test_four_workers_stay_under_the_limit_of_one_credential(tmp_path: Path, settings: StoreSettings) -> None:
    with opened("github", tmp_path) as tracker:
        assert isinstance(tracker.fake, FakeGitHub)
        times: list[float] = []

        def noted(moment: str, request: Recorded) -> None:
            if moment == "arrived" and request.method in ("POST", "PATCH") and "graphql" not in request.path:
                times.append(time.monotonic())

        tracker.fake.watch = noted
        toml = tracker.toml('writes = ["20/4s"]\nconcurrency = 2\n')
        with Cluster(tmp_path / "members", settings.url, toml, receivers=1, workers=4) as cluster:
            note_what_is_spent(settings)
            for number in range(40):
                cluster.receivers[0].send(crash(number))
            until(lambda: len(tracker.texts()) == 40, "all to be filed", 60)
    spent = [float(row[0]) for row in ask(settings, "SELECT at FROM spent ORDER BY at")]
    assert len(spent) >= 40
    assert most_within(4.0, spent) <= 20
    # On a busy machine the first request of a burst may travel half a second longer than the last one.
    assert most_within(3.5, times) <= 20
    assert times[-1] - times[0] > 4.0


def note_what_is_spent(settings: StoreSettings) -> None:
    """Record on the server when the budget allowed each write; the tracker only sees when it arrives."""
    change(settings, "CREATE TABLE spent (at DOUBLE PRECISION NOT NULL)")
    change(
        settings,
        "CREATE FUNCTION note_spent() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO spent VALUES (NEW.at); RETURN NEW; END $$",
    )
    change(
        settings,
        "CREATE TRIGGER note_spent AFTER INSERT OR UPDATE ON budgets FOR EACH ROW EXECUTE FUNCTION note_spent()",
    )


def most_within(seconds: float, times: list[float]) -> int:
    """The largest number of `times` within any span of this length."""
    return max(sum(start <= at < start + seconds for at in times) for start in times)


def test_while_the_server_is_away_nothing_is_promised_and_nobody_needs_a_restart(tmp_path: Path) -> None:
    with postgres.server() as server, opened("github", tmp_path) as tracker:
        url = Databases(server.url("postgres")).new()
        with Cluster(tmp_path / "members", url, tracker.toml("writes = []\n"), 1, 1) as cluster:
            (receiver,) = cluster.receivers
            pids = [member.pid for member in cluster.members]
            assert receiver.send(crash(1)).status == 200
            server.stop()
            answer = receiver.send(crash(2))
            assert (answer.status, "store_unavailable" in answer.body) == (503, True)
            status, body = ready(receiver)
            assert status == 503
            assert "postgresql://" in body["reasons"][0]
            server.start()
            until(lambda: ready(receiver)[0] == 200, "it to be ready by itself", 60)
            assert receiver.send(crash(2)).status == 200
            until(lambda: len(tracker.texts()) == 2, "both to be filed", 60)
            assert [member.pid for member in cluster.members] == pids


def test_after_a_fail_over_the_standby_is_used_and_nothing_is_lost(tmp_path: Path) -> None:
    """Two real servers, the second a synchronous standby of the first, which dies under load."""
    with postgres.server() as first, tempfile.TemporaryDirectory(prefix="syncd-pg-") as folder:
        database = Databases(first.url("postgres")).new().rpartition("/")[2]
        second = first.standby(Path(folder))
        url = f"postgresql://syncd@127.0.0.1:{first.port},127.0.0.1:{second.port}/{database}"
        with opened("github", tmp_path) as tracker:
            assert tracker.fake is not None
            toml = tracker.toml('timeout = "2s"\nprobe_after = ["3s", "5s", "8s"]\nwrites = []\n')
            with Cluster(tmp_path / "members", url, toml, 2, 2) as cluster:
                progress = send_all(cluster, groups=40, each=15, senders=4, seed=SEED)
                ledger = next(progress)
                until(lambda: len(ledger.acknowledged) > 200, "some load", 60)
                first.stop(signal.SIGQUIT)
                with psycopg.connect(second.url("postgres"), autocommit=True) as session:
                    session.execute("SELECT pg_promote()")
                next(progress)
                proof.drain(cluster)
                assert proof.differences(cluster, ledger, tracker.texts()) == []
        second.stop(signal.SIGQUIT)
    assert len(ledger.acknowledged) == 600


def test_a_store_that_is_moved_while_its_daemon_runs_files_nothing_twice(
    tmp_path: Path, settings: StoreSettings
) -> None:
    with opened("github", tmp_path) as tracker:
        fake = tracker.fake
        assert isinstance(fake, FakeGitHub)
        toml = tracker.toml('timeout = "2s"\nprobe_after = ["3s", "5s", "8s"]\nwrites = []\n')
        (tmp_path / "old").mkdir()
        with Daemon(tmp_path / "old", toml) as old:
            for number in range(20):
                old.send(crash(number))
            old.drain()
            # A create that is under way during the move: the tracker carries it out, and its answer is lost.
            hanging = Fault(how="hang_after", path=r"/issues$")
            fake.inject(hanging)
            old.send(crash(20))
            until(lambda: len(fake.repository.issues) == 21, "the last create to be carried out", 30)
            source = f"sqlite:{tmp_path}/old/syncd.db"
            moved = run_syncd("migrate-store", "--from", source, "--to", settings.url, folder=tmp_path)
            assert moved.returncode == 0, moved.stderr
            assert "21 groups" in moved.stdout
            refused = old.send(crash(21))
            assert (refused.status, old.stop()) == (503, 0)
            assert b"this store was moved to postgresql://" in old.log.read_bytes()
        with Cluster(tmp_path / "members", settings.url, toml, receivers=1, workers=2) as cluster:
            for number in range(22):
                assert cluster.receivers[0].send(crash(number, total=2)).status == 200
            until(lambda: len(fake.repository.issues) == 22, "the new one to be filed", 60)
            cluster.receivers[0].drain()
        assert tally([fingerprint(number) for number in range(22)], tracker.texts()).exact
