"""What a group's issue needs now, and why. Pure: the daemon, the console and the commands all ask these functions."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from syncd.model import Action, Call, Evidence, Group, Issue, IssueState, Judgement, Outcome, Plan

MAX_BACKOFF_SECONDS = 3600.0
MAX_PAUSE_SECONDS = 900.0
STATUS_INTERVAL = 900.0  # where no route says otherwise
UNROUTED = "no route matches this group"
NEVER_LINKED = (IssueState.INTENDED, IssueState.IN_DOUBT)


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
    @property
    def on_deleted(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """Which tracker a group owes which call, and from when on. `tracker` None: none, for `reason`; without one,
    what was decided before stands."""

    tracker: str | None
    due_at: float = 0.0
    call: Call = Call.CREATE
    reason: str = ""


# What a changed group owes at a time, by whatever rules there are.
Owes = Callable[[Group, Issue | None, float], Owed]


def marker(instance_key: str, tracker: str, group: Group, generation: int = 0) -> str:
    """The text by which we know our issue again: 32 hex digits nobody can forge without the instance's key (hex).

    `generation` counts the issues of the group that were given up before, so that none is taken for a later one.
    """
    identity = group.identity
    parts = [tracker, identity.universe, identity.project, identity.fingerprint_key]
    said = "\0".join([*parts, str(generation)] if generation else parts)
    return hmac.digest(bytes.fromhex(instance_key), said.encode(), "sha256").hex()[:32]


def content(group: Group) -> str:
    """Tells one group's content from another as far as a tracker may refuse it: its texts, not its numbers."""
    texts = [
        group.application,
        group.callstack,
        group.classifiers,
        group.group_url,
        [entry.release for entry in group.releases],
    ]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:32]


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
        if group.refused is not None and group.refused == content(group):
            return Owed(tracker=None)
        return Owed(tracker=policy.tracker, due_at=now)
    if issue.state is IssueState.LINKED:
        return Owed(tracker=issue.tracker, due_at=max(now, _update_due(issue, policy, now)), call=Call.UPDATE)
    if issue.state in NEVER_LINKED:
        return Owed(tracker=issue.tracker, due_at=max(now, issue.probe_at or 0.0), call=Call.PROBE)
    return Owed(tracker=None)


def plan(group: Group, issue: Issue | None, policy: Policy | None, probe_after: Sequence[float], now: float) -> Plan:
    """The one thing to do for this group. `policy` is the route that takes it, or None; `probe_after` says how many
    seconds after a create in doubt its tracker is asked about it."""
    if issue is None or issue.state is IssueState.WANTED:
        if policy is None:
            return Plan(action=Action.HOLD, reason=UNROUTED)
        return Plan(action=Action.CREATE, reason="the group has no issue yet", call=Call.CREATE)
    if issue.state is IssueState.INTENDED:
        return Plan(action=Action.HOLD, reason="a create is under way", call=Call.PROBE)
    if issue.state is IssueState.IN_DOUBT:
        return _doubtful(issue, probe_after, now)
    if issue.state is IssueState.PARKED:
        return Plan(action=Action.PARK, reason=issue.note or "a person must decide")
    if issue.state is IssueState.DROPPED:
        return Plan(action=Action.DROP, reason=issue.note or "left alone")
    if issue.synced_revision >= group.revision:
        return Plan(action=Action.NOTHING, reason=f"{issue.key} shows the latest state")
    due = _update_due(issue, policy, now)
    if due > now:
        return Plan(action=Action.WAIT, reason=f"{issue.key} was updated less than a status_interval ago", until=due)
    return Plan(action=Action.UPDATE, reason=f"{issue.key} shows an older state")


def _doubtful(issue: Issue, probe_after: Sequence[float], now: float) -> Plan:
    doubt = f"in doubt: {issue.note or 'a create was sent and its answer was lost'}"
    due = issue.probe_at
    if due is None:
        due = (issue.sent_at or 0.0) + probe_after[0]
    # Further away than the longest wait, it was written by a clock that was set back since. To probe early does no harm:
    # what counts is the time that passes between the probes by the tracker's clock.
    if now < due <= now + probe_after[-1]:
        return Plan(action=Action.WAIT, reason=doubt, until=due, call=Call.PROBE)
    return Plan(action=Action.PROBE, reason=doubt, call=Call.PROBE)


def _update_due(issue: Issue, policy: Policy | None, now: float) -> float:
    """When the status comment may be edited again."""
    interval = STATUS_INTERVAL if policy is None else policy.status_interval
    due = (issue.synced_at or 0.0) + interval
    # Further away than one interval, the last sync lies in the future: the clock was set back, nothing is to be waited for.
    return due if due <= now + interval else now


def judge(issue: Issue, evidence: Evidence, probe_after: Sequence[float], now: float) -> Judgement:
    """What the newest evidence, and the clean negative probes before it, say about a create in doubt."""
    if evidence.found:
        return Judgement(outcome=Outcome.FOUND, reason=f"found as {evidence.found[0].key}: {evidence.words}")
    if evidence.covered and _outlived(issue, evidence, probe_after):
        return Judgement(
            outcome=Outcome.ABSENT,
            reason=f"proven not created: an issue that was made later is there, and no earlier one is ours: {evidence.words}",
        )
    clean = issue.probes + 1
    if clean < len(probe_after):
        wait = probe_after[clean] - probe_after[clean - 1]
        return Judgement(
            outcome=Outcome.OPEN, reason=f"in doubt: not found by probe {clean}: {evidence.words}", until=now + wait
        )
    # The tracker's clock decides whether the probes lie far enough apart: ours may have jumped between them.
    lacking = probe_after[-1] - probe_after[0] - _span(issue, evidence)
    if lacking > 1.0:  # its Date has whole seconds
        # Where its clock was set back, as much may be lacking as by how much it was.
        until = now + min(lacking, probe_after[-1])
        return Judgement(
            outcome=Outcome.OPEN, reason=f"in doubt: not found by probe {clean}: {evidence.words}", until=until
        )
    if evidence.covered:
        return Judgement(
            outcome=Outcome.ABSENT, reason=f"proven not created by {clean} probes, the last of them: {evidence.words}"
        )
    return Judgement(
        outcome=Outcome.UNPROVEN,
        reason=f"{clean} probes found no issue, but not every number could be read: {evidence.words}",
    )


def _outlived(issue: Issue, evidence: Evidence, probe_after: Sequence[float]) -> bool:
    """Whether the tracker numbered another issue so late that ours would have had a lower number. Not counted from when it
    was sent, which only our clock knows, but from the first negative probe."""
    if issue.probed_since is None or evidence.newest_at is None or evidence.newest <= issue.floor:
        return False
    if evidence.at is None or evidence.newest_at > evidence.at:
        return False  # made by a clock that was wrong then or is wrong now
    return evidence.newest_at > issue.probed_since + probe_after[0]


def _span(issue: Issue, evidence: Evidence) -> float:
    """Seconds since the first negative probe, by the tracker's clock. A tracker without one is its own witness."""
    if evidence.at is None:
        return float("inf")
    return evidence.at - (evidence.at if issue.probed_since is None else issue.probed_since)


def backoff(attempts: int) -> float:
    """Seconds until try number `attempts + 1`: 2, 4, 8, … up to an hour."""
    return min(2.0 ** min(attempts, 30), MAX_BACKOFF_SECONDS)


def pause(attempts: int) -> float:
    """Seconds a misconfigured tracker rests before it is asked again: one minute, two, four, … up to a quarter of an hour."""
    return min(60.0 * 2.0 ** min(attempts, 30), MAX_PAUSE_SECONDS)
