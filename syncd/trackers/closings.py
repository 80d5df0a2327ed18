"""Findings of `check` on what routes read from closed issues: which resolutions they recognise, and which fix versions name a release. Pure."""

from collections.abc import Callable, Mapping, Sequence

from syncd.core.policy import Policy
from syncd.core.quantities import counted
from syncd.core.regression import fixes_named
from syncd.core.resolutions import means
from syncd.model import Condition
from syncd.trackers import Finding

_MOST_NAMES = 12


def resolutions(names: Mapping[str, str], routes: Sequence[Policy]) -> list[Finding]:
    """Which of these resolutions keep an issue closed, for all routes with the same patterns; a warning where none does. Each has the
    English name that its id stands for, or an empty one."""
    findings = []
    for policies in _alike(routes, lambda policy: (tuple(policy.wont_fix), tuple(policy.duplicate))):
        policy = policies[0]
        duplicates = [name for name, standard in names.items() if means(name, standard, tuple(policy.duplicate))]
        rejected = [
            name
            for name, standard in names.items()
            if name not in duplicates and means(name, standard, tuple(policy.wont_fix))
        ]
        reopened = _listed([name for name in names if name not in (*duplicates, *rejected)])
        lacking = [key for key, recognised in (("wont_fix", rejected), ("duplicate", duplicates)) if not recognised]
        what = f"{_named(policies)}: an issue stays closed as {_listed(rejected) or 'nothing'} (wont_fix) or "
        what += f"{_listed(duplicates) or 'nothing'} (duplicate), and a regression reopens one that was closed as {reopened or 'anything else'}"
        remedy = f"if one of these means it, add its name to {' and '.join(lacking)} of the route" if lacking else ""
        findings.append(Finding(ok=True, what=what, remedy=remedy))
    return findings


def fix_names(noun: str, names: Sequence[str], routes: Sequence[Policy], releases: Sequence[str]) -> list[Finding]:
    """Which of these fix versions or milestones (`noun`) are comparable with no release, for all routes that read them alike. No finding
    without releases, with which nothing is comparable."""
    if not names or not releases:
        return []
    findings = []
    for policies in _alike(routes, lambda policy: policy.fixed_in_pattern):
        fixes, unusable = fixes_named(Condition(fixed_in=tuple(names)), policies[0], releases)
        count = counted(len(names), noun)
        what = f"{_named(policies)}: {len(fixes):,} of {count} can be compared with the releases of the crashes"
        remedy = ""
        if unusable:
            what += (
                f", and {_listed(unusable)} cannot: an issue that is fixed in one of them counts as if it named no fix"
            )
            remedy = f"name the {noun}s after releases, or set fixed_in_pattern to read the release from them"
        findings.append(Finding(ok=True, what=what, remedy=remedy))
    return findings


def _alike(routes: Sequence[Policy], key: Callable[[Policy], object]) -> list[list[Policy]]:
    """The routes that have the same settings, in their order."""
    parts: dict[object, list[Policy]] = {}
    for policy in routes:
        parts.setdefault(key(policy), []).append(policy)
    return list(parts.values())


def _named(policies: Sequence[Policy]) -> str:
    return f"{'routes' if len(policies) > 1 else 'route'} {_listed([policy.name for policy in policies])}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
