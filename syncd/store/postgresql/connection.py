"""PostgreSQL: every write is a transaction on a connection of a pool, and many run beside each other.

SQLite lets one transaction write at a time, and all operations are written for that. Here an operation that may run beside others
says so (`exclusive=False`) and locks what it judges by; all others wait until they are alone.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

import psycopg
from psycopg.rows import dict_row, scalar_row
from psycopg.types.string import StrDumperUnknown
from psycopg_pool import ConnectionPool, PoolTimeout

from syncd.errors import StoreError, StoreUnavailable
from syncd.store import queries
from syncd.store.connection import Room, Transaction

T = TypeVar("T")
Session = psycopg.Connection[dict[str, Any]]

MAX_SESSIONS = 12  # of one process
TRIES = 6
CONNECT_SECONDS = 5.0
FAULTY_SECONDS = 1.0  # as long as the server is away, nobody waits longer for it
# The server itself ends what a stopped or unreachable process has begun: its locks would hold up all others.
IDLE_MS, LOCK_MS, STATEMENT_MS = 10_000, 10_000, 60_000
ALONE = 0x73796E6364  # "syncd": the advisory lock that all writes share, and one that is alone does not

_BEGIN = f"BEGIN; SELECT pg_advisory_xact_lock({ALONE})"
_BEGIN_SHARED = f"BEGIN; SELECT pg_advisory_xact_lock_shared({ALONE})"
# What only adds rows hinders nobody and waits for nobody.
_BEGIN_ADDING = "BEGIN"
_VIEW = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_DURABLE = ("on", "remote_write", "remote_apply")

# What a further try may mend: a deadlock, a lock that took too long, a snapshot that is too old.
_AGAIN = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable)
# What is the caller's own: it would fail anywhere.
_OWN = (psycopg.IntegrityError, psycopg.DataError)


class _Text(StrDumperUnknown):
    """PostgreSQL keeps every character but U+0000, which some tracker may have put into a name."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\x00", "") if "\x00" in obj else obj)


class _Cursor:
    """Queries by name on one session."""

    def __init__(self, session: Session, texts: Mapping[str, str]) -> None:
        self._session = session
        self._texts = texts

    def rows(self, query: str, **parameters: object) -> list[dict[str, object]]:
        return _fetched(self._session.execute(cast(Any, self._texts[query]), parameters))

    def run(self, query: str, **parameters: object) -> int:
        return self._session.execute(cast(Any, self._texts[query]), parameters).rowcount

    def batch(self, query: str, rows: Sequence[Sequence[object]]) -> list[dict[str, object]]:
        fetched: list[dict[str, object]] = []
        for text, values in queries.chunks(self._texts[query], "%s", rows):
            fetched += _fetched(self._session.execute(cast(Any, text), values))
        return fetched

    def add(self, query: str, rows: Sequence[Sequence[object]]) -> list[int]:
        fetched: list[int] = []
        for text, values in queries.chunks(f"{self._texts[query]} RETURNING id", "%s", rows):
            fetched += [row["id"] for row in self._session.execute(cast(Any, text), values)]
        return sorted(fetched)  # no order is promised; numbers rise in the order of the rows

    def lock(self, name: str) -> None:
        self._session.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _fetched(cursor: psycopg.Cursor[dict[str, Any]]) -> list[dict[str, object]]:
    return list(cursor.fetchall()) if cursor.description is not None else []


