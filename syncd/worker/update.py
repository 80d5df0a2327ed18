"""Keeping a linked issue: how people left it, what it shows, and the answer when its crash comes back."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from syncd.core import doubt, hooks, markers, raising, readings, regression
from syncd.core.budget import Allowance
from syncd.core.notices import Event
from syncd.core.plan import DueCall
from syncd.errors import Deferred, Gone, Moved, TrackerError
from syncd.model import Action, Announcement, Call, GroupKind, Issue, Occasion, Plan, Settings
from syncd.store import comments as saved
from syncd.store import issues, outbox
from syncd.store.connection import Transaction
from syncd.trackers.references import named
from syncd.worker import notices, reconcile
from syncd.worker.comments import announce, write_status
from syncd.worker.context import Finished, Retry, SyncContext, Synced, SyncResult
from syncd.worker.routing import take

LOOK_SECONDS = 60.0  # for so long an issue is believed to be as it was last seen


def look(context: SyncContext, issue: Issue) -> Issue:
    """The issue as people left it, read from the tracker unless it was just read, shows all, and no look is owed. Raises TrackerError,
    StoreUnavailable."""
    group_id, now = context.claim.group_id, context.clock.wall()
    # What is shown becomes the baseline, so that only a look that began after these numbers came in is good enough.
    is_shown = issue.synced_revision >= context.group.revision and not issue.looks_owed
    if is_shown and 0 <= now - (issue.looked_at or 0.0) < LOOK_SECONDS:
        return issue
    observation = context.tracker.look(issue)
    if doubt.is_another(issue, observation):
        reason = f"issue {issue.key} is gone: its number has another issue by now, so that the tracker was restored from a backup"
        raise Gone(reason, replaced=True)
    if readings.is_outdated(issue, observation, now):
        raise Deferred(f"the tracker shows {issue.key} as it was before the latest look at it")
    observation = replace(observation, condition=readings.dated(issue, observation))
    place = observation.place
    if place.remote_id != issue.remote_id:
        raise Moved(f"{issue.key} is now {place.key}", place.remote_id, place.key, place.url)
    condition, before = observation.condition, issue.condition
    baseline = regression.next_baseline(context.group, issue, condition) if condition != before else issue.baseline
    context.record(
        partial(issues.see, group_id=group_id, observation=observation, baseline=baseline, before=issue, now=now)
    )
    if readings.is_behind(issue, observation):
        # Once: this look has answered the report.
        later = DueCall(tracker=context.claim.tracker, due_at=now + hooks.LAG_SECONDS, call=Call.UPDATE)
        context.record(partial(issues.ask_look, group_id=group_id))
        context.record(partial(outbox.owe, calls={group_id: later}))
    if change := regression.change(issue, condition):
        context.record(partial(outbox.observe, group_id=group_id, change=change, now=now))
    if issue.doubles is not None:
        live = [key for key in issue.doubles.split(", ") if _is_live(context, key)]
        context.record(partial(issues.keep_doubles, group_id=group_id, before=issue.doubles, live=live))
    answered: Sequence[str] = issue.answered
    closed_at = condition.closed_at or 0.0
    if closed_at != (0.0 if before is None else before.closed_at or 0.0):
        answered = context.store.read(partial(saved.answered, group_id=group_id, closed_at=closed_at))
    # A label or a lock that asked for silence may be gone: the issue is brought up to date where it has a comment for that.
    opened = before is not None and (before.labels, before.locked) != (condition.labels, condition.locked)
    return replace(
        issue,
        remote_id=observation.place.remote_id,
        key=observation.place.key,
        url=observation.place.url,
        condition=condition,
        baseline=baseline,
        looked_at=now,
        looks_owed=0,
        news_at=None,
        is_read=True,
        changed_at=observation.changed_at,
        owners=issue.owners if observation.owners is None else observation.owners,
        answered=tuple(answered),
        synced_revision=0 if opened and issue.comment_id is not None else issue.synced_revision,
    )


def _is_live(context: SyncContext, key: str) -> bool:
    """False if people closed or deleted this double; true also if the tracker does not say so now."""
    tracker = context.claim.tracker
    try:
        double = named(tracker, context.routing.config.trackers[tracker], key)
        return not context.tracker.look(double).condition.closed
    except Gone:
        return False
    except (ValueError, TrackerError):
        return True  # the next look asks again


def update(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Bring status comment, announcements and mapped fields up to date. Raises TrackerError, LeaseLost, StoreUnavailable."""
    announcements = _begin(context, issue, decision=decision)
    if isinstance(announcements, Retry):
        return announcements
    if wait := write_status(context, decision, issue):
        return wait
    for announcement in announcements:
        if wait := announce(context, announcement, issue):
            return wait
    if issue.adopted_at is None:  # the fields of an adopted issue are those of the people who filed it
        context.tracker.refresh(issue, context.presented.group)
        _raise_settings(context, issue)
    # Only a look of this sync, which began after the ledger was loaded, proves that people had the issue open with all of it.
    is_open = issue is not context.issue and issue.condition is not None and not issue.condition.closed
    _record_shown(context, regression.ledger(context.group) if is_open else None)
    return Synced(issue.key or "", context.group.revision)


