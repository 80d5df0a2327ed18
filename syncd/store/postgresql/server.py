"""A PostgreSQL server: how it is reached, and its database brought to this program's schema."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from syncd.config import StoreSettings
from syncd.errors import StoreUnavailable
from syncd.store.clock import JUMP_SECONDS, Clock
from syncd.store.migrate import LEDGER, require, steps
from syncd.store.migrate import apply as apply_steps
from syncd.store.postgresql.connection import CONNECT_SECONDS, Postgresql, asked, require_durable, said, setting

SCHEMA = 0x73796E6365  # the advisory lock of whoever migrates
OLDEST = 140000  # idle_session_timeout came with PostgreSQL 14
MIGRATE_SECONDS = 600
SKEW_SECONDS = 30.0
LOOK_SECONDS = 30.0

_DEFAULTS: Mapping[str, str | int] = {
    "application_name": "syncd",
    # Of several hosts the one that takes writes, also after a fail-over.
    "target_session_attrs": "read-write",
    "connect_timeout": int(CONNECT_SECONDS),
    # A server that vanished without a word is noticed within half a minute, not after the two hours of the system's default.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def conninfo(settings: StoreSettings) -> str:
    """What libpq needs to reach the database, password included: never shown. Raises ConfigError, StoreUnavailable."""
    try:
        given = conninfo_to_dict(settings.url)
        secret = {} if settings.password is None else {"password": settings.password.read().get_secret_value()}
        return make_conninfo(
            settings.url, **{key: value for key, value in _DEFAULTS.items() if key not in given}, **secret
        )
    except psycopg.ProgrammingError as error:
        raise StoreUnavailable(f"store.url: {said(error)}") from None


def apply(settings: StoreSettings, known: Sequence[tuple[str, str]] | None = None) -> list[str]:
    """The names of the steps just applied. `known` are this program's own where nothing else is said.

    Several processes may start at once: one applies, the others wait for it. Raises SchemaMismatch, StoreUnavailable.
    """
    with connected(settings) as session, session.transaction():
        session.execute(f"SET LOCAL lock_timeout = '{MIGRATE_SECONDS}s'")
        session.execute("SELECT pg_advisory_xact_lock(%s)", [SCHEMA])
        return apply_steps(_Database(session), steps("postgresql") if known is None else known)


def verify(settings: StoreSettings) -> None:
    """Raises SchemaMismatch unless the database has exactly this program's schema, StoreUnavailable when it cannot be read."""
    with connected(settings) as session:
        made = asked(session, "SELECT to_regclass('schema_migrations')") is not None
        done = _Database(session).applied() if made else {}
    require(done, steps("postgresql"))


@contextmanager
def connected(settings: StoreSettings) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session of its own with a server that is fit to hold the store. Raises StoreUnavailable."""
    try:
        with psycopg.connect(conninfo(settings), autocommit=True) as session:
            _require_fit(session)
            yield session
    except psycopg.Error as error:
        raise StoreUnavailable(f"the database {settings.place} cannot be used: {said(error)}") from None


def _require_fit(session: psycopg.Connection[tuple[Any, ...]]) -> None:
    if session.info.server_version < OLDEST:
        raise StoreUnavailable(
            f"the server is PostgreSQL {session.info.server_version // 10000}; syncd needs 14 or newer"
        )
    if setting(session, "server_encoding") != "UTF8":
        raise StoreUnavailable("the database is not UTF8; make it with ENCODING 'UTF8'")
    require_durable(session)
    require_in_time(skew(session))


def require_in_time(ahead: float) -> None:
    """Raises StoreUnavailable where this machine's clock is far ahead of the database's, or behind it: leases and due times are
    times of the machine that wrote them."""
    if abs(ahead) > SKEW_SECONDS:
        raise StoreUnavailable(
            f"this machine's clock is {ahead:+.0f} s off the database's; set both by the same time server"
        )


class ServerClock(Clock):
    """The clock of one of the machines that share a server: where it is off the others', nothing is claimed by it."""

    def __init__(self, connection: Postgresql) -> None:
        super().__init__(connection)
        self._server = connection
        self._look_at = 0.0
        self._beginning = 0.0
        self._ahead = 0.0

    def follow(self) -> float:
        """0: what waits is never moved along with one machine's clock. Raises StoreUnavailable where that is off."""
        origin = time.time() - time.monotonic()
        if time.monotonic() >= self._look_at or abs(origin - self._beginning) > JUMP_SECONDS:
            self._ahead = self._server.ask(skew)
            self._look_at, self._beginning = time.monotonic() + LOOK_SECONDS, origin
        require_in_time(self._ahead)
        return 0.0


def skew(session: psycopg.Connection[Any]) -> float:
    """By how many seconds this machine's clock is ahead of the server's, give or take the time of one question."""
    before = time.time()
    now = float(asked(session, "SELECT extract(epoch FROM clock_timestamp())::float8"))
    after = time.time()
    # Only what the time on the way cannot explain.
    return before - now if now < before else after - now if now > after else 0.0


class _Database:
    """`migrate.Schema` of a PostgreSQL database."""

    def __init__(self, session: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._session = session

    def done(self) -> Mapping[str, str]:
        self._session.execute("SET LOCAL client_min_messages = 'warning'")  # that the table is there already is no news
        self._session.execute(LEDGER)
        return self.applied()

    def applied(self) -> Mapping[str, str]:
        return dict(cast(Any, self._session.execute("SELECT name, sha256 FROM schema_migrations").fetchall()))

    def apply(self, name: str, text: str, digest: str, now: float) -> None:
        self._session.execute(cast(Any, text))
        self._session.execute("INSERT INTO schema_migrations VALUES (%s, %s, %s)", [name, digest, now])
