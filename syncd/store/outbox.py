"""The outbox: which groups owe their tracker a call, who has claimed them, and what every call left behind.

Every write after a claim names its owner. When it changes no row the lease was lost and LeaseLost is raised: whoever
holds the group now decides.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import cast

from msgspec.structs import replace

from syncd.core.plan import DueCall, NextCall
from syncd.model import Action, Call, Group, Issue, Plan
from syncd.store import limits
from syncd.store.claims import HORIZON_SECONDS, LEASE_SECONDS, Claim, owned
from syncd.store.connection import Connection, Transaction
from syncd.store.history import decide
from syncd.store.records import load_group, load_issue

DRY = "a dry run sends nothing"
DIED = "its sender died before it could say whether the issue was created"


class Outbox:
    """Operations on claims; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_due(self, tracker: str) -> Mapping[Call, float]:
        """When the next group of the tracker is due for each kind of call that any waits for."""
        rows = self._connection.read(lambda transaction: transaction.rows("next_due", tracker=tracker))
        return {Call(cast(int, row["rank"])): cast(float, row["due_at"]) for row in rows if row["due_at"] is not None}

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
                raise _Resting  # another one was faster, and tries alone
            # The lease of whoever intended this is over: its create may have been carried out.
            transaction.run("doubt_expired", group_id=group_id, owner=owner, note=DIED)
            return Claim(group_id=group_id, tracker=tracker, owner=owner, attempts=attempts, trial=trial)

        try:
            return self._connection.write(take, exclusive=False)
        except _Resting:
            return None

    def load(self, claim: Claim) -> tuple[Group, Issue | None]:
        """The group and its live issue, as they are now."""

        def both(transaction: Transaction) -> tuple[Group, Issue | None]:
            row = transaction.rows("group_by_id", group_id=claim.group_id)[0]
            return load_group(transaction, row), load_issue(transaction, claim.group_id)

        return self._connection.read(both)

    def settle(
        self,
        claim: Claim,
        plan: Plan,
        outcome: str | None,
        revision: int,
        again_at: float,
        now: float,
        route: str | None = None,
    ) -> bool:
        """Nothing more is owed; if the group went beyond `revision` meanwhile, it is due again at `again_at`. Whether the
        tracker rested until now. `route` is the one that holds the group back."""

        def write(transaction: Transaction) -> bool:
            decide(transaction, claim.group_id, plan, outcome, now, route, done=outcome is not None)
            resumed = outcome is not None and limits.answered(transaction, claim.tracker)
            _settle(transaction, claim, revision, again_at)
            return resumed

        return owned(self._connection, claim, now, write)

    def postpone(
        self, claim: Claim, plan: Plan, reason: str, due_at: float, attempts: int, now: float, call: Call | None = None
    ) -> None:
        """Try again at a time, with the same kind of call or another one."""

        def write(transaction: Transaction) -> None:
            # What is put off again and again for the same reason is one line of the history.
            put_off = plan.action is Action.HOLD or (plan.action is Action.WAIT and bool(plan.rule))
            decide(transaction, claim.group_id, plan, None if put_off else reason, now)
            _release(transaction, claim, due_at, attempts, reason, plan.call if call is None else call)

        owned(self._connection, claim, now, write)

    def park(self, claim: Claim, plan: Plan, cause: str, revision: int, now: float) -> None:
        """Nothing more is sent until a person decides, or, where it was deleted, ever; for the plan's reason."""

        def write(transaction: Transaction) -> None:
            decide(transaction, claim.group_id, plan, None, now)
            transaction.run("park", group_id=claim.group_id, note=plan.reason, cause=cause)
            _settle(transaction, claim, revision, now)

        owned(self._connection, claim, now, write)

    def bury(
        self, claim: Claim, plan: Plan, reason: str, content: str | None, revision: int, again_at: float, now: float
    ) -> None:
        """A dead letter. `content` will never be taken; None where another try may follow the next change. A group that went
        beyond `revision` meanwhile is due again at `again_at`."""

        def write(transaction: Transaction) -> None:
            decide(transaction, claim.group_id, plan, reason, now)
            transaction.run("update_tried", group_id=claim.group_id, now=now)
            if cast(int, transaction.rows("group_by_id", group_id=claim.group_id)[0]["revision"]) > revision:
                _release(transaction, claim, again_at, claim.attempts + 1, reason, plan.call)
                return
            transaction.run("refuse", group_id=claim.group_id, content=content)
            transaction.run("bury", group_id=claim.group_id, owner=claim.owner, reason=reason, now=now)

        owned(self._connection, claim, now, write)

    def take_over(self, is_dead: Callable[[str], bool], now: float) -> list[str]:
        """Free what dead owners held; their creates are in doubt. The dead are returned."""

        def held(transaction: Transaction) -> list[str]:
            owners = [cast(str, row["owner"]) for row in transaction.rows("owners")]
            return [owner for owner in owners if is_dead(owner)]

        def write(transaction: Transaction) -> list[str]:
            dead = held(transaction)
            for owner in dead:
                transaction.run("doubt_dead", owner=owner, note=DIED)
                transaction.run("free_claims", owner=owner, now=now)
            _owe_doubtful(transaction, now)
            return dead

        # It is asked every few seconds, and hardly ever is there one.
        return self._connection.write(write) if self._connection.read(held) else []

    def owe_doubtful(self, now: float) -> None:
        """Whatever is in doubt is looked for, also what an older program left owing nothing."""
        self._connection.write(lambda transaction: _owe_doubtful(transaction, now))

    def wake_dry(self, now: float) -> None:
        """What a dry run only spoke of is due."""
        self._connection.write(lambda transaction: transaction.run("wake_dry", reason=DRY, now=now))

    def forget_homes(self) -> None:
        """Forget what is known of trackers that hold no issue, so that a mistaken configuration can be mended."""

        def write(transaction: Transaction) -> None:
            transaction.run("forget_homes")
            transaction.run("forget_floors")

        self._connection.write(write)

    def reroute(self, owes: NextCall, configuration: str, now: float) -> int:
        """Judge anew every group without an issue, if `configuration` is not the one they were judged by. How many."""
        name = "routes"
        known = self._connection.read(lambda transaction: transaction.rows("setting", name=name))
        if known and known[0]["value"] == configuration:
            return 0
        judged, after = 0, 0
        while batch := self._connection.write(partial(_reroute, owes=owes, after=after, now=now)):
            judged, after = judged + len(batch), batch[-1]
        self._connection.write(lambda transaction: transaction.run("set", name=name, value=configuration))
        return judged


