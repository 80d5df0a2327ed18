"""The outbox: which groups owe their tracker a call, and who has claimed them.

A function that takes a claim changes nothing where another owner holds the group; its caller fences the transaction first.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from syncd.core.budget import HORIZON_SECONDS
from syncd.core.plan import DueCall
from syncd.model import Call, Group, Issue
from syncd.store import limits
from syncd.store.claims import LEASE_SECONDS, Claim
from syncd.store.connection import Connection, Transaction
from syncd.store.records import load_group, load_issue

DRY = "a dry run sends nothing"
DIED = "its sender died before it could say whether the issue was created"
BITE = 500  # groups re-evaluated in one transaction


class Outbox:
    """Whole transactions on the outbox; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_due(self, tracker: str) -> Mapping[Call, float]:
        """Return the due time of the next group for each kind of call that any group of the tracker waits for."""
        return self._connection.read(lambda transaction: next_due(transaction, tracker))

    def claim(self, tracker: str, owner: str, now: float, calls: Iterable[Call] = Call) -> Claim | None:
        """The group that is due longest for the most urgent of these calls, leased to `owner`; None when none is due, or
        the tracker rests."""

        def take(transaction: Transaction) -> Claim | None:
            leased_until, horizon = now + LEASE_SECONDS, now + HORIZON_SECONDS
            rows: list[dict[str, object]] = []
            for call in sorted(calls):
                rows = rows or transaction.rows(
                    "claim_group",
                    tracker=tracker,
                    rank=call,
                    owner=owner,
                    now=now,
                    leased_until=leased_until,
                    horizon=horizon,
                )
            if not rows:
                transaction.run("heal_due", tracker=tracker, now=now, horizon=horizon, leased_until=leased_until)
                return None
            group_id, attempts = cast(int, rows[0]["group_id"]), cast(int, rows[0]["attempts"])
            trial = rows[0]["standing"] == "paused"
            if trial and not limits.begin_trial(transaction, tracker, now):
                raise _Resting  # another thread was faster, and tries alone
            # The lease of whoever intended this is over: its create may have been carried out.
            transaction.run("doubt_expired", group_id=group_id, owner=owner, note=DIED)
            return Claim(group_id=group_id, tracker=tracker, owner=owner, attempts=attempts, trial=trial)

        try:
            return self._connection.write(take, exclusive=False)
        except _Resting:
            return None

    def take_over(self, is_dead: Callable[[str], bool], now: float) -> list[str]:
        """Free the claims of dead owners and put their creates in doubt. Return these owners."""

        def dead_owners(transaction: Transaction) -> list[str]:
            owners = [cast(str, row["owner"]) for row in transaction.rows("owners")]
            return [owner for owner in owners if is_dead(owner)]

        def write(transaction: Transaction) -> list[str]:
            dead = dead_owners(transaction)
            for owner in dead:
                transaction.run("doubt_dead", owner=owner, note=DIED)
                transaction.run("free_claims", owner=owner, now=now)
            _owe_doubtful(transaction, now)
            return dead

        # Called every few seconds, and hardly ever is an owner dead.
        return self._connection.write(write) if self._connection.read(dead_owners) else []

    def owe_doubtful(self, now: float) -> None:
        """Make every create in doubt due for a probe, also where an older program left no call due."""
        self._connection.write(lambda transaction: _owe_doubtful(transaction, now))

    def wake_dry(self, now: float) -> None:
        """Make due what a dry run put off."""
        self._connection.write(lambda transaction: transaction.run("wake_dry", reason=DRY, now=now))

    def forget_homes(self) -> None:
        """Forget where trackers that hold no issue are, so that a mistaken configuration can be corrected."""

        def write(transaction: Transaction) -> None:
            transaction.run("forget_homes")
            transaction.run("forget_floors")

        self._connection.write(write)


class _Resting(Exception):
    """The tracker of a claimed group goes on resting; undoes the claim."""


def next_due(transaction: Transaction, tracker: str) -> Mapping[Call, float]:
    """Return the due time of the next group for each kind of call that any group of the tracker waits for."""
    rows = transaction.rows("next_due", tracker=tracker)
    return {Call(cast(int, row["rank"])): cast(float, row["due_at"]) for row in rows if row["due_at"] is not None}


def load(transaction: Transaction, group_id: int) -> tuple[Group, Issue | None]:
    """The group with its releases and aliases, and its live issue."""
    row = transaction.rows("group_by_id", group_id=group_id)[0]
    return load_group(transaction, row), load_issue(transaction, group_id)


def owe(transaction: Transaction, calls: Mapping[int, DueCall]) -> None:
    """Make each group due at its tracker; a group whose call names no tracker stays as it is. A claimed group keeps its lease, a
    backed-off one its patience."""
    rows = [(group_id, call.tracker, call.due_at, call.call) for group_id, call in calls.items() if call.tracker]
    transaction.batch("owe", rows)


def make_due(transaction: Transaction, group_id: int, now: float) -> None:
    """Make what the group owes due now, whatever it was put off for."""
    transaction.run("due_now", group_id=group_id, now=now)


def forget(transaction: Transaction, group_id: int) -> None:
    """Owe nothing for the group, unless a worker has claimed it."""
    transaction.run("forget_waiting", group_id=group_id)


def move(transaction: Transaction, group_id: int, tracker: str) -> None:
    """Let the group's next call go to this tracker, unless a worker has claimed it."""
    transaction.run("move", group_id=group_id, tracker=tracker)


def without_issue(transaction: Transaction, after: int) -> list[tuple[int, Group]]:
    """Up to BITE groups that have no issue yet, with their ids, which are above `after`."""
    rows = transaction.rows("unsettled_groups", after=after, size=BITE)
    return [(cast(int, row["id"]), load_group(transaction, row)) for row in rows]


def settle(transaction: Transaction, claim: Claim, revision: int, again_at: float) -> None:
    """End the claim with nothing owed; a group that went beyond `revision` meanwhile is due for an update at `again_at`."""
    if not transaction.run("settle", group_id=claim.group_id, owner=claim.owner, revision=revision):
        release(transaction, claim, again_at, 0, None, Call.UPDATE)


def release(
    transaction: Transaction, claim: Claim, due_at: float, attempts: int, reason: str | None, call: Call
) -> None:
    """End the claim; the group is due for a call at `due_at`."""
    transaction.run(
        "release_claim",
        group_id=claim.group_id,
        owner=claim.owner,
        due_at=due_at,
        attempts=attempts,
        reason=reason,
        rank=call,
    )


def drop(transaction: Transaction, claim: Claim) -> None:
    """End the claim with nothing owed, whatever changed meanwhile."""
    transaction.run("drop_claim", group_id=claim.group_id, owner=claim.owner)


def bury(transaction: Transaction, claim: Claim, reason: str, content: str | None, now: float) -> None:
    """End the claim with a dead letter. The tracker will never take `content`; None where it may take the next change."""
    transaction.run("refuse", group_id=claim.group_id, content=content)
    transaction.run("bury", group_id=claim.group_id, owner=claim.owner, reason=reason, now=now)


def _owe_doubtful(transaction: Transaction, now: float) -> None:
    transaction.run("owe_doubtful", now=now)
    transaction.run("rank_doubtful")
