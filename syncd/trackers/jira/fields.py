"""The fields of an issue as JSON values for Jira, and the marker in each of them. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from syncd.config import JiraSettings
from syncd.model import Group
from syncd.platform.clock import Clock
from syncd.render import adf, wiki
from syncd.render.text import Document, Paragraph, one_line
from syncd.trackers import Draft

_LINE_LIMIT = 255  # UTF-16 units in a summary or a single-line text field
_WIKI_LIMIT = 32_767  # Data Center's default jira.text.field.character.limit
_ADF_LIMIT = 30_000  # of JSON: how Cloud counts a document is not published, but its limit is the one above
_REFUSED_SECONDS = 3600.0

_PLACEHOLDER = re.compile(r"\{\{\s*group\.(\w+)\s*\}\}")
_FIXED = {"project", "issuetype", "summary", "description", "labels"}
_FOR_PEOPLE = {"assignee", "priority"}  # set at creation, and never changed afterwards

FieldValues = dict[str, Any]


def tag(marker: str) -> str:
    """The label made from a marker: short, since people read it, and without blanks."""
    return f"syncd-{_digest(marker)}"


def _digest(marker: str) -> str:
    return hashlib.sha256(marker.encode()).hexdigest()[:16]


def required(
    settings: JiraSettings, marker: str, title: str, body: Document, labels: Sequence[str] = ()
) -> FieldValues:
    """The fields of every issue."""
    # A label has no blanks.
    added = ("-".join(one_line(label, _LINE_LIMIT, otherwise="unknown").split()) for label in labels)
    if settings.deployment == "cloud":
        description: Any = adf.write(body, _ADF_LIMIT)
    else:
        # Data Center's API types the value of a property as text, so that there the marker is in the description.
        description = wiki.write((*body, Paragraph((marker_line(marker, "issue"),))), _WIKI_LIMIT)
    return {
        "project": {"key": settings.project},
        "issuetype": {"name": settings.issue_type},
        "summary": _line(title) or "unknown",
        "description": description,
        "labels": list(dict.fromkeys([*settings.labels, *added, tag(marker)])),
    }


def _line(text: str) -> str:
    # Jira counts a character beyond U+FFFF twice.
    counted_twice = sum(character > "\uffff" for character in text[:_LINE_LIMIT])
    return one_line(text, _LINE_LIMIT - min(counted_twice, _LINE_LIMIT // 2), otherwise="")


def marker_line(marker: str, place: Literal["issue", "status"]) -> str:
    """The last line of a description on Data Center, or of a comment."""
    return f"syncd {place} · {_digest(marker)}"


def optional(settings: JiraSettings, draft: Draft, versions: Iterable[str]) -> FieldValues:
    """The fields that may be left out where Jira refuses them. `versions` are those of the project."""
    available, group = set(versions), draft.group
    components = dict.fromkeys((*settings.components, *draft.components))
    # Cloud names people by an opaque id, Data Center by their login.
    person = "accountId" if settings.deployment == "cloud" else "name"
    values = {
        "versions": [{"name": release.release} for release in group.releases if release.release in available],
        "components": [{"name": name} for name in components],
        "priority": {"name": settings.priority} if settings.priority else None,
        "assignee": {person: draft.assignee} if draft.assignee else None,
    }
    return {**mapped(settings.fields, group), **{name: value for name, value in values.items() if value}}


def optional_names(settings: JiraSettings) -> list[str]:
    """Every field that `optional` can return."""
    settable = {
        "versions": settings.affects_versions,
        "components": settings.components,
        "priority": settings.priority,
    }
    names = [name for name in settings.fields if name not in _FIXED] + [name for name, sent in settable.items() if sent]
    return list(dict.fromkeys(names))


def varying_names(settings: JiraSettings) -> set[str]:
    """The fields of a create whose value can differ from group to group."""
    moving = {name for name, template in settings.fields.items() if _PLACEHOLDER.search(template)}
    return {"summary", "description", "labels", "versions", "components", "assignee", *moving}


def mapped(templates: Mapping[str, str], group: Group) -> FieldValues:
    """The mapped fields. A template that is one placeholder keeps the type of its fact; a missing fact leaves the field out."""
    values = {name: _filled(template, group) for name, template in templates.items() if name not in _FIXED}
    return {name: value for name, value in values.items() if value not in (None, "")}


def refreshable(templates: Mapping[str, str], group: Group) -> FieldValues:
    """The mapped fields that follow the group. Constants are set at creation only: people may change them."""
    moving = {name: text for name, text in templates.items() if _PLACEHOLDER.search(text)}
    return mapped({name: text for name, text in moving.items() if name not in _FOR_PEOPLE}, group)


def _filled(template: str, group: Group) -> int | str | None:
    whole = _PLACEHOLDER.fullmatch(template.strip())
    if whole:
        fact = _fact(group, whole[1])
        return _line(fact) if isinstance(fact, str) else fact
    facts = {name: _fact(group, name) for name in _PLACEHOLDER.findall(template)}
    if None in facts.values():
        return None
    return _line(_PLACEHOLDER.sub(lambda match: str(facts[match[1]]), template))


def _fact(group: Group, name: str) -> int | str | None:
    """One of `config.GROUP_FACTS`; None where the group does not have it."""
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
        return adf.write(marked, _ADF_LIMIT)
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
