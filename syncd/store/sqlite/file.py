"""A SQLite file: its driver, opening it so that commits last, beginning a transaction, looking for damage, and sentences for its errors."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.errors import StoreUnavailable, StoreUnusable
from syncd.platform import access
from syncd.store.sqlite.process_lock import folder_of

if TYPE_CHECKING:
    import sqlite3 as sqlite3  # re-exported
else:
    # The choice of sqlite-utils (sqlite_utils/utils.py). Importing sqlite-utils would add a tenth of a second to every command.
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

BUSY_SECONDS = 5.0
# How much a file holds, and whether syncd's record of migrations is in it.
_CONTENT = """SELECT (SELECT COUNT(*) FROM sqlite_master), (SELECT group_concat(name) FROM pragma_table_info('schema_migrations'))"""
VERSION: tuple[int, int, int] = sqlite3.sqlite_version_info
CACHE_KB = 4000  # of pages, for each connection; the writer has more
WAL_BYTES = 16 * 2**20  # a longer log is truncated as soon as nobody writes
DETACHED = "store.detached"  # setting of a copy that writes to no tracker: since when
MOVED = "store.moved"  # setting of a file: the server that its store was moved to
COPIED = (
    "store.copied"  # setting of that server: the file it was copied from; removed as soon as a daemon uses the copy
)

MOVED_TO = "this store was moved to"  # begins the error of the triggers that refuse writes to a moved store

_SENTENCES = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the file or its folder is read-only",
    "SQLITE_BUSY": "another process keeps it locked",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_IOERR": "the disk reports an error",
    "SQLITE_CORRUPT": "the file is damaged; restore a backup",
    "SQLITE_NOTADB": "the file is not a database; restore a backup",
}
_DENIED = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class Opened:
    """A connection and the file that it was opened on. SQLite keeps working on a file that was deleted or replaced since, and what it
    commits there is lost with the process."""

    def __init__(self, path: Path) -> None:
        self.database = open_file(path, "rw")
        self._path = path
        self._file = _inode(path)

    def in_place(self) -> bool:
        """Return whether the path still leads to the file."""
        return self._file is not None and _inode(self._path) == self._file

    def close(self) -> None:
        """Close the connection.

        The last connection to a file removes its log by name, and SQLite recognises another file in its place only by its inode
        (os_unix.c, fileHasMoved): a connection that stays open after a disk was replaced by its copy would remove the log of the copy.
        """
        self.database.close()


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def open_file(path: Path, mode: str) -> sqlite3.Connection:
    """Open a connection with explicit transactions. `mode` is SQLite's: rw refuses to create a file, rwc creates it."""
    if os.path.exists(path) and not os.path.isfile(path):  # opening a pipe would wait for its other end
        kind = "a folder" if os.path.isdir(path) else "no regular file"
        raise StoreUnusable(f"the database {path} cannot be used: it is {kind}; name another file in store.url")
    if mode == "rwc":
        with suppress(FileExistsError):  # readable by this user only; SQLite gives its log the same mode
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        # Before the first change, which the next line makes.
        objects, columns = database.execute(_CONTENT).fetchone()
        if objects and columns != "name,sha256,applied_at":
            raise StoreUnusable(
                f"the database {path} holds tables of another program; name a file of its own for syncd in store.url"
            )
        database.execute("PRAGMA journal_mode=WAL")
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", f"cache_size={-CACHE_KB}"):
            database.execute(f"PRAGMA {pragma}")
        if database.execute("PRAGMA synchronous").fetchone()[0] != 2:
            # Every answer of 200 rests on it: with NORMAL, a power cut loses acknowledged deliveries.
            raise StoreUnavailable(f"{path}: this SQLite does not honour synchronous=FULL")
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def immediate(database: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE … COMMIT. The atomic() of sqlite-utils begins deferred: a read followed by a write then fails at once with
    "database is locked" if another connection wrote in between, whatever the busy timeout."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")  # inside the try: a commit that fails (disk full) must be rolled back too
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def inspect(path: Path) -> None:
    """Read the whole file, about a second for a gigabyte in memory. Raises StoreUnavailable if it is damaged."""
    try:
        database = open_file(path, "rw")
        try:
            report = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
        finally:
            database.close()
    except (sqlite3.Error, OSError) as error:
        raise trouble(path, error) from None
    if report != "ok":
        raise StoreUnusable(
            f"the database {path} cannot be used: {_SENTENCES['SQLITE_CORRUPT']} ({report.splitlines()[-1][:200]})"
        )


def trouble(path: Path, error: Exception) -> StoreUnavailable:
    """Return the error that says for people what is wrong with the file: StoreUnusable if no retry mends it."""
    if isinstance(error, StoreUnavailable):
        return error
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    if isinstance(error, OSError):
        name = {errno.EIO: "SQLITE_IOERR", errno.ENOSPC: "SQLITE_FULL"}.get(error.errno or 0, name)
    begin = f"the database {path} cannot be used: "
    if isinstance(error, OSError) or name.startswith(_DENIED):
        # SQLite needs a log and an index next to the file, and syncd the locks of its processes.
        real = os.path.realpath(path)
        files = (path, Path(f"{real}-wal"), Path(f"{real}-shm"), folder_of(path) / "lock")
        if why := next(filter(None, (access.obstacle(file, write=True) for file in files)), None):
            return StoreUnusable(begin + why)
    plain = next((text for code, text in _SENTENCES.items() if name.startswith(code)), str(error))
    if name == "SQLITE_ERROR" and str(error).startswith(("no such table", "no such column")):
        return StoreUnusable(f"{begin}it lacks a part of the schema that it records ({error}); restore a backup")
    if name.startswith(DAMAGED):
        return StoreUnusable(f"{begin}{plain} ({name})")
    if not os.path.exists(path):
        plain = "there is no such file; `syncd migrate` or `syncd run` creates it"
    return StoreUnavailable(f"{begin}{plain} ({name})")


def moved_to(place: str) -> str:
    """Return the sentence with which a file refuses writes after its store was moved to `place`."""
    return f"{MOVED_TO} {place}; set store.url to that"


def require_here(database: sqlite3.Connection, target: str | None = None) -> None:
    """Raise StoreUnusable if the store of this file was moved elsewhere than to `target`."""
    exists = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'settings'").fetchone()
    place = exists and database.execute("SELECT value FROM settings WHERE name = ?", [MOVED]).fetchone()
    if place and place[0] != target:
        raise StoreUnusable(moved_to(place[0]))
