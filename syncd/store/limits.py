"""The limits of calls: rests, silences and budgets of a tracker and its credential, its highest issue number, and pauses of routes. All of
it outlives a restart. `core.budget` decides by these facts who may call when."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from syncd.core.budget import BEHIND_SECONDS, HORIZON_SECONDS, Bucket, Outage, Standing
from syncd.model import Call
from syncd.store import audit
from syncd.store.audit import Kind, Subject
from syncd.store.connection import Operations, Transaction, writes

ALL = "all"  # the part of a silence that holds for every kind of call
UNREACHABLE = "unreachable"  # the cause of a rest that one read ends; no group is claimed before
COPY = "copy"  # the cause of a rest that begins where a copy of the store files too
BY_HAND = ("operator", COPY)  # the causes of rests that only an operator ends
FAILING = "failing"  # the cause of a rest that the call of one group ends: reads are answered, and the calls of several groups are not


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The highest issue number known of a tracker, and when the tracker itself last said so."""

    number: int
    read_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A paused tracker: why; until when, None for ever; by whom; how often in a row it was tried without success; and its outage."""

    reason: str
    until: float | None
    cause: str
    attempts: int
    outage: Outage


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePause:
    """Which route is paused, why, and since when."""

    route: str
    reason: str
    at: float


class Limits(Operations):
    """Whole transactions on trackers and credentials; for any thread."""

    @writes
    def pause_by_hand(self, transaction: Transaction, tracker: str, reason: str, now: float) -> None:
        """Send nothing more to the tracker until `resume_by_hand`."""
        before = rest(transaction, tracker)
        pause(transaction, tracker, reason, None, "operator", 0)
        if rest(transaction, tracker) != before:
            detail = f"{_state(before)} → paused: {reason}"
            audit.record(transaction, self._actor, "pause", Subject(Kind.TRACKER, tracker), detail, now)

    @writes
    def resume_by_hand(self, transaction: Transaction, tracker: str, credential: str, now: float) -> bool:
        """Forget every reason to wait for the tracker; whether there was one."""
        before = _state(rest(transaction, tracker))
        transaction.run("hasten_rested", tracker=tracker, behind=BEHIND_SECONDS, now=now)
        resumed = transaction.run("resume", tracker=tracker, operator=1)
        broken = transaction.run("break_silence", credential=credential)
        if resumed or broken:
            detail = f"{before}{', asked for silence' if broken else ''} → ok"
            audit.record(transaction, self._actor, "resume", Subject(Kind.TRACKER, tracker), detail, now)
        return bool(resumed + broken)

    @writes
    def try_now(self, transaction: Transaction, tracker: str, now: float) -> None:
        """End the wait of a tracker that rests: something changed that may have been the cause."""
        transaction.run("hasten_rested", tracker=tracker, behind=BEHIND_SECONDS, now=now)
        end_trial(transaction, tracker, now)

    def route_pauses(self) -> list[RoutePause]:
        """Return all paused routes."""
        return [RoutePause(**cast(dict[str, Any], row)) for row in self._connection.select("route_pauses")]

    @writes
    def pause_route(self, transaction: Transaction, route: str, reason: str, now: float) -> None:
        """File nothing by the route, and write nothing, until it is resumed."""
        before = route_pause(transaction, route)
        transaction.run("pause_route", route=route, reason=reason, now=now)
        detail = f"{'ok' if before is None else f'paused: {before}'} → paused: {reason}"
        audit.record(transaction, self._actor, "pause", Subject(Kind.ROUTE, route), detail, now)


def _state(at_rest: Rest | None) -> str:
    """The state of a tracker for people."""
    return "ok" if at_rest is None else f"paused: {at_rest.reason}"


def standing(transaction: Transaction, tracker: str, credential: str) -> Standing:
    """The facts that say when a tracker may be called with a credential."""
    at_rest = rest(transaction, tracker)
    silences = transaction.rows("silences", credential=credential)
    buckets = transaction.rows("budget", credential=credential)
    return Standing(
        rests_until=0.0
        if at_rest is None
        else math.inf
        if at_rest.until is None or at_rest.cause == UNREACHABLE
        else at_rest.until,
        failing=at_rest is not None and at_rest.cause == FAILING,
        silences={
            None if row["part"] == ALL else Call[str(row["part"]).upper()]: cast(float, row["until"])
            for row in silences
        },
        buckets={str(row["allowance"]): Bucket(cast(float, row["tokens"]), cast(float, row["at"])) for row in buckets},
    )


def spend(transaction: Transaction, credential: str, left: Mapping[str, Bucket]) -> None:
    """Write what is left of each budget. The caller has locked the credential before it read the budgets."""
    for name, bucket in left.items():
        transaction.run("spend", credential=credential, allowance=name, tokens=bucket.tokens, at=bucket.at)


def silence(
    transaction: Transaction, credential: str, part: Call | None, reason: str, until: float, now: float
) -> None:
    """Make no call of this kind, or none at all, before `until`; a longer silence stands."""
    transaction.run(
        "silence",
        credential=credential,
        part=ALL if part is None else part.name.lower(),
        until=until,
        reason=reason,
        horizon=now + HORIZON_SECONDS,
    )


def rest(transaction: Transaction, tracker: str) -> Rest | None:
    """The pause of a tracker, also one that is over and not tried yet; None where it answers."""
    rows = transaction.rows("tracker", tracker=tracker)
    if not rows or rows[0]["state"] != "paused":
        return None
    return Rest(
        reason=str(rows[0]["reason"]),
        until=cast(float | None, rows[0]["until"]),
        cause=str(rows[0]["cause"]),
        attempts=cast(int, rows[0]["attempts"]),
        outage=_outage_of(rows[0]),
    )


def behind_rest(transaction: Transaction, tracker: str) -> float:
    """The time at which a group that a resting tracker refused is due again; 0 where the tracker does not rest, or rests for ever."""
    at_rest = rest(transaction, tracker)
    return 0.0 if at_rest is None or at_rest.until is None else at_rest.until + BEHIND_SECONDS


def outage(transaction: Transaction, tracker: str) -> Outage:
    """The calls that the tracker's API has not answered since it last answered one."""
    rows = transaction.rows("tracker", tracker=tracker)
    return _outage_of(rows[0]) if rows else Outage()


