"""The store of simulated processes on a real PostgreSQL server: each statement is a point of the schedule.

The program's own `Postgresql` runs over sessions that let any other task go on before each statement. A statement that waits for a lock
of another session gives control back, and its task goes on once the server has granted the lock. Whenever a task runs, every other
session is idle or waits for a lock, so that the order of a run depends on its seed alone.

Left out: the pool, hints, and the server's timeouts in real time. What those timeouts do is counted in simulated seconds.
"""

import functools
import select
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar, cast

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg_pool import PoolTimeout

from syncd.config import StoreSettings
from syncd.platform.clock import Clock
from syncd.store import bring_up, queries
from syncd.store.connection import Connection, Transaction
from syncd.store.due_times import DueTimes
from syncd.store.move import TABLES
from syncd.store.postgresql.connection import BOUNDED, DURABLE, IDLE_MS, LOCK_MS, Cursor, Postgresql, Text
from syncd.store.postgresql.server import SharedDueTimes
from tests.postgres import databases
from tests.simulation.database import Shared, Watched, label_of
from tests.simulation.history import History
from tests.simulation.scheduler import Owner, Scheduler, Task

T = TypeVar("T")

ANSWER_SECONDS = 0.002  # a statement without an answer after this real time may be waiting for a lock
HURRY = 0.01
VACUUM_RUNS = 20
MAX_SWITCHES = 300_000  # each statement is one
READ, WRITE = 1, 2  # psycopg.waiting


class Session(psycopg.Connection[dict[str, Any]]):
    """A session of a simulated process."""

    database: "ServerDatabase | None" = None  # None between two runs
    process: Owner
    task: Task | None = None  # the task that waits for a lock
    in_use = False
    active_at = 0.0

    def begin(self) -> "tuple[Counter[str], set[str]]":
        """Begin the record of what the transaction changes: rows by query, and the tables that may have work for somebody."""
        self.changes, self.tables = Counter[str](), set[str]()
        return self.changes, self.tables

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Run one statement at a point of the schedule."""
        if self.database is None:
            return super().execute(query, params, **options)
        self.database.before(self, query)
        for settings in (f"; {DURABLE}", f"; {BOUNDED}"):
            query = query.replace(settings, "")
        cursor = super().execute(query, params, **options)
        self.database.after(self, cursor)
        return cursor

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server's answer, and let other tasks go on while the statement waits for a lock."""
        if self.database is None:
            return super().wait(gen, interval, timeout)
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(self.database.ready(self, wanted))
        except StopIteration as finished:
            return finished.value
        except psycopg.errors.QueryCanceled:
            raise psycopg.errors.LockNotAvailable("canceling statement due to lock timeout") from None

    @property
    def is_idle(self) -> bool:
        """Report whether no transaction is open."""
        return self.pgconn.transaction_status == TransactionStatus.IDLE


class Monitor:
    """The session of the run itself: it reads what is committed, and is no point of the schedule."""

    def __init__(self, url: str) -> None:
        self._session: Any = psycopg.connect(url, autocommit=True, prepare_threshold=None)

    def execute(self, query: str, values: Sequence[object] = ()) -> Any:
        """Run a statement with `?` for its parameters."""
        if values:
            query = query.replace("%", "%%").replace("?", "%s")
        try:
            return self._session.execute(query, list(values) or None)
        except psycopg.Error as error:
            raise AssertionError(f"{error}: {query}") from None  # a mistake of the simulation, no fault of the store

    def close(self) -> None:
        """End the session."""
        self._session.close()


