"""Moving a store from a SQLite file to a PostgreSQL server, once: afterwards the file refuses writes.

During the copy nobody can write to the file: its daemon answers 503, and senders try again. The copy is one transaction of the
server: after an interruption it has not happened, and can be started again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from syncd.config import StoreSettings
from syncd.errors import StoreUnavailable
from syncd.platform.clock import Clock
from syncd.store import audit, queries
from syncd.store.migrate import verify
from syncd.store.postgresql import server
from syncd.store.postgresql.connection import sentence as server_sentence
from syncd.store.sqlite.file import COPIED, MOVED, immediate, moved_to, open_file, require_here, sqlite3, trouble

Progress = Callable[[str, int, int], None]  # what is being done, rows done, rows in all

# A table comes after those it refers to. Migration steps and running processes are not copied.
TABLES = (
    "settings", "groups", "releases", "project_releases", "countings", "dictionaries", "deliveries", "folded", "quarantine", "issues", "outbox", "trackers", "tracker_facts", "history",
    "silences", "budgets", "aliases", "announcements", "regressions", "storms", "route_pauses", "strays", "adoptions", "audit",
    "hooks", "hook_reports", "notices", "channels",
)  # fmt: skip
CHUNK_ROWS = 1000
_TRIGGER = "moved_"  # begins the names of the triggers that refuse writes


def copy(source: StoreSettings, target: StoreSettings, progress: Progress, clock: Clock, actor: str) -> dict[str, int]:
    """Move everything from a file to a server, and return how many rows each table had. A target in use is refused. The move is an entry of the
    server's audit by `actor`.

    Raises ConfigError, SchemaMismatch, StoreUnavailable; then the file is unchanged, and the target is empty or has a copy that no
    daemon has used, which the next try replaces.
    """
    verify(source.path, target.place)
    server.apply(target, clock)
    try:
        database = open_file(source.path, "rw")
        try:
            with immediate(database):
                require_here(database, target.place)
                # An earlier copy refuses every write to the file.
                triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB ?"
                for (name,) in database.execute(triggers, [f"{_TRIGGER}*"]).fetchall():
                    database.execute(f"DROP TRIGGER {name}")
                database.execute("DELETE FROM settings WHERE name = ?", [MOVED])
                with server.connected(target, clock) as session:
                    counts = _copy_all(database, session, source, target, progress)
                    entry = audit.values(
                        actor, "migrate-store", audit.STORE, f"{source.place} → {target.place}", clock.wall()
                    )
                    session.execute(queries.load("postgresql")["record_audit"], entry)
                # Only now: the copy has to be on the server's disk first.
                refuse_writes(database, target.place)
        finally:
            database.close()
    except (sqlite3.Error, OSError) as error:
        raise trouble(source.path, error) from None
    except psycopg.Error as error:
        raise StoreUnavailable(f"the database {target.place} cannot be used: {server_sentence(error)}") from None
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
    total = 2 * sum(counts.values())
    columns = {
        table: [str(row[1]) for row in database.execute(f"PRAGMA table_info({table})").fetchall()] for table in TABLES
    }
    done = 0
    sums = {}
    for table in TABLES:
        digest = _Digest()
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns[table]))
        )
        with session.cursor() as cursor, cursor.copy(query) as copied:
            for row in _rows(database, table, columns[table]):
                digest.add(row)
                copied.write_row(row)
                done += 1
                if done % CHUNK_ROWS == 0:
                    progress(f"copying {table}", done, total)
        sums[table] = digest
        _continue_numbering(database, session, table, columns[table])
    for table in TABLES:
        digest = _Digest()
        query = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns[table])), sql.Identifier(table)
        )
        with session.cursor(name="copied") as cursor:  # a server-side cursor: not all rows at once
            cursor.itersize = CHUNK_ROWS
            for row in cursor.execute(query):
                digest.add(row)
                done += 1
                if done % CHUNK_ROWS == 0:
                    progress(f"verifying {table}", done, total)
        if digest != sums[table]:
            raise StoreUnavailable(
                f"the rows of {table} are not the same on the server ({digest.count} there, {sums[table].count} in "
                f"{source.path}); nothing was moved"
            )
    session.execute("INSERT INTO settings (name, value) VALUES (%s, %s)", [COPIED, str(source.path)])
    progress("done", total, total)
    return counts


def _require_unused(session: psycopg.Connection[Any], target: StoreSettings) -> None:
    """Empty the target of a copy that no daemon has used. Raises StoreUnavailable if it has anything else in it."""
    unused = session.execute("SELECT 1 FROM settings WHERE name = %s", [COPIED]).fetchone()
    first = sql.SQL("SELECT 1 FROM {} LIMIT 1")
    filled = [table for table in TABLES if session.execute(first.format(sql.Identifier(table))).fetchone()]
    if filled and not unused:
        raise StoreUnavailable(
            f"the database {target.place} is not empty: it has rows in {', '.join(filled)}; make a new one for the copy"
        )
    session.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, TABLES))))


def _rows(database: sqlite3.Connection, table: str, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Yield all rows, without U+0000 in texts, which PostgreSQL cannot store."""
    cursor = database.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - our own names
    while rows := cursor.fetchmany(CHUNK_ROWS):
        for row in rows:
            yield tuple(value.replace("\x00", "") if isinstance(value, str) else value for value in row)


def _continue_numbering(
    database: sqlite3.Connection, session: psycopg.Connection[Any], table: str, columns: Sequence[str]
) -> None:
    """Continue the numbering of the file: a number is never used twice, not even that of a removed row."""
    if "id" not in columns:
        return
    used = database.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table]).fetchone()
    if used and used[0]:
        session.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, used[0]])


def refuse_writes(database: sqlite3.Connection, place: str) -> None:
    """Refuse every later write to the file, whatever table it is about, by triggers: of a daemon that still runs on it as of any that
    starts on it."""
    database.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", [MOVED, place])
    message = moved_to(place).replace("'", "''")
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    for (table,) in database.execute(tables).fetchall():
        for change in ("INSERT", "UPDATE", "DELETE"):
            database.execute(
                f"CREATE TRIGGER {_TRIGGER}{table}_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )


@dataclass(slots=True)
class _Digest:
    """The number of rows of a table and a sum of their digests. The sum does not depend on their order: databases sort texts differently."""

    count: int = 0
    total: int = 0

    def add(self, row: Sequence[object]) -> None:
        """Count a row and add its digest."""
        text = repr([bytes(value) if isinstance(value, memoryview) else value for value in row])
        self.count += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")) % 2**256
