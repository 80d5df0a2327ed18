"""Routes: the settings of each, the route that matches a group, and the labels and owner of its issue. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from syncd.core import frames
from syncd.core.budget import Limit
from syncd.core.patterns import fits
from syncd.model import Group, GroupKind, Thresholds

_ATTRIBUTE = "attributes."  # the prefix of an attribute's condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Patterns for the properties of a group. An empty tuple matches everything."""

    universe: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    application: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(Conditions):
    """A route takes a group that fits every condition and none of `unless`."""

    unless: Conditions = Conditions()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """A label for groups with a classifier, or with an attribute of this value. `{value}` in the label is the matched value."""

    label: str
    classifier: str | None = None
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
    max_updates: tuple[Limit, ...]
    on_regression: Literal["reopen", "comment", "new_issue"]
    reopen_window: float | None
    min_regression_occurrences: int
    hotfix_regressions: bool
    unknown_release: Literal["note", "regression"]
    wont_fix: tuple[str, ...]
    duplicate: tuple[str, ...]
    ignore_label: str
    comment_new_release: bool
    comment_milestones: bool
    quiet_after: float | None
    labels: tuple[LabelRule, ...]
    owners: tuple[OwnerRule, ...]
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


def route(group: Group, routes: Iterable[Policy]) -> Policy | None:
    """The first route that matches the group. A storm belongs to the route with its name."""
    if group.kind is GroupKind.STORM:
        return next((policy for policy in routes if policy.name == group.identity.project), None)
    return next((policy for policy in routes if hindrance(group, policy.match) is None), None)


def hindrance(group: Group, match: Match) -> str | None:
    """The reason why a route does not match the group, for people; None if it matches."""
    for name, patterns in _conditions(match):
        if not _fits(group, name, patterns):
            return f"its {name} fits none of {', '.join(patterns)}"
    for name, patterns in _conditions(match.unless):
        if _fits(group, name, patterns):
            return f"its {name} fits {' or '.join(patterns)}, which `not` excludes"
    return None


def _conditions(conditions: Conditions) -> list[tuple[str, tuple[str, ...]]]:
    """The conditions that have patterns, by name."""
    everything = [
        ("universe", conditions.universe),
        ("project", conditions.project),
        ("application", conditions.application),
        ("classifiers", conditions.classifiers),
        ("releases", conditions.releases),
        *((f"{_ATTRIBUTE}{name}", patterns) for name, patterns in conditions.attributes.items()),
    ]
    return [(name, patterns) for name, patterns in everything if patterns]


def _fits(group: Group, condition: str, patterns: Iterable[str]) -> bool:
    """True if the group fits the condition. Of several values, such as releases, one must fit."""
    values: Iterable[str]
    match condition:
        case "universe":
            values = [group.identity.universe]
        case "project":
            values = [group.identity.project]
        case "application":
            values = [group.application or ""]
        case "classifiers":
            values = group.classifiers
        case "releases":
            values = [release.release for release in group.releases]
        case _:
            values = dict(group.attributes).get(condition.removeprefix(_ATTRIBUTE), ())
    return any(fits(value, patterns) for value in values)


def labels(group: Group, rules: Iterable[LabelRule]) -> tuple[str, ...]:
    """The labels of a new issue of the group, each once."""
    attributes = dict(group.attributes)
    chosen: dict[str, None] = {}
    for rule in rules:
        values = group.classifiers if rule.attribute is None else attributes.get(rule.attribute, ())
        pattern = rule.value if rule.classifier is None else rule.classifier
        for value in values:
            if fits(value, (pattern,)):
                chosen[rule.label.replace("{value}", value)] = None
    return tuple(chosen)


def owner(group: Group, rules: Iterable[OwnerRule]) -> tuple[str | None, str | None]:
    """The assignee and the component of a new issue of the group, by the first rule that fits."""
    names = [frames.name_of(frame) for frame in group.callstack]
    modules = [module for frame in group.callstack if (module := frames.module_of(frame)) is not None]
    for rule in rules:
        frame_fits = rule.frame is None or any(fits(name, (rule.frame,)) for name in names)
        module_fits = rule.module is None or any(fits(module, (rule.module,)) for module in modules)
        if frame_fits and module_fits:
            return rule.assignee, rule.component
    return None, None


def unreachable(routes: Sequence[Policy]) -> Iterator[tuple[Policy, str]]:
    """The routes that can never match a group, each with the reason."""
    for number, policy in enumerate(routes):
        required = dict(_conditions(policy.match))
        earlier = next(
            (
                route
                for route in routes[:number]
                if not _conditions(route.match.unless)
                and all(_within(required.get(key, ()), patterns) for key, patterns in _conditions(route.match))
            ),
            None,
        )
        # A group has one value for each of these keys.
        excluded = [
            key
            for key, patterns in _conditions(policy.match.unless)
            if key in ("universe", "project", "application") and _within(required.get(key, ()), patterns)
        ]
        if earlier is not None:
            yield policy, f"the route {earlier.name} before it matches every group that it matches"
        elif excluded:
            yield policy, f"its own `not` excludes every {excluded[0]} that it matches"


def _within(narrow: Sequence[str], wide: Sequence[str]) -> bool:
    """True if every value that fits `narrow` surely fits `wide`. Without a pattern, `narrow` fits every value."""
    # Of patterns with wildcards, `game-*` is within `ga*`; others are not compared.
    starts = tuple(outer[:-1] for outer in wide if outer.endswith("*") and not set(outer[:-1]) & set("*?["))
    return bool(narrow) and all(
        inner in wide or inner.startswith(starts) or (not set(inner) & set("*?[") and fits(inner, wide))
        for inner in narrow
    )
