"""The fields of an issue as JSON values for Jira, and the marker in each of them. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

from syncd.config import JiraSettings
from syncd.core.markers import INSTANCE_DIGITS
from syncd.model import Group
from syncd.platform.clock import Clock
from syncd.render import adf, wiki
from syncd.render.text import Document, Paragraph, one_line
from syncd.trackers import Draft
from syncd.trackers.jira.typed import ADF_LIMIT, LINE_LIMIT, Screen, Unfit, line

_WIKI_LIMIT = 32_767  # Data Center's default jira.text.field.character.limit
_REFUSED_SECONDS = 3600.0

_PLACEHOLDER = re.compile(r"\{\{\s*group\.(attributes\.[^{}\s]+|\w+)\s*\}\}")
FIXED = {"project", "issuetype", "summary", "description", "labels"}
_FOR_PEOPLE = {"assignee", "priority"}  # set at creation, and never changed afterwards

FieldValues = dict[str, Any]


def tag(marker: str) -> str:
    """The label made from a marker: short, since people read it, and without blanks."""
    return f"syncd-{digest(marker)}"


def digest(marker: str) -> str:
    """What people read of a marker: it begins as the marker does."""
    return f"{marker[:INSTANCE_DIGITS]}{hashlib.sha256(marker.encode()).hexdigest()[:16]}"


def required(settings: JiraSettings, draft: Draft) -> FieldValues:
    """The fields of every issue."""
    body, marker = draft.body, draft.marker
    # A label has no blanks.
    added = ("-".join(one_line(label, LINE_LIMIT, otherwise="unknown").split()) for label in draft.labels)
    if settings.deployment == "cloud":
        description: Any = adf.write(body, ADF_LIMIT)
    else:
        # Data Center's API types the value of a property as text, so that there the marker is in the description.
        description = wiki.write((*body, Paragraph((marker_line(marker, "issue"),))), _WIKI_LIMIT)
    return {
        "project": {"key": settings.project},
        "issuetype": {"name": draft.issue_type or settings.issue_type},
        "summary": line(draft.title) or "unknown",
        "description": description,
        "labels": list(dict.fromkeys([*settings.labels, *added, tag(marker)])),
    }


def marker_line(marker: str, place: Literal["issue", "status"]) -> str:
    """The last line of a description on Data Center, or of a comment."""
    return f"syncd {place} · {digest(marker)}"


def optional(
    settings: JiraSettings, draft: Draft, versions: Iterable[str], screen: Screen, now: float
) -> tuple[FieldValues, list[str]]:
    """The fields that may be left out where Jira refuses them, by id; and a note for each that fits no field. `versions` are those of
    the project. Raises what the screen's lookup raises."""
    available, group = set(versions), draft.group
    components = dict.fromkeys((*settings.components, *draft.components))
    affected = [{"name": release.release} for release in group.releases if release.release in available]
    own = {
        "versions": affected,
        "components": [{"name": name} for name in components],
        "priority": {"name": priority} if (priority := draft.priority or settings.priority) else None,
    }
    values, notes = mapped({**settings.fields, **draft.fields}, group, screen, now)
    values |= {name: value for name, value in own.items() if value}
    if draft.assignee:
        try:
            # Cloud names people by an opaque id, Data Center by their login.
            person: Any = {"accountId" if settings.deployment == "cloud" else "name": draft.assignee}
            values["assignee"] = screen.value("assignee", draft.assignee, now) if screen.rows else person
        except Unfit as error:
            notes.append(f"assignee was left out: {error}")
    return values, notes


def varying_names(settings: JiraSettings, draft: Draft, screen: Screen) -> set[str]:
    """The fields of a create whose value can differ from group to group."""
    rules = {"priority": draft.priority, "issuetype": draft.issue_type}
    names = {"summary", "description", "labels", "versions", "components", "assignee"}
    names |= {name for name, value in rules.items() if value}
    for name, template in {**settings.fields, **draft.fields}.items():
        if name in draft.fields or varying(template):
            with suppress(Unfit):
                names.add(screen.field_id(name))
    return names


def varying(template: Any) -> bool:
    """True if the template's value can differ from group to group."""
    match template:
        case str():
            return _PLACEHOLDER.search(template) is not None
        case dict():
            return any(map(varying, template.values()))
        case list():
            return any(map(varying, template))
    return False


