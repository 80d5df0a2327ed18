"""The decision whether a crash came back after its issue was closed. Pure.

A crash came back if a release has new occurrences that was not known when the issue was closed and is not older than the release
with the fix. Three facts shape the rules: old clients go on crashing, a few senders name bogus releases, and an issue is often
closed before its fix is released.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.fold import OTHER_RELEASES
from syncd.core.patterns import fits
from syncd.core.policy import Policy
from syncd.core.quantities import counted, listed
from syncd.core.releases import Order, compare, newest, same_line
from syncd.model import Condition, Facts, Group, Issue, Regression

TOTAL = ""  # the key of all releases together in a baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The meaning of new occurrences since the closing. If `note` is set, `reason` belongs into the status comment."""

    rule: str
    reason: str
    inputs: Facts = field(default_factory=dict)
    regression: Regression | None = None
    note: bool = False


def ledger(group: Group) -> dict[str, int]:
    """The occurrences of each release and of all together, as a baseline stores them."""
    return {TOTAL: group.occurrences} | {release.release: release.occurrences for release in group.releases}


def next_baseline(group: Group, issue: Issue, condition: Condition) -> Mapping[str, int]:
    """The baseline after a look at the issue: fixed at its closing, otherwise the numbers that the issue shows."""
    before = issue.condition
    if not condition.closed:
        # Whoever reopens an issue has seen all its occurrences: the baseline starts anew.
        return ledger(group) if before is not None and before.closed else issue.baseline or ledger(group)
    if before is not None and before.closed and before.closed_at == condition.closed_at:
        return issue.baseline
    return baseline_at_closing(group, issue, condition)


def baseline_at_closing(group: Group, issue: Issue, condition: Condition) -> dict[str, int]:
    """The ledger at the time of the closing.

    A release that has grown since then counts with the occurrences that the issue showed last while it was open.
    """
    closed_at = condition.closed_at
    if closed_at is None:
        # Without a time of closing, all occurrences count as known that the issue showed last, or that came in before it was last read open.
        open_at = issue.looked_at or 0.0
        before = {
            release.release: release.occurrences
            for release in group.releases
            if release.grown_at is not None and release.grown_at <= open_at
        }
        return (dict(issue.baseline) or ledger(group)) | before
    releases = {
        release.release: issue.baseline.get(release.release, 0)
        if (release.grown_at or 0.0) > closed_at
        else release.occurrences
        for release in group.releases
        if (release.noticed_at or 0.0) <= closed_at
    }
    grown = any(point.at > closed_at and point.occurrences > issue.baseline.get(TOTAL, 0) for point in group.trail)
    return {TOTAL: issue.baseline.get(TOTAL, group.occurrences) if grown else group.occurrences} | releases


def resolved_as(condition: Condition, patterns: Iterable[str]) -> bool:
    """True if the issue is closed and its resolution fits one of the patterns, in any case."""
    resolution = condition.resolution.casefold().replace("\u2019", "'")
    return condition.closed and fits(resolution, (pattern.casefold() for pattern in patterns))


def subject(regression: Regression) -> str:
    """The subject of the announcement; it distinguishes the regressions of one issue."""
    return f"{int(regression.closed_at or 0)} {regression.release}"


def facts(regression: Regression, answer: str) -> dict[str, str | int | float]:
    """The facts of the announcement. `answer` is the action that the plan takes."""
    return {
        "release": regression.release,
        "occurrences": regression.occurrences,
        "fixed_in": regression.fixed_in,
        "answer": answer,
    }


