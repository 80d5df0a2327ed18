"""A copy of a SQLite store: consistent while the daemon writes, and verified before it gets its name."""

import os
from pathlib import Path

from syncd.errors import StoreUnavailable, StoreUnusable
from syncd.platform.access import explain, lasts
from syncd.platform.fsync import sync
from syncd.store.migrate import verify
from syncd.store.sqlite.file import DETACHED, inspect, open_file, sqlite3, trouble


def back_up(path: Path, target: Path, detached_at: float | None = None) -> int:
    """Copy the store in `path` to `target`, which must not exist, and return the size of the copy in bytes. The copy is a snapshot without
    free pages, and writes to no tracker if it is detached at a time. Raises SchemaMismatch, StoreUnavailable; then `target` does not exist."""
    verify(path)
    if target.exists():
        raise StoreUnavailable(f"{target} exists already; a backup never overwrites one")
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        database = open_file(path, "rw")
        try:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # readable by this user only
            database.execute("VACUUM INTO ?", [str(partial)])
        finally:
            database.close()
        if detached_at is not None:
            copy = open_file(partial, "rw")
            try:
                copy.execute(
                    "INSERT OR IGNORE INTO settings (name, value) VALUES (?, ?)", [DETACHED, repr(detached_at)]
                )
                copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                copy.close()
        inspect(partial)
        verify(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.link(partial, target)  # unlike a rename, a link overwrites nothing
        sync(target.parent)
        return target.stat().st_size
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, sqlite3.Error):
            raise trouble(path, error) from None
        raise (StoreUnusable if lasts(error) else StoreUnavailable)(explain(error)) from None
    finally:
        for leftover in (partial, *(partial.with_name(f"{partial.name}{end}") for end in ("-wal", "-shm"))):
            leftover.unlink(missing_ok=True)
