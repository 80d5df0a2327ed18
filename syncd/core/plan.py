"""What a group's issue needs now, and why. Pure: the daemon, the console and the commands all ask these functions."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from syncd.core import doubt, filing, regression
from syncd.core.policy import Policy, route
from syncd.core.quantities import counted
from syncd.core.releases import Order, compare, newest
from syncd.model import Action, Call, Condition, Facts, Group, GroupKind, Issue, IssueState, Occasion, Plan

MAX_BACKOFF_SECONDS = 3600.0
MAX_PAUSE_SECONDS = 900.0
STATUS_INTERVAL = 900.0  # where no route says otherwise
FIRST_MILESTONE = 10
NEVER_LINKED = (IssueState.INTENDED, IssueState.IN_DOUBT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """What is true beside a group and its issue.

    `probe_after` says how many seconds after a create in doubt its tracker is asked about it. `paused` is why an operator paused
    the route, `wait` the seconds until the route may file another issue. `hold_zero`: the all-zero fingerprint is no crash.
    """

    probe_after: Sequence[float]
    paused: str | None = None
    wait: float = 0.0
    hold_zero: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCall:
    """Which tracker a group owes which call, and from when on. `tracker` None: none; without a `hold` beside it, what was
    decided before stands. `hold` is why the group is not filed yet, and `route` which one holds it."""

    tracker: str | None
    due_at: float = 0.0
    call: Call = Call.CREATE
    hold: Plan | None = None
    route: str | None = None


# What a changed group owes at a time, by whatever rules there are.
NextCall = Callable[[Group, Issue | None, float], DueCall]


def marker(instance_key: str, tracker: str, group: Group, generation: int = 0) -> str:
    """The text by which we know our issue again: 32 hex digits nobody can forge without the instance's key (hex).

    `generation` counts the issues of the group that were given up before, so that none is taken for a later one.
    """
    identity = group.identity
    parts = [tracker, identity.universe, identity.project, identity.fingerprint_key]
    said = "\0".join([*parts, str(generation)] if generation else parts)
    return _digest(instance_key, said)


def remark_marker(instance_key: str, issue_marker: str, occasion: Occasion, subject: str) -> str:
    """The text by which we know again what an issue was told on an occasion."""
    return _digest(instance_key, "\0".join([issue_marker, occasion, subject]))


def _digest(instance_key: str, said: str) -> str:
    return hmac.digest(bytes.fromhex(instance_key), said.encode(), "sha256").hex()[:32]


def content(group: Group) -> str:
    """Tells one group's content from another as far as a tracker may refuse it: its texts, not its numbers."""
    texts = [
        group.application,
        group.callstack,
        group.classifiers,
        group.group_url,
        [entry.release for entry in group.releases],
        group.attributes,
    ]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:32]


def next_call(group: Group, issue: Issue | None, routes: Iterable[Policy], hold_zero: bool, now: float) -> DueCall:
    """What a changed group owes. An issue stays in its tracker, whatever the routes say now."""
    policy = route(group, routes)
    if group.on_hold is not None and (issue is None or issue.state in (IssueState.WANTED, IssueState.LINKED)):
        return DueCall(tracker=None, hold=filing.by_hand(group), route=None if policy is None else policy.name)
    if issue is None or issue.state is IssueState.WANTED:
        if group.refused is not None and group.refused == content(group):
            return DueCall(tracker=None)
        if group.held_by in (filing.STORM, filing.ROUTE_PAUSED):
            return DueCall(tracker=None)  # whoever lets it through judges it again
        hold = None if group.kind is GroupKind.STORM else filing.held(group, policy, hold_zero=hold_zero, now=now)
        if policy is None or (hold is not None and hold.until is None):
            return DueCall(tracker=None, hold=hold, route=None if policy is None else policy.name)
        due_at = now if hold is None or hold.until is None else hold.until
        return DueCall(tracker=policy.tracker, due_at=due_at, hold=hold, route=policy.name)
    if issue.state is IssueState.LINKED:
        return DueCall(tracker=issue.tracker, due_at=max(now, _update_due(issue, policy, now)), call=Call.UPDATE)
    if issue.state in NEVER_LINKED:
        return DueCall(tracker=issue.tracker, due_at=max(now, issue.probe_at or 0.0), call=Call.PROBE)
    return DueCall(tracker=None)


