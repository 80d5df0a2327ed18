"""The store: one set of operations over a thin connection."""

import secrets
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeVar, cast

from syncd.config import StoreSettings
from syncd.errors import ConfigError
from syncd.store.aliases import Aliases
from syncd.store.bodies import Bodies
from syncd.store.clock import Clock
from syncd.store.connection import Connection, Room, Transaction
from syncd.store.dead_letters import DeadLetters
from syncd.store.hints import Hints, NoHints
from syncd.store.inbox import Inbox
from syncd.store.instances import Registration, Running, running
from syncd.store.issues import Issues
from syncd.store.limits import Limits
from syncd.store.listing import Lists
from syncd.store.migrate import migrate, verify
from syncd.store.moved import COPIED, Progress
from syncd.store.notebook import Notebook
from syncd.store.operator import OperatorActions
from syncd.store.outbox import Outbox
from syncd.store.quarantine import Quarantine
from syncd.store.report import Report
from syncd.store.routes import Routes
from syncd.store.sqlite.connection import Sqlite
from syncd.store.sqlite.file import inspect
from syncd.store.sqlite.process_lock import ProcessLock
from syncd.store.storms import Storms
from syncd.store.surveys import Surveys

T = TypeVar("T")

INSPECTED_BYTES = 256 * 2**20  # read whole at start; damage in a larger file is noticed when it is met


class Store:
    """Everything that is kept: the inbox, the outbox and its issues, what trackers allow, and what people ask of it all."""

    def __init__(self, connection: Connection, hints: Hints, clock: Clock) -> None:
        self.connection = connection
        self.hints = hints
        self.clock = clock
        self.bodies = Bodies(connection)
        self.inbox = Inbox(connection, self.bodies)
        self.quarantine = Quarantine(connection, self.bodies)
        self.outbox = Outbox(connection)
        self.issues = Issues(connection)
        self.limits = Limits(connection)
        self.dead_letters = DeadLetters(connection, self.bodies)
        self.storms = Storms(connection)
        self.routes = Routes(connection)
        self.aliases = Aliases(connection)
        self.surveys = Surveys(connection)
        self.operator = OperatorActions(connection)
        self.report = Report(connection)
        self.lists = Lists(connection, self.bodies)

    def write(self, operation: Callable[[Transaction], T], *, exclusive: bool = True) -> T:
        """Return what `operation` returns, once its transaction is on disk: see `Connection.write`. Raises StoreUnavailable."""
        return self.connection.write(operation, exclusive=exclusive)

    def read(self, operation: Callable[[Transaction], T]) -> T:
        """Return what `operation` reads of one consistent view. Raises StoreUnavailable."""
        return self.connection.read(operation)

    @property
    def fault(self) -> str | None:
        """Why the last commit failed; None when it did not."""
        return self.connection.fault

    @property
    def beat(self) -> float:
        """When the writer last turned, on the monotonic clock."""
        return self.connection.beat

    def instance_key(self) -> str:
        """The key of the markers, in hex: made once per store, so that markers outlive any one process."""

        def first_or_known(transaction: Transaction) -> str:
            transaction.run("set_once", name="instance.key", value=secrets.token_hex(32))
            return cast(str, transaction.rows("setting", name="instance.key")[0]["value"])

        return self.connection.write(first_or_known)

    def notebook(self, tracker: str) -> Notebook:
        """Where the clients of a tracker keep what they learned."""
        return Notebook(self.connection, tracker)

    def join(self, part: str, now: float) -> Registration:
        """Make this process known to those that share the store, as its `part`."""
        self.connection.write(lambda transaction: transaction.run("unset", name=COPIED))
        lock = ProcessLock(self.connection.path) if isinstance(self.connection, Sqlite) else None
        return Registration(self.connection, part, now, lock)

    def running(self) -> list[Running]:
        """The processes that share the store."""
        return running(self.connection)

    def room(self) -> Room:
        """What the database takes, and what is free where it lies. Raises StoreUnavailable."""
        return self.connection.room()

    def close(self) -> None:
        """Finish what was submitted and close."""
        self.hints.close()
        self.connection.close()


def open_store(settings: StoreSettings) -> Store:
    """The store, brought to this program's schema. Raises ConfigError, SchemaMismatch, StoreUnavailable."""
    bring_up(settings)
    if settings.dialect == "postgresql":
        return _on_server(settings, hints=True)
    if settings.path.stat().st_size <= INSPECTED_BYTES:
        inspect(settings.path)
    return _on_file(settings)


def read_store(settings: StoreSettings) -> Store:
    """The store as it is, for a command beside the daemon. Raises ConfigError, SchemaMismatch, StoreUnavailable."""
    if settings.dialect == "postgresql":
        _require_driver()
        from syncd.store.postgresql import server

        server.verify(settings)
        return _on_server(settings, hints=False)
    verify(settings.path)
    return _on_file(settings)


def move_store(source: StoreSettings, target: StoreSettings, progress: Progress) -> dict[str, int]:
    """Move everything from a file to a server: how many rows each table has. Raises ConfigError, SchemaMismatch, StoreUnavailable."""
    _require_driver()
    from syncd.store import move

    return move.copy(source, target, progress)


def bring_up(settings: StoreSettings) -> list[str]:
    """The names of the steps that the store lacked and has now. Raises ConfigError, SchemaMismatch, StoreUnavailable."""
    if settings.dialect == "sqlite":
        return migrate(settings.path)
    _require_driver()
    from syncd.store.postgresql import server

    return server.apply(settings)


def probe(settings: StoreSettings) -> None:
    """Raises StoreUnavailable unless a commit is durable now."""
    store = read_store(settings)
    try:
        store.connection.write(lambda transaction: transaction.run("set", name="store.probe", value=str(time.time())))
    finally:
        store.close()


def _on_file(settings: StoreSettings) -> Store:
    connection = Sqlite(settings.path)
    return Store(connection, NoHints(), Clock(connection))


def _on_server(settings: StoreSettings, *, hints: bool) -> Store:
    # Imported only now: the driver is an extra.
    from syncd.store.postgresql.connection import Postgresql
    from syncd.store.postgresql.hints import ServerHints
    from syncd.store.postgresql.server import ServerClock, conninfo

    reached_by = conninfo(settings)
    connection = Postgresql(reached_by, settings.place)
    return Store(connection, ServerHints(reached_by) if hints else NoHints(), ServerClock(connection))


def _require_driver() -> None:
    if find_spec("psycopg") is None or find_spec("psycopg_pool") is None:
        raise ConfigError(["store.url: PostgreSQL needs its driver; install it with `pip install 'syncd[postgresql]'`"])
