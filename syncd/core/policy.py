"""Routes: the settings of each, the route that matches a group, and the labels and owner of its issue. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from syncd.core import frames
from syncd.core.budget import Limit, kept_free
from syncd.core.fold import recent
from syncd.core.overview import first_release, is_new
from syncd.core.patterns import fits, searched
from syncd.core.quantities import counted
from syncd.core.releases import Order, compare
from syncd.core.titles import Rules
from syncd.model import Group, GroupKind, ProjectRelease, Thresholds

# The prefixes of the conditions on attributes.
_ATTRIBUTE, _COMMONEST, _SHARES = "attributes.", "commonest.", "shares."
# The attribute in which Backtrace's SDKs send the kind of report: Crash, Hang, Exception, Unhandled exception, Message, OOMException.
_ERROR_TYPE = "error.type"
_OF_RELEASES = ("releases", "first_release")

# The keys of a rule of `set` that have a single value or list; `fields` are chosen field by field.
SETTINGS = ("priority", "issue_type", "component", "assignee", "milestone", "labels")

# A pattern, and the least share of the occurrences whose values fit it: `production 50%`.
SHARE = re.compile(r"\s*(\S.*?)\s+(\d{1,3}(?:\.\d{1,3})?)\s?%\s*")
_COMPARISON = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(.*?)\s*")
_AMONG = {
    ">=": (Order.NEWER, Order.SAME),
    "<=": (Order.OLDER, Order.SAME),
    "==": (Order.SAME,),
    "!=": (Order.OLDER, Order.NEWER),
    ">": (Order.NEWER,),
    "<": (Order.OLDER,),
}
# What a shell pattern takes literally and a regular expression does not.
_FOREIGN = re.compile(r"\A\^|\$\Z|[\w)*]\|[\w(*]|\\[dDwWsSbB.]|(?<!\w)\.[*]|\.\+|\(\?|\{\d+(?:,\d*)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Patterns for the properties of a group. An empty tuple matches everything.

    `error_type` is for the kind of report that Backtrace's SDKs send beside the classifiers, in upper or lower case. `first_release` is the
    release in which the group was noticed first. `commonest` is for attributes of which only the commonest value counts, `attributes` for
    those of which any value may fit, and `shares` for those of which the values that fit have at least a share of the occurrences (`SHARE`).
    """

    universe: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    application: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    error_type: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    first_release: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    commonest: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shares: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(Conditions):
    """A route takes a group that fits every condition and none of `unless`."""

    unless: Conditions = Conditions()


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
    for name, patterns in _conditions(match):
        if not _fits(group, name, patterns):
            return f"its {name} fits none of {', '.join(patterns)}"
    for name, patterns in _conditions(match.unless):
        if _fits(group, name, patterns):
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
    excluded = any(name in values and fits(values[name], patterns) for name, patterns in _conditions(match.unless))
    return not excluded and all(
        name not in values or fits(values[name], patterns) for name, patterns in _conditions(match)
    )


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


