"""The nouns of syncd, as values. Times are whole UTC epoch seconds; None means not known.

What is made anew with every notification is a `Struct`: a changed copy of one costs a twentieth of that of a dataclass.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import msgspec

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two notifications speak of the same crash: all three, whole."""

    universe: str
    project: str
    fingerprint: str

    @property
    def fingerprint_key(self) -> str:
        """The fingerprint as compared: a SHA-256 has no case, anything else is opaque and compared as it is."""
        return self.fingerprint.lower() if _SHA256.fullmatch(self.fingerprint) else self.fingerprint


# What something was decided by, or what a comment tells.
Facts = Mapping[str, str | int | float]

# By name, what a group's crashes have in common: for each attribute its commonest values.
Attributes = tuple[tuple[str, tuple[str, ...]], ...]


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What one delivery says about a group. `releases` is (release, occurrences); `digest` tells a redelivery."""

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


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a group's ledger. `since` and `until` bound the notifications that spoke of it; they decide
    whether a further one is a total, a new window or an overlap. `noticed_at` and `grown_at` are when the first and the
    latest notification in which it grew were received: by our clock, which no crashing machine can set."""

    release: str
    occurrences: int
    approximate: bool = False
    first_seen: int | None = None
    last_seen: int | None = None
    since: int | None = None
    until: int | None = None
    noticed_at: float | None = None
    grown_at: float | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """How a group stood after the notification received `at`: occurrences so far, and the users and hosts that it told of."""

    at: float
    occurrences: int
    users: int = 0
    hosts: int = 0


class GroupKind(StrEnum):
    """What a group stands for."""

    CRASH = "crash"
    STORM = "storm"  # the groups that a route holds back; `identity.project` is the route's name


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """What a storm's issue tells: how many groups are held back, since when, and the largest as (name, users, occurrences).
    It is `over` once none was held back for long enough."""

    held: int
    since: float
    over: bool = False
    largest: tuple[tuple[str, int, int], ...] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """All occurrences with one identity. `revision` rises with every change an issue would show.

    `trail` tells how it grew, `signature` which other groups look alike, and `aliases` whose occurrences are in its numbers
    besides its own. `follows` is the group whose issue stands for this one too.
    """

    identity: Identity
    application: str | None = None
    group_url: str | None = None
    callstack: tuple[str, ...] = ()
    object_id: str | None = None
    classifiers: tuple[str, ...] = ()
    occurrences: int = 0
    approximate: bool = False
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
    held_by: str | None = None  # the rule that holds it, if any does
    refused: str | None = None  # the content, as `plan.content` tells it, that its tracker refused for good
    on_hold: str | None = None  # why an operator holds it back, if one does


