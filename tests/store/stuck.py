"""Bringing groups into the states in which they do not go on by themselves, as the worker does."""

from syncd.core import plan
from syncd.core.budget import Allowance
from syncd.model import Action, Call, Created, IssueState, Plan
from syncd.store import Store
from syncd.store.issues import Intent
from syncd.store.outbox import Claim
from tests.store import steps
from tests.store.filled import NOW, absorb, accept, crash_notification

FREE = Allowance(credential="nobody's")
CREATE = Plan(action=Action.CREATE, reason="the group has no issue yet", call=Call.CREATE)
UPDATE = Plan(action=Action.UPDATE, reason="it shows an older state", call=Call.UPDATE)
PROBE = Plan(action=Action.PROBE, reason="in doubt", call=Call.PROBE)


def claimed(store: Store, fingerprint: str, project: str = "game") -> Claim:
    """A group that was just told of, claimed; every other one must be settled."""
    accept(store, crash_notification(fingerprint, project=project))
    absorb(store)
    claim = store.outbox.claim("here", f"worker/{fingerprint}", NOW)
    assert claim is not None
    return claim


def refused(store: Store, fingerprint: str, reason: str, project: str = "game") -> None:
    """A create that its tracker refused."""
    claim = claimed(store, fingerprint, project)
    group, _ = steps.load(store, claim)
    steps.bury(store, claim, CREATE, reason, plan.content(group), NOW)


def update_refused(store: Store, fingerprint: str, number: int, reason: str) -> None:
    """An update of the issue K-`number` that its tracker refused."""
    claim = linked(store, fingerprint, number)
    steps.bury(store, claim, UPDATE, reason, None, NOW)


def linked(store: Store, fingerprint: str, number: int) -> Claim:
    """A group with the issue K-`number`, still claimed."""
    claim = claimed(store, fingerprint)
    steps.intend(store, claim, Intent(marker="m" * 32, revision=1), NOW)
    url = f"https://example.com/{number}"
    steps.link(store, claim, Created(remote_id=str(number), key=f"K-{number}", url=url, number=number), NOW)
    return claim


def doubtful(store: Store, fingerprint: str, probes: int = 0, project: str = "game") -> Claim:
    """A create that was not answered, and was looked for in vain so often; still claimed."""
    claim = claimed(store, fingerprint, project)
    steps.intend(store, claim, Intent(marker="d" * 32, revision=1), NOW)
    steps.end_intent(store, claim, IssueState.IN_DOUBT, "no answer", NOW)
    for number in range(1, probes + 1):
        steps.probed(store, claim, NOW + 60 * number, NOW)
    return claim


def settled(store: Store, claim: Claim, at: float) -> None:
    """Given back, to be looked for at a time."""
    steps.postpone(store, claim, PROBE, "in doubt", at, 1, NOW, Call.PROBE)


def parked(store: Store, claim: Claim, cause: str, reason: str) -> None:
    """Given up by the worker until a person decides, or, where it is `deleted`, for good."""
    action = Action.DROP if cause == "deleted" else Action.PARK
    steps.park(store, claim, Plan(action=action, reason=reason), cause, 1, NOW)
