"""The nouns of syncd, as immutable values. Times are UTC epoch seconds; None means that the fact is not known.

Every notification changes several values; those are a `Struct`, of which a changed copy costs a twentieth of a dataclass's. None of them
can be part of a cycle, so the garbage collector does not visit them.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

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
        return self.fingerprint.lower() if _SHA256.fullmatch(self.fingerprint) else self.fingerprint

    @property
    def number(self) -> int:
        """A number of 32 bits that every notification of the group has; few groups share one."""
        return zlib.crc32("\0".join((self.universe, self.project, self.fingerprint_key)).encode())


# The inputs of a decision, or the facts in a comment.
Facts = Mapping[str, str | int | float]

# Attributes by name, each with its most frequent values in the group.
Attributes = tuple[tuple[str, tuple[str, ...]], ...]


class Notification(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The content of one delivery. `releases` are pairs of release and occurrences; equal digests mean a redelivery. `unread` names the
    texts that the delivery has and that were not read from it: a later notification is likely to replace them."""

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
    received_at: float = 0.0
    unread: tuple[str, ...] = ()


class Reading(StrEnum):
    """What the counts of a group mean."""

    TOTAL = "total"  # each is a total of the group: the largest is the count
    SUM = "sum"  # each counts occurrences of its own: their sum is the count
    WINDOWS = "windows"  # the same, but where their time spans overlap, they may count one occurrence twice
    WINDOWS_OR_TOTAL = "windows-or-total"  # the same, and one that spans all before it counts all of them
    BETWEEN = "between"  # undecided: between the largest and the sum
    BETWEEN_TOTAL = "between-total"  # the same, and one that spans all before it counts all of them


