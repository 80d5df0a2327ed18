"""The nouns of syncd, as values. Times are whole UTC epoch seconds; None means not known."""

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One row of a group's ledger. `since` and `until` bound the notifications that spoke of it; they decide
    whether a further one is a total, a new window or an overlap."""

    release: str
    occurrences: int
    approximate: bool = False
    first_seen: int | None = None
    last_seen: int | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All occurrences with one identity. `revision` rises with every change an issue would show."""

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
    revision: int = 0
    refused: str | None = None  # the content, as `plan.content` tells it, that its tracker refused for good


class IssueState(StrEnum):
    """Where the one issue of a group stands."""

    WANTED = "wanted"  # no create is under way
    INTENDED = "intended"  # a create is about to be sent, is being sent, or its sender died
    IN_DOUBT = "in_doubt"  # a create was sent and nobody knows what became of it
    LINKED = "linked"
    PARKED = "parked"  # a person must decide
    DROPPED = "dropped"  # left alone for good: deleted in its tracker, or given up by an operator


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
    PARK = "park"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A decision and, in a sentence for people, why. `until` is when a WAIT is over, `call` what it waits for."""

    action: Action
    reason: str
    until: float | None = None
    call: Call = Call.UPDATE


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
class Place:
    """Where an issue is, for programs (`remote_id`) and for people."""

    remote_id: str
    key: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a probe has read about one create.

    `found` are issues of ours with its marker, the oldest first. `covered`: every number above the intent's floor, up to
    beyond the newest one, was read one by one and not out of an index that may lag. `newest` is the highest number seen,
    `newest_at` when it was created and `at` the time now, both by the tracker's clock. `words` say what was read.
    """

    found: tuple[Created, ...] = ()
    covered: bool = False
    newest: int = 0
    newest_at: float | None = None
    at: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A group, its issue, and the latest decision about it, for people."""

    group: Group
    issue: Issue | None
    decision: str
    reason: str
