"""The limits of tracker calls: `core.budget` judges the facts of the store."""

from syncd.core import budget
from syncd.core.budget import HORIZON_SECONDS, Allowance
from syncd.model import Call
from syncd.store import Store, limits, outbox
from syncd.store.connection import Transaction


def opens(store: Store, tracker: str, allowance: Allowance, now: float) -> dict[Call, float]:
    """For each kind of call that any group waits for, return the time from which on a group is due and its tracker may be called."""

    def read(transaction: Transaction) -> dict[Call, float]:
        due = outbox.next_due(transaction, tracker)
        if not due:
            return {}
        allowed = budget.opens(limits.standing(transaction, tracker, allowance.credential), allowance, now)
        # A time beyond the horizon was written by a clock that has been set back since; claiming heals it.
        return {call: max(allowed[call], at if at <= now + HORIZON_SECONDS else now) for call, at in due.items()}

    return store.read(read)


def take(transaction: Transaction, allowance: Allowance, call: Call, now: float) -> float:
    """Take one call from every budget of a credential. Return 0, or the seconds to wait, with nothing taken. Processes that share a
    credential share its budgets."""
    spends = bool(allowance.limits) and call is not Call.PROBE
    if spends:
        transaction.lock(f"credential {allowance.credential}")
    standing = limits.standing(transaction, "", allowance.credential)
    if wait := budget.call_wait(standing, allowance, call, now):
        return wait
    if spends:
        limits.spend(transaction, allowance.credential, budget.spent(standing.buckets, allowance, now))
    return 0.0
