"""How people left an issue in Jira: its status, resolution, fix versions, labels, and the issue that it duplicates.

Whether it is closed is told by the category of its status: names of statuses are each team's own, and translated.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from syncd.config import JiraSettings
from syncd.model import Condition, Observation, Place
from syncd.trackers.jira.answers import Named, browse, moment

_FIELDS = ("status", "resolution", "resolutiondate", "labels", "issuelinks")


class Kept(Named, kw_only=True):
    """An issue with the fields that were asked for."""

    fields: dict[str, Any] = msgspec.field(default_factory=dict)


def wanted(settings: JiraSettings) -> list[str]:
    """The fields that tell a condition."""
    # Where a workflow sets no resolution, only Cloud tells since when the status has its category.
    own = ["statuscategorychangedate"] if settings.deployment == "cloud" else []
    return [*_FIELDS, *own, settings.fixed_in_field]


def seen(settings: JiraSettings, kept: Kept) -> Observation:
    """Where an issue is and how people left it."""
    place = Place(remote_id=kept.id, key=kept.key, url=browse(settings.url, kept.key))
    return Observation(place=place, condition=_condition(settings, kept.fields))


def _condition(settings: JiraSettings, fields: dict[str, Any]) -> Condition:
    closed = _is_closed(fields)
    labels = fields.get("labels")
    return Condition(
        closed=closed,
        resolution=(_name(fields.get("resolution")) or _name(fields.get("status")) or "") if closed else "",
        closed_at=_closed_at(fields) if closed else None,
        fixed_in=tuple(_names(fields.get(settings.fixed_in_field))),
        labels=tuple(sorted(label for label in labels if isinstance(label, str))) if isinstance(labels, list) else (),
        duplicate_of=_duplicate_of(settings, fields.get("issuelinks")) if closed else None,
    )


def _is_closed(fields: dict[str, Any]) -> bool:
    status = fields.get("status")
    category = status.get("statusCategory") if isinstance(status, dict) else None
    return isinstance(category, dict) and category.get("key") == "done"


def _closed_at(fields: dict[str, Any]) -> float | None:
    for name in ("resolutiondate", "statuscategorychangedate"):
        text = fields.get(name)
        if isinstance(text, str) and (at := moment(text)) is not None:
            return at
    return None


def _name(value: Any) -> str | None:
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) else None


def _names(value: Any) -> Iterator[str]:
    """The names in a field of versions or options, in one or many, or in text."""
    for item in value if isinstance(value, list) else [value]:
        text = item if isinstance(item, str) else _name(item)
        if text is None and isinstance(item, dict) and isinstance(item.get("value"), str):
            text = item["value"]
        if text and text.strip():
            yield text.strip()


def _duplicate_of(settings: JiraSettings, links: Any) -> Place | None:
    """The issue that this one duplicates. Of such a link the other end says `is duplicated by`, and is none."""
    for link in links if isinstance(links, list) else []:
        kind, other = (link.get("type"), link.get("outwardIssue")) if isinstance(link, dict) else (None, None)
        if not isinstance(kind, dict) or not isinstance(other, dict):
            continue
        words = f"{kind.get('name', '')} {kind.get('outward', '')}".casefold()
        key, remote_id = other.get("key"), other.get("id")
        if "duplicate" in words and isinstance(key, str) and isinstance(remote_id, str):
            return Place(remote_id=remote_id, key=key, url=browse(settings.url, key))
    return None
