"""Whether a crash came back after its issue was closed, and by which rule. Pure.

It came back when a release that was not known when the issue was closed, and that is not older than the release with the fix,
has new occurrences. Old clients go on crashing; a bogus release is named by few; an issue is often closed before the fix is out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from syncd.core.fold import OTHERS
from syncd.core.policy import Policy
from syncd.core.quantities import counted, listed
from syncd.core.releases import Order, compare, newest, same_line
from syncd.model import Condition, Facts, Group, Issue, Regression, Release

TOTAL = ""  # in a baseline, the name of all releases together


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What new occurrences since the closing mean. `note`: it belongs into the status comment."""

    rule: str
    reason: str
    inputs: Facts = field(default_factory=dict)
    regression: Regression | None = None
    note: bool = False


def ledger(group: Group) -> dict[str, int]:
    """What a baseline is made of: the occurrences of each release, and of all together."""
    return {TOTAL: group.occurrences} | {release.release: release.occurrences for release in group.releases}


def learned(group: Group, issue: Issue, condition: Condition) -> Mapping[str, int]:
    """The baseline of an issue that is seen in this condition: it is fixed at the closing, and follows what is shown otherwise."""
    before = issue.condition
    if not condition.closed:
        # One that was reopened by a person starts anew: what came while it was closed is nothing new to whoever reopened it.
        return ledger(group) if before is not None and before.closed else issue.baseline or ledger(group)
    if before is not None and before.closed and before.closed_at == condition.closed_at:
        return issue.baseline
    return baseline(group, issue, condition)


def baseline(group: Group, issue: Issue, condition: Condition) -> dict[str, int]:
    """The ledger as it was when the issue was closed, as far as can be told: of a release that has grown since, what the issue showed
    last while it was open."""
    closed_at = condition.closed_at
    if closed_at is None:
        # Nobody says when. What was folded before it was seen closed is taken for known, but for what came since it was last shown.
        return dict(issue.baseline) or ledger(group)
    known = {
        release.release: issue.baseline.get(release.release, 0) if _later(release, closed_at) else release.occurrences
        for release in group.releases
        if (release.noticed_at or 0.0) <= closed_at
    }
    grown = any(point.at > closed_at and point.occurrences > issue.baseline.get(TOTAL, 0) for point in group.trail)
    return {TOTAL: issue.baseline.get(TOTAL, group.occurrences) if grown else group.occurrences} | known


def _later(release: Release, closed_at: float) -> bool:
    return (release.grown_at or 0.0) > closed_at


def verdict(group: Group, issue: Issue, condition: Condition, policy: Policy) -> Verdict:
    """Whether the crash of a closed issue came back."""
    key = issue.key or "the issue"
    if policy.ignore_label and policy.ignore_label in condition.labels:
        return Verdict(rule="ignore-label", reason=f"{key} stays closed: it has the label {policy.ignore_label}")
    if condition.locked:
        return Verdict(rule="locked", reason=f"{key} stays closed: its conversation is locked")
    if resolved_as(condition, policy.duplicate):
        return Verdict(rule="duplicate", reason=f"{key} stays closed: it was closed as {_said(condition)}")
    if resolved_as(condition, policy.wont_fix):
        return Verdict(rule="wont-fix", reason=f"{key} stays closed: it was closed as {_said(condition)}")
    fresh = _fresh(group, issue, condition)
    if not fresh:
        return _without_release(group, issue, condition, policy, key)
    return _judged(fresh, group, issue, condition, policy, key)


def resolved_as(condition: Condition, patterns: Iterable[str]) -> bool:
    """Whether the tracker's word for why it was closed is one of these, in any case."""
    said = condition.resolution.casefold().replace("\u2019", "'")
    return condition.closed and any(fnmatchcase(said, pattern.casefold()) for pattern in patterns)


def _said(condition: Condition) -> str:
    return condition.resolution.replace("_", " ").lower()


def subject(found: Regression) -> str:
    """What tells a regression from others of the same issue."""
    return f"{int(found.closed_at or 0)} {found.release}"


