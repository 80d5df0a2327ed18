"""Bringing groups into the states in which they do not go on by themselves, as the worker does."""

from syncd.core import plan
from syncd.model import Action, Call, Created, Plan
from syncd.store import Store
from syncd.store.claims import Claim
from syncd.store.issues import Intent
from syncd.store.limits import Allowance
from tests.store.filled import NOW, absorb, accept, told

FREE = Allowance(credential="nobody's")
CREATE = Plan(action=Action.CREATE, reason="the group has no issue yet", call=Call.CREATE)
UPDATE = Plan(action=Action.UPDATE, reason="it shows an older state", call=Call.UPDATE)
PROBE = Plan(action=Action.PROBE, reason="in doubt", call=Call.PROBE)


def claimed(store: Store, fingerprint: str, project: str = "game") -> Claim:
    """A group that was just told of, claimed; every other one must be settled."""
    accept(store, told(fingerprint, project=project))
    absorb(store)
    claim = store.outbox.claim("here", f"worker/{fingerprint}", NOW)
    assert claim is not None
    return claim


def refused(store: Store, fingerprint: str, words: str, project: str = "game") -> None:
    """A create that its tracker refused."""
    claim = claimed(store, fingerprint, project)
    group, _ = store.outbox.load(claim)
    store.outbox.bury(claim, CREATE, words, plan.content(group), group.revision, NOW, NOW)


def update_refused(store: Store, fingerprint: str, number: int, words: str) -> None:
    """An update of the issue K-`number` that its tracker refused."""
    claim = linked(store, fingerprint, number)
    store.outbox.bury(claim, UPDATE, words, None, store.outbox.load(claim)[0].revision, NOW, NOW)


def linked(store: Store, fingerprint: str, number: int) -> Claim:
    """A group with the issue K-`number`, still claimed."""
    claim = claimed(store, fingerprint)
    store.issues.intend(claim, Intent(marker="m" * 32, revision=1), FREE, NOW)
    url = f"https://example.com/{number}"
    store.issues.link(claim, Created(remote_id=str(number), key=f"K-{number}", url=url, number=number), NOW)
    return claim


def doubtful(store: Store, fingerprint: str, probes: int = 0, project: str = "game") -> Claim:
    """A create that was not answered, and was looked for in vain so often; still claimed."""
    claim = claimed(store, fingerprint, project)
    store.issues.intend(claim, Intent(marker="d" * 32, revision=1), FREE, NOW)
    store.issues.doubt(claim, "no answer")
    for number in range(1, probes + 1):
        store.issues.probed(claim, NOW, NOW + 60 * number, NOW)
    return claim


def settled(store: Store, claim: Claim, at: float) -> None:
    """Given back, to be looked for at a time."""
    store.outbox.postpone(claim, PROBE, "in doubt", at, 1, NOW, Call.PROBE)


def parked(store: Store, claim: Claim, cause: str, words: str) -> None:
    """Given up by the worker until a person decides, or, where it is `deleted`, for good."""
    action = Action.DROP if cause == "deleted" else Action.PARK
    store.outbox.park(claim, Plan(action=action, reason=words), cause, 1, NOW)
