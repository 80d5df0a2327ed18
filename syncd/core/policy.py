"""Which route takes a group, and what a route asks for. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from syncd.core import frames
from syncd.core.budget import Limit
from syncd.model import Group, GroupKind

_ATTRIBUTE = "attributes."  # before the name of one, among the names of conditions


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


def route(group: Group, routes: Iterable[Policy]) -> Policy | None:
    """The first route that takes the group; a storm belongs to the route it is named after."""
    if group.kind is GroupKind.STORM:
        return next((policy for policy in routes if policy.name == group.identity.project), None)
    return next((policy for policy in routes if _takes(policy.match, group)), None)


def _takes(match: Match, group: Group) -> bool:
    return all(_fits(group, match)) and not any(_fits(group, match.unless))


def hindrance(group: Group, match: Match) -> str | None:
    """Why a route does not take the group, in words for people; None where it does."""
    asked = _asked(match)
    for (name, patterns), fitting in zip(asked, _fits(group, match), strict=True):
        if not fitting:
            return f"its {name} fits none of {', '.join(patterns)}"
    for (name, patterns), fitting in zip(_asked(match.unless), _fits(group, match.unless), strict=True):
        if fitting:
            return f"its {name} fits {' or '.join(patterns)}, which `not` takes out"
    return None


def _fits(group: Group, conditions: Conditions) -> Iterator[bool]:
    """For each condition that is asked for, whether the group fits it. Of what a group has several, one has to fit."""
    return (any(fits(value, patterns) for value in _held(group, name)) for name, patterns in _asked(conditions))


def _held(group: Group, name: str) -> Sequence[str]:
    """What the group has of that which a condition of this name asks for."""
    match name:
        case "universe":
            return [group.identity.universe]
        case "project":
            return [group.identity.project]
        case "application":
            return [group.application or ""]
        case "classifiers":
            return group.classifiers
        case "releases":
            return [release.release for release in group.releases]
    return dict(group.attributes).get(name.removeprefix(_ATTRIBUTE), ())


def fits(value: str, patterns: Iterable[str]) -> bool:
    """Whether a text fits one of the patterns: `*`, `?` and `[…]` as in a shell, in the case they are written in."""
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def labels(group: Group, rules: Iterable[LabelRule]) -> tuple[str, ...]:
    """The labels that a new issue of the group gets, each once."""
    attributes = dict(group.attributes)
    found: dict[str, None] = {}
    for rule in rules:
        values = group.classifiers if rule.attribute is None else attributes.get(rule.attribute, ())
        pattern = rule.value if rule.classifier is None else rule.classifier
        for value in values:
            if fnmatchcase(value, pattern):
                found[rule.label.replace("{value}", value)] = None
    return tuple(found)


def owner(group: Group, rules: Iterable[OwnerRule]) -> tuple[str | None, str | None]:
    """Who gets a new issue of the group, and its component: by the first rule that fits."""
    names = [frames.name_of(frame) for frame in group.callstack]
    modules = [module for frame in group.callstack if (module := frames.module_of(frame)) is not None]
    for rule in rules:
        framed = rule.frame is None or any(fnmatchcase(name, rule.frame) for name in names)
        within = rule.module is None or any(fnmatchcase(module, rule.module) for module in modules)
        if framed and within:
            return rule.assignee, rule.component
    return None, None


def unreachable(routes: Sequence[Policy]) -> Iterator[tuple[Policy, str]]:
    """The routes that can never take a group, each with the reason."""
    for number, policy in enumerate(routes):
        earlier = next((one for one in routes[:number] if _covers(one.match, policy.match)), None)
        if earlier is not None:
            yield policy, f"whatever it matches is taken by the route {earlier.name} before it"
        elif key := _contradiction(policy.match):
            yield policy, f"its own `not` takes out whatever its {key} lets in"


def _covers(earlier: Match, later: Match) -> bool:
    """Whether the earlier one surely takes whatever the later one would."""
    if any(patterns for _, patterns in _asked(earlier.unless)):
        return False
    wanted = dict(_asked(later))
    return all(_within(wanted.get(key, ()), patterns) for key, patterns in _asked(earlier))


def _contradiction(match: Match) -> str | None:
    """The condition that the match asks for and excludes at once. Of what a group has several, another value may let it in."""
    wanted = dict(_asked(match))
    for key, patterns in _asked(match.unless):
        if key in ("universe", "project", "application") and _within(wanted.get(key, ()), patterns):
            return key
    return None


def _asked(conditions: Conditions) -> list[tuple[str, Sequence[str]]]:
    """The conditions that are asked for, by name."""
    asked = [
        ("universe", conditions.universe),
        ("project", conditions.project),
        ("application", conditions.application),
        ("classifiers", conditions.classifiers),
        ("releases", conditions.releases),
        *((f"{_ATTRIBUTE}{name}", patterns) for name, patterns in conditions.attributes.items()),
    ]
    return [(name, patterns) for name, patterns in asked if patterns]


def _within(narrow: Sequence[str], wide: Sequence[str]) -> bool:
    """Whether whatever fits the narrow patterns surely fits the wide ones; no narrow pattern lets everything in."""
    return bool(narrow) and all(any(_pattern_within(one, other) for other in wide) for one in narrow)


def _pattern_within(narrow: str, wide: str) -> bool:
    if narrow == wide or wide == "*":
        return True
    if not set(narrow) & set("*?["):
        return fnmatchcase(narrow, wide)
    # `game-*` lies within `ga*`; of other wildcards nothing is said.
    start = wide[:-1]
    return wide.endswith("*") and not set(start) & set("*?[") and narrow.startswith(start)
