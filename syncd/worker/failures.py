"""What a failed tracker call means for its group, its tracker, and the credential it was made with."""

import random
import time

import structlog

from syncd.core import plan
from syncd.core.policy import Policy
from syncd.errors import (
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
from syncd.model import Action, Call, Group, Place, Plan
from syncd.store import Store
from syncd.store.claims import HORIZON_SECONDS, Claim
from syncd.store.limits import Allowance
from syncd.worker.context import SyncContext

WRITING = (Action.UPDATE, Action.REOPEN, Action.CLOSE)

log = structlog.get_logger("syncd.worker")


def settle(context: SyncContext, decision: Plan, error: TrackerError) -> None:
    """Settle the claim by the class of the failure. Raises LeaseLost, StoreUnavailable."""
    store, claim, group = context.store, context.claim, context.group
    allowance = context.rules.allowance(claim.tracker)
    log.warning(
        "tracker_call_failed",
        tracker=claim.tracker,
        action=decision.action,
        group=claim.group_id,
        failure=type(error).__name__,
        reason=error.reason,
    )
    now = time.time()
    _about_tracker(store, claim, allowance, decision, error, now)
    match error:
        case Moved(remote_id=remote_id, key=key, url=url):
            store.issues.moved(claim, Place(remote_id=remote_id, key=key, url=url), now)
            again_at = now if claim.attempts == 0 else now + _patience(claim.attempts + 1)
            store.outbox.postpone(claim, decision, error.reason, again_at, claim.attempts + 1, now)
        case Gone():
            _gone(store, claim, context.policy, group, error, now)
        case OutOfReach():
            store.outbox.park(claim, Plan(action=Action.PARK, reason=error.reason), "out of reach", group.revision, now)
        case Refused() if decision.action is Action.CREATE:
            again_at = now + _patience(claim.attempts + 1)
            store.outbox.bury(claim, decision, error.reason, plan.content(group), group.revision, again_at, now)
        case Refused() if decision.action in WRITING:
            # An issue that is locked, say: no word of ours is to blame, and the next change may find it open.
            again_at = now + _patience(claim.attempts + 1)
            store.outbox.bury(claim, decision, error.reason, None, group.revision, again_at, now)
        case Throttled() | Misconfigured():
            # The group is not to blame: it keeps its place, and the tracker's rest is what it waits for.
            store.outbox.postpone(claim, decision, error.reason, now, claim.attempts, now)
        case _:
            attempts = claim.attempts + 1
            wait = _patience(attempts)
            if isinstance(error, Unavailable) and error.retry_after is not None:
                wait = max(wait, error.retry_after)
            call = Call.PROBE if isinstance(error, OutcomeUnknown) and decision.action is Action.CREATE else None
            store.outbox.postpone(claim, decision, error.reason, now + wait, attempts, now, call)


def _about_tracker(
    store: Store, claim: Claim, allowance: Allowance, decision: Plan, error: TrackerError, now: float
) -> None:
    """What the failure says about more than this group. Whatever a tracker answers with its own words, it answers."""
    match error:
        case Throttled(seconds=seconds, narrow=narrow):
            part = decision.call if narrow else None
            until = now + min(seconds, HORIZON_SECONDS)
            store.limits.silence(allowance, part, error.reason, until, now)
            log.warning("tracker_silenced", tracker=claim.tracker, until=until, reason=error.reason)
        case Misconfigured(seconds=rest):
            if again_at := store.limits.pause(claim, error.reason, rest, now):
                log.warning("tracker_paused", tracker=claim.tracker, until=again_at, reason=error.reason)
        case Unavailable() | OutcomeUnknown():
            if claim.trial:
                store.limits.untried(claim, now + plan.pause(0))
        case _:
            if store.limits.answered(claim.tracker):
                log.info("tracker_resumed", tracker=claim.tracker)


def _gone(store: Store, claim: Claim, policy: Policy | None, group: Group, error: Gone, now: float) -> None:
    if policy is not None and policy.on_deleted == "recreate":
        reason = f"{error.reason}; it is created anew, as on_deleted says"
        store.issues.retire(claim, reason, now)
        decision = Plan(action=Action.CREATE, reason=reason, call=Call.CREATE)
        store.outbox.postpone(claim, decision, reason, now, 0, now)
        return
    reason = f"{error.reason}; it stays so, as on_deleted says"
    store.outbox.park(claim, Plan(action=Action.DROP, reason=reason), "deleted", group.revision, now)


def _patience(attempts: int) -> float:
    # Jitter, or groups that failed together would all come back together.
    return plan.backoff(attempts) * random.uniform(0.75, 1.25)  # noqa: S311 - not a secret
