"""A PostgreSQL server: its address, its fitness, the schema of its database, and its clock."""

import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from syncd.config import StoreSettings
from syncd.errors import ConfigError, StoreUnavailable, StoreUnusable
from syncd.platform.clock import Clock
from syncd.store.due_times import JUMP_SECONDS, DueTimes
from syncd.store.migrate import LEDGER, require, steps
from syncd.store.migrate import apply as apply_steps
from syncd.store.postgresql.connection import (
    CONNECT_SECONDS,
    DURABLE,
    Postgresql,
    fetch_value,
    require_durable,
    sentence,
    setting,
)
from syncd.store.postgresql.hints import SHARED

SCHEMA = 0x73796E6365  # the advisory lock of a migration
OLDEST = 140000  # older releases get no fixes any more
MIGRATE_SECONDS = 600
SKEW_SECONDS = 30.0
# libpq does not pass on the code of an error that ends the login. In another language than English the next start tries again.
_LASTING = re.compile(
    r'(password|peer|ident|certificate|SASL|"trust") authentication failed|no password supplied|no pg_hba\.conf entry'
    r"|(role|database) .* does not exist|permission denied for database|is not permitted to log in"
    r"|no such (user|database)|unsupported startup parameter",
    re.IGNORECASE,
)
COMPARE_SECONDS = 30.0
POOLED = 6  # sessions that show how a pooler lends its backends

_DEFAULTS: Mapping[str, str | int] = {
    "application_name": "syncd",
    # If there are several hosts: the one that accepts writes, also after a fail-over.
    "target_session_attrs": "read-write",
    "connect_timeout": int(CONNECT_SECONDS),
    # A server that vanishes is noticed within half a minute, not after the two hours of the system's default.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def conninfo(settings: StoreSettings) -> str:
    """Return the connection string for libpq, with the password: never to be displayed. Raises ConfigError, StoreUnavailable."""
    try:
        explicit = conninfo_to_dict(settings.url)
        secret = (
            {}
            if settings.password is None
            else {"password": settings.password.read("store.password").get_secret_value()}
        )
        return make_conninfo(
            settings.url, **{key: value for key, value in _DEFAULTS.items() if key not in explicit}, **secret
        )
    except psycopg.ProgrammingError as error:
        raise StoreUnusable(f"store.url: {sentence(error)}") from None


class Address:
    """The connection string of each new session: a new password in the file of `store.password` counts without a restart, and the one before as
    long as the file cannot be read."""

    def __init__(self, settings: StoreSettings) -> None:
        """Raises ConfigError, StoreUnusable."""
        self._settings = settings
        self._last = conninfo(settings)

    def __call__(self) -> str:
        with suppress(ConfigError):  # a password that is refused is reported by the session
            self._last = conninfo(self._settings)
        return self._last


def apply(settings: StoreSettings, clock: Clock, required: Sequence[tuple[str, str]] | None = None) -> list[str]:
    """Apply the missing steps and return their names. `required` is for tests; None means this program's own steps.

    If several processes start at once, one applies the steps and the rest wait for it. Raises SchemaMismatch, StoreUnavailable.
    """
    with connected(settings, clock) as session:
        session.execute(f"SET LOCAL lock_timeout = '{MIGRATE_SECONDS}s'")
        session.execute("SELECT pg_advisory_xact_lock(%s)", [SCHEMA])
        return apply_steps(_Database(session), steps("postgresql") if required is None else required, clock.wall())


def verify(settings: StoreSettings, clock: Clock) -> None:
    """Raise SchemaMismatch unless the database has exactly this program's schema, StoreUnavailable if it cannot be read."""
    with connected(settings, clock) as session:
        exists = fetch_value(session, "SELECT to_regclass('schema_migrations')") is not None
        done = _Database(session).applied() if exists else {}
    require(done, steps("postgresql"))


@contextmanager
def connected(settings: StoreSettings, clock: Clock) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Open a durable transaction with a server that is fit for the store. Raises StoreUnavailable."""
    try:
        with psycopg.connect(conninfo(settings), autocommit=True, prepare_threshold=None) as session:
            if session.info.server_version < OLDEST:
                raise StoreUnusable(
                    f"the server is PostgreSQL {session.info.server_version // 10000}; syncd needs 14 or newer"
                )
            if setting(session, "server_encoding") != "UTF8":
                raise StoreUnusable("the database is not UTF8; create it with ENCODING 'UTF8'")
            require_own_sessions(session, settings)
            require_durable(session)
            require_in_time(skew(session, clock))
            try:
                with session.transaction():
                    session.execute(DURABLE)
                    yield session
            except psycopg.Error as error:
                raise refusal(session, settings.place, error) from None
    except psycopg.OperationalError as error:
        lasting = error.sqlstate is None and _LASTING.search(str(error))
        kind = StoreUnusable if lasting else StoreUnavailable
        remedy = "; correct store.url or store.password, or what the server lets this role do" if lasting else ""
        raise kind(f"the database {settings.place} cannot be used: {sentence(error)}{remedy}") from None
    except psycopg.Error as error:
        raise StoreUnavailable(f"the database {settings.place} cannot be used: {sentence(error)}") from None


def refusal(session: psycopg.Connection[Any], place: str, error: psycopg.Error) -> StoreUnavailable:
    """Return the error that says for people why the schema cannot be read or brought up to date: StoreUnusable if a right is missing or the
    tables are not syncd's. `session` has left the transaction that failed."""
    begin = f"the database {place} cannot be used: "
    if session.closed or error.sqlstate is None or error.sqlstate[:2] not in ("42", "3F"):
        return StoreUnavailable(begin + sentence(error))
    owners = "(SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = current_schema())"
    role, schema, owner = fetch_value(session, f"SELECT ARRAY[current_user, current_schema(), {owners}]::text[]")
    own = f"give syncd a database of its own: `CREATE DATABASE … OWNER {role} ENCODING 'UTF8'`"
    if schema is None:
        return StoreUnusable(f"{begin}the search_path of role {role} names no schema that exists; create it, or {own}")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return StoreUnusable(
            f"{begin}role {role} lacks a right in schema {schema}, whose owner is {owner}: {sentence(error)}; as the owner run "
            f"`GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}` (and `ALTER TABLE … OWNER TO {role}` for tables of another role), or {own}"
        )
    return StoreUnusable(f"{begin}schema {schema} holds tables of another program ({sentence(error)}); {own}")


def require_own_sessions(first: psycopg.Connection[Any], settings: StoreSettings) -> None:
    """Raise StoreUnusable if a pooler lends a session another backend for each transaction, psycopg.Error if there is no second session.

    LISTEN and the lock of the absorbing process belong to one backend. Such a pooler lends one backend to several open sessions, or
    several backends to one session.
    """
    sessions, wanted = [first], 2
    # With the session that runs on each. Process ids alone may be equal on several servers.
    backends: dict[object, int] = {}

    def give_up() -> None:
        # The session that waits for a backend is the last one. Closed after another, it would get that one's backend, as from a pooler
        # that lends a backend to several sessions.
        for session in reversed(sessions[1:]):
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(session.fileno())) as sock:
                sock.shutdown(socket.SHUT_RDWR)

    # A pooler without a free backend lets a session wait for minutes.
    timer = threading.Timer(CONNECT_SECONDS, give_up)
    timer.start()
    try:
        while True:
            for number, session in enumerate(sessions):
                query = "SELECT pg_backend_pid(), pg_postmaster_start_time()::text"
                backend = cast(tuple[int, str], session.execute(query).fetchone())
                if backends.setdefault(backend, number) != number or len(backends) > len(sessions):
                    raise StoreUnusable(f"the database {settings.place} cannot be used: {SHARED}")
                if session.info.backend_pid != backend[0]:
                    # Poolers make up the process ids of the protocol. Several processes of a pooler may share one port.
                    wanted = POOLED
            if len(sessions) == wanted:
                return
            sessions.append(psycopg.connect(conninfo(settings), autocommit=True))
    except psycopg.Error:
        if len(backends) == 1:
            raise
    finally:
        timer.cancel()
        for session in sessions[1:]:
            session.close()


