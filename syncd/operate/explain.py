"""Explains a group: the plan that the daemon would make now, and the result of each route. Calls no tracker."""

from collections.abc import Sequence

from syncd.config import Config
from syncd.core import plan
from syncd.core.policy import hindrance
from syncd.model import GroupView, Plan
from syncd.operate import shapes
from syncd.operate.needs import tracker_state
from syncd.store import Store
from syncd.worker import reconcile
from syncd.worker.routing import Routing

_NO_KEY = "00" * 32  # signs markers, and no marker is made here


def rules(config: Config) -> Routing:
    """The rules for a command or a page, which file nothing."""
    return Routing(config=config, instance_key=_NO_KEY)


def plan_now(config: Config, store: Store, standing: GroupView, now: float) -> Plan:
    """The plan for the group at `now`. Raises StoreUnavailable."""
    routing = rules(config)
    group, issue = standing.group, standing.issue
    policy = routing.route(group)
    tracker = issue.tracker if issue is not None else policy.tracker if policy is not None else None
    configured = tracker if tracker in config.trackers else next(iter(config.trackers), None)
    if configured is None:
        return plan.plan(group, issue, policy, plan.PlanContext(probe_after=[0.0]), now)
    context = store.read(
        lambda transaction: reconcile.plan_context(transaction, routing, group, issue, policy, configured, now)
    )
    return plan.plan(group, issue, policy, context, now)


def obstacle(config: Config, store: Store, standing: GroupView, now: float) -> str | None:
    """Why the tracker of the group's issue, or of its route, takes no call now; None if it takes each. Raises StoreUnavailable."""
    issue, policy = standing.issue, rules(config).route(standing.group)
    name = issue.tracker if issue is not None else policy.tracker if policy is not None else None
    tracker = store.report.trackers(config.credentials, now).get(name or "")
    if tracker is None or tracker.state == "ok":
        return None
    return f"tracker {name} {tracker_state(shapes.tracker(tracker), now)}"


def routing(config: Config, standing: GroupView) -> Sequence[str]:
    """One sentence per route, up to the route that takes the group: why it does or does not."""
    sentences: list[str] = []
    for route in config.all_routes:
        why_not = hindrance(standing.group, route.match)
        if why_not is None:
            return [*sentences, f"route {route.name} takes it, for tracker {route.tracker}"]
        sentences.append(f"route {route.name} does not take it: {why_not}")
    return sentences
