"""The consequences of a failed tracker call for its group, its tracker, and the credential it was made with."""

import random
from functools import partial

import structlog

from syncd.core import budget, plan
from syncd.core.budget import LONGEST_SECONDS
from syncd.errors import (
    Deferred,
    Gone,
    Misconfigured,
    Moved,
    OutcomeUnknown,
    OutOfReach,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Action, Call, Issue, Place, Plan
from syncd.store import issues, limits, outbox
from syncd.store.connection import Transaction
from syncd.store.outbox import Claim
from syncd.worker import breaker, reconcile
from syncd.worker.context import Parked, Refusal, Retry, SyncContext, Synced, SyncResult
from syncd.worker.routing import silence

WRITING = (Action.UPDATE, Action.REOPEN, Action.CLOSE)
CHANGING = (Action.CREATE, *WRITING)

log = structlog.get_logger("syncd.worker")


def judge(context: SyncContext, decision: Plan, error: TrackerError, issue: Issue | None) -> tuple[Plan, SyncResult]:
    """Return the plan and the result of a sync whose call failed, by the class of the failure. `issue` is as the sync last read it. The next
    commit writes what the failure says about the tracker."""
    claim, policy, group_id = context.claim, context.policy, context.claim.group_id
    if _is_own(context, decision, error):
        error = Refused(f"{error.reason}; the tracker takes the calls of other groups")
    now, reason = context.clock.wall(), error.reason
    log.warning(
        "tracker_call_failed",
        tracker=claim.tracker,
        action=decision.action,
        group=group_id,
        failure=type(error).__name__,
        reason=reason,
    )
    _record_for_tracker(context, decision, error, now)
    attempts = claim.attempts + 1
    # Jitter, or groups that failed together would all come back together.
    again_at = now + plan.backoff(attempts) * random.uniform(0.75, 1.25)  # noqa: S311 - not a secret
    match error:
        case Moved(remote_id=remote_id, key=key, url=url):
            place = Place(remote_id=remote_id, key=key, url=url)
            context.record(partial(reconcile.move, claim=claim, place=place, now=now))
            return decision, Retry(reason, now if claim.attempts == 0 else again_at, decision.call, attempts)
        case Gone() if issue is not None and (doubts := _doubts_deletion(context, issue, error)):
            decision = Plan(action=Action.PARK, reason=doubts, rule="parked")
            return decision, Parked(decision, "out of reach")
        case Gone() if policy is not None and policy.on_deleted == "recreate":
            reason = f'{reason}; another one is filed (on_deleted = "recreate")'
            context.record(partial(issues.retire, group_id=group_id, note=reason, deleted=True))
            return Plan(action=Action.CREATE, reason=reason, rule="recreate", call=Call.CREATE), Retry(
                reason, now, Call.CREATE
            )
        case Gone():
            decision = Plan(
                action=Action.DROP, reason=f'{reason}; none is filed again (on_deleted = "drop")', rule="dropped"
            )
            return decision, Parked(decision, "deleted")
        case OutOfReach():
            decision = Plan(action=Action.PARK, reason=reason, rule="parked")
            return decision, Parked(decision, "out of reach")
        case Refused() if decision.action is Action.CREATE:
            return decision, Refusal(reason, plan.content(context.group), again_at)
        case Refused() if decision.action in WRITING:
            # A locked issue, for example: the content is not to blame, and the next change may find the issue open.
            return decision, Refusal(reason, None, again_at)
        case Misconfigured(silent=True):
            return decision, Retry(reason, again_at, decision.call, attempts)
        case Throttled() | Misconfigured():
            # The group is not to blame: it waits for the tracker.
            rests = isinstance(error, Misconfigured)
            return decision, Retry(reason, now, decision.call, claim.attempts, rests)
        case Unavailable(retry_after=float(seconds)):
            return decision, Retry(reason, max(again_at, now + min(seconds, LONGEST_SECONDS)), decision.call, attempts)
    call = Call.PROBE if isinstance(error, OutcomeUnknown) and decision.action is Action.CREATE else decision.call
    return decision, Retry(reason, again_at, call, attempts)


def _is_own(context: SyncContext, decision: Plan, error: TrackerError) -> bool:
    """True if what looks like a fault of the whole project is that of one group: the tracker rested for it before, and takes the calls of
    other groups. A login that is refused is nobody's own."""
    is_of_project = isinstance(error, Misconfigured) and not (error.login or error.silent)
    return is_of_project and context.claim.to_blame and not context.claim.trial and decision.action in CHANGING


def _doubts_deletion(context: SyncContext, issue: Issue, error: Gone) -> str:
    """Why nothing proves that the issue was deleted, although it cannot be read; empty where a deletion is believed. Where the account may
    not see what it files, another issue would be hidden too, and another one after it."""
    if error.replaced:
        return ""
    if not issue.is_read:
        return (
            f"{issue.key} cannot be read, and syncd never read it since it was filed: it is hidden from the account that syncd uses, by a "
            "security level for example, or it was deleted at once; make it visible, or say that it does not exist"
        )
    recreates = context.policy is not None and context.policy.on_deleted == "recreate"
    if recreates and context.store.read(partial(issues.is_recreated, group_id=context.claim.group_id)):
        before = "the one" if issue.previous is None else issue.previous.key
        return (
            f"{error.reason}, like {before} before it: issues of this group vanish, and syncd files no third one by itself; make the issue "
            "visible, or say that it does not exist"
        )
    return ""


def _record_for_tracker(context: SyncContext, decision: Plan, error: TrackerError, now: float) -> None:
    """Record what the failure says about the tracker as a whole. A tracker that gives any answer of its own works."""
    claim = context.claim
    match error:
        case Throttled():
            credential = context.routing.allowance(claim.tracker).credential
            context.record(
                partial(silence, credential=credential, error=error, call=decision.call, now=now),
                lambda until: log.warning("tracker_silenced", tracker=claim.tracker, until=until, reason=error.reason),
            )
        case _ if error.silent:
            group_id, trial = claim.group_id, claim.trial
            context.record(
                partial(
                    breaker.trip, tracker=claim.tracker, reason=error.reason, now=now, group_id=group_id, trial=trial
                )
            )
        case Deferred():
            pass
        case Misconfigured(seconds=seconds, login=login):
            context.record(
                partial(rest, claim=claim, reason=error.reason, seconds=seconds, now=now),
                partial(_log_rest, claim, error.reason),
            )
            if not login and decision.action in CHANGING:
                context.record(partial(outbox.accuse, claim=claim))
        case Refused():
            # The end of the claim weighs the refusal.
            context.record(partial(limits.reach, tracker=claim.tracker, answered=True))
        case _:
            context.record(partial(limits.resume, tracker=claim.tracker), partial(_log_resumed, claim))


def weigh(context: SyncContext, decision: Plan, result: SyncResult, refused: int) -> None:
    """Charge the latest refusals after a call of the same kind: each to its group after a call that the tracker took, and all to the project
    once REFUSED_IN_A_ROW groups were refused. Then the tracker rests, and no group is a dead letter for it. Raises StoreUnavailable."""
    claim, call, now = context.claim, decision.call, context.clock.wall()
    if isinstance(result, Synced):
        context.store.write(partial(outbox.acquit, tracker=claim.tracker, call=call))
    elif isinstance(result, Refusal) and refused >= budget.REFUSED_IN_A_ROW:
        reason = (
            f"{refused} groups in a row were refused, and none was taken between them; the last answer: {result.reason}"
        )

        def blame_project(transaction: Transaction) -> float | None:
            if outbox.refused_in_a_row(transaction, claim.tracker).get(call, 0) < budget.REFUSED_IN_A_ROW:
                return None  # the tracker has taken one meanwhile
            until = rest(transaction, claim, reason, None, now)
            due_at = max(now, limits.behind_rest(transaction, claim.tracker))
            outbox.wait_for_project(transaction, claim.tracker, call, due_at)
            return until

        _log_rest(claim, reason, context.store.write(blame_project))


def rest(transaction: Transaction, claim: Claim, reason: str, seconds: float | None, now: float) -> float | None:
    """Let a misconfigured tracker rest for `seconds`, or longer each time. Return the end of the rest, None if it rests already."""
    transaction.lock(f"tracker {claim.tracker}")
    current = limits.rest(transaction, claim.tracker)
    if current is not None and current.cause in limits.BY_HAND:
        return None
    # Another thread had the same answer.
    if current is not None and not claim.trial and current.until is not None and budget.in_force(current.until, now):
        return None
    attempts = current.attempts if current is not None and current.cause == "misconfigured" else 0
    until = now + min(plan.pause(attempts) if seconds is None else seconds, LONGEST_SECONDS)
    limits.pause(transaction, claim.tracker, reason, until, "misconfigured", attempts + 1)
    return until


def _log_rest(claim: Claim, reason: str, until: float | None) -> None:
    if until is not None:
        log.warning("tracker_paused", tracker=claim.tracker, until=until, reason=reason)


def _log_resumed(claim: Claim, resumed: bool) -> None:
    if resumed:
        log.info("tracker_resumed", tracker=claim.tracker)
