"""The decisions that hold a group: its issue is filed later or not at all, and the reason says why. Pure."""

from msgspec.structs import replace as replace_fields

from syncd.core import fold, frames, polls, source_reports
from syncd.core.policy import Policy
from syncd.core.quantities import counted, duration, listed, utc
from syncd.model import Action, Call, Group, Plan

UNROUTED = "no route matches this group"
# The rules whose groups stay held until the storm drains, the route resumes or the operator releases them.
STORM, ROUTE_PAUSED, BY_HAND = "storm", "route-paused", "on-hold"


def hold(rule: str, reason: str, until: float | None = None, **inputs: str | int | float) -> Plan:
    return Plan(action=Action.HOLD, reason=reason, rule=rule, inputs=inputs, until=until, call=Call.CREATE)


def decision(group: Group, policy: Policy | None, *, hold_zero: bool, now: float) -> Plan | None:
    """The decision to hold the group, or None if it is filed now. `hold_zero` holds groups with the all-zero fingerprint."""
    if policy is None:
        return hold("unrouted", UNROUTED)
    if group.ordered is not None:
        return None
    if group.backfilled:
        reason = "a backfill brought it, and it has not crashed since; `syncd file` files it, `syncd backfill --file` all of the project"
        return hold("backfill", reason)
    if policy.on_triage == "follow" and group.triage in (polls.RESOLVED, polls.MUTED):
        reason = f"{polls.sentence(group.triage)}, and route {policy.name} follows that (on_triage)"
        return hold("triage", reason)
    if group.source_state is not None and not group.occurrences:
        reason = f"its source reports it as {group.source_state.name}, and no occurrence of it was received: it is filed with the next"
        return hold("no-occurrence", reason)
    if hold_zero and frames.all_zero(group.identity.fingerprint):
        reason = "its fingerprint is all zeros, which all reports share that Backtrace could not tell apart: it stands for no single crash"
        return hold("zero-fingerprint", reason)
    if (threshold := _below_threshold(qualified(group, policy, now, now), policy, now)) is not None:
        return threshold
    if policy.hold_unsymbolicated and frames.unsymbolicated(group.callstack, group.application):
        count = counted(len(group.callstack), "frame")
        reason = (
            f"its stack of {count} has addresses or modules instead of names: it is filed once a notification has names"
        )
        return hold("unsymbolicated", reason, frames=count)
    return None


def by_hand(group: Group) -> Plan:
    """The decision for a group that an operator holds: syncd files and writes nothing."""
    return hold(BY_HAND, f"an operator holds it: {group.on_hold}")


def qualified(group: Group, policy: Policy | None, since: float, now: float) -> Group:
    """The group with the thresholds of the route among those it has met, if it met them at `since` or later, or when it reached the age
    that the route asks for. What a group met once stays met until its issue is filed, for every route that asks for no more: no outage,
    rest, pause or storm between takes it away."""
    if policy is None or (demand := policy.thresholds) is None or any(met.imply(demand) for met in group.met):
        return group
    # The numbers rise with a notification only, the age reaches its least at a time of its own.
    moments = {point.at for point in group.trail if since <= point.at <= now}
    old_enough_at = group.trail[0].at + policy.min_age if group.trail else now
    if policy.min_age and old_enough_at < now:
        moments.add(old_enough_at)
    for moment in moments:
        trail = tuple(point for point in group.trail if point.at <= moment)
        past = replace_fields(group, trail=trail, occurrences=trail[-1].occurrences)
        if _below_threshold(past, policy, moment) is None:
            return replace_fields(group, met=(*group.met, demand))
    return group if _below_threshold(group, policy, now) else replace_fields(group, met=(*group.met, demand))


def _below_threshold(group: Group, policy: Policy, now: float) -> Plan | None:
    """The decision to hold a group that misses a threshold; the reason names all that it misses.

    A group that misses only the age is filed at the time `until`.
    """
    window, demand = policy.within, policy.thresholds
    if demand is not None and any(met.imply(demand) for met in group.met):
        return None
    numbers, is_counted = fold.recent(group, window, now)
    occurrences = numbers.occurrences
    needed = (
        ("occurrences", occurrences, policy.min_occurrences),
        ("users", numbers.users, policy.min_users),
        ("machines", numbers.hosts, policy.min_hosts),
    )
    missing = [
        f"{'at most ' if have and not is_counted and noun != 'occurrences' else ''}{have:,} of {counted(least, noun[:-1])}"
        for noun, have, least in needed
        if have < least
    ]
    # A first notification in the future was received before the clock was set back.
    first = min(group.trail[0].at if group.trail else float(group.first_seen or 0), now)
    old_enough_at = first + policy.min_age
    too_young = old_enough_at > now
    if not missing and not too_young:
        return None
    span = "" if window is None else f" within {duration(window)}"
    if occurrences < min(policy.min_occurrences, group.occurrences):
        span += f" ({group.occurrences:,} in all)"
    wants = [f"it has {listed(missing, len(missing))}{span}"] if missing else []
    if too_young:
        wants.append(f"it is filed at {utc(old_enough_at)} at the earliest (min_age {duration(policy.min_age)})")
    inputs = {noun: have for noun, have, least in needed if least} | {
        f"min_{noun}": least for noun, _, least in needed if least
    }
    return hold(
        "threshold",
        f"below the thresholds of route {policy.name}: {'; '.join(wants)}",
        old_enough_at if too_young and not missing else None,
        **inputs,
    )


def over(group: Group) -> Plan | None:
    """The decision to hold a group that its source reports as resolved before its issue was filed, where that closes issues."""
    if group.source_state is None or group.source_state.name != "resolved" or group.ordered is not None:
        return None
    reason = "its source reports it as resolved, and on_resolved says to close its issue: it is filed with the next occurrence"
    return hold(source_reports.RESOLVED, reason)
