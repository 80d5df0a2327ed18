"""How often a credential may write: token buckets. Pure.

A bucket for a limit of `count` writes in any `seconds` holds a fifth of them and is refilled so slowly that no window of
that length, wherever it begins, sees more than `count`.
"""

from dataclasses import dataclass

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
    left = refilled(bucket, limit, now)
    lacking = 1.0 - left.tokens
    # A little more than needed, or rounding would leave a write that is due a hair short of its token.
    return left.at - now + lacking / _rate(limit) + 0.001 if lacking > 1e-9 else 0.0


def taken(bucket: Bucket, limit: Limit, now: float) -> Bucket:
    """The bucket after one write."""
    left = refilled(bucket, limit, now)
    return Bucket(max(0.0, left.tokens - 1.0), left.at)


def _rate(limit: Limit) -> float:
    """Tokens a second. The first of a burst costs nothing: it would have been let through alone."""
    return (limit.count - burst(limit) + 1) / limit.seconds
