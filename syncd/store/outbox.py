"""The outbox: which groups owe their tracker a call, who has claimed them, and what every call left behind.

Every write after a claim names its owner. When it changes no row the lease was lost and LeaseLost is raised: whoever
holds the group now decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, cast

from syncd.errors import LeaseLost
from syncd.model import Created, Group, Issue, Plan
from syncd.plan import Owes
from syncd.store.connection import Connection, Transaction
from syncd.store.rows import group_of, issue_of

T = TypeVar("T")

LEASE_SECONDS = 180.0  # longer than any one tracker call with its retries
HORIZON_SECONDS = 86400.0  # nothing is ever put off longer
DIED = "its sender died before it could say whether the issue was created"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A group that only `owner` may sync until the lease ends."""

    group_id: int
    tracker: str
    owner: str
    attempts: int


class Outbox:
    """Operations on claims, issues and trackers; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_due(self, tracker: str) -> float | None:
        """When the next group of the tracker is due, or None when none waits."""
        rows = self._connection.read(lambda transaction: transaction.rows("next_due", tracker=tracker))
        return cast(float, rows[0]["due_at"]) if rows else None

    def claim(self, tracker: str, owner: str, now: float) -> Claim | None:
        """The group that is due longest, leased to `owner`; None when none is due."""

        def take(transaction: Transaction) -> Claim | None:
            rows = transaction.rows(
                "claim_group", tracker=tracker, owner=owner, now=now, leased_until=now + LEASE_SECONDS
            )
            if not rows:
                horizon = now + HORIZON_SECONDS
                transaction.run("heal_due", tracker=tracker, now=now, horizon=horizon, leased_until=now + LEASE_SECONDS)
                return None
            group_id, attempts = cast(int, rows[0]["group_id"]), cast(int, rows[0]["attempts"])
            # The lease of whoever intended this is over: its create may have been carried out.
            transaction.run("doubt_expired", group_id=group_id, owner=owner, note=DIED)
            return Claim(group_id=group_id, tracker=tracker, owner=owner, attempts=attempts)

        return self._connection.write(take)

    def load(self, claim: Claim) -> tuple[Group, Issue | None]:
        """The group and its live issue, as they are now."""

        def both(transaction: Transaction) -> tuple[Group, Issue | None]:
            row = transaction.rows("group_by_id", group_id=claim.group_id)[0]
            issues = transaction.rows("live_issue", group_id=claim.group_id)
            releases = transaction.rows("group_releases", group_id=claim.group_id)
            return group_of(row, releases), issue_of(issues[0]) if issues else None

        return self._connection.read(both)

    def intend(self, claim: Claim, marker: str, now: float) -> None:
        """Put on disk that a create is about to be sent."""

        def write(transaction: Transaction) -> None:
            transaction.run("want_issue", group_id=claim.group_id, tracker=claim.tracker, marker=marker)
            intended = transaction.run(
                "intend",
                group_id=claim.group_id,
                tracker=claim.tracker,
                marker=marker,
                owner=claim.owner,
                now=now,
            )
            if not intended:
                raise LeaseLost(f"group {claim.group_id} already has an issue, or one in doubt")

        self._owned(claim, now, write)

    def link(self, claim: Claim, created: Created, revision: int, now: float) -> None:
        """The issue exists and shows `revision`."""

        def write(transaction: Transaction) -> None:
            linked = transaction.run(
                "link",
                group_id=claim.group_id,
                owner=claim.owner,
                remote_id=created.remote_id,
                key=created.key,
                url=created.url,
                note="; ".join(created.notes) or None,
                revision=revision,
                now=now,
            )
            if not linked:
                raise LeaseLost(f"group {claim.group_id} was taken over before its issue {created.key} could be linked")
            transaction.run("raise_floor", tracker=claim.tracker, number=created.number)
            if not _renew(transaction, claim, now):
                # Whoever took over may have settled the group as in doubt: what came meanwhile is owed again.
                transaction.batch("owe", [(claim.group_id, claim.tracker, now)])

        # Not bound to the lease: only the sender of this very intent can link it, however late.
        self._connection.write(write)

    def not_created(self, claim: Claim, note: str) -> None:
        """The create was certainly not carried out."""
        self._connection.write(
            lambda transaction: transaction.run("not_created", group_id=claim.group_id, owner=claim.owner, note=note)
        )

    def doubt(self, claim: Claim, note: str) -> None:
        """Nobody knows whether the create was carried out; it is not sent again without proof."""
        self._connection.write(
            lambda transaction: transaction.run("doubt", group_id=claim.group_id, owner=claim.owner, note=note)
        )

    def intend_comment(self, claim: Claim, now: float) -> None:
        """Put on disk that the status comment is about to be sent."""
        self._owned(
            claim,
            now,
            lambda transaction: transaction.run("intend_comment", group_id=claim.group_id, now=now),
        )

    def link_comment(self, claim: Claim, comment_id: str | None, now: float) -> None:
        """The status comment has this id; None when there certainly is none."""
        self._owned(
            claim,
            now,
            lambda transaction: transaction.run("link_comment", group_id=claim.group_id, comment_id=comment_id),
        )

    def synced(self, claim: Claim, revision: int, now: float) -> None:
        """The issue shows `revision`."""
        self._owned(
            claim,
            now,
            lambda transaction: transaction.run("synced", group_id=claim.group_id, revision=revision, now=now),
        )

    def settle(self, claim: Claim, plan: Plan, outcome: str | None, revision: int, again_at: float, now: float) -> None:
        """Nothing more is owed; if the group went beyond `revision` meanwhile, it is due again at `again_at`."""

        def write(transaction: Transaction) -> None:
            _record(transaction, claim, plan, outcome, now)
            if outcome is not None:
                transaction.run("resume", tracker=claim.tracker)
            _settle(transaction, claim, revision, again_at)

        self._owned(claim, now, write)

    def postpone(self, claim: Claim, plan: Plan, reason: str, due_at: float, attempts: int, now: float) -> None:
        """Try again at a time."""

        def write(transaction: Transaction) -> None:
            _record(transaction, claim, plan, reason, now)
            _release(transaction, claim, due_at, attempts, reason)

        self._owned(claim, now, write)

    def park(self, claim: Claim, plan: Plan, reason: str, revision: int, now: float) -> None:
        """The issue is gone from its tracker: nothing more is sent until a person decides."""

        def write(transaction: Transaction) -> None:
            _record(transaction, claim, plan, reason, now)
            transaction.run("park", group_id=claim.group_id, note=reason)
            _settle(transaction, claim, revision, now)

        self._owned(claim, now, write)

    def bury(self, claim: Claim, plan: Plan, reason: str, now: float) -> None:
        """A dead letter: this content will never be taken."""

        def write(transaction: Transaction) -> None:
            _record(transaction, claim, plan, reason, now)
            transaction.run("bury", group_id=claim.group_id, owner=claim.owner, reason=reason)

        self._owned(claim, now, write)

    def _owned(self, claim: Claim, now: float, operation: Callable[[Transaction], T]) -> T:
        def fenced(transaction: Transaction) -> T:
            if not _renew(transaction, claim, now):
                raise LeaseLost(f"the lease on group {claim.group_id} is over")
            return operation(transaction)

        return self._connection.write(fenced)

    def pause(self, tracker: str, reason: str, until: float) -> None:
        """Let the tracker rest until a time."""
        self._connection.write(
            lambda transaction: transaction.run("pause", tracker=tracker, reason=reason, until=until)
        )

    def paused_until(self, tracker: str) -> float | None:
        """The end of the tracker's pause, or None."""
        rows = self._connection.read(lambda transaction: transaction.rows("trackers"))
        return next(
            (cast(float, row["until"]) for row in rows if row["name"] == tracker and row["state"] == "paused"),
            None,
        )

    def forget_homes(self) -> None:
        """Forget what is known of trackers that hold no issue, so that a mistaken configuration can be mended."""
        self._connection.write(lambda transaction: transaction.run("forget_homes"))

    def take_over(self, is_dead: Callable[[str], bool], now: float) -> list[str]:
        """Free what dead owners held; their creates are in doubt. The dead are returned."""

        def write(transaction: Transaction) -> list[str]:
            owners = [cast(str, row["owner"]) for row in transaction.rows("owners")]
            dead = [owner for owner in owners if is_dead(owner)]
            for owner in dead:
                transaction.run("doubt_dead", owner=owner, note=DIED)
                transaction.run("free_claims", owner=owner, now=now)
            return dead

        return self._connection.write(write)

    def reroute(self, owes: Owes, configuration: str, now: float) -> int:
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


