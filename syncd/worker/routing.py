"""What the configuration says about folding, routing, filing and writing, as the two stages ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from syncd.config import Config
from syncd.core import plan
from syncd.core.plan import DueCall, PlanContext
from syncd.core.policy import Policy, route
from syncd.errors import RejectedDelivery
from syncd.intake.sources import backtrace
from syncd.intake.sources.backtrace import Reading
from syncd.model import Group, GroupKind, Issue, Notification
from syncd.store.inbox import Delivery
from syncd.store.limits import Allowance
from syncd.store.storms import Gate
from syncd.worker.presentation import Presentation


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The rules of one process. `dry`: everything is planned, and nothing sent."""

    config: Config
    instance_key: str
    presentation: Presentation = field(default_factory=Presentation)
    dry: bool = False

    def next_call(self, group: Group, issue: Issue | None, now: float) -> DueCall:
        """Return the call that a changed group is due for, and from when on."""
        return plan.next_call(group, issue, self.config.all_routes, self._hold_zero, now)

    @property
    def _hold_zero(self) -> bool:
        return self.config.notifications.zero_fingerprint == "hold"

    def parse(self, delivery: Delivery) -> Notification | RejectedDelivery:
        """Return the notification in a delivery, or why it is none."""
        settings = self.config.notifications
        reading = Reading(
            release_attributes=settings.release_attributes,
            release_pattern=settings.release_pattern,
            ignore_releases=settings.ignore_releases,
            zero_by_frames=settings.zero_fingerprint == "frames",
        )
        try:
            return backtrace.parse(delivery.body, delivery.received_at, reading)
        except RejectedDelivery as error:
            return error

    def route(self, group: Group) -> Policy | None:
        """The route that takes the group."""
        return route(group, self.config.all_routes)

    def context(self, tracker: str, paused: str | None = None, wait: float = 0.0) -> PlanContext:
        """What is true beside a group: its route is paused for a reason, or may file again in so many seconds."""
        return PlanContext(probe_after=self.probe_after(tracker), paused=paused, wait=wait, hold_zero=self._hold_zero)

    def probe_after(self, tracker: str) -> Sequence[float]:
        """How many seconds after a create in doubt its tracker is asked about it."""
        return self.config.trackers[tracker].probe_after

    def allowance(self, tracker: str) -> Allowance:
        """What the tracker's credential may write."""
        return Allowance(credential=self.config.credentials[tracker], limits=self.config.trackers[tracker].writes)

    def updates(self, policy: Policy | None) -> Allowance | None:
        """How often issues of a route may be updated; None where nothing limits that."""
        found = next((one for one in self.config.all_routes if policy is not None and one.name == policy.name), None)
        return None if found is None else Allowance(credential=f"route {found.name}", limits=found.max_updates)

    def gate(self, group: Group, policy: Policy | None) -> Gate | None:
        """How many issues the group's route may file; None where that is not counted: of a storm there is but one."""
        if policy is None or group.kind is GroupKind.STORM:
            return None
        return next((gate for gate in self.gates() if gate.route == policy.name), None)

    def gates(self) -> list[Gate]:
        """How many issues each route may file."""
        return [
            Gate(route=route.name, tracker=route.tracker, new_issues=route.max_new_issues)
            for route in self.config.all_routes
        ]