class Server:
    """A database for one run after the other, and the sessions that are left from run to run."""

    def __init__(self, url: str) -> None:
        bring_up(StoreSettings(url=url))
        self._url = url
        self._free: list[Session] = []
        self.monitor = Monitor(url)
        self.reader: Any = psycopg.connect(url, autocommit=True, prepare_threshold=None, row_factory=dict_row)
        self._runs = 0
        sequences = self.monitor.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'").fetchall()
        numbering = ", ".join(f"setval('{sequence}', 1, false)" for (sequence,) in sequences)
        deletions = "; ".join(f"DELETE FROM {table}" for table in ("instances", *reversed(TABLES)))
        self._emptying = f"{deletions}; SELECT {numbering}"
        for table in (*TABLES, "instances"):
            # Statistics would change the plans, and with them the order of rows, from run to run.
            self.monitor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")

    def session(self) -> Session:
        """Return a session that nobody uses."""
        if self._free:
            return self._free.pop()
        session = Session.connect(self._url, autocommit=True, row_factory=cast(Any, dict_row), prepare_threshold=None)
        session.adapters.register_dumper(str, Text)
        # The commits of a run need not outlive the server, and its waits are counted in simulated time.
        for setting in ("synchronous_commit = off", "timezone = 'UTC'", "deadlock_timeout = '5ms'"):
            with suppress(psycopg.errors.InsufficientPrivilege):
                session.execute(f"SET {setting}")
        return session

    def give_back(self, session: Session) -> None:
        """Keep an idle session for the next run."""
        session.database = None
        self._free.append(session)

    def clear(self) -> None:
        """Make the database as it was before the first run."""
        # Not TRUNCATE, which makes eighty files anew and waits for the disk.
        self.monitor.execute(self._emptying)
        self._runs += 1
        if self._runs % VACUUM_RUNS == 1:
            self.monitor.execute("VACUUM")

    def close(self) -> None:
        """End all sessions."""
        for session in (*self._free, self.monitor, self.reader):
            session.close()


def crowd(history: History) -> History:
    """Return the history with several processes, which have much to do at the same time."""
    setup = replace(history.setup, processes=max(2, history.setup.processes), syncers=2)
    if history.seed % 2:
        return replace(history, setup=setup)
    hurried = tuple(replace(entry, at=entry.at * HURRY) for entry in history.operations)
    return replace(history, setup=setup, operations=hurried)


@contextmanager
def server() -> Iterator[Server]:
    """A database for simulated runs, on a server that is started for them or that SYNCD_TEST_POSTGRES_URL names."""
    with databases() as made:
        opened = Server(made.new())
        try:
            yield opened
        finally:
            opened.close()