def owe(transaction: Transaction, calls: Mapping[int, DueCall]) -> None:
    """Make each group due at its tracker; a group whose call names no tracker stays as it is."""
    rows = [(group_id, call.tracker, call.due_at, call.call) for group_id, call in calls.items() if call.tracker]
    transaction.batch("owe", rows)


def _owe_doubtful(transaction: Transaction, now: float) -> None:
    transaction.run("owe_doubtful", now=now)
    transaction.run("rank_doubtful")


class _Resting(Exception):
    """The tracker that a group was claimed for goes on resting."""


def _settle(transaction: Transaction, claim: Claim, revision: int, again_at: float) -> None:
    if not transaction.run("settle", group_id=claim.group_id, owner=claim.owner, revision=revision):
        _release(transaction, claim, again_at, 0, None, Call.UPDATE)


def _release(
    transaction: Transaction, claim: Claim, due_at: float, attempts: int, reason: str | None, call: Call
) -> None:
    transaction.run(
        "release_claim",
        group_id=claim.group_id,
        owner=claim.owner,
        due_at=due_at,
        attempts=attempts,
        reason=reason,
        rank=call,
    )


def _reroute(transaction: Transaction, owes: NextCall, after: int, now: float) -> list[int]:
    ids = []
    for row in transaction.rows("unsettled_groups", after=after, size=500):
        group_id = cast(int, row["id"])
        ids.append(group_id)
        owed = owes(replace(load_group(transaction, row), held_by=None), None, now)
        if owed.tracker is not None:
            transaction.batch("owe", [(group_id, owed.tracker, max(now, owed.due_at), Call.CREATE)])
            transaction.run("move", group_id=group_id, tracker=owed.tracker)
        elif owed.hold is not None:
            transaction.run("forget_owed", group_id=group_id)
        if owed.hold is not None:
            decide(transaction, group_id, owed.hold, None, now, owed.route)
    return ids