def facts(found: Regression, answer: str) -> dict[str, str | int | float]:
    """What a comment on a regression tells."""
    return {"release": found.release, "occurrences": found.occurrences, "fixed_in": found.fixed_in, "answer": answer}


def _fresh(group: Group, issue: Issue, condition: Condition) -> dict[str, int]:
    """New occurrences since the closing, by release."""
    grown = {
        release.release: release.occurrences - issue.baseline.get(release.release, 0)
        for release in group.releases
        if release.release != OTHERS and _seen_since(release, condition.closed_at)
    }
    return {release: count for release, count in grown.items() if count > 0}


def _seen_since(release: Release, closed_at: float | None) -> bool:
    """Whether it was counted since the closing, and not for a crash of before."""
    if closed_at is None:
        return True
    return _later(release, closed_at) and (release.last_seen is None or release.last_seen > closed_at)


def _without_release(group: Group, issue: Issue, condition: Condition, policy: Policy, key: str) -> Verdict:
    new = group.occurrences - issue.baseline.get(TOTAL, group.occurrences)
    seen = condition.closed_at is None or group.last_seen is None or group.last_seen > condition.closed_at
    if new < 1 or group.releases or not seen:
        return Verdict(rule="nothing-new", reason=f"{key} is closed, and nothing new was seen since")
    return _unknown(policy, "", new, f"{counted(new, 'new occurrence')} came without a release", condition, key)


def _unknown(policy: Policy, release: str, new: int, what: str, condition: Condition, key: str) -> Verdict:
    """New occurrences of which nobody can say whether they are in a release with the fix."""
    inputs: dict[str, str | int | float] = {"release": release, "new": new}
    if policy.unknown_release == "note":
        reason = f"not reopened: {key} is closed; {what}, so nobody can tell whether it has the fix"
        return Verdict(rule="incomparable" if release else "unknown-release", reason=reason, inputs=inputs, note=True)
    if new < policy.min_regression_occurrences:
        return _too_few(new, policy, key, inputs)
    came_back = Regression(release=release, occurrences=new, fixed_in="", closed_at=condition.closed_at)
    reason = f"{key} was closed; {what}, and unknown_release takes that for a regression"
    return Verdict(rule="unknown-release", reason=reason, inputs=inputs, regression=came_back)


def _judged(
    fresh: Mapping[str, int], group: Group, issue: Issue, condition: Condition, policy: Policy, key: str
) -> Verdict:
    """What new occurrences in these releases mean."""
    known = _known(group, issue, condition)
    fixes = condition.fixed_in or newest(known)
    orders = {release: _against(release, fixes, given=bool(condition.fixed_in)) for release in fresh}
    fixed_in, where = listed(fixes), listed(newest(fresh))
    inputs: dict[str, str | int | float] = {"new": sum(fresh.values()), "releases": where, "fixed_in": fixed_in}
    strange = {release: count for release, count in fresh.items() if release not in known}
    if not strange and condition.fixed_in and set(orders.values()) == {Order.OLDER}:
        return _older(fresh, condition, key, inputs, fixed_in)
    if not strange:
        new = counted(sum(fresh.values()), "new occurrence")
        reason = f"not reopened: the {new} since {key} was closed are all in {where}, known by then"
        return Verdict(rule="known-at-closing", reason=reason, inputs=inputs, note=True)
    strange = {release: count for release, count in strange.items() if release not in issue.answered}
    if not strange:
        return Verdict(rule="answered", reason=f"{key} already says that it came back in {where}", inputs=inputs)
    late = {one for one in strange if policy.hotfix_regressions and _later_hotfix(one, known, orders[one])}
    came_back = {
        release: count for release, count in strange.items() if orders[release] is Order.NEWER or release in late
    }
    if came_back:
        return _came_back(came_back, late, condition, policy, key, inputs, fixed_in)
    unclear = {release: count for release, count in strange.items() if orders[release] is Order.INCOMPARABLE}
    if unclear:
        names = listed(newest(unclear))
        against = f"cannot be compared with {fixed_in}" if fixes else "has nothing to be compared with"
        what = f"{counted(sum(unclear.values()), 'new occurrence')} in {names}, which {against}"
        return _unknown(policy, newest(unclear)[0], sum(unclear.values()), what, condition, key)
    return _older(strange, condition, key, inputs, fixed_in)


