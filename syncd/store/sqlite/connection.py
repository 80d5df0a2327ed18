"""SQLite: one thread owns the only connection that writes, and commits all waiting operations with one fsync."""

import queue
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from syncd.errors import StoreUnavailable
from syncd.platform import fsync
from syncd.platform.clock import Clock
from syncd.store import queries
from syncd.store.connection import Connection, First, Room, Transaction
from syncd.store.sqlite.file import DAMAGED, MOVED_TO, WAL_BYTES, Opened, immediate, sqlite3, trouble

T = TypeVar("T")

MAX_SHARED = 64  # operations that share one commit; each may itself be a batch
PROBE_SECONDS = 1.0
WRITER_CACHE_KB = 5_000
READER_CACHE_KB = (
    1_000  # for each thread that reads: pages of rows that are read once, and of the upper levels of indexes
)
# The commit that makes the log this long checkpoints it. That takes a tenth of a second, so rarely that fewer than 1 of 100 commits
# waits for one under any load.
LOG_PAGES = 8_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Queries by name on one sqlite3 connection."""

    database: sqlite3.Connection
    texts: Mapping[str, str]

    def rows(self, query: str, **parameters: object) -> list[dict[str, object]]:
        return _fetched(self.database.execute(self.texts[query], parameters))

    def run(self, query: str, **parameters: object) -> int:
        return int(self.database.execute(self.texts[query], parameters).rowcount)

    def batch(self, query: str, rows: Sequence[Sequence[object]]) -> list[dict[str, object]]:
        fetched: list[dict[str, object]] = []
        for text, values in queries.chunks(self.texts[query], "?", rows):
            fetched += _fetched(self.database.execute(text, values))
        return fetched

    def add(self, query: str, rows: Sequence[Sequence[object]]) -> list[int]:
        # Not RETURNING: each row that is fetched releases the interpreter's lock and waits to get it back. Nobody else writes, and one
        # INSERT numbers its rows consecutively (insert.c, OP_NewRowid of an AUTOINCREMENT).
        numbers: list[int] = []
        for text, values in queries.chunks(self.texts[query], "?", rows):
            cursor = self.database.execute(text, values)
            last = cast(int, cursor.lastrowid)
            numbers += range(last - cursor.rowcount + 1, last + 1)
        return numbers

    def lock(self, name: str) -> None:
        """Do nothing: there is one writer."""


def _fetched(cursor: Any) -> list[dict[str, object]]:
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Sqlite(Connection):
    """`Connection` to one file. The file must exist: `migrate` creates it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.place = str(path)
        self._clock = clock
        self.fault: str | None = None
        self._texts = queries.load("sqlite")
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._readers: queue.LifoQueue[Opened] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._closed = False
        self.first: First = lambda: None
        self.beat = self._clock.monotonic()
        self._damaged: tuple[object, str] | None = None  # the version of the file that is damaged, and the sentence

    def write(self, operation: Callable[[Transaction], T], *, exclusive: bool = True) -> T:  # noqa: ARG002 - there is one writer
        return self.submit(operation).result()

    def submit(self, operation: Callable[[Transaction], T], *, atomic: bool = False) -> "Future[T]":
        future: Future[T] = Future()
        # A running future cannot be cancelled: a request that is cancelled while it waits must not end the writer, which would fail to
        # set its result.
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                future.set_exception(StoreUnavailable("the store is closed"))
                return future
            if self._writer is None:
                self._writer = threading.Thread(target=self._run_writer, name="writer", daemon=True)
                self._writer.start()
            self._waiting.put(_Waiting(operation, cast("Future[object]", future), atomic))
        return future

    def _run_writer(self) -> None:
        opened: Opened | None = None
        while True:
            self.beat = self._clock.monotonic()
            shared, closing = self._take()
            if shared or self.fault is not None:
                opened = self._commit(opened, shared)
                del shared  # the bodies in it would live until the next operation
            elif opened is not None:
                # Nobody writes. A burst made the log large, and readers read past all of it.
                try:
                    large = self.path.with_name(f"{self.path.name}-wal").stat().st_size > WAL_BYTES
                    opened.database.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if large else 'PASSIVE'})").fetchall()
                except (sqlite3.Error, OSError):
                    pass  # a reader holds the log, or there is none; the next commit reports whatever is wrong with the file
            if closing:
                break
        if opened is not None:
            opened.close()

    def _take(self) -> "tuple[list[_Waiting], bool]":
        """Return the waiting operations, up to MAX_SHARED, and whether the store closes. Return none after PROBE_SECONDS, so that a fault is
        probed when idle."""
        taken: list[_Waiting] = []
        try:
            waiting = self._waiting.get(timeout=PROBE_SECONDS)
            while waiting is not None:
                taken.append(waiting)
                if len(taken) == MAX_SHARED:
                    return taken, False
                waiting = self._waiting.get_nowait()
        except queue.Empty:
            return taken, False
        return taken, True

    def _commit(self, opened: "Opened | None", shared: "list[_Waiting]") -> "Opened | None":
        """Commit all of `shared` in one transaction. Return the connection for the next one: None after a fault, so that the next transaction
        opens the file as it then is (a full disk, a remount, a restored backup)."""
        try:
            # New rows might be lost with a damaged file. Another file in its place, such as a backup, is accepted.
            if (damaged := self._damaged) is not None:
                if damaged[0] == _version(self.path):
                    raise StoreUnavailable(damaged[1])
                self._damaged = None
            is_first = opened is None
            if opened is None:
                opened = Opened(self.path)
                self.generation += 1
                opened.database.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
                opened.database.execute(f"PRAGMA cache_size={-WRITER_CACHE_KB}")
            self._carry_out(opened.database, shared)
            if is_first:
                # SQLite syncs the folder of a log that it creates, and ignores the error (os_unix.c, unixSync): after a power cut the log
                # would not exist, with all that was committed to it.
                fsync.sync(self.path.resolve().parent)
            if not opened.in_place():
                raise StoreUnavailable(
                    f"the database {self.path} was deleted or replaced; nothing more is stored in the old one"
                )
        except Exception as error:  # noqa: BLE001 - the writer's boundary: it must survive any error
            explained = self._explain(error)
            self.fault = str(explained)
            for waiting in shared:
                waiting.future.set_exception(type(explained)(self.fault))
            self._close_readers()  # while the path leads to their file: see Opened.close
            if opened is not None:
                opened.close()
            return None
        # A reader may have met damage in the meantime.
        self.fault = None if self._damaged is None else self._damaged[1]
        for waiting in shared:
            if waiting.error is not None:
                waiting.future.set_exception(waiting.error)
            else:
                waiting.future.set_result(waiting.result)
        return opened

    def _carry_out(self, database: sqlite3.Connection, shared: "list[_Waiting]") -> None:
        cursor, first = Cursor(database, self._texts), self.first()
        if len(shared) == 1 and shared[0].atomic and self.fault is None and first is None:
            # Each call of SQLite releases the interpreter's lock and waits to get it back: BEGIN and COMMIT would be two more.
            shared[0].attempt(cursor)
            return
        with immediate(database):
            if self.fault is not None:
                # Without a write to the disk a full one would look healthy; and accepting needs its table.
                cursor.run("set", name="store.probe", value=secrets.token_hex(4))
                cursor.rows("waiting_sizes", size=0)
            if first is not None:
                first(cursor)
            for waiting in shared:
                database.execute("SAVEPOINT operation")  # a failure undoes only its own operation
                if not waiting.attempt(cursor):
                    database.execute("ROLLBACK TO operation")
                database.execute("RELEASE operation")

    def _explain(self, error: Exception) -> StoreUnavailable:
        explained = trouble(self.path, error)
        if (getattr(error, "sqlite_errorname", None) or "").startswith(DAMAGED):
            self._damaged = _version(self.path), str(explained)
            self.fault = str(explained)
        return explained

    def read(self, operation: Callable[[Transaction], T]) -> T:
        try:
            reader = self._reader()
            try:
                reader.database.execute("BEGIN")
                result = operation(Cursor(reader.database, self._texts))
                reader.database.execute("ROLLBACK")
            except BaseException:
                reader.close()
                raise
            self._readers.put(reader)
            return result
        except (sqlite3.Error, OSError) as error:
            raise self._explain(error) from None

    def _reader(self) -> "Opened":
        while not self._readers.empty():
            try:
                reader = self._readers.get_nowait()
            except queue.Empty:
                break
            if reader.in_place():
                return reader
            reader.close()
        reader = Opened(self.path)
        reader.database.execute("PRAGMA query_only=ON")
        reader.database.execute(f"PRAGMA cache_size={-READER_CACHE_KB}")
        return reader

    def room(self) -> Room:
        try:
            log = self.path.with_name(f"{self.path.name}-wal")
            taken = self.path.stat().st_size + (log.stat().st_size if log.exists() else 0)
            return Room(taken, shutil.disk_usage(self.path.parent).free)
        except OSError as error:
            raise trouble(self.path, error) from None

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._writer is not None:
                self._waiting.put(None)
        if self._writer is not None:
            self._writer.join()
        self._close_readers()

    def _close_readers(self) -> None:
        """Close the readers that are idle."""
        while True:
            try:
                self._readers.get_nowait().close()
            except queue.Empty:
                return


def _version(path: Path) -> object:
    """Return a value that changes when the file is replaced or written to."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@dataclass(slots=True)
class _Waiting:
    """A submitted operation and its result, which its caller gets after the commit."""

    operation: Callable[[Transaction], object]
    future: "Future[object]"
    atomic: bool
    result: object = None
    error: Exception | None = None

    def attempt(self, cursor: Cursor) -> bool:
        """Run the operation. Return False if it failed and its writes have to be undone; its caller gets the error. Raises errors that
        concern every operation of the transaction."""
        self.error = None
        try:
            self.result = self.operation(cursor)
        except Exception as error:  # the writer's boundary: the caller handles it
            moved = str(error).startswith(MOVED_TO)
            if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError or moved:
                raise  # the disk, the lock, a damaged file, a missing table: no operation of this transaction can succeed
            self.error = error
        return self.error is None
