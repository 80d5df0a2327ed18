"""One sync: load all facts of a claimed group, look at its issue if needed, decide, carry out, and commit what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import structlog

from syncd.core import holds, plan
from syncd.core.budget import HORIZON_SECONDS, REFUSED_IN_A_ROW
from syncd.errors import LeaseLost, TrackerError
from syncd.model import Action, Call, Issue, IssueState, Plan
from syncd.platform import metrics
from syncd.platform.clock import Clock
from syncd.render.text import logged
from syncd.store import Store, groups, issues, limits, outbox
from syncd.store.connection import Transaction
from syncd.store.outbox import Claim
from syncd.trackers import Tracker
from syncd.worker import breaker, create, failures, notices, reconcile, storms, update
from syncd.worker.context import (
    FilingFacts,
    Finished,
    HeldBack,
    Parked,
    Refusal,
    Retry,
    SyncContext,
    Synced,
    SyncResult,
)
from syncd.worker.routing import Routing

log = structlog.get_logger("syncd.worker")

WITHHELD_SECONDS = 3600.0
SENDING = frozenset(Action) - {Action.NOTHING, Action.HOLD, Action.WAIT, Action.PARK, Action.DROP}


def sync(store: Store, tracker: Tracker, claim: Claim, routing: Routing, clock: Clock) -> None:
    """Do the one thing that the claimed group's issue needs, and end the claim. Raises LeaseLost, StoreUnavailable."""
    context = load(store, tracker, claim, routing, clock)
    try:
        _sync(context)
    except LeaseLost:
        if context.has_written:
            store.write(partial(reconcile.distrust, claim=claim, now=clock.wall()), exclusive=False)
        raise


def _sync(context: SyncContext) -> None:
    issue, claim, clock = context.issue, context.claim, context.clock
    with structlog.contextvars.bound_contextvars(
        group=claim.group_id, fingerprint=logged(context.group.identity.fingerprint)
    ):
        decision = plan.plan(context.group, issue, context.policy, context.plan_context, clock.wall())
        try:
            linked = issue is not None and issue.state is IssueState.LINKED and context.group.follows is None
            waits = decision.action is Action.WAIT and not (
                issue and issue.looks_owed and decision.rule == "status-interval"
            )
            if issue is not None and linked and not waits and not context.routing.dry:
                # A look at the issue may change the decision.
                issue = update.look(context, issue)
                around = context.plan_context
                if not around.project and issue.condition is not None and issue.condition.closed:
                    project = context.store.read(partial(groups.project_releases, group=context.group))
                    around = replace(around, project=project)
                decision = plan.plan(context.group, issue, context.policy, around, clock.wall())
            result = carry_out(context, decision, issue)
        except TrackerError as error:
            decision, result = failures.judge(context, decision, error, issue)
        else:
            if claim.trial and decision.action is Action.PROBE:
                context.record(partial(breaker.probed, tracker=claim.tracker, now=clock.wall()))
            elif claim.trial:
                context.record(partial(limits.end_trial, tracker=claim.tracker, until=clock.wall()))
        finish(context, decision, result)


def give_back(store: Store, owner: str, reason: str, now: float, *, failed: bool = False) -> None:
    """End the claim that `owner` still has, after its sync broke off or its own commit was reported failed; a create that was sent is in
    doubt. The group is due at once, or after a back-off where the sync `failed`. Without a claim nothing changes. Raises
    StoreUnavailable."""
    decision = Plan(action=Action.WAIT, reason=reason, call=Call.PROBE)

    def write(transaction: Transaction) -> None:
        claim = outbox.held(transaction, owner)
        if claim is None or not outbox.renew(transaction, claim, now):
            return
        attempts = claim.attempts + int(failed)
        due_at = now + plan.backoff(attempts) if failed else now
        issues.end_intent(transaction, claim, IssueState.IN_DOUBT, reason)
        outbox.decide(transaction, claim.group_id, decision, reason, now)
        outbox.release(transaction, claim, due_at, attempts, reason, decision.call)
        if claim.trial:
            limits.end_trial(transaction, claim.tracker, due_at)

    store.write(write, exclusive=False)


