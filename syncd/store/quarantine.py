"""Bodies that are authentic and no notification. An operator releases or discards them."""

from concurrent.futures import Future
from typing import cast

from syncd.errors import RejectedDelivery
from syncd.store.bodies import BodyOperations
from syncd.store.connection import Transaction, writes


class Quarantine(BodyOperations):
    """Operations on quarantined bodies; for any thread."""

    def add(self, body: bytes, received_at: float, error: RejectedDelivery, size: int) -> "Future[int]":
        """Store a body and return its number; the oldest beyond `size` bodies are removed."""

        def write(transaction: Transaction) -> int:
            number = add(transaction, body, received_at, error)
            transaction.run("bound_quarantine", size=size)
            return number

        return self._connection.submit(write)

    @writes
    def release(self, transaction: Transaction, number: int, now: float) -> bool:
        """Move a body back into the inbox; False if no body has this number."""
        rows = transaction.rows("quarantined_body", id=number)
        for row in rows:
            self._bodies.accept(transaction, [(now, bytes(cast(bytes, row["body"])), None)])
            transaction.run("leave_quarantine", id=number)
        return bool(rows)

    def discard(self, number: int) -> bool:
        """Remove a body; False if no body has this number."""
        return self._connection.execute("leave_quarantine", id=number) > 0


def add(transaction: Transaction, body: bytes, received_at: float, error: RejectedDelivery) -> int:
    """Store a body with the reason of its rejection, and return its number."""
    rows = transaction.rows(
        "quarantine", body=body, received_at=received_at, code=error.code, reason=error.message, field=error.field
    )
    return cast(int, rows[0]["id"])