def _renew(transaction: Transaction, claim: Claim, now: float) -> bool:
    """Whether the claim is still ours; its lease then begins anew."""
    leased_until = now + LEASE_SECONDS
    return transaction.run("renew", group_id=claim.group_id, owner=claim.owner, leased_until=leased_until) > 0


def _record(transaction: Transaction, claim: Claim, plan: Plan, outcome: str | None, now: float) -> None:
    facts = {"group_id": claim.group_id, "action": plan.action, "reason": plan.reason, "now": now}
    before = transaction.rows("decision", group_id=claim.group_id)[0]
    transaction.run("decide", **facts)
    if outcome is not None or (before["decision"], before["decision_reason"]) != (plan.action, plan.reason):
        transaction.run("record", outcome=outcome, **facts)


def _settle(transaction: Transaction, claim: Claim, revision: int, again_at: float) -> None:
    if not transaction.run("settle", group_id=claim.group_id, owner=claim.owner, revision=revision):
        _release(transaction, claim, again_at, 0, None)


def _release(transaction: Transaction, claim: Claim, due_at: float, attempts: int, reason: str | None) -> None:
    transaction.run(
        "release_claim",
        group_id=claim.group_id,
        owner=claim.owner,
        due_at=due_at,
        attempts=attempts,
        reason=reason,
    )


def _reroute(transaction: Transaction, owes: Owes, after: int, now: float) -> list[int]:
    ids = []
    for row in transaction.rows("unsettled_groups", after=after, size=500):
        group_id = cast(int, row["id"])
        ids.append(group_id)
        owed = owes(group_of(row, []), None, now)
        if owed.tracker is None:
            transaction.run("forget_owed", group_id=group_id)
            transaction.run("decide", group_id=group_id, action="hold", reason=owed.reason, now=now)
        else:
            transaction.batch("owe", [(group_id, owed.tracker, now)])
            transaction.run("move", group_id=group_id, tracker=owed.tracker)
    return ids


class Notebook:
    """`trackers.Notebook` in the store."""

    def __init__(self, connection: Connection, tracker: str) -> None:
        self._connection = connection
        self._tracker = tracker

    def recall(self, fact: str) -> str | None:
        rows = self._connection.read(lambda transaction: transaction.rows("recall", tracker=self._tracker, fact=fact))
        return cast(str, rows[0]["value"]) if rows else None

    def note(self, fact: str, value: str) -> None:
        self._connection.write(
            lambda transaction: transaction.run("note", tracker=self._tracker, fact=fact, value=value)
        )