def mapped(templates: Mapping[str, Any], group: Group, screen: Screen, now: float) -> tuple[FieldValues, list[str]]:
    """The mapped fields by id, typed as the screen describes them; and a note for each that fits no field.

    A template that is one placeholder keeps the type of its fact; a missing fact leaves the field out. Raises what the screen's
    lookup raises.
    """
    values: FieldValues = {}
    notes = []
    for name, template in templates.items():
        value = _filled(template, group)
        if value in (None, ""):
            continue
        try:
            field_id = screen.field_id(name)
            if field_id not in FIXED:
                values[field_id] = screen.value(field_id, value, now)
        except Unfit as error:
            notes.append(f"{name} was left out: {error}")
    return values, notes


def refreshable(templates: Mapping[str, Any], group: Group, screen: Screen, now: float) -> FieldValues:
    """The mapped fields that follow the group. Constants are set at creation only: people may change them."""
    values, _ = mapped({name: each for name, each in templates.items() if varying(each)}, group, screen, now)
    return {name: value for name, value in values.items() if name not in _FOR_PEOPLE}


def _filled(template: Any, group: Group) -> Any:
    """The template with the facts of the group; None where a fact is missing."""
    if isinstance(template, dict | list):
        parts = template.items() if isinstance(template, dict) else enumerate(template)
        filled = {key: _filled(part, group) for key, part in parts}
        if None in filled.values():
            return None
        return filled if isinstance(template, dict) else list(filled.values())
    if not isinstance(template, str):
        return template
    if whole := _PLACEHOLDER.fullmatch(template.strip()):
        return _fact(group, whole[1])
    facts = {name: _fact(group, name) for name in _PLACEHOLDER.findall(template)}
    return None if None in facts.values() else _PLACEHOLDER.sub(lambda match: str(facts[match[1]]), template)


def _fact(group: Group, name: str) -> int | str | None:
    """One of `config.GROUP_FACTS`, or the commonest value of an attribute; None where the group does not have it."""
    if name.startswith("attributes."):
        return next(iter(dict(group.attributes).get(name.removeprefix("attributes."), ())), None)
    if name in ("universe", "project", "fingerprint"):
        return str(getattr(group.identity, name))
    if name == "first_release":
        first = [(each.first_seen, each.release) for each in group.releases if each.first_seen is not None]
        return min(first)[1] if first else None
    if name == "last_release":
        last = [(each.last_seen, each.release) for each in group.releases if each.last_seen is not None]
        return max(last)[1] if last else None
    fact: int | str | None = getattr(group, name)
    if name in ("first_seen", "last_seen") and fact is not None:
        try:
            # The form of Jira's date-time fields.
            return datetime.fromtimestamp(int(fact), UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        except (OverflowError, OSError, ValueError):
            return None  # no calendar has this time
    return fact


def comment_body(settings: JiraSettings, document: Document, marker: str) -> Any:
    """A comment whose last line is its marker: Jira lists comments without their properties."""
    marked: Document = (*document, Paragraph((marker_line(marker, "status"),)))
    if settings.deployment == "cloud":
        return adf.write(marked, ADF_LIMIT)
    return wiki.write(marked, _WIKI_LIMIT)


def last_lines(body: object) -> list[str]:
    """The last line of wiki markup or of an Atlassian document, in a list; empty without text."""
    if isinstance(body, str):
        last = body.rstrip().splitlines()[-1:]
    elif isinstance(body, dict) and isinstance(body.get("content"), list):
        last = [_text(block) for block in body["content"][-1:]]
    else:
        last = []
    return [line.strip() for line in last]


def _text(node: object) -> str:
    if not isinstance(node, dict):
        return ""
    inner = node.get("content")
    return "".join(map(_text, inner)) if isinstance(inner, list) else str(node.get("text", ""))


class Refusals:
    """The fields that Jira refused, each for an hour: somebody may repair the screen meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def add(self, fields: Iterable[str]) -> None:
        self._until.update(dict.fromkeys(fields, self._clock.monotonic() + _REFUSED_SECONDS))

    def without(self, values: FieldValues) -> FieldValues:
        """`values` without the refused fields."""
        now = self._clock.monotonic()
        return {name: value for name, value in values.items() if self._until.get(name, now) <= now}