class IssueState(StrEnum):
    """Where the one issue of a group stands."""

    WANTED = "wanted"  # no create is under way
    INTENDED = "intended"  # a create is about to be sent, is being sent, or its sender died
    IN_DOUBT = "in_doubt"  # a create was sent and nobody knows what became of it
    LINKED = "linked"
    PARKED = "parked"  # a person must decide
    DROPPED = "dropped"  # left alone for good: deleted in its tracker, or given up by an operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an issue is, for programs (`remote_id`) and for people."""

    remote_id: str
    key: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How people left an issue, as its tracker tells it.

    `resolution` is the tracker's own word for why it was closed (Jira's resolution, or its status where there is none; GitHub's
    state_reason), `fixed_in` what its fix version, milestone or configured field names. `closed_at` is by the tracker's clock.
    """

    closed: bool = False
    resolution: str = ""
    closed_at: float | None = None
    fixed_in: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    locked: bool = False
    duplicate_of: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Where an issue was found, and how people left it."""

    place: Place
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The state of many issues, read in one go. An issue in neither collection has not changed.

    `observations` are keyed by `remote_id`. The tracker did not return the `missing` ones although it answered for others;
    the caller looks at each of them. `until` is the time, by the tracker's clock, up to which the survey is complete; the next
    survey gets it as `since`.
    """

    observations: Mapping[str, Observation]
    missing: tuple[str, ...] = ()
    until: float | None = None


class Occasion(StrEnum):
    """What a further comment is written for: each of them at most once."""

    REGRESSION = "regression"
    RELEASE = "release"
    MILESTONE = "milestone"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A comment that an issue owes its readers. `subject` tells it from others of its occasion, `facts` are what it says;
    `sent_at` is when it was sent and not yet answered, `probes` how often it was looked for since."""

    id: int
    occasion: Occasion
    subject: str
    facts: Facts
    marker: str
    sent_at: float | None = None
    probes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A crash that came back: in which release, after an issue was closed, and what that said of where it is fixed."""

    release: str
    occurrences: int  # new ones in such releases
    fixed_in: str
    closed_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """The one item in a tracker that stands for a group. Before it is linked, `remote_id` is None."""

    tracker: str
    state: IssueState
    marker: str
    remote_id: str | None = None
    key: str | None = None
    url: str | None = None
    attempt: int = 0
    sent_at: float | None = None
    floor: int = 0
    sent_revision: int = 0  # the group's, that the create speaks of
    probes: int = 0  # clean ones that found nothing, since it is in doubt
    probed_since: float | None = None  # when the first of them was answered, by the tracker's clock
    probe_at: float | None = None
    comment_id: str | None = None
    comment_sent_at: float | None = None
    comment_probes: int = 0
    synced_revision: int = 0
    synced_at: float | None = None
    looked_at: float | None = None
    doubles: str | None = None  # keys of further live issues of this group, found in the tracker
    note: str | None = None
    route: str | None = None  # by which it was filed
    condition: Condition | None = None  # as last seen; None before the first look
    # Occurrences by release when it was last seen open, or closed: whatever is more is new since then.
    baseline: Mapping[str, int] = field(default_factory=dict)
    comment_text: str | None = None  # a digest of what the status comment says
    comment_losses: int = 0  # how often people deleted the status comment
    previous: Place | None = None  # the issue of this group that it was filed after
    followed: tuple[str, ...] = ()  # remote ids of those that were closed as duplicates of it, or of one that was
    announcements: tuple[Announcement, ...] = ()  # that are still owed
    told: tuple[str, ...] = ()  # "occasion subject" of all announcements there ever were
    answered: tuple[str, ...] = ()  # releases of regressions since it was closed that were answered


class Call(IntEnum):
    """The kinds of calls a tracker is asked for, the most urgent first."""

    CREATE = 0
    PROBE = 1
    UPDATE = 2


class Action(StrEnum):
    """What a plan asks for."""

    NOTHING = "nothing"
    HOLD = "hold"
    WAIT = "wait"
    CREATE = "create"
    PROBE = "probe"
    UPDATE = "update"
    REOPEN = "reopen"  # the crash came back: the issue is opened again, and says so
    COMMENT = "comment"  # the crash came back: the issue stays closed, and says so
    RENEW = "renew"  # the crash came back: another issue is filed, and this one is given up
    FOLLOW = "follow"  # its issue was closed as a duplicate of another one
    CLOSE = "close"  # a storm is over
    PARK = "park"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A decision and, in a sentence for people, why. `until` is when a WAIT or a HOLD is over, `call` what it waits for.

    `rule` names what decided, `inputs` on which facts. `regression` is what REOPEN, COMMENT and RENEW answer; `remarks` are
    announcements that an UPDATE adds, as (occasion, subject, facts). `note` belongs into the status comment.
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


class Outcome(StrEnum):
    """What all evidence so far says about a create in doubt."""

    FOUND = "found"
    ABSENT = "absent"  # proven: it may be created again
    OPEN = "open"  # probe once more
    UNPROVEN = "unproven"  # no probe will tell: a person must look


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An outcome and, in a sentence for people, why. `until` is when to probe again."""

    outcome: Outcome
    reason: str
    until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A tracker's word that an issue exists. `number` rises with every issue of that tracker."""

    remote_id: str
    key: str
    url: str
    number: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The result of one probe for one create.

    `issues` are our issues with the marker, oldest first. `covered` means that the probe read every number above the intent's
    floor, up to beyond the newest one, one by one and not from an index that may lag. `newest` is the highest number in use,
    `newest_at` its time of creation and `at` the present time, both by the tracker's clock. `summary` tells people what the
    probe read.
    """

    issues: tuple[Created, ...] = ()
    covered: bool = False
    newest: int = 0
    newest_at: float | None = None
    at: float | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group, its issue, and the latest decision about it, for people."""

    group: Group
    issue: Issue | None
    decision: str
    reason: str
    rule: str | None = None
