"""The store: operations over a thin connection to SQLite or PostgreSQL. It stores, finds and decides nothing.

An operation that belongs to a decision of the worker is a function over a `Transaction`; the worker calls it inside `Store.write`.
"""

import secrets
from copy import copy
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from syncd.config import StoreSettings
from syncd.core.quantities import listed
from syncd.errors import ConfigError, StoreUnavailable, StoreUnusable
from syncd.platform.clock import Clock
from syncd.store.audit import STORE, Audit, record
from syncd.store.bodies import Bodies
from syncd.store.connection import DAEMON, Connection, Transaction
from syncd.store.dead_letters import DeadLetters
from syncd.store.due_times import DueTimes
from syncd.store.groups import Recent
from syncd.store.hints import Hints, NoHints
from syncd.store.inbox import Inbox
from syncd.store.instances import Registration, running
from syncd.store.limits import Limits
from syncd.store.listing import Lists
from syncd.store.migrate import migrate, verify
from syncd.store.notebook import Notebook
from syncd.store.outbox import Outbox
from syncd.store.quarantine import Quarantine
from syncd.store.report import Report
from syncd.store.sqlite.connection import Sqlite
from syncd.store.sqlite.file import COPIED, DETACHED, inspect, trouble
from syncd.store.sqlite.process_lock import ProcessLock

if TYPE_CHECKING:
    from syncd.store.move import Progress

INSPECTED_BYTES = (
    256 * 2**20
)  # a file up to this size is read whole at start; damage in a larger one is noticed when it is met


PROBE = "store.probe"  # setting that is written to learn whether anything can be committed
ASK_SECONDS = 6.0  # longer than a commit waits for a lock of another process


class Store:
    """All operations, by what they are about. `read` and `write` are those of the `Connection`."""

    def __init__(self, connection: Connection, hints: Hints, due_times: DueTimes, clock: Clock) -> None:
        self.connection = connection
        self.read, self.write = connection.read, connection.write
        self.hints = hints
        self.due_times = due_times
        self.clock = clock
        self.actor = DAEMON
        self.bodies = Bodies(connection, clock)
        self.inbox = Inbox(connection, self.bodies)
        self.quarantine = Quarantine(connection, self.bodies)
        self.outbox = Outbox(connection)
        self.limits = Limits(connection)
        self.dead_letters = DeadLetters(connection, self.bodies)
        self.report = Report(connection)
        self.audit = Audit(connection)
        self.lists = Lists(connection, self.bodies)
        self.recent = Recent()

    def acting(self, actor: str) -> "Store":
        """Return this store as an operator uses it: the audit and the history name `actor` for each change."""
        store = copy(self)
        store.actor = actor
        store.limits = Limits(self.connection, _actor=actor)
        store.dead_letters = DeadLetters(self.connection, self.bodies, _actor=actor)
        store.quarantine = Quarantine(self.connection, self.bodies, _actor=actor)
        return store

    def instance_key(self) -> str:
        """Return the key of the markers, in hex. It is made once per store, so that markers outlive every process."""
        self.connection.execute("set_once", name="instance.begun", value=repr(self.clock.wall()))
        self.connection.execute("set_once", name="instance.key", value=secrets.token_hex(32))
        return cast(str, self.connection.select("setting", name="instance.key")[0]["value"])

    def begun_at(self) -> float:
        """Return when the store got its key: no issue of it is older. 0 for a store of the time before this was noted."""
        rows = self.connection.select("setting", name="instance.begun")
        return float(str(rows[0]["value"])) if rows else 0.0

    def detached_at(self) -> float | None:
        """Return when the store was detached: a copy that writes to no tracker. None for any other store."""
        rows = self.connection.select("setting", name=DETACHED)
        return float(str(rows[0]["value"])) if rows else None

    def detach(self) -> None:
        """Make the store one that writes to no tracker, for ever. Raises StoreUnusable while a process runs on it, StoreUnavailable."""
        now = self.clock.wall()
        if alive := [process.owner for process in running(self.connection, now) if process.lives]:
            raise StoreUnusable(
                f"{listed(alive, 3)} runs on {self.connection.place}; detach a copy of the store, or stop it first"
            )

        def write(transaction: Transaction) -> None:
            if transaction.run("set_once", name=DETACHED, value=repr(now)):
                record(transaction, self.actor, "detach", STORE, "attached → detached", now)

        self.write(write)

    def fault(self) -> str | None:
        """Commit something, and return why that is impossible now; None if it is possible."""
        if (fault := self.connection.fault) is not None:
            return fault  # the writer itself tries again every second
        try:
            self.connection.submit(
                lambda transaction: transaction.run("set", name=PROBE, value=secrets.token_hex(4))
            ).result(ASK_SECONDS)
        except StoreUnavailable as error:
            return str(error)
        except TimeoutError:
            return (
                f"{self.connection.place} has committed nothing for {ASK_SECONDS:.0f} seconds: its disk or server hangs"
            )
        return None

    def notebook(self, tracker: str) -> Notebook:
        """Return the facts that the client of a tracker has learned."""
        return Notebook(self.connection, tracker)

    def join(self, part: str, now: float, routes: str | None = None) -> Registration:
        """Register this process, which runs `part` of the daemon and judges groups by the `routes` with this digest, among those that share
        the store. Raises StoreUnavailable."""
        self.connection.execute("unset", name=COPIED)
        lock = None
        try:
            if isinstance(self.connection, Sqlite):
                lock = ProcessLock(self.connection.path)
            registration = Registration(self.connection, part, now, lock, routes)
            self.inbox.owner = registration.owner
            return registration
        except OSError as error:
            raise trouble(Path(self.connection.place), error) from None
        except StoreUnavailable:
            if lock is not None:
                lock.close()
            raise

    def close(self) -> None:
        """Finish the submitted operations and close."""
        self.hints.close()
        self.connection.close()


