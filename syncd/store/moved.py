"""Stores that were moved: a file that is given up, and a copy that no daemon has used yet."""

from collections.abc import Callable

from syncd.errors import StoreUnavailable
from syncd.store.sqlite.driver import sqlite3

Progress = Callable[[str, int, int], None]  # what is done, how many rows of how many

MOVED = "store.moved"  # in the file: where to
COPIED = "store.copied"  # on the server: where from; gone as soon as a daemon uses it

_WORDS = "this store was moved to"


def words(place: str) -> str:
    """What is told to whoever uses the file nevertheless."""
    return f"{_WORDS} {place}; set store.url to that"


def given_up(error: Exception) -> bool:
    """Whether that is what SQLite says: the triggers of a file that was given up say it in these words."""
    return str(error).startswith(_WORDS)


def require_here(database: sqlite3.Connection, target: str | None = None) -> None:
    """Raises StoreUnavailable where a file's store was moved elsewhere than to `target`."""
    made = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'settings'").fetchone()
    found = made and database.execute("SELECT value FROM settings WHERE name = ?", [MOVED]).fetchone()
    if found and found[0] != target:
        raise StoreUnavailable(words(found[0]))