def _conditions(conditions: Conditions) -> list[tuple[str, tuple[str, ...]]]:
    """The conditions that have patterns, by name."""
    everything = [
        ("universe", conditions.universe),
        ("project", conditions.project),
        ("application", conditions.application),
        ("classifiers", conditions.classifiers),
        ("error_type", conditions.error_type),
        ("releases", conditions.releases),
        ("first_release", conditions.first_release),
        *((f"{_ATTRIBUTE}{name}", patterns) for name, patterns in conditions.attributes.items()),
        *((f"{_COMMONEST}{name}", patterns) for name, patterns in conditions.commonest.items()),
        *((f"{_SHARES}{name}", patterns) for name, patterns in conditions.shares.items()),
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
        case "error_type":
            return any(_is_error_type(value, patterns) for value in dict(group.attributes).get(_ERROR_TYPE, ()))
        case "releases":
            values = [release.release for release in group.releases]
        case "first_release":
            first = first_release(group)
            values = [] if first is None else [first]
        case _ if condition.startswith(_SHARES):
            return any(_has_share(group, condition.removeprefix(_SHARES), pattern) for pattern in patterns)
        case _ if condition.startswith(_COMMONEST):
            values = dict(group.attributes).get(condition.removeprefix(_COMMONEST), ())[:1]
        case _:
            values = dict(group.attributes).get(condition.removeprefix(_ATTRIBUTE), ())
    if condition not in _OF_RELEASES:
        return any(fits(value, patterns) for value in values)
    compared = [pattern for pattern in patterns if _COMPARISON.match(pattern)]
    plain = [pattern for pattern in patterns if pattern not in compared]
    return any(fits(value, plain) or any(_in_range(value, each) for each in compared) for value in values)


def _is_error_type(value: str, patterns: Iterable[str]) -> bool:
    """True if the error type fits one of the patterns, in upper or lower case: SDKs spell `Hang` and `hang`."""
    blind = [pattern.lower() if (sought := searched(pattern)) is None else f"(?i){sought}" for pattern in patterns]
    return fits(value.lower(), blind)


def _has_share(group: Group, attribute: str, pattern: str) -> bool:
    """True if the values that fit have the least share of the occurrences whose values are counted. Where the sender counted none, a single
    value is that of all, and of several values the shares are open."""
    parts = SHARE.fullmatch(pattern)
    place = next((place for place, (name, _) in enumerate(group.attributes) if name == attribute), None)
    if parts is None or place is None:
        return False
    values = group.attributes[place][1]
    counts = group.attribute_counts[place] if place < len(group.attribute_counts) else ()
    if len(counts) != len(values):
        counts = (1,) if len(values) == 1 else ()
    fitting = sum(count for value, count in zip(values, counts, strict=False) if fits(value, (parts[1],)))
    return bool(counts) and 100 * fitting >= float(parts[2]) * sum(counts)


def _in_range(release: str, comparisons: str) -> bool:
    """True if the release fits each of the comparisons, such as `>= 2.4, < 3`. One that is not comparable fits none."""
    return all(
        (bound := _COMPARISON.fullmatch(each)) is not None and _order(release, bound[2]) in _AMONG[bound[1]]
        for each in comparisons.split(",")
    )


def _order(release: str, bound: str) -> Order:
    """The order of a release and the bound of a comparison, in which 3 stands for 3.0 where it is compared with versions."""
    order = compare(release, bound)
    return compare(release, f"{bound}.0") if order is Order.INCOMPARABLE and re.fullmatch(r"\d{1,3}", bound) else order


def doubtful(condition: str, pattern: str) -> str | None:
    """Why the pattern of a condition can hardly match anything; None where it can."""
    if condition == "shares" and (parts := SHARE.fullmatch(pattern)):
        pattern = parts[1]
    if searched(pattern) is not None:
        return None
    if _COMPARISON.match(pattern):
        if condition not in _OF_RELEASES:
            return "only releases are compared with < and >; it is read as a text here"
        bounds = [_COMPARISON.fullmatch(each) for each in pattern.split(",")]
        if any(each is None or not any(map(str.isdecimal, each[2])) or set(each[2]) & set("*?<>=") for each in bounds):
            return 'a comparison needs a release without wildcards, as in ">= 2.4" or ">= 2.4, < 3"'
        ends = [each.groups() for each in bounds if each is not None]
        for low_sign, bound in ends:
            low = f"{bound}.0" if re.fullmatch(r"\d{1,3}", bound) else bound
            for high_sign, high in ends:
                order = _order(low, high)
                touching = order is Order.SAME and (low_sign == ">" or high_sign == "<")
                if (
                    low_sign in (">", ">=", "==")
                    and high_sign in ("<", "<=", "==")
                    and (order is Order.NEWER or touching)
                ):
                    return "no release is in this range"
        return None
    if not pattern:
        return "no value is empty"
    if pattern != pattern.strip():
        return "it begins or ends with a blank"
    if foreign := _FOREIGN.search(pattern):
        return (
            f'a shell pattern takes {foreign[0]!r} literally; write a regular expression between slashes: "/{pattern}/"'
        )
    return None


def labels(group: Group, rules: Iterable[LabelRule]) -> tuple[str, ...]:
    """The labels of a new issue of the group, each once."""
    attributes = dict(group.attributes)
    chosen: dict[str, None] = {}
    for rule in rules:
        if rule.error_type is not None:
            values = [value for value in attributes.get(_ERROR_TYPE, ()) if _is_error_type(value, (rule.error_type,))]
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
    # Of patterns with wildcards, `game-*` is within `ga*`; others are not compared, nor are expressions and comparisons.
    starts = tuple(outer[:-1] for outer in wide if outer.endswith("*") and not set(outer[:-1]) & set("*?["))
    return bool(narrow) and all(
        inner in wide
        or "*" in wide
        or (
            searched(inner) is None
            and _COMPARISON.match(inner) is None
            and (inner.startswith(starts) or (not set(inner) & set("*?[") and fits(inner, wide)))
        )
        for inner in narrow
    )
