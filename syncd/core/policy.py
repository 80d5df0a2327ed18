"""Which route takes a group, and what a route asks for. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from syncd.core import frames
from syncd.model import Group, GroupKind

_ATTRIBUTE = "attributes."  # before the name of one, among the names of conditions


class Conditions(Protocol):
    """Patterns by what they are held against; an empty list asks for nothing."""

    @property
    def universe(self) -> Sequence[str]: ...
    @property
    def project(self) -> Sequence[str]: ...
    @property
    def application(self) -> Sequence[str]: ...
    @property
    def classifiers(self) -> Sequence[str]: ...
    @property
    def releases(self) -> Sequence[str]: ...
    @property
    def attributes(self) -> Mapping[str, Sequence[str]]: ...


class Match(Conditions, Protocol):
    """What a group must fit, and what it must not."""

    @property
    def unless(self) -> Conditions: ...


class LabelRule(Protocol):
    """A label for the groups that have a classifier, or an attribute with a value."""

    @property
    def classifier(self) -> str | None: ...
    @property
    def attribute(self) -> str | None: ...
    @property
    def value(self) -> str: ...
    @property
    def label(self) -> str: ...


class OwnerRule(Protocol):
    """Whose a crash is, by its frames or its module."""

    @property
    def frame(self) -> str | None: ...
    @property
    def module(self) -> str | None: ...
    @property
    def assignee(self) -> str | None: ...
    @property
    def component(self) -> str | None: ...


class Policy(Protocol):
    """What a route asks for; docs/configure.md says what each means."""

    @property
    def name(self) -> str: ...
    @property
    def match(self) -> Match: ...
    @property
    def tracker(self) -> str: ...
    @property
    def status_interval(self) -> float: ...
    @property
    def on_deleted(self) -> str: ...
    @property
    def min_occurrences(self) -> int: ...
    @property
    def min_users(self) -> int: ...
    @property
    def min_hosts(self) -> int: ...
    @property
    def min_age(self) -> float: ...
    @property
    def within(self) -> float | None: ...
    @property
    def hold_unsymbolicated(self) -> bool: ...
    @property
    def on_regression(self) -> str: ...
    @property
    def reopen_window(self) -> float | None: ...
    @property
    def min_regression_occurrences(self) -> int: ...
    @property
    def hotfix_regressions(self) -> bool: ...
    @property
    def unknown_release(self) -> str: ...
    @property
    def wont_fix(self) -> Sequence[str]: ...
    @property
    def duplicate(self) -> Sequence[str]: ...
    @property
    def ignore_label(self) -> str: ...
    @property
    def comment_new_release(self) -> bool: ...
    @property
    def comment_milestones(self) -> bool: ...
    @property
    def quiet_after(self) -> float | None: ...
    @property
    def labels(self) -> Sequence[LabelRule]: ...
    @property
    def owners(self) -> Sequence[OwnerRule]: ...


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
