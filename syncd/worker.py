"""The two stages behind the inbox. `absorb` folds deliveries into groups; `sync` brings one group's issue up to date."""

import random
import time
from dataclasses import dataclass

import structlog

from syncd import payload, plan
from syncd.config import Config
from syncd.errors import (
    Misconfigured,
    Missing,
    NotANotification,
    OutcomeUnknown,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Action, Group, Issue, Notification, Plan
from syncd.plan import Owed
from syncd.render import report
from syncd.store import Store
from syncd.store.inbox import Delivery, Read
from syncd.store.outbox import HORIZON_SECONDS, Claim
from syncd.trackers import Draft, Tracker

log = structlog.get_logger("syncd.worker")

BATCH = 200  # deliveries folded in one transaction; more would make the receiver wait for the writer
MISCONFIGURED_SECONDS = 60.0  # how long a tracker rests before it is asked whether it works again
COMMENT_PROOF_SECONDS = 30.0  # a request this old is over: GitHub ends its own after 10 seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the configuration says about folding, routing and writing."""

    config: Config
    instance_key: str

    def owes(self, group: Group, issue: Issue | None, now: float) -> Owed:
        """What a changed group owes, and from when on."""
        return plan.owed(group, issue, self.config.all_routes, now)

    def read(self, delivery: Delivery) -> Notification | NotANotification:
        """What a delivery says, or why it cannot be read."""
        try:
            return payload.parse(delivery.body, delivery.received_at, self.config.notifications.release_attributes)
        except NotANotification as error:
            return error


def absorb(store: Store, rules: Rules, now: float) -> tuple[int, set[str]]:
    """Fold the oldest deliveries: how many were taken, and the trackers that have something to do now."""
    deliveries = store.inbox.waiting(BATCH)
    if not deliveries:
        return 0, set()
    read = [Read(delivery, rules.read(delivery)) for delivery in deliveries]
    return len(read), store.inbox.absorb(read, rules.config.notifications.occurrence_mode, rules.owes, now)


def sync(store: Store, tracker: Tracker, claim: Claim, rules: Rules) -> None:
    """Do the one thing the claimed group's issue needs, and settle the claim. Raises LeaseLost, StoreUnavailable."""
    group, issue = store.outbox.load(claim)
    policy = plan.route(group, rules.config.all_routes)
    decision = plan.plan(group, issue, policy, time.time())
    try:
        outcome = carry_out(store, tracker, claim, decision, group, issue, rules)
    except TrackerError as error:
        _failed(store, claim, group, decision, error)
        return
    if decision.action is Action.WAIT and decision.until is not None:
        store.outbox.postpone(claim, decision, decision.reason, decision.until, 0, time.time())
        return
    now = again_at = time.time()
    if outcome is not None:
        log.info("issue_synced", tracker=claim.tracker, action=decision.action, issue=outcome, group=claim.group_id)
        again_at += plan.STATUS_INTERVAL if policy is None else policy.status_interval
    store.outbox.settle(claim, decision, outcome, group.revision, again_at, now)


def carry_out(
    store: Store,
    tracker: Tracker,
    claim: Claim,
    decision: Plan,
    group: Group,
    issue: Issue | None,
    rules: Rules,
) -> str | None:
    """The key of the issue that was created or updated; None when there was nothing to do."""
    if decision.action is Action.CREATE:
        return _create(store, tracker, claim, group, rules)
    if decision.action is Action.UPDATE and issue is not None:
        return _update(store, tracker, claim, group, issue)
    return None


def _create(store: Store, tracker: Tracker, claim: Claim, group: Group, rules: Rules) -> str:
    marker = plan.marker(rules.instance_key, claim.tracker, group)
    draft = Draft(
        marker=marker,
        title=report.title(group),
        body=report.body(group, rules.config.links.hosts),
        group=group,
    )
    store.outbox.intend(claim, marker, time.time())
    try:
        created = tracker.create(draft)
    except OutcomeUnknown as error:
        store.outbox.doubt(claim, error.reason)
        raise
    except TrackerError as error:
        store.outbox.not_created(claim, error.reason)
        raise
    # Anything else that ends this thread leaves the intent on disk, and the next owner of the claim in doubt.
    store.outbox.link(claim, created, group.revision, time.time())
    return created.key


def _update(store: Store, tracker: Tracker, claim: Claim, group: Group, issue: Issue) -> str:
    _write_status(store, tracker, claim, group, issue)
    tracker.refresh(issue, group)
    store.outbox.synced(claim, group.revision, time.time())
    return issue.key or ""


def _write_status(store: Store, tracker: Tracker, claim: Claim, group: Group, issue: Issue) -> None:
    """Edit the status comment, or add it where there is none."""
    document = report.status(group)
    comment_id = issue.comment_id or _lost_comment(store, tracker, claim, issue)
    if comment_id is not None:
        try:
            return tracker.edit_comment(issue, comment_id, document, issue.marker)
        except Missing:
            store.outbox.link_comment(claim, None, time.time())
    store.outbox.intend_comment(claim, time.time())
    try:
        added = tracker.comment(issue, document, issue.marker)
    except OutcomeUnknown:
        raise  # the intent stays on disk: the next sync looks for it
    except TrackerError:
        store.outbox.link_comment(claim, None, time.time())
        raise
    store.outbox.link_comment(claim, added, time.time())


def _lost_comment(store: Store, tracker: Tracker, claim: Claim, issue: Issue) -> str | None:
    """The id of a comment whose adding was sent and never answered, read from the issue itself."""
    if issue.comment_sent_at is None:
        return None
    age = time.time() - issue.comment_sent_at
    if 0 <= age < COMMENT_PROOF_SECONDS:
        reason = "the status comment was sent and its answer was lost; it may still arrive"
        raise Unavailable(reason, COMMENT_PROOF_SECONDS - age)
    comment_id = tracker.find_comment(issue, issue.marker)
    store.outbox.link_comment(claim, comment_id, time.time())
    return comment_id


def _failed(store: Store, claim: Claim, group: Group, decision: Plan, error: TrackerError) -> None:
    """What a failed call means for its group and its tracker."""
    now = time.time()
    log.warning(
        "tracker_call_failed",
        tracker=claim.tracker,
        action=decision.action,
        group=claim.group_id,
        failure=type(error).__name__,
        reason=error.reason,
    )
    match error:
        case Missing():
            store.outbox.park(claim, decision, error.reason, group.revision, now)
        case Refused():
            store.outbox.bury(claim, decision, error.reason, now)
        case Throttled(seconds=seconds):
            store.outbox.pause(claim.tracker, error.reason, now + min(seconds, HORIZON_SECONDS))
            store.outbox.postpone(claim, decision, error.reason, now, claim.attempts, now)
        case Misconfigured():
            store.outbox.pause(claim.tracker, error.reason, now + MISCONFIGURED_SECONDS)
            store.outbox.postpone(claim, decision, error.reason, now, claim.attempts, now)
        case _:
            attempts = claim.attempts + 1
            # Jitter, or groups that failed together would all come back together.
            wait = plan.backoff(attempts) * random.uniform(0.75, 1.25)  # noqa: S311 - not a secret
            if isinstance(error, Unavailable) and error.retry_after is not None:
                wait = max(wait, error.retry_after)
            store.outbox.postpone(claim, decision, error.reason, now + wait, attempts, now)
