"""When the store cannot commit: 503 while it lasts, well again by itself, nothing acknowledged lost."""

import http.client
import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.system import reference
from tests.system.daemon import Daemon, run_syncd
from tests.system.kinds import ROUTE


def trackers(folder: Path) -> str:
    return f'[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n{ROUTE}'


def ready(daemon: Daemon) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(*daemon.address, timeout=10)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    said: dict[str, Any] = json.loads(answer.read())
    connection.close()
    return answer.status, said


def test_a_full_disk_is_503_and_says_why_until_there_is_room_again(tmp_path: Path) -> None:
    told = reference.story(groups=20, size=400, seed=5)
    with Daemon(tmp_path, trackers(tmp_path)) as daemon:
        accepted = daemon.send_all(told[:200])
        daemon.drain()
        daemon.limit_files(1)

        refused = [daemon.send(one) for one in told[200:210]]
        status, said = ready(daemon)

        assert {answer.status for answer in refused} == {503}
        assert json.loads(refused[0].body)["error"]["code"] == "store_unavailable"
        assert status == 503
        assert "syncd.db cannot be used" in said["reasons"][0]

        daemon.limit_files(None)
        daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
        accepted += daemon.send_all(told[200:])
        daemon.drain()
        groups = daemon.groups()
        code = daemon.stop()

    expected = reference.counts(accepted)
    assert code == 0
    assert {name: reference.shown(group) for name, group in groups.items()} == {
        name: reference.expected(group) for name, group in expected.items()
    }
    assert '"bug"' not in daemon.log.read_text()


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
    told = reference.story(groups=1, size=11, seed=3)
    with Daemon(tmp_path, trackers(tmp_path)) as daemon:
        other = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused = daemon.send(told[0])
        other.execute("ROLLBACK")
        other.close()
        daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
        taken = daemon.send(told[1])

    assert (refused.status, taken.status) == (503, 200)


def test_a_damaged_database_is_told_and_left_alone(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, trackers(tmp_path))
    damaged = b"this is not a database, but someone's work" * 100
    (tmp_path / "syncd.db").write_bytes(damaged)

    ran = run_syncd("run", folder=tmp_path)

    assert ran.returncode == 1
    assert "not a database; restore a backup" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert (tmp_path / "syncd.db").read_bytes() == damaged
    assert daemon.config.exists()
