"""PostgreSQL: every write is a transaction on a connection of a pool, and many run at the same time.

SQLite lets one transaction write at a time, and all operations are written for that. Here an operation that may run at the same time as
others says so (`exclusive=False`) and locks the rows it decides by; every other operation waits until it runs alone.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import psycopg
from psycopg.rows import dict_row, scalar_row
from psycopg.types.string import StrDumperUnknown
from psycopg_pool import ConnectionPool, PoolTimeout

from syncd.errors import StoreError, StoreUnavailable, StoreUnusable
from syncd.platform.clock import Clock
from syncd.store import queries
from syncd.store.connection import Connection, First, Room, Transaction

T = TypeVar("T")
Session = psycopg.Connection[dict[str, Any]]

MAX_SESSIONS = 12  # of one process
TRIES = 6
CONNECT_SECONDS = 5.0
FAULTY_SECONDS = 1.0  # the longest wait for a session while the server is unavailable
# The server ends the transactions of a stopped or unreachable process: their locks would hold up all other processes.
IDLE_MS, LOCK_MS, STATEMENT_MS = 10_000, 10_000, 60_000
EXCLUSIVE = 0x73796E6364  # "syncd": the advisory lock that writes share, unless one is exclusive

# Every setting ends with its transaction. A setting of the session would reach whoever a pooler lends the session to next, and what
# somebody else has set there must not weaken a commit.
BOUNDED = (
    f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS}; SET LOCAL lock_timeout = {LOCK_MS};"
    f" SET LOCAL statement_timeout = {STATEMENT_MS}"
)
DURABLE = "SET LOCAL synchronous_commit = on"
# An operation that only adds rows waits for no other one.
_BEGIN_ADDING = f"BEGIN; {DURABLE}; {BOUNDED}"
_BEGIN_EXCLUSIVE = f"{_BEGIN_ADDING}; SELECT pg_advisory_xact_lock({EXCLUSIVE})"
_BEGIN_SHARED = f"{_BEGIN_ADDING}; SELECT pg_advisory_xact_lock_shared({EXCLUSIVE})"
_VIEW = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {BOUNDED}"

# Errors that another try may avoid: a deadlock, a lock that took too long, a snapshot that is too old.
_TRANSIENT = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable)
# Errors of the caller: they would occur anywhere.
_CALLERS = (psycopg.IntegrityError, psycopg.DataError)


class Text(StrDumperUnknown):
    """PostgreSQL stores every character except U+0000, which a tracker may have put into a name."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\x00", "") if "\x00" in obj else obj)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Queries by name on one session."""

    session: Session
    texts: Mapping[str, str]

    def rows(self, query: str, **parameters: object) -> list[dict[str, object]]:
        return _fetched(self.session.execute(cast(Any, self.texts[query]), parameters))

    def run(self, query: str, **parameters: object) -> int:
        return self.session.execute(cast(Any, self.texts[query]), parameters).rowcount

    def batch(self, query: str, rows: Sequence[Sequence[object]]) -> list[dict[str, object]]:
        fetched: list[dict[str, object]] = []
        for text, values in queries.chunks(self.texts[query], "%s", rows):
            fetched += _fetched(self.session.execute(cast(Any, text), values))
        return fetched

    def add(self, query: str, rows: Sequence[Sequence[object]]) -> list[int]:
        fetched: list[int] = []
        for text, values in queries.chunks(f"{self.texts[query]} RETURNING id", "%s", rows):
            fetched += [row["id"] for row in self.session.execute(cast(Any, text), values)]
        return sorted(fetched)  # RETURNING promises no order; the numbers rise in the order of the rows

    def lock(self, name: str) -> None:
        self.session.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _fetched(cursor: psycopg.Cursor[dict[str, Any]]) -> list[dict[str, object]]:
    return list(cursor.fetchall()) if cursor.description is not None else []


class Postgresql(Connection):
    """`Connection` to one database. Its schema must exist: `migrate` creates it."""

    _refusal: str | None = None  # why the last session could not be opened

    def __init__(self, conninfo: Callable[[], str], place: str, clock: Clock) -> None:
        """`place` is the address of the database as people may see it, without secrets."""
        self.place = place
        self._clock = clock
        self.fault: str | None = None
        self.beat = clock.monotonic()
        self.first: First = lambda: None  # no machine moves the times of all
        store = self

        class Prepared(psycopg.Connection[dict[str, Any]]):
            """A session of the pool. The pool does not report why it could not open one; the store does."""

            @classmethod
            def connect(cls, *args: Any, **kwargs: Any) -> Any:
                session = None
                try:
                    session = super().connect(*args, **kwargs)
                    prepare(session)
                except (psycopg.Error, StoreUnavailable) as error:
                    store._refusal = sentence(error)
                    if session is not None:
                        session.close()
                    raise
                store._refusal = None
                return session

        self._texts = queries.load("postgresql")
        self._pool = ConnectionPool(
            conninfo,
            # No prepared statements, here and in every session: a pooler lends them on with the session, and after a newer program adds a
            # column, the server refuses a prepared `SELECT *` for ever.
            kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": None},
            min_size=1,
            max_size=MAX_SESSIONS,
            open=True,
            name="syncd",
            timeout=CONNECT_SECONDS,
            reconnect_timeout=CONNECT_SECONDS,  # afterwards the next caller connects anew, without a back-off of minutes
            num_workers=1,
            connection_class=cast(Any, Prepared),
        )
        # Two, so that a quarantined body does not wait for accepted ones.
        self._submitted = ThreadPoolExecutor(max_workers=2, thread_name_prefix="writer")

    def submit(self, operation: Callable[[Transaction], T], *, atomic: bool = False) -> "Future[T]":  # noqa: ARG002 - a transaction costs little here
        """Run an operation that only adds rows; it does not even wait for exclusive ones."""
        future: Future[T] = Future()
        # A running future cannot be cancelled: what a request has brought is stored though its sender goes away.
        future.set_running_or_notify_cancel()

        def run() -> None:
            try:
                future.set_result(self._persistently(operation, _BEGIN_ADDING))
            except BaseException as error:  # noqa: BLE001 - the thread's boundary: the caller handles it
                future.set_exception(error)

        try:
            self._submitted.submit(run)
        except RuntimeError:
            future.set_exception(StoreUnavailable("the store is closed"))
        return future

    def write(self, operation: Callable[[Transaction], T], *, exclusive: bool = True) -> T:
        return self._persistently(operation, _BEGIN_EXCLUSIVE if exclusive else _BEGIN_SHARED)

    def read(self, operation: Callable[[Transaction], T]) -> T:
        return self._persistently(operation, _VIEW)

    def ask(self, question: Callable[[Session], T]) -> T:
        """Return what `question` fetches. Raises StoreUnavailable."""
        return self._persistently(lambda transaction: question(cast(Cursor, transaction).session), _VIEW)

    def _persistently(self, operation: Callable[[Transaction], T], begin: str) -> T:
        """Run `operation` in a transaction; try again as long as it is certain that nothing was committed and another try may help."""
        for left in reversed(range(TRIES)):
            try:
                result = self._once(operation, begin)
            except _Retry as error:
                if not left:
                    raise StoreUnavailable(self._failed(str(error))) from None
                self._pause()
            else:
                self.beat = self._clock.monotonic()
                if begin is not _VIEW:
                    self.fault = None
                return result
        raise AssertionError("unreachable")

    def _pause(self) -> None:
        """Wait before another try: two transactions that collided should not collide again."""
        time.sleep(random.uniform(0.0, 0.05))  # noqa: S311 - no secret

    def _once(self, operation: Callable[[Transaction], T], begin: str) -> T:
        session = self._session()
        committing = False
        try:
            session.execute(cast(Any, begin))
            result = operation(Cursor(session, self._texts))
            committing = begin is not _VIEW
            status = session.execute("COMMIT").statusmessage
            if status != "COMMIT":
                # COMMIT rolls back a transaction in which a statement failed, and reports no error.
                raise StoreUnavailable(self._failed("the transaction was rolled back"))
        except psycopg.Error as error:
            # Another session is needed, perhaps with another server: this one shuts down, or has become a standby.
            lost = session.closed or (error.sqlstate or "").startswith(("08", "57P", "25006", "25P03"))
            self._end(session, lost=lost)
            if isinstance(error, _CALLERS) and not lost:
                raise
            if lost and committing:
                # The outcome is unknown. The caller acknowledges nothing; a delivery that is sent again counts once.
                raise StoreUnavailable(
                    self._failed(f"the connection broke during a commit ({sentence(error)})")
                ) from None
            if lost or isinstance(error, _TRANSIENT):
                raise _Retry(sentence(error)) from None
            # A missing right, table or column.
            kind = StoreUnusable if (error.sqlstate or "").startswith("42") else StoreUnavailable
            raise kind(self._failed(sentence(error))) from None
        except BaseException:
            self._end(session, lost=False)
            raise
        self._pool.putconn(session)
        return result

    def _session(self) -> Session:
        try:
            return cast(Session, self._pool.getconn(CONNECT_SECONDS if self.fault is None else FAULTY_SECONDS))
        except (PoolTimeout, psycopg.Error) as error:
            self.beat = self._clock.monotonic()
            busy = f"no session is free within {CONNECT_SECONDS:g} s"
            why = self._refusal or busy if isinstance(error, PoolTimeout) else sentence(error)
            raise StoreUnavailable(self._failed(why)) from None

    def _end(self, session: Session, *, lost: bool) -> None:
        """Return a session to the pool after its transaction failed; a broken session is closed."""
        try:
            if not lost and not session.closed:
                session.execute("ROLLBACK")
        except psycopg.Error:
            lost = True  # the session broke, and its transaction ends with it
        if lost:
            session.close()
        self._pool.putconn(session)
        if lost:
            self._pool.check()  # sessions are seldom lost alone: the remaining tries must not get another broken one

    def _failed(self, why: str) -> str:
        self.fault = f"the database {self.place} cannot be used: {why}"
        return self.fault

    def room(self) -> Room:
        return Room(int(self.ask(lambda session: fetch_value(session, "SELECT pg_database_size(current_database())"))))

    def close(self) -> None:
        self._submitted.shutdown(wait=True)
        self._pool.close(timeout=CONNECT_SECONDS)


class _Retry(Exception):
    """Nothing was committed; another try may succeed."""


def prepare(session: psycopg.Connection[Any]) -> None:
    """Make a new session ready for use. Raises StoreUnusable if the server would lose commits."""
    session.adapters.register_dumper(str, Text)
    require_durable(session)


def require_durable(session: psycopg.Connection[Any]) -> None:
    """Raise StoreUnusable if a commit that the server acknowledges may not be on its disk: every answer of 200 rests on it."""
    if setting(session, "fsync") != "on":
        raise StoreUnusable(
            "the PostgreSQL server has fsync = off and would lose acknowledged deliveries: set fsync = on there, and reload it"
        )


def setting(session: psycopg.Connection[Any], name: str) -> str:
    """Return a setting of the server as it is in force in this session."""
    return str(fetch_value(session, "SELECT current_setting(%s)", name))


def fetch_value(session: psycopg.Connection[Any], query: str, *values: object) -> Any:
    """Return the only value of a query, whatever the row factory of the session; None if there is no row."""
    return session.cursor(row_factory=scalar_row).execute(cast(Any, query), values).fetchone()


def sentence(error: Exception) -> str:
    """Return what went wrong, in one line. libpq's messages name hosts and users, never passwords."""
    if isinstance(error, StoreError):
        return str(error)
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"{first[:300]} ({getattr(error, 'sqlstate', None) or type(error).__name__})"
