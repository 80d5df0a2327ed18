"""The keys of `[receiver]`, each in a running daemon."""

import json
from pathlib import Path

from syncd.platform.clock import Clock
from syncd.store.sqlite.connection import Sqlite
from tests.system import reference
from tests.system.daemon import PASSWORD, Daemon, run_syncd
from tests.system.kinds import ROUTE


def trackers(folder: Path) -> str:
    return f'[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n{ROUTE}'


def test_two_passwords_are_valid_while_one_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old password\n")
    receiver = f'previous_password = {{ file = "{tmp_path}/old" }}'
    notification = reference.story(groups=1, size=11, seed=3)[0]
    with Daemon(tmp_path, trackers(tmp_path), receiver) as daemon:
        answers = {
            word: daemon.send(notification, word).status for word in (PASSWORD, "old password", "older password")
        }

    assert answers == {PASSWORD: 200, "old password": 200, "older password": 401}


def test_an_unrecognised_body_can_be_accepted_and_is_kept_all_the_same(tmp_path: Path) -> None:
    with Daemon(tmp_path, trackers(tmp_path), "accept_unrecognised = true") as daemon:
        answer = daemon.send({"test": "integration"})
        kept = json.loads(daemon.syncd("quarantine", "list", "--json"))

    assert answer.status == 200
    assert json.loads(answer.body)["status"] == "accepted"
    assert [entry["code"] for entry in kept] == ["no_universe"]


def test_the_quarantine_keeps_the_newest(tmp_path: Path) -> None:
    with Daemon(tmp_path, trackers(tmp_path), "quarantine_size = 3") as daemon:
        for number in range(5):
            daemon.send({"number": number})
        kept = json.loads(daemon.syncd("quarantine", "list", "--json"))

    assert [json.loads(entry["body"])["number"] for entry in kept] == [4, 3, 2]


def test_a_quarantined_notification_can_be_mended_by_replay(tmp_path: Path) -> None:
    # Written directly: a body that an older program could not read.
    with Daemon(tmp_path, trackers(tmp_path)) as daemon:
        daemon.send({"universe": "a"})
        connection = Sqlite(tmp_path / "syncd.db", Clock())
        body = json.dumps(reference.story(groups=1, size=11, seed=3)[0]).encode()
        connection.write(
            lambda transaction: transaction.rows(
                "quarantine",
                received_at=1.0,
                body=body,
                code="old",
                reason="was not understood",
                field=None,
                source=None,
            )
        )
        connection.close()
        kept = json.loads(daemon.syncd("quarantine", "list", "--json"))

        daemon.syncd("quarantine", "replay", str(kept[0]["id"]), "--dry-run")
        assert json.loads(daemon.syncd("quarantine", "list", "--json")) == kept
        assert daemon.groups() == {}
        daemon.syncd("quarantine", "replay", str(kept[0]["id"]))
        daemon.wait_for(daemon.groups, "the replayed group")
        assert len(json.loads(daemon.syncd("quarantine", "list", "--json"))) == 1


def test_a_public_address_without_a_login_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[receiver]\nlisten = "0.0.0.0:0"\n')

    ran = run_syncd("run", folder=tmp_path)

    assert ran.returncode == 78
    assert "allow_unauthenticated" in ran.stderr


def test_one_connection_too_many_is_told_to_come_back(tmp_path: Path) -> None:
    notification = reference.story(groups=1, size=11, seed=3)[0]
    with Daemon(tmp_path, trackers(tmp_path), "max_connections = 1") as daemon:
        first = daemon.sender()
        answers = [first.send(notification).status, daemon.send(notification).status]
        first.close()

    assert answers == [200, 503]


def test_a_start_on_an_address_in_use_leaves_the_other_ones_groups_alone(tmp_path: Path) -> None:
    elsewhere = trackers(tmp_path).replace("[[routes]]\n", '[[routes]]\nmatch = { project = "elsewhere" }\n')
    with Daemon(tmp_path, elsewhere) as daemon:
        daemon.send(reference.story(groups=1, size=11, seed=3)[0])
        daemon.wait_for(lambda: daemon.status()["held"], "the group to be held")
        port = daemon.address[1]
        second = tmp_path / "second.toml"
        second.write_text(f'[receiver]\nlisten = "127.0.0.1:{port}"\n[store]\nurl = "sqlite:{tmp_path}/syncd.db"\n')
        ran = run_syncd("run", "--config", str(second), folder=tmp_path)

    assert ran.returncode == 78
    assert "groups_reevaluated" not in ran.stderr


def test_an_address_in_use_is_said_plainly(tmp_path: Path) -> None:
    with Daemon(tmp_path, trackers(tmp_path)) as daemon:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "config.toml").write_text(f'[receiver]\nlisten = "127.0.0.1:{daemon.address[1]}"\n')
        ran = run_syncd("run", folder=elsewhere)

    assert ran.returncode == 78
    assert "receiver.listen" in ran.stderr
    assert "in use" in ran.stderr
