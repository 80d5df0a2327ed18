"""`[[routes]]`: which groups go to which tracker, under which policy. The core decides by the `Policy` that a route becomes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, model_validator

from syncd.config.trackers import FieldMapping
from syncd.config.values import Expression, Glob, Globs, Seconds, Section, WriteLimit
from syncd.core.budget import Limit
from syncd.core.conditions import SHARE
from syncd.core.policy import Policy


def _one_or_many(value: object) -> object:
    if value == []:
        raise ValueError("an empty list would match nothing; omit the key to match everything")
    return [value] if isinstance(value, str) else value


Patterns = Annotated[Globs, BeforeValidator(_one_or_many)]


def _shares(values: list[str]) -> list[str]:
    for value in values:
        parts = SHARE.fullmatch(value)
        if parts is None or not 0 < float(parts[2]) <= 100:
            raise ValueError(f'{value!r} is no share; write a pattern and a percentage, as in "production 50%"')
        TypeAdapter(Globs).validate_python([parts[1]])
    return values


Shares = Annotated[list[str], BeforeValidator(_one_or_many), AfterValidator(_shares)]


class Conditions(Section):
    """Conditions on a group: every key must match one of its patterns (`*` and `?` as in a shell, or `/a regular expression/`)."""

    universe: Patterns = []
    project: Patterns = []
    application: Patterns = []
    classifiers: Patterns = []
    error_type: Patterns = []
    releases: Patterns = []
    first_release: Patterns = []
    attributes: dict[str, Patterns] = {}
    commonest: dict[str, Patterns] = {}
    shares: dict[str, Shares] = {}


class Match(Conditions):
    """The groups that a route takes. `not` excludes groups that match any one of its keys."""

    unless: Conditions = Field(default=Conditions(), alias="not")


Window = Annotated[Seconds, Field(ge=60, le=30 * 86400)]


class When(Match):
    """The groups that a rule of `set` is for: the conditions of `match`, and the least numbers of the group."""

    min_occurrences: Annotated[int, Field(ge=0)] = 0
    min_users: Annotated[int, Field(ge=0)] = 0
    min_hosts: Annotated[int, Field(ge=0)] = 0
    within: Window | None = None
    new_in_last: Annotated[int, Field(ge=1, le=100)] | None = None


class SetRule(Section):
    """Settings of the issues of the groups that `when` matches."""

    when: When = When()
    priority: Annotated[str, Field(min_length=1)] | None = None
    issue_type: Annotated[str, Field(min_length=1)] | None = None
    labels: list[Annotated[str, Field(min_length=1, max_length=50)]] = []
    component: Annotated[str, Field(min_length=1)] | None = None
    assignee: Annotated[str, Field(min_length=1)] | None = None
    milestone: Annotated[str, Field(min_length=1)] | None = None
    fields: FieldMapping = {}

    @model_validator(mode="after")
    def _sets_something(self) -> "SetRule":
        if not self.model_fields_set - {"when"}:
            raise ValueError("set at least one of priority, issue_type, labels, component, assignee, milestone, fields")
        return self


class LabelRule(Section):
    """A label for groups with a classifier, an error type, or a value of an attribute. `{value}` in the label is the value that matched."""

    classifier: Glob | None = None
    error_type: Glob | None = None
    attribute: str | None = None
    value: Glob = "*"
    label: Annotated[str, Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _one_of_both(self) -> "LabelRule":
        if [self.classifier, self.error_type, self.attribute].count(None) != 2:
            raise ValueError("set exactly one of classifier, error_type, attribute")
        return self


class OwnerRule(Section):
    """An assignee or a component for issues whose stack has a matching frame and module."""

    frame: Glob | None = None
    module: Glob | None = None
    assignee: str | None = None
    component: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> "OwnerRule":
        if self.frame is None and self.module is None:
            raise ValueError("set frame or module, or both")
        if self.assignee is None and self.component is None:
            raise ValueError("set assignee or component, or both")
        return self


class RouteTitles(Section):
    """Patterns of functions for the titles of one route, before those of `[titles]`."""

    skip_frames: Globs = []
    prefix_frames: Globs = []
    library_frames: Globs = []
    own_frames: Globs = []


Count = Annotated[int, Field(ge=0)]


class Route(Section):
    """`[[routes]]`: which groups go to which tracker, under which policy. The first route that matches wins."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = ""  # `Config.all_routes` replaces ""
    """the name in commands, console and storms; a named route can move in the file. Default: `route-1`, … by position"""
    match: Match = Match()
    """the groups that the route takes; see below. Default: every group"""
    tracker: str
    """the NAME of a tracker"""
    # The store treats a due time more than a day ahead as the effect of a clock that was set back.
    # Jira allows 20 writes to an issue in 2 seconds and 100 in 30 seconds.
    status_interval: Annotated[Seconds, Field(ge=1, le=86400)] = 900.0
    """the least time between two updates of an issue's numbers; at least `"1s"`"""
    on_deleted: Literal["drop", "recreate"] = "drop"
    """what to do after somebody deleted an issue in the tracker: `"drop"` leaves it deleted, `"recreate"` files one more
    issue. GitHub tells a deletion from a transfer out of sight; Jira gives the same answer for an issue that the account may not see. An issue that
    syncd never read since it filed it, and a second one that vanishes, wait for a person instead"""
    min_occurrences: Count = 0
    """file a group only after this many occurrences"""
    min_users: Count = 0
    """file a group only with this many users"""
    min_hosts: Count = 0
    """file a group only with this many hosts"""
    min_age: Seconds = 0.0
    """file a group only this long after its first notification"""
    within: Window | None = None
    """the time in which these minimums must occur; without it they count from the beginning. A group that had them once
    is filed, also after an outage, a pause or a storm, by every route that asks for no more"""
    hold_unsymbolicated: bool = False
    """hold a group until a notification has symbols: no frame of its stack has a name (addresses, modules, `<unknown>`, `???`, `sub_401000`,
    …), but for frames of every stack such as `abort` and `RtlUserThreadStart`"""
    max_new_issues: list[WriteLimit] = [Limit(count=100, seconds=3600.0), Limit(count=500, seconds=86400.0)]
    """above this, syncd holds groups and files *one* issue with their number, what they share and about when
    the last is filed. Each held group names its place in line: syncd files those with the most users first and before
    new ones, and closes the issue an hour after it held the last group"""
    gather: Annotated[Seconds, Field(ge=0, le=3600)] = 60.0
    """if more new groups come within this time than a fifth of what is left of `max_new_issues`, they wait for each other:
    syncd files the next fifth after each such time, those with the most users first, and all that it may once fewer come. A single new group never
    waits. `"0s"` files them in the order of arrival"""
    reserve_percent: Annotated[int, Field(ge=0, le=90)] = 10
    """the percentage of each limit in `max_new_issues` that is left for groups with `reserve_min_users`, so that a worse
    crash that comes later is filed at once"""
    reserve_min_users: Annotated[int, Field(ge=1)] = 100
    """the least number of users of such a group"""
    max_updates: list[WriteLimit] = [Limit(count=2000, seconds=3600.0)]
    """above this, updates wait"""
    on_merge: Literal["hold", "adopt", "file"] = "hold"
    """what to do with a group that Backtrace merged of others with an issue: `"hold"` files it a day later unless a person
    decides before, and not at all as long as their closed issue should stay closed; `"adopt"` takes over the oldest open issue of theirs, else the
    one that was closed last, and makes them aliases; `"file"` files another issue at once"""
    on_triage: Literal["note", "follow"] = "note"
    """what to do about a group that a poll shows as resolved or muted in Backtrace: `"note"` writes a line into history and status comment;
    with `"follow"` such a group gets no issue, and the issue of a muted one is left alone until that ends"""
    on_regression: Literal["reopen", "comment", "new_issue"] = "reopen"
    """`"comment"` adds a comment and leaves the issue closed; `"new_issue"` files another issue that links to the first"""
    reopen_window: Annotated[Seconds, Field(gt=0)] | None = None
    """if the issue was closed longer ago, file another issue instead of reopening it"""
    min_regression_occurrences: Annotated[int, Field(ge=1)] = 1
    """the least number of new occurrences in such releases"""
    hotfix_regressions: bool = False
    """also count a later patch of a line older than the fix"""
    unknown_release: Literal["note", "regression"] = "note"
    """what to do about a release that cannot be compared with the fix, or about no release: a line in the status comment,
    or `"regression"`"""
    fixed_in_pattern: Expression | None = None
    """a regular expression for fix versions and milestones; the release is its first group, or the whole match: `"^Game (.*)"`. A name
    that does not match names no release. A name that is comparable with no release of the project counts as not given"""
    wont_fix: Globs = [
        "not_planned", "won*t fix", "wontfix", "won*t do", "cancel*", "invalid", "declined", "rejected", "cannot reproduce",
        "not reproducible", "unable to reproduce", "incomplete", "not a bug", "works as *", "by design", "abandoned", "obsolete",
    ]  # fmt: skip
    """patterns of resolutions, in upper or lower case; such an issue stays closed. Names in other languages count as their English ones;
    `syncd check` lists what it recognises"""
    duplicate: Globs = ["duplicate*"]
    """patterns of resolutions; if the tracker names the other issue, the group follows it. Languages as for `wont_fix`"""
    ignore_label: str = "syncd:ignore"
    """syncd writes nothing to an issue with this label, and still counts"""
    comment_new_release: bool = False
    """comment on the first crash in a release newer than all before"""
    comment_milestones: bool = False
    """comment on 10, 100, 1,000, … occurrences"""
    quiet_after: Annotated[Seconds, Field(ge=3600)] | None = None
    """comment once on an open issue whose crash has not occurred for so long; syncd never closes it"""
    labels: list[LabelRule] = []
    """`[{ error_type = "oom*", label = "memory" }, { attribute = "uname.sysname", value = "Windows*", label = "windows"
    }]`: more labels at creation, from attributes that may appear in issues; `{value}` is the value that matched"""
    owners: list[OwnerRule] = []
    """`[{ frame = "Renderer::*", assignee = "alice" }, { module = "libaudio*", component = "Audio" }]`: assignee or
    component at creation, from the first rule that matches a frame and a module of the stack; a rule has `frame`,
    `module`, or both"""
    set: list[SetRule] = []
    """`[{ when = { min_users = 100 }, priority = "High" }, { when = { error_type = "hang" }, issue_type = "Task" }]`: settings of
    issues; see below"""
    titles: RouteTitles = RouteTitles()
    """`{ own_frames = ["Game::*"] }`: patterns for the titles of this route, before those of `[titles]`; see there"""
    channels: list[str] | None = None
    """the NAMEs of the channels that get the notices of this route; `[]` for none. Default: every channel with `default = true`"""
    templates: str | None = None
    """a folder with `title.j2`, `body.j2`, `status.j2`, `comment.j2`; see [templates](templates.md)"""

    def policy(self, name: str) -> Policy:
        """The route as the core's policy, under a name."""
        return _POLICY.validate_python(self.model_dump(exclude={"channels"}) | {"name": name})


_POLICY = TypeAdapter(Policy)
