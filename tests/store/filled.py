"""Putting notifications into a store as the daemon does."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from syncd.config import Config
from syncd.core.budget import Allowance
from syncd.core.plan import DueCall
from syncd.model import Action, Group, Identity, Issue, Plan
from syncd.store import Store
from syncd.store.outbox import Claim
from syncd.worker.absorb import absorb as absorb_batch
from syncd.worker.routing import Routing

NOW = 1_800_000_000.0
FREE = Allowance(credential="here")
ANY_GROUP = Identity("acme", "game", "any")


def identity_of(notification: dict[str, Any]) -> Identity:
    """The identity in a notification, also where a field is missing."""
    return Identity(*(str(notification.get(field)) for field in ("universe", "project", "fingerprint")))


def accept(store: Store, *notifications: dict[str, Any], at: float = NOW) -> list[int]:
    """The numbers of the deliveries."""

    async def all_at_once() -> list[int]:
        return list(
            await asyncio.gather(
                *(store.inbox.accept(json.dumps(entry).encode(), at, identity_of(entry)) for entry in notifications)
            )
        )

    return asyncio.run(all_at_once())


@dataclass(frozen=True, slots=True, kw_only=True)
class ToHere(Routing):
    """Every group is due at the tracker `here` at NOW, except those of the project `unrouted`, which are held."""

    config: Config = field(default_factory=Config)
    instance_key: str = "00" * 32

    def next_call(self, group: Group, issue: Issue | None, now: float) -> DueCall:
        """The call that the store keeps."""
        if group.identity.project == "unrouted":
            return DueCall(tracker=None, hold=Plan(action=Action.HOLD, reason="nobody takes it", rule="unrouted"))
        return DueCall(tracker="here", due_at=NOW)


def absorb(store: Store, at: float = NOW) -> set[str]:
    """Fold all deliveries that wait, and return the trackers with a call due now."""
    routing, woken, taken = ToHere(), set[str](), 1
    while taken:
        taken, trackers = absorb_batch(store, routing, at)
        woken |= trackers
    return woken


def crash_notification(fingerprint: str = "f1", **overrides: object) -> dict[str, Any]:
    """A notification as it comes."""
    return {
        "universe": "acme",
        "project": "game",
        "fingerprint": fingerprint,
        "application": "game",
        "callstack": ["draw", "main"],
        "occurrences": 3,
        "timestamp": [1000, 2000],
        "hosts": 1,
        "guids": 2,
        "attributes": {"version": [["1.0", 2], ["1.1", 1]]},
    } | overrides


def owed(store: Store, *fingerprints: str) -> None:
    """Groups that owe `here` a call."""
    accept(store, *(crash_notification(fingerprint) for fingerprint in fingerprints or ("f1",)))
    absorb(store)


def claimed(store: Store, owner: str = "one/here", now: float = NOW) -> Claim:
    """A claim on the group that is due longest."""
    claim = store.outbox.claim("here", owner, now)
    assert claim is not None
    return claim
