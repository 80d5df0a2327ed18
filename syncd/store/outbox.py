"""The outbox: which groups owe their tracker a call, who has claimed them, and what was decided about them.

A claim is the permission to write what a sync of the group leaves behind. A function that takes one changes nothing where another owner holds the group; its caller fences the transaction first.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from syncd.core.budget import BEHIND_SECONDS, HORIZON_SECONDS
from syncd.core.plan import DueCall
from syncd.errors import LeaseLost
from syncd.model import Action, Call, Group, Issue, Plan
from syncd.store import inbox
from syncd.store.connection import Operations, Transaction, writes
from syncd.store.records import load_group, load_issue

LEASE_SECONDS = 180.0  # longer than any one tracker call with its retries
DRY = "a dry run sends nothing"
DETACHED = "the store is a detached copy, and syncd writes to no tracker from it"
DIED = "its sender died before it could say whether the issue was created"
BITE = 500  # groups re-evaluated in one transaction
SOURCE = "source"  # the action of what a source reports of a crash, in the history
LOOK = "look"  # the action of what people did in the tracker, in the history


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A group that only `owner` may sync until the lease ends. `trial`: the first call of a tracker that rested. `to_blame`: the tracker
    refused the group a call of this kind, or rested after it, and took one of another group since."""

    group_id: int
    tracker: str
    owner: str
    attempts: int
    trial: bool = False
    to_blame: bool = False


class Outbox(Operations):
    """Whole transactions on the outbox; for any thread."""

    def claim(self, tracker: str, owner: str, now: float, calls: Iterable[Call] = Call) -> Claim | None:
        """The group that is due longest for the first of these calls for which any is due, leased to `owner`; None when none is due, or
        the tracker rests."""

        def take(transaction: Transaction) -> Claim | None:
            leased_until, horizon = now + LEASE_SECONDS, now + HORIZON_SECONDS
            if any(row["state"] == "paused" for row in transaction.rows("tracker", tracker=tracker)):
                # Of several threads that each skip the groups locked by the others, the one with the last group could be the first to commit:
                # the trial would be the call of the very group that caused the rest.
                transaction.lock(f"trial {tracker}")
            rows: list[dict[str, object]] = []
            for call in calls:
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
            lease: dict[str, object] = {"now": now, "leased_until": leased_until, "horizon": horizon}
            if trial and not transaction.run("begin_trial", tracker=tracker, **lease):
                raise _Resting  # another thread was faster, and tries alone; for all others the tracker goes on resting
            # The lease of whoever intended this is over: its create may have been carried out.
            transaction.run("doubt_expired", group_id=group_id, owner=owner, note=DIED)
            to_blame = rows[0]["blame"] == "own"
            return Claim(
                group_id=group_id, tracker=tracker, owner=owner, attempts=attempts, trial=trial, to_blame=to_blame
            )

        try:
            return self._connection.write(take, exclusive=False)
        except _Resting:
            return None

    def take_over(self, judge: Callable[[Transaction], Callable[[str], bool]], now: float) -> list[str]:
        """Free the claims of dead owners, put their creates in doubt, and forget dead processes; what those that absorb may have had in hand of
        the inbox is suspected. Return the owners of these claims.

        `judge` reads who has died in the transaction that takes over: a process that starts while this one waits for its transaction
        would be missing from an earlier list, and lose what it has claimed."""

        def dead_owners(transaction: Transaction) -> list[str]:
            is_dead = judge(transaction)
            owners = [cast(str, row["owner"]) for row in transaction.rows("owners")]
            return [owner for owner in owners if is_dead(owner)]

        def write(transaction: Transaction) -> list[str]:
            dead = dead_owners(transaction)
            for owner in dead:
                transaction.run("doubt_dead", owner=owner, note=DIED)
                transaction.run("free_claims", owner=owner, now=now)
            parts = {owner: row["part"] for owner in dead for row in transaction.rows("forget_instance", owner=owner)}
            # A receiver has nothing in hand: its death says nothing of the deliveries that wait.
            absorbers = [owner for owner, part in parts.items() if part != inbox.Part.RECEIVER]
            inbox.suspect(transaction, absorbers, inbox.MOST_IN_HAND)
            transaction.run("owe_doubtful", now=now)
            transaction.run("rank_doubtful")
            return [owner for owner in dead if owner not in parts]

        # Called every few seconds, and hardly ever is an owner dead.
        return self._connection.write(write) if self._connection.read(dead_owners) else []

    @writes
    def recover(self, transaction: Transaction, now: float) -> None:
        """Make due what a new start may have changed: every create in doubt, also where an older program left no call due; what a dry run
        put off; and the trackers that rest. Forget where trackers that hold no issue are, so that a mistaken configuration can be
        corrected."""
        transaction.run("owe_doubtful", now=now)
        transaction.run("rank_doubtful")
        transaction.run("forget_homes")
        transaction.run("forget_floors")
        transaction.run("forget_floor_reads")  # the store may be older than its issues
        for row in transaction.rows("resting"):
            transaction.run("hasten_rested", tracker=row["name"], behind=BEHIND_SECONDS, now=now)
        transaction.run("retry_rested", now=now)
        transaction.run("wake_dry", reason=DRY, now=now)


