"""What a group's issue needs now, and why. Pure: the daemon, the console and the commands all ask these functions."""

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from syncd.model import Action, Group, Issue, IssueState, Plan

MAX_BACKOFF_SECONDS = 3600.0
STATUS_INTERVAL = 900.0  # where no route says otherwise
UNROUTED = "no route matches this group"


class Patterns(Protocol):
    """What a route matches on; an empty list matches everything."""

    @property
    def universe(self) -> Sequence[str]: ...
    @property
    def project(self) -> Sequence[str]: ...
    @property
    def application(self) -> Sequence[str]: ...


class Policy(Protocol):
    """What a route asks for."""

    @property
    def match(self) -> Patterns: ...
    @property
    def tracker(self) -> str: ...
    @property
    def status_interval(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """Which tracker a group owes a call, and from when on. `tracker` None: none, for `reason`."""

    tracker: str | None
    due_at: float = 0.0
    reason: str = ""


# What a changed group owes at a time, by whatever rules there are.
Owes = Callable[[Group, Issue | None, float], Owed]


def marker(instance_key: str, tracker: str, group: Group) -> str:
    """The text by which we know our issue again: 32 hex digits nobody can forge without the instance's key (hex)."""
    identity = group.identity
    said = "\0".join((tracker, identity.universe, identity.project, identity.fingerprint_key))
    return hmac.digest(bytes.fromhex(instance_key), said.encode(), "sha256").hex()[:32]


def route(group: Group, routes: Iterable[Policy]) -> Policy | None:
    """The first route that takes the group."""
    return next((policy for policy in routes if _matches(policy.match, group)), None)


def _matches(patterns: Patterns, group: Group) -> bool:
    return (
        _fits(group.identity.universe, patterns.universe)
        and _fits(group.identity.project, patterns.project)
        and _fits(group.application or "", patterns.application)
    )


def _fits(value: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(value, pattern) for pattern in patterns)


def owed(group: Group, issue: Issue | None, routes: Iterable[Policy], now: float) -> Owed:
    """What a changed group owes. An issue stays in its tracker, whatever the routes say now."""
    policy = route(group, routes)
    if issue is None or issue.state is IssueState.WANTED:
        if policy is None:
            return Owed(tracker=None, reason=UNROUTED)
        return Owed(tracker=policy.tracker, due_at=now)
    if issue.state is IssueState.LINKED:
        return Owed(tracker=issue.tracker, due_at=max(now, _update_due(issue, policy, now)))
    return Owed(tracker=issue.tracker, due_at=now)


def plan(group: Group, issue: Issue | None, policy: Policy | None, now: float) -> Plan:
    """The one thing to do for this group. `policy` is the route that takes it, or None."""
    if issue is None or issue.state is IssueState.WANTED:
        if policy is None:
            return Plan(action=Action.HOLD, reason=UNROUTED)
        return Plan(action=Action.CREATE, reason="the group has no issue yet")
    if issue.state in (IssueState.INTENDED, IssueState.IN_DOUBT):
        return Plan(
            action=Action.HOLD,
            reason=f"in doubt: {issue.note or 'a create was sent and its answer was lost'}",
        )
    if issue.state is IssueState.PARKED:
        return Plan(action=Action.HOLD, reason=f"parked: {issue.note or 'a person must decide'}")
    if issue.synced_revision >= group.revision:
        return Plan(action=Action.NOTHING, reason=f"{issue.key} shows the latest state")
    due = _update_due(issue, policy, now)
    if due > now:
        return Plan(action=Action.WAIT, reason=f"{issue.key} was updated less than a status_interval ago", until=due)
    return Plan(action=Action.UPDATE, reason=f"{issue.key} shows an older state")


def _update_due(issue: Issue, policy: Policy | None, now: float) -> float:
    """When the status comment may be edited again."""
    interval = STATUS_INTERVAL if policy is None else policy.status_interval
    due = (issue.synced_at or 0.0) + interval
    # Further away than one interval, the last sync lies in the future: the clock was set back, nothing is to be waited for.
    return due if due <= now + interval else now


def backoff(attempts: int) -> float:
    """Seconds until try number `attempts + 1`: 2, 4, 8, … up to an hour."""
    return min(2.0 ** min(attempts, 30), MAX_BACKOFF_SECONDS)
