"""The next action for a group's issue, and its reason. Pure: the daemon, the console and the commands call the same functions."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncd.core import doubt, holds, merges, polls, regression, source_reports
from syncd.core.budget import kept_free, limits_text
from syncd.core.merges import Alike
from syncd.core.policy import Policy, route
from syncd.core.quantities import counted, duration, listed, utc
from syncd.core.releases import Order, compare, newest
from syncd.model import (
    Action,
    Call,
    Facts,
    Group,
    GroupKind,
    Issue,
    IssueState,
    Occasion,
    Place,
    Plan,
    ProjectRelease,
)

MAX_BACKOFF_SECONDS = 3600.0
MAX_PAUSE_SECONDS = 900.0
MAX_READ_PAUSE_SECONDS = 60.0
PAUSED_SECONDS = 900.0  # between two looks at an issue whose route is paused
STATUS_INTERVAL = 900.0  # of an issue without a route
FIRST_MILESTONE = 10
MOST_LOSSES = 1  # people who deleted the status comment more often do not want it
RELEASED = "let-through"  # the rule of a group that a storm released and that is not filed yet
ORDERED = "ordered"  # the rule of a group that an operator lets through
NEVER_LINKED = (IssueState.INTENDED, IssueState.IN_DOUBT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """The facts of a plan that are neither in the group nor in its issue.

    `probe_after` are the seconds between a create in doubt and each probe. `paused` is the reason of an operator's pause of the
    route, `wait` the seconds until the route may file another issue, `ahead` the number of groups that its storm files first; `place` is
    the group's place in line, those with the most users first, and `due_in` the seconds until about its turn. `gathers` is true while the
    route's new groups wait for each other, because many came at once.
    `hold_zero` holds groups with the all-zero fingerprint. `project` are the releases of the group's project and application, read for a
    closed issue only. For an alias, `target` is the group that it follows with its issue, and `own` the issue that it gave up.
    `alike` are the groups of which a merged one without an issue may have been merged. `closes` is true if the issue is to be closed once the
    group's source reports the crash as resolved.
    """

    probe_after: Sequence[float]
    paused: str | None = None
    wait: float = 0.0
    ahead: int = 0
    place: int = 0
    due_in: float = 0.0
    gathers: bool = False
    hold_zero: bool = True
    project: Sequence[ProjectRelease] = ()
    target: tuple[Group, Issue | None] | None = None
    own: Place | None = None
    alike: Sequence[Alike] = ()
    closes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCall:
    """The next tracker call of a group and the time from which it is due.

    `tracker` is None if no call is due. If `hold` is None as well, the previous decision stays. `hold` is the decision to file
    the group later or not at all, `route` the route that holds it.
    """

    tracker: str | None
    due_at: float = 0.0
    call: Call = Call.CREATE
    hold: Plan | None = None
    route: str | None = None


# `next_call` with the rules of one configuration: group, issue, time.
NextCall = Callable[[Group, Issue | None, float], DueCall]


def content(group: Group) -> str:
    """A digest of the texts of a group, which a tracker may refuse. Numbers are not in it."""
    texts = [
        group.application,
        group.callstack,
        group.classifiers,
        group.group_url,
        sorted(entry.release for entry in group.releases),
        group.attributes,
        *([] if group.message is None else [group.message]),
    ]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:32]


def next_call(group: Group, issue: Issue | None, routes: Iterable[Policy], hold_zero: bool, now: float) -> DueCall:
    """The next tracker call of a changed group. An issue stays in its tracker even if the routes change."""
    policy = route(group, routes)
    if group.on_hold is not None and (issue is None or issue.state in (IssueState.WANTED, IssueState.LINKED)):
        return DueCall(tracker=None, hold=holds.by_hand(group), route=None if policy is None else policy.name)
    if issue is None or issue.state is IssueState.WANTED:
        if group.refused is not None and group.refused == content(group):
            return DueCall(tracker=None)
        if group.held_by in (holds.STORM, holds.ROUTE_PAUSED):
            return DueCall(tracker=None)  # the end of the storm or the pause evaluates it again
        hold = None if group.kind is GroupKind.STORM else holds.decision(group, policy, hold_zero=hold_zero, now=now)
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
    """The next action for a group. `policy` is the route that matches it, or None."""
    if group.follows is not None:
        return follows(group, context.target, context.own)
    if group.on_hold is not None and (issue is None or issue.state in (IssueState.WANTED, IssueState.LINKED)):
        return holds.by_hand(group)  # a create in doubt is probed all the same
    if issue is None or issue.state is IssueState.WANTED:
        return _new(group, policy, context, now)
    if issue.state is IssueState.INTENDED:
        reason = f"a create was sent at {utc(issue.sent_at)}, and its answer has not come yet"
        return Plan(action=Action.HOLD, reason=reason, rule="under-way", call=Call.PROBE)
    if issue.state is IssueState.IN_DOUBT:
        return doubt.doubtful(issue, context.probe_after, now)
    if issue.state is IssueState.PARKED:
        return Plan(action=Action.PARK, reason=issue.note or "a person must decide", rule="parked")
    if issue.state is IssueState.DROPPED:
        return Plan(
            action=Action.DROP, reason=issue.note or "syncd does not write to this issue any more", rule="dropped"
        )
    if group.kind is not GroupKind.STORM:
        return _linked(group, issue, policy, context, now)
    if group.storm is not None and not group.storm.over:
        return _current(group, issue, policy, now)
    if issue.condition is not None and issue.condition.closed:
        return Plan(action=Action.DROP, reason=f"the storm is over, and {issue.key} is closed", rule="storm-over")
    return Plan(action=Action.CLOSE, reason=f"the storm is over: syncd closes {issue.key}", rule="storm-over")


def _new(group: Group, policy: Policy | None, context: PlanContext, now: float) -> Plan:
    """The action for a group without an issue."""
    if group.kind is GroupKind.STORM:
        if group.storm is None or group.storm.over:
            return Plan(action=Action.DROP, reason="the storm ended before its issue was filed", rule="storm-over")
        if policy is None:
            return Plan(action=Action.HOLD, reason="the storm's route is not configured any more", rule="unrouted")
        if not group.storm.reported:
            reason = f"route {policy.name} gathers new groups, and max_new_issues allows all of them so far"
            return holds.hold("gathering", reason)
        reason = f"route {policy.name} holds back {counted(group.storm.held, 'group')}"
        return Plan(action=Action.CREATE, reason=reason, rule="storm", call=Call.CREATE)
    hold = holds.decision(group, policy, hold_zero=context.hold_zero, now=now)
    if hold is not None:
        return hold
    assert policy is not None  # noqa: S101 - a group without a route is held
    if context.closes and (over := holds.over(group)) is not None:
        return over
    if context.paused is not None:
        reason = f"route {policy.name} is paused: {context.paused}"
        return holds.hold(holds.ROUTE_PAUSED, reason, route=policy.name)
    if group.ordered is not None:
        reason = f"an operator files it past thresholds and limits: {group.ordered}"
        return Plan(action=Action.CREATE, reason=reason, rule=ORDERED, inputs={"route": policy.name}, call=Call.CREATE)
    if (merged := merges.decision(group, policy, context.alike, context.project, now)) is not None:
        return merged
    if context.wait > 0 or context.ahead or context.gathers:
        return stormy(policy, context, now)
    reason = f"the group has no issue, and route {policy.name} matches it"
    return Plan(action=Action.CREATE, reason=reason, rule="new", inputs={"route": policy.name}, call=Call.CREATE)


def stormy(policy: Policy, context: PlanContext, now: float) -> Plan:
    """The decision for a group whose route has reached its limit of new issues, gathers new groups, or files other groups of its storm
    first."""
    limit = f"max_new_issues of route {policy.name} is {limits_text(policy.max_new_issues)}"
    if context.gathers:
        limit += f", and more new groups than a fifth of what it leaves came within {duration(policy.gather)}"
    elif kept_free(policy.max_new_issues, policy.reserve_percent) != list(policy.max_new_issues):
        limit += f", {policy.reserve_percent} % of it for groups with {policy.reserve_min_users:,} users or more"
    inputs: dict[str, str | int | float] = {
        "route": policy.name,
        "place": context.place,
        "due_in": round(context.due_in),
    }
    if context.place:
        when = f"its turn is at about {utc(now + context.due_in)}" if context.due_in >= 1 else "its turn is now"
        reason = f"{limit}; it is number {context.place:,} in line, those with the most users first, and {when}"
    elif context.wait > 0:
        reason = f"{limit}; the next group is filed at {utc(now + context.wait)}"
    else:
        reason = (
            f"{limit}; {counted(context.ahead, 'group')} of its storm {'goes' if context.ahead == 1 else 'go'} first, those with "
            "the most users before all"
        )
    return holds.hold(holds.STORM, reason, None, **inputs)


def follows(group: Group, target: tuple[Group, Issue | None] | None, own: Place | None, cause: str = "") -> Plan:
    """The decision for a group whose occurrences are in the issue of another group, for a `cause`. `target` is that group with
    its issue, `own` the issue that the alias gave up."""
    followed, issue = (None, None) if target is None else target
    shows = ", which has no issue yet; once filed, that issue shows its occurrences"
    if issue is not None and issue.key is not None:
        shows = f", whose issue {issue.key} ({issue.url}) shows its occurrences"
        if issue.state in (IssueState.PARKED, IssueState.DROPPED):
            shows = f", to whose issue {issue.key} ({issue.url}) syncd does not write: {issue.note}"
    if followed is not None and followed.on_hold is not None:
        shows += f"; an operator holds that group: {followed.on_hold}"
    reason = f"it is an alias of {group.follows}{f' ({cause})' if cause else ''}{shows}"
    if own is not None:
        reason += f"; syncd no longer writes to its own issue {own.key} ({own.url})"
    return Plan(action=Action.NOTHING, reason=reason, rule="alias", inputs={"target": group.follows or ""})


def _linked(group: Group, issue: Issue, policy: Policy | None, context: PlanContext, now: float) -> Plan:
    """The action for a linked issue, given its condition in the tracker."""
    if context.paused is not None and policy is not None:
        return Plan(
            action=Action.WAIT,
            reason=f"route {policy.name} is paused: {context.paused}",
            rule="route-paused",
            until=now + PAUSED_SECONDS,
        )
    condition = issue.condition
    if condition is None or policy is None:
        return _current(group, issue, policy, now)
    original = condition.duplicate_of
    duplicate = condition.closed and original is not None and regression.resolved_as(condition, policy.duplicate)
    if duplicate and original is not None and original.remote_id not in (issue.remote_id, *issue.followed):
        reason = f"{issue.key} was closed as a duplicate of {original.key}: the group follows {original.key}"
        return Plan(action=Action.FOLLOW, reason=reason, rule="duplicate", inputs={"duplicate_of": original.key})
    labelled = bool(policy.ignore_label and policy.ignore_label in condition.labels)
    if condition.locked or labelled:
        why = f"{issue.key} has the label {policy.ignore_label}" if labelled else f"{issue.key} is locked"
        reason = f"{why}: until that ends syncd does not write to it, and goes on counting"
        return Plan(action=Action.NOTHING, reason=reason, rule="muted")
    if policy.on_triage == "follow" and group.triage == polls.MUTED:
        reason = (
            f"{polls.sentence(polls.MUTED)}: until that ends syncd does not write to {issue.key}, and goes on counting"
        )
        return Plan(action=Action.NOTHING, reason=reason, rule="muted-in-backtrace")
    if condition.closed:
        return _closed(group, issue, policy, regression.verdict(group, issue, condition, policy, context.project), now)
    decision = source_reports.closing(group, issue) if context.closes else None
    return decision or _current(group, issue, policy, now)


def _closed(group: Group, issue: Issue, policy: Policy, verdict: regression.Verdict, now: float) -> Plan:
    """The action for a closed issue: its numbers change, and a regression is answered as the route says."""
    if verdict.regression is None:
        current, remark = _current(group, issue, policy, now), verdict.remark
        if current.action is Action.UPDATE:
            note = verdict.reason if verdict.note else ""
            facts: dict[str, Any] = {
                "reason": verdict.reason,
                "rule": verdict.rule,
                "inputs": verdict.inputs,
                "note": note,
            }
            if remark is not None and f"{remark[0]} {remark[1]}" not in issue.announced:
                facts["remarks"] = (*current.remarks, remark)
            return replace(current, **facts)
        return replace(current, reason=f"{current.reason}; {verdict.reason}", rule=verdict.rule, inputs=verdict.inputs)
    window, closed_at = policy.reopen_window, verdict.regression.closed_at
    if policy.on_regression == "comment":
        action, answer = Action.COMMENT, "the issue gets a comment and stays closed, as on_regression says"
    elif policy.on_regression == "new_issue":
        action, answer = Action.RENEW, "another issue is filed, as on_regression says"
    elif window is not None and closed_at is not None and now - closed_at > window:
        late = f"closed at {utc(closed_at)}, longer ago than reopen_window ({duration(window)})"
        action, answer = Action.RENEW, f"another issue is filed, since {issue.key} was {late}"
    else:
        action, answer = Action.REOPEN, "the issue is reopened"
    return Plan(
        action=action,
        reason=f"a regression: {verdict.reason}; {answer}",
        rule=verdict.rule,
        inputs=verdict.inputs,
        regression=verdict.regression,
    )


def _current(group: Group, issue: Issue, policy: Policy | None, now: float) -> Plan:
    """The action for an issue whose condition needs none: an update if it shows an older state."""
    if issue.announcements:
        comments = [(each.occasion, each.facts) for each in issue.announcements]
        reason = f"a further comment on {issue.key} is due: {_occasions(comments)}"
        return Plan(action=Action.UPDATE, reason=reason, rule="announcement")
    remarks = () if policy is None else _remarks(group, issue, policy, now)
    is_shown = issue.synced_revision >= group.revision
    if is_shown and not any(occasion is Occasion.QUIET for occasion, _, _ in remarks):
        shows = "shows the latest state"
        if issue.comment_losses > MOST_LOSSES:
            shows = "has no status comment: people deleted it more than once, and syncd adds none any more"
        return Plan(action=Action.NOTHING, reason=f"{issue.key} {shows}{_back(issue)}", rule="current")
    due = _update_due(issue, policy, now)
    if due > now:
        interval = duration(STATUS_INTERVAL if policy is None else policy.status_interval)
        reason = f"{issue.key} is updated once in {interval} (status_interval), the next time at {utc(due)}"
        return Plan(action=Action.WAIT, reason=reason, rule="status-interval", until=due)
    reason = f"{issue.key} shows {'the latest' if is_shown else 'an older'} state"
    if remarks:
        reason += f", and gets a further comment: {_occasions([(occasion, facts) for occasion, _, facts in remarks])}"
    return Plan(action=Action.UPDATE, reason=reason, rule="quiet" if is_shown else "older-state", remarks=remarks)


def _back(issue: Issue) -> str:
    """That the crash of an open issue came back after a closing, as a clause; empty if it did not."""
    returns = [text.split(" ", 2)[1:] for text in issue.announced if text.startswith(f"{Occasion.REGRESSION} ")]
    if not returns or (issue.condition is not None and issue.condition.closed):
        return ""
    closed_at, release = max(returns, key=lambda each: int(each[0]))
    when = f" at {utc(int(closed_at))}" if int(closed_at) else ""
    return f"; its crash came back{f' in {release}' if release else ''} after it was closed{when}"


def _occasions(comments: Iterable[tuple[Occasion, Facts]]) -> str:
    """What further comments report, as a clause."""
    clauses = []
    for occasion, facts in comments:
        release, milestone, since = facts.get("release"), int(facts.get("milestone", 0)), int(facts.get("since", 0))
        where = f" in {release}" if release else ""
        clauses.append(
            {
                Occasion.REGRESSION: f"the crash came back{where}",
                Occasion.UNCLEAR: "the crash goes on, and nobody can tell whether with the fix",
                Occasion.RELEASE: f"it was seen{where} for the first time",
                Occasion.MILESTONE: f"it was seen at least {milestone:,} times",
                Occasion.QUIET: f"no notification of it came since {utc(since)}",
            }[occasion]
        )
    return listed(clauses, len(clauses))


def _remarks(group: Group, issue: Issue, policy: Policy, now: float) -> tuple[tuple[Occasion, str, Facts], ...]:
    """The announcements for an open issue that were not made before."""
    if not issue.baseline or group.kind is GroupKind.STORM or (issue.condition is not None and issue.condition.closed):
        return ()
    remarks: list[tuple[Occasion, str, Facts]] = []
    power = 10 ** (len(str(group.occurrences)) - 1)
    milestone = power if power >= FIRST_MILESTONE else 0
    if policy.comment_milestones and issue.baseline.get(regression.TOTAL, 0) < milestone:
        facts: Facts = {"milestone": milestone, "occurrences": group.occurrences}
        remarks.append((Occasion.MILESTONE, str(milestone), facts))
    if policy.comment_new_release:
        before = newest(release for release in issue.baseline if release != regression.TOTAL)
        for release in newest(entry.release for entry in group.releases if entry.release not in issue.baseline):
            # Newer than every release that the issue showed before.
            orders = {compare(release, earlier) for earlier in before}
            if Order.NEWER in orders and not orders & {Order.OLDER, Order.SAME}:
                remarks.append((Occasion.RELEASE, release, {"release": release}))
                break
    latest = group.trail[-1].at if group.trail else None
    if policy.quiet_after is not None and latest is not None and now - latest >= policy.quiet_after:
        remarks.append((Occasion.QUIET, str(int(latest)), {"since": int(latest)}))
    return tuple(remark for remark in remarks if f"{remark[0]} {remark[1]}" not in issue.announced)


def _update_due(issue: Issue, policy: Policy | None, now: float) -> float:
    """The time from which the status comment may be edited again."""
    interval = STATUS_INTERVAL if policy is None else policy.status_interval
    due = (issue.synced_at or 0.0) + interval
    # If this is later than one interval from now, the clock was set back after the last sync: the update is due.
    return due if due <= now + interval else now


def backoff(attempts: int) -> float:
    """Seconds between try number `attempts` and the next: 2, 4, 8, … up to an hour."""
    return min(2.0 ** min(attempts, 30), MAX_BACKOFF_SECONDS)


def pause(attempts: int) -> float:
    """Seconds that a misconfigured tracker rests before the next trial: one minute, two, four, … up to a quarter of an hour."""
    return min(60.0 * 2.0 ** min(attempts, 30), MAX_PAUSE_SECONDS)


def read_pause(attempts: int) -> float:
    """Seconds until an unreachable tracker is read again: 1, 2, 4, … up to a minute."""
    return min(backoff(attempts), MAX_READ_PAUSE_SECONDS)
