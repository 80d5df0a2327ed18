"""What a tracker and its credential may be asked for, and when: rests, silences, budgets. All of it outlives a restart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from syncd.core import budget, plan
from syncd.core.budget import Bucket, Limit
from syncd.model import Call
from syncd.store.claims import HORIZON_SECONDS, LEASE_SECONDS, Claim, in_force, owned
from syncd.store.connection import Connection, Transaction

ALL = "all"  # the part of a silence that holds for every kind of call


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a tracker's credential may write. Trackers with the same credential share it."""

    credential: str
    limits: Sequence[Limit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The highest issue number known of a tracker, and when the tracker itself last said so."""

    number: int
    read_at: float | None


class Limits:
    """Operations on trackers and credentials; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def opens(self, tracker: str, allowance: Allowance, now: float) -> dict[Call, float]:
        """From when on each kind of call may be made: a time that is not later than `now`, or one to wait for."""

        def read(transaction: Transaction) -> dict[Call, float]:
            rest = _rest(transaction, tracker, now)
            silences, buckets = _silences(transaction, allowance, now), _buckets(transaction, allowance, now)
            return {call: max(rest, now + _wait(silences, allowance, buckets, call, now)) for call in Call}

        return self._connection.read(read)

    def take(self, claim: Claim, allowance: Allowance, call: Call, now: float) -> float:
        """Take what one call costs: 0, or the seconds to wait where it may not be made yet. Raises LeaseLost."""
        return owned(self._connection, claim, now, lambda transaction: take(transaction, allowance, call, now))

    def left(self, allowance: Allowance, now: float) -> int | None:
        """How many writes may be made at once now; None where nothing limits them."""
        if not allowance.limits:
            return None
        buckets = self._connection.read(lambda transaction: _buckets(transaction, allowance, now))
        return min(int(bucket.tokens + 1e-9) for bucket in buckets)

    def silence(self, allowance: Allowance, part: Call | None, reason: str, until: float, now: float) -> None:
        """No call of this kind, or none at all, before a time."""
        name = ALL if part is None else part.name.lower()
        self._connection.write(
            lambda transaction: transaction.run(
                "silence",
                credential=allowance.credential,
                part=name,
                until=until,
                reason=reason,
                horizon=now + HORIZON_SECONDS,
            ),
            exclusive=False,
        )

    def pause(self, claim: Claim, reason: str, seconds: float | None, now: float) -> float | None:
        """Let a misconfigured tracker rest, longer each time: until when, or None where it rests already."""

        def write(transaction: Transaction) -> float | None:
            transaction.lock(f"tracker {claim.tracker}")
            rows = transaction.rows("tracker", tracker=claim.tracker)
            known = rows[0] if rows and rows[0]["state"] == "paused" else None
            if known is not None and not claim.trial and _resting(known, now):
                return None  # another thread was told the same, or an operator wants it so
            if known is not None and known["cause"] == "operator":
                return None
            attempts = cast(int, known["attempts"]) if known is not None else 0
            until = now + (plan.pause(attempts) if seconds is None else seconds)
            transaction.run(
                "pause",
                tracker=claim.tracker,
                reason=reason,
                until=until,
                cause="misconfigured",
                attempts=attempts + 1,
            )
            return until

        return self._connection.write(write, exclusive=False)

    def answered(self, tracker: str) -> bool:
        """The tracker works: whether it rested until now."""
        return self._connection.write(lambda transaction: answered(transaction, tracker), exclusive=False)

    def untried(self, claim: Claim, until: float) -> None:
        """The trial of a tracker that rested told nothing; the next is at a time."""
        self._connection.write(
            lambda transaction: transaction.run("end_trial", tracker=claim.tracker, until=until), exclusive=False
        )

    def pause_by_hand(self, tracker: str, reason: str) -> None:
        """Nothing more is sent to the tracker until `resume_by_hand`."""
        self._connection.write(
            lambda transaction: transaction.run(
                "pause", tracker=tracker, reason=reason, until=None, cause="operator", attempts=0
            )
        )

    def resume_by_hand(self, tracker: str, credential: str) -> bool:
        """Forget every reason to wait; whether there was one."""

        def write(transaction: Transaction) -> bool:
            resumed = transaction.run("resume", tracker=tracker, operator=1)
            return bool(transaction.run("break_silence", credential=credential) + resumed)

        return self._connection.write(write)

    def retry_rested(self, now: float) -> None:
        """A new start may have mended what a tracker rests for: it is tried at once."""
        self._connection.write(lambda transaction: transaction.run("retry_rested", now=now))

    def floor(self, tracker: str) -> Floor:
        """The highest issue number known."""
        rows = self._connection.read(lambda transaction: transaction.rows("floor", tracker=tracker))
        if not rows:
            return Floor(number=0, read_at=None)
        return Floor(number=cast(int, rows[0]["floor"]), read_at=cast(float | None, rows[0]["floor_at"]))

    def raise_floor(self, tracker: str, number: int, now: float) -> None:
        """The tracker said that there is an issue with this number."""

        def write(transaction: Transaction) -> None:
            transaction.run("raise_floor", tracker=tracker, number=number)
            transaction.run("floor_read", tracker=tracker, now=now)

        self._connection.write(write, exclusive=False)


def answered(transaction: Transaction, tracker: str) -> bool:
    """Whether the tracker rested until now, for another reason than an operator's."""
    return transaction.run("resume", tracker=tracker, operator=0) > 0


def begin_trial(transaction: Transaction, tracker: str, now: float) -> bool:
    """Whether a tracker that rested may be tried; for all others it goes on resting."""
    leased_until, horizon = now + LEASE_SECONDS, now + HORIZON_SECONDS
    return transaction.run("begin_trial", tracker=tracker, now=now, leased_until=leased_until, horizon=horizon) > 0


def take(transaction: Transaction, allowance: Allowance, call: Call, now: float) -> float:
    """Take what one call costs from every budget: 0, or the seconds to wait, with nothing taken. Ten processes that share a
    credential share its budgets."""
    spends = bool(allowance.limits) and call is not Call.PROBE
    if spends:
        transaction.lock(f"credential {allowance.credential}")
    silences, buckets = _silences(transaction, allowance, now), _buckets(transaction, allowance, now)
    if wait := _wait(silences, allowance, buckets, call, now):
        return wait
    if spends:
        for limit, bucket in zip(allowance.limits, buckets, strict=True):
            left = budget.taken(bucket, limit, now)
            transaction.run(
                "spend", credential=allowance.credential, allowance=_name(limit), tokens=left.tokens, at=left.at
            )
    return 0.0


def _silences(transaction: Transaction, allowance: Allowance, now: float) -> dict[str, float]:
    """Until when each part is to be silent."""
    rows = transaction.rows("silences", credential=allowance.credential)
    return {cast(str, row["part"]): until for row in rows if in_force(until := cast(float, row["until"]), now)}


def _wait(
    silences: Mapping[str, float], allowance: Allowance, buckets: Sequence[Bucket], call: Call, now: float
) -> float:
    """Seconds until a call of this kind may be made. Reading costs no write, and so no budget."""
    waits = [silences[part] - now for part in (ALL, call.name.lower()) if part in silences]
    if call is not Call.PROBE:
        waits += [budget.wait(bucket, limit, now) for limit, bucket in zip(allowance.limits, buckets, strict=True)]
    return max(waits, default=0.0)


def _buckets(transaction: Transaction, allowance: Allowance, now: float) -> list[Bucket]:
    rows = transaction.rows("budget", credential=allowance.credential) if allowance.limits else []
    known = {row["allowance"]: Bucket(cast(float, row["tokens"]), cast(float, row["at"])) for row in rows}
    return [budget.refilled(known.get(_name(limit), budget.full(limit, now)), limit, now) for limit in allowance.limits]


def _name(limit: Limit) -> str:
    return f"{limit.count}/{limit.seconds:g}s"


def _rest(transaction: Transaction, tracker: str, now: float) -> float:
    """When the rest of a tracker is over: now, a time, or never by itself."""
    rows = transaction.rows("tracker", tracker=tracker)
    if not rows or not _resting(rows[0], now):
        return now
    until = cast(float | None, rows[0]["until"])
    return math.inf if until is None else until


def _resting(row: Mapping[str, object], now: float) -> bool:
    until = cast(float | None, row["until"])
    return row["state"] == "paused" and (until is None or in_force(until, now))
