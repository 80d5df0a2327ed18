"""The store: one set of operations over a thin connection."""

import secrets
from typing import cast

from syncd.config import StoreSettings
from syncd.store.aliases import Aliases
from syncd.store.clock import Clock
from syncd.store.connection import Transaction
from syncd.store.inbox import Inbox
from syncd.store.issues import Issues
from syncd.store.letters import Letters
from syncd.store.limits import Limits
from syncd.store.migrate import migrate, verify
from syncd.store.notebook import Notebook
from syncd.store.outbox import Outbox
from syncd.store.report import Report
from syncd.store.routes import Routes
from syncd.store.sqlite import Sqlite, inspect
from syncd.store.storms import Storms
from syncd.store.surveys import Surveys

INSPECTED_BYTES = 256 * 2**20  # read whole at start; damage in a larger file is noticed when it is met


class Store:
    """Everything that is kept: the inbox, the outbox and its issues, what trackers allow, and what people ask of it all."""

    def __init__(self, connection: Sqlite) -> None:
        self.connection = connection
        self.inbox = Inbox(connection)
        self.outbox = Outbox(connection)
        self.issues = Issues(connection)
        self.limits = Limits(connection)
        self.clock = Clock(connection)
        self.letters = Letters(connection)
        self.storms = Storms(connection)
        self.routes = Routes(connection)
        self.aliases = Aliases(connection)
        self.surveys = Surveys(connection)
        self.report = Report(connection)

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

    def close(self) -> None:
        """Finish what was submitted and close."""
        self.connection.close()


def open_store(settings: StoreSettings) -> Store:
    """The store, brought to this program's schema. Raises SchemaMismatch, StoreUnavailable."""
    migrate(settings.path)
    if settings.path.stat().st_size <= INSPECTED_BYTES:
        inspect(settings.path)
    return Store(Sqlite(settings.path))


def read_store(settings: StoreSettings) -> Store:
    """The store as it is, for a command beside the daemon. Raises SchemaMismatch, StoreUnavailable."""
    verify(settings.path)
    return Store(Sqlite(settings.path))