def verdict(group: Group, issue: Issue, condition: Condition, policy: Policy) -> Verdict:
    """Decide whether the crash of a closed issue came back."""
    key = issue.key or "the issue"
    if policy.ignore_label and policy.ignore_label in condition.labels:
        return Verdict(rule="ignore-label", reason=f"{key} stays closed: it has the label {policy.ignore_label}")
    if condition.locked:
        return Verdict(rule="locked", reason=f"{key} stays closed: its conversation is locked")
    for rule, patterns in (("duplicate", policy.duplicate), ("wont-fix", policy.wont_fix)):
        if resolved_as(condition, patterns):
            resolution = condition.resolution.replace("_", " ").lower()
            return Verdict(rule=rule, reason=f"{key} stays closed: it was closed as {resolution}")
    closed_at = condition.closed_at
    # A release counts if occurrences were added after the closing, and not for crashes that happened before it.
    grown = {
        release.release: release.occurrences - issue.baseline.get(release.release, 0)
        for release in group.releases
        if release.release != OTHER_RELEASES
        and (
            closed_at is None
            or ((release.grown_at or 0.0) > closed_at and (release.last_seen is None or release.last_seen > closed_at))
        )
    }
    if new := {release: count for release, count in grown.items() if count > 0}:
        return _by_release(new, group, issue, condition, policy, key)
    count = group.occurrences - issue.baseline.get(TOTAL, group.occurrences)
    crashed = condition.closed_at is None or group.last_seen is None or group.last_seen > condition.closed_at
    if count < 1 or group.releases or not crashed:
        return Verdict(rule="nothing-new", reason=f"{key} is closed and has no new occurrence since then")
    return _uncertain(policy, "", count, f"{counted(count, 'new occurrence')} without a release", condition, key)


def _by_release(
    new: Mapping[str, int], group: Group, issue: Issue, condition: Condition, policy: Policy, key: str
) -> Verdict:
    """Decide by the releases that have new occurrences. `new` are these occurrences by release."""
    known_before = set(issue.baseline) - {TOTAL, OTHER_RELEASES}
    if condition.closed_at is not None:
        known_before = {
            release.release
            for release in group.releases
            if release.release != OTHER_RELEASES and (release.noticed_at or 0.0) <= condition.closed_at
        }
    fixes = condition.fixed_in or newest(known_before)
    orders = {release: _against(release, fixes, fixed=bool(condition.fixed_in)) for release in new}
    fixed_in, where, count = listed(fixes), listed(newest(new)), counted(sum(new.values()), "new occurrence")
    inputs: dict[str, str | int | float] = {"new": sum(new.values()), "releases": where, "fixed_in": fixed_in}
    later = {release: count for release, count in new.items() if release not in known_before}
    if not later and condition.fixed_in and set(orders.values()) == {Order.OLDER}:
        return _older(new, condition, key, inputs, fixed_in)
    if not later:
        reason = f"not reopened: {count} since {key} was closed, all in releases known at the closing ({where})"
        return Verdict(rule="known-at-closing", reason=reason, inputs=inputs, note=True)
    later = {release: count for release, count in later.items() if release not in issue.answered}
    if not later:
        return Verdict(
            rule="answered", reason=f"{key} already reports that the crash came back in {where}", inputs=inputs
        )
    hotfixes = set()
    for release in later if policy.hotfix_regressions else ():
        # A later patch of a line older than the fix.
        line = [earlier for earlier in known_before if same_line(earlier, release)]
        if orders[release] is Order.OLDER and line and all(compare(release, patch) is Order.NEWER for patch in line):
            hotfixes.add(release)
    back = {release: count for release, count in later.items() if orders[release] is Order.NEWER or release in hotfixes}
    if back:
        return _came_back(back, hotfixes, condition, policy, key, inputs, fixed_in)
    unclear = {release: count for release, count in later.items() if orders[release] is Order.INCOMPARABLE}
    if unclear:
        total, names = sum(unclear.values()), newest(unclear)
        against = f"cannot be compared with {fixed_in}" if fixes else "cannot be compared with any release"
        finding = f"{counted(total, 'new occurrence')} in {listed(names)}, which {against}"
        return _uncertain(policy, names[0], total, finding, condition, key)
    return _older(later, condition, key, inputs, fixed_in)


