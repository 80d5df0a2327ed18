"""The two stages behind the inbox. `absorb` folds deliveries into groups; `sync` brings one group's issue up to date."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from syncd import failures, payload, plan
from syncd.config import Config
from syncd.errors import LeaseLost, Missing, NotANotification, OutcomeUnknown, TrackerError
from syncd.model import Action, Call, Group, Issue, Notification, Outcome, Plan
from syncd.plan import Owed
from syncd.render import report
from syncd.store import Store
from syncd.store.claims import LEASE_SECONDS, Claim
from syncd.store.inbox import Delivery, Read
from syncd.store.limits import Allowance
from syncd.trackers import Draft, Tracker

log = structlog.get_logger("syncd.worker")

BATCH = 200  # deliveries folded in one transaction; more would make the receiver wait for the writer
FLOOR_SECONDS = 86400.0  # how old the highest number known may be: the older, the more there is to read in doubt
LOOK_SECONDS = 3600.0  # how long an issue is believed to be where it was


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

    def probe_after(self, tracker: str) -> Sequence[float]:
        """How many seconds after a create in doubt its tracker is asked about it."""
        return self.config.trackers[tracker].probe_after

    def allowance(self, tracker: str) -> Allowance:
        """What the tracker's credential may write."""
        return Allowance(credential=self.config.credentials[tracker], limits=self.config.trackers[tracker].writes)


@dataclass(frozen=True, slots=True)
class Shown:
    """The issue `key` shows the group's `revision`."""

    key: str
    revision: int


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing could be done yet: another try at a time, with a kind of call."""

    reason: str
    at: float
    call: Call


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more is to be done: the decision is carried out, or has put the group aside."""


Done = Shown | Later | Settled


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
    decision = plan.plan(group, issue, policy, rules.probe_after(claim.tracker), time.time())
    try:
        done = carry_out(store, tracker, claim, decision, group, issue, rules)
    except TrackerError as error:
        failures.settle(store, claim, rules.allowance(claim.tracker), policy, group, decision, error)
        return
    now = time.time()
    match done:
        case Later(reason, at, call):
            store.outbox.postpone(claim, decision, reason, at, 0, now, call)
        case Shown(key, revision):
            log.info("issue_synced", tracker=claim.tracker, action=decision.action, issue=key, group=claim.group_id)
            again_at = now + (plan.STATUS_INTERVAL if policy is None else policy.status_interval)
            if store.outbox.settle(claim, decision, key, revision, again_at, now):
                log.info("tracker_resumed", tracker=claim.tracker)
            return
        case Settled():
            if decision.action is not Action.PROBE:
                store.outbox.settle(claim, decision, None, group.revision, now, now)
    if claim.trial and decision.action is Action.PROBE:
        store.limits.answered(claim.tracker)
    elif claim.trial:
        store.limits.untried(claim, now)


def carry_out(
    store: Store,
    tracker: Tracker,
    claim: Claim,
    decision: Plan,
    group: Group,
    issue: Issue | None,
    rules: Rules,
) -> Done:
    """What became of the decision. Raises TrackerError, LeaseLost, StoreUnavailable."""
    match decision.action:
        case Action.CREATE:
            return _create(store, tracker, claim, group, rules)
        case Action.PROBE if issue is not None:
            return _probe(store, tracker, claim, group, issue, rules)
        case Action.UPDATE if issue is not None:
            return _update(store, tracker, claim, group, issue, rules)
        case Action.WAIT if decision.until is not None:
            if decision.call is Call.PROBE:
                store.issues.probe_later(claim, decision.until, time.time())
            return Later(decision.reason, decision.until, decision.call)
        case _:
            return Settled()


def _create(store: Store, tracker: Tracker, claim: Claim, group: Group, rules: Rules) -> Done:
    _know_floor(store, tracker, claim)
    marker = plan.marker(rules.instance_key, claim.tracker, group, store.issues.retired(claim))
    draft = Draft(
        marker=marker,
        title=report.title(group),
        body=report.body(group, rules.config.links.hosts),
        group=group,
        # Long before somebody else may take the intent for that of a dead process.
        expires=time.monotonic() + LEASE_SECONDS / 2,
    )
    now = time.time()
    if wait := store.issues.intend(claim, marker, group.revision, rules.allowance(claim.tracker), now):
        return Later("the tracker's budget is spent", now + wait, Call.CREATE)
    try:
        created = tracker.create(draft)
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
        log.error("answered_too_late", tracker=claim.tracker, issue=created.key, group=claim.group_id)
        raise
    return Shown(created.key, group.revision)


