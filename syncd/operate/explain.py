"""Why a group is as it is: what would be done now, by the very functions that the daemon asks, and which route takes it. Asks no
tracker."""

from collections.abc import Sequence

from syncd.config import Config
from syncd.core import plan
from syncd.core.policy import hindrance
from syncd.model import GroupView, Plan
from syncd.store import Store
from syncd.worker.routing import Routing

_NO_KEY = "00" * 32  # nothing that is signed with it is used


def rules(config: Config) -> Routing:
    """The rules of a command or a page that files nothing."""
    return Routing(config=config, instance_key=_NO_KEY)


def plan_now(config: Config, store: Store, standing: GroupView, now: float) -> Plan:
    """What would be done now. Raises StoreUnavailable."""
    judging = rules(config)
    group, issue = standing.group, standing.issue
    policy = judging.route(group)
    tracker = issue.tracker if issue is not None else policy.tracker if policy is not None else None
    paused = None if policy is None else store.routes.paused(policy.name)
    gate = judging.gate(group, policy) if issue is None else None
    wait = 0.0 if gate is None else store.storms.wait(gate.route, gate.new_issues, now)
    known = tracker if tracker in config.trackers else next(iter(config.trackers), None)
    if known is None:
        return plan.plan(group, issue, policy, plan.PlanContext(probe_after=[0.0]), now)
    return plan.plan(group, issue, policy, judging.context(known, paused, wait), now)


def routing(config: Config, standing: GroupView) -> Sequence[str]:
    """Which route takes the group, and why those before it do not."""
    said: list[str] = []
    for route in config.all_routes:
        why_not = hindrance(standing.group, route.match)
        if why_not is None:
            return [*said, f"route {route.name} takes it, for tracker {route.tracker}"]
        said.append(f"route {route.name} does not take it: {why_not}")
    return said
