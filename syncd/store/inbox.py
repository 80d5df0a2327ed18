"""The inbox: deliveries kept before they are answered, and folded into their groups afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from syncd.core import fold
from syncd.core.plan import NextCall
from syncd.errors import RejectedDelivery
from syncd.model import Group, Identity, Notification
from syncd.store.bodies import Bodies
from syncd.store.connection import Connection, Transaction
from syncd.store.history import decide
from syncd.store.load import load_group
from syncd.store.queries import MAX_ROWS
from syncd.store.rows import group_of, group_values, issue_of, release_values

if TYPE_CHECKING:
    import asyncio

GATHERING_TURNS = 12  # of an event loop that finds nothing to do they take 0.1 ms, a tenth of a commit


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST, as it was answered 200. `replayed`: it was absorbed before and is to be read once more."""

    id: int
    received_at: float
    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """A delivery and what it says, or why it cannot be read."""

    delivery: Delivery
    notification: Notification | RejectedDelivery


Key = tuple[str, str, str]  # universe, project, fingerprint as compared


@dataclass(frozen=True, slots=True)
class Purgeable:
    """What is kept longer than was asked for."""

    deliveries: int
    decisions: int


class Inbox:
    """Operations on deliveries. `accept` belongs to one event loop; the rest to any thread."""

    def __init__(self, connection: Connection, bodies: Bodies) -> None:
        self._connection = connection
        self._bodies = bodies
        self._arrived: list[tuple[float, bytes, asyncio.Future[int]]] = []
        self._committing = False
        self._expected = 1  # how many are likely to come together: as many as were answered together the last time

    async def accept(self, body: bytes, received_at: float) -> int:
        """The delivery's number, once it is on disk. Raises StoreUnavailable when it is not and never will be.

        Whatever arrives while a commit is under way shares the next one: under load many requests wait for one fsync. So does what is
        already on its way when the first of them is there.
        """
        import asyncio  # whoever only looks at a store does without

        loop = asyncio.get_running_loop()
        stored: asyncio.Future[int] = loop.create_future()
        self._arrived.append((received_at, body, stored))
        if not self._committing:
            self._gather(loop)
        return await stored

    def _gather(self, loop: "asyncio.AbstractEventLoop", turns: int = GATHERING_TURNS) -> None:
        """Commit, but not before the event loop has looked a few times for what else there is: who was answered together asks together,
        and one more fsync for a part of them would keep the others waiting."""
        self._committing = True
        if turns and len(self._arrived) < self._expected:
            loop.call_soon(self._gather, loop, turns - 1)
        else:
            self._commit(loop)

    def _commit(self, loop: "asyncio.AbstractEventLoop") -> None:
        batch, self._arrived = self._arrived, []

        def insert(transaction: Transaction) -> list[int]:
            packed = self._bodies.pack(transaction, [body for _, body, _ in batch])
            arrived = [(received_at, *kept) for (received_at, _, _), kept in zip(batch, packed, strict=True)]
            return transaction.add("accept", arrived)

        future = self._connection.submit(insert, atomic=len(batch) <= MAX_ROWS)
        # One wake-up of the loop per commit, not per request.
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(self._answer, loop, batch, done))

    def _answer(
        self,
        loop: "asyncio.AbstractEventLoop",
        batch: "list[tuple[float, bytes, asyncio.Future[int]]]",
        done: "Future[list[int]]",
    ) -> None:
        self._committing = False
        self._expected = len(batch) + len(self._arrived)
        if self._arrived:
            self._gather(loop)
        error = done.exception()
        for number, (_, _, stored) in enumerate(batch):
            if stored.cancelled():
                continue  # the sender went away; its delivery is kept all the same
            if error is not None:
                stored.set_exception(error)
            else:
                stored.set_result(done.result()[number])

    def waiting(self, size: int, first: Sequence[int] = ()) -> list[Delivery]:
        """Of deliveries not yet absorbed those that are to come `first`; where there are none, the oldest ones."""

        def read(transaction: Transaction) -> list[Delivery]:
            rows = transaction.batch("waiting_of", [(number,) for number in first])
            rows = rows or transaction.rows("waiting_deliveries", size=size)
            bodies = self._bodies.unpack(transaction, [cast(bytes, row["body"]) for row in rows])
            return [
                Delivery(cast(int, row["id"]), cast(float, row["received_at"]), body, row["replayed_at"] is not None)
                for row, body in zip(rows, bodies, strict=True)
            ]

        return self._connection.read(read)

    def absorb(self, read: Sequence[Read], mode: fold.Mode, next_call: NextCall, now: float) -> set[str]:
        """Fold deliveries into their groups and mark who owes what, in one transaction; each counts once, whoever else
        absorbs at the same time. The trackers that have something to do now are returned."""
        return self._connection.write(
            lambda transaction: _absorb(transaction, read, mode, next_call, now), exclusive=False
        )

    def quarantine(self, body: bytes, received_at: float, why: RejectedDelivery, size: int) -> "Future[int]":
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
                packed = self._bodies.pack(transaction, [bytes(cast(bytes, row["body"]))])
                transaction.add("accept", [(now, *packed[0])])
                transaction.run("leave_quarantine", id=number)
            return bool(found)

        return self._connection.write(move)

    def discard(self, number: int) -> bool:
        """Remove a quarantined body; False when there is none with that number."""
        return self._connection.write(lambda transaction: transaction.run("leave_quarantine", id=number)) > 0

    def purgeable(self, before: float, decided_before: float) -> "Purgeable":
        """How much `purge` would remove."""
        row = self._connection.read(
            lambda transaction: transaction.rows("purgeable", before=before, decided_before=decided_before)[0]
        )
        return Purgeable(cast(int, row["deliveries"]), cast(int, row["decisions"]))

    def purge(self, before: float, decided_before: float, size: int = 1000) -> int:
        """Remove up to `size` absorbed deliveries received before a time, as many memories of redeliveries, and as many decisions made
        before another time; how many that were. Of each group the latest decision stays."""

        def bite(transaction: Transaction) -> int:
            folded = transaction.run("purge_folded", before=before, size=size)
            decided = transaction.run("purge_history", before=decided_before, size=size)
            return folded + decided + transaction.run("purge_deliveries", before=before, size=size)

        return self._connection.write(bite)


