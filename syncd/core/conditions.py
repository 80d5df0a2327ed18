"""Conditions of routes and rules: patterns, ranges of releases and shares that a group fits or not. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.overview import first_release
from syncd.core.patterns import fits, searched
from syncd.core.releases import Order, compare
from syncd.model import Group

# The prefixes of the conditions on attributes.
_ATTRIBUTE, _COMMONEST, _SHARES = "attributes.", "commonest.", "shares."
# The attribute in which Backtrace's SDKs send the kind of report: Crash, Hang, Exception, Unhandled exception, Message, OOMException.
ERROR_TYPE = "error.type"
_OF_RELEASES = ("releases", "first_release")

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


def named(conditions: Conditions) -> list[tuple[str, tuple[str, ...]]]:
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


def satisfies(group: Group, condition: str, patterns: Iterable[str]) -> bool:
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
            return any(is_error_type(value, patterns) for value in dict(group.attributes).get(ERROR_TYPE, ()))
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


def is_error_type(value: str, patterns: Iterable[str]) -> bool:
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


def is_within(narrow: Sequence[str], wide: Sequence[str]) -> bool:
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
