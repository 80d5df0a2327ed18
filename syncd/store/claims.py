"""A claim on a group: who may write what a tracker call left behind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from syncd.errors import LeaseLost
from syncd.store.connection import Connection, Transaction

T = TypeVar("T")

LEASE_SECONDS = 180.0  # longer than any one tracker call with its retries
HORIZON_SECONDS = 86400.0  # nothing is ever put off longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A group that only `owner` may sync until the lease ends. `trial`: the first call of a tracker that rested."""

    group_id: int
    tracker: str
    owner: str
    attempts: int
    trial: bool = False


def in_force(until: float, now: float) -> bool:
    """Whether a rest or a silence lasts. What lies beyond any of them was written by a clock that has been set back since."""
    return now < until <= now + HORIZON_SECONDS


def owned(
    connection: Connection, claim: Claim, now: float, operation: Callable[[Transaction], T], *, exclusive: bool = False
) -> T:
    """What `operation` returns, in a transaction that begins the lease anew. Raises LeaseLost where it is over. The group is locked:
    `beside` goes for what touches no other one."""

    def fenced(transaction: Transaction) -> T:
        if not renew(transaction, claim, now):
            raise LeaseLost(f"the lease on group {claim.group_id} is over")
        return operation(transaction)

    return connection.write(fenced, exclusive=exclusive)


def renew(transaction: Transaction, claim: Claim, now: float) -> bool:
    """Whether the claim is still ours; its lease then begins anew."""
    leased_until = now + LEASE_SECONDS
    transaction.rows("lock_group", group_id=claim.group_id)
    return transaction.run("renew", group_id=claim.group_id, owner=claim.owner, leased_until=leased_until) > 0
