"""When a tracker may be called: its rest, the silences of its credential, and the credential's budgets of writes. Pure.

A budget is a token bucket. A bucket for a limit of `count` writes in any `seconds` holds a fifth of them and is refilled so slowly that no window of
that length, wherever it begins, sees more than `count`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncd.model import Call

HORIZON_SECONDS = 86400.0  # nothing is ever put off longer
SKEW_SECONDS = 60.0  # between two machines that share a store, each half a minute off its clock


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` writes in any `seconds`."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was left at a time, in epoch seconds."""

    tokens: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a tracker's credential may write. Trackers with the same credential share it."""

    credential: str
    limits: Sequence[Limit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was written down of a tracker and its credential. `rests_until` is infinite for a pause without an end; `silences` has the
    end of each by the kind of call, None for all kinds; `buckets` has what is left by the name of a limit."""

    rests_until: float = 0.0
    silences: Mapping[Call | None, float] = field(default_factory=dict)
    buckets: Mapping[str, Bucket] = field(default_factory=dict)


def opens(standing: Standing, allowance: Allowance, now: float) -> dict[Call, float]:
    """From when on each kind of call may be made: a time that is not later than `now`, or one to wait for."""
    until = standing.rests_until
    rest = until if in_force(until, now) or until == float("inf") else now
    return {call: max(rest, now + call_wait(standing, allowance, call, now)) for call in Call}


def call_wait(standing: Standing, allowance: Allowance, call: Call, now: float) -> float:
    """Seconds until the credential allows a call of this kind. Reading costs no write, and so no budget."""
    waits = [until - now for part, until in standing.silences.items() if part in (None, call) and in_force(until, now)]
    if call is not Call.PROBE:
        waits += [wait(bucket, limit, now) for limit, bucket in _of_limits(standing.buckets, allowance, now)]
    return max(waits, default=0.0)


def spent(buckets: Mapping[str, Bucket], allowance: Allowance, now: float) -> dict[str, Bucket]:
    """The buckets of the allowance after one write, by the names of their limits."""
    return {name(limit): taken(bucket, limit, now) for limit, bucket in _of_limits(buckets, allowance, now)}


def left(buckets: Mapping[str, Bucket], allowance: Allowance, now: float) -> int | None:
    """How many writes may follow each other at once now; None where nothing limits them."""
    return min((int(bucket.tokens + 1e-9) for _, bucket in _of_limits(buckets, allowance, now)), default=None)


def in_force(until: float, now: float) -> bool:
    """Whether a rest or a silence lasts. An end beyond the horizon was written by a clock that has been set back since."""
    return now < until <= now + HORIZON_SECONDS


def name(limit: Limit) -> str:
    """By which a limit's bucket is kept."""
    return f"{limit.count}/{limit.seconds:g}s"


def _of_limits(buckets: Mapping[str, Bucket], allowance: Allowance, now: float) -> list[tuple[Limit, Bucket]]:
    """Each limit with its bucket as it is now, full where nothing was taken yet."""
    return [(limit, refilled(buckets.get(name(limit), full(limit, now)), limit, now)) for limit in allowance.limits]


def burst(limit: Limit) -> int:
    """How many writes may follow each other at once."""
    return max(1, limit.count // 5)


def full(limit: Limit, now: float) -> Bucket:
    """A bucket that nothing was taken from yet."""
    return Bucket(float(burst(limit)), now)


def refilled(bucket: Bucket, limit: Limit, now: float) -> Bucket:
    """The bucket as it is now. Of several machines the one whose clock is ahead refills it: what another one filled must not be filled
    once more. After a clock was set back, refilling begins anew."""
    if now < bucket.at <= now + SKEW_SECONDS:
        return bucket
    gained = max(0.0, now - bucket.at) * _rate(limit)
    return Bucket(min(float(burst(limit)), bucket.tokens + gained), now)


def wait(bucket: Bucket, limit: Limit, now: float) -> float:
    """Seconds until one write may be taken; 0 for now."""
    current = refilled(bucket, limit, now)
    lacking = 1.0 - current.tokens
    # A little more than needed, or rounding would leave a write that is due a hair short of its token.
    return current.at - now + lacking / _rate(limit) + 0.001 if lacking > 1e-9 else 0.0


def taken(bucket: Bucket, limit: Limit, now: float) -> Bucket:
    """The bucket after one write."""
    current = refilled(bucket, limit, now)
    return Bucket(max(0.0, current.tokens - 1.0), current.at)


def _rate(limit: Limit) -> float:
    """Tokens a second. The first of a burst costs nothing: it would have been let through alone."""
    return (limit.count - burst(limit) + 1) / limit.seconds