# A delivery and what it says.
_Pair = tuple[Delivery, Notification]


def _absorb(
    transaction: Transaction, read: Sequence[Read], mode: fold.Mode, next_call: NextCall, now: float
) -> set[str]:
    """All of it in a dozen statements, however many deliveries: each statement is a hand-over of the interpreter's lock,
    and behind each the receiver would wait."""
    transaction.lock("absorb")  # one after the other, so that what came earlier is folded earlier
    for delivery, why in ((item.delivery, item.notification) for item in read):
        if isinstance(why, RejectedDelivery) and transaction.run("reject_delivery", id=delivery.id):
            _keep(transaction, delivery.body, delivery.received_at, why)
    pairs = [(item.delivery, item.notification) for item in read if isinstance(item.notification, Notification)]
    if not pairs:
        return set()
    ids = _group_ids(transaction, pairs)
    before = _load(transaction, ids)
    after = _fold_all(transaction, pairs, ids, before, mode, now)
    _save(transaction, before, after)
    changed = [group_id for group_id, group in after.items() if group.revision > before[group_id].revision]
    return _owe(transaction, changed, after, next_call, now)


def _group_ids(transaction: Transaction, pairs: Iterable[_Pair]) -> dict[Key, int]:
    """The row of each group spoken of; one that is new gets an empty row, so that all that follows has an id to point to."""
    spoken_of: dict[Key, Identity] = {}
    for _, notification in pairs:
        spoken_of.setdefault(_key(notification.identity), notification.identity)
    rows = transaction.batch("groups_by_identity", list(spoken_of))
    known = {(row["universe"], row["project"], row["fingerprint_key"]): row["id"] for row in rows}
    new = [(*key[:2], identity.fingerprint, key[2]) for key, identity in spoken_of.items() if key not in known]
    for row in transaction.batch("new_groups", new):
        known[row["universe"], row["project"], row["fingerprint_key"]] = row["id"]
    return cast(dict[Key, int], known)


def _key(identity: Identity) -> Key:
    return identity.universe, identity.project, identity.fingerprint_key