class ServerDatabase(Shared):
    """The database of one run."""

    shared = True

    def __init__(self, scheduler: Scheduler, server: Server, counts: Counter[str]) -> None:
        super().__init__(scheduler)
        self.counts = counts  # of the run
        self.session = server.monitor
        self.cursor = Cursor(server.reader, _texts())
        self.is_over = False
        scheduler.max_switches = MAX_SWITCHES
        self._server = server
        self._sessions: list[Session] = []
        server.clear()

    def connect(self, process: Owner, clock: Clock) -> Connection:
        """Return the connection of a process."""
        return ServerConnection(self, process, clock)

    def due_times(self, connection: Connection, clock: Clock) -> DueTimes:
        """Return the due times of a process."""
        assert isinstance(connection, Postgresql)
        return SharedDueTimes(connection, clock)

    def open(self, process: Owner) -> Session:
        """Return a session for a process."""
        session = next((idle for idle in self._sessions if not idle.in_use and idle.process is process), None)
        if session is None:
            session = self._server.session()
            session.process, session.database = process, self
            self._sessions.append(session)
        session.in_use, session.task, session.active_at = True, None, self.scheduler.now
        session.begin()
        return session

    def forget(self, session: Session) -> None:
        """Leave out a session that has ended."""
        if session in self._sessions:
            self._sessions.remove(session)

    def before(self, session: Session, statement: str) -> None:
        """Stand at the point before a statement. Raises psycopg.Error where the process has lost its session."""
        if self.is_over:
            raise psycopg.OperationalError("the run is over")
        self.scheduler.point(statement.split(maxsplit=1)[0])
        self._sweep()
        if session.process.is_dead or self.is_over:
            raise psycopg.OperationalError("this process is dead")
        if self.away and not session.closed:
            self._terminate(session)
        elif statement == "COMMIT" and session.changes and (self.fail_before or self.fail_at in session.changes):
            self.fail_before, self.fail_at = max(0, self.fail_before - 1), ""
            self._terminate(session)
        elif statement in ("COMMIT", "ROLLBACK"):
            self._release_one(session)

    def after(self, session: Session, cursor: Any) -> None:
        """Note what a statement did. Raises psycopg.Error where a commit is to be reported failed."""
        session.active_at = self.scheduler.now
        if not session.is_idle:
            return
        self._settle()
        if cursor.statusmessage != "COMMIT" or not session.changes:
            return
        self.changes.update(session.changes)
        self.after_commit(session.changes, session.tables)
        if self.fail_after:
            self.fail_after -= 1
            self.scheduler.record("commit reported failed")
            self._terminate(session)
            raise psycopg.errors.ConnectionFailure("the connection broke during the commit")

    def ready(self, session: Session, wanted: int) -> int:
        """Wait until the server has answered; READ and WRITE."""
        while True:
            reading, writing = [session] if wanted & READ else [], [session] if wanted & WRITE else []
            readable, writable, _ = select.select(reading, writing, [], ANSWER_SECONDS)
            if readable or writable:
                return READ * bool(readable) | WRITE * bool(writable)
            if self._stands(session):
                self._park(session)

    def _park(self, session: Session) -> None:
        """Let other tasks go on until the server has granted the lock, or the statement has waited too long."""
        session.task = self.scheduler._current
        self.counts["lock waited for"] += 1
        self.scheduler.record("waits for a lock")
        self.scheduler.sleep(LOCK_MS / 1000, "waits for a lock")
        session.task = None
        if session.process.is_dead or self.is_over:
            raise psycopg.OperationalError("this process is dead")
        if not _has_answer(session):
            self._cancel(session)

    def _release_one(self, session: Session) -> None:
        """Let only one of the statements that wait for the rows of this session go on with its end, the one that has waited longest; the
        others have waited too long. The server wakes all of them at once, and which of them is faster depends on the machine."""
        waiting = {
            each.info.backend_pid: each for each in self._sessions if each.task is not None and not _has_answer(each)
        }
        if len(waiting) < 2:
            return
        query = (
            "SELECT pid FROM pg_locks WHERE NOT granted AND locktype IN ('tuple', 'transactionid') AND pid = ANY(?) "
            "AND ? = ANY(pg_blocking_pids(pid))"
        )
        pids = {pid for (pid,) in self.session.execute(query, [list(waiting), session.info.backend_pid]).fetchall()}
        behind = "SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'tuple' AND pid = ANY(?) AND pg_blocking_pids(pid) && ?::int[]"
        pids |= {pid for (pid,) in self.session.execute(behind, [list(waiting), list(pids)]).fetchall()}
        for late in sorted((waiting[pid] for pid in pids), key=lambda each: each.active_at)[1:]:
            self._cancel(late)

    def _cancel(self, session: Session) -> None:
        """Let a statement wait no longer for its lock."""
        self.counts["lock not granted in time"] += 1
        session.pgconn.get_cancel().cancel()
        select.select(
            [session], [], []
        )  # not a moment later: whether the server has cancelled it already depends on the machine

    def _stands(self, *sessions: Session) -> bool:
        """True if each of these statements waits, itself or behind others, for a session whose transaction is open and which runs no
        statement. One that waits for a statement that runs goes on by itself, and the server ends one of several that wait for each other."""
        waiting = {
            each.info.backend_pid: each for each in self._sessions if each.task is not None and not _has_answer(each)
        }
        waiting |= {each.info.backend_pid: each for each in sessions}
        query = "SELECT pid, pg_blocking_pids(pid) FROM unnest(?::int[]) AS several (pid)"
        blockers = dict(self.session.execute(query, [list(waiting)]).fetchall())
        standing, before = set[int](), -1
        while before < len(standing):
            before = len(standing)
            standing |= {
                pid for pid in waiting if any(each not in waiting or each in standing for each in blockers[pid])
            }
        return all(each.info.backend_pid in standing for each in sessions)

    def _settle(self) -> None:
        """Wait until every statement that waited for a lock has an answer or waits for another one, and wake the tasks with an answer."""
        while waiting := [each for each in self._sessions if each.task is not None and not _has_answer(each)]:
            if self._stands(*waiting):
                break
            select.select(waiting, [], [], ANSWER_SECONDS)
        for session in self._sessions:
            if session.task is not None and _has_answer(session):
                session.task.wake_at = min(session.task.wake_at, self.scheduler.now)

    def _sweep(self) -> None:
        """End the sessions of dead processes, and those that were idle in a transaction for too long: their processes are suspended."""
        oldest = self.scheduler.now - IDLE_MS / 1000
        for session in list(self._sessions):
            stalled = session.in_use and session.task is None and not session.is_idle and session.active_at < oldest
            if session.process.is_dead or stalled:
                self._terminate(session)

    def _terminate(self, session: Session) -> None:
        """End a session as the server would, which rolls its transaction back."""
        self.forget(session)
        if session.is_idle and not session.in_use:
            self._server.give_back(session)
            return
        session.task = None
        self._release_one(session)
        self.counts["session ended by the server"] += 1
        self.session.execute("SELECT pg_terminate_backend(?, 5000)", [session.info.backend_pid])
        self._settle()

    def close(self) -> None:
        """End the run: its tasks stay where they stand."""
        self.is_over = True
        for session in list(self._sessions):
            self._terminate(session)


