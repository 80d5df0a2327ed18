"""A claim on a group: the permission to write what a sync of the group leaves behind."""

from dataclasses import dataclass

from syncd.errors import LeaseLost
from syncd.store.connection import Transaction

LEASE_SECONDS = 180.0  # longer than any one tracker call with its retries


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A group that only `owner` may sync until the lease ends. `trial`: the first call of a tracker that rested."""

    group_id: int
    tracker: str
    owner: str
    attempts: int
    trial: bool = False


def renew(transaction: Transaction, claim: Claim, now: float) -> bool:
    """Lock the group and begin the lease anew; False where another owner has claimed the group since."""
    transaction.rows("lock_group", group_id=claim.group_id)
    leased_until = now + LEASE_SECONDS
    return transaction.run("renew", group_id=claim.group_id, owner=claim.owner, leased_until=leased_until) > 0


def fence(transaction: Transaction, claim: Claim, now: float) -> None:
    """Begin the lease anew. Raises LeaseLost, which undoes the transaction, where another owner has claimed the group since."""
    if not renew(transaction, claim, now):
        raise LeaseLost(f"the lease on group {claim.group_id} is over")
