"""The rules of one process, its configuration, the key of its markers and how it presents groups; and when those let a tracker be called."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from syncd.config import Config
from syncd.core import budget, holds, plan
from syncd.core import policy as policies
from syncd.core.budget import HORIZON_SECONDS, LONGEST_SECONDS, Allowance
from syncd.core.counts import AnyMode
from syncd.core.plan import DueCall
from syncd.core.policy import Policy
from syncd.errors import RejectedDelivery, Throttled
from syncd.intake.opening import open_sources
from syncd.intake.sources import backtrace
from syncd.intake.sources.rules import UNIVERSE
from syncd.intake.sources.source import OpenSource, reject_unknown
from syncd.intake.sources.values import Reading
from syncd.model import Call, Group, Identity, Issue, Notification
from syncd.store import Store, groups, limits, outbox
from syncd.store.connection import Transaction
from syncd.store.inbox import Delivery
from syncd.worker.presentation import Presentation


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The rules that the worker and the commands judge groups by. With `dry`, groups are planned and no tracker is called; in a `detached`
    store trackers are read and not written to."""

    config: Config
    instance_key: str
    presentation: Presentation = field(default_factory=Presentation)
    dry: bool = False
    detached: bool = False
    reading: Reading = field(init=False, repr=False)
    sources: Mapping[str, OpenSource] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        settings = self.config.notifications
        reading = Reading(
            release_attributes=settings.release_attributes,
            release_pattern=settings.release_pattern,
            ignore_releases=settings.ignore_releases,
            zero_by_frames=settings.zero_fingerprint == "frames",
            key=self.instance_key,
        )
        object.__setattr__(self, "reading", reading)  # made once: every delivery is read by it
        object.__setattr__(self, "sources", open_sources(self.config))

    @property
    def withheld(self) -> str:
        """Why nothing is written to trackers; empty if it is."""
        return outbox.DRY if self.dry else outbox.DETACHED if self.detached else ""

    @property
    def hold_zero(self) -> bool:
        """True if groups with the all-zero fingerprint are held. If frames distinguish reports, those with named frames have another one."""
        return self.config.notifications.zero_fingerprint != "file"

    def source(self, identity: Identity) -> OpenSource | None:
        """Return the configured source that a group is of; None for the groups of the sender at /webhooks/backtrace."""
        if not identity.universe.startswith(UNIVERSE):
            return None
        return self.sources.get(identity.universe.removeprefix(UNIVERSE).partition(":")[0])

    def mode(self, identity: Identity) -> AnyMode:
        """Return how the counts of a group are read, as its source or else the configuration says."""
        source = self.source(identity)
        return (source and source.mode) or self.config.notifications.occurrence_mode

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

    def parse(self, delivery: Delivery, *, texts: bool = True) -> Notification | RejectedDelivery:
        """Return the notification in a delivery, or why it is none. Without `texts` some of its texts are left unread."""
        try:
            if delivery.source is not None:
                source = self.sources.get(delivery.source) or reject_unknown(delivery.source)
                return source.parse(delivery.body, delivery.received_at)
            return backtrace.parse(delivery.body, delivery.received_at, self.reading, texts=texts)
        except RejectedDelivery as error:
            return error


def qualify(
    transaction: Transaction, routing: Routing, judged: Mapping[int, Group], since: float, now: float
) -> dict[int, Group]:
    """Return the groups with the thresholds that they met at `since` or later, and store these."""
    if all(policy.within is None for policy in routing.config.all_routes):
        return dict(judged)
    after = {group_id: holds.qualified(group, routing.route(group), since, now) for group_id, group in judged.items()}
    groups.save_met(
        transaction, {group_id: group for group_id, group in after.items() if group.met != judged[group_id].met}
    )
    return after


def digest(config: Config) -> str:
    """Return a digest of the routes, and of what else decides about groups without an issue."""
    routes = [asdict(route) for route in config.all_routes]
    text = json.dumps([routes, config.notifications.zero_fingerprint], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def opens(store: Store, tracker: str, allowance: Allowance, now: float) -> dict[Call, float]:
    """For each kind of call that any group waits for, return the time from which on a group is due and its tracker may be called; the most
    urgent kind first."""

    def read(transaction: Transaction) -> dict[Call, float]:
        due = outbox.next_due(transaction, tracker)
        if not due:
            return {}
        allowed = budget.opens(limits.standing(transaction, tracker, allowance.credential), allowance, now)
        # A time beyond the horizon was written by a clock that has been set back since; claiming heals it.
        return {
            call: max(at, due[call] if due[call] <= now + HORIZON_SECONDS else now)
            for call, at in allowed.items()
            if call in due
        }

    return store.read(read)


def take(transaction: Transaction, allowances: Sequence[Allowance], call: Call, now: float) -> tuple[Allowance, float]:
    """Take one call from every budget of several credentials, or nothing from any of them. Return the one that has to wait longest, and
    the seconds to wait: 0 if the call was taken. The order is that of their locks. Processes that share a credential share its budgets."""
    standings = []
    for allowance in allowances:
        if allowance.limits and call is not Call.PROBE:
            transaction.lock(f"credential {allowance.credential}")
        standings.append((allowance, limits.standing(transaction, "", allowance.credential)))
    waits = [(allowance, budget.call_wait(standing, allowance, call, now)) for allowance, standing in standings]
    longest = max(waits, key=lambda entry: entry[1])
    if not longest[1] and call is not Call.PROBE:
        for allowance, standing in standings:
            limits.spend(transaction, allowance.credential, budget.spent(standing.buckets, allowance, now))
    return longest


def silence(transaction: Transaction, credential: str, error: Throttled, call: Call, now: float) -> float:
    """Make no call of this kind, or none at all, for as long as the tracker asks. Return the end of the silence."""
    until = now + min(error.seconds, LONGEST_SECONDS)
    limits.silence(transaction, credential, call if error.narrow else None, error.reason, until, now)
    return until
