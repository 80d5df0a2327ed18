"""Issues that existed before syncd heard of their crash begin to stand for its group."""

from collections.abc import Mapping

import structlog

from syncd.core import adoption as adopting
from syncd.core import markers, regression
from syncd.model import Action, Created, Group, Place, Plan
from syncd.store import adoptions, issues, outbox, strays
from syncd.store.adoptions import Adoption
from syncd.store.connection import Transaction
from syncd.store.issues import Adopted

log = structlog.get_logger("syncd.worker")

ADOPTED = "adopted"  # the rule of an issue that existed before


def meet(transaction: Transaction, instance_key: str, met: Mapping[int, Group], now: float) -> None:
    """Link groups that the store has just met, and that have no issue, to those that wait for them, before anything can be due for them. An issue
    that stands for another group by now does not wait any more."""
    keys = {group_id: group.identity.fingerprint_key for group_id, group in met.items()}
    waiting = adoptions.waiting(transaction, keys.values())
    for group_id in sorted(met) if waiting else ():
        group = met[group_id]
        fitting = [
            entry
            for entry in waiting.get(keys[group_id], ())
            if adopting.fits(entry.universe, entry.project, group.identity)
        ]
        if not fitting:
            continue
        # The one that names most.
        entry = max(fitting, key=lambda each: (bool(each.universe), bool(each.project)))
        waiting[keys[group_id]].remove(entry)
        adoptions.remove(transaction, entry)
        if owners := issues.at_place(transaction, entry.tracker, entry.place.remote_id):
            log.warning("adoption_outdated", tracker=entry.tracker, issue=entry.place.key, group=owners[0][0])
        else:
            link(transaction, instance_key, group_id, group, entry, now)


def link(
    transaction: Transaction,
    instance_key: str,
    group_id: int,
    group: Group,
    entry: Adoption,
    now: float,
    revision: int = 0,
    actor: str | None = None,
) -> None:
    """The adopted issue stands for the group from now on. What the group has by now is not news; the issue owes what is above this
    `revision`."""
    reason = f"{entry.place.key} existed before syncd filed anything for it, and stands for it from now on"
    decision = Plan(action=Action.UPDATE, reason=reason, rule=ADOPTED)
    adopted = Adopted(at=now, revision=revision, ledger=regression.ledger(group))
    take(
        transaction,
        instance_key,
        group_id,
        group,
        entry.tracker,
        entry.place,
        decision,
        None,
        now,
        adopted,
        actor=actor,
    )
    adoptions.add_doubles(transaction, group_id, entry)


def take(
    transaction: Transaction,
    instance_key: str,
    group_id: int,
    group: Group,
    tracker: str,
    place: Place,
    decision: Plan,
    route: str | None,
    now: float,
    adopted: Adopted | None = None,
    *,
    actor: str | None = None,
) -> None:
    """The issue at `place`, which stands for no group, stands for this one instead of the one before, by a `decision`. No call is due any
    more."""
    issues.retire(transaction, group_id, decision.reason, wanted_too=True)
    generation, _ = issues.retired(transaction, group_id)
    marker = markers.of_issue(instance_key, tracker, group, generation)
    issues.link_by_hand(transaction, group_id, tracker, marker, place, route, adopted)
    strays.remove(transaction, tracker, [Created(remote_id=place.remote_id, key=place.key, url=place.url)])
    if (entry := adoptions.at_place(transaction, tracker, place.remote_id)) is not None:
        adoptions.remove(transaction, entry)
    outbox.decide(transaction, group_id, decision, None, now, actor=actor)
    outbox.forget(transaction, group_id)
