"""Bodies that are authentic and cannot be read as a notification. An operator releases or discards them."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import cast

from syncd.errors import RejectedDelivery
from syncd.store import audit
from syncd.store.audit import Kind, Subject
from syncd.store.bodies import BodyOperations
from syncd.store.connection import Transaction, writes


@dataclass(frozen=True, slots=True)
class Bound:
    """How much the quarantine keeps: at most so many deliveries, of at most so many bytes together. The newest always stays, unless
    `deliveries` is 0."""

    deliveries: int
    bytes: int


class Quarantine(BodyOperations):
    """Operations on quarantined bodies; for any thread."""

    def add(
        self, body: bytes, received_at: float, error: RejectedDelivery, bound: Bound, source: str | None = None
    ) -> "Future[int]":
        """Store a body of a source and return its number; the oldest beyond `bound` are removed."""
        return self._connection.submit(lambda transaction: add(transaction, body, received_at, error, bound, source))

    def body(self, number: int) -> bytes | None:
        """Return a body; None if none has this number."""
        entry = self.entry(number)
        return None if entry is None else entry[0]

    def entry(self, number: int) -> tuple[bytes, str | None] | None:
        """Return a body and the source that sent it; None if none has this number."""
        rows = self._connection.select("quarantined_body", id=number)
        return (bytes(cast(bytes, rows[0]["body"])), cast("str | None", rows[0]["source"])) if rows else None

    @writes
    def release(
        self,
        transaction: Transaction,
        number: int,
        now: float,
        note: str | None = None,
        parts: Sequence[bytes] | None = None,
    ) -> bool:
        """Move a body back into the inbox, with a note on what of it cannot be read, and divided into `parts` if it has several notifications;
        False if no body has this number."""
        rows = transaction.rows("quarantined_body", id=number)
        for row in rows:
            source = cast("str | None", row["source"])
            bodies = [bytes(cast(bytes, row["body"]))] if parts is None else parts
            self._bodies.accept(transaction, [(now, body, None, note, source) for body in bodies])
            transaction.run("leave_quarantine", id=number)
            self._record(transaction, "replay", number, "quarantined → in the inbox", now)
        return bool(rows)

    @writes
    def discard(self, transaction: Transaction, number: int, now: float) -> bool:
        """Remove a body; False if no body has this number."""
        removed = transaction.run("leave_quarantine", id=number) > 0
        if removed:
            self._record(transaction, "discard", number, "quarantined → deleted", now)
        return removed

    def _record(self, transaction: Transaction, action: str, number: int, detail: str, now: float) -> None:
        audit.record(transaction, self._actor, action, Subject(Kind.DELIVERY, f"quarantine/{number}"), detail, now)


def add(
    transaction: Transaction,
    body: bytes,
    received_at: float,
    error: RejectedDelivery,
    bound: Bound,
    source: str | None = None,
) -> int:
    """Store a body of a source with the reason of its rejection, remove the oldest beyond `bound`, and return its number."""
    rows = transaction.rows(
        "quarantine",
        body=body,
        received_at=received_at,
        code=error.code,
        reason=error.message,
        field=error.field,
        source=source,
    )
    transaction.run("bound_quarantine", deliveries=bound.deliveries, bytes=bound.bytes)
    return cast(int, rows[0]["id"])
