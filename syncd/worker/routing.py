"""The rules of one process: its configuration, the key of its markers, and how it presents groups."""

from dataclasses import dataclass, field

from syncd.config import Config
from syncd.core import plan
from syncd.core import policy as policies
from syncd.core.budget import Allowance
from syncd.core.plan import DueCall
from syncd.core.policy import Policy
from syncd.errors import RejectedDelivery
from syncd.intake.sources import backtrace
from syncd.intake.sources.backtrace import Reading
from syncd.model import Group, Issue, Notification
from syncd.store.inbox import Delivery
from syncd.worker.presentation import Presentation


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The rules that the worker and the commands judge groups by. With `dry`, groups are planned and no tracker is written to."""

    config: Config
    instance_key: str
    presentation: Presentation = field(default_factory=Presentation)
    dry: bool = False

    @property
    def hold_zero(self) -> bool:
        """True if groups with the all-zero fingerprint are held."""
        return self.config.notifications.zero_fingerprint == "hold"

    def route(self, group: Group) -> Policy | None:
        """Return the route that takes the group."""
        return policies.route(group, self.config.all_routes)

    def policy(self, name: str) -> Policy | None:
        """Return the route with this name, None if it is not configured."""
        return next((policy for policy in self.config.all_routes if policy.name == name), None)

    def next_call(self, group: Group, issue: Issue | None, now: float) -> DueCall:
        """Return the call that a changed group is due for, and from when on."""
        return plan.next_call(group, issue, self.config.all_routes, self.hold_zero, now)

    def allowance(self, tracker: str) -> Allowance:
        """Return the writes that the tracker's credential allows."""
        return Allowance(credential=self.config.credentials[tracker], limits=self.config.trackers[tracker].writes)

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