def require_in_time(ahead: float) -> None:
    """Raise StoreUnavailable if this machine's clock is far ahead of the database's or behind it: leases and due times are times of the
    machine that wrote them."""
    if abs(ahead) > SKEW_SECONDS:
        raise StoreUnavailable(
            f"this machine's clock is {ahead:+.0f} s off the database's; set both by the same time server"
        )


class SharedDueTimes(DueTimes):
    """The due times of a store that several machines share: they are never shifted by the clock of one machine."""

    def __init__(self, connection: Postgresql, clock: Clock) -> None:
        self._clock = clock
        self._server = connection
        self._compare_at = 0.0
        self._compared_origin = 0.0
        self._skew = 0.0

    def follow_clock(self) -> None:
        """Move nothing. Raises StoreUnavailable while this machine's clock differs from the database's."""
        uptime = self._clock.monotonic()
        origin = self._clock.wall() - uptime
        if uptime >= self._compare_at or abs(origin - self._compared_origin) > JUMP_SECONDS:
            self._skew = self._server.ask(lambda session: skew(session, self._clock))
            self._compare_at, self._compared_origin = uptime + COMPARE_SECONDS, origin
        require_in_time(self._skew)


def skew(session: psycopg.Connection[Any], clock: Clock) -> float:
    """Return by how many seconds this machine's clock is ahead of the server's, to within the time of one query."""
    before = clock.wall()
    now = float(fetch_value(session, "SELECT extract(epoch FROM clock_timestamp())::float8"))
    after = clock.wall()
    # A difference that the time on the way explains counts as none.
    return before - now if now < before else after - now if now > after else 0.0


@dataclass(frozen=True, slots=True)
class _Database:
    """`migrate.Schema` of a PostgreSQL database."""

    session: psycopg.Connection[tuple[Any, ...]]

    def done(self) -> Mapping[str, str]:
        self.session.execute("SET LOCAL client_min_messages = 'warning'")  # that the table exists is not worth a notice
        self.session.execute(LEDGER)
        return self.applied()

    def applied(self) -> Mapping[str, str]:
        return dict(cast(Any, self.session.execute("SELECT name, sha256 FROM schema_migrations").fetchall()))

    def apply(self, name: str, text: str, digest: str, now: float) -> None:
        self.session.execute(cast(Any, text))
        self.session.execute("INSERT INTO schema_migrations VALUES (%s, %s, %s)", [name, digest, now])
