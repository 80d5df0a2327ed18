"""Databases that are damaged: told at start or as soon as it is met, answered 503, and never written to again."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncd.errors import StoreUnavailable
from syncd.store.sqlite.driver import sqlite3
from syncd.store.sqlite.file import inspect
from tests.prove.report import Row
from tests.prove.started import Accepted, insist, kept, ready, require_counts
from tests.system import reference
from tests.system.daemon import Daemon, run_syncd

GROUPS = 20
NOTIFICATIONS = 300
FEW = 40  # the log is folded into the database after a thousand pages
PAGE = 4096
STARTS = 3  # with a whole process; every page is judged within this one
_ROT = b"\xa5"
_TRACKER = '[trackers.here]\nkind = "local"\nfolder = "{}/issues"\n'  # and no route to it: nothing is filed


def filled(folder: Path, seed: int, killed: bool = False) -> tuple[Daemon, Accepted]:
    """A daemon that has taken a story and ended, with what it took. `killed`, all of it still lies in the log of the database."""
    folder.mkdir(parents=True, exist_ok=True)
    daemon = Daemon(folder, _TRACKER.format(folder))
    with daemon:
        accepted, _ = insist(daemon, reference.story(GROUPS, FEW if killed else NOTIFICATIONS, seed))
        daemon.wait_for(lambda: daemon.status()["inbox"]["waiting"] == 0, "everything to be absorbed")
        if not killed:
            assert daemon.stop() == 0
    return daemon, accepted


def require_refused(daemon: Daemon, content: bytes) -> None:
    """Raises AssertionError unless the daemon, started on a database of this content, says that it is damaged, ends with 1 and
    leaves it as it is."""
    database = daemon.folder / "syncd.db"
    database.write_bytes(content)
    ran = run_syncd("run", "--config", str(daemon.config), folder=daemon.folder)
    assert ran.returncode == 1, ran.stderr
    assert "restore a backup" in ran.stderr, ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    assert database.read_bytes() == content


def rotten(content: bytes, page: int) -> bytes:
    """The database with one of its pages, from 0 on, overwritten."""
    return content[: page * PAGE] + _ROT * PAGE + content[(page + 1) * PAGE :]


def overlooked(database: Path) -> tuple[int, int]:
    """How many pages there are, and how many of them a start would not find damaged if they were."""
    content = database.read_bytes()
    trial = database.with_name("trial.db")
    pages = len(content) // PAGE
    missed = 0
    for page in range(pages):
        trial.write_bytes(rotten(content, page))
        missed += _looks_well(trial)
    return pages, missed


def _looks_well(database: Path) -> bool:
    try:
        inspect(database)
    except StoreUnavailable:
        return False
    return True


def free_pages(database: Path) -> int:
    """Pages that hold nothing."""
    connection = sqlite3.connect(str(database))
    try:
        return int(connection.execute("PRAGMA freelist_count").fetchone()[0])
    finally:
        connection.close()


@contextmanager
def rotting(daemon: Daemon) -> Iterator[str]:
    """While the daemon runs, everything but the first page is overwritten; at the end a backup is put in its place. What `/readyz`
    said of it."""
    database = daemon.folder / "syncd.db"
    backup = database.with_name("backup.db")
    backup.write_bytes(database.read_bytes())
    pages = backup.stat().st_size // PAGE
    with database.open("r+b") as file:
        file.seek(PAGE)
        file.write(_ROT * PAGE * (pages - 1))
    told = reference.story(1, 11, 1)[0]
    daemon.wait_for(lambda: daemon.send(told).status == 503, "a refusal")
    status, said = ready(daemon)
    assert status == 503, said
    yield said["reasons"][0]
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    os.replace(backup, database)


def damage_log(daemon: Daemon, at: int) -> int:
    """Overwrite a page of the log of a daemon that was killed, and start it. How many deliveries are left; what is left is sound
    and counted right, or AssertionError."""
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
    left = kept(database)
    require_counts(groups, left)
    return len(left)


def run(folder: Path, seed: int) -> Iterator[Row]:
    """A line for each kind of damage."""
    chance = random.Random(seed)
    daemon, accepted = filled(folder / "pages", seed)
    database = daemon.folder / "syncd.db"
    content = database.read_bytes()
    pages, missed = overlooked(database)
    damaged = [rotten(content, page) for page in chance.sample(range(1, 20), STARTS)]
    for each in (*damaged, content[: len(content) // 2], content[: len(content) // 2 + 100], rotten(content, 0)):
        require_refused(daemon, each)
    yield Row(
        done="a database that is damaged at start: each page overwritten in turn, cut in half, its first page overwritten",
        many=f"{pages} pages, {STARTS + 3} starts of the daemon",
        came=f"{missed} pages overlooked; every start ended with 1, “restore a backup”, and left the file as it was",
        ok=missed <= free_pages(_rewritten(database, content)),
    )
    daemon, accepted = filled(folder / "running", seed)
    with daemon:
        with rotting(daemon) as reason:
            pass
        daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
        require_counts(daemon.groups(), accepted)
        assert daemon.stop() == 0
    yield Row(
        done="a database that is overwritten under the running daemon, and a backup put in its place",
        many=f"{NOTIFICATIONS} notifications",
        came=f"503, `/readyz`: “{reason.replace(str(folder), '…')}”; ready by itself with the backup, every count right",
    )
    daemon, accepted = filled(folder / "log", seed, killed=True)
    size = (daemon.folder / "syncd.db-wal").stat().st_size
    left = damage_log(daemon, size // 10)
    yield Row(
        done="the log of the database (-wal) is overwritten in one place after a kill -9",
        many=f"{len(accepted)} notifications acknowledged, {size // 1024} KiB of log",
        came=f"{left} left, whole and counted right: to SQLite the log ends where it is damaged, and nobody can tell",
        ok=left < len(accepted),
    )


def _rewritten(database: Path, content: bytes) -> Path:
    database.write_bytes(content)
    return database
