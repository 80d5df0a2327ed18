"""A SQLite file: opening it so that commits last, beginning a transaction, looking for damage, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncd.errors import StoreError, StoreUnavailable
from syncd.store.sqlite.driver import sqlite3

BUSY_SECONDS = 5.0
VERSION: tuple[int, int, int] = sqlite3.sqlite_version_info

CACHE_KB = 4000  # of pages, for each connection; the one that writes has more
_PLAIN = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the file or its folder is read-only",
    "SQLITE_BUSY": "another process keeps it locked",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_IOERR": "the disk reports an error",
    "SQLITE_CORRUPT": "the file is damaged; restore a backup",
    "SQLITE_NOTADB": "the file is not a database; restore a backup",
}


def open_file(path: Path, mode: str) -> sqlite3.Connection:
    """A connection in explicit-transaction mode. `mode` is SQLite's: rw refuses to make a file, rwc makes it."""
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        database.execute("PRAGMA journal_mode=WAL")
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", f"cache_size={-CACHE_KB}"):
            database.execute(f"PRAGMA {pragma}")
        if database.execute("PRAGMA synchronous").fetchone()[0] != 2:
            # Every answer of 200 rests on it: with NORMAL a power cut loses what was acknowledged.
            raise StoreUnavailable(f"{path}: this SQLite does not honour synchronous=FULL")
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def immediate(database: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE, because sqlite-utils' own atomic() begins deferred: a read followed by a write then fails at once
    with "database is locked" when another connection wrote in between, whatever the busy timeout."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")  # inside the try: a commit that fails (disk full) must be rolled back too
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def inspect(path: Path) -> None:
    """Raises StoreUnavailable where the file is damaged, after reading all of it: about a second for a gigabyte in memory."""
    try:
        database = open_file(path, "rw")
        try:
            said = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
        finally:
            database.close()
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(sentence(path, error)) from None
    if said != "ok":
        raise StoreUnavailable(
            f"the database {path} cannot be used: {_PLAIN['SQLITE_CORRUPT']} ({said.splitlines()[-1][:200]})"
        )


def sentence(path: Path, error: Exception) -> str:
    if isinstance(error, StoreError):
        return str(error)
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    plain = next((text for code, text in _PLAIN.items() if name.startswith(code)), None)
    if plain is None:
        plain = str(error)
    if not path.exists():
        plain = "there is no such file; `syncd migrate` or `syncd run` makes it"
    return f"the database {path} cannot be used: {plain} ({name})"
