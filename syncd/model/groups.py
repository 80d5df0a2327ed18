"""Notifications and groups: what was sent about a crash, and what is true of it."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class Identity:
    """The key of a group. Two notifications belong to one group if all three parts are equal."""

    universe: str
    project: str
    fingerprint: str

    @property
    def fingerprint_key(self) -> str:
        """The fingerprint for comparisons: a SHA-256 in lower case, any other text unchanged."""
        lower = self.fingerprint.lower()
        return lower if lower != self.fingerprint and _SHA256.fullmatch(self.fingerprint) else self.fingerprint

    @property
    def number(self) -> int:
        """A number of 32 bits that every notification of the group has; few groups share one."""
        return zlib.crc32(f"{self.universe}\0{self.project}\0{self.fingerprint_key}".encode())


# The inputs of a decision, or the facts in a comment.
Facts = Mapping[str, str | int | float]

# Attributes by name, each with its most frequent values in the group.
Attributes = tuple[tuple[str, tuple[str, ...]], ...]
# How often each of these values occurred, in the order of the attributes; empty for an attribute whose sender did not count.
AttributeCounts = tuple[tuple[int, ...], ...]


class SourceState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a source reported of a crash: `open`, `resolved`, `regressed` or `ignored`; when syncd received that, and the group's revision with it.
    It is no verdict of syncd's."""

    name: str
    at: float
    revision: int = 1