def _against(release: str, fixes: Sequence[str], *, fixed: bool) -> Order:
    """The order of a release and the releases with the fix: the fix of its own line if there is one, else the newest.

    If `fixed` is false, no issue names a fix, and `fixes` are the newest releases known at the closing. Those crash themselves,
    so only a newer release can have the fix.
    """
    own_line = [fix for fix in fixes if fixed and same_line(fix, release, named=False)]
    orders = [compare(release, fix, named=not fixed) for fix in newest(own_line or fixes)]
    orders = [order for order in orders if order is not Order.INCOMPARABLE]
    if not orders:
        return Order.INCOMPARABLE
    enough = (Order.NEWER, Order.SAME) if fixed else (Order.NEWER,)
    return Order.NEWER if all(order in enough for order in orders) else Order.OLDER


def _came_back(
    back: Mapping[str, int],
    hotfixes: set[str],
    condition: Condition,
    policy: Policy,
    key: str,
    inputs: dict[str, str | int | float],
    fixed_in: str,
) -> Verdict:
    """Enough new occurrences are a regression. `back` are these occurrences by release."""
    new, release, where = sum(back.values()), newest(back)[0], listed(newest(back))
    inputs |= {"release": release, "new": new}
    if new < policy.min_regression_occurrences:
        return _too_few(new, policy, key, inputs)
    count = counted(new, "new occurrence")
    if release in hotfixes:
        rule, reason = (
            "hotfix-line",
            f"{key} was closed; {count} in {release}, a later patch of an older line than the fix",
        )
    elif condition.fixed_in:
        rule, reason = "fixed-in", f"{key} was fixed in {fixed_in}; {count} in {where}, not older than the fix"
    else:
        closed = f"{key} was closed when {fixed_in} was the newest known release"
        rule, reason = "known-releases", f"{closed}; {count} in {where}, newer than that"
    regression = Regression(
        release=release, occurrences=new, fixed_in=listed(condition.fixed_in), closed_at=condition.closed_at
    )
    return Verdict(rule=rule, reason=reason, inputs=inputs, regression=regression)


def _older(old: Mapping[str, int], condition: Condition, key: str, inputs: Facts, fixed_in: str) -> Verdict:
    """Old clients go on crashing: no regression."""
    if condition.fixed_in:
        rule, closed = "fixed-in", f"was fixed in {fixed_in}"
    else:
        rule, closed = "known-releases", f"was closed when {fixed_in} was the newest known release"
    new = counted(sum(old.values()), "new occurrence")
    reason = f"not reopened: {key} {closed}; {new}, all in older releases ({listed(newest(old))})"
    return Verdict(rule=rule, reason=reason, inputs=inputs, note=True)


def _uncertain(policy: Policy, release: str, new: int, finding: str, condition: Condition, key: str) -> Verdict:
    """No order of releases says whether these occurrences have the fix; the route's `unknown_release` decides."""
    inputs: dict[str, str | int | float] = {"release": release, "new": new}
    if policy.unknown_release == "note":
        reason = f"not reopened: {key} is closed; {finding}: syncd cannot tell whether they have the fix"
        return Verdict(rule="incomparable" if release else "unknown-release", reason=reason, inputs=inputs, note=True)
    if new < policy.min_regression_occurrences:
        return _too_few(new, policy, key, inputs)
    regression = Regression(release=release, occurrences=new, fixed_in="", closed_at=condition.closed_at)
    reason = f"{key} was closed; {finding}; unknown_release counts them as a regression"
    return Verdict(rule="unknown-release", reason=reason, inputs=inputs, regression=regression)


def _too_few(new: int, policy: Policy, key: str, inputs: Facts) -> Verdict:
    least = policy.min_regression_occurrences
    since = f"{counted(new, 'new occurrence')} since {key} was closed"
    reason = f"not reopened: {since}, and route {policy.name} requires {least:,} (min_regression_occurrences)"
    return Verdict(rule="min-regression-occurrences", reason=reason, inputs={**inputs, "least": least}, note=True)
