"""The driver of SQLite: the one that sqlite-utils chooses (sqlite_utils/utils.py), without the tenth of a second that importing all of
it adds to every command."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["sqlite3"]
