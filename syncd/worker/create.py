"""Creating the issue of a group exactly once: the intent, the one request, and the proof where its answer was lost."""

import time

import structlog

from syncd.core import doubt, filing, plan, policy, regression
from syncd.errors import LeaseLost, OutcomeUnknown, TrackerError
from syncd.model import Action, Call, Issue, Outcome, Place, Plan
from syncd.store.claims import LEASE_SECONDS
from syncd.store.issues import Intent
from syncd.store.storms import Gate
from syncd.trackers import Draft
from syncd.worker.context import Finished, Retry, SyncContext, Synced, SyncResult

log = structlog.get_logger("syncd.worker")

FLOOR_SECONDS = 86400.0  # how old the highest number known may be: the older, the more there is to read in doubt


def create(context: SyncContext) -> SyncResult:
    """Send the one request, after its intent is on disk. Raises TrackerError, LeaseLost, StoreUnavailable."""
    _know_floor(context)
    store, claim, group = context.store, context.claim, context.group
    marker = plan.marker(context.rules.instance_key, claim.tracker, group, store.issues.retired(claim))
    previous = store.issues.last_retired(claim)
    draft = _draft(context, marker, previous)
    gate = context.rules.gate(group, context.policy)
    intent = Intent(
        marker=marker,
        revision=group.revision,
        route=context.route,
        new_issues=() if gate is None else gate.new_issues,
        baseline=regression.ledger(group),
        previous=previous,
    )
    now = time.time()
    if wait := store.issues.intend(claim, intent, context.rules.allowance(claim.tracker), now):
        return _waits(context, gate, now + wait, now)
    try:
        created = context.tracker.create(draft)
    except OutcomeUnknown as error:
        store.issues.doubt(claim, error.reason)
        raise
    except TrackerError as error:
        store.issues.not_created(claim, error.reason)
        raise
    # Anything else that ends this thread leaves the intent on disk, and the next owner of the claim in doubt.
    try:
        store.issues.link(claim, created, time.time())
    except LeaseLost:
        log.error("create_answered_late", tracker=claim.tracker, issue=created.key, group=claim.group_id)
        raise
    return Synced(created.key, group.revision)


def _waits(context: SyncContext, gate: Gate | None, at: float, now: float) -> SyncResult:
    """Put it off; where another thread has filed the last issue that the route may file, the storm holds it."""
    closed = 0.0 if gate is None else context.store.storms.wait(gate.route, gate.new_issues, now)
    if gate is not None and context.policy is not None and closed:
        context.store.storms.hold(context.claim, filing.stormy(context.policy, closed), gate, now)
        return Finished(given_back=True)
    return Retry("the tracker's budget is spent", at, Call.CREATE)


def _know_floor(context: SyncContext) -> None:
    """Ask for the highest issue number where none is known, or only an old one: what is made from now on lies above it."""
    limits, name = context.store.limits, context.claim.tracker
    floor = limits.floor(name)
    now = time.time()
    if floor.read_at is None or not 0 <= now - floor.read_at < FLOOR_SECONDS:
        limits.raise_floor(name, context.tracker.newest(), now)


def _draft(context: SyncContext, marker: str, previous: Place | None) -> Draft:
    """What is sent."""
    route, presented = context.policy, context.presented
    assignee, component = (None, None) if route is None else policy.owner(context.group, route.owners)
    return Draft(
        marker=marker,
        title=presented.title(),
        body=presented.body(previous=previous, alike=context.store.issues.look_alikes(context.claim)),
        group=presented.group,
        labels=() if route is None else policy.labels(presented.group, route.labels),
        assignee=assignee,
        components=() if component is None else (component,),
        # Long before somebody else may take the intent for that of a dead process.
        expires=time.monotonic() + LEASE_SECONDS / 2,
    )


def probe(context: SyncContext, issue: Issue) -> SyncResult:
    """Look for what became of a create. Raises TrackerError, LeaseLost, StoreUnavailable."""
    store, claim = context.store, context.claim
    evidence = context.tracker.probe(issue)
    now = time.time()
    judgement = doubt.judge(issue, evidence, context.rules.probe_after(claim.tracker), now)
    log.info(
        "create_probed", tracker=claim.tracker, group=claim.group_id, outcome=judgement.outcome, reason=judgement.reason
    )
    match judgement.outcome:
        case Outcome.FOUND:
            store.issues.found(claim, evidence.issues, now)
            if len(evidence.issues) > 1:
                keys = [created.key for created in evidence.issues]
                log.error("doubles_found", tracker=claim.tracker, group=claim.group_id, issues=keys)
            return Synced(evidence.issues[0].key, issue.sent_revision)
        case Outcome.ABSENT:
            store.issues.absent(claim, judgement.reason, now)
            return Retry(judgement.reason, now, Call.CREATE)
        case Outcome.OPEN:
            store.issues.probed(claim, evidence.at, judgement.until, now)
            return Retry(judgement.reason, judgement.until, Call.PROBE)
        case Outcome.UNPROVEN:
            decision = Plan(action=Action.PARK, reason=judgement.reason, rule="unproven")
            store.outbox.park(claim, decision, "doubt", context.group.revision, now)
            return Finished()