def _known(group: Group, issue: Issue, condition: Condition) -> set[str]:
    """The releases that were known when the issue was closed."""
    if condition.closed_at is None:
        return set(issue.baseline) - {TOTAL, OTHERS}
    return {
        release.release
        for release in group.releases
        if release.release != OTHERS and (release.noticed_at or 0.0) <= condition.closed_at
    }


def _against(release: str, fixes: Sequence[str], *, given: bool) -> Order:
    """How a release stands to those with the fix: to that of its own line if there is one, else to the newest. Where nobody named
    any, they are the newest ones known, which crash themselves: only what is newer than these has a chance to be fixed."""
    own = [fix for fix in fixes if given and same_line(fix, release)]
    orders = [order for fix in newest(own or fixes) if (order := compare(release, fix)) is not Order.INCOMPARABLE]
    if not orders:
        return Order.INCOMPARABLE
    enough = (Order.NEWER, Order.SAME) if given else (Order.NEWER,)
    return Order.NEWER if all(order in enough for order in orders) else Order.OLDER


def _later_hotfix(release: str, known: Iterable[str], order: Order) -> bool:
    """Whether it is a later patch of an older line than that of the fix."""
    earlier = [one for one in known if same_line(one, release)]
    return order is Order.OLDER and bool(earlier) and all(compare(release, one) is Order.NEWER for one in earlier)


def _came_back(
    found: Mapping[str, int],
    late: set[str],
    condition: Condition,
    policy: Policy,
    key: str,
    inputs: dict[str, str | int | float],
    fixed_in: str,
) -> Verdict:
    new, release = sum(found.values()), newest(found)[0]
    inputs |= {"release": release, "new": new}
    if new < policy.min_regression_occurrences:
        return _too_few(new, policy, key, inputs)
    came_back = Regression(
        release=release,
        occurrences=new,
        fixed_in=listed(condition.fixed_in),
        closed_at=condition.closed_at,
    )
    if release in late:
        return Verdict(
            rule="hotfix-line",
            reason=f"{key} was closed; the {counted(new, 'new occurrence')} are in {release}, a later patch of an older line",
            inputs=inputs,
            regression=came_back,
        )
    if condition.fixed_in:
        rule, closed = "fixed-in", f"was fixed in {fixed_in}"
        against = "which is not older"
    else:
        rule, closed = "known-releases", f"was closed when {fixed_in} was the newest release known"
        against = "which is newer"
    where = listed(newest(found))
    reason = f"{key} {closed}; the {counted(new, 'new occurrence')} are in {where}, {against}"
    return Verdict(rule=rule, reason=reason, inputs=inputs, regression=came_back)


def _too_few(new: int, policy: Policy, key: str, inputs: Facts) -> Verdict:
    least = policy.min_regression_occurrences
    reason = f"not reopened: {key} came back {counted(new, 'time')}, and route {policy.name} asks for {least:,}"
    return Verdict(rule="min-regression-occurrences", reason=reason, inputs={**inputs, "least": least}, note=True)


def _older(found: Mapping[str, int], condition: Condition, key: str, inputs: Facts, fixed_in: str) -> Verdict:
    new, where = counted(sum(found.values()), "new occurrence"), listed(newest(found))
    if condition.fixed_in:
        rule, closed = "fixed-in", f"was fixed in {fixed_in}"
    else:
        rule, closed = "known-releases", f"was closed when {fixed_in} was the newest release known"
    reason = f"not reopened: {key} {closed}; the {new} are all in {where}, which is older"
    return Verdict(rule=rule, reason=reason, inputs=inputs, note=True)
