import secrets
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from syncd.errors import SchemaMismatch, StoreUnavailable
from syncd.store import Store, open_store
from syncd.store.sqlite.backup import back_up
from syncd.store.sqlite.file import WAL_BYTES, open_file
from tests.store.filled import NOW, absorb, accept, crash_notification, owed


@pytest.fixture
def settings(tmp_path: Path) -> StoreSettings:
    return StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")


def test_a_backup_made_while_the_daemon_writes_is_a_whole_store(
    store: Store, settings: StoreSettings, tmp_path: Path
) -> None:
    owed(store, "f1", "f2")
    store.instance_key()
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            accept(store, crash_notification(f"n{number}"))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    size = back_up(settings.path, tmp_path / "copy.db")
    ended.set()
    writer.join()

    assert size == (tmp_path / "copy.db").stat().st_size
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    copy = open_store(StoreSettings(url=f"sqlite:{tmp_path}/copy.db"))
    assert copy.instance_key() == store.instance_key()
    assert {view.group.identity.fingerprint for view in copy.report.groups()} == {"f1", "f2"}
    copy.close()


def test_a_backup_overwrites_nothing_and_leaves_nothing_behind(
    store: Store, settings: StoreSettings, tmp_path: Path
) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(StoreUnavailable, match="exists already"):
        back_up(settings.path, tmp_path / "copy.db")
    with pytest.raises(StoreUnavailable, match="No such file"):
        back_up(settings.path, tmp_path / "nowhere" / "copy.db")

    assert (tmp_path / "copy.db").read_text() == "precious"
    assert not list(tmp_path.glob(".*partial*"))


def test_a_damaged_store_gives_no_backup(store: Store, settings: StoreSettings, tmp_path: Path) -> None:
    owed(store, *(f"f{number}" for number in range(50)))
    store.close()
    with settings.path.open("r+b") as file:
        file.seek(20_000)
        file.write(b"\xff" * 30_000)

    with pytest.raises((StoreUnavailable, SchemaMismatch)):
        back_up(settings.path, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.slow
def test_the_command_reports_the_copy(store: Store, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'[store]\nurl = "sqlite:{tmp_path}/syncd.db"\n')
    command = [sys.executable, "-m", "syncd", "backup", "copy.db", "--config", "config.toml"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    again = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert (done.returncode, again.returncode) == (0, 1), done.stderr
    assert "verified" in done.stdout
    assert "a backup never overwrites one" in again.stderr


@pytest.mark.slow
def test_of_a_server_the_command_names_the_means(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[store]\nurl = "postgresql://db/syncd"\n')
    command = [sys.executable, "-m", "syncd", "backup", "copy.db", "--config", "config.toml"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert (done.returncode, "pg_dump" in done.stderr) == (2, True)


@pytest.mark.slow
def test_the_log_gives_its_room_back_when_nobody_writes(
    store: Store, settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = settings.path.with_name("syncd.db-wal")
    reader = open_file(settings.path, "rw")
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM deliveries").fetchone()  # as long as it reads, the log must grow
    while log.stat().st_size <= WAL_BYTES:
        accept(store, crash_notification(application=secrets.token_hex(250_000)))  # which hardly gets smaller
    absorb(store, NOW)
    reader.execute("ROLLBACK")
    reader.close()

    until_small = threading.Event()
    for _ in range(200):
        if log.stat().st_size == 0:
            until_small.set()
            break
        until_small.wait(0.05)
    assert until_small.is_set()
