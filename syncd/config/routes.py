"""`[[routes]]`: which groups go to which tracker, under which policy."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from syncd.config.values import Seconds, Section, WriteLimit
from syncd.core.budget import Limit
from syncd.core.policy import Policy


def _one_or_many(value: object) -> object:
    if value == []:
        raise ValueError("an empty list would match nothing; leave the key out to match everything")
    return [value] if isinstance(value, str) else value


Patterns = Annotated[list[str], BeforeValidator(_one_or_many)]


class Conditions(Section):
    """Which groups are meant: each given key must fit one of its patterns (`*` and `?` as in a shell)."""

    universe: Patterns = []
    project: Patterns = []
    application: Patterns = []
    classifiers: Patterns = []
    releases: Patterns = []
    attributes: dict[str, Patterns] = {}


class Match(Conditions):
    """Which groups a route takes. `not` takes those out again that fit any one of its keys."""

    unless: Conditions = Field(default=Conditions(), alias="not")


class LabelRule(Section):
    """One label for the groups that have a classifier, or an attribute with a value. `{value}` in it is what matched."""

    classifier: str | None = None
    attribute: str | None = None
    value: str = "*"
    label: Annotated[str, Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _one_of_both(self) -> "LabelRule":
        if (self.classifier is None) == (self.attribute is None):
            raise ValueError("give exactly one of classifier, attribute")
        return self


class OwnerRule(Section):
    """Who gets the issue, or which component, when the first meaningful frames or its module fit."""

    frame: str | None = None
    module: str | None = None
    assignee: str | None = None
    component: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> "OwnerRule":
        if self.frame is None and self.module is None:
            raise ValueError("give frame or module, or both")
        if self.assignee is None and self.component is None:
            raise ValueError("give assignee or component, or both")
        return self


Count = Annotated[int, Field(ge=0)]


class Route(Section):
    """`[[routes]]`: which groups go to which tracker, under which policy. The first that matches wins."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = ""  # "" is filled by `Config.all_routes`
    """by which it is paused, and its storms are told; name it, and it may move. Left out: `route-1`, … by place"""
    match: Match = Match()
    """which groups it takes; see below. Left out: every group"""
    tracker: str
    """the NAME of a tracker"""
    # The store puts nothing off for longer than a day: what is due later it takes for a clock that was set back.
    # Jira lets an issue be written 20 times in 2 seconds and 100 times in 30.
    status_interval: Annotated[Seconds, Field(ge=1, le=86400)] = 900.0
    """the numbers in an issue are brought up to date at most this often; at least `"1s"`"""
    # What becomes of a group whose issue somebody deleted in the tracker.
    on_deleted: Literal["drop", "recreate"] = "drop"
    """an issue that somebody deleted in the tracker stays deleted; `"recreate"` files another one. Jira answers alike
    for an issue that was moved to where the account may not look: there `"recreate"` can make a double"""
    # What a group must have before it is filed; `within` is the time in which it must have had it.
    min_occurrences: Count = 0
    """at least so many occurrences"""
    min_users: Count = 0
    """at least so many users"""
    min_hosts: Count = 0
    """at least so many machines"""
    min_age: Seconds = 0.0
    """first heard of at least so long ago"""
    within: Annotated[Seconds, Field(ge=60, le=30 * 86400)] | None = None
    """the time within which it must have had them; without it, ever"""
    hold_unsymbolicated: bool = False
    """a stack of nothing but addresses is held until its symbols are there"""
    # Above these, groups are held back and one issue tells of them all.
    max_new_issues: list[WriteLimit] = [Limit(count=100, seconds=3600.0), Limit(count=500, seconds=86400.0)]
    """above this, groups are held and *one* issue tells how many, the largest, and since when. They are let through as
    room comes, those with the most users first; the issue closes itself an hour after the last was held"""
    max_updates: list[WriteLimit] = [Limit(count=2000, seconds=3600.0)]
    """updates wait above this"""
    on_regression: Literal["reopen", "comment", "new_issue"] = "reopen"
    """`"comment"` leaves it closed and says so in a new comment, `"new_issue"` files another one that links back"""
    reopen_window: Annotated[Seconds, Field(gt=0)] | None = None
    """an issue closed longer ago is not reopened; another one is filed"""
    min_regression_occurrences: Annotated[int, Field(ge=1)] = 1
    """so many new occurrences in such releases"""
    hotfix_regressions: bool = False
    """also a later patch of an older line than that of the fix"""
    unknown_release: Literal["note", "regression"] = "note"
    """a release that cannot be compared with the fix, or none at all: a line in the status comment, or `"regression"`"""
    wont_fix: list[str] = [
        "not_planned", "won*t fix", "wontfix", "won*t do", "cancel*", "invalid", "declined", "rejected", "cannot reproduce",
        "not a bug", "works as *", "abandoned", "obsolete",
    ]  # fmt: skip
    """patterns of resolutions, in any case; such an issue stays closed"""
    duplicate: list[str] = ["duplicate*"]
    """patterns of resolutions; where the tracker says of which issue, the group follows that one"""
    ignore_label: str = "syncd:ignore"
    """an issue with this label stays as it is, and is not written to; its counts are kept here"""
    comment_new_release: bool = False
    """the first time it is seen in a release newer than all before"""
    comment_milestones: bool = False
    """10, 100, 1,000, … occurrences"""
    quiet_after: Annotated[Seconds, Field(ge=3600)] | None = None
    """one comment on an open issue whose crash was not seen for so long; it is never closed by itself"""
    labels: list[LabelRule] = []
    """`[{ classifier = "oom", label = "memory" }, { attribute = "uname.sysname", value = "Windows*", label = "windows"
    }]`: more labels at creation, from attributes that may be shown; `{value}` in one is what matched"""
    owners: list[OwnerRule] = []
    """`[{ frame = "Renderer::*", assignee = "alice" }, { module = "libaudio*", component = "Audio" }]`: assignee or
    component at creation, by the first rule that fits a frame and a module of the stack; a rule has `frame`,
    `module`, or both"""
    templates: str | None = None
    """a folder with `title.j2`, `body.j2`, `status.j2`, `comment.j2`; see [templates](templates.md)"""

    def policy(self, name: str) -> Policy:
        """The route as the core decides by it, under a name."""
        return _POLICY.validate_python(self.model_dump() | {"name": name})


_POLICY = TypeAdapter(Policy)
