"""Damaged databases. The daemon reports the damage at start or when it reads it, responds 503, and never writes to the file again."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncd.errors import StoreUnavailable
from syncd.store.sqlite.file import inspect, sqlite3
from tests.prove.daemons import Accepted, deliver_all, ready, require_counts, stored_deliveries
from tests.prove.report import Row
from tests.system import reference
from tests.system.daemon import Daemon, run_syncd

GROUPS = 20
NOTIFICATIONS = 300
FEW = 40  # SQLite checkpoints the log after a thousand pages
PAGE = 4096
STARTS = 3  # starts of a daemon; this process checks every page by itself
_ROT = b"\xa5"
_TRACKER = '[trackers.here]\nkind = "local"\nfolder = "{}/issues"\n'  # without a route the daemon files nothing


def prepare(folder: Path, seed: int, killed: bool = False) -> tuple[Daemon, Accepted]:
    """A stopped daemon and the deliveries that it accepted. If `killed`, all of them are still in the log of the database."""
    folder.mkdir(parents=True, exist_ok=True)
    daemon = Daemon(folder, _TRACKER.format(folder))
    with daemon:
        accepted, _ = deliver_all(daemon, reference.story(GROUPS, FEW if killed else NOTIFICATIONS, seed))
        if not killed:  # a daemon without work soon moves its log into the database
            daemon.wait_for(lambda: daemon.status()["inbox"]["waiting"] == 0, "everything to be absorbed")
            assert daemon.stop() == 0
    return daemon, accepted


def require_refused(daemon: Daemon, content: bytes) -> None:
    """Raises AssertionError unless the daemon, started with a database of this content, reports the damage, exits with 78 and does not
    change the file."""
    database = daemon.folder / "syncd.db"
    database.write_bytes(content)
    ran = run_syncd("run", "--config", str(daemon.config), folder=daemon.folder)
    assert ran.returncode == 78, ran.stderr
    assert "restore a backup" in ran.stderr, ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    assert database.read_bytes() == content


def overwritten(content: bytes, page: int) -> bytes:
    """The content with page `page` (from 0) overwritten."""
    return content[: page * PAGE] + _ROT * PAGE + content[(page + 1) * PAGE :]


def overlooked(database: Path) -> tuple[int, int]:
    """The number of pages, and of pages whose damage a start does not find."""
    content = database.read_bytes()
    trial = database.with_name("trial.db")
    pages = len(content) // PAGE
    missed = 0
    for page in range(pages):
        trial.write_bytes(overwritten(content, page))
        missed += _passes_inspection(trial)
    return pages, missed


def _passes_inspection(database: Path) -> bool:
    try:
        inspect(database)
    except StoreUnavailable:
        return False
    return True


def free_pages(database: Path) -> int:
    """The number of unused pages."""
    connection = sqlite3.connect(str(database))
    try:
        return int(connection.execute("PRAGMA freelist_count").fetchone()[0])
    finally:
        connection.close()


@contextmanager
def rotting(daemon: Daemon) -> Iterator[str]:
    """Overwrite all pages but the first while the daemon runs, and yield the reason that `/readyz` gives. Restore a backup at the end."""
    database = daemon.folder / "syncd.db"
    backup = database.with_name("backup.db")
    backup.write_bytes(database.read_bytes())
    pages = backup.stat().st_size // PAGE
    with database.open("r+b") as file:
        file.seek(PAGE)
        file.write(_ROT * PAGE * (pages - 1))
    notification = reference.story(1, 11, 1)[0]
    daemon.wait_for(lambda: daemon.send(notification).status == 503, "a refusal")
    status, answer = ready(daemon)
    assert status == 503, answer
    yield answer["reasons"][0]
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    os.replace(backup, database)


def damage_log(daemon: Daemon, at: int) -> int:
    """Overwrite a page of the log of a killed daemon, start the daemon, and return the number of remaining deliveries. Raises AssertionError
    if the database is damaged or a count is wrong."""
    log = daemon.folder / "syncd.db-wal"
    with log.open("r+b") as file:
        file.seek(at)
        file.write(_ROT * PAGE)
    with daemon:
        daemon.wait_for(lambda: daemon.status()["inbox"]["waiting"] == 0, "everything to be absorbed")
        groups = daemon.groups()
        assert daemon.stop() == 0
    database = daemon.folder / "syncd.db"
    inspect(database)
    remaining = stored_deliveries(database)
    require_counts(groups, remaining)
    return len(remaining)


def run(folder: Path, seed: int) -> Iterator[Row]:
    """One row per kind of damage."""
    chance = random.Random(seed)
    daemon, accepted = prepare(folder / "pages", seed)
    database = daemon.folder / "syncd.db"
    content = database.read_bytes()
    pages, missed = overlooked(database)
    damaged = [overwritten(content, page) for page in chance.sample(range(1, 20), STARTS)]
    for each in (*damaged, content[: len(content) // 2], content[: len(content) // 2 + 100], overwritten(content, 0)):
        require_refused(daemon, each)
    yield Row(
        action="start with a damaged database: each page overwritten in turn, the file cut in half, the first page overwritten",
        scale=f"{pages} pages, {STARTS + 3} starts of the daemon",
        result=f"{missed} pages overlooked; every start exited with 78 and “restore a backup”, and did not change the file",
        ok=missed <= free_pages(_rewritten(database, content)),
    )
    daemon, accepted = prepare(folder / "running", seed)
    with daemon:
        with rotting(daemon) as reason:
            pass
        daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
        require_counts(daemon.groups(), accepted)
        assert daemon.stop() == 0
    yield Row(
        action="the database is overwritten while the daemon runs, then replaced by a backup",
        scale=f"{NOTIFICATIONS} notifications",
        result=f"503, `/readyz`: “{reason.replace(str(folder), '…')}”; ready with the backup without a restart, every count correct",
    )
    daemon, accepted = prepare(folder / "log", seed, killed=True)
    size = (daemon.folder / "syncd.db-wal").stat().st_size
    remaining = damage_log(daemon, size // 10)
    yield Row(
        action="one page of the database log (-wal) is overwritten after a kill -9",
        scale=f"{len(accepted)} notifications acknowledged, {size // 1024} KiB of log",
        result=f"{remaining} remain, intact and counted correctly; SQLite takes the damage for the end of the log, which cannot be detected",
        ok=remaining < len(accepted),
    )


def _rewritten(database: Path, content: bytes) -> Path:
    database.write_bytes(content)
    return database
