"""One sync of one claimed group: its facts, what it is done with, and what comes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

from msgspec.structs import replace

from syncd.core import budget
from syncd.core.plan import PlanContext
from syncd.core.policy import Policy, SetRule
from syncd.errors import Deferred, LeaseLost
from syncd.model import Call, Created, Group, Issue, Place, Plan, ProjectRelease
from syncd.platform.clock import Clock, Reading
from syncd.store import Store, groups, outbox, storms
from syncd.store.connection import Transaction
from syncd.store.limits import Floor
from syncd.store.outbox import LEASE_SECONDS, Claim
from syncd.trackers import Tracker
from syncd.worker.presentation import Presented
from syncd.worker.routing import Routing

T = TypeVar("T")

Operation = Callable[[Transaction], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFacts:
    """The facts that a create depends on: the number of issues the group had before and the place of the last, issues of similar
    groups, and the highest issue number known."""

    generation: int
    previous: Place | None
    look_alikes: Sequence[Place]
    floor: Floor


@dataclass(frozen=True, kw_only=True)
class SyncContext:
    """A claimed group with all its facts, loaded once, and the tools to act on it. `began` is what the clocks showed when that was done;
    `filing` is None for a group that has an issue."""

    store: Store
    tracker: Tracker
    claim: Claim
    routing: Routing
    clock: Clock
    began: Reading
    group: Group
    issue: Issue | None
    policy: Policy | None
    plan_context: PlanContext
    filing: FilingFacts | None
    _recorded: list[tuple[Operation[object], Callable[[object], None] | None]] = field(default_factory=list)
    _lease: "_Lease" = field(default_factory=lambda: _Lease())

    @property
    def route(self) -> str | None:
        """The name of the route."""
        return None if self.policy is None else self.policy.name

    def project_releases(self, rules: Sequence[SetRule]) -> Sequence[ProjectRelease]:
        """The releases of the group's project and application, if one of the rules compares the group with them. Raises StoreUnavailable."""
        if all(rule.when.new_in_last is None for rule in rules):
            return ()
        return self.store.read(partial(groups.project_releases, group=self.group))

    @cached_property
    def presented(self) -> Presented:
        """The group as its tracker may see it, and the texts of its issue."""
        group, policy = self.group, self.policy
        if group.storm is not None and not group.storm.over and policy is not None:
            limits, held, now = policy.max_new_issues, group.storm.held, self.clock.wall()

            def read(transaction: Transaction) -> tuple[tuple[tuple[str, str, int], ...], float]:
                filed = storms.filed(transaction, policy.name, limits, now)
                return storms.shares(transaction, policy.name), budget.storm_due_in(limits, filed, held, now)

            shares, ends_in = self.store.read(read)
            storm = replace(group.storm, cap=budget.limits_text(limits), ends_in=ends_in, shares=shares)
            group = replace(group, storm=storm)
        return self.routing.presentation.present(group, self.route)

    def record(self, operation: Operation[T], then: Callable[[T], None] | None = None) -> None:
        """Write something with the next commit; `then` gets its result once it is on disk. For what may be lost with this process:
        a restart finds out by itself."""
        self._recorded.append((operation, then))  # type: ignore[arg-type]

    def commit(self, operation: Operation[T], *, exclusive: bool = False) -> T:
        """Write everything recorded, then `operation`, in one transaction that begins the lease anew. Raises LeaseLost, which writes
        nothing, where another owner has the group; StoreUnavailable."""
        now, reading = self.clock.wall(), self.clock.reading()

        def fenced(transaction: Transaction) -> tuple[list[object], T]:
            outbox.fence(transaction, self.claim, now)
            return [recorded(transaction) for recorded, _ in self._recorded], operation(transaction)

        results, result = self.store.write(fenced, exclusive=exclusive)
        for value, (_, then) in zip(results, self._recorded, strict=True):
            if then is not None:
                then(value)
        self._recorded.clear()
        self._lease.renewed = reading
        return result

    @property
    def has_written(self) -> bool:
        """True if a request that changes something was about to be sent."""
        return self._lease.used

    def require_lease(self) -> None:
        """Call it right before a request that changes something, after a commit. Raises LeaseLost where another worker has the group,
        Unavailable where this process stood still for so long that one may have it before the request arrives, StoreUnavailable."""
        if self.store.read(partial(outbox.held, owner=self.claim.owner)) is None:
            raise LeaseLost(f"the lease on group {self.claim.group_id} is over")
        # The clocks come last: nothing stands between them and the request.
        if self.clock.since(self._lease.renewed) > LEASE_SECONDS / 2:
            raise Deferred("this process stood still, and another one may own the group by now; nothing was sent")
        if self.clock.since(self.began) > LEASE_SECONDS:
            raise Deferred("this process stood still, and what it read of the issue is old; nothing was sent")
        self._lease.used = True


@dataclass(slots=True)
class _Lease:
    """What the clocks showed when the lease was begun last, and whether a request was about to be sent under it."""

    renewed: Reading = (0.0, 0.0, 0.0)
    used: bool = False


@dataclass(frozen=True, slots=True)
class Synced:
    """The issue `key` shows the group's `revision`. `created`: the tracker has just answered its create, which is not linked yet."""

    key: str
    revision: int
    created: Created | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """A call of a kind is due at a time: nothing could be done for now, or a first step is. `rests`: the tracker refused it for the
    whole project, and the group is due after the rest, behind all others. `done`: the tracker accepted the first step."""

    reason: str
    at: float
    call: Call
    attempts: int = 0
    rests: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True)
class Parked:
    """A person must decide, or the issue is left alone, by a plan of its own and for a cause."""

    plan: Plan
    cause: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A dead letter. The tracker will never take `content`; None where it may take the next change. A group that changed meanwhile is
    due again at a time."""

    reason: str
    content: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing more is owed: the decision is carried out, with an `outcome` where the tracker was called. `decided`: another decision is
    written down in its place."""

    outcome: str | None = None
    decided: bool = False


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A storm of the route holds the group back, by a plan of its own."""

    plan: Plan
    policy: Policy


SyncResult = Synced | Retry | Parked | Refusal | Finished | HeldBack
