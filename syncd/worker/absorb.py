"""The first stage behind the inbox: deliveries are folded into their groups, and every group that changed is due at its tracker.

Ten thousand deliveries of one group are ten thousand cheap folds and one tracker call.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from syncd.core import counts, fold, polls, regression, trend
from syncd.core.counts import Counting, Evidence
from syncd.errors import RejectedDelivery
from syncd.model import Group, Identity, Notification, SourceState
from syncd.store import Store, countings, groups, inbox, outbox
from syncd.store.connection import Transaction
from syncd.store.inbox import MOST_IN_HAND, Delivery
from syncd.store.quarantine import Bound
from syncd.worker import adoptions
from syncd.worker.routing import Routing, qualify

Parsed = tuple[Delivery, Notification | RejectedDelivery]

MOST_DEATHS = 2
DEADLY = RejectedDelivery(
    422, "deadly", f"syncd ended {MOST_DEATHS} times while it absorbed this body and nothing else."
)
BATCH = MOST_IN_HAND  # deliveries in one transaction; more would make the receiver wait for the writer
SHORT_BATCH = 400  # while deliveries arrive: a new group waits for the batch before it


def absorb(
    store: Store,
    routing: Routing,
    now: float,
    first: Sequence[Identity] = (),
    size: int = BATCH,
    note: Callable[[Identity], object] | None = None,
) -> tuple[int, set[str]]:
    """Fold a batch of deliveries: those of the groups in `first` that are new, else the oldest. Return how many there were, and which trackers have a
    call due now. `note` is called for the group of each that is not of a poll. Raises StoreUnavailable; then nothing was folded."""
    deliveries = store.inbox.waiting(size, first)
    if not deliveries:
        return 0, set()
    suspect = deliveries[0]
    if suspect.deaths >= MOST_DEATHS:
        return 1, fold_batch(store, routing, [(suspect, DEADLY)], now)
    if suspect.suspected:
        store.inbox.take_in_hand(suspect)
    parsed = parse_batch(routing, deliveries)
    woken = fold_batch(store, routing, parsed, now)
    if note is not None:
        for identity in {each.identity for _, each in parsed if isinstance(each, Notification) and not each.polled}:
            note(identity)
    return len(deliveries), woken


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
        before = {group_id: trend.not_after(group, now) for group_id, group in before.items()}

        after = _folded(transaction, before, batch, new, routing)
        met = {group_id: group for group_id, group in after.items() if before[group_id].revision == 0}
        adoptions.meet(transaction, routing.instance_key, met, now)
        since = min((message.received_at for _, _, message in batch), default=now)
        return _save(store, transaction, routing, before, after, since, now)

    return store.write(write, exclusive=False)


def mark_polled(store: Store, project: countings.Project, mode: counts.Mode, *, fresh: bool) -> bool:
    """From now on the totals of the latest polls are the counts of a project, if they are `fresh`; else the notifications count again. The groups follow
    in `recount`. Return whether that is a change. Raises StoreUnavailable."""

    def write(transaction: Transaction) -> bool:
        transaction.lock("absorb")
        standing = countings.load(transaction, [project]).get(project) or countings.ProjectCounting(
            Counting(mode=mode), Evidence()
        )
        if standing.counting.polled is fresh:
            return False
        counting = replace(standing.counting, polled=fresh)
        countings.save(transaction, {project: countings.ProjectCounting(counting, standing.evidence, 0)})
        return True

    return store.write(write, exclusive=False)


def recount(store: Store, routing: Routing, now: float) -> tuple[int, set[str]]:
    """Read the counts of the next groups anew, if those of their project are read otherwise than before. Return how many groups there
    were, and which trackers have a call due now. Raises StoreUnavailable; then nothing has changed."""
    mode = routing.config.notifications.occurrence_mode
    if not store.read(partial(countings.pending, mode=mode)):
        return 0, set()

    def write(transaction: Transaction) -> tuple[int, set[str]]:
        transaction.lock("absorb")
        for project, standing in countings.pending(transaction, mode).items():
            counting = counts.decide(mode, standing.evidence, standing.counting)
            start = 0 if counting != standing.counting else standing.recount_after or 0
            before = groups.of_project(transaction, *project, start, SHORT_BATCH)
            after = {group_id: fold.read_again(group, counting) for group_id, group in before.items()}
            last = max(before) if len(before) == SHORT_BATCH else None
            countings.save(transaction, {project: countings.ProjectCounting(counting, standing.evidence, last)})
            changed = {group_id: group for group_id, group in after.items() if group != before[group_id]}
            return max(1, len(before)), _save(store, transaction, routing, before, changed, now, now)
        return 0, set()

    return store.write(write, exclusive=False)


def _save(
    store: Store,
    transaction: Transaction,
    routing: Routing,
    before: Mapping[int, Group],
    after: Mapping[int, Group],
    since: float,
    now: float,
) -> set[str]:
    """Save groups, and decide what is due of those whose issues change, by what they met at `since` or later. Return the trackers with a
    call due now."""
    groups.save(transaction, before, after, store.recent)
    for group_id, group in after.items():
        earlier = before[group_id].triage
        if group.triage != earlier and (earlier is not None or group.triage in (polls.RESOLVED, polls.MUTED)):
            outbox.observe(transaction, group_id, polls.sentence(group.triage or ""), now)
    changed = {group_id: group for group_id, group in after.items() if group.revision > before[group_id].revision}
    # An alias is judged by its own numbers too: it may stand for itself again.
    changed = qualify(transaction, routing, changed, since, now)
    represented = qualify(transaction, routing, groups.represent(transaction, changed), since, now)
    issues = groups.live_issues(transaction, represented)
    for group_id, group in after.items():
        if group.reading != before[group_id].reading and (issue := issues.get(group_id)) and issue.baseline:
            otherwise = fold.read_as(group, before[group_id].reading)
            baseline = counts.scaled(issue.baseline, regression.ledger(otherwise), regression.ledger(group))
            groups.save_baseline(transaction, group_id, baseline)
    calls = {group_id: routing.next_call(group, issues.get(group_id), now) for group_id, group in represented.items()}
    outbox.owe(transaction, calls, again=False)
    for group_id, group in after.items():
        state = group.source_state
        if (
            state is not None
            and state != before[group_id].source_state
            and (before[group_id].revision or state.name != "open")
        ):
            outbox.note(transaction, group_id, outbox.SOURCE, _reported(routing, group, state), None, now)
    for group_id, call in calls.items():
        if call.hold is not None:
            outbox.decide(transaction, group_id, call.hold, None, now, call.route)
    return {call.tracker for call in calls.values() if call.tracker is not None and call.due_at <= now}


def received(message: Notification, at: float) -> Notification:
    """Return the notification as received at a time."""
    return message if message.received_at == at else replace(message, received_at=at)


def _folded(
    transaction: Transaction,
    before: Mapping[int, Group],
    batch: Iterable[tuple[int, Delivery, Notification]],
    new: set[tuple[int, bytes]],
    routing: Routing,
) -> dict[int, Group]:
    """Return each group of the batch with its notifications folded in, in the order of their arrival. A notification whose digest is
    not in `new` only raises the number of notifications, unless it may be another crash; a replayed one not even that. What the
    notifications show of their projects is saved."""
    pending = set(new)
    notified = dict[int, int]()
    fresh: dict[int, list[tuple[Delivery, Notification]]] = {}
    repeats: dict[int, set[int]] = {}
    for group_id, delivery, notification in batch:
        notified[group_id] = notified.get(group_id, 0) + (not delivery.replayed and not notification.polled)
        if (group_id, notification.digest) in pending:
            pending.remove((group_id, notification.digest))
            fresh.setdefault(group_id, []).append((delivery, notification))
        elif not delivery.replayed and notification.last is None and notification.object_id is None:
            entries = fresh.setdefault(group_id, [])
            repeats.setdefault(group_id, set()).add(len(entries))
            entries.append((delivery, notification))
    projects = {
        group_id: (before[group_id].identity.universe, before[group_id].identity.project) for group_id in notified
    }
    modes = {projects[group_id]: routing.mode(before[group_id].identity) for group_id in notified}
    stored = countings.load(transaction, sorted(set(projects.values())))
    standings = {
        project: stored.get(project) or countings.ProjectCounting(Counting(mode=mode), Evidence())
        for project, mode in modes.items()
    }
    now = {
        project: counts.decide(modes[project], entry.evidence, entry.counting) for project, entry in standings.items()
    }
    evidence = {project: entry.evidence for project, entry in standings.items()}
    after: dict[int, Group] = {}
    for group_id, count in notified.items():
        group, project = before[group_id], projects[group_id]
        entries = fresh.get(group_id, [])
        if entries:

            def read(place: int, entries: Sequence[tuple[Delivery, Notification]] = entries) -> Notification:
                whole = routing.parse(entries[place][0])
                assert isinstance(whole, Notification)  # noqa: S101 - it was parsed before
                return whole

            notifications = [notification for _, notification in entries]
            group, events = fold.fold_all(group, notifications, now[project], read, repeats.get(group_id, ()))
            if not _states_counts(routing, group):
                evidence[project] = evidence[project].plus(events)
        after[group_id] = replace(group, notifications=before[group_id].notifications + count)
    later = {project: counts.decide(modes[project], evidence[project], counting) for project, counting in now.items()}
    weighed = {projects[group_id] for group_id, group in after.items() if not _states_counts(routing, group)}
    countings.save(
        transaction,
        {
            project: countings.ProjectCounting(
                later[project], evidence[project], entry.recount_after if later[project] == entry.counting else 0
            )
            for project, entry in standings.items()
            if project in weighed
            and (project not in stored or (later[project], evidence[project]) != (entry.counting, entry.evidence))
        },
    )
    # The other groups of a project follow in `recount`.
    return {group_id: fold.read_again(group, later[projects[group_id]]) for group_id, group in after.items()}


def _reported(routing: Routing, group: Group, state: SourceState) -> str:
    """What the source reports, and what that does."""
    source = routing.source(group.identity)
    if source is None:
        return f"its source reports it as {state.name}"
    effect = (
        f'on_resolved = "{source.settings.on_resolved}"' if state.name == "resolved" else "syncd's own rules decide"
    )
    return f"source {source.name} reports it as {state.name}; {effect}"


def _states_counts(routing: Routing, group: Group) -> bool:
    """True if the group's source states what its counts mean, so that no evidence is weighed."""
    source = routing.source(group.identity)
    return source is not None and source.mode is not None
