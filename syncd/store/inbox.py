"""The inbox: deliveries from the moment they are on disk until they are absorbed and purged. Folding them is the worker's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from syncd.errors import RejectedDelivery
from syncd.model import Identity
from syncd.store import groups, quarantine
from syncd.store.bodies import BodyOperations
from syncd.store.bodies import size as body_size
from syncd.store.connection import Transaction, reads, writes

if TYPE_CHECKING:
    from syncd.store.group_commit import GroupCommit


BATCH_BYTES = 4 * 2**20  # of bodies that are read at once, unless one alone is larger
MOST_IN_HAND = 1000  # deliveries that a process folds at a time


class Part(StrEnum):
    """The share of the work that one process does. A receiver only fills the inbox: it has no delivery in hand."""

    ALL = "all"
    RECEIVER = "receiver"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification as it was answered 200, from the configured `source`, None for the sender at /webhooks/backtrace. `replayed`: an operator asked to absorb it once more. `identity`: the number of its group's
    identity, None if it was not read. `suspected`: a process died that may have had it in hand; `deaths` of them had nothing else in hand."""

    id: int
    received_at: float
    body: bytes
    replayed: bool = False
    identity: int | None = None
    suspected: bool = False
    deaths: int = 0
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Purgeable:
    """How many rows are older than their retention."""

    deliveries: int
    decisions: int
    entries: int


class Inbox(BodyOperations):
    """Operations on deliveries. `accept` belongs to one event loop; the rest to any thread."""

    owner = ""  # the registration of this process
    _commits: "GroupCommit | None" = None

    async def accept(self, body: bytes, received_at: float, identity: Identity, note: str | None = None) -> int:
        """Return the delivery's number once it is on disk, with a note on what of it cannot be read. Raises StoreUnavailable if it is not
        and never will be."""
        if self._commits is None:
            from syncd.store.group_commit import GroupCommit  # commands do without asyncio

            self._commits = GroupCommit(self._connection, self._bodies)
        return await self._commits.add((received_at, body, identity.number, note, None))

    async def accept_all(
        self, parts: Sequence[tuple[bytes, Identity]], received_at: float, source: str, note: str | None = None
    ) -> list[int]:
        """The same for the notifications in one body of a source, in one commit: all of them are on disk, or none is."""
        if self._commits is None:
            from syncd.store.group_commit import GroupCommit

            self._commits = GroupCommit(self._connection, self._bodies)
        return await self._commits.add_all(
            [(received_at, body, identity.number, note, source) for body, identity in parts]
        )

    @reads
    def waiting(self, transaction: Transaction, size: int, first: Sequence[Identity] = ()) -> list[Delivery]:
        """Return the oldest `size` deliveries of the identities in `first` that are new to the store; if nothing of them waits, the oldest
        of all; fewer where their bodies are larger than BATCH_BYTES together; a suspected one alone. The deliveries of one group are returned in the order of
        their arrival, none before an older one."""
        existing = groups.existing(transaction, map(groups.key, first))
        new = {identity.number for identity in first if groups.key(identity) not in existing}
        sizes = transaction.batch("waiting_of_groups", [(number,) for number in new])[:size]
        numbers = _bounded(sizes)
        rows = transaction.batch("waiting_of", [(number,) for number in numbers])
        if not rows and (numbers := _bounded(transaction.rows("waiting_sizes", size=size))):
            rows = transaction.rows("waiting_until", last=numbers[-1])
        bodies = self._bodies.unpack(transaction, [cast(bytes, row["body"]) for row in rows])
        return [
            Delivery(
                cast(int, row["id"]),
                cast(float, row["received_at"]),
                body,
                row["replayed_at"] is not None,
                cast("int | None", row["identity"]),
                row["in_hand"] is not None,
                cast(int, row["deaths"]),
                cast("str | None", row["source"]),
            )
            for row, body in zip(rows, bodies, strict=True)
        ]

    def take_in_hand(self, delivery: Delivery) -> None:
        """Put on record that this process absorbs a suspected delivery now, and nothing else."""
        self._connection.execute("take_in_hand", id=delivery.id, owner=self.owner)

    def purgeable(self, before: float, decided_before: float) -> Purgeable:
        """Count what `purge` would remove."""
        row = self._connection.select("purgeable", before=before, decided_before=decided_before)[0]
        return Purgeable(cast(int, row["deliveries"]), cast(int, row["decisions"]), cast(int, row["entries"]))

    @writes
    def purge(self, transaction: Transaction, before: float, decided_before: float, size: int = 1000) -> int:
        """Remove what is older than its retention, as `purge` below."""
        return purge(transaction, before, decided_before, size)