def _raise_settings(context: SyncContext, issue: Issue) -> None:
    """Raise what the rules of the route ask for by now, and write down what was set. Raises TrackerError, LeaseLost, StoreUnavailable."""
    rules, group_id = () if context.policy is None else context.policy.set, context.claim.group_id
    if not rules or context.group.kind is GroupKind.STORM or issue.condition is None or issue.condition.closed:
        return
    wanted = raising.wanted(context.group, rules, context.project_releases(rules), context.clock.wall())
    if not raising.is_due(issue, wanted):
        return
    if issue.settings is None:
        # People chose all that the issue has. What the rules ask for later, when the crash has grown, is news.
        context.record(partial(issues.save_settings, group_id=group_id, settings=Settings(), judged=wanted))
        return
    raised = raising.raised(wanted, issue, context.tracker.read_settings(issue))
    settings, note = raised.after, ""
    if raised.reason:
        context.require_lease()
        note = context.tracker.raise_settings(issue, raised.changes)
    if note:
        settings = issue.settings
    context.record(partial(issues.save_settings, group_id=group_id, settings=settings, judged=wanted))
    if raised.reason:
        decision = Plan(action=Action.UPDATE, reason=f"by the rules of its route, {raised.reason}", rule="raised")
        outcome, now = note or str(issue.key), context.clock.wall()
        context.record(
            partial(outbox.decide, group_id=group_id, plan=decision, outcome=outcome, now=now, done=not note)
        )


def _begin(
    context: SyncContext, issue: Issue, *, decision: Plan, answer: str = ""
) -> "tuple[Announcement, ...] | Retry":
    """Take one write from the budgets of the route and of the credential, and commit what is about to be said: the remarks of the
    decision, and the answer to a regression. Returns the announcements that the issue owes; Retry where a budget is spent."""
    claim, policy, now = context.claim, context.policy, context.clock.wall()
    tracker = context.routing.allowance(claim.tracker)
    allowances = [tracker]
    if policy is not None:
        allowances.insert(0, Allowance(credential=f"route {policy.name}", limits=policy.max_updates))

    def write(transaction: Transaction) -> "tuple[Announcement, ...] | Retry":
        lacking, wait = take(transaction, allowances, Call.UPDATE, now)
        if wait:
            spent = (
                "the writes of the tracker"
                if lacking is tracker or policy is None
                else f"max_updates of route {policy.name}"
            )
            return Retry(f"{spent} are spent", now + wait, Call.UPDATE)
        for occasion, subject, facts in decision.remarks:
            marker = markers.of_comment(context.routing.instance_key, issue.marker, occasion, subject)
            saved.announce(transaction, claim.group_id, occasion, subject, facts, marker)
        if answer:
            _regress(transaction, context, decision, issue, answer, now)
        if not decision.remarks:
            return issue.announcements
        _, loaded = outbox.load(transaction, claim.group_id)
        return issue.announcements if loaded is None else loaded.announcements

    return context.commit(write)


def _record_shown(context: SyncContext, baseline: "dict[str, int] | None") -> None:
    """The issue shows the group's revision. `baseline` is the ledger of an issue that is open."""
    revision, now = context.group.revision, context.clock.wall()
    context.record(
        partial(issues.synced, group_id=context.claim.group_id, revision=revision, baseline=baseline, now=now)
    )


