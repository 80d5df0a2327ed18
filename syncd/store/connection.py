"""What the store needs of a database: durable transactions, and reads beside them."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes a database takes, and how many are free where it lies; None where that is not known."""

    taken: int
    free: int | None = None


class Transaction(Protocol):
    """Queries by name inside one transaction. Only the functions handed to a `Connection` see one."""

    def rows(self, query: str, **parameters: object) -> list[dict[str, object]]:
        """All rows."""

    def run(self, query: str, **parameters: object) -> int:
        """How many rows were changed."""

    def batch(self, query: str, rows: Sequence[Sequence[object]]) -> list[dict[str, object]]:
        """One statement for all `rows`, which the query names `:rows`; what it returns. Nothing happens for no rows."""

    def add(self, query: str, rows: Sequence[Sequence[object]]) -> list[int]:
        """The same for an INSERT of rows that are numbered: their numbers, which rise in the order of the rows."""

    def lock(self, name: str) -> None:
        """Until the transaction ends, no other one gets past a lock of this name. Of several, all take them in the same order:
        a group, its claim, `route …`, `credential …`, `tracker …`."""


class Connection(Protocol):
    """A database. `fault` says why the last commit failed, or is None; `beat` is when it last did anything, on the monotonic
    clock; `place` is where it is, for people."""

    fault: str | None
    beat: float

    @property
    def place(self) -> str:
        """Where the database is: no secrets."""

    def submit(self, operation: Callable[[Transaction], T], *, atomic: bool = False) -> "Future[T]":
        """For what only adds rows: run `operation` in a durable transaction, soon. The future is done only after the commit is on disk; it
        raises StoreUnavailable when nothing was committed, or what `operation` raised, which undoes it alone. One that is `atomic` writes
        with one statement, and so may do without a transaction around it."""

    def write(self, operation: Callable[[Transaction], T], *, exclusive: bool = True) -> T:
        """The same, waiting for it. No other write goes on meanwhile, unless `beside`: such an operation locks what it judges by. It
        may be run several times before it is committed once, and so changes nothing but the store."""

    def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run `operation` on a consistent view; it must not write. Raises StoreUnavailable."""

    def room(self) -> Room:
        """What the database takes. Raises StoreUnavailable."""

    def close(self) -> None:
        """Finish what was submitted and close."""
