import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from sqlite_utils import utils

from syncd.config import StoreSettings
from syncd.errors import StoreUnavailable
from syncd.platform.clock import Clock
from syncd.store import Store
from syncd.store.connection import Transaction
from syncd.store.migrate import migrate, verify
from syncd.store.queries import MAX_ROWS
from syncd.store.sqlite import connection as sqlite
from syncd.store.sqlite.file import open_file, sqlite3
from tests.store.filled import ANY_GROUP, absorb, accept, crash_notification


def test_the_driver_is_that_of_sqlite_utils() -> None:
    """Errors of another one would be of other classes, and pass by those who wait for them."""
    assert sqlite3.OperationalError is utils.OperationalError


@pytest.fixture
def settings(tmp_path: Path) -> StoreSettings:
    return StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")


def test_nothing_is_promised_in_a_file_that_was_deleted(store: Store, tmp_path: Path) -> None:
    accept(store, crash_notification())
    (tmp_path / "syncd.db").unlink()

    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        accept(store, crash_notification("f2"))
    assert store.connection.fault is not None
    with pytest.raises(StoreUnavailable, match="no such file"):
        store.report.groups()


def test_a_backup_in_place_of_the_file_is_read_and_written_from_then_on(store: Store, tmp_path: Path) -> None:
    accept(store, crash_notification())
    absorb(store)
    migrate(tmp_path / "backup.db", Clock())
    for left in ("syncd.db-wal", "syncd.db-shm"):
        (tmp_path / left).unlink()
    shutil.move(tmp_path / "backup.db", tmp_path / "syncd.db")

    assert store.report.groups() == []
    with pytest.raises(StoreUnavailable):
        accept(store, crash_notification("lost"))
    accept(store, crash_notification("kept"))
    absorb(store)
    assert [view.group.identity.fingerprint for view in store.report.groups()] == ["kept"]


def test_a_missing_table_is_a_fault_until_it_is_back(store: Store, tmp_path: Path) -> None:
    accept(store, crash_notification())
    for before, after in (("deliveries", "elsewhere"), ("elsewhere", "deliveries")):
        database = open_file(tmp_path / "syncd.db", "rw")
        database.execute(f"ALTER TABLE {before} RENAME TO {after}")
        database.close()
        if after == "elsewhere":
            with pytest.raises(StoreUnavailable):
                accept(store, crash_notification("f2"))
            assert "no such table" in str(store.connection.fault)
    accept(store, crash_notification("f3"))
    assert store.connection.fault is None


@pytest.mark.slow
def test_processes_that_start_at_once_all_get_a_name(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from syncd.store.sqlite.process_lock import ProcessLock\n"
        "for _ in range(300): ProcessLock(pathlib.Path(sys.argv[1])).close()"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "syncd.db")]
    racing = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(6)]

    assert [process.communicate()[1] for process in racing] == [b""] * 6


def _soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_the_log_is_checkpointed_when_nobody_writes(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PROBE_SECONDS", 0.01)
    empty = (tmp_path / "syncd.db").stat().st_size
    accept(store, *(crash_notification(f"f{number}", padding=f"{number}" * 3000) for number in range(300)))
    assert _soon(lambda: (tmp_path / "syncd.db").stat().st_size > empty)


def test_a_log_that_is_always_written_to_begins_anew(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "syncd.db-wal"
    sizes = []
    for _ in range(40):
        # 4 MB each time: far more in all than the log may hold.
        store.connection.write(lambda transaction: transaction.run("set", name="large", value="x" * 4 * 2**20))
        sizes.append(log.stat().st_size)
    assert max(sizes) < 2 * sqlite.LOG_PAGES * 4096
    assert sizes[-1] <= max(sizes[:-1]), "it would grow for ever"


@pytest.mark.parametrize("many", [3, MAX_ROWS + 1])
def test_deliveries_of_one_commit_are_kept_together_or_not_at_all(store: Store, many: int) -> None:
    async def the_last_one_cannot_be_kept() -> list[int | BaseException]:
        times = [1.0] * many + [cast(float, None)]
        return await asyncio.gather(*(store.inbox.accept(b"{}", at, ANY_GROUP) for at in times), return_exceptions=True)

    first, *together = asyncio.run(the_last_one_cannot_be_kept())
    assert first == 1, "it was committed before the others were there"
    assert {type(answer) for answer in together} == {sqlite3.IntegrityError}
    assert store.connection.fault is None
    assert store.connection.read(lambda transaction: len(transaction.rows("latest_bodies", size=9, largest=99))) == 1
    assert accept(store, crash_notification("after")) == [2]


def test_an_operation_that_fails_alone_is_undone_and_the_store_is_well(store: Store) -> None:
    def fails(transaction: Transaction) -> None:
        transaction.run("set", name="half", value="done")
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        store.connection.write(fails)
    assert store.connection.read(lambda transaction: transaction.rows("setting", name="half")) == []
    assert store.connection.fault is None
    accept(store, crash_notification())


def test_a_missing_file_is_not_created_by_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no such file"):
        verify(tmp_path / "syncd.db")
    assert not (tmp_path / "syncd.db").exists()