def _regress(
    transaction: Transaction, context: SyncContext, decision: Plan, issue: Issue, answer: str, now: float
) -> None:
    """Write down that the crash came back, with its answer, and the announcement that says so unless another issue is filed."""
    regressed, group_id = decision.regression, context.claim.group_id
    if regressed is None:
        raise ValueError("the decision names no regression")
    if saved.regress(transaction, group_id, issue, regressed, answer, now):
        came_back = {
            **regression.facts(regressed, decision.action),
            "key": issue.key or "",
            "url": issue.url or "",
            "rule": decision.rule or "",
        }
        notices.report(transaction, context.routing, Event.REGRESSION, group_id, context.route, came_back, now)
    if answer == FILED_ANEW:
        issues.retire(transaction, group_id, decision.reason)
        return
    subject, facts = regression.subject(regressed), regression.facts(regressed, decision.action)
    marker = markers.of_comment(context.routing.instance_key, issue.marker, Occasion.REGRESSION, subject)
    saved.announce(transaction, group_id, Occasion.REGRESSION, subject, facts, marker)


PENDING, COMMENTED, FILED_ANEW = (
    "pending",
    "commented",
    "filed anew",
)  # answers to a regression, as they are written down


def reopen(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Open the issue again, after the regression and its announcement are on disk. Raises TrackerError, LeaseLost, StoreUnavailable."""
    begun = _begin(context, issue, decision=decision, answer=PENDING)
    if isinstance(begun, Retry):
        return begun
    context.require_lease()
    note = context.tracker.reopen(issue)
    group_id, regressed = context.claim.group_id, decision.regression
    announced = None
    if note and regressed is not None:
        facts = {**regression.facts(regressed, decision.action), "refused": note}
        announced = regression.subject(regressed), facts
    closed_at = None if regressed is None else regressed.closed_at
    result = note or "reopened"
    context.record(partial(saved.answer, group_id=group_id, closed_at=closed_at, text=result, announced=announced))
    context.record(partial(issues.ask_look, group_id=group_id, anew=True))
    if note:
        context.record(partial(issues.leave_by_hand, group_id=group_id, reason=f"its crash came back: {note}"))
    return Retry(f"not reopened: {note}" if note else "reopened", context.clock.wall(), Call.UPDATE, done=not note)


def answer(context: SyncContext, decision: Plan, issue: Issue, text: str, call: Call) -> SyncResult:
    """Answer a regression without a call now: a comment is owed and the issue stays closed, or it is given up for another one."""
    now = context.clock.wall()
    context.record(partial(_regress, context=context, decision=decision, issue=issue, answer=text, now=now))
    return Retry(decision.reason, now, call)


def follow(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Follow the issue that this one was closed as a duplicate of; where that stands for another group, become that group's alias.
    Raises LeaseLost, StoreUnavailable."""
    group_id, now = context.claim.group_id, context.clock.wall()
    target = None if issue.condition is None else issue.condition.duplicate_of
    if target is None:
        return Finished()

    def write(transaction: Transaction) -> SyncResult:
        for owner_id, _ in issues.at_place(transaction, context.claim.tracker, target.remote_id):
            reason = f"{issue.key} was closed as a duplicate of {target.key}"
            reconcile.become_aliases(transaction, context.routing, [group_id], owner_id, reason, now)
            return Finished(decided=True)
        issues.follow(transaction, group_id, issue, target, decision.reason)
        return Retry(decision.reason, now, Call.UPDATE)

    # Exclusive: another group is changed too.
    return context.commit(write, exclusive=True)


def close(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Close the issue of a storm that is over, or of a crash that its source reports as resolved, after its comment says so. Raises TrackerError, LeaseLost, StoreUnavailable."""
    begun = _begin(context, issue, decision=decision)
    if isinstance(begun, Retry):
        return begun
    if wait := write_status(context, decision, issue):
        return wait
    context.require_lease()
    note = context.tracker.close_issue(issue)
    if note:
        cause = "its storm is over" if decision.rule == "storm-over" else "its source reports it as resolved"
        reason = f"{cause}: {note}"
        context.record(partial(issues.leave_by_hand, group_id=context.claim.group_id, reason=reason))
    _record_shown(context, None)
    return Finished(note or "closed")
