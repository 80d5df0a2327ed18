"""A backup takes the place of a SQLite store: verified before, readable by the daemon's user after, and the previous file is kept."""

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from syncd.errors import StoreUnavailable, StoreUnusable
from syncd.platform.access import explain, lasts
from syncd.platform.clock import Clock
from syncd.platform.fsync import sync
from syncd.store import audit, queries
from syncd.store.connection import DAEMON
from syncd.store.migrate import migrate
from syncd.store.sqlite.file import DETACHED, inspect, open_file, sqlite3, trouble
from syncd.store.sqlite.process_lock import folder_of, is_locked

LOGS = ("-wal", "-shm")
# Absorbed deliveries are purged one day, decisions stay longer.
_LATEST = "SELECT MAX(at) FROM (SELECT MAX(received_at) AS at FROM deliveries UNION ALL SELECT MAX(at) FROM history)"


@dataclass(frozen=True, slots=True)
class Restored:
    """The new name of the previous file, None if there was none; when the latest notification in the restored one was received, None
    if it has none; and whether that is a detached copy."""

    previous: Path | None
    latest: float | None
    detached: bool


def restore(path: Path, source: Path, clock: Clock, actor: str = DAEMON, *, dry_run: bool = False) -> Restored:
    """Put a copy of `source` in the place of the store in `path`. The audit of the copy names `actor`.

    The copy has this program's schema, and the owner of the folder. With `dry_run` it is only verified. Raises StoreUnusable if `source`
    is no store or is damaged, if a process runs on the store, or if this user may not change it; StoreUnavailable if the disk fails. Then the
    store is as before.
    """
    path = path.resolve()
    partial = path.with_name(f".{path.name}.partial")
    previous = path.with_name(f"{path.name}.replaced-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(clock.wall()))}")
    try:
        if previous.exists():
            raise StoreUnavailable(f"{previous} exists already; try again in a second")
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        for end in ("", "-wal"):  # of a folder that was copied as it was, the log holds the newest commits
            file, copy = (place.with_name(f"{place.name}{end}") for place in (source, partial))
            if end == "" or file.exists():
                os.close(os.open(copy, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))  # readable by this user only
                shutil.copyfile(file, copy)
        detail = f"the store → the backup {source}; the previous file: {previous if path.exists() else 'none'}"
        entry = audit.values(actor, "restore", audit.STORE, detail, clock.wall())
        latest, detached = _verify(source, partial, clock, entry)
        _refuse_running(path)
        if dry_run:
            return Restored(previous if path.exists() else None, latest, detached)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        _give(partial, path)
        if not path.exists():
            os.rename(partial, path)
            sync(path.parent)
            return Restored(None, latest, detached)
        _complete(path)
        os.link(path, previous)  # at every moment the path leads to a whole store
        for end in LOGS:
            log = path.with_name(f"{path.name}{end}")
            if log.exists():
                log.rename(previous.with_name(f"{previous.name}{end}"))
        os.replace(partial, path)
        sync(path.parent)
        return Restored(previous, latest, detached)
    except OSError as error:
        raise (StoreUnusable if lasts(error) else StoreUnavailable)(
            f"cannot restore {path}: {explain(error)}"
        ) from None
    finally:
        for end in ("", *LOGS):
            with suppress(PermissionError):  # nothing was written then
                partial.with_name(f"{partial.name}{end}").unlink(missing_ok=True)


def _verify(source: Path, copy: Path, clock: Clock, entry: Mapping[str, object]) -> tuple[float | None, bool]:
    """Bring the copy to this program's schema, and write the entry into its audit. Return the time of the latest notification in it, and
    whether it is detached. Raises StoreUnusable if it is no whole store."""
    try:
        inspect(copy)
        database = open_file(copy, "rw")
        try:
            exists = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'").fetchone()
        finally:
            database.close()
        if exists is None:
            raise StoreUnusable("the file is no store of syncd")
        migrate(copy, clock)
        database = open_file(copy, "rw")
        try:
            latest: float | None = database.execute(_LATEST).fetchone()[0]
            detached = database.execute("SELECT 1 FROM settings WHERE name = ?", [DETACHED]).fetchone() is not None
            database.execute(queries.load("sqlite")["record_audit"], entry).fetchall()
        finally:
            database.close()
    except sqlite3.Error as error:
        raise StoreUnusable(f"{source} cannot be restored: {trouble(source, error)}") from None
    except StoreUnavailable as error:
        text = str(error).replace(str(copy), str(source))
        raise StoreUnusable(f"{source} cannot be restored: {text}") from None
    return latest, detached


def _refuse_running(path: Path) -> None:
    """Raise StoreUnusable if a process runs on the store."""
    folder = folder_of(path)
    processes = [file.name for file in folder.iterdir() if is_locked(file)] if folder.is_dir() else []
    if processes:
        raise StoreUnusable(
            f"{processes[0]} runs on {path}; stop it first, and its socket, since the next notification would start it again: "
            "`systemctl stop syncd.socket syncd.service`"
        )


def _complete(path: Path) -> None:
    """Move the commits in the log of the previous file into the file, if SQLite can still read it."""
    with suppress(sqlite3.Error, StoreUnavailable):
        database = open_file(path, "rw")
        try:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            database.close()


def _give(copy: Path, path: Path) -> None:
    """Give the copy to the user of the daemon: the owner of the folder, or that of the previous file if the folder belongs to root."""
    status = path.parent.stat()
    if status.st_uid == 0 and path.exists():
        status = path.stat()
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(copy, status.st_uid, status.st_gid)
