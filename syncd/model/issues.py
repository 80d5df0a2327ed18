"""Issues: what their tracker shows, what people did to them, and what syncd decides about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from syncd.model.groups import Facts, Group


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
    where the tracker does not tell it. `owners` are the names of those it is assigned to (`trackers.assignees`), empty if that is nobody; None
    where the tracker does not tell them. They decide nothing, so they are no part of the condition."""

    place: Place
    condition: Condition
    changed_at: float | None = None
    owners: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Properties of an issue that rules set when it is filed, and raise later."""

    priority: str | None = None
    assignee: str | None = None
    milestone: str | None = None
    labels: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentSettings:
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
    news_at: float | None = None  # the latest change that a hook has named since, by the tracker's clock
    is_read: bool = False  # read in its tracker since it was filed
    changed_at: float | None = None  # the time of its latest change, by the tracker's clock, as the latest look read it
    owners: tuple[str, ...] | None = None  # those it is assigned to, as read last; None as long as that is not known
    doubles: str | None = None  # keys of further live issues of this group in the tracker
    note: str | None = None
    by_hand: str | None = None  # why people have to open or close it: the tracker did not let syncd
    route: str | None = None  # the route that filed it
    adopted_at: float | None = (
        None  # when it began to stand for the group, which others had filed before syncd heard of it
    )
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
    CLOSE = "close"  # the storm is over, or the source reports the crash as resolved: close its issue
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
    """A tracker's confirmation that an issue exists. `number` rises with every issue of that tracker; `created_at` is by its clock. `existed`: the
    create found the issue with its key and changed nothing."""

    remote_id: str
    key: str
    url: str
    number: int = 0
    notes: tuple[str, ...] = ()
    created_at: float | None = field(default=None, compare=False)
    existed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group with its issue and the latest decision about it, for people."""

    group: Group
    issue: Issue | None
    decision: str
    reason: str
    rule: str | None = None
