"""Hints over a PostgreSQL server: one session for each process listens (LISTEN), tells (NOTIFY), and holds the lock of whoever absorbs: a
second absorber would read what the first one is about to fold, for nothing. The server ends a session that says nothing for
QUIET_MS, so that the lock of a process that was stopped goes to another one.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from syncd.store.hints import INBOX

log = structlog.get_logger("syncd.store")

CHANNEL = "syncd"
LEADS = 0x73796E6366  # the advisory lock of whoever absorbs
TURN_SECONDS = 1.0
QUIET_MS = 10_000
GATHER_SECONDS = 0.005


class ServerHints:
    """`Hints` over a PostgreSQL server."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._told: Callable[[str], None] | None = None
        self._topics: set[str] = set()
        self._lock = threading.Lock()
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._closed = False
        self._leads = False
        self._thread = threading.Thread(target=self._for_ever, name="hints", daemon=True)
        self._thread.start()

    @property
    def leads(self) -> bool:
        return self._leads

    def send(self, *topics: str) -> None:
        with self._lock:
            self._topics |= set(topics)
        self._interrupt()

    def listen(self, told: Callable[[str], None]) -> None:
        self._told = told
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
            return  # it is full of wake-ups, or just closed

    def _for_ever(self) -> None:
        import psycopg

        while not self._closed:
            try:
                with psycopg.connect(self._conninfo, autocommit=True) as session:
                    # Nothing that must last is written here.
                    session.execute("SET synchronous_commit = off")
                    session.execute(f"SET idle_session_timeout = {QUIET_MS}")
                    self._serve(session)
            except psycopg.Error as error:
                log.debug("listener_lost", failure=type(error).__name__)
            except Exception:  # this thread's boundary: without hints there is still the poll
                log.exception("unexpected_error")
            self._leads = False
            if not self._closed:
                select.select([self._woken], [], [], TURN_SECONDS)
                self._drain()

    def _serve(self, session: Any) -> None:
        listening = False
        turn_at = 0.0
        while not self._closed:
            if self._told is not None and not listening:
                session.execute(f"LISTEN {CHANNEL}")
                listening = True
                turn_at = 0.0
            if time.monotonic() >= turn_at:
                turn_at = time.monotonic() + TURN_SECONDS
                self._lead(session)
            select.select([session.fileno(), self._woken], [], [], max(0.0, turn_at - time.monotonic()))
            for told in session.notifies(timeout=0):
                if self._told is not None:
                    self._told(told.payload)
            if self._drain():
                self._send(session)

    def _lead(self, session: Any) -> None:
        """Try to be the one to absorb; it also tells the server that this session lives."""
        if self._told is None or self._leads:
            session.execute("SELECT 1")
            return
        self._leads = bool(session.execute("SELECT pg_try_advisory_lock(%s)", [LEADS]).fetchone()[0])
        if self._leads:
            self._told(INBOX)

    def _drain(self) -> bool:
        try:
            return bool(self._woken.recv(4096))
        except BlockingIOError:
            return False

    def _send(self, session: Any) -> None:
        time.sleep(GATHER_SECONDS)  # under load one hint stands for many
        with self._lock:
            topics, self._topics = self._topics, set()
        for topic in sorted(topics):
            session.execute("SELECT pg_notify(%s, %s)", [CHANNEL, topic])
