"""Faults of the store: 503 while they last, recovery without a restart, and no acknowledged delivery lost."""

import http.client
import json
import sqlite3
from pathlib import Path

import pytest

from tests.prove import damage, disk, mounts, strace
from tests.prove.daemons import ready, require_counts
from tests.system import reference
from tests.system.daemon import Daemon, run_syncd
from tests.system.kinds import ROUTE


def trackers(folder: Path) -> str:
    return f'[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n{ROUTE}'


def test_a_full_disk_is_503_and_says_why_until_there_is_room_again(tmp_path: Path) -> None:
    notifications = reference.story(groups=20, size=400, seed=5)
    with Daemon(tmp_path, trackers(tmp_path)) as daemon:
        accepted = daemon.send_all(notifications[:200])
        daemon.drain()
        daemon.limit_files(1)

        refused = [daemon.send(notification) for notification in notifications[200:210]]
        status, answer = ready(daemon)

        assert {answer.status for answer in refused} == {503}
        assert json.loads(refused[0].body)["error"]["code"] == "store_unavailable"
        assert status == 503
        assert "syncd.db cannot be used" in answer["reasons"][0]

        daemon.limit_files(None)
        daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
        accepted += daemon.send_all(notifications[200:])
        daemon.drain()
        groups = daemon.groups()
        code = daemon.stop()

    expected = reference.counts(accepted)
    assert code == 0
    assert reference.differences(groups, expected) == {}
    assert '"unexpected_error"' not in daemon.log.read_text()


def test_a_503_tells_the_sender_when_to_come_back(tmp_path: Path) -> None:
    with Daemon(tmp_path, trackers(tmp_path)) as daemon:
        daemon.limit_files(1)
        connection = http.client.HTTPConnection(*daemon.address, timeout=10)
        sender = daemon.sender()
        connection.request("POST", "/webhooks/backtrace", json.dumps(reference.story(1, 11, 1)[0]), sender._headers)
        answer = connection.getresponse()
        connection.close()

        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0


def test_a_database_locked_by_another_program_is_waited_for_and_then_503(tmp_path: Path) -> None:
    notifications = reference.story(groups=1, size=11, seed=3)
    with Daemon(tmp_path, trackers(tmp_path)) as daemon:
        locker = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        refused = daemon.send(notifications[0])
        locker.execute("ROLLBACK")
        locker.close()
        daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
        taken = daemon.send(notifications[1])

    assert (refused.status, taken.status) == (503, 200)


def test_a_damaged_database_is_told_and_left_alone(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, trackers(tmp_path))
    damaged = b"this is not a database, but someone's work" * 100
    (tmp_path / "syncd.db").write_bytes(damaged)

    ran = run_syncd("run", folder=tmp_path)

    assert ran.returncode == 78
    assert "not a database; restore a backup" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert (tmp_path / "syncd.db").read_bytes() == damaged
    assert daemon.config.exists()


@pytest.mark.skipif(mounts.missing() is not None, reason=mounts.missing() or "")
def test_a_disk_that_is_full_to_the_last_byte_loses_nothing_and_what_was_in_hand_is_filed_once_there_is_room(
    tmp_path: Path,
) -> None:
    endured = disk.endure_named(tmp_path, 5, "full")

    assert isinstance(endured, disk.Outcome)
    assert "the disk is full" in endured.reason


@pytest.mark.skipif(mounts.missing_ext4() is not None, reason=mounts.missing_ext4() or "")
def test_a_disk_that_the_kernel_has_made_read_only_is_told_and_a_copy_in_its_place_is_taken(tmp_path: Path) -> None:
    endured = disk.endure_named(tmp_path, 5, "read-only")

    assert isinstance(endured, disk.Outcome)
    assert "read-only" in endured.reason


@pytest.mark.skipif(strace.missing() is not None, reason=strace.missing() or "")
@pytest.mark.parametrize("name", ["sync", "now and then"])
def test_a_disk_whose_writes_or_syncs_fail_is_told_until_it_works_again(name: str, tmp_path: Path) -> None:
    endured = disk.endure_named(tmp_path, 5, name)

    assert isinstance(endured, disk.Outcome)
    assert endured.refused == disk.REFUSED
    assert "the disk reports an error" in endured.reason


def test_a_start_finds_any_damaged_page_says_so_and_writes_nothing(tmp_path: Path) -> None:
    daemon, _ = damage.prepare(tmp_path, seed=5)
    database = tmp_path / "syncd.db"
    content = database.read_bytes()
    free = damage.free_pages(database)

    assert damage.overlooked(database)[1] <= free
    damage.require_refused(daemon, damage.overwritten(content, 5))
    damage.require_refused(daemon, content[: len(content) // 2 + 100])


def test_damage_met_by_the_running_daemon_is_503_for_all_until_a_backup_is_there(tmp_path: Path) -> None:
    daemon, accepted = damage.prepare(tmp_path, seed=5)
    with daemon:
        with damage.rotting(daemon) as reason:
            refused = [daemon.send(notification) for notification in reference.story(2, 22, 2)]
        daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
        groups = daemon.groups()

    assert "the file is damaged; restore a backup" in reason
    assert {answer.status for answer in refused} == {503}
    require_counts(groups, accepted)
    assert '"unexpected_error"' not in daemon.log.read_text()


def test_a_damaged_log_of_the_database_costs_only_what_came_after_the_damage(tmp_path: Path) -> None:
    daemon, accepted = damage.prepare(tmp_path, seed=5, killed=True)
    log = tmp_path / "syncd.db-wal"

    left = damage.damage_log(daemon, log.stat().st_size // 10)

    assert left < len(accepted)