def load(store: Store, tracker: Tracker, claim: Claim, routing: Routing, clock: Clock) -> SyncContext:
    """Read all facts of a claimed group in one consistent view. Raises StoreUnavailable."""
    now = clock.wall()

    def read(transaction: Transaction) -> SyncContext:
        group, issue, policy, plan_context = reconcile.facts(transaction, routing, claim, now)
        filing_facts = None
        if issue is None or issue.state is IssueState.WANTED:
            generation, previous = issues.retired(transaction, claim.group_id)
            filing_facts = FilingFacts(
                generation=generation,
                previous=previous,
                look_alikes=issues.look_alikes(transaction, claim.group_id, claim.tracker),
                floor=limits.floor(transaction, claim.tracker),
            )
        return SyncContext(
            store=store,
            tracker=tracker,
            claim=claim,
            routing=routing,
            clock=clock,
            began=clock.reading(),
            group=group,
            issue=issue,
            policy=policy,
            plan_context=plan_context,
            filing=filing_facts,
        )

    return store.read(read)


def carry_out(context: SyncContext, decision: Plan, issue: Issue | None) -> SyncResult:
    """Do what was decided. Raises TrackerError, LeaseLost, StoreUnavailable."""
    claim, now = context.claim, context.clock.wall()
    if context.routing.withheld and decision.action in SENDING:
        return Retry(context.routing.withheld, now + WITHHELD_SECONDS, decision.call)
    match decision.action:
        case Action.CREATE if context.filing is not None:
            return create.create(context, context.filing)
        case Action.ADOPT:
            return create.adopt(context)
        case Action.PROBE if issue is not None:
            return create.probe(context, issue)
        case action if issue is not None and action in UPKEEP:
            return UPKEEP[action](context, decision, issue)
        case Action.WAIT:
            at = now if decision.until is None else decision.until
            if decision.call is Call.PROBE:
                context.record(partial(issues.probed, group_id=claim.group_id, probe_at=at))
            return Retry(decision.reason, at, decision.call)
    if issue is not None and decision.action in (Action.NOTHING, Action.DROP):
        context.record(partial(issues.synced, group_id=claim.group_id, revision=context.group.revision))
    if decision.rule == holds.STORM and decision.action is Action.HOLD and context.policy is not None:
        return HeldBack(decision, context.policy)
    if decision.action is Action.HOLD and decision.until is not None:
        return Retry(decision.reason, min(decision.until, now + HORIZON_SECONDS / 2), Call.CREATE)
    return Finished()


UPKEEP: Mapping[Action, Callable[[SyncContext, Plan, Issue], SyncResult]] = {
    Action.UPDATE: update.update,
    Action.REOPEN: update.reopen,
    Action.COMMENT: partial(update.answer, text=update.COMMENTED, call=Call.UPDATE),
    Action.RENEW: partial(update.answer, text=update.FILED_ANEW, call=Call.CREATE),
    Action.FOLLOW: update.follow,
    Action.CLOSE: update.close,
}


def finish(context: SyncContext, decision: Plan, result: SyncResult) -> None:
    """Write what came of the decision and end the claim, in one commit. Raises LeaseLost, StoreUnavailable."""
    claim = context.claim
    now = context.clock.wall()
    end = partial(_end, context=context, decision=decision, result=result, now=now)
    if isinstance(result, Synced) and result.created is not None:
        floor = 0 if context.filing is None else context.filing.floor.number
        resumed, refused = create.link(context.store, claim, result.created, end, now, floor=floor) or _Ended()
    else:
        resumed, refused = context.commit(end)
    match result:
        case Synced() | Finished(outcome=str()) | Retry(done=True):
            metrics.SYNCS.labels(claim.tracker, decision.action).inc()
            key = result.key if isinstance(result, Synced) else context.issue and context.issue.key
            log.info("issue_synced", tracker=claim.tracker, action=decision.action, issue=key)
        case Retry(reason) if reason == context.routing.withheld:
            facts = {"tracker": claim.tracker, "group": claim.group_id, "would": decision.action}
            log.info("call_withheld", **facts, reason=decision.reason)
    if resumed:
        log.info("tracker_resumed", tracker=claim.tracker)
    if refused:
        failures.weigh(context, decision, result, refused)


