"""The decision whether a group without an issue is filed now or held. Pure."""

from syncd.core import fold, frames
from syncd.core.policy import Policy
from syncd.core.quantities import counted, duration
from syncd.model import Action, Call, Group, Plan

RELEASED = "let-through"  # the rule of a group that a storm released and that is not filed yet
UNROUTED = "no route matches this group"
# The rules whose groups stay held until the storm drains, the route resumes or the operator releases them.
STORM, ROUTE_PAUSED, BY_HAND = "storm", "route-paused", "on-hold"


def hold_plan(group: Group, policy: Policy | None, *, hold_zero: bool, now: float) -> Plan | None:
    """The decision to hold the group, or None if it is filed now. `hold_zero` holds groups with the all-zero fingerprint."""
    if policy is None:
        return _hold("unrouted", UNROUTED)
    if hold_zero and frames.all_zero(group.identity.fingerprint):
        reason = "its fingerprint is all zeros: every report without a stack has it, so it stands for no single crash"
        return _hold("zero-fingerprint", reason)
    if (threshold := _below_threshold(group, policy, now)) is not None:
        return threshold
    if policy.hold_unsymbolicated and frames.unsymbolicated(group.callstack):
        count = counted(len(group.callstack), "frame")
        reason = f"its stack of {count} has addresses instead of names: symbols are missing"
        return _hold("unsymbolicated", reason, frames=count)
    return None


def _hold(rule: str, reason: str, until: float | None = None, **inputs: str | int | float) -> Plan:
    return Plan(action=Action.HOLD, reason=reason, rule=rule, inputs=inputs, until=until, call=Call.CREATE)


def _below_threshold(group: Group, policy: Policy, now: float) -> Plan | None:
    """The decision to hold a group that misses a threshold; the reason names all that it misses.

    A group that misses only the age is filed at the time `until`.
    """
    window = policy.within
    recent = fold.growth(group, 0.0 if window is None else now - window)
    users = (group.users or 0) if window is None else recent.users
    hosts = (group.hosts or 0) if window is None else recent.hosts
    occurrences = group.occurrences if window is None else recent.occurrences
    needed = (
        ("occurrences", occurrences, policy.min_occurrences),
        ("users", users, policy.min_users),
        ("machines", hosts, policy.min_hosts),
    )
    missing = [f"{have:,} of {least:,} {noun}" for noun, have, least in needed if have < least]
    # A first notification in the future was received before the clock was set back.
    first = min(group.trail[0].at if group.trail else float(group.first_seen or 0), now)
    old_enough_at = first + policy.min_age
    if old_enough_at > now:
        missing.append(f"{duration(now - first)} of {duration(policy.min_age)} of age")
    if not missing:
        return None
    span = "" if window is None else f" within {duration(window)}"
    inputs = {noun: have for noun, have, least in needed if least} | {
        f"min_{noun}": least for noun, _, least in needed if least
    }
    return _hold(
        "threshold",
        f"below the thresholds of route {policy.name}: it has {' and '.join(missing)}{span}",
        old_enough_at if old_enough_at > now and len(missing) == 1 else None,
        **inputs,
    )


def paused(policy: Policy, reason: str) -> Plan:
    """The decision for a group whose route an operator has paused."""
    return _hold(ROUTE_PAUSED, f"route {policy.name} is paused: {reason}", route=policy.name)


def by_hand(group: Group) -> Plan:
    """The decision for a group that an operator holds: syncd files and writes nothing."""
    return _hold(BY_HAND, f"an operator holds it: {group.on_hold}")


def stormy(policy: Policy, wait: float) -> Plan:
    """The decision for a group whose route has reached its limit of new issues."""
    reason = f"route {policy.name} has filed as many new issues as max_new_issues allows; the next in {duration(wait)}"
    return _hold(STORM, reason, route=policy.name, wait=round(wait))


def follows(group: Group) -> Plan:
    """The decision for a group whose occurrences are in the issue of another group."""
    reason = f"it is an alias of {group.follows}, whose issue shows its occurrences"
    return Plan(action=Action.NOTHING, reason=reason, rule="alias", inputs={"target": group.follows or ""})
