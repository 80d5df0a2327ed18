"""The commits of a sync, one by one: for tests that stop between two of them."""

from functools import partial

from syncd.core import budget
from syncd.core.budget import Allowance
from syncd.model import Action, Call, Created, Group, Issue, IssueState, Plan
from syncd.store import Store, issues, limits, outbox
from syncd.store.connection import Transaction
from syncd.store.issues import Intent
from syncd.store.outbox import Claim
from syncd.worker import create
from syncd.worker.context import Operation
from syncd.worker.routing import take as take_write


def commit(store: Store, claim: Claim, now: float, *operations: Operation[object]) -> None:
    """Run operations in one transaction that is fenced by the claim."""

    def write(transaction: Transaction) -> None:
        outbox.fence(transaction, claim, now)
        for operation in operations:
            operation(transaction)

    store.write(write, exclusive=False)


def load(store: Store, claim: Claim) -> tuple[Group, Issue | None]:
    """The claimed group and its issue."""
    return store.read(lambda transaction: outbox.load(transaction, claim.group_id))


def intend(store: Store, claim: Claim, intent: Intent, now: float) -> None:
    """A create is about to be sent."""
    commit(store, claim, now, lambda transaction: issues.intend(transaction, claim, intent, now))


def link(store: Store, claim: Claim, created: Created, now: float) -> None:
    """The tracker answered; the claim goes on."""
    create.link(store, claim, created, lambda _: False, now)


def end_intent(store: Store, claim: Claim, state: IssueState, note: str, now: float) -> None:
    """The create certainly failed, or nobody knows."""
    commit(store, claim, now, lambda transaction: issues.end_intent(transaction, claim, state, note))


def settle(
    store: Store, claim: Claim, plan: Plan, outcome: str | None, revision: int, again_at: float, now: float
) -> None:
    """The claim ends with nothing owed."""
    commit(
        store,
        claim,
        now,
        lambda transaction: outbox.decide(transaction, claim.group_id, plan, outcome, now, done=outcome is not None),
        lambda transaction: outcome is not None and limits.resume(transaction, claim.tracker),
        lambda transaction: outbox.settle(transaction, claim, revision, again_at),
    )


def postpone(
    store: Store,
    claim: Claim,
    plan: Plan,
    reason: str,
    due_at: float,
    attempts: int,
    now: float,
    call: Call | None = None,
) -> None:
    """The claim ends, and the group is due again."""
    outcome = None if plan.action is Action.HOLD or (plan.action is Action.WAIT and plan.rule) else reason
    commit(
        store,
        claim,
        now,
        lambda transaction: outbox.decide(transaction, claim.group_id, plan, outcome, now),
        lambda transaction: outbox.release(
            transaction, claim, due_at, attempts, reason, plan.call if call is None else call
        ),
    )


def probed(store: Store, claim: Claim, probe_at: float, now: float) -> None:
    """A clean probe, answered now, showed nothing."""
    commit(
        store,
        claim,
        now,
        lambda transaction: issues.probed(transaction, claim.group_id, probe_at, tracker_clock=now, clean=True),
    )


def take(store: Store, allowance: Allowance, call: Call, now: float) -> float:
    """Take what one call costs: 0, or the seconds to wait."""
    return store.write(lambda transaction: take_write(transaction, [allowance], call, now)[1], exclusive=False)


def opens(store: Store, allowance: Allowance, now: float) -> dict[Call, float]:
    """From when on the tracker `here` may be called."""
    return budget.opens(
        store.read(partial(limits.standing, tracker="here", credential=allowance.credential)), allowance, now
    )


def silence(store: Store, allowance: Allowance, reason: str, until: float, now: float) -> None:
    """The tracker asked for silence."""
    store.write(lambda transaction: limits.silence(transaction, allowance.credential, None, reason, until, now))


def bury(store: Store, claim: Claim, plan: Plan, reason: str, content: str | None, now: float) -> None:
    """The claim ends with a dead letter."""
    commit(
        store,
        claim,
        now,
        lambda transaction: outbox.decide(transaction, claim.group_id, plan, reason, now),
        lambda transaction: outbox.bury(transaction, claim, load(store, claim)[0].revision, reason, content, now),
    )


def park(store: Store, claim: Claim, plan: Plan, cause: str, revision: int, now: float) -> None:
    """The claim ends, and a person must decide."""
    commit(
        store,
        claim,
        now,
        lambda transaction: outbox.decide(transaction, claim.group_id, plan, None, now),
        lambda transaction: issues.park(transaction, claim.group_id, plan.reason, cause),
        lambda transaction: outbox.settle(transaction, claim, revision, now),
    )
