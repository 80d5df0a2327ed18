"""A restored store files nothing twice; `make prove` does the same more often, for each kind of tracker and on PostgreSQL."""

from pathlib import Path

import pytest

from tests.postgres import Databases
from tests.prove.crashes import crash, fingerprint, tally
from tests.prove.restored import GROUPS, Restored, restore_often
from tests.system.daemon import Daemon
from tests.system.kinds import opened

SEED = 22


@pytest.mark.parametrize(("kind", "shared"), [("github", False), ("jira-cloud", True)])
def test_a_backup_in_the_place_of_its_store_files_nothing_twice(tmp_path: Path, kind: str, shared: bool) -> None:
    restored = restore_often(kind, tmp_path, 1, SEED, shared=shared)

    assert restored == Restored(restores=1, issues=GROUPS)


def test_a_backup_goes_to_an_empty_database_of_a_server(tmp_path: Path, servers: Databases) -> None:
    copy, url, place = tmp_path / "copy.db", servers.new(), tmp_path / "server"
    place.mkdir()
    with opened("github", tmp_path) as tracker:
        with Daemon(tmp_path, tracker.toml()) as daemon:
            daemon.send_all([crash(number) for number in range(3)])
            daemon.drain()
            daemon.syncd("backup", str(copy))
            daemon.send_all([crash(3), crash(4)])
            daemon.drain()
        assert "would be" in daemon.syncd("restore", str(copy), "--to", url, "--dry-run")
        assert "verified" in daemon.syncd("restore", str(copy), "--to", url)
        daemon.syncd("restore", str(copy), "--to", f"sqlite:{tmp_path}/again.db")  # the backup is as it was
        with Daemon(place, tracker.toml(), store=url) as moved:
            moved.send_all([crash(number, 5) for number in range(4)])
            moved.drain()
            news = [(need["state"], need["count"]) for need in moved.status()["needs"]]
            assert news == [("found_again", 1)]  # the issue of the crash that did not occur again yet
            moved.send(crash(4, 5))
            moved.drain()
            assert moved.status()["needs"] == []
        counted = tally(map(fingerprint, range(5)), tracker.texts())
    assert (counted.issues, counted.doubles, counted.missing) == (5, 0, 0)
