"""Groups that need a person, and the way out: dead letters, parked and dropped groups, and the replay of deliveries."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, cast

from syncd.core.plan import DueCall
from syncd.model import Action, Call, Issue, IssueState, Plan
from syncd.store import audit
from syncd.store.audit import STORE, Subject
from syncd.store.bodies import BodyOperations
from syncd.store.connection import Transaction, reads, writes
from syncd.store.outbox import decide, note, owe
from syncd.store.records import issue_of

EVERYTHING = 2**31 - 1
BATCH = 500  # deliveries that are put back in one transaction; the receiver waits for the writer as long as one lasts
REPLAYED = "an operator asked to read its deliveries again"


class Kind(StrEnum):
    """The state in which a group needs a person."""

    DEAD = "dead"  # its tracker refused the content
    PARKED = "parked"  # a person must decide
    DROPPED = "dropped"  # no call is ever due again


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A group that needs a person. `since` is when that was decided. `cause` is None for a dead letter, otherwise `doubt`, `deleted`,
    `out of reach` or `discarded`. `issue` is None if none is certain to exist."""

    group_id: int
    kind: Kind
    universe: str
    project: str
    fingerprint: str
    tracker: str
    reason: str
    since: float
    cause: str | None
    issue: Issue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An absorbed delivery that is not yet purged."""

    id: int
    received_at: float
    body: bytes
    source: str | None
    fingerprint: str | None


class DeadLetters(BodyOperations):
    """Operations of the commands `dead` and `replay`, which run while the daemon does."""

    @reads
    def all(self, transaction: Transaction, size: int = EVERYTHING) -> list[DeadLetter]:
        """Return all, the newest first."""
        return [_letter(transaction, row) for row in transaction.rows("dead_letters", size=size)]

    @reads
    def of(self, transaction: Transaction, group_id: int) -> DeadLetter | None:
        """Return that of a group; None if the group needs nobody."""
        rows = transaction.rows("dead_letter", group_id=group_id)
        return _letter(transaction, rows[0]) if rows else None

    @writes
    def retry(self, transaction: Transaction, letter: DeadLetter, now: float, *, absent: bool = False) -> bool:
        """Make a call due again; False if the group needs nobody by now.

        A dead letter is sent again, even with the same content. A parked create is probed from the beginning; with `absent`, a person
        has looked and found no issue, and the create is sent. A deleted issue is created anew, and an issue that was out of reach is
        updated, with `absent` created anew.
        """
        if letter.kind is Kind.DEAD:
            done = transaction.run("revive", group_id=letter.group_id, now=now) > 0
        else:
            call = _unpark(transaction, letter, now, absent)
            done = call is not None
            if call is not None:
                owe(transaction, {letter.group_id: DueCall(tracker=letter.tracker, due_at=now, call=call)})
        if done:
            transaction.run("refuse", group_id=letter.group_id, content=None)
            plan = Plan(action=Action.WAIT, reason="an operator asked for another try", rule="operator")
            decide(transaction, letter.group_id, plan, None, now, actor=self._actor)
            after = "to be created anew, no issue exists" if absent else "tried again"
            self._record(transaction, "retry", letter, after, now)
        return done

    @writes
    def discard(self, transaction: Transaction, letter: DeadLetter, now: float) -> bool:
        """Drop the group; False if it needs nobody by now or is dropped already. A dead letter returns with the next other content."""
        if letter.kind is Kind.DROPPED:
            return False  # its cause has to stay: after a deletion another try would write to the deleted issue
        query = "discard_dead" if letter.kind is Kind.DEAD else "drop_parked"
        done = transaction.run(query, group_id=letter.group_id) > 0
        if done:
            reason = f"discarded by an operator: {letter.reason}"
            plan = Plan(action=Action.DROP, reason=reason, rule="operator")
            decide(transaction, letter.group_id, plan, None, now, actor=self._actor)
            self._record(transaction, "discard", letter, "dropped", now)
        return done

    def _record(self, transaction: Transaction, action: str, letter: DeadLetter, after: str, now: float) -> None:
        subject = Subject(audit.Kind.GROUP, letter.fingerprint, letter.group_id)
        audit.record(
            transaction, self._actor, action, subject, f"{letter.kind} → {after}; it was: {letter.reason}", now
        )

    @reads
    def replayable(
        self, transaction: Transaction, after: int, since: float, group_id: int | None, size: int = 500
    ) -> list[Kept]:
        """Return absorbed deliveries with numbers above `after`, received at `since` or later, of one group or of all."""
        rows = transaction.rows("replayable", after=after, since=since, group_id=group_id, size=size)
        bodies = self._bodies.unpack(transaction, [cast(bytes, row["body"]) for row in rows])
        return [Kept(**{**row, "body": body}) for row, body in zip(cast(Any, rows), bodies, strict=True)]

    def replay(self, numbers: Iterable[int], now: float, subject: Subject = STORE) -> int:
        """Put deliveries back into the inbox, and return how many. They are folded again, and count only if this version parses them to
        other facts. The audit has one entry about `subject`, however many transactions that takes."""
        count, entry = 0, None
        rest = iter(numbers)
        while batch := list(islice(rest, BATCH)):
            count, entry = self._replay(batch, now, subject, count, entry)
        return count

    @writes
    def _replay(
        self, transaction: Transaction, batch: list[int], now: float, subject: Subject, count: int, entry: int | None
    ) -> tuple[int, int | None]:
        returned = len(transaction.batch("replay", [(number, now) for number in batch]))
        if not returned:
            return count, entry
        detail = f"folded → in the inbox; deliveries: {count + returned:,}"
        if entry is not None:
            audit.amend(transaction, entry, detail)
        else:
            entry = audit.record(transaction, self._actor, "replay", subject, detail, now)
            if subject.group_id is not None:
                note(transaction, subject.group_id, "replay", REPLAYED, self._actor, now)
        return count + returned, entry


def _letter(transaction: Transaction, row: dict[str, object]) -> DeadLetter:
    issues = transaction.rows("live_issue", group_id=row["id"])
    issue = issue_of(issues[0]) if issues else None
    dead = row["owed"] == "dead"
    parked = issue is not None and issue.state is IssueState.PARKED
    cause = None if dead or not issues else cast(str | None, issues[0]["cause"])
    reason = row["owed_reason"] if dead or issue is None else issue.note
    if cause == "discarded":
        reason = f"discarded by an operator: {reason}"
    return DeadLetter(
        group_id=cast(int, row["id"]),
        kind=Kind.DEAD if dead else Kind.PARKED if parked else Kind.DROPPED,
        universe=cast(str, row["universe"]),
        project=cast(str, row["project"]),
        fingerprint=cast(str, row["fingerprint"]),
        tracker=cast(str, row["letter_tracker"]),
        reason=str(reason or row["decision_reason"] or ""),
        since=cast(float, row["decided_at"] or 0.0),
        cause=cause,
        issue=issue if issue is not None and issue.remote_id is not None else None,
    )


def _unpark(transaction: Transaction, letter: DeadLetter, now: float, absent: bool) -> Call | None:
    """Return the call that is due for a parked group; None if it is not parked any more."""
    rows = transaction.rows("live_issue", group_id=letter.group_id)
    if not rows or rows[0]["state"] != "parked":
        return None
    facts = {"group_id": letter.group_id}
    if rows[0]["remote_id"] is None and rows[0]["cause"] != "deleted":
        if absent:
            transaction.run("unpark_absent", note="an operator has looked: there is no issue", **facts)
            return Call.CREATE
        transaction.run("unpark_doubt", now=now, **facts)
        return Call.PROBE
    if rows[0]["cause"] == "deleted" or absent:
        reason = "a person has looked" if absent else "deleted in its tracker"
        transaction.run("retire", note=f"{reason}; an operator wanted another one", cause=None, **facts)
        return Call.CREATE
    transaction.run("unpark_linked", **facts)
    return Call.UPDATE