def plan(group: Group, issue: Issue | None, policy: Policy | None, context: PlanContext, now: float) -> Plan:
    """The one thing to do for this group. `policy` is the route that takes it, or None."""
    if group.follows is not None:
        return filing.follows(group)
    if group.on_hold is not None and (issue is None or issue.state in (IssueState.WANTED, IssueState.LINKED)):
        return filing.by_hand(group)  # what was sent and not answered is looked for all the same
    if issue is None or issue.state is IssueState.WANTED:
        return _new(group, policy, context, now)
    if issue.state is IssueState.INTENDED:
        return Plan(action=Action.HOLD, reason="a create is under way", rule="under-way", call=Call.PROBE)
    if issue.state is IssueState.IN_DOUBT:
        return doubt.doubtful(issue, context.probe_after, now)
    if issue.state is IssueState.PARKED:
        return Plan(action=Action.PARK, reason=issue.note or "a person must decide", rule="parked")
    if issue.state is IssueState.DROPPED:
        return Plan(action=Action.DROP, reason=issue.note or "left alone", rule="dropped")
    if group.kind is GroupKind.STORM:
        return _storm(group, issue, policy, now)
    return _linked(group, issue, policy, context, now)


def _new(group: Group, policy: Policy | None, context: PlanContext, now: float) -> Plan:
    """What a group without an issue needs."""
    if group.kind is GroupKind.STORM:
        if group.storm is None or group.storm.over:
            return Plan(action=Action.DROP, reason="the storm was over before it was told of", rule="storm-over")
        if policy is None:
            return Plan(action=Action.HOLD, reason="its route is not configured any more", rule="unrouted")
        reason = f"route {policy.name} holds back {counted(group.storm.held, 'group')}"
        return Plan(action=Action.CREATE, reason=reason, rule="storm", call=Call.CREATE)
    hold = filing.held(group, policy, hold_zero=context.hold_zero, now=now)
    if hold is not None:
        return hold
    assert policy is not None  # noqa: S101 - what no route takes is held
    if context.paused is not None:
        return filing.paused(policy, context.paused)
    if context.wait > 0:
        return filing.stormy(policy, context.wait)
    reason = f"the group has no issue yet, and route {policy.name} takes it"
    return Plan(action=Action.CREATE, reason=reason, rule="new", inputs={"route": policy.name}, call=Call.CREATE)


def _storm(group: Group, issue: Issue, policy: Policy | None, now: float) -> Plan:
    """What the issue of a storm needs."""
    if group.storm is None or group.storm.over:
        if issue.condition is not None and issue.condition.closed:
            return Plan(action=Action.DROP, reason=f"the storm is over, and {issue.key} is closed", rule="storm-over")
        return Plan(action=Action.CLOSE, reason=f"the storm is over: {issue.key} is closed", rule="storm-over")
    return _current(group, issue, policy, now)


def _linked(group: Group, issue: Issue, policy: Policy | None, context: PlanContext, now: float) -> Plan:
    """What a linked issue needs, given how people left it."""
    if context.paused is not None and policy is not None:
        return Plan(
            action=Action.WAIT,
            reason=f"route {policy.name} is paused: {context.paused}",
            rule="route-paused",
            until=now + 900.0,
        )
    condition = issue.condition
    if condition is None or policy is None:
        return _current(group, issue, policy, now)
    other = condition.duplicate_of
    duplicate = condition.closed and other is not None and regression.resolved_as(condition, policy.duplicate)
    if duplicate and other is not None and other.remote_id not in (issue.remote_id, *issue.followed):
        reason = f"{issue.key} was closed as a duplicate of {other.key}: the group follows that one"
        return Plan(action=Action.FOLLOW, reason=reason, rule="duplicate", inputs={"duplicate_of": other.key})
    if _muted(condition, policy):
        reason = (
            f"{issue.key} has the label {policy.ignore_label}, or its conversation is locked: nothing is written there"
        )
        return Plan(action=Action.NOTHING, reason=f"{reason}; counts are kept", rule="muted")
    if condition.closed:
        return _closed(group, issue, condition, policy, now)
    return _current(group, issue, policy, now)


def _muted(condition: Condition, policy: Policy) -> bool:
    return condition.locked or bool(policy.ignore_label and policy.ignore_label in condition.labels)


def _closed(group: Group, issue: Issue, condition: Condition, policy: Policy, now: float) -> Plan:
    """What a closed issue needs: nothing but its numbers, unless the crash came back."""
    verdict = regression.verdict(group, issue, condition, policy)
    if verdict.regression is None:
        current = _current(group, issue, policy, now)
        if current.action is Action.UPDATE:
            note = verdict.reason if verdict.note else ""
            return replace(current, reason=verdict.reason, rule=verdict.rule, inputs=verdict.inputs, note=note)
        return replace(current, reason=f"{current.reason}; {verdict.reason}", rule=verdict.rule, inputs=verdict.inputs)
    answer = _answer(condition, policy, now)
    words = {
        Action.REOPEN: "it is reopened",
        Action.COMMENT: "it says so and stays closed",
        Action.RENEW: "another issue is filed",
    }
    return Plan(
        action=answer,
        reason=f"a regression: {verdict.reason}; {words[answer]}",
        rule=verdict.rule,
        inputs=verdict.inputs,
        regression=verdict.regression,
    )


