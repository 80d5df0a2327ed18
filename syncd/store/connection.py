"""The seam between the store and a database: durable transactions, and reads at the same time.

tests/store/test_conformance.py lists what both databases guarantee.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

DAEMON = "syncd"  # the actor of what no operator does

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Room:
    """The size of a database and the free space of its disk, in bytes; `free` is None if it is unknown."""

    taken: int
    free: int | None = None


class Transaction(Protocol):
    """Queries by name inside one transaction. It is valid only inside the operation that a `Connection` calls with it."""

    def rows(self, query: str, **parameters: object) -> list[dict[str, object]]:
        """Return all rows."""

    def run(self, query: str, **parameters: object) -> int:
        """Return how many rows were changed."""

    def batch(self, query: str, rows: Sequence[Sequence[object]]) -> list[dict[str, object]]:
        """Run one statement for all `rows`, which the query calls `:rows`, and return its rows. Without rows nothing runs."""

    def add(self, query: str, rows: Sequence[Sequence[object]]) -> list[int]:
        """Run an INSERT like `batch`, and return the numbers of the new rows, which rise in the order of `rows`."""

    def lock(self, name: str) -> None:
        """Wait for the lock of this name and hold it until the transaction ends. Every operation takes locks in the same order: `trial …`, a group,
        its claim, `route …`, `credential …`, `tracker …`."""


First = Callable[[], Callable[[Transaction], None] | None]


class Connection(Protocol):
    """A database. `place` is its address as people may see it, without secrets; `fault` is why the last commit failed, or None; `beat` is
    when it last did anything, on the monotonic clock; `first` returns what the next write transaction begins with, None for nothing.
    `generation` rises when the database may be another one than before, such as a backup in its place: what was read from it is read anew."""

    place: str
    fault: str | None
    beat: float
    first: First
    generation: int = 0

    def submit(self, operation: Callable[[Transaction], T], *, atomic: bool = False) -> "Future[T]":
        """Run an `operation` that only adds rows in a durable transaction, soon. The future is done after the commit is on disk. It raises
        StoreUnavailable if nothing was committed, or the error of `operation`, which undoes that operation alone. `atomic` says that the
        operation writes with one statement, so that it needs no transaction around it."""

    def write(self, operation: Callable[[Transaction], T], *, exclusive: bool = True) -> T:
        """Run `operation` in a durable transaction and wait for the commit. If it is `exclusive` no other write runs at the same time;
        otherwise it locks the rows it decides by. It may run several times before it is committed once, and so must change nothing
        outside of the store. Raises StoreUnavailable if nothing was committed, or the error of `operation`."""

    def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run `operation` on a consistent view; it must not write. Raises StoreUnavailable."""

    def select(self, query: str, **parameters: object) -> list[dict[str, object]]:
        """Return the rows of one query. Raises StoreUnavailable."""
        return self.read(lambda transaction: transaction.rows(query, **parameters))

    def execute(self, query: str, **parameters: object) -> int:
        """Commit one query, exclusively, and return how many rows it changed. Raises StoreUnavailable."""
        return self.write(lambda transaction: transaction.run(query, **parameters))

    def room(self) -> Room:
        """Return the size of the database. Raises StoreUnavailable."""

    def close(self) -> None:
        """Finish the submitted operations and close."""


@dataclass(eq=False)
class Operations:
    """A class of operations on one connection, by `_actor`, whom the audit names."""

    _connection: Connection
    _actor: str = field(default=DAEMON, kw_only=True)


S = TypeVar("S", bound=Operations)


def reads(method: Callable[Concatenate[S, Transaction, P], T]) -> Callable[Concatenate[S, P], T]:
    """Run a method of `Operations` on one consistent view: it gets the transaction, and its callers pass none."""

    @wraps(method)
    def operation(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._connection.read(lambda transaction: method(self, transaction, *args, **kwargs))

    return operation


def writes(method: Callable[Concatenate[S, Transaction, P], T]) -> Callable[Concatenate[S, P], T]:
    """Run a method of `Operations` in an exclusive transaction; it returns after the commit."""

    @wraps(method)
    def operation(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._connection.write(lambda transaction: method(self, transaction, *args, **kwargs))

    return operation
