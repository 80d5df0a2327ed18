"""One claimed group's turn: what it is done with, and what becomes of it."""

from dataclasses import dataclass
from functools import cached_property

from syncd.core.policy import Policy
from syncd.model import Call, Group
from syncd.store import Store
from syncd.store.claims import Claim
from syncd.trackers import Tracker
from syncd.worker.presentation import Presented
from syncd.worker.routing import Routing


@dataclass(frozen=True, kw_only=True)
class SyncContext:
    """A group as it was claimed, the route that takes it, and the hands that work on it."""

    store: Store
    tracker: Tracker
    claim: Claim
    rules: Routing
    group: Group
    policy: Policy | None

    @property
    def route(self) -> str | None:
        """The name of the route."""
        return None if self.policy is None else self.policy.name

    @cached_property
    def presented(self) -> Presented:
        """The group as its tracker may see it, and the texts of its issue."""
        return self.rules.presentation.present(self.group, self.route)


@dataclass(frozen=True, slots=True)
class Synced:
    """The issue `key` shows the group's `revision`."""

    key: str
    revision: int


@dataclass(frozen=True, slots=True)
class Retry:
    """More is to be done, at a time, with a kind of call; for now nothing could be done, or a first step is."""

    reason: str
    at: float
    call: Call


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing more is to be done: the decision is carried out, or has put the group aside. `outcome` is a word on how;
    `given_back`: the claim is, too."""

    outcome: str | None = None
    given_back: bool = False


SyncResult = Synced | Retry | Finished
