"""Keeping a linked issue: how people left it, what it shows, and what is done when its crash comes back."""

import time
from dataclasses import replace

from syncd.core import plan, regression
from syncd.model import Call, Issue, Occasion, Plan
from syncd.worker.comments import announce, write_status
from syncd.worker.context import Done, Later, Settled, Shown, Turn

LOOK_SECONDS = 60.0  # how long an issue is believed to be as it was last seen


def look(turn: Turn, issue: Issue) -> Issue:
    """The issue as people left it, read anew unless it was just read. Raises TrackerError, LeaseLost, StoreUnavailable."""
    now = time.time()
    if 0 <= now - (issue.looked_at or 0.0) < LOOK_SECONDS:
        return issue
    seen = turn.tracker.look(issue)
    changed = seen.condition != issue.condition
    baseline = regression.learned(turn.group, issue, seen.condition) if changed else issue.baseline
    turn.store.issues.seen(turn.claim, seen, baseline, issue.condition, now)
    return _loaded(turn, issue)


def _loaded(turn: Turn, issue: Issue) -> Issue:
    """The issue as it is on disk by now."""
    _, found = turn.store.outbox.load(turn.claim)
    return issue if found is None else found


def update(turn: Turn, decision: Plan, issue: Issue) -> Done:
    """Bring status comment, further comments and mapped fields up to date. Raises TrackerError, LeaseLost, StoreUnavailable."""
    if wait := _may_write(turn):
        return wait
    if decision.remarks:
        issue = replace(issue, announcements=_remarked(turn, decision, issue).announcements)
    if waits := write_status(turn, decision, issue):
        return waits
    for owed in issue.announcements:
        if waits := announce(turn, owed, issue):
            return waits
    turn.tracker.refresh(issue, turn.rules.presentation.group(turn.group))
    closed = issue.condition is not None and issue.condition.closed
    shown = None if closed else regression.ledger(turn.group)
    turn.store.issues.synced(turn.claim, turn.group.revision, shown, time.time())
    return Shown(issue.key or "", turn.group.revision)


def _may_write(turn: Turn) -> Later | None:
    """None where the budgets of the route and of the credential have room for one more write, which is then taken."""
    now, rules = time.time(), turn.rules
    for whose, allowance in (("route", rules.updates(turn.policy)), ("tracker", rules.allowance(turn.claim.tracker))):
        if allowance is not None and (wait := turn.store.limits.take(turn.claim, allowance, Call.UPDATE, now)):
            return Later(f"the {whose}'s budget is spent", now + wait, Call.UPDATE)
    return None


def _remarked(turn: Turn, decision: Plan, issue: Issue) -> Issue:
    """The issue with what it is to tell its readers besides, put down before it is sent."""
    for occasion, subject, facts in decision.remarks:
        marker = plan.remark_marker(turn.rules.instance_key, issue.marker, occasion, subject)
        turn.store.issues.announce(turn.claim, (occasion, subject, facts), marker, time.time())
    return _loaded(turn, issue)


def reopen(turn: Turn, decision: Plan, issue: Issue) -> Done:
    """Open the issue again, after it is on disk that it will be told why. Raises TrackerError, LeaseLost, StoreUnavailable."""
    if wait := _may_write(turn):
        return wait
    issues, closed_at = turn.store.issues, None if decision.regression is None else decision.regression.closed_at
    issues.regress(turn.claim, issue, decision, _marker(turn, decision, issue), "pending", time.time())
    note = turn.tracker.reopen(issue)
    issues.answered(turn.claim, closed_at, note or "reopened", time.time())
    issues.look_again(turn.claim, time.time())
    return Later(f"{decision.reason}{f', but: {note}' if note else ''}", time.time(), Call.UPDATE)


def _marker(turn: Turn, decision: Plan, issue: Issue) -> str:
    """By which the comment on a regression is known again."""
    subject = "" if decision.regression is None else regression.subject(decision.regression)
    return plan.remark_marker(turn.rules.instance_key, issue.marker, Occasion.REGRESSION, subject)


def say(turn: Turn, decision: Plan, issue: Issue) -> Done:
    """Owe a comment on the regression, and leave the issue closed. Raises LeaseLost, StoreUnavailable."""
    marker = _marker(turn, decision, issue)
    turn.store.issues.regress(turn.claim, issue, decision, marker, "commented", time.time())
    return Later(decision.reason, time.time(), Call.UPDATE)


def renew(turn: Turn, decision: Plan, issue: Issue) -> Done:
    """Give the issue up for another one, which is filed next. Raises LeaseLost, StoreUnavailable."""
    marker = _marker(turn, decision, issue)
    turn.store.issues.regress(turn.claim, issue, decision, marker, "filed anew", time.time())
    return Later(decision.reason, time.time(), Call.CREATE)


def follow(turn: Turn, decision: Plan, issue: Issue) -> Done:
    """Follow the issue that this one was closed as a duplicate of. Raises LeaseLost, StoreUnavailable."""
    target = None if issue.condition is None else issue.condition.duplicate_of
    if target is None:
        return Settled()
    other = turn.store.issues.follow(turn.claim, issue, target, decision.reason, time.time())
    if other is not None:
        return Settled(f"it is an alias of {other} from now on")
    return Later(decision.reason, time.time(), Call.UPDATE)


def close(turn: Turn, decision: Plan, issue: Issue) -> Done:
    """Close the issue of a storm that is over, once its comment says so. Raises TrackerError, LeaseLost, StoreUnavailable."""
    if wait := _may_write(turn):
        return wait
    if waits := write_status(turn, decision, issue):
        return waits
    note = turn.tracker.shut(issue)
    turn.store.issues.synced(turn.claim, turn.group.revision, None, time.time())
    return Settled(note or "closed")