class Pool:
    """The sessions of one process."""

    def __init__(self, database: ServerDatabase, process: Owner) -> None:
        self._database = database
        self._process = process

    def getconn(self, timeout: float) -> Session:
        """Return a session. Raises PoolTimeout while the server cannot be reached."""
        if self._process.is_dead or self._database.away or self._database.is_over:
            raise PoolTimeout("the store is away")
        return self._database.open(self._process)

    def putconn(self, session: Session) -> None:
        """Take a session back."""
        session.in_use = False
        if session.closed:
            self._database.forget(session)

    def check(self) -> None:
        """Do nothing: each session is ended on its own."""


class ServerConnection(Postgresql):
    """`Postgresql` of one simulated process."""

    def __init__(self, database: ServerDatabase, process: Owner, clock: Clock) -> None:
        self.place = "simulation"
        self.fault: str | None = None
        self.beat = 0.0
        self._clock = clock
        self._texts = _texts()
        self._pool = cast(Any, Pool(database, process))
        self._scheduler, self._counts = database.scheduler, database.counts

    def submit(self, operation: Callable[[Transaction], T], *, atomic: bool = False) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(self.write(operation))
        except Exception as error:  # noqa: BLE001 - a future carries whatever it is
            future.set_exception(error)
        return future

    def write(self, operation: Callable[[Transaction], T], *, exclusive: bool = True) -> T:
        self._scheduler.point(f"{label_of(operation)}: before")

        def watched(transaction: Transaction) -> T:
            session = cast(Session, cast(Cursor, transaction).session)
            return operation(Watched(transaction, *session.begin()))

        outcome = super().write(watched, exclusive=exclusive)
        self._scheduler.point(f"{label_of(operation)}: after")
        return outcome

    def read(self, operation: Callable[[Transaction], T]) -> T:
        outcome = super().read(operation)
        self._scheduler.point(f"{label_of(operation)}: read")
        return outcome

    def ask(self, question: Callable[[Any], T]) -> T:
        return cast(T, self._clock.wall() - self._scheduler.now)

    def _pause(self) -> None:
        self._counts["transaction tried again"] += 1
        self._scheduler.sleep(self._scheduler.random.uniform(0.0, 0.05), "tries again")

    def close(self) -> None:
        return


def _has_answer(session: Session) -> bool:
    return bool(select.select([session], [], [], 0)[0])


@functools.cache
def _texts() -> dict[str, str]:
    return queries.load("postgresql")