def _know_floor(store: Store, tracker: Tracker, claim: Claim) -> None:
    """Ask for the highest issue number where none is known, or only an old one: what is made from now on lies above it."""
    floor = store.limits.floor(claim.tracker)
    now = time.time()
    if floor.read_at is None or not 0 <= now - floor.read_at < FLOOR_SECONDS:
        store.limits.raise_floor(claim.tracker, tracker.newest(), now)


def _probe(store: Store, tracker: Tracker, claim: Claim, group: Group, issue: Issue, rules: Rules) -> Done:
    evidence = tracker.probe(issue)
    now = time.time()
    judgement = plan.judge(issue, evidence, rules.probe_after(claim.tracker), now)
    log.info(
        "create_probed", tracker=claim.tracker, group=claim.group_id, outcome=judgement.outcome, reason=judgement.reason
    )
    match judgement.outcome:
        case Outcome.FOUND:
            store.issues.found(claim, evidence.found, now)
            if len(evidence.found) > 1:
                keys = [created.key for created in evidence.found]
                log.error("doubles_found", tracker=claim.tracker, group=claim.group_id, issues=keys)
            return Shown(evidence.found[0].key, issue.sent_revision)
        case Outcome.ABSENT:
            store.issues.absent(claim, judgement.reason, now)
            return Later(judgement.reason, now, Call.CREATE)
        case Outcome.OPEN:
            store.issues.probed(claim, evidence.at, judgement.until, now)
            return Later(judgement.reason, judgement.until, Call.PROBE)
        case Outcome.UNPROVEN:
            decision = Plan(action=Action.PARK, reason=judgement.reason)
            store.outbox.park(claim, decision, "doubt", group.revision, now)
            return Settled()


def _update(store: Store, tracker: Tracker, claim: Claim, group: Group, issue: Issue, rules: Rules) -> Done:
    now = time.time()
    if wait := store.limits.take(claim, rules.allowance(claim.tracker), Call.UPDATE, now):
        return Later("the tracker's budget is spent", now + wait, Call.UPDATE)
    if not 0 <= now - (issue.looked_at or 0.0) < LOOK_SECONDS:
        place = tracker.look(issue)
        store.issues.moved(claim, place, now)
        issue = replace(issue, remote_id=place.remote_id, key=place.key, url=place.url)
    if waits := _write_status(store, tracker, claim, group, issue, rules):
        return waits
    tracker.refresh(issue, group)
    store.issues.synced(claim, group.revision, time.time())
    return Shown(issue.key or "", group.revision)


def _write_status(
    store: Store, tracker: Tracker, claim: Claim, group: Group, issue: Issue, rules: Rules
) -> Later | None:
    """Edit the status comment, or add it where there is none; Later where it may still appear."""
    document = report.status(group)
    comment_id = issue.comment_id
    if comment_id is None and issue.comment_sent_at is not None:
        found = _lost_comment(store, tracker, claim, issue, rules.probe_after(claim.tracker))
        if isinstance(found, Later):
            return found
        comment_id = found
    if comment_id is not None:
        try:
            tracker.edit_comment(issue, comment_id, document, issue.marker)
            return None
        except Missing:
            store.issues.link_comment(claim, None, time.time())
    store.issues.intend_comment(claim, time.time())
    try:
        added = tracker.comment(issue, document, issue.marker)
    except OutcomeUnknown:
        raise  # the intent stays on disk: the next sync looks for it
    except TrackerError:
        store.issues.link_comment(claim, None, time.time())
        raise
    store.issues.link_comment(claim, added, time.time())
    return None


def _lost_comment(
    store: Store, tracker: Tracker, claim: Claim, issue: Issue, probe_after: Sequence[float]
) -> Later | str | None:
    """The id of a comment whose adding was sent and never answered, read from the issue itself; None once it has been looked
    for as often, and as late, as a create would be."""
    now = time.time()
    tried = min(issue.comment_probes, len(probe_after) - 1)
    due = (issue.comment_sent_at or 0.0) + probe_after[tried]
    reason = "the status comment was sent and its answer was lost; it may still appear"
    if now < due <= now + probe_after[-1]:
        return Later(reason, due, Call.UPDATE)
    comment_id = tracker.find_comment(issue, issue.marker)
    if comment_id is None and tried + 1 < len(probe_after):
        store.issues.comment_probed(claim, now)
        return Later(reason, now + probe_after[tried + 1] - probe_after[tried], Call.UPDATE)
    store.issues.link_comment(claim, comment_id, time.time())
    return comment_id
