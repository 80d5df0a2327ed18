"""The second stage behind the inbox: `sync` brings one group's issue up to date."""

import time
from collections.abc import Callable, Mapping

import structlog

from syncd.core import filing, plan
from syncd.errors import TrackerError
from syncd.model import Action, Call, Group, Issue, IssueState, Plan
from syncd.platform import metrics
from syncd.render.text import one_line
from syncd.store import Store
from syncd.store.claims import HORIZON_SECONDS, Claim
from syncd.store.outbox import DRY
from syncd.trackers import Tracker
from syncd.worker import create, failures, update
from syncd.worker.context import Finished, Retry, SyncContext, Synced, SyncResult
from syncd.worker.routing import Routing

log = structlog.get_logger("syncd.worker")

DRY_SECONDS = 3600.0
SENDING = frozenset(Action) - {Action.NOTHING, Action.HOLD, Action.WAIT, Action.PARK, Action.DROP}


def sync(store: Store, tracker: Tracker, claim: Claim, rules: Routing) -> None:
    """Do the one thing the claimed group's issue needs, and settle the claim. Raises LeaseLost, StoreUnavailable."""
    group, issue = store.outbox.load(claim)
    with structlog.contextvars.bound_contextvars(group=claim.group_id, fingerprint=_named(group)):
        _sync(store, tracker, claim, rules, group, issue)


def _named(group: Group) -> str:
    return one_line(group.identity.fingerprint, 100)


def _sync(store: Store, tracker: Tracker, claim: Claim, rules: Routing, group: Group, issue: Issue | None) -> None:
    context = SyncContext(
        store=store, tracker=tracker, claim=claim, rules=rules, group=group, policy=rules.route(group)
    )
    decision = _decide(context, issue)
    try:
        if issue is not None and issue.state is IssueState.LINKED and _may_look(context, decision):
            issue = update.look(context, issue)
            decision = _decide(context, issue)
        done = carry_out(context, decision, issue)
    except TrackerError as error:
        failures.settle(context, decision, error)
        return
    _settle(context, decision, done)


def _decide(context: SyncContext, issue: Issue | None) -> Plan:
    now, policy, rules, store = time.time(), context.policy, context.rules, context.store
    paused = None if policy is None else store.routes.paused(policy.name)
    gate = rules.gate(context.group, policy) if issue is None or issue.state is IssueState.WANTED else None
    wait = 0.0 if gate is None else store.storms.wait(gate.route, gate.new_issues, now)
    return plan.plan(context.group, issue, policy, rules.context(context.claim.tracker, paused, wait), now)


def _may_look(context: SyncContext, decision: Plan) -> bool:
    """Whether what people did to the issue may change what is decided now."""
    return not context.rules.dry and decision.action is not Action.WAIT and context.group.follows is None


def carry_out(context: SyncContext, decision: Plan, issue: Issue | None) -> SyncResult:
    """What became of the decision. Raises TrackerError, LeaseLost, StoreUnavailable."""
    if context.rules.dry and decision.action in SENDING:
        claim = context.claim
        log.info("dry_run", tracker=claim.tracker, group=claim.group_id, would=decision.action, reason=decision.reason)
        return Retry(DRY, time.time() + DRY_SECONDS, decision.call)
    match decision.action:
        case Action.CREATE:
            return create.create(context)
        case Action.HOLD:
            if issue is not None:
                context.store.issues.shows(context.claim, context.group.revision, time.time())
            return _hold(context, decision)
        case Action.WAIT:
            return _wait(context, decision)
        case Action.PROBE if issue is not None:
            return create.probe(context, issue)
        case action if issue is not None and action in UPKEEP:
            return UPKEEP[action](context, decision, issue)
    if issue is not None:
        context.store.issues.shows(context.claim, context.group.revision, time.time())
    return Finished()


UPKEEP: Mapping[Action, Callable[[SyncContext, Plan, Issue], SyncResult]] = {
    Action.UPDATE: update.update,
    Action.REOPEN: update.reopen,
    Action.COMMENT: update.say,
    Action.RENEW: update.renew,
    Action.FOLLOW: update.follow,
    Action.CLOSE: update.close,
}


def _hold(context: SyncContext, decision: Plan) -> SyncResult:
    """Put the group aside for as long as its rule says."""
    gate, now = context.rules.gate(context.group, context.policy), time.time()
    if decision.rule == filing.STORM and gate is not None:
        context.store.storms.hold(context.claim, decision, gate, now)
        return Finished(given_back=True)
    if decision.until is not None:
        return Retry(decision.reason, min(decision.until, now + HORIZON_SECONDS / 2), Call.CREATE)
    return Finished()


def _wait(context: SyncContext, decision: Plan) -> SyncResult:
    at = time.time() if decision.until is None else decision.until
    if decision.call is Call.PROBE:
        context.store.issues.probe_later(context.claim, at, time.time())
    return Retry(decision.reason, at, decision.call)


def _settle(context: SyncContext, decision: Plan, done: SyncResult) -> None:
    """Give the claim back as what was done leaves it."""
    now, store, claim = time.time(), context.store, context.claim
    match done:
        case Retry(reason, at, call):
            store.outbox.postpone(claim, decision, reason, at, 0, now, call)
        case Synced(key, revision):
            metrics.SYNCS.labels(claim.tracker, decision.action).inc()
            log.info("issue_synced", tracker=claim.tracker, action=decision.action, issue=key)
            interval = plan.STATUS_INTERVAL if context.policy is None else context.policy.status_interval
            if store.outbox.settle(claim, decision, key, revision, now + interval, now, context.route):
                log.info("tracker_resumed", tracker=claim.tracker)
            return
        case Finished(outcome, given_back):
            if decision.action is not Action.PROBE and not given_back:
                store.outbox.settle(claim, decision, outcome, context.group.revision, now, now, context.route)
    if claim.trial and decision.action is Action.PROBE:
        store.limits.answered(claim.tracker)
    elif claim.trial:
        store.limits.untried(claim, now)
