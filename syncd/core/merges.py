"""Groups that Backtrace merged: recognised by fingerprint, frames and counts, and what becomes of the issues of those that they were merged of.
Pure."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from syncd.core import frames, holds, regression
from syncd.core.aliases import with_aliases
from syncd.core.policy import Policy
from syncd.core.quantities import listed, utc
from syncd.model import Action, Call, Group, Issue, IssueState, Plan, ProjectRelease

HELD_SECONDS = 86400.0  # in which people can say what to do with a merged group
MOST = 50  # groups that one is merged of
UNSETTLED_SECONDS = 60.0  # until a create without an answer is looked at again
MERGED, INHERITED = "merged", "merged-closed"  # the rules of a merged group that is held, by on_merge or by a closing


class Alike(NamedTuple):
    """Another group with the application and the top frames of a merged one, and its live issue."""

    group_id: int
    group: Group
    issue: Issue | None

    @property
    def linked(self) -> Issue | None:
        """Its issue, if it exists."""
        return self.issue if self.issue is not None and self.issue.state is IssueState.LINKED else None

    @property
    def name(self) -> str:
        """The beginning of the fingerprint, with the issue, for people."""
        start = self.group.identity.fingerprint[:12]
        return start if self.linked is None else f"{start} ({self.linked.key}, {_state(self.linked)})"


def _state(issue: Issue) -> str:
    return "closed" if issue.condition is not None and issue.condition.closed else "open"


def _begins(group: Group) -> float:
    return group.trail[0].at if group.trail else float(group.first_seen or 0)


def parts(group: Group, alike: Iterable[Alike]) -> tuple[Alike, ...]:
    """The groups that a group was merged of, those notified first in front; none where its count is less than theirs together, or
    none of them has an issue. Groups that were merged of end: one that was notified since the merged group first was is none of them."""
    if not frames.merged(group.identity.fingerprint):
        return ()
    begins = _begins(group)
    ended = [entry for entry in alike if entry.group.trail and entry.group.trail[-1].at <= begins]
    ended.sort(key=lambda entry: (_begins(entry.group), entry.group_id))
    total = 0
    for entry in ended:
        occurrences = entry.group.occurrences
        # A merged group contains those before it.
        contains = frames.merged(entry.group.identity.fingerprint) and occurrences >= total
        total = occurrences if contains else total + occurrences
    is_merged = group.occurrences >= total and any(entry.linked is not None for entry in ended)
    return tuple(ended) if is_merged else ()


def successor(given: Sequence[Issue]) -> Issue:
    """The issue that stands for a group from now on, of those that its aliases gave up, the oldest in front: the first open one, else the
    one that was closed last."""

    def closed_at(issue: Issue) -> float:
        return (issue.condition.closed_at or 0.0) if issue.condition is not None else 0.0

    return next((issue for issue in given if _state(issue) == "open"), None) or max(given, key=closed_at)


def baseline(issue: Issue, rest: Iterable[Group]) -> dict[str, int]:
    """The occurrences that a closed issue of one part leaves known to the merged group: its own at its closing, and all of the `rest`."""
    ledger = dict(issue.baseline)
    for part in rest:
        for release, count in regression.ledger(part).items():
            ledger[release] = ledger.get(release, 0) + count
    return ledger


def inherited(group: Group, aliases: Sequence[Group], whole: Group) -> Group:
    """The `whole` of a group and its aliases, where the group was merged of them: what it counts no more of than they did is as old as they
    say."""
    if not frames.merged(group.identity.fingerprint):
        return whole
    own = {row.release: row.occurrences for row in group.releases}
    rows = []
    for row in whole.releases:
        past = [
            (frames.merged(alias.identity.fingerprint), entry)
            for alias in aliases
            for entry in alias.releases
            if entry.release == row.release
        ]
        largest = max((entry.occurrences for is_merged, entry in past if is_merged), default=0)
        total = sum(entry.occurrences for is_merged, entry in past if not is_merged)
        grown = [entry.grown_at for _, entry in past if entry.grown_at is not None]
        is_past = grown and own.get(row.release, 0) <= max(largest, total)
        rows.append(replace(row, grown_at=max(grown)) if is_past else row)
    return replace(whole, releases=tuple(rows))


def decision(
    group: Group, policy: Policy, alike: Sequence[Alike], project: Sequence[ProjectRelease], now: float
) -> Plan | None:
    """The decision for a group without an issue that was merged of groups with one; None if it is filed as any other."""
    merged = () if policy.on_merge == "file" else parts(group, alike)
    if not merged:
        return None
    names = f"Backtrace merged it of {listed([entry.name for entry in merged])}"
    inputs: dict[str, str | int | float] = {"route": policy.name, "groups": len(merged)}
    given = [entry.linked for entry in merged if entry.linked is not None]
    issue = successor(given)
    if policy.on_merge == "adopt":
        unsettled = (IssueState.INTENDED, IssueState.IN_DOUBT)
        doubtful = [entry for entry in merged if entry.issue is not None and entry.issue.state in unsettled]
        if doubtful:
            reason = f"{names}; a create for {doubtful[0].name} has no answer yet"
            return holds.hold(MERGED, reason, now + UNSETTLED_SECONDS, **inputs)
        reason = f"{names}: it takes over {issue.key}, and they become its aliases"
        return Plan(action=Action.ADOPT, reason=reason, rule=MERGED, inputs=inputs, call=Call.UPDATE)
    condition = issue.condition
    if condition is not None and condition.closed:
        rest = [entry.group for entry in merged if entry.issue is not issue]
        closed = dataclasses.replace(issue, baseline=baseline(issue, rest))
        groups = [entry.group for entry in merged]
        whole = inherited(group, groups, with_aliases(group, groups))
        verdict = regression.verdict(whole, closed, condition, policy, project)
        if verdict.regression is not None:
            return None
        return holds.hold(INHERITED, f"{names}; {verdict.reason}", None, **inputs)
    until = min(_begins(group), now) + HELD_SECONDS
    if until <= now:
        return None
    start = next(entry for entry in merged if entry.issue is issue).group.identity.fingerprint[:12]
    reason = (
        f"{names}: it is filed at {utc(until)}, unless `syncd alias add {start} {group.identity.fingerprint}` gives it {issue.key} before, "
        "or `syncd file` another one"
    )
    return holds.hold(MERGED, reason, until, **inputs)
