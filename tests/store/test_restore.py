"""A backup in the place of a store: whole, readable by the daemon's user, and the previous file is kept."""

import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from syncd.errors import StoreUnavailable, StoreUnusable
from syncd.platform.clock import Clock
from syncd.store import open_store
from syncd.store.migrate import migrate, steps
from syncd.store.sqlite.backup import back_up
from syncd.store.sqlite.restore import restore
from tests.store.filled import NOW, owed


@pytest.fixture
def settings(tmp_path: Path) -> StoreSettings:
    return StoreSettings(url=f"sqlite:{tmp_path}/state/syncd.db")


@pytest.fixture
def backup(settings: StoreSettings, tmp_path: Path) -> Path:
    """A backup with the group f1. The store has f2 as well."""
    store = open_store(settings)
    owed(store, "f1")
    back_up(settings.path, tmp_path / "backup.db")
    owed(store, "f2")
    store.close()
    return tmp_path / "backup.db"


def groups(path: Path) -> set[str]:
    store = open_store(StoreSettings(url=f"sqlite:{path}"))
    try:
        return {view.group.identity.fingerprint for view in store.report.groups()}
    finally:
        store.close()


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir() if not entry.name.endswith("-instances")}


def test_the_store_is_that_of_the_backup_and_the_previous_file_is_whole(settings: StoreSettings, backup: Path) -> None:
    path = settings.path
    before = backup.read_bytes()

    previous = restore(path, backup, Clock()).previous
    assert previous is not None
    assert names(path) == {"syncd.db", previous.name}
    assert (groups(path), groups(previous)) == ({"f1"}, {"f1", "f2"})
    assert backup.read_bytes() == before


@pytest.mark.parametrize(
    "damage", [b"", b"\xff" * 40_000, b"not a database at all " * 3000], ids=["empty", "bytes", "text"]
)
def test_a_damaged_store_is_replaced_and_kept_as_it_is_with_its_log(
    damage: bytes, settings: StoreSettings, backup: Path
) -> None:
    path = settings.path
    path.write_bytes(damage)
    path.with_name("syncd.db-wal").write_bytes(b"a log that belongs to nothing")

    previous = restore(path, backup, Clock()).previous
    assert groups(path) == {"f1"}, "SQLite applied the log of the previous file"
    if damage:
        assert previous is not None
        assert previous.read_bytes() == damage


def test_a_machine_without_a_store_gets_one(tmp_path: Path, backup: Path) -> None:
    path = tmp_path / "another/machine/syncd.db"

    assert restore(path, backup, Clock()).previous is None
    assert groups(path) == {"f1"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to another user")
@pytest.mark.parametrize(("of_folder", "of_file", "expected"), [(5000, 5000, 5000), (5000, 0, 5000), (0, 5000, 5000)])
def test_the_file_belongs_to_the_user_of_the_daemon(
    of_folder: int, of_file: int, expected: int, settings: StoreSettings, backup: Path
) -> None:
    os.chown(settings.path.parent, of_folder, of_folder)
    os.chown(settings.path, of_file, of_file)

    restore(settings.path, backup, Clock())
    status = settings.path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (expected, expected, 0o600)


def test_a_copy_of_a_folder_is_restored_with_its_log(settings: StoreSettings, tmp_path: Path) -> None:
    store = open_store(settings)
    owed(store, "f1", "f2")
    shutil.copytree(settings.path.parent, tmp_path / "copy")  # while the newest commits are in the log
    store.close()
    assert (tmp_path / "copy/syncd.db-wal").stat().st_size > 0

    restore(tmp_path / "state2/syncd.db", tmp_path / "copy/syncd.db", Clock())
    assert groups(tmp_path / "state2/syncd.db") == {"f1", "f2"}


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("-- PostgreSQL database dump\n" * 100)


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(file.seek(0, 2) // 2)


def foreign(path: Path) -> None:
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE users (name TEXT)")
    database.commit()
    database.close()


def newer(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("INSERT INTO schema_migrations VALUES ('0099_future', 'x', 0)")
    database.commit()
    database.close()


def missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [empty, text, cut, foreign, newer, missing])
def test_what_is_no_whole_store_replaces_nothing(change: object, settings: StoreSettings, backup: Path) -> None:
    assert callable(change)
    change(backup)

    with pytest.raises(StoreUnavailable) as refused:
        restore(settings.path, backup, Clock())
    assert str(backup) in str(refused.value)
    assert ".partial" not in str(refused.value)
    assert names(settings.path) == {"syncd.db"}
    assert groups(settings.path) == {"f1", "f2"}


def test_a_store_on_which_a_process_runs_is_not_replaced(settings: StoreSettings, backup: Path) -> None:
    daemon = open_store(settings)
    registration = daemon.join("all", NOW)
    with pytest.raises(StoreUnusable, match=r"systemctl stop syncd\.socket syncd\.service"):
        restore(settings.path, backup, Clock())
    registration.close()
    daemon.close()

    assert restore(settings.path, backup, Clock(), dry_run=True).previous is not None
    assert groups(settings.path) == {"f1", "f2"}
    assert restore(settings.path, backup, Clock()).previous is not None


def test_an_older_backup_gets_the_schema_of_this_program(settings: StoreSettings, backup: Path) -> None:
    older = backup.with_name("older.db")
    migrate(older, Clock(), steps("sqlite")[:3])

    restore(settings.path, older, Clock())
    assert groups(settings.path) == set()
