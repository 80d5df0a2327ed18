"""A store for simulated processes: the real schema, queries and operations over SQLite in memory, one transaction at a time.

Group commit, the writer thread and fsync are left out: power cuts and full disks have proofs of their own. What is kept is that a
transaction is whole or nothing, that its caller may die before it or after it, and that a commit may be reported failed although it
was made.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from syncd.errors import StoreUnavailable
from syncd.platform.clock import Clock
from syncd.store import move, queries
from syncd.store.connection import Connection, First, Room, Transaction
from syncd.store.due_times import DueTimes
from syncd.store.migrate import migrate
from syncd.store.sqlite.connection import Cursor
from syncd.store.sqlite.file import MOVED_TO, sqlite3
from tests.simulation.scheduler import Owner, Scheduler

T = TypeVar("T")

_WRITTEN = re.compile(r"(?:UPDATE|INTO|DELETE FROM) (\w+)")
# Writes after which no more is due than before: they wake nobody.
_SETTLING = frozenset({
    "claim_group", "renew", "settle", "drop_claim", "bury", "forget_waiting", "discard_dead", "claim_deliveries", "purge_deliveries",
    "reject_delivery", "raise_floor", "lower_floor", "lower_issue_floor", "floor_read", "numbers_passed", "forget_floor_reads", "add_stray", "remove_stray", "begin_trial", "pause", "silence", "spend", "pause_route", "storm_goes_on", "end_storm",
})  # fmt: skip


@functools.cache
def texts() -> dict[str, str]:
    """Return the queries of all simulated processes, by name."""
    return queries.load("sqlite")


@functools.cache
def _tables() -> Mapping[str, str]:
    """The table that a query writes to, by the query's name. A query that only reads is not in it."""
    return {name: match[1] for name, text in texts().items() if (match := _WRITTEN.search(text))}


def written(changes: Iterable[str]) -> set[str]:
    """Return the tables that these queries write to."""
    return {_tables()[query] for query in changes if query in _tables()}


# Databases of runs that are over, by the folder of their template. Parsing a schema and compiling its queries takes longer than a run.
_idle: dict[str, list[Any]] = {}


def _opened(folder: str) -> Any:
    if _idle.get(folder):
        return _idle[folder].pop()
    path = Path(folder) / "template.db"
    if not path.exists():
        migrate(path, Clock())
    session = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=500)
    template = sqlite3.connect(str(path))
    template.backup(session)
    template.close()
    return session


class Watched:
    """The transaction of one operation. It counts the rows that each query changed; `written` gets the tables in which it may have left
    work to others."""

    def __init__(self, cursor: Transaction, changes: Counter[str], written: set[str]) -> None:
        self._cursor = cursor
        self._changes = changes
        self._written = written
        self._tables = _tables()

    def _note(self, query: str, rows: int) -> None:
        if rows > 0 and query in self._tables:
            self._changes[query] += rows
            if query not in _SETTLING:
                self._written.add(self._tables[query])

    def rows(self, query: str, **parameters: object) -> list[dict[str, object]]:
        rows = self._cursor.rows(query, **parameters)
        self._note(query, len(rows))
        return rows

    def run(self, query: str, **parameters: object) -> int:
        count = self._cursor.run(query, **parameters)
        self._note(query, count)
        return count

    def batch(self, query: str, rows: Sequence[Sequence[object]]) -> list[dict[str, object]]:
        fetched = self._cursor.batch(query, rows)
        self._note(query, len(rows))
        return fetched

    def add(self, query: str, rows: Sequence[Sequence[object]]) -> list[int]:
        self._note(query, len(rows))
        return self._cursor.add(query, rows)

    def lock(self, name: str) -> None:
        self._cursor.lock(name)


class Shared:
    """What all processes share: the faults that its commits have next, and queries that are no point of the schedule."""

    session: Any  # of either driver

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.away = False
        self.fail_at = ""  # the next commit in which this query changed a row is not made, and reported failed
        self.fail_before = 0  # so many next commits are not made, and reported failed
        self.fail_after = 0  # so many next commits are made, and reported failed
        self.changes = Counter[str]()  # rows that each query changed, in transactions that were committed
        self.after_commit: Callable[[Counter[str], set[str]], None] = lambda changes, tables: None

    def rows(self, query: str, *values: object) -> list[dict[str, object]]:
        """Return the rows of a query of the invariants' own. It is no point of the schedule."""
        cursor = self.session.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def exists(self, query: str) -> bool:
        """Report whether a query of the invariants' own has a row."""
        return self.session.execute(query).fetchone() is not None