def _load(transaction: Transaction, ids: Mapping[Key, int]) -> dict[int, Group]:
    wanted = [(group_id,) for group_id in sorted(ids.values())]
    rows = transaction.batch("groups_by_id", wanted)
    releases: dict[object, list[dict[str, object]]] = {}
    for row in transaction.batch("releases_of_groups", wanted):
        releases.setdefault(row.pop("group_id"), []).append(row)
    return {cast(int, row["id"]): group_of(row, releases.get(row["id"], [])) for row in rows}


def _fold_all(
    transaction: Transaction,
    pairs: Sequence[_Pair],
    ids: Mapping[Key, int],
    before: Mapping[int, Group],
    mode: fold.Mode,
    now: float,
) -> dict[int, Group]:
    """The groups that were spoken of, each with its notifications in it, in the order they came."""
    placed = [(delivery, ids[_key(notification.identity)], notification) for delivery, notification in pairs]
    # What another process was faster to claim is not in the answer.
    rows = transaction.batch("claim_deliveries", [(delivery.id, group_id) for delivery, group_id, _ in placed])
    claimed = {row["id"] for row in rows}
    ours = [entry for entry in placed if entry[0].id in claimed]
    told = [(group_id, notification.digest, now) for _, group_id, notification in ours]
    fresh = {(row["group_id"], row["digest"]) for row in transaction.batch("remember_folded", told)}
    after: dict[int, Group] = {}
    for delivery, group_id, notification in ours:
        group = after.get(group_id, before[group_id])
        if (group_id, notification.digest) in fresh:
            fresh.remove((group_id, notification.digest))
            folded = fold.fold(group, notification, mode)
        else:
            folded = fold.again(group)
        # One that is read once more was counted as a notification when it came.
        after[group_id] = replace(folded, notifications=group.notifications) if delivery.replayed else folded
    return after


def _save(transaction: Transaction, before: Mapping[int, Group], after: Mapping[int, Group]) -> None:
    transaction.batch("save_groups", [group_values(group_id, group) for group_id, group in after.items()])
    changed = [
        release_values(group_id, release)
        for group_id, group in after.items()
        for release in set(group.releases).difference(before[group_id].releases)
    ]
    transaction.batch("save_releases", changed)


def _owe(
    transaction: Transaction, changed: Sequence[int], groups: Mapping[int, Group], next_call: NextCall, now: float
) -> set[str]:
    """Mark who owes what; the trackers that have something to do now are returned."""
    changed, groups = _represented(transaction, changed, groups)
    rows = transaction.batch("live_issues", [(group_id,) for group_id in changed])
    issues = {row["group_id"]: issue_of(row) for row in rows}
    owing = [(group_id, next_call(groups[group_id], issues.get(group_id), now)) for group_id in changed]
    transaction.batch("owe", [(group_id, due.tracker, due.due_at, due.call) for group_id, due in owing if due.tracker])
    for group_id, due in owing:
        if due.hold is not None:
            decide(transaction, group_id, due.hold, None, now, due.route)
    return {due.tracker for _, due in owing if due.tracker and due.due_at <= now}


def _represented(
    transaction: Transaction, changed: Sequence[int], groups: Mapping[int, Group]
) -> tuple[list[int], Mapping[int, Group]]:
    """Whose issues have something else to show: of an alias, that of the group it follows."""
    rows = transaction.batch("targets", [(group_id,) for group_id in changed])
    targets = {cast(int, row["group_id"]): cast(int, row["target_id"]) for row in rows}
    if not targets:
        return list(changed), groups
    represented = dict.fromkeys(targets.get(group_id, group_id) for group_id in changed)
    loaded = dict(groups)
    for target_id in set(targets.values()):
        transaction.run("bump", group_id=target_id)
        loaded[target_id] = load_group(transaction, transaction.rows("group_by_id", group_id=target_id)[0])
    return list(represented), loaded


def _keep(transaction: Transaction, body: bytes, received_at: float, why: RejectedDelivery) -> int:
    rows = transaction.rows(
        "quarantine", body=body, received_at=received_at, code=why.code, reason=why.message, field=why.field
    )
    return cast(int, rows[0]["id"])
