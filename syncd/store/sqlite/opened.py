"""One connection to a SQLite file, and which file that is."""

from pathlib import Path

from syncd.errors import StoreUnavailable
from syncd.store.sqlite.driver import sqlite3
from syncd.store.sqlite.file import open_file

WAL_BYTES = 16 * 2**20


class Opened:
    """A connection, and which file it was opened on: SQLite goes on with one that was deleted or replaced since, and
    whatever is committed there is lost with the process."""

    def __init__(self, path: Path) -> None:
        self.database = open_file(path, "rw")
        self._path = path
        self._file = _identity(path)

    def in_place(self) -> bool:
        """Whether the path still leads to the file."""
        return self._file is not None and _identity(self._path) == self._file

    def require_in_place(self) -> None:
        """Raise StoreUnavailable unless it does."""
        if not self.in_place():
            raise StoreUnavailable(
                f"the database {self._path} was deleted or replaced; nothing more is kept in the old one"
            )

    def tidy(self) -> None:
        """When nobody writes, put what is in the log into its place, and give the log's room back where a burst made it large: readers read
        past it."""
        try:
            large = self._path.with_name(f"{self._path.name}-wal").stat().st_size > WAL_BYTES
            self.database.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if large else 'PASSIVE'})").fetchall()
        except (sqlite3.Error, OSError):
            return  # a reader keeps it, or there is none; the next commit tells what is wrong with the file, if anything is

    def close(self) -> None:
        """Give the connection back.

        The last one to a file removes its log by name, and SQLite tells another file in its place only by its inode (os_unix.c,
        fileHasMoved): one that lingered after a disk was replaced by its copy would remove the log of the copy.
        """
        self.database.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