def open_store(settings: StoreSettings, clock: Clock | None = None) -> Store:
    """Open the store for a daemon, after bringing it to this program's schema. Raises ConfigError, SchemaMismatch, StoreUnavailable."""
    clock = clock or Clock()
    bring_up(settings, clock)
    if settings.dialect == "sqlite" and settings.path.stat().st_size <= INSPECTED_BYTES:
        inspect(settings.path)
    return _connect(settings, clock, hints=True)


def read_store(settings: StoreSettings, clock: Clock | None = None) -> Store:
    """Open the store for a command, with the schema it has. Raises ConfigError, SchemaMismatch, StoreUnavailable."""
    clock = clock or Clock()
    if settings.dialect == "postgresql":
        _require_driver()
        from syncd.store.postgresql import server

        server.verify(settings, clock)
    else:
        verify(settings.path)
    return _connect(settings, clock, hints=False)


def move_store(
    source: StoreSettings, target: StoreSettings, progress: "Progress", actor: str = DAEMON
) -> dict[str, int]:
    """Move everything from a file to a server, whose audit names `actor`, and return how many rows each table had. Raises ConfigError, SchemaMismatch,
    StoreUnavailable."""
    _require_driver()
    from syncd.store import move

    return move.copy(source, target, progress, Clock(), actor)


def bring_up(settings: StoreSettings, clock: Clock | None = None) -> list[str]:
    """Apply the migration steps that the store lacks, and return their names. Raises ConfigError, SchemaMismatch, StoreUnavailable."""
    clock = clock or Clock()
    if settings.dialect == "sqlite":
        return migrate(settings.path, clock)
    _require_driver()
    from syncd.store.postgresql import server

    return server.apply(settings, clock)


def probe(settings: StoreSettings) -> None:
    """Commit something, and read what `status` counts. Raises ConfigError, SchemaMismatch, StoreUnavailable if that is not possible now."""
    store = read_store(settings)
    try:
        store.connection.execute("set", name=PROBE, value=secrets.token_hex(4))
        store.report.counts(0.0)
    finally:
        store.close()


def _connect(settings: StoreSettings, clock: Clock, *, hints: bool) -> Store:
    if settings.dialect == "sqlite":
        file = Sqlite(settings.path, clock)
        return Store(file, NoHints(), DueTimes(file, clock), clock)
    # The driver is an extra.
    from syncd.store.postgresql.connection import Postgresql
    from syncd.store.postgresql.hints import ServerHints
    from syncd.store.postgresql.server import Address, SharedDueTimes

    address = Address(settings)
    connection = Postgresql(address, settings.place, clock)
    return Store(
        connection, ServerHints(address, clock) if hints else NoHints(), SharedDueTimes(connection, clock), clock
    )


def _require_driver() -> None:
    if find_spec("psycopg") is None or find_spec("psycopg_pool") is None:
        raise ConfigError(["store.url: PostgreSQL needs its driver; install it with `pip install 'syncd[postgresql]'`"])
