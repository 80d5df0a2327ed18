"""The first stage behind the inbox: deliveries are folded into their groups, and every group that changed is due at its tracker.

Ten thousand deliveries of one group are ten thousand cheap folds and one tracker call.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from syncd.core import fold
from syncd.errors import RejectedDelivery
from syncd.model import Group, Identity, Notification
from syncd.store import Store, groups, inbox, outbox
from syncd.store.connection import Transaction
from syncd.store.inbox import MOST_IN_HAND, Delivery
from syncd.store.quarantine import Bound
from syncd.worker.routing import Routing, qualify

Parsed = tuple[Delivery, Notification | RejectedDelivery]

MOST_DEATHS = 2
DEADLY = RejectedDelivery(
    422, "deadly", f"syncd ended {MOST_DEATHS} times while it absorbed this body and nothing else."
)
BATCH = MOST_IN_HAND  # deliveries in one transaction; more would make the receiver wait for the writer
SHORT_BATCH = 400  # while deliveries arrive: a new group waits for the batch before it


def absorb(
    store: Store, routing: Routing, now: float, first: Sequence[Identity] = (), size: int = BATCH
) -> tuple[int, set[str]]:
    """Fold a batch of deliveries: those of the groups in `first` that are new, else the oldest. Return how many there were, and which trackers have a
    call due now. Raises StoreUnavailable; then nothing was folded."""
    deliveries = store.inbox.waiting(size, first)
    if not deliveries:
        return 0, set()
    suspect = deliveries[0]
    if suspect.deaths >= MOST_DEATHS:
        return 1, fold_batch(store, routing, [(suspect, DEADLY)], now)
    if suspect.suspected:
        store.inbox.take_in_hand(suspect)
    return len(deliveries), fold_batch(store, routing, parse_batch(routing, deliveries), now)


def parse_batch(routing: Routing, deliveries: Sequence[Delivery]) -> list[Parsed]:
    """Parse deliveries, but the texts of the latest of each group alone: those of the rest count only where the latest lacks one, and then
    `fold_batch` reads them."""
    # The last delivery of a group is nearly always the latest notification.
    last = {delivery.identity: place for place, delivery in enumerate(deliveries)}
    parsed: list[Parsed] = []
    latest: dict[groups.Key, tuple[int, Notification]] = {}
    for place, delivery in enumerate(deliveries):
        result = routing.parse(delivery, texts=last[delivery.identity] == place)
        parsed.append((delivery, result))
        if isinstance(result, Notification):
            key = groups.key(result.identity)
            before = latest[key][1].last if key in latest else None
            if before is None or (result.last is not None and result.last >= before):
                latest[key] = place, result
    for place, notification in latest.values():
        if notification.unread:
            delivery = deliveries[place]
            parsed[place] = delivery, routing.parse(delivery)
    return parsed


def fold_batch(store: Store, routing: Routing, parsed: Sequence[Parsed], now: float) -> set[str]:
    """Fold parsed deliveries in one transaction; return the trackers with a call due now. Each delivery counts once, whoever else
    absorbs at the same time.

    The batch is a dozen statements, however many its deliveries: each statement hands over the interpreter's lock, and the receiver
    waits behind each.
    """

    receiver = routing.config.receiver

    def write(transaction: Transaction) -> set[str]:
        transaction.lock("absorb")  # one batch after the other: the earlier delivery is folded earlier
        for delivery, result in parsed:
            if isinstance(result, RejectedDelivery):
                inbox.reject(transaction, delivery, result, Bound(receiver.quarantine_size, receiver.quarantine_bytes))
        readable = [
            (groups.key(result.identity), delivery, result)
            for delivery, result in parsed
            if isinstance(result, Notification)
        ]

        identities: dict[groups.Key, Identity] = {}
        for key, _, message in readable:
            identities.setdefault(key, message.identity)
        ids, before = groups.load(transaction, identities, store.recent)
        batch = [(ids[key], delivery, message) for key, delivery, message in readable]
        digests = ((delivery.id, group_id, message.digest) for group_id, delivery, message in batch)
        claimed, new = inbox.claim(transaction, digests, now)
        # The clock may have been set since they were received, or since they were read here.
        batch = [
            (group_id, delivery, received(message, min(claimed[delivery.id], now)))
            for group_id, delivery, message in batch
            if delivery.id in claimed
        ]
        before = {group_id: fold.not_after(group, now) for group_id, group in before.items()}

        after = _folded(before, batch, new, routing)
        groups.save(transaction, before, after, store.recent)

        changed = {group_id: group for group_id, group in after.items() if group.revision > before[group_id].revision}
        since = min((message.received_at for _, _, message in batch), default=now)
        # An alias is judged by its own numbers too: it may stand for itself again.
        changed = qualify(transaction, routing, changed, since, now)
        represented = qualify(transaction, routing, groups.represent(transaction, changed), since, now)
        issues = groups.live_issues(transaction, represented)
        calls = {
            group_id: routing.next_call(group, issues.get(group_id), now) for group_id, group in represented.items()
        }
        outbox.owe(transaction, calls, again=False)
        for group_id, call in calls.items():
            if call.hold is not None:
                outbox.decide(transaction, group_id, call.hold, None, now, call.route)
        return {call.tracker for call in calls.values() if call.tracker is not None and call.due_at <= now}

    return store.write(write, exclusive=False)


def received(message: Notification, at: float) -> Notification:
    """Return the notification as received at a time."""
    return message if message.received_at == at else replace(message, received_at=at)


def _folded(
    before: Mapping[int, Group],
    batch: Iterable[tuple[int, Delivery, Notification]],
    new: set[tuple[int, bytes]],
    routing: Routing,
) -> dict[int, Group]:
    """Return each group of the batch with its notifications folded in, in the order of their arrival. A notification whose digest is
    not in `new` only raises the number of notifications, and a replayed one not even that."""
    pending = set(new)
    notified = dict[int, int]()
    fresh: dict[int, list[tuple[Delivery, Notification]]] = {}
    for group_id, delivery, notification in batch:
        notified[group_id] = notified.get(group_id, 0) + (not delivery.replayed)
        if (group_id, notification.digest) in pending:
            pending.remove((group_id, notification.digest))
            fresh.setdefault(group_id, []).append((delivery, notification))
    mode = routing.config.notifications.occurrence_mode
    after: dict[int, Group] = {}
    for group_id, count in notified.items():
        group = before[group_id]
        if entries := fresh.get(group_id):

            def read(place: int, entries: Sequence[tuple[Delivery, Notification]] = entries) -> Notification:
                whole = routing.parse(entries[place][0])
                assert isinstance(whole, Notification)  # noqa: S101 - it was parsed before
                return whole

            group = fold.fold_all(group, [notification for _, notification in entries], mode, read)
        after[group_id] = replace(group, notifications=before[group_id].notifications + count)
    return after
