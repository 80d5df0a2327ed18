"""A store for simulated processes: the real schema, queries and operations over SQLite in memory, one transaction at a time.

Group commit, the writer thread and fsync are left out: power cuts and full disks have proofs of their own. What is kept is that a
transaction is whole or nothing, that its caller may die before it or after it, and that a commit may be reported failed although it
was made.
"""

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from syncd.errors import StoreUnavailable
from syncd.platform.clock import Clock
from syncd.store import queries
from syncd.store.connection import Connection, Room, Transaction
from syncd.store.migrate import migrate
from syncd.store.sqlite.connection import Cursor
from syncd.store.sqlite.file import sqlite3
from tests.simulation.scheduler import Owner, Scheduler

T = TypeVar("T")


@functools.cache
def _template(folder: str) -> Any:
    path = Path(folder) / "template.db"
    migrate(path, Clock())
    return sqlite3.connect(str(path))


@functools.cache
def _texts() -> Mapping[str, str]:
    return queries.load("sqlite")


class Database:
    """The file that all processes share."""

    def __init__(self, scheduler: Scheduler, folder: Path) -> None:
        self.scheduler = scheduler
        self.away = False
        self.fail_before = 0  # so many next commits are not made, and reported failed
        self.fail_after = 0  # so many next commits are made, and reported failed
        self.session: Any = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=500
        )
        _template(str(folder)).backup(self.session)
        self.session.execute("PRAGMA foreign_keys=ON")
        self.cursor = Cursor(self.session, _texts())
        self.after_commit: Callable[[], None] = lambda: None

    def rows(self, query: str, *values: object) -> list[dict[str, object]]:
        """Return the rows of a query of the invariants' own. It is no point of the schedule."""
        cursor = self.session.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def close(self) -> None:
        """Free the memory."""
        self.session.close()


class SimulatedConnection(Connection):
    """`Connection` of one process to the shared database."""

    def __init__(self, database: Database, process: Owner) -> None:
        self._database = database
        self._process = process
        self.place = "simulation"
        self.fault: str | None = None
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
        label = _label(operation)
        database.scheduler.point(f"{label}: before")
        self._require_life()
        session = database.session
        session.execute("BEGIN IMMEDIATE")
        changes = session.total_changes
        try:
            outcome = operation(database.cursor)
        except BaseException:
            session.execute("ROLLBACK")
            raise
        if database.fail_before:
            database.fail_before -= 1
            session.execute("ROLLBACK")
            raise StoreUnavailable("the commit failed")
        session.execute("COMMIT")
        if session.total_changes > changes:
            database.after_commit()
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
        session = database.session
        session.execute("BEGIN")
        try:
            outcome = operation(database.cursor)
        finally:
            session.execute("ROLLBACK")
        database.scheduler.point(f"{_label(operation)}: read")
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


def _label(operation: Callable[..., object]) -> str:
    """Return the store operation that a transaction belongs to: `Issues.link` of `Issues.link.<locals>.write`."""
    inner = operation
    while isinstance(inner, functools.partial):
        inner = inner.func
    return inner.__qualname__.split(".<locals>")[0]