class Postgresql:
    """`Connection` to one database. Its schema must be there: `migrate` makes it."""

    def __init__(self, conninfo: str, place: str) -> None:
        """`place` is what people are told of where the database is: no secrets."""
        self.place = place
        self.fault: str | None = None
        self.beat = time.monotonic()
        self._texts = queries.load("postgresql")
        self._pool = ConnectionPool(
            conninfo,
            # Nothing is prepared: when a newer program adds a column, a plan that was kept of `SELECT *` is refused for ever.
            kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": None},
            configure=prepare,
            min_size=1,
            max_size=MAX_SESSIONS,
            open=True,
            name="syncd",
            timeout=CONNECT_SECONDS,
            reconnect_timeout=CONNECT_SECONDS,  # then whoever needs one asks anew, and not after a back-off of minutes
            num_workers=1,
            connection_class=cast(Any, psycopg.Connection),
        )
        # Two, so that what is set aside does not wait for what is accepted.
        self._submitted = ThreadPoolExecutor(max_workers=2, thread_name_prefix="writer")

    def submit(self, operation: Callable[[Transaction], T], *, atomic: bool = False) -> "Future[T]":  # noqa: ARG002 - nor does it hurt
        """It is the receiver's, and only adds rows: it does not even wait for those that are alone."""
        try:
            return self._submitted.submit(self._persistently, operation, _BEGIN_ADDING)
        except RuntimeError:
            refused: Future[T] = Future()
            refused.set_exception(StoreUnavailable("the store is closed"))
            return refused

    def write(self, operation: Callable[[Transaction], T], *, exclusive: bool = True) -> T:
        return self._persistently(operation, _BEGIN if exclusive else _BEGIN_SHARED)

    def read(self, operation: Callable[[Transaction], T]) -> T:
        return self._persistently(operation, _VIEW)

    def ask(self, question: Callable[[Session], T]) -> T:
        """What a session answers, outside of any transaction. Raises StoreUnavailable."""
        session = self._session()
        try:
            answer = question(session)
        except psycopg.Error as error:
            self._end(session, lost=True)
            raise StoreUnavailable(self._failed(said(error))) from None
        self._pool.putconn(session)
        return answer

    def _persistently(self, operation: Callable[[Transaction], T], begin: str) -> T:
        """`operation` in a transaction, tried again as long as it is certain that nothing was committed and a further try may help."""
        for left in reversed(range(TRIES)):
            try:
                result = self._once(operation, begin)
            except _Again as error:
                if not left:
                    raise StoreUnavailable(self._failed(error.why)) from None
                time.sleep(random.uniform(0.0, 0.05))  # noqa: S311 - two that met must not meet again
            else:
                self.beat = time.monotonic()
                if begin is not _VIEW:
                    self.fault = None
                return result
        raise AssertionError("unreachable")

    def _once(self, operation: Callable[[Transaction], T], begin: str) -> T:
        session = self._session()
        committing = False
        try:
            session.execute(cast(Any, begin))
            result = operation(_Cursor(session, self._texts))
            committing = begin is not _VIEW
            ended = session.execute("COMMIT").statusmessage
            if ended != "COMMIT":
                # A transaction in which a statement failed is rolled back by COMMIT, without an error.
                raise StoreUnavailable(self._failed("the transaction was rolled back"))
        except psycopg.Error as error:
            lost = session.closed or _of_the_server(error)
            self._end(session, lost=lost)
            if isinstance(error, _OWN) and not lost:
                raise
            if lost and committing:
                # Nobody knows. What was to be acknowledged is not; what is sent again counts once.
                raise StoreUnavailable(self._failed(f"the connection broke during a commit ({said(error)})")) from None
            if lost or isinstance(error, _AGAIN):
                raise _Again(said(error)) from None
            raise StoreUnavailable(self._failed(said(error))) from None
        except BaseException:
            self._end(session, lost=False)
            raise
        self._pool.putconn(session)
        return result

    def _session(self) -> Session:
        try:
            return cast(Session, self._pool.getconn(CONNECT_SECONDS if self.fault is None else FAULTY_SECONDS))
        except (PoolTimeout, psycopg.Error) as error:
            self.beat = time.monotonic()
            why = "the server cannot be reached" if isinstance(error, PoolTimeout) else said(error)
            raise StoreUnavailable(self._failed(why)) from None

    def _end(self, session: Session, *, lost: bool) -> None:
        """Give a session back that a transaction has failed on; one that is no good is thrown away with it."""
        try:
            if not lost and not session.closed:
                session.execute("ROLLBACK")
        except psycopg.Error:
            lost = True  # it broke only now; the transaction ends with it
        if lost:
            session.close()
        self._pool.putconn(session)
        if lost:
            self._pool.check()  # what was lost is seldom lost alone: the tries that are left must not go to others of its kind

    def _failed(self, why: str) -> str:
        self.fault = f"the database {self.place} cannot be used: {why}"
        return self.fault

    def room(self) -> Room:
        return Room(int(self.ask(lambda session: asked(session, "SELECT pg_database_size(current_database())"))))

    def close(self) -> None:
        self._submitted.shutdown(wait=True)
        self._pool.close(timeout=CONNECT_SECONDS)


class _Again(Exception):
    """Nothing was committed; a further try may succeed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def prepare(session: psycopg.Connection[Any]) -> None:
    """Make a new session durable and bounded. Raises StoreUnavailable where the server cannot promise to keep what it commits."""
    session.adapters.register_dumper(str, _Text)
    session.execute(
        "SELECT set_config('idle_in_transaction_session_timeout', %s, false), set_config('lock_timeout', %s, false),"
        " set_config('statement_timeout', %s, false), set_config('timezone', 'UTC', false)",
        [str(IDLE_MS), str(LOCK_MS), str(STATEMENT_MS)],
    )
    require_durable(session)


def require_durable(session: psycopg.Connection[Any]) -> None:
    """Raises StoreUnavailable unless a commit is on the server's disk when it is acknowledged: every answer of 200 rests on it."""
    if setting(session, "synchronous_commit") not in _DURABLE:
        session.execute("SELECT set_config('synchronous_commit', 'on', false)")
    for name in ("synchronous_commit", "fsync"):
        if (found := setting(session, name)) not in _DURABLE:
            raise StoreUnavailable(
                f"the PostgreSQL server has {name} = {found}: it would lose what it has acknowledged"
            )


def setting(session: psycopg.Connection[Any], name: str) -> str:
    """A setting of the server, as this session has it."""
    return str(asked(session, "SELECT current_setting(%s)", name))


def asked(session: psycopg.Connection[Any], question: str, *values: object) -> Any:
    """The one value that a question is answered with, whatever the session makes of rows; None where there is no row."""
    return session.cursor(row_factory=scalar_row).execute(cast(Any, question), values).fetchone()


def _of_the_server(error: psycopg.Error) -> bool:
    """Whether another session, perhaps with another server, is needed: it is shutting down, or has become a standby."""
    return (error.sqlstate or "").startswith(("08", "57P", "25006", "25P03"))


def said(error: Exception) -> str:
    """What went wrong in one line; libpq's sentences name hosts and users, never passwords."""
    if isinstance(error, StoreError):
        return str(error)
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"{first[:300]} ({getattr(error, 'sqlstate', None) or type(error).__name__})"