class _Ended(NamedTuple):
    """Whether the tracker rested until now, and how many groups it refused in a row: a call that this one tells about."""

    resumed: bool = False
    refused: int = 0


def _end(transaction: Transaction, context: SyncContext, decision: Plan, result: SyncResult, now: float) -> _Ended:
    """Write the decision and end the claim according to the result."""
    claim, group_id, revision = context.claim, context.claim.group_id, context.group.revision
    match result:
        case Synced(key, synced_revision):
            interval = plan.STATUS_INTERVAL if context.policy is None else context.policy.status_interval
            outbox.decide(transaction, group_id, decision, key, now, context.route, done=True)
            outbox.absolve(transaction, claim)
            outbox.settle(transaction, claim, synced_revision, now + interval)
            refused = outbox.accused(transaction, claim.tracker, decision.call)
            notices.report_filed(transaction, context, decision, now)
            return _Ended(limits.resume(transaction, claim.tracker), refused)
        case _ if _is_outdated_hold(transaction, context, decision, result, now):
            outbox.release(transaction, claim, now, claim.attempts, "what held it back has ended", None)
        case Finished(outcome, decided):
            if not decided:
                outbox.decide(transaction, group_id, decision, outcome, now, context.route, done=outcome is not None)
            notices.report_storm_over(transaction, context, decision, now)
            outbox.settle(transaction, claim, revision, now)
            return _Ended(outcome is not None and limits.resume(transaction, claim.tracker))
        case Retry(reason, at, call, attempts, rests, done):
            # A decision that is put off again and again for the same reason is one line of the history.
            put_off = decision.action is Action.HOLD or (decision.action is Action.WAIT and bool(decision.rule))
            outbox.decide(transaction, group_id, decision, None if put_off else reason, now, done=done)
            create_on = context.policy.tracker if call is Call.CREATE and context.policy is not None else None
            at = max(at, limits.behind_rest(transaction, claim.tracker)) if rests else at
            owed = not put_off and reason != context.routing.withheld
            outbox.release(transaction, claim, at, attempts, reason, call, create_on, owed=owed)
        case HeldBack(hold, policy):
            storms.hold_back(transaction, claim, hold, policy, now)
        case Parked(why, cause):
            outbox.decide(transaction, group_id, why, None, now)
            if issues.park(transaction, group_id, why.reason, cause):
                notices.report_stuck(transaction, context, why, cause, now)
            outbox.settle(transaction, claim, revision, now)
        case Refusal(reason, content, at):
            outbox.decide(transaction, group_id, decision, reason, now)
            if not outbox.bury(transaction, claim, revision, reason, content, now):
                outbox.release(transaction, claim, at, claim.attempts + 1, reason, decision.call)
            else:
                notices.report_stuck(transaction, context, replace(decision, reason=reason), "refused", now)
            refused = outbox.refused_in_a_row(transaction, claim.tracker).get(decision.call, 0)
            # A tracker that judges a content works.
            return _Ended(refused < REFUSED_IN_A_ROW and limits.resume(transaction, claim.tracker), refused)
    return _Ended()


def _is_outdated_hold(
    transaction: Transaction, context: SyncContext, decision: Plan, result: SyncResult, now: float
) -> bool:
    """True if the result holds the group back, and the decision would be another one by what this transaction reads. Nobody evaluates a
    group again whose hold is written after its cause has ended."""
    if isinstance(result, HeldBack):
        decision = result.plan
    elif not isinstance(result, Finished | Retry) or not (
        decision.action is Action.HOLD or decision.rule == holds.ROUTE_PAUSED
    ):
        return False
    if decision.rule == holds.STORM:
        transaction.lock(f"route {context.route}")  # two threads that begin a storm begin the same one
    return reconcile.plan_again(transaction, context.routing, context.claim, now).rule != decision.rule