def _answer(condition: Condition, policy: Policy, now: float) -> Action:
    """How the route answers a regression."""
    if policy.on_regression == "comment":
        return Action.COMMENT
    window, closed_at = policy.reopen_window, condition.closed_at
    late = window is not None and closed_at is not None and now - closed_at > window
    return Action.RENEW if late or policy.on_regression == "new_issue" else Action.REOPEN


def _current(group: Group, issue: Issue, policy: Policy | None, now: float) -> Plan:
    """Whether the issue shows the latest state."""
    if issue.announcements:
        return Plan(action=Action.UPDATE, reason=f"{issue.key} owes its readers a comment", rule="announcement")
    remarks = () if policy is None else tuple(_remarks(group, issue, policy, now))
    if issue.synced_revision >= group.revision and not any(occasion is Occasion.QUIET for occasion, _, _ in remarks):
        return Plan(action=Action.NOTHING, reason=f"{issue.key} shows the latest state", rule="current")
    due = _update_due(issue, policy, now)
    if due > now:
        reason = f"{issue.key} was updated less than a status_interval ago"
        return Plan(action=Action.WAIT, reason=reason, rule="status-interval", until=due)
    return Plan(action=Action.UPDATE, reason=f"{issue.key} shows an older state", rule="older-state", remarks=remarks)


def _remarks(group: Group, issue: Issue, policy: Policy, now: float) -> Iterator[tuple[Occasion, str, Facts]]:
    """What is worth a comment of its own, on an issue that is open, and was not told before."""
    if not issue.baseline or group.kind is GroupKind.STORM or (issue.condition is not None and issue.condition.closed):
        return
    for occasion, subject, facts in _occasions(group, issue, policy, now):
        if f"{occasion} {subject}" not in issue.announced:
            yield occasion, subject, facts


def _occasions(group: Group, issue: Issue, policy: Policy, now: float) -> Iterator[tuple[Occasion, str, Facts]]:
    milestone = _milestone(group.occurrences)
    if policy.comment_milestones and issue.baseline.get(regression.TOTAL, 0) < milestone:
        yield Occasion.MILESTONE, str(milestone), {"milestone": milestone, "occurrences": group.occurrences}
    if policy.comment_new_release and (release := _new_release(group, issue)) is not None:
        yield Occasion.RELEASE, release, {"release": release}
    latest = group.trail[-1].at if group.trail else None
    if policy.quiet_after is not None and latest is not None and now - latest >= policy.quiet_after:
        yield Occasion.QUIET, str(int(latest)), {"since": int(latest)}


def _milestone(occurrences: int) -> int:
    """The highest power of ten that was reached; 0 below the first that counts."""
    reached = 10 ** (len(str(occurrences)) - 1)
    return reached if reached >= FIRST_MILESTONE else 0


def _new_release(group: Group, issue: Issue) -> str | None:
    """The newest release, where it is newer than all that the issue showed before."""
    shown = [release for release in issue.baseline if release != regression.TOTAL]
    fresh = [entry.release for entry in group.releases if entry.release not in issue.baseline]
    for release in newest(fresh):
        orders = {compare(release, one) for one in newest(shown)}
        if Order.NEWER in orders and not orders & {Order.OLDER, Order.SAME}:
            return release
    return None


def _update_due(issue: Issue, policy: Policy | None, now: float) -> float:
    """When the status comment may be edited again."""
    interval = STATUS_INTERVAL if policy is None else policy.status_interval
    due = (issue.synced_at or 0.0) + interval
    # Further away than one interval, the last sync lies in the future: the clock was set back, nothing is to be waited for.
    return due if due <= now + interval else now


def backoff(attempts: int) -> float:
    """Seconds until try number `attempts + 1`: 2, 4, 8, … up to an hour."""
    return min(2.0 ** min(attempts, 30), MAX_BACKOFF_SECONDS)


def pause(attempts: int) -> float:
    """Seconds a misconfigured tracker rests before it is asked again: one minute, two, four, … up to a quarter of an hour."""
    return min(60.0 * 2.0 ** min(attempts, 30), MAX_PAUSE_SECONDS)