class Notification(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The content of one delivery. `releases` are pairs of release and occurrences; with `partial` each may have more. Equal digests mean a
    redelivery. `unread` names the texts that the delivery has and that were not read from it: a later notification is likely to replace them.
    `message` is what a source besides Backtrace reports; its first line is the title of an issue. `state` is a `SourceState.name`.

    One that is `polled` has totals that syncd read itself, and what Backtrace's `triage` shows. A `backfill` holds the group if that is new to the
    store, or with False files it."""

    identity: Identity
    digest: bytes
    application: str | None = None
    group_url: str | None = None
    callstack: tuple[str, ...] = ()
    occurrences: int | None = None
    object_id: str | None = None
    first: int | None = None
    last: int | None = None
    classifiers: tuple[str, ...] = ()
    hosts: int | None = None
    users: int | None = None
    releases: tuple[tuple[str, int], ...] = ()
    attributes: Attributes = ()
    attribute_counts: AttributeCounts = ()
    received_at: float = 0.0
    unread: tuple[str, ...] = ()
    polled: bool = False
    triage: str | None = None
    backfill: bool | None = None
    message: str | None = None
    state: str | None = None
    partial: bool = False


class Reading(StrEnum):
    """What the counts of a group mean."""

    TOTAL = "total"  # each is a total of the group: the largest is the count
    KEPT = "kept"  # the same, of a tracker that may have deleted crashes since: the largest is a lower bound
    SUM = "sum"  # each counts occurrences of its own: their sum is the count
    WINDOWS = "windows"  # the same, but where their time spans overlap, they may count one occurrence twice
    WINDOWS_OR_TOTAL = "windows-or-total"  # the same, and one that spans all before it counts all of them
    BETWEEN = "between"  # undecided: between the largest and the sum
    BETWEEN_TOTAL = "between-total"  # the same, and one that spans all before it counts all of them
    POLLED = "polled"  # the total of the latest poll
    WINDOWS_KEPT = "windows-kept"  # as windows-or-total, and one that spans all before it may lack those that were uploaded before its oldest
    BETWEEN_KEPT = "between-kept"  # as between-total, with the same exception


class Tally(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The counts of a group, or of one of its releases, by every reading.

    `largest` and `added` are the largest count and the sum. `least` is a bound that holds whatever they mean, and `most` the upper bound if a
    count whose span extends all before it counts all of them. `overlapped` is the part of `added` that an earlier count may include. `parts` is the
    number of counts with a time span of their own, or a beginning, `falls` that of counts that contradict a total. A `guessed` tally has a count that a sender left out.
    `gone` is an upper bound of the crashes that a sender may have counted and that its latest total lacks: those counted before the oldest crash in it was, or
    before a day began, at `day` (epoch seconds; 0 as long as no total came with one time, which says nothing of the oldest).
    `polled` is the total of the latest poll, 0 before one, and `since` the sum of the counts after it; a poll sets all others anew.
    """

    largest: int = 0
    added: int = 0
    least: int = 0
    most: int = 0
    overlapped: int = 0
    parts: int = 0
    falls: int = 0
    guessed: bool = False
    gone: int = 0
    day: int = 0
    polled: int = 0
    since: int = 0


class Release(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of a group's ledger. `occurrences`, `approximate`, `at_most` and `tally` are as those of a group.

    `since` and `until` bound the time spans of the notifications that named the release: with them the fold decides whether the
    next one is a total, a new window or an overlap. `noticed_at` and `grown_at` are the times at which syncd received the first
    and the latest notification that added occurrences; no crashing machine can set that clock.
    """

    release: str
    occurrences: int
    approximate: bool = False
    at_most: int | None = None
    tally: Tally = Tally()
    first_seen: int | None = None
    last_seen: int | None = None
    since: int | None = None
    until: int | None = None
    noticed_at: float | None = None
    grown_at: float | None = None


class ProjectRelease(msgspec.Struct, frozen=True):
    """A release of a project and application, whichever of its groups crashed in it: the time at which syncd first received its name, and
    whether two groups or two occurrences confirm it."""

    release: str
    noticed_at: float
    confirmed: bool


class Point(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A group's total occurrences after the notification received `at`, and the users, the hosts and the time of the latest crash of that
    notification; 0 for a time that it does not have."""

    at: float
    occurrences: int
    users: int = 0
    hosts: int = 0
    crashed_at: int = 0


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The least numbers of a group within `within` seconds, at an age of at least `age` seconds."""

    occurrences: int
    users: int
    hosts: int
    age: float
    within: float

    def imply(self, weaker: "Thresholds") -> bool:
        """True if a group that has met these thresholds has met the `weaker` ones as well."""
        least = self.occurrences, self.users, self.hosts, self.age, -self.within
        demand = weaker.occurrences, weaker.users, weaker.hosts, weaker.age, -weaker.within
        return all(has >= needs for has, needs in zip(least, demand, strict=True))


class GroupKind(StrEnum):
    """The kind of a group."""

    CRASH = "crash"
    STORM = "storm"  # all groups that one route holds back; `identity.project` is the route's name


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a storm's issue: the number of groups held back, since when, and the largest as (name, beginning of the fingerprint,
    users, occurrences).

    The storm is `over` after an hour without a group held back. It is `reported` by an issue once the groups do not fit into the limit of
    the route. `cap` is the route's limit, for people; at its rate the last group is
    filed in `ends_in` seconds. `shares` are properties that many of the groups have in common, as (property, value, percent).
    """

    held: int
    since: float
    over: bool = False
    reported: bool = True
    largest: tuple[tuple[str, str, int, int], ...] = ()
    cap: str = ""
    ends_in: float = 0.0
    shares: tuple[tuple[str, str, int], ...] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All occurrences with one identity. `revision` rises with every change an issue would show.

    `occurrences` is its count by `reading`; if that is `approximate`, it is a lower bound, and `at_most` the upper one, None where there is
    none. `tally` keeps what every reading needs. `trail` is its growth over time. `aliases` are the fingerprints whose occurrences are included in its numbers. `follows` is
    the fingerprint of the group whose issue represents this one too. `message` is what a source besides Backtrace reports of the crash.
    """

    identity: Identity
    application: str | None = None
    group_url: str | None = None
    callstack: tuple[str, ...] = ()
    object_id: str | None = None
    classifiers: tuple[str, ...] = ()
    message: str | None = None
    source_state: SourceState | None = None
    occurrences: int = 0
    approximate: bool = False
    at_most: int | None = None
    reading: Reading = Reading.BETWEEN
    tally: Tally = Tally()
    notifications: int = 0
    hosts: int | None = None
    users: int | None = None
    first_seen: int | None = None
    last_seen: int | None = None
    releases: tuple[Release, ...] = ()
    attributes: Attributes = ()
    attribute_counts: AttributeCounts = ()  # of the notification that named the attributes
    trail: tuple[Point, ...] = ()
    aliases: tuple[str, ...] = ()
    follows: str | None = None
    kind: GroupKind = GroupKind.CRASH
    storm: Storm | None = None
    revision: int = 0
    met: tuple[Thresholds, ...] = ()  # those that it met once; see `holds.qualified`
    held_by: str | None = None  # the rule that holds it
    refused: str | None = None  # the `plan.content` that its tracker refused for good
    on_hold: str | None = None  # the reason of an operator's hold
    ordered: str | None = None  # the reason of an operator's order to file it past thresholds and limits
    triage: str | None = None  # what Backtrace's triage shows: open, in-progress, resolved, muted
    backfilled: bool = False  # a backfill brought it
    place: str | None = None  # the route whose storm released it and keeps a place for it within `max_new_issues`
