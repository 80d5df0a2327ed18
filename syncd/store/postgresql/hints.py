"""Hints over a PostgreSQL server: one session of each process listens (LISTEN) and notifies (NOTIFY). One of these sessions holds the lock
of the absorbing process: a second absorber would read deliveries that the first is about to fold, for nothing. A process that waits for the
lock ends the session of a holder that is silent for QUIET_SECONDS: its process is stopped or unreachable.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from psycopg.sql import SQL

from syncd.platform.clock import Clock
from syncd.store.hints import INBOX

log = structlog.get_logger("syncd.store")

CHANNEL = "syncd"
LEADER = 0x73796E6366  # the advisory lock of the absorbing process
CHECK_SECONDS = 1.0
QUIET_SECONDS = 10.0
GATHER_SECONDS = 0.005
SHARED = (
    "a pooler lends syncd another session of the server for each transaction: set pool_mode = session for this database in the pooler,"
    " or let store.url name the server itself"
)

# The server shows a key of 64 bits as two of 32 bits.
_END_QUIET = """SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE locktype = 'advisory' AND granted AND datid = database AND datname = current_database() AND objsubid = 1
    AND (classid::bigint << 32) + objid::bigint = %s AND state_change < clock_timestamp() - make_interval(secs => %s)"""


class ServerHints:
    """`Hints` over a PostgreSQL server."""

    def __init__(self, conninfo: Callable[[], str], clock: Clock) -> None:
        self._conninfo = conninfo
        self._clock = clock
        self._notify: Callable[[str], None] | None = None
        self._topics: set[str] = set()
        self._lock = threading.Lock()
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._closed = False
        self.leads = False
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
        self._thread.start()

    def send(self, *topics: str) -> None:
        with self._lock:
            self._topics |= set(topics)
        self._interrupt()

    def listen(self, notify: Callable[[str], None]) -> None:
        self._notify = notify
        self._interrupt()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._interrupt()
        self._thread.join()
        self._woken.close()
        self._wake.close()

    def _interrupt(self) -> None:
        try:
            self._wake.send(b"!")
        except OSError:
            return  # the socket is full of wake-ups, or was just closed

    def _run(self) -> None:
        while not self._closed:
            try:
                with psycopg.connect(self._conninfo(), autocommit=True, prepare_threshold=None) as session:
                    self._serve(session)
            except psycopg.Error as error:
                log.debug("listener_lost", failure=type(error).__name__)
            except Exception:  # this thread's boundary: without hints there is still the poll
                log.exception("unexpected_error")
            self.leads = False
            if not self._closed:
                select.select([self._woken], [], [], CHECK_SECONDS)
                self._drain()

    def _serve(self, session: Any) -> None:
        listening = False
        check_at = 0.0
        backend = session.execute("SELECT pg_backend_pid()").fetchone()
        while not self._closed:
            if self._notify is not None and not listening:
                session.execute(f"LISTEN {CHANNEL}")
                listening = True
                check_at = 0.0
            if self._clock.monotonic() >= check_at:
                check_at = self._clock.monotonic() + CHECK_SECONDS
                # The query also shows the server that this session is alive.
                if (lent := session.execute("SELECT pg_backend_pid()").fetchone()) != backend:
                    backend = lent
                    log.error("session_shared", reason=SHARED)
                if self._notify is not None and not self.leads:
                    session.execute(_END_QUIET, [LEADER, QUIET_SECONDS])
                    self.leads = bool(session.execute("SELECT pg_try_advisory_lock(%s)", [LEADER]).fetchone()[0])
                    if self.leads:
                        self._notify(INBOX)
            select.select([session.fileno(), self._woken], [], [], max(0.0, check_at - self._clock.monotonic()))
            for notification in session.notifies(timeout=0):
                if self._notify is not None:
                    self._notify(notification.payload)
            if self._drain():
                self._send(session)
        session.execute("UNLISTEN *; SELECT pg_advisory_unlock_all()")  # a pooler may lend the session on as it is

    def _drain(self) -> bool:
        try:
            return bool(self._woken.recv(4096))
        except BlockingIOError:
            return False

    def _send(self, session: Any) -> None:
        time.sleep(GATHER_SECONDS)  # under load one notification stands for many
        with self._lock:
            topics, self._topics = self._topics, set()
        if topics:
            notes = SQL(", ").join(SQL("pg_notify({}, {})").format(CHANNEL, topic) for topic in sorted(topics))
            # A lost hint does no harm: nobody waits until it is on disk.
            session.execute(SQL("BEGIN; SET LOCAL synchronous_commit = off; SELECT {}; COMMIT").format(notes))