class _Resting(Exception):
    """The tracker of a claimed group goes on resting; undoes the claim."""


def held(transaction: Transaction, owner: str) -> Claim | None:
    """Return the claim that `owner` has, None where it has none. It is a trial where the rest of its tracker ends with the lease
    that it began with."""
    rows = transaction.rows("claim_of", owner=owner)
    return Claim(owner=owner, **cast(dict[str, Any], {**rows[0], "trial": bool(rows[0]["trial"])})) if rows else None


def renew(transaction: Transaction, claim: Claim, now: float) -> bool:
    """Lock the group and begin the lease anew; False where another owner has claimed the group since."""
    transaction.rows("lock_group", group_id=claim.group_id)
    leased_until = now + LEASE_SECONDS
    return transaction.run("renew", group_id=claim.group_id, owner=claim.owner, leased_until=leased_until) > 0


def fence(transaction: Transaction, claim: Claim, now: float) -> None:
    """Begin the lease anew. Raises LeaseLost, which undoes the transaction, where another owner has claimed the group since."""
    if not renew(transaction, claim, now):
        raise LeaseLost(f"the lease on group {claim.group_id} is over")


def decide(
    transaction: Transaction,
    group_id: int,
    plan: Plan,
    outcome: str | None,
    now: float,
    route: str | None = None,
    *,
    done: bool = False,
    actor: str | None = None,
) -> None:
    """Store a decision and the outcome of its call, if there was one; `done`: the tracker accepted it; `actor`: the operator who decided. The
    reason of a hold or of a wait has new numbers and times with every notification; the history gets a new row only for another rule, and for
    each decision of an operator."""
    facts = {"group_id": group_id, "action": plan.action, "reason": plan.reason, "rule": plan.rule or None, "now": now}
    before = transaction.rows("decision", group_id=group_id)[0]
    transaction.run("decide", route=route, **facts)
    held = plan.action in (Action.HOLD, Action.NOTHING) or (plan.action is Action.WAIT and plan.until is not None)
    latest = (before["decision"], before["decision_rule"] if held and plan.rule else before["decision_reason"])
    if (
        outcome is not None
        or actor is not None
        or latest != (plan.action, plan.rule if held and plan.rule else plan.reason)
    ):
        inputs = json.dumps(dict(plan.inputs), ensure_ascii=False) if plan.inputs else None
        transaction.run("record", outcome=outcome, inputs=inputs, done=int(done), actor=actor, **facts)


def observe(transaction: Transaction, group_id: int, change: str, now: float) -> None:
    """Write into the group's history what a look at its issue read: a change that was made in the tracker."""
    note(transaction, group_id, LOOK, change, None, now)


def note(transaction: Transaction, group_id: int, action: str, reason: str, actor: str | None, now: float) -> None:
    """Write into the group's history what is no decision: what people did in the tracker, or what an operator asked for."""
    facts = {"group_id": group_id, "action": action, "reason": reason, "actor": actor, "rule": None, "now": now}
    transaction.run("record", outcome=None, inputs=None, done=0, **facts)


def next_due(transaction: Transaction, tracker: str) -> Mapping[Call, float]:
    """Return the due time of the next group for each kind of call that any group of the tracker waits for."""
    rows = transaction.rows("next_due", tracker=tracker)
    return {Call(cast(int, row["rank"])): cast(float, row["due_at"]) for row in rows if row["due_at"] is not None}


def load(transaction: Transaction, group_id: int, *, lock: bool = False) -> tuple[Group, Issue | None]:
    """Return the group with its releases and aliases, and its live issue. With `lock` the group is locked until the transaction ends. Raises
    ValueError where there is no such group."""
    if lock:
        transaction.rows("lock_group", group_id=group_id)
    for row in transaction.rows("group_by_id", group_id=group_id):
        return load_group(transaction, row), load_issue(transaction, group_id)
    raise ValueError("there is no such group")


def owe(transaction: Transaction, calls: Mapping[int, DueCall], *, again: bool = True) -> None:
    """Make each group due at its tracker; a group whose call names no tracker stays as it is. A claimed group keeps its lease, a
    backed-off one its due time. With `again` a claimed group is due once more after its claim, whatever its worker decides; a
    higher revision has the same effect by itself, at the time that its worker chooses."""
    rows = [
        (group_id, call.tracker, call.due_at, call.call, call.route if call.call is Call.CREATE else None)
        for group_id, call in calls.items()
        if call.tracker
    ]
    transaction.batch("owe", rows)
    if again:
        transaction.batch("owe_again", [row[:3] for row in rows])


