"""What the rules of a route set on an issue after its filing: only upwards, and never against what a person changed. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncd.core import policy
from syncd.core.policy import SetRule
from syncd.core.quantities import listed
from syncd.model import Group, Issue, PresentSettings, ProjectRelease, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """`changes` are to be set now; `after` is all that syncd has set then. `reason` is a clause for people, empty without changes."""

    changes: Settings
    after: Settings
    reason: str = ""


def wanted(
    group: Group, rules: Iterable[SetRule], project: Sequence[ProjectRelease] = (), now: float = 0.0
) -> Settings:
    """What the rules ask for by the group's present numbers. `project` are the releases of its project and application."""
    chosen = policy.settings(group, rules, project, now)
    return Settings(
        priority=chosen.priority,
        assignee=chosen.assignee,
        milestone=chosen.milestone,
        labels=chosen.labels,
        components=() if chosen.component is None else (chosen.component,),
    )


def is_due(issue: Issue, settings: Settings) -> bool:
    """True if the rules ask for something else than when they were compared with the issue last."""
    return settings not in (issue.judged, Settings())


def raised(settings: Settings, issue: Issue, standing: PresentSettings) -> Raise:
    """What to change of an issue that has `standing`, where the rules ask for these `settings`.

    A priority is raised along the tracker's own order of priorities, if syncd or the tracker itself chose the present one. A label or a
    component is added once: whoever removes it does not meet it again. An assignee and a milestone are set where there is none.
    """
    before, present, touched = issue.settings or Settings(), standing.settings, standing.touched
    single: dict[str, Any] = {}
    if settings.priority is not None and _rises(present.priority, settings.priority, standing.priorities):
        own = _same(present.priority, before.priority) if touched is None else "priority" not in touched
        single |= {"priority": settings.priority} if own else {}
    for key in ("assignee", "milestone"):
        value = getattr(settings, key)
        if value is not None and getattr(present, key) is None and getattr(before, key) is None:
            single |= {} if key in (touched or ()) else {key: value}
    lists: dict[str, Any] = {
        key: tuple(
            value
            for value in getattr(settings, key)
            if not _among(value, getattr(before, key))
            and not _among(value, getattr(present, key))
            and f"{key} {value}".casefold() not in (touched or ())
        )
        for key in ("labels", "components")
    }
    changes = Settings(**single, **lists)
    after = replace(
        before,
        **single,
        labels=tuple(dict.fromkeys((*before.labels, *settings.labels))),
        components=tuple(dict.fromkeys((*before.components, *settings.components))),
    )
    if settings.priority is not None and touched is not None and "priority" not in touched:
        after = replace(after, priority=changes.priority or present.priority)
    return Raise(changes=changes, after=after, reason=listed(_clauses(changes, present)))


def _clauses(changes: Settings, present: Settings) -> list[str]:
    clauses = []
    if changes.priority is not None:
        before = "" if present.priority is None else f" from {present.priority}"
        clauses.append(f"the priority is raised{before} to {changes.priority}")
    clauses += [f"the label {label} is added" for label in changes.labels]
    clauses += [f"the component {component} is added" for component in changes.components]
    if changes.assignee is not None:
        clauses.append(f"{changes.assignee} is assigned")
    if changes.milestone is not None:
        clauses.append(f"the milestone {changes.milestone} is set")
    return clauses


def _rises(present: str | None, target: str, priorities: Sequence[str]) -> bool:
    """True if `target` is more important than `present` in this order, the most important first. Nothing is said of unknown names."""
    ranks = {name.casefold(): -place for place, name in enumerate(priorities)}
    if target.casefold() not in ranks:
        return False
    return present is None or ranks[target.casefold()] > ranks.get(present.casefold(), 1)


def _same(left: str | None, right: str | None) -> bool:
    return (left or "").casefold() == (right or "").casefold()


def _among(value: str, values: Iterable[str]) -> bool:
    return value.casefold() in {each.casefold() for each in values}
