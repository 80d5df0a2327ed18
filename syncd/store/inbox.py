"""The inbox: deliveries kept before they are answered, and folded into their groups afterwards."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from syncd import fold
from syncd.errors import NotANotification
from syncd.model import Action, Group, Identity, Issue, Notification
from syncd.plan import Owed
from syncd.store.connection import Connection, Transaction
from syncd.store.rows import group_of, group_values, issue_of, release_values


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST, as it was answered 200."""

    id: int
    received_at: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A delivery and what it says, or why it cannot be read."""

    delivery: Delivery
    notification: Notification | NotANotification


Owes = Callable[[Group, Issue | None], Owed]


class Inbox:
    """Operations on deliveries. `accept` belongs to one event loop; the rest to any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._arrived: list[tuple[float, bytes, asyncio.Future[int]]] = []
        self._committing = False

    async def accept(self, body: bytes, received_at: float) -> int:
        """The delivery's number, once it is on disk. Raises StoreUnavailable when it is not and never will be.

        Whatever arrives while a commit is under way shares the next one: under load many requests wait for one fsync.
        """
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[int] = loop.create_future()
        self._arrived.append((received_at, body, stored))
        if not self._committing:
            self._commit(loop)
        return await stored

    def _commit(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._arrived = self._arrived, []
        self._committing = True

        def insert(transaction: Transaction) -> list[int]:
            return [
                cast(int, transaction.rows("accept", received_at=received_at, body=body)[0]["id"])
                for received_at, body, _ in batch
            ]

        future = self._connection.submit(insert)
        # One wake-up of the loop per commit, not per request.
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(self._answer, loop, batch, done))

    def _answer(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[float, bytes, asyncio.Future[int]]],
        done: "Future[list[int]]",
    ) -> None:
        self._committing = False
        if self._arrived:
            self._commit(loop)
        error = done.exception()
        for number, (_, _, stored) in enumerate(batch):
            if stored.cancelled():
                continue  # the sender went away; its delivery is kept all the same
            if error is not None:
                stored.set_exception(error)
            else:
                stored.set_result(done.result()[number])

    def waiting(self, size: int) -> list[Delivery]:
        """The oldest deliveries not yet absorbed."""
        rows = self._connection.read(lambda transaction: transaction.rows("waiting_deliveries", size=size))
        return [
            Delivery(cast(int, row["id"]), cast(float, row["received_at"]), cast(bytes, row["body"])) for row in rows
        ]

    def absorb(self, read: Sequence[Read], mode: fold.Mode, owes: Owes, now: float) -> set[str]:
        """Fold deliveries into their groups and mark who owes what, in one transaction; each counts once, whoever else
        absorbs at the same time. The trackers that have something to do now are returned."""
        return self._connection.write(lambda transaction: _absorb(transaction, read, mode, owes, now))

    def quarantine(self, body: bytes, received_at: float, why: NotANotification, size: int) -> "Future[int]":
        """Keep what is authentic but no notification, under a number; the oldest beyond `size` make room."""

        def keep(transaction: Transaction) -> int:
            number = _keep(transaction, body, received_at, why)
            transaction.run("bound_quarantine", size=size)
            return number

        return self._connection.submit(keep)

    def release(self, number: int, now: float) -> bool:
        """Put a quarantined body back into the inbox; False when there is none with that number."""

        def move(transaction: Transaction) -> bool:
            found = transaction.rows("quarantined_one", id=number)
            for row in found:
                transaction.rows("accept", received_at=now, body=row["body"])
                transaction.run("leave_quarantine", id=number)
            return bool(found)

        return self._connection.write(move)

    def discard(self, number: int) -> bool:
        """Remove a quarantined body; False when there is none with that number."""
        return self._connection.write(lambda transaction: transaction.run("leave_quarantine", id=number)) > 0

    def purge(self, before: float, size: int = 1000) -> int:
        """Remove up to `size` absorbed deliveries received before a time, and as many memories of redeliveries."""

        def bite(transaction: Transaction) -> int:
            transaction.run("purge_folded", before=before, size=size)
            return transaction.run("purge_deliveries", before=before, size=size)

        return self._connection.write(bite)


def _absorb(transaction: Transaction, read: Sequence[Read], mode: fold.Mode, owes: Owes, now: float) -> set[str]:
    woken: set[str] = set()
    for delivery, why in ((item.delivery, item.notification) for item in read):
        if isinstance(why, NotANotification) and transaction.run("reject_delivery", id=delivery.id):
            _keep(transaction, delivery.body, delivery.received_at, why)
    readable = [(item.delivery, item.notification) for item in read if isinstance(item.notification, Notification)]
    # sorted() is stable: within a group, deliveries stay in the order they came.
    readable.sort(key=lambda pair: _compared(pair[1].identity))
    for _, pairs in groupby(readable, key=lambda pair: _compared(pair[1].identity)):
        tracker = _absorb_group(transaction, list(pairs), mode, owes, now)
        if tracker is not None:
            woken.add(tracker)
    return woken


def _compared(identity: Identity) -> tuple[str, str, str]:
    return identity.universe, identity.project, identity.fingerprint_key


def _absorb_group(
    transaction: Transaction,
    pairs: Iterable[tuple[Delivery, Notification]],
    mode: fold.Mode,
    owes: Owes,
    now: float,
) -> str | None:
    group_id, before = None, None
    for delivery, notification in pairs:
        if group_id is None:
            group_id, before = _load(transaction, notification.identity)
            after = before
        if not transaction.run("claim_delivery", id=delivery.id, group_id=group_id):
            continue  # another process was faster
        fresh = transaction.run("remember_folded", group_id=group_id, digest=notification.digest, now=now)
        after = fold.fold(after, notification, mode) if fresh else fold.again(after)
    if group_id is None or before is None or after == before:
        return None
    _save(transaction, group_id, before, after)
    return _owe(transaction, group_id, after, owes, now) if after.revision > before.revision else None


def _load(transaction: Transaction, identity: Identity) -> tuple[int, Group]:
    key = {
        "universe": identity.universe,
        "project": identity.project,
        "fingerprint_key": identity.fingerprint_key,
    }
    rows = transaction.rows("group_by_identity", **key)
    if not rows:
        new = transaction.rows("new_group", fingerprint=identity.fingerprint, **key)
        return cast(int, new[0]["id"]), Group(identity=identity)
    group_id = cast(int, rows[0]["id"])
    return group_id, group_of(rows[0], transaction.rows("group_releases", group_id=group_id))


def _save(transaction: Transaction, group_id: int, before: Group, after: Group) -> None:
    transaction.run("save_group", group_id=group_id, **group_values(after))
    known = set(before.releases)
    changed = [release_values(group_id, release) for release in after.releases if release not in known]
    if changed:
        transaction.many("save_release", changed)


def _owe(transaction: Transaction, group_id: int, group: Group, owes: Owes, now: float) -> str | None:
    rows = transaction.rows("live_issue", group_id=group_id)
    owed = owes(group, issue_of(rows[0]) if rows else None)
    if owed.tracker is None:
        transaction.run("decide", group_id=group_id, action=Action.HOLD, reason=owed.reason, now=now)
        return None
    transaction.run("owe", group_id=group_id, tracker=owed.tracker, due_at=owed.due_at)
    return owed.tracker if owed.due_at <= now else None


def _keep(transaction: Transaction, body: bytes, received_at: float, why: NotANotification) -> int:
    rows = transaction.rows(
        "quarantine", body=body, received_at=received_at, code=why.code, reason=why.message, field=why.field
    )
    return cast(int, rows[0]["id"])
