"""Whether a group that has no issue is filed now, or held and for what. Pure."""

from syncd.core import fold, frames
from syncd.core.policy import Policy
from syncd.core.quantities import counted, duration
from syncd.model import Action, Call, Group, Plan

RELEASED = "let-through"  # the rule of a group that a storm released and that is not filed yet
UNROUTED = "no route matches this group"
STORM, ROUTE_PAUSED, BY_HAND = (
    "storm",
    "route-paused",
    "on-hold",
)  # rules whose groups are let through by whoever ends them


def held(group: Group, policy: Policy | None, *, hold_zero: bool, now: float) -> Plan | None:
    """Why the group is not filed now; None when it is. `hold_zero`: the all-zero fingerprint stands for no crash."""
    if policy is None:
        return _hold("unrouted", UNROUTED)
    if hold_zero and frames.all_zero(group.identity.fingerprint):
        reason = "its fingerprint is all zeros: what reports without a stack have in common, and no one crash"
        return _hold("zero-fingerprint", reason)
    return _below_threshold(group, policy, now) or _unreadable(group, policy)


def _hold(rule: str, reason: str, until: float | None = None, **inputs: str | int | float) -> Plan:
    return Plan(action=Action.HOLD, reason=reason, rule=rule, inputs=inputs, until=until, call=Call.CREATE)


def _below_threshold(group: Group, policy: Policy, now: float) -> Plan | None:
    """What is missing, all of it. A group that lacks nothing but age is filed by itself."""
    window = policy.within
    recent = fold.gained(group, 0.0 if window is None else now - window)
    users = (group.users or 0) if window is None else recent.users
    hosts = (group.hosts or 0) if window is None else recent.hosts
    occurrences = group.occurrences if window is None else recent.occurrences
    needed = (
        ("occurrences", occurrences, policy.min_occurrences),
        ("users", users, policy.min_users),
        ("machines", hosts, policy.min_hosts),
    )
    lacking = [f"{have:,} of {least:,} {noun}" for noun, have, least in needed if have < least]
    born = group.trail[0].at if group.trail else float(group.first_seen or 0)
    # One that was born in the future was received before the clock was set back.
    ripe = min(born, now) + policy.min_age
    if ripe > now:
        lacking.append(f"{duration(now - min(born, now))} of {duration(policy.min_age)} of age")
    if not lacking:
        return None
    span = "" if window is None else f" within {duration(window)}"
    inputs = {noun: have for noun, have, least in needed if least} | {
        f"min_{noun}": least for noun, _, least in needed if least
    }
    return _hold(
        "threshold",
        f"below the thresholds of route {policy.name}: it has {' and '.join(lacking)}{span}",
        ripe if ripe > now and len(lacking) == 1 else None,
        **inputs,
    )


def _unreadable(group: Group, policy: Policy) -> Plan | None:
    if not policy.hold_unsymbolicated or not frames.unsymbolicated(group.callstack):
        return None
    shown = counted(len(group.callstack), "frame")
    return _hold(
        "unsymbolicated", f"its stack of {shown} has addresses and no names: its symbols are missing", frames=shown
    )


def paused(policy: Policy, reason: str) -> Plan:
    """Held since an operator paused the route."""
    return _hold(ROUTE_PAUSED, f"route {policy.name} is paused: {reason}", route=policy.name)


def by_hand(group: Group) -> Plan:
    """Held since an operator said so: nothing is filed, and nothing written."""
    return _hold(BY_HAND, f"an operator holds it: {group.on_hold}")


def stormy(policy: Policy, wait: float) -> Plan:
    """Held since the route has filed as many issues as it may."""
    reason = f"route {policy.name} has filed as many new issues as max_new_issues allows; the next in {duration(wait)}"
    return _hold(STORM, reason, route=policy.name, wait=round(wait))


def follows(group: Group) -> Plan:
    """Nothing is done for a group whose occurrences another one's issue shows."""
    reason = f"it is an alias of {group.follows}, whose issue shows its occurrences"
    return Plan(action=Action.NOTHING, reason=reason, rule="alias", inputs={"target": group.follows or ""})
