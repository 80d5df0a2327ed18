"""Moving a store from a SQLite file to a PostgreSQL server, once and for all: afterwards nothing more is kept in the file.

While it is copied nobody can write to the file: its daemon answers 503, and senders come again. All is copied in one transaction of
the server, so that an interrupted copy has not happened, and may be begun anew.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from syncd.config import StoreSettings
from syncd.errors import StoreUnavailable
from syncd.store.migrate import verify
from syncd.store.moved import COPIED, MOVED, Progress, require_here, words
from syncd.store.postgresql import server
from syncd.store.postgresql.connection import said
from syncd.store.sqlite.driver import sqlite3
from syncd.store.sqlite.file import immediate, open_file, sentence

# What refers to another table comes after it. Not copied: which steps were applied, and which processes run.
TABLES = (
    "settings", "groups", "releases", "dictionaries", "deliveries", "folded", "quarantine", "issues", "outbox", "trackers", "tracker_facts", "history",
    "silences", "budgets", "aliases", "announcements", "regressions", "storms", "route_pauses",
)  # fmt: skip
BITE = 1000


def copy(source: StoreSettings, target: StoreSettings, progress: Progress) -> dict[str, int]:
    """Move everything from a file to a server: how many rows each table has. A target in use is refused.

    Raises ConfigError, SchemaMismatch, StoreUnavailable; then the file is as it was, and the target has nothing in it, or a copy
    that no daemon has used, which is replaced the next time.
    """
    verify(source.path, target.place)
    server.apply(target)
    try:
        database = open_file(source.path, "rw")
        try:
            with immediate(database):
                require_here(database, target.place)
                database.execute("DELETE FROM settings WHERE name = ?", [MOVED])  # of the copy before, if there was one
                with server.connected(target) as session, session.transaction():
                    counts = _copy_all(database, session, source, target, progress)
                # Only now: a file that is given up before its copy is on the server's disk would be lost with it.
                _give_up(database, target.place)
        finally:
            database.close()
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(sentence(source.path, error)) from None
    except psycopg.Error as error:
        raise StoreUnavailable(f"the database {target.place} cannot be used: {said(error)}") from None
    return counts


def _copy_all(
    database: sqlite3.Connection,
    session: psycopg.Connection[Any],
    source: StoreSettings,
    target: StoreSettings,
    progress: Progress,
) -> dict[str, int]:
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        session.execute(sql.SQL("SET LOCAL {} = 0").format(sql.Identifier(name)))
    session.execute(sql.SQL("LOCK TABLE settings IN ACCESS EXCLUSIVE MODE"))  # no daemon may open it meanwhile
    _require_unused(session, target)
    counts = {table: int(database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]) for table in TABLES}  # noqa: S608 - our own names
    whole = 2 * sum(counts.values())
    done = 0
    sums = {}
    for table in TABLES:
        columns = _columns(database, table)
        digest = _Digest()
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with session.cursor() as cursor, cursor.copy(query) as copied:
            for row in _rows(database, table, columns):
                digest.add(row)
                copied.write_row(row)
                done += 1
                if done % BITE == 0:
                    progress(f"copying {table}", done, whole)
        sums[table] = digest.value
        _go_on_counting(database, session, table, columns)
    for table in TABLES:
        digest = _Digest()
        for row in _kept(session, table, _columns(database, table)):
            digest.add(row)
            done += 1
            if done % BITE == 0:
                progress(f"verifying {table}", done, whole)
        if digest.value != sums[table]:
            raise StoreUnavailable(
                f"the rows of {table} are not the same on the server ({digest.value[0]} there, {sums[table][0]} in "
                f"{source.path}); nothing was moved"
            )
    session.execute("INSERT INTO settings (name, value) VALUES (%s, %s)", [COPIED, str(source.path)])
    progress("done", whole, whole)
    return counts


def _require_unused(session: psycopg.Connection[Any], target: StoreSettings) -> None:
    """Empty the target of a copy that nobody has used. Raises StoreUnavailable where there is anything else in it."""
    unused = session.execute("SELECT 1 FROM settings WHERE name = %s", [COPIED]).fetchone()
    filled = [table for table in TABLES if session.execute(_any(table)).fetchone()]
    if filled and not unused:
        raise StoreUnavailable(
            f"the database {target.place} is not empty: it has rows in {', '.join(filled)}; make a new one for the copy"
        )
    session.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, TABLES))))


def _any(table: str) -> sql.Composed:
    return sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in database.execute(f"PRAGMA table_info({table})").fetchall()]


def _rows(database: sqlite3.Connection, table: str, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """All rows, as PostgreSQL can keep them: it knows no U+0000 in a text."""
    cursor = database.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - our own names
    while rows := cursor.fetchmany(BITE):
        for row in rows:
            yield tuple(value.replace("\x00", "") if isinstance(value, str) else value for value in row)


def _kept(session: psycopg.Connection[Any], table: str, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table))
    with session.cursor(name="kept") as cursor:  # a cursor of the server's: not all rows at once
        cursor.itersize = BITE
        yield from cursor.execute(query)


def _go_on_counting(
    database: sqlite3.Connection, session: psycopg.Connection[Any], table: str, columns: Sequence[str]
) -> None:
    """Numbers are never given twice, those of rows that are gone included."""
    if "id" not in columns:
        return
    used = database.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table]).fetchone()
    if used and used[0]:
        session.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, used[0]])


def _give_up(database: sqlite3.Connection, place: str) -> None:
    """Let nobody write to the file any more: not a daemon that still runs on it, and none that is started on it."""
    database.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", [MOVED, place])
    told = words(place).replace("'", "''")
    for table, change in (
        ("deliveries", "INSERT"),
        ("deliveries", "UPDATE"),
        ("outbox", "INSERT"),
        ("outbox", "UPDATE"),
    ):
        database.execute(
            f"CREATE TRIGGER IF NOT EXISTS moved_{table}_{change.lower()} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
        )


class _Digest:
    """How many rows a table has, and a sum of their digests, which does not depend on their order: databases sort texts differently."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0

    def add(self, row: Sequence[object]) -> None:
        """One more row."""
        told = repr([bytes(value) if isinstance(value, memoryview) else value for value in row])
        self._count += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(told.encode()).digest(), "big")) % 2**256

    @property
    def value(self) -> tuple[int, int]:
        return self._count, self._sum