def _outage_of(row: Mapping[str, object]) -> Outage:
    return Outage(
        failures=cast(int, row["failures"]),
        since=cast(float | None, row["failing_since"]),
        groups=tuple(json.loads(str(row["failed_groups"]))),
    )


def pause(
    transaction: Transaction,
    tracker: str,
    reason: str,
    until: float | None,
    cause: str,
    attempts: int,
    outage: Outage | None = None,
) -> None:
    """Let a tracker rest until a time, or for ever. The caller has locked the tracker where it judged by its rest. Without an outage it
    has answered."""
    outage = outage or Outage()
    transaction.run(
        "pause",
        tracker=tracker,
        reason=reason,
        until=until,
        cause=cause,
        attempts=attempts,
        failures=outage.failures,
        since=outage.since,
        groups=json.dumps(outage.groups),
    )


def resume(transaction: Transaction, tracker: str) -> bool:
    """A call of the tracker has succeeded: whether it rested until now, for another reason than an operator's."""
    rows = transaction.rows("tracker", tracker=tracker)
    if not rows or (rows[0]["state"] == "ok" and rows[0]["failed_groups"] == "[]"):
        return False
    return transaction.run("resume", tracker=tracker, operator=0) > 0 and rows[0]["state"] != "ok"


def reach(transaction: Transaction, tracker: str, *, answered: bool = False) -> None:
    """The unreachable tracker has answered: a read, or with `answered` the call of a group."""
    transaction.run("reach", tracker=tracker, answered=int(answered))


def end_trial(transaction: Transaction, tracker: str, until: float) -> None:
    """The trial call was inconclusive; the next one may be made at `until`."""
    transaction.run("end_trial", tracker=tracker, until=until)


def floor(transaction: Transaction, tracker: str) -> Floor:
    """The highest issue number known."""
    rows = transaction.rows("floor", tracker=tracker)
    if not rows:
        return Floor(number=0, read_at=None)
    return Floor(number=cast(int, rows[0]["floor"]), read_at=cast(float | None, rows[0]["floor_at"]))


def raise_floor(transaction: Transaction, tracker: str, number: int, now: float, *, highest: bool = False) -> None:
    """The tracker has an issue with this number; it said itself that this is the `highest`."""
    transaction.run("raise_floor", tracker=tracker, number=number, now=now)
    if highest:
        transaction.run("floor_read", tracker=tracker, now=now)
        lower_floor(transaction, tracker, number)


def numbers_passed(transaction: Transaction, tracker: str, until: float) -> None:
    """Others took numbers of the tracker: what is known of its highest number holds until a time at most."""
    transaction.run("numbers_passed", tracker=tracker, now=until)


def lower_floor(transaction: Transaction, tracker: str, number: int) -> None:
    """The tracker may give each number above this one from now on: its list lags, or it was restored from a backup. A floor that is too
    low makes probes read more; one that is too high hides issues from them."""
    transaction.run("lower_floor", tracker=tracker, number=number)
    transaction.run("forget_strays", tracker=tracker, number=number)


def route_pause(transaction: Transaction, route: str) -> str | None:
    """Return the reason why the route is paused, None if it is not."""
    rows = transaction.rows("route_pause", route=route)
    return str(rows[0]["reason"]) if rows else None


def resume_route(transaction: Transaction, route: str, rule: str, now: float) -> Sequence[int] | None:
    """End the pause of a route and make due what `rule`, that of pauses, put off. Return the ids of the groups that it holds; None if the
    route was not paused."""
    if not transaction.run("resume_route", route=route):
        return None
    transaction.run("wake_route", rule=rule, now=now)
    return [cast(int, row["id"]) for row in transaction.rows("held_by_rule", rule=rule, route=route)]
