"""Routes: the settings of each, the route that matches a group, and the labels and owner of its issue. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from syncd.core import frames
from syncd.core.budget import Limit, kept_free
from syncd.core.conditions import ERROR_TYPE, Conditions, is_error_type, is_within, named, satisfies
from syncd.core.fold import recent
from syncd.core.overview import is_new
from syncd.core.patterns import fits
from syncd.core.quantities import counted
from syncd.core.titles import Rules
from syncd.model import Group, GroupKind, ProjectRelease, Thresholds

# The keys of a rule of `set` that have a single value or list; `fields` are chosen field by field.
SETTINGS = ("priority", "issue_type", "component", "assignee", "milestone", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(Conditions):
    """A route takes a group that fits every condition and none of `unless`."""

    unless: Conditions = field(default_factory=Conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class When(Match):
    """The groups that a rule of `set` is for: as a route's, with at least these numbers `within` so many seconds, and noticed first in one of the last `new_in_last`
    releases of the project and application."""

    min_occurrences: int = 0
    min_users: int = 0
    min_hosts: int = 0
    within: float | None = None
    new_in_last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRule:
    """Settings of the issues of some groups. `fields` are as in a Jira tracker's section."""

    when: When = When()
    priority: str | None = None
    issue_type: str | None = None
    component: str | None = None
    assignee: str | None = None
    milestone: str | None = None
    labels: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """A label for groups with a classifier, with an error type, or with an attribute of this value. `{value}` in the label is the matched
    value."""

    label: str
    classifier: str | None = None
    error_type: str | None = None
    attribute: str | None = None
    value: str = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRule:
    """The assignee or the component for groups with a matching frame and a matching module in their stack."""

    frame: str | None = None
    module: str | None = None
    assignee: str | None = None
    component: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One route of the configuration, complete. docs/configure.md explains each key; `config.Route` has the defaults.

    Durations are seconds; None switches a key off.
    """

    name: str
    match: Match
    tracker: str
    status_interval: float
    on_deleted: Literal["drop", "recreate"]
    min_occurrences: int
    min_users: int
    min_hosts: int
    min_age: float
    within: float | None
    hold_unsymbolicated: bool
    max_new_issues: tuple[Limit, ...]
    gather: float
    reserve_percent: int
    reserve_min_users: int
    max_updates: tuple[Limit, ...]
    on_merge: Literal["hold", "adopt", "file"]
    on_triage: Literal["note", "follow"]
    on_regression: Literal["reopen", "comment", "new_issue"]
    reopen_window: float | None
    min_regression_occurrences: int
    hotfix_regressions: bool
    unknown_release: Literal["note", "regression"]
    fixed_in_pattern: str | None
    wont_fix: tuple[str, ...]
    duplicate: tuple[str, ...]
    ignore_label: str
    comment_new_release: bool
    comment_milestones: bool
    quiet_after: float | None
    labels: tuple[LabelRule, ...]
    owners: tuple[OwnerRule, ...]
    set: tuple[SetRule, ...]
    titles: Rules
    templates: str | None

    @property
    def thresholds(self) -> Thresholds | None:
        """The least numbers of a group if they must come within a time; None if they count from the beginning, and so stay met."""
        if self.within is None:
            return None
        return Thresholds(
            occurrences=self.min_occurrences,
            users=self.min_users,
            hosts=self.min_hosts,
            age=self.min_age,
            within=self.within,
        )

    def limits_of(self, users: int | None) -> Sequence[Limit]:
        """The limits of new issues for a group with so many users: a part of them is for groups with many."""
        reserved = users is not None and users >= self.reserve_min_users
        return self.max_new_issues if reserved else kept_free(self.max_new_issues, self.reserve_percent)


def route(group: Group, routes: Iterable[Policy]) -> Policy | None:
    """The first route that matches the group. A storm belongs to the route with its name."""
    if group.kind is GroupKind.STORM:
        return next((policy for policy in routes if policy.name == group.identity.project), None)
    return next((policy for policy in routes if hindrance(group, policy.match) is None), None)


def hindrance(group: Group, match: Match, project: Sequence[ProjectRelease] = (), now: float = 0.0) -> str | None:
    """The reason why a route or a rule does not match the group, for people; None if it matches."""
    for name, patterns in named(match):
        if not satisfies(group, name, patterns):
            return f"its {name} fits none of {', '.join(patterns)}"
    for name, patterns in named(match.unless):
        if satisfies(group, name, patterns):
            return f"its {name} fits {' or '.join(patterns)}, which `not` excludes"
    if isinstance(match, When):
        numbers, is_counted = recent(group, match.within, now)
        needed = (
            ("", "occurrences", numbers.occurrences, match.min_occurrences),
            ("" if is_counted else "at most ", "users", numbers.users, match.min_users),
            ("" if is_counted else "at most ", "machines", numbers.hosts, match.min_hosts),
        )
        if match.new_in_last is not None and not is_new(group, match.new_in_last, project):
            return f"it occurred first before the last {counted(match.new_in_last, 'release')} of its project"
        return next(
            (f"it has {most}{have:,} of {least:,} {noun}" for most, noun, have, least in needed if have < least), None
        )
    return None


def may_take(match: Match, universe: str, project: str, application: str) -> bool:
    """True if a route can match groups of this universe, project and application, of which nothing else is known. An empty application
    may be any."""
    values = {"universe": universe, "project": project} | ({"application": application} if application else {})
    excluded = any(name in values and fits(values[name], patterns) for name, patterns in named(match.unless))
    return not excluded and all(name not in values or fits(values[name], patterns) for name, patterns in named(match))


def settings(
    group: Group, rules: Iterable[SetRule], project: Sequence[ProjectRelease] = (), now: float = 0.0
) -> SetRule:
    """What the rules set for the group: for each key, and for each field, the first rule that matches and has it. `project` are the
    releases of its project and application."""
    values: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for rule in rules:
        if hindrance(group, rule.when, project, now) is None:
            fields = {**rule.fields, **fields}
            for key in SETTINGS:
                values.setdefault(key, getattr(rule, key) or None)
                values = {name: value for name, value in values.items() if value is not None}
    return SetRule(**values, fields=fields)


def labels(group: Group, rules: Iterable[LabelRule]) -> tuple[str, ...]:
    """The labels of a new issue of the group, each once."""
    attributes = dict(group.attributes)
    chosen: dict[str, None] = {}
    for rule in rules:
        if rule.error_type is not None:
            values = [value for value in attributes.get(ERROR_TYPE, ()) if is_error_type(value, (rule.error_type,))]
        elif rule.classifier is not None:
            values = [value for value in group.classifiers if fits(value, (rule.classifier,))]
        else:
            values = [value for value in attributes.get(rule.attribute or "", ()) if fits(value, (rule.value,))]
        for value in values:
            chosen[rule.label.replace("{value}", value)] = None
    return tuple(chosen)


def owner(group: Group, rules: Iterable[OwnerRule]) -> tuple[str | None, str | None]:
    """The assignee and the component of a new issue of the group, by the first rule that fits."""
    for rule in rules:
        frame_fits = rule.frame is None or any(fits(frames.name_of(frame), (rule.frame,)) for frame in group.callstack)
        modules = () if rule.module is None else filter(None, map(frames.module_of, group.callstack))
        module_fits = rule.module is None or any(fits(module, (rule.module,)) for module in modules)
        if frame_fits and module_fits:
            return rule.assignee, rule.component
    return None, None


def unreachable(routes: Sequence[Policy]) -> Iterator[tuple[Policy, str]]:
    """The routes that can never match a group, each with the reason."""
    for number, policy in enumerate(routes):
        required = dict(named(policy.match))
        earlier = next(
            (
                route
                for route in routes[:number]
                if not named(route.match.unless)
                and all(is_within(required.get(key, ()), patterns) for key, patterns in named(route.match))
            ),
            None,
        )
        # A group has one value for each of these keys.
        excluded = [
            key
            for key, patterns in named(policy.match.unless)
            if key in ("universe", "project", "application") and is_within(required.get(key, ()), patterns)
        ]
        if earlier is not None:
            yield policy, f"the route {earlier.name} before it matches every group that it matches"
        elif excluded:
            yield policy, f"its own `not` excludes every {excluded[0]} that it matches"