def purge(transaction: Transaction, before: float, decided_before: float, size: int = 1000) -> int:
    """Remove up to `size` absorbed deliveries received before a time, as many digests of them, and as many decisions and entries of the audit
    made before `decided_before`; return how many rows that were. The latest decision of each group stays."""
    purged = transaction.run("purge_deliveries", before=before, size=size)
    if purged < size:
        # A delivery without its digest would count again when it is replayed.
        purged += transaction.run("purge_folded", before=before, size=size)
    purged += transaction.run("purge_history", before=decided_before, size=size)
    return purged + transaction.run("purge_audit", before=decided_before, size=size)


def _bounded(sizes: Iterable[Mapping[str, object]]) -> list[int]:
    """Return the numbers of the first deliveries whose bodies have BATCH_BYTES together, of one at least, and of a suspected one alone."""
    numbers: list[int] = []
    room = BATCH_BYTES
    for row in sizes:
        room -= body_size(bytes(cast(bytes, row["head"])), cast(int, row["size"]))
        is_suspected = row["in_hand"] is not None
        if numbers and (room < 0 or is_suspected):
            break
        numbers.append(cast(int, row["id"]))
        if is_suspected:
            break
    return numbers


def claim(
    transaction: Transaction, deliveries: Iterable[tuple[int, int, bytes]], now: float
) -> tuple[dict[int, float], set[tuple[int, bytes]]]:
    """Mark deliveries, each with the id of its group and its digest, as absorbed, and remember what each group has folded. Return those that
    no other process had absorbed before, each with the time at which it was received, and the pairs of group and digest that are new;
    every other pair is an exact redelivery."""
    batch = list(deliveries)
    rows = transaction.batch("claim_deliveries", [(number, group_id) for number, group_id, _ in batch])
    claimed = {cast(int, row["id"]): cast(float, row["received_at"]) for row in rows}
    bearers: dict[tuple[int, bytes], float] = {}
    for number, group_id, digest in batch:
        if number in claimed:
            bearers[group_id, digest] = max(now, claimed[number], bearers.get((group_id, digest), now))
    rows = transaction.batch("remember_folded", [(*pair, at) for pair, at in bearers.items()])
    new = {(cast(int, row["group_id"]), cast(bytes, row["digest"])) for row in rows}
    transaction.batch("renew_folded", [(*pair, at) for pair, at in bearers.items() if pair not in new])
    return claimed, new


def suspect(transaction: Transaction, dead: Iterable[str], size: int) -> None:
    """These processes, which absorbed, have died: the oldest `size` deliveries may have been in their hands. Each of those is absorbed alone from now on,
    so that the next death shows which it was."""
    owners = list(dead)
    for owner in owners:
        transaction.run("blame", owner=owner)
    if owners:
        transaction.run("suspect", size=size)


def reject(transaction: Transaction, delivery: Delivery, error: RejectedDelivery, bound: quarantine.Bound) -> None:
    """Move a waiting delivery to the quarantine: this program cannot parse what an older one has accepted."""
    if transaction.run("reject_delivery", id=delivery.id):
        quarantine.add(transaction, delivery.body, delivery.received_at, error, bound, delivery.source)
