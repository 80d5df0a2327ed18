"""Keeping a linked issue: how people left it, what it shows, and what is done when its crash comes back."""

import time
from dataclasses import replace

from syncd.core import plan, regression
from syncd.model import Call, Issue, Occasion, Plan
from syncd.worker.comments import announce, write_status
from syncd.worker.context import Finished, Retry, SyncContext, Synced, SyncResult

LOOK_SECONDS = 60.0  # how long an issue is believed to be as it was last seen


def look(context: SyncContext, issue: Issue) -> Issue:
    """The issue as people left it, read anew unless it was just read. Raises TrackerError, LeaseLost, StoreUnavailable."""
    now = time.time()
    if 0 <= now - (issue.looked_at or 0.0) < LOOK_SECONDS:
        return issue
    seen = context.tracker.look(issue)
    changed = seen.condition != issue.condition
    baseline = regression.learned(context.group, issue, seen.condition) if changed else issue.baseline
    context.store.issues.seen(context.claim, seen, baseline, issue.condition, now)
    return _loaded(context, issue)


def _loaded(context: SyncContext, issue: Issue) -> Issue:
    """The issue as it is on disk by now."""
    _, found = context.store.outbox.load(context.claim)
    return issue if found is None else found


def update(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Bring status comment, further comments and mapped fields up to date. Raises TrackerError, LeaseLost, StoreUnavailable."""
    if wait := _may_write(context):
        return wait
    if decision.remarks:
        issue = replace(issue, announcements=_remarked(context, decision, issue).announcements)
    if waits := write_status(context, decision, issue):
        return waits
    for owed in issue.announcements:
        if waits := announce(context, owed, issue):
            return waits
    context.tracker.refresh(issue, context.presented.group)
    closed = issue.condition is not None and issue.condition.closed
    shown = None if closed else regression.ledger(context.group)
    context.store.issues.synced(context.claim, context.group.revision, shown, time.time())
    return Synced(issue.key or "", context.group.revision)


def _may_write(context: SyncContext) -> Retry | None:
    """None where the budgets of the route and of the credential have room for one more write, which is then taken."""
    now, rules = time.time(), context.rules
    for whose, allowance in (
        ("route", rules.updates(context.policy)),
        ("tracker", rules.allowance(context.claim.tracker)),
    ):
        if allowance is not None and (wait := context.store.limits.take(context.claim, allowance, Call.UPDATE, now)):
            return Retry(f"the {whose}'s budget is spent", now + wait, Call.UPDATE)
    return None


def _remarked(context: SyncContext, decision: Plan, issue: Issue) -> Issue:
    """The issue with what it is to tell its readers besides, put down before it is sent."""
    for occasion, subject, facts in decision.remarks:
        marker = plan.remark_marker(context.rules.instance_key, issue.marker, occasion, subject)
        context.store.issues.announce(context.claim, (occasion, subject, facts), marker, time.time())
    return _loaded(context, issue)


def reopen(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Open the issue again, after it is on disk that it will be told why. Raises TrackerError, LeaseLost, StoreUnavailable."""
    if wait := _may_write(context):
        return wait
    issues, closed_at = context.store.issues, None if decision.regression is None else decision.regression.closed_at
    issues.regress(context.claim, issue, decision, _marker(context, decision, issue), "pending", time.time())
    note = context.tracker.reopen(issue)
    issues.answered(context.claim, closed_at, note or "reopened", time.time())
    issues.look_again(context.claim, time.time())
    return Retry(f"{decision.reason}{f', but: {note}' if note else ''}", time.time(), Call.UPDATE)


def _marker(context: SyncContext, decision: Plan, issue: Issue) -> str:
    """By which the comment on a regression is known again."""
    subject = "" if decision.regression is None else regression.subject(decision.regression)
    return plan.remark_marker(context.rules.instance_key, issue.marker, Occasion.REGRESSION, subject)


def say(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Owe a comment on the regression, and leave the issue closed. Raises LeaseLost, StoreUnavailable."""
    marker = _marker(context, decision, issue)
    context.store.issues.regress(context.claim, issue, decision, marker, "commented", time.time())
    return Retry(decision.reason, time.time(), Call.UPDATE)


def renew(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Give the issue up for another one, which is filed next. Raises LeaseLost, StoreUnavailable."""
    marker = _marker(context, decision, issue)
    context.store.issues.regress(context.claim, issue, decision, marker, "filed anew", time.time())
    return Retry(decision.reason, time.time(), Call.CREATE)


def follow(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Follow the issue that this one was closed as a duplicate of. Raises LeaseLost, StoreUnavailable."""
    target = None if issue.condition is None else issue.condition.duplicate_of
    if target is None:
        return Finished()
    other = context.store.issues.follow(context.claim, issue, target, decision.reason, time.time())
    if other is not None:
        return Finished(f"it is an alias of {other} from now on")
    return Retry(decision.reason, time.time(), Call.UPDATE)


def close(context: SyncContext, decision: Plan, issue: Issue) -> SyncResult:
    """Close the issue of a storm that is over, once its comment says so. Raises TrackerError, LeaseLost, StoreUnavailable."""
    if wait := _may_write(context):
        return wait
    if waits := write_status(context, decision, issue):
        return waits
    note = context.tracker.close_issue(issue)
    context.store.issues.synced(context.claim, context.group.revision, None, time.time())
    return Finished(note or "closed")
