"""Storms of a route: groups that are held back, gathered and released, the worst first. A function that takes a transaction is part of its
caller's."""

from syncd.core import budget, plan
from syncd.core.plan import PlanContext
from syncd.core.policy import Policy
from syncd.model import Action, Plan
from syncd.store import Store, limits, outbox, storms
from syncd.store.connection import Transaction
from syncd.store.outbox import Claim
from syncd.store.storms import Storm
from syncd.worker import reconcile
from syncd.worker.routing import Routing


def hold_back(transaction: Transaction, claim: Claim, hold: Plan, policy: Policy, now: float) -> None:
    """Hold a claimed group back and end its claim; the issue of the route's storm counts it, once not all groups fit into the limit. The
    caller has locked the route, and has decided by what this transaction reads."""
    outbox.decide(transaction, claim.group_id, hold, None, now, policy.name)
    outbox.settle(transaction, claim, None, now)
    storm_id = storms.goes_on(transaction, policy.name, now)
    reported = storms.is_reported(transaction, policy.name) or _report(transaction, policy, now)
    reconcile.show(transaction, storm_id, now, create_on=policy.tracker if reported else None)
    if not reported:
        storm, _ = outbox.load(transaction, storm_id)
        context = PlanContext(probe_after=())
        outbox.decide(transaction, storm_id, plan.plan(storm, None, policy, context, now), None, now)


def _report(transaction: Transaction, policy: Policy, now: float) -> bool:
    """Let an issue report the storm of a route if the groups that it holds back do not fit into what is left of its limit; whether they
    do not."""
    held_back, released = storms.counts(transaction, policy.name)
    filed = storms.filed(transaction, policy.name, policy.max_new_issues, now)
    exceeds = held_back > budget.storm_places(policy.limits_of(None), filed, released, now)
    if exceeds:
        storms.report(transaction, policy.name)
    return exceeds


def drain(store: Store, routing: Routing, now: float) -> set[str]:
    """Release what the routes may file by now, the largest groups first, and end the storms that are over: the trackers to call."""
    if not store.read(storms.every):
        return set()

    def write(transaction: Transaction) -> set[str]:
        return {
            tracker
            for storm in storms.every(transaction)
            for tracker in _drain(transaction, routing, storm, routing.policy(storm.route), now)
        }

    return store.write(write)


def _drain(transaction: Transaction, routing: Routing, storm: Storm, policy: Policy | None, now: float) -> set[str]:
    trackers = set[str | None]()
    held_back, released = storms.counts(transaction, storm.route)
    reported = storm.reported and policy is not None
    # A paused route would hold what its storm releases, without the order of size.
    if policy is not None and held_back and limits.route_pause(transaction, storm.route) is None:
        filed = storms.filed(transaction, policy.name, policy.max_new_issues, now)
        left = budget.storm_places(policy.limits_of(None), filed, released, now)
        reserved = budget.storm_places(policy.max_new_issues, filed, released, now) - left
        arrived = storms.arrived(transaction, policy.name, now - policy.gather, now) if policy.gather else 0
        is_due = not 0 <= now - storm.portioned_at < policy.gather
        any_size, large = budget.storm_release(left, reserved, arrived, is_due=is_due)
        groups = [
            group_id
            for place, (group_id, users) in enumerate(storms.largest(transaction, policy.name, large))
            if place < any_size or users >= policy.reserve_min_users
        ]
        for group_id in groups:
            storms.keep_place(transaction, group_id, policy.name)
            reason = "the storm let it through"
            trackers.add(reconcile.reevaluate(transaction, routing, group_id, reason, now, plan.RELEASED))
        newly = not reported and _report(transaction, policy, now)
        reported = reported or newly
        if groups:
            storms.portioned(transaction, policy.name, now)
        if groups or newly:
            trackers.add(
                reconcile.show(transaction, storm.group_id, now, create_on=policy.tracker if reported else None)
            )
        held_back, released = storms.counts(transaction, storm.route)
    if budget.storm_is_over(held_back, released, storm.held_at, now, reported=reported):
        _, issue = outbox.load(transaction, storm.group_id)
        storms.end(transaction, storm.route)
        if issue is not None:
            trackers.add(reconcile.show(transaction, storm.group_id, now, create_on=issue.tracker))
        elif not reported:
            reason = "all groups that it held back fitted into max_new_issues"
            ended = Plan(action=Action.DROP, reason=reason, rule="storm-over")
            outbox.decide(transaction, storm.group_id, ended, None, now)
    return trackers - {None}  # type: ignore[return-value]