class Database(Shared):
    """The file that all processes share."""

    shared = False  # by several machines

    def __init__(self, scheduler: Scheduler, folder: Path) -> None:
        super().__init__(scheduler)
        self.is_moved = False
        self._folder = str(folder)
        self.session = _opened(self._folder)
        self.session.execute("PRAGMA foreign_keys=ON")
        self.cursor = Cursor(self.session, texts())

    def connect(self, process: Owner, clock: Clock) -> Connection:
        """Return the connection of a process."""
        return SimulatedConnection(self, process)

    def due_times(self, connection: Connection, clock: Clock) -> DueTimes:
        """Return the due times of a process."""
        return DueTimes(connection, clock)

    def move(self) -> "Database":
        """Move everything to another database, as `migrate-store` does, and return that. This one refuses writes from then on."""
        target = Database(self.scheduler, Path(self._folder))
        target.away, target.fail_before, target.fail_after = self.away, self.fail_before, self.fail_after
        target.changes, target.after_commit = self.changes, self.after_commit
        self.session.backup(target.session)
        move.refuse_writes(self.session, "postgresql://db/syncd")
        self.is_moved = True
        return target

    def close(self) -> None:
        """Empty the database and keep it for another run."""
        session = self.session
        if self.is_moved:
            session.close()
            return
        session.execute("PRAGMA foreign_keys=OFF")
        tables = session.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_migrations'")
        for (table,) in tables.fetchall():
            session.execute(f"DELETE FROM {table}")
        _idle.setdefault(self._folder, []).append(session)


class SimulatedConnection(Connection):
    """`Connection` of one process to the shared database."""

    def __init__(self, database: Database, process: Owner) -> None:
        self._database = database
        self._process = process
        self.place = "simulation"
        self.fault: str | None = None
        self.first: First = lambda: None
        self.beat = 0.0

    def submit(self, operation: Callable[[Transaction], T], *, atomic: bool = False) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(self.write(operation))
        except Exception as error:  # noqa: BLE001 - a future carries whatever it is
            future.set_exception(error)
        return future

    def write(self, operation: Callable[[Transaction], T], *, exclusive: bool = True) -> T:
        """Run one transaction between two points."""
        database = self._database
        label = label_of(operation)
        database.scheduler.point(f"{label}: before")
        self._require_life()
        session, changes, tables = database.session, Counter[str](), set[str]()
        session.execute("BEGIN IMMEDIATE")
        try:
            if (first := self.first()) is not None:
                first(Watched(database.cursor, changes, tables))
            outcome = operation(Watched(database.cursor, changes, tables))
        except BaseException as error:
            session.execute("ROLLBACK")
            if str(error).startswith(MOVED_TO):
                raise StoreUnavailable(str(error)) from None
            raise
        if database.fail_before or database.fail_at in changes:
            database.fail_before, database.fail_at = max(0, database.fail_before - 1), ""
            session.execute("ROLLBACK")
            raise StoreUnavailable("the commit failed")
        session.execute("COMMIT")
        if changes:
            database.changes.update(changes)
            database.after_commit(changes, tables)
        if database.fail_after:
            database.fail_after -= 1
            database.scheduler.record("commit reported failed", label)
            raise StoreUnavailable("the commit failed")
        database.scheduler.point(f"{label}: after")
        return outcome

    def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run one read between two points."""
        database = self._database
        self._require_life()
        outcome = operation(database.cursor)
        database.scheduler.point(f"{label_of(operation)}: read")
        return outcome

    def _require_life(self) -> None:
        if self._process.is_dead:
            raise StoreUnavailable("this process is dead")
        if self._database.away:
            raise StoreUnavailable("the store is away")

    def room(self) -> Room:
        return Room(0)

    def close(self) -> None:
        return


def label_of(operation: Callable[..., object]) -> str:
    """Return the store operation that a transaction belongs to: `Issues.link` of `Issues.link.<locals>.write`."""
    while isinstance(operation, functools.partial):
        operation = operation.func
    return operation.__qualname__.partition(".<locals>")[0]