def refuse_again(transaction: Transaction, group_id: int, tracker: str, now: float) -> None:
    """The group has the content again that the tracker refused: a dead letter, unless it is one or a worker has claimed it."""
    reason = "the tracker refused these texts before; it is sent again once they change"
    transaction.run("refuse_again", group_id=group_id, tracker=tracker, reason=reason, now=now)


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


def owed_elsewhere(transaction: Transaction, trackers: Iterable[str]) -> list[int]:
    """The ids of groups without an issue whose call waits for another tracker than these: nobody would ever make it."""
    return [cast(int, row["id"]) for row in transaction.batch("owed_elsewhere", [(name,) for name in trackers])]


def settle(transaction: Transaction, claim: Claim, revision: int | None, again_at: float) -> None:
    """End the claim with nothing owed. A group that went beyond `revision` meanwhile is due at `again_at`, one that was made due meanwhile
    at that time. Without a revision nothing is owed, whatever happened meanwhile."""
    if revision is None:
        transaction.run("drop_claim", group_id=claim.group_id, owner=claim.owner)
    elif not transaction.run("settle", group_id=claim.group_id, owner=claim.owner, revision=revision):
        again = transaction.rows("made_due", group_id=claim.group_id, owner=claim.owner, revision=revision)
        due_at = cast(float, again[0]["again_at"]) if again else again_at
        release(transaction, claim, due_at, 0, None, None, owed=False)


def release(
    transaction: Transaction,
    claim: Claim,
    due_at: float,
    attempts: int,
    reason: str | None,
    call: Call | None,
    create_on: str | None = None,
    *,
    owed: bool = True,
) -> None:
    """End the claim; the group is due for a call at `due_at`, and earlier if it was made due meanwhile and no call failed. None for the
    call that the state of its issue needs. A group without an issue goes to the tracker `create_on`. The group goes on owing the call
    since it first did; where it is put off on purpose, not `owed`, since `due_at`."""
    transaction.run(
        "release_claim",
        group_id=claim.group_id,
        owner=claim.owner,
        due_at=due_at,
        attempts=attempts,
        reason=reason,
        rank=call,
        create_on=create_on,
        owed=int(owed),
    )


def bury(transaction: Transaction, claim: Claim, revision: int, reason: str, content: str | None, now: float) -> bool:
    """End the claim with a dead letter; False, with the claim as it was, where the group went beyond `revision` or was made due meanwhile.
    The tracker will never take `content`; None where it may take the next change. The next update waits as long as after a success."""
    transaction.run("update_tried", group_id=claim.group_id, now=now)
    if load(transaction, claim.group_id)[0].revision > revision:
        return False
    if not transaction.run("bury", group_id=claim.group_id, owner=claim.owner, reason=reason, now=now):
        return False
    transaction.run("refuse", group_id=claim.group_id, content=content)
    return True


def refused_in_a_row(transaction: Transaction, tracker: str) -> dict[Call, int]:
    """Return how many groups were refused each kind of call since the tracker took one."""
    rows = transaction.rows("refused_in_a_row", tracker=tracker)
    return {Call(cast(int, row["rank"])): cast(int, row["groups"]) for row in rows}


def accuse(transaction: Transaction, claim: Claim) -> None:
    """The tracker rests after a call of this group, which may be its own fault."""
    transaction.run("accuse", group_id=claim.group_id, owner=claim.owner)


def accused(transaction: Transaction, tracker: str, call: Call) -> int:
    """Return how many groups were refused a call that one of this kind tells about, or made the tracker rest, since it took one."""
    return cast(int, transaction.rows("accused", tracker=tracker, rank=call)[0]["groups"])


def acquit(transaction: Transaction, tracker: str, call: Call) -> None:
    """The tracker took a call of this kind: what it refused before was refused for its own sake."""
    transaction.run("acquit", tracker=tracker, rank=call)


def absolve(transaction: Transaction, claim: Claim) -> None:
    """The tracker took the call of this group."""
    if claim.to_blame:
        transaction.run("absolve", group_id=claim.group_id)


def wait_for_project(transaction: Transaction, tracker: str, call: Call, due_at: float) -> None:
    """The project is to blame for the latest refusals of this kind: their groups are no dead letters, and due at `due_at`."""
    facts = {"tracker": tracker, "rank": call}
    transaction.run("forget_refusals", **facts)
    transaction.run("wait_for_project", due_at=due_at, **facts)
