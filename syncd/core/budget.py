"""The times of tracker calls: the tracker's rest, the silences and write budgets of its credential, a route's limit of new issues. Pure.

A budget is a token bucket. The bucket for a limit of `count` writes in any `seconds` holds a fifth of them. It is refilled so slowly
that no window of that length has more than `count` writes, wherever it begins. A storm is a route at its limit: it holds new groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from syncd.core.quantities import duration
from syncd.model import Call

HORIZON_SECONDS = 86400.0  # a time further away was stored by a clock that has been set back since
CALM_SECONDS = 3600.0  # without a held group until a storm ends; a shorter pause keeps its issue open
MOST_AT_ONCE = 500  # groups released in one transaction
GATHERED_SHARE = (
    5  # a fifth of what is left of a limit: more new groups at once are gathered, and so many are filed at a time
)
SKEW_SECONDS = 60.0  # between two machines that share a store, each half a minute off its clock
FAILURES = 3  # calls in a row without an answer until a tracker counts as unreachable; and groups until it takes one call at a time
# No call is delayed longer, so that every machine takes the end for a time to come.
LONGEST_SECONDS = HORIZON_SECONDS - SKEW_SECONDS
# Groups whose calls of one kind a tracker refuses, and takes none between them: the project is to blame.
REFUSED_IN_A_ROW = 3
BEHIND_SECONDS = 2.0  # after a rest until the group that caused it is due: any other group is the trial


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` writes in any `seconds`."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """The tokens that were left at a time, in epoch seconds."""

    tokens: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The limits of writes of a credential. Trackers with the same credential share them."""

    credential: str
    limits: Sequence[Limit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The stored state of a tracker and its credential.

    `rests_until` is infinite for a pause without an end, and for a tracker that is unreachable. `failing`: it answers reads, and not the
    calls of several groups. `silences` are the ends of silences by kind of call, None for all kinds. `buckets` are the budgets by the name
    of their limit.
    """

    rests_until: float = 0.0
    failing: bool = False
    silences: Mapping[Call | None, float] = field(default_factory=dict)
    buckets: Mapping[str, Bucket] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """How many calls in a row a tracker's API has not answered, and since when; and the groups, FAILURES at most, whose calls failed like
    this since a call last succeeded: more groups than one show that the cause is not in the group."""

    failures: int = 0
    since: float | None = None
    groups: tuple[int, ...] = ()

    def failed(self, group_id: int | None, now: float) -> "Outage":
        """Return the outage after one more call, for a group or for none."""
        since = now if self.since is None else self.since
        groups = self.groups
        if group_id is not None:
            groups = (*(earlier for earlier in groups if earlier != group_id), group_id)[-FAILURES:]
        return replace(self, failures=self.failures + 1, since=since, groups=groups)


def opens(standing: Standing, allowance: Allowance, now: float) -> dict[Call, float]:
    """The time from which each kind of call is allowed, the most urgent kind first; `now` or earlier if it is allowed now."""
    until = standing.rests_until
    rest = until if in_force(until, now) or until == float("inf") else now
    # A probe clears a doubt. A create whose answer is lost, too, adds one.
    order = sorted(Call, key=lambda call: call is not Call.PROBE) if standing.failing else Call
    return {call: max(rest, now + call_wait(standing, allowance, call, now)) for call in order}


def call_wait(standing: Standing, allowance: Allowance, call: Call, now: float) -> float:
    """Seconds until the credential allows a call of this kind. A probe only reads and needs no budget."""
    waits = [until - now for part, until in standing.silences.items() if part in (None, call) and in_force(until, now)]
    if call is not Call.PROBE:
        waits += [wait(bucket, limit, now) for limit, bucket in _of_limits(standing.buckets, allowance, now)]
    return max(waits, default=0.0)


def spent(buckets: Mapping[str, Bucket], allowance: Allowance, now: float) -> dict[str, Bucket]:
    """The buckets of the allowance after one write, by the names of their limits."""
    return {name(limit): taken(bucket, limit, now) for limit, bucket in _of_limits(buckets, allowance, now)}


def remaining(buckets: Mapping[str, Bucket], allowance: Allowance, now: float) -> int | None:
    """The number of writes that may follow each other at once now; None without a limit."""
    return min((int(bucket.tokens + 1e-9) for _, bucket in _of_limits(buckets, allowance, now)), default=None)


def in_force(until: float, now: float) -> bool:
    """True while a rest or a silence lasts. An end beyond the horizon was stored before the clock was set back."""
    return now < until <= now + HORIZON_SECONDS


def name(limit: Limit) -> str:
    """The name under which the bucket of a limit is stored."""
    return f"{limit.count}/{limit.seconds:g}s"


def _of_limits(buckets: Mapping[str, Bucket], allowance: Allowance, now: float) -> list[tuple[Limit, Bucket]]:
    """Each limit with its bucket at `now`; a limit without a stored bucket has a full one."""
    return [(limit, refilled(buckets.get(name(limit), full(limit, now)), limit, now)) for limit in allowance.limits]


def burst(limit: Limit) -> int:
    """The number of writes that may follow each other at once."""
    return max(1, limit.count // 5)


def full(limit: Limit, now: float) -> Bucket:
    """A bucket before its first write."""
    return Bucket(float(burst(limit)), now)


def refilled(bucket: Bucket, limit: Limit, now: float) -> Bucket:
    """The bucket at `now`.

    Of several machines, the one whose clock is ahead refills the bucket; the time that it counted is not counted twice. After a
    clock was set back, refilling starts anew.
    """
    if now < bucket.at <= now + SKEW_SECONDS:
        return bucket
    gained = max(0.0, now - bucket.at) * _rate(limit)
    return Bucket(min(float(burst(limit)), bucket.tokens + gained), now)


def wait(bucket: Bucket, limit: Limit, now: float) -> float:
    """Seconds until the next write is allowed; 0 if it is allowed now."""
    current = refilled(bucket, limit, now)
    lacking = 1.0 - current.tokens
    # The millisecond makes up for rounding, which could leave a due write short of its token.
    return current.at - now + lacking / _rate(limit) + 0.001 if lacking > 1e-9 else 0.0


def taken(bucket: Bucket, limit: Limit, now: float) -> Bucket:
    """The bucket after one write."""
    current = refilled(bucket, limit, now)
    return Bucket(max(0.0, current.tokens - 1.0), current.at)


def _rate(limit: Limit) -> float:
    """Tokens per second. A window has at most one burst besides the refilled tokens."""
    return (limit.count - burst(limit) + 1) / limit.seconds


@dataclass(frozen=True, slots=True)
class Filed:
    """The number of issues that a route filed within the window of one limit, and the time of the oldest create."""

    issues: int
    oldest: float | None


def storm_wait(limits: Sequence[Limit], filed: Sequence[Filed], now: float) -> float:
    """Seconds until the route may file another issue; 0 if it may file now. `filed` has one entry for each limit."""
    return max((_room(limit, entry, now)[1] for limit, entry in zip(limits, filed, strict=True)), default=0.0)


def storm_places(limits: Sequence[Limit], filed: Sequence[Filed], released: int, now: float) -> int:
    """The number of held groups that may be released now. Groups `released` before and not yet filed keep their places."""
    rooms = [_room(limit, entry, now)[0] for limit, entry in zip(limits, filed, strict=True)]
    return max(0, min(min(rooms, default=MOST_AT_ONCE) - released, MOST_AT_ONCE))


def kept_free(limits: Sequence[Limit], percent: int) -> list[Limit]:
    """The limits without the percentage that is reserved for groups with many users."""
    return [Limit(limit.count - limit.count * percent // 100, limit.seconds) for limit in limits]


def portion(left: int) -> int:
    """The number of groups that a route files at a time while new ones gather, of the `left` ones that its limits allow."""
    return max(1, left // GATHERED_SHARE)


def storm_release(left: int, reserved: int, arrived: int, *, is_due: bool) -> tuple[int, int]:
    """The number of groups that a storm may release now: of any, and of those with many users, for which `reserved` places are beyond the
    `left` ones. While more than a portion arrived of late, a portion is released each time that one `is_due`."""
    if arrived <= portion(left):
        return left, left + reserved
    if not is_due:
        return 0, 0
    return min(left, portion(left)), min(left, portion(left)) + reserved


def storm_ahead(limits: Sequence[Limit], filed: Sequence[Filed], held_back: int, released: int, now: float) -> int:
    """The number of groups that the route files before one that its storm did not release: those released and held back, unless none is
    held back and there is room beyond the released ones."""
    return held_back + released if held_back or not storm_places(limits, filed, released, now) else 0


def storm_due_in(limits: Sequence[Limit], filed: Sequence[Filed], place: int, now: float) -> float:
    """Seconds until about the time at which the route has filed `place` more issues, if it files as many as each limit allows."""
    due_in = 0.0
    for limit, entry in zip(limits, filed, strict=True):
        behind = place - max(0, limit.count - entry.issues)
        if behind > 0:
            since = now if entry.oldest is None else entry.oldest
            due_in = max(due_in, since + limit.seconds * -(-behind // limit.count) - now)
    return due_in


def limits_text(limits: Sequence[Limit]) -> str:
    """The limits of a route for people, such as `100 in 1h and 500 in 1d`."""
    return " and ".join(f"{limit.count:,} in {duration(limit.seconds)}" for limit in limits)


def storm_is_over(held_back: int, released: int, held_at: float, now: float, *, reported: bool) -> bool:
    """True if no group is held or waits to be filed, and the storm was calm for CALM_SECONDS. Where no issue `reported` it, nobody waits
    for a calm."""
    calm = not 0 <= now - held_at < CALM_SECONDS
    return not held_back and not released and (calm or not reported)


def _room(limit: Limit, filed: Filed, now: float) -> tuple[int, float]:
    """The number of issues that the limit still allows, and the seconds until it allows one."""
    left = limit.count - filed.issues
    if left > 0 or filed.oldest is None:
        return max(0, left), 0.0
    return 0, max(1.0, filed.oldest + limit.seconds - now)