class Tally(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The counts of a group, or of one of its releases, by every reading.

    `largest` and `added` are the largest count and the sum. `least` is a bound that holds whatever they mean, and `most` the upper bound if a
    count whose span extends all before it counts all of them. `overlapped` is the part of `added` that an earlier count may include. `parts` is the
    number of counts with a time span of their own, or a beginning, `falls` that of counts that contradict a total. A `guessed` tally has a count that a sender left out.
    """

    largest: int = 0
    added: int = 0
    least: int = 0
    most: int = 0
    overlapped: int = 0
    parts: int = 0
    falls: int = 0
    guessed: bool = False


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
    """A group's total occurrences after the notification received `at`, and the users and hosts of that notification."""

    at: float
    occurrences: int
    users: int = 0
    hosts: int = 0


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
    the fingerprint of the group whose issue represents this one too.
    """

    identity: Identity
    application: str | None = None
    group_url: str | None = None
    callstack: tuple[str, ...] = ()
    object_id: str | None = None
    classifiers: tuple[str, ...] = ()
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
    place: str | None = None  # the route whose storm released it and keeps a place for it within `max_new_issues`


class IssueState(StrEnum):
    """The state of a group's issue; docs/states.md draws the transitions."""

    WANTED = "wanted"  # no create is under way
    INTENDED = "intended"  # the intent is on disk: the create is not yet sent, is being sent, or its process died
    IN_DOUBT = "in_doubt"  # a create was sent and its outcome is unknown
    LINKED = "linked"  # the issue exists
    PARKED = "parked"  # a person must decide
    DROPPED = "dropped"  # syncd never writes to it again: deleted in its tracker, or given up by an operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The address of an issue: `remote_id` for programs, `key` and `url` for people."""

    remote_id: str
    key: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The state of an issue as people set it in the tracker.

    `resolution` is Jira's resolution (its status if there is none) or GitHub's state_reason, `standard` the English name that the tracker's
    own id of the resolution stands for, where it has one. `fixed_in` are the releases in its
    fix version, milestone or configured field. `closed_at` and `created_at` are read from the tracker's clock; the latter is no part of
    the condition, but tells one issue from another under the same number, where the tracker gives numbers once more.
    """

    closed: bool = False
    resolution: str = ""
    standard: str = ""
    closed_at: float | None = None
    fixed_in: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    locked: bool = False
    duplicate_of: Place | None = None
    created_at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One reading of an issue: its address and its condition. `changed_at` is the time of its latest change, by the tracker's clock; None
    where the tracker does not tell it."""

    place: Place
    condition: Condition
    changed_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Properties of an issue that rules set when it is filed, and raise later."""

    priority: str | None = None
    assignee: str | None = None
    milestone: str | None = None
    labels: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an issue has now. `priorities` are those of its project, the most important first; empty if the tracker has none.

    `touched` names what others than syncd changed, in lower case: `priority`, `assignee`, `milestone`, and `labels NAME` or `components
    NAME` for one that they removed. None if the tracker does not tell who changed what.
    """

    settings: Settings
    priorities: tuple[str, ...] = ()
    touched: frozenset[str] | None = None


class Occasion(StrEnum):
    """The reason for a further comment; each is announced at most once."""

    REGRESSION = "regression"
    UNCLEAR = "unclear"  # the crash goes on after the closing, and nobody can tell whether with the fix
    RELEASE = "release"
    MILESTONE = "milestone"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A further comment that is not yet confirmed.

    `subject` distinguishes it from others of its occasion, `facts` are its content. `sent_at` is the time of a request without
    an answer, `probes` the number of searches for the comment since then.
    """

    id: int
    occasion: Occasion
    subject: str
    facts: Facts
    marker: str
    sent_at: float | None = None
    probes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A crash that came back after its issue was closed. `fixed_in` is the release with the fix, as the issue named it."""

    release: str
    occurrences: int  # new ones since the closing, in `release` and all others that count
    fixed_in: str
    closed_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """The one item in a tracker that represents a group. `remote_id` is None until the issue is linked."""

    tracker: str
    state: IssueState
    marker: str
    remote_id: str | None = None
    key: str | None = None
    url: str | None = None
    attempt: int = 0
    sent_at: float | None = None
    floor: int = 0  # a number that the tracker had given before the create
    floor_since: float | None = None  # the time from which on that is certain; None where the floor was lowered since
    sent_revision: int = 0  # the group's revision in the create
    probes: int = 0  # complete probes without a match since the issue is in doubt
    probed_since: float | None = None  # the time of the first of them, by the tracker's clock
    probe_at: float | None = None
    comment_id: str | None = None
    comment_sent_at: float | None = None
    comment_probes: int = 0
    synced_revision: int = 0
    synced_at: float | None = None
    looked_at: float | None = None
    looks_owed: int = 0  # how many looks were requested since the latest one began
    is_read: bool = False  # read in its tracker since it was filed
    changed_at: float | None = None  # the time of its latest change, by the tracker's clock, as the latest look read it
    doubles: str | None = None  # keys of further live issues of this group in the tracker
    note: str | None = None
    by_hand: str | None = None  # why people have to open or close it: the tracker did not let syncd
    route: str | None = None  # the route that filed it
    condition: Condition | None = None  # the latest one read; None before the first look
    # Occurrences by release at the latest look while it was open, or at its closing: every occurrence beyond them is new.
    baseline: Mapping[str, int] = field(default_factory=dict)
    settings: Settings | None = None  # what syncd set so far; None where it did not file the issue
    judged: Settings | None = None  # what the rules asked for when they were compared with the issue last
    comment_text: str | None = None  # a digest of the status comment
    comment_losses: int = 0  # how often people deleted the status comment
    previous: Place | None = None  # the group's issue before this one
    followed: tuple[
        str, ...
    ] = ()  # remote ids of issues that were closed as duplicates of it, directly or through others
    announcements: tuple[Announcement, ...] = ()  # those still to be written
    announced: tuple[str, ...] = ()  # "occasion subject" of all announcements so far
    answered: tuple[str, ...] = ()  # releases of the regressions that were answered since it was closed


class Call(IntEnum):
    """The kinds of tracker calls, the most urgent first."""

    CREATE = 0
    PROBE = 1
    UPDATE = 2


class Action(StrEnum):
    """The action of a plan."""

    NOTHING = "nothing"
    HOLD = "hold"
    WAIT = "wait"
    CREATE = "create"
    ADOPT = "adopt"  # the group was merged of groups with an issue: take it over
    PROBE = "probe"
    UPDATE = "update"
    REOPEN = "reopen"  # the crash came back: reopen the issue and comment
    COMMENT = "comment"  # the crash came back: leave the issue closed and comment
    RENEW = "renew"  # the crash came back: file another issue and retire this one
    FOLLOW = "follow"  # the issue was closed as a duplicate: follow its original
    CLOSE = "close"  # the storm is over: close its issue
    PARK = "park"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A decision, and its reason in a sentence for people.

    `rule` names the rule that decided and `inputs` the facts it used. `until` is the end of a WAIT or a HOLD, `call` the call that
    comes then. REOPEN, COMMENT and RENEW answer `regression`. An UPDATE adds `remarks` as announcements of (occasion, subject,
    facts) and writes `note` into the status comment.
    """

    action: Action
    reason: str
    rule: str = ""
    inputs: Facts = field(default_factory=dict)
    until: float | None = None
    call: Call = Call.UPDATE
    regression: Regression | None = None
    remarks: tuple[tuple[Occasion, str, Facts], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A tracker's confirmation that an issue exists. `number` rises with every issue of that tracker; `created_at` is by its clock."""

    remote_id: str
    key: str
    url: str
    number: int = 0
    notes: tuple[str, ...] = ()
    created_at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group with its issue and the latest decision about it, for people."""

    group: Group
    issue: Issue | None
    decision: str
    reason: str
    rule: str | None = None
