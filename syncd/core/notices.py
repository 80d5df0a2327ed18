"""Notices, the messages to channels: which may be sent now, when a channel is tried again, and when a digest is due. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from syncd.core.budget import Limit

EXPIRY_SECONDS = 86400.0  # a notice that waited longer is news no more
SETTLED_SECONDS = 60.0  # a tracker that answers again sooner is not worth a notice
LATEST_DIGEST_SECONDS = 6 * 3600.0  # a digest of the morning is not sent in the evening
LONGEST_DIGEST_SECONDS = 7 * 86400.0  # a digest looks back no further
SHORTEST_REST_SECONDS, LONGEST_REST_SECONDS = 30.0, 3600.0


class Event(StrEnum):
    """What a notice reports."""

    FILED = "filed"
    REGRESSION = "regression"
    PARKED = "parked"
    STORM = "storm"
    REST = "rest"
    DIGEST = "digest"


class Kind(StrEnum):
    """Notices that share a limit: those about single groups, those about routes and trackers, and digests, which need none."""

    GROUP = "group"
    SYSTEM = "system"
    DIGEST = "digest"


KINDS: Mapping[Event, Kind] = {
    Event.FILED: Kind.GROUP,
    Event.REGRESSION: Kind.GROUP,
    Event.PARKED: Kind.GROUP,
    Event.STORM: Kind.SYSTEM,
    Event.REST: Kind.SYSTEM,
    Event.DIGEST: Kind.DIGEST,
}


class Share(StrEnum):
    """How many of the notices that wait may be sent now."""

    NONE = "none"
    FIRST = "first"
    ALL = "all"  # in one message that sums them up


def share(kind: Kind, waiting: int, sent: int, limit: Limit) -> Share:
    """Return which of `waiting` notices of a kind may be sent, `sent` messages after the beginning of the limit's window. The last message of a
    window sums up what waits, so that a storm of any size makes no more messages than the limit."""
    if waiting == 0 or (kind is not Kind.DIGEST and sent >= limit.count):
        return Share.NONE
    if kind is Kind.DIGEST or waiting == 1 or sent < limit.count - 1:
        return Share.FIRST
    return Share.ALL


def rest_seconds(attempts: int, wanted: float | None = None) -> float:
    """Return how long a channel rests after so many failures in a row before this one, or as long as it asked for."""
    wait = min(SHORTEST_REST_SECONDS * 2.0 ** min(attempts, 10), LONGEST_REST_SECONDS)
    return wait if wanted is None else max(wait, min(wanted, 24 * LONGEST_REST_SECONDS))


@dataclass(frozen=True, slots=True)
class Schedule:
    """The time of day at which a digest is due, by the clocks of a time zone."""

    at: time
    zone: tzinfo

    def moment(self, day: date) -> float:
        """Return when the digest of a day is due. An hour that clocks skip counts as the time to which they are set; of an hour that they repeat
        the first counts."""
        local = datetime.combine(day, self.at, self.zone)
        # Without `fold`, a time that clocks skip has the offset before the change, and so has one that they repeat.
        return local.astimezone(UTC).timestamp()

    def day(self, now: float) -> date:
        """Return the last day whose digest was due by now."""
        today = datetime.fromtimestamp(now, self.zone).date()
        return today if self.moment(today) <= now else today - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DueDigest:
    """The digest of a day covers what happened after `since`. One that is not `timely` is left out."""

    day: date
    since: float
    timely: bool


def due_digest(schedule: Schedule, last: tuple[date, float] | None, now: float) -> DueDigest | None:
    """Return the digest that is due; None where that of the last day is done. `last` is the day of the last digest and when it was
    composed. A channel without one begins with the next day."""
    day = schedule.day(now)
    if last is not None and last[0] >= day:
        return None
    before = schedule.moment(day - timedelta(days=1))
    since = before if last is None else max(min(last[1], now), now - LONGEST_DIGEST_SECONDS)
    timely = last is not None and 0 <= now - schedule.moment(day) <= LATEST_DIGEST_SECONDS
    return DueDigest(day, since, timely)


@dataclass(frozen=True, slots=True)
class Outage:
    """A tracker that takes no calls: since when, why, and whether a notice says so."""

    since: float
    reason: str
    noticed: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A notice is owed: a tracker rests, or it answers again after it rested `since` a time."""

    tracker: str
    over: bool
    since: float
    reason: str


def follow_trackers(
    before: Mapping[str, Outage], resting: Mapping[str, str], now: float
) -> tuple[dict[str, Outage], Sequence[Change]]:
    """Compare the trackers that rest, each with its reason, with those that rested before. Return what is written down, and the changes
    worth a notice: a rest that lasts, and the end of each that was worth one."""
    after: dict[str, Outage] = {}
    changes: list[Change] = []
    for tracker, reason in resting.items():
        outage = before.get(tracker) or Outage(now, reason)
        if not outage.noticed and not 0 <= now - outage.since < SETTLED_SECONDS:
            outage = Outage(min(outage.since, now), reason, noticed=True)
            changes.append(Change(tracker, False, outage.since, reason))
        after[tracker] = outage
    changes += [
        Change(tracker, True, outage.since, outage.reason)
        for tracker, outage in before.items()
        if tracker not in resting and outage.noticed
    ]
    return after, changes
