"""A copy of a SQLite store, consistent while the daemon writes, and read back before it gets its name."""

import os
from pathlib import Path

from syncd.errors import StoreUnavailable
from syncd.platform.fsync import sync
from syncd.store.migrate import verify
from syncd.store.sqlite.file import inspect, open_file, sentence, sqlite3


def back_up(path: Path, target: Path) -> int:
    """Write a copy of the store in `path` to `target`, which must not exist: its size in bytes. It is one moment of the store, without the
    room that was freed in it. Raises SchemaMismatch, StoreUnavailable; then there is no `target`."""
    verify(path)
    if target.exists():
        raise StoreUnavailable(f"{target} exists already; a backup never overwrites one")
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        database = open_file(path, "rw")
        try:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # nobody else's to read
            database.execute("VACUUM INTO ?", [str(partial)])
        finally:
            database.close()
        _read_back(partial)
        os.link(partial, target)  # unlike a rename, it overwrites nothing that came meanwhile
        sync(target.parent)
        return target.stat().st_size
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(
            sentence(path, error) if isinstance(error, sqlite3.Error) else f"{target}: {error}"
        ) from None
    finally:
        for left in (partial, *(partial.with_name(f"{partial.name}{end}") for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _read_back(copy: Path) -> None:
    """Raises StoreUnavailable, SchemaMismatch where the copy is not whole."""
    inspect(copy)
    verify(copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
