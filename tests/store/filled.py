"""Putting notifications into a store as the daemon does."""

import asyncio
import json
from typing import Any

from syncd.core.plan import DueCall
from syncd.intake.sources import backtrace
from syncd.intake.sources.backtrace import Reading
from syncd.model import Action, Group, Issue, Plan
from syncd.store import Store
from syncd.store.claims import Claim
from syncd.store.inbox import Read
from syncd.store.limits import Allowance

NOW = 1_800_000_000.0
FREE = Allowance(credential="here")


def accept(store: Store, *told: dict[str, Any], at: float = NOW) -> list[int]:
    """The numbers of the deliveries."""

    async def all_at_once() -> list[int]:
        return list(await asyncio.gather(*(store.inbox.accept(json.dumps(one).encode(), at) for one in told)))

    return asyncio.run(all_at_once())


def owes(group: Group, issue: Issue | None, now: float) -> DueCall:
    """Everything goes to the tracker `here`, but what the project says."""
    if group.identity.project == "unrouted":
        return DueCall(tracker=None, hold=Plan(action=Action.HOLD, reason="nobody takes it", rule="unrouted"))
    return DueCall(tracker="here", due_at=NOW)


def absorb(store: Store, at: float = NOW) -> set[str]:
    """Fold everything that waits: the trackers woken."""
    read = [Read(one, backtrace.parse(one.body, one.received_at, Reading())) for one in store.inbox.waiting(1000)]
    return store.inbox.absorb(read, "auto", owes, at)


def told(fingerprint: str = "f1", **overrides: object) -> dict[str, Any]:
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
    accept(store, *(told(fingerprint) for fingerprint in fingerprints or ("f1",)))
    absorb(store)


def claimed(store: Store, owner: str = "one/here", now: float = NOW) -> Claim:
    """A claim on the group that is due longest."""
    claim = store.outbox.claim("here", owner, now)
    assert claim is not None
    return claim
