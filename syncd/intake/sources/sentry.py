"""Webhooks of a Sentry internal integration: issue alerts, which have an event, and changes of issues, which have counts. Pure.

The shapes are those of docs.sentry.io/organization/integrations/integration-platform/webhooks/. An alert rule fires at most once in its interval,
so that an event is at least one occurrence; `count` of an issue is the total.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from syncd.intake.sources import personal
from syncd.intake.sources.mapping import Mapped
from syncd.intake.sources.rules import SourceRules
from syncd.intake.sources.split import Split, whole

PLACES = {
    "fingerprint": "data.event.issue_id or data.issue.id",
    "project": "data.event.url (its part behind the organization) or data.issue.project.slug",
    "title": "title",
    "detail": "culprit",
    "frames": "data.event.exception.values[-1].stacktrace.frames",
    "occurrences": "data.issue.count; an event is at least one",
    "users": "data.issue.userCount",
    "event": "data.event.event_id",
    "release": "data.event.release",
    "first": "data.issue.firstSeen or data.event.datetime",
    "last": "data.issue.lastSeen or data.event.datetime",
    "url": "web_url",
    "classifiers": "metadata.type",
    "attributes": "data.event.tags, environment, level, platform",
    "state": "data.issue.status and substatus",
}
# What is kept of a body: all else may be about a person, and needs disk.
_EVENT = ("event_id", "issue_id", "issue_url", "project", "url", "web_url", "title", "culprit", "level", "platform", "release", "environment", "datetime",
          "timestamp", "metadata", "type")  # fmt: skip
_ISSUE = ("id", "shortId", "title", "culprit", "level", "platform", "count", "userCount", "firstSeen", "lastSeen", "status", "substatus", "statusDetails",
          "metadata", "web_url", "permalink", "type")  # fmt: skip
_METADATA = ("type", "value", "title")
_FRAME = ("function", "module", "filename", "lineno", "in_app")
_SLUG = re.compile(r"/projects/[^/]+/([^/]+)/events/")
_NUMBERED = re.compile(r"/issues/(\d+)/?")


def split(value: Mapping[str, Any]) -> Split | str:
    """Return the notification, or why the body is about no crash."""
    data = _object(value.get("data"))
    if any(isinstance(data.get(name), dict) for name in ("event", "error", "issue")):
        return whole(value)
    return f"it is about {', '.join(sorted(map(str, data))) or 'nothing'}, and no issue or event"


def reduce(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is read of a body."""
    data = _object(value.get("data"))
    kept: dict[str, Any] = {}
    if (event := _event(data)) is not None:
        kept["event"] = {name: event[name] for name in _EVENT if name in event}
        kept["event"]["metadata"] = _of(event.get("metadata"), _METADATA)
        kept["event"]["tags"] = [[name, text] for name, text in personal.public(_tags(event.get("tags"))).items()]
        frames = [_of(frame, _FRAME) for frame in _stack(event)]
        kept["event"]["exception"] = {"values": [{"stacktrace": {"frames": frames}}]}
    if isinstance(issue := data.get("issue"), dict):
        kept["issue"] = {name: issue[name] for name in _ISSUE if name in issue}
        kept["issue"]["metadata"] = _of(issue.get("metadata"), _METADATA)
        kept["issue"]["project"] = _of(issue.get("project"), ("id", "slug"))
    if isinstance(rule := data.get("triggered_rule"), str):
        kept["triggered_rule"] = rule
    return {"action": value.get("action"), "data": kept}


def read(value: Mapping[str, Any], settings: SourceRules) -> Mapped:  # noqa: ARG001 - every reader has this shape
    """Return the facts of a body."""
    data = _object(value.get("data"))
    event = _event(data)
    return _read_issue(_object(data.get("issue"))) if event is None else _read_event(event)


def _read_event(event: Mapping[str, Any]) -> Mapped:
    slug = _SLUG.search(event["url"]) if isinstance(event.get("url"), str) else None
    number = _NUMBERED.search(event["issue_url"]) if isinstance(event.get("issue_url"), str) else None
    metadata, time = _object(event.get("metadata")), event.get("datetime") or event.get("timestamp")
    attributes = dict(_tags(event.get("tags")))
    attributes |= {name: event[name] for name in ("environment", "level", "platform") if event.get(name)}
    return Mapped(
        fingerprint=event.get("issue_id") or (number[1] if number else None),
        project=slug[1] if slug else event.get("project"),
        title=event.get("title") or metadata.get("title"),
        detail=event.get("culprit"),
        frames=[_frame(frame) for frame in reversed(_stack(event))],
        event=event.get("event_id"),
        release=event.get("release") or attributes.get("release"),
        first=time,
        last=time,
        url=event.get("web_url"),
        classifiers=metadata.get("type"),
        attributes=attributes,
        key=event.get("event_id"),  # two alert rules may fire for one event
    )


def _read_issue(issue: Mapping[str, Any]) -> Mapped:
    metadata, status = _object(issue.get("metadata")), issue.get("status")
    state = {"resolved": "resolved", "ignored": "ignored", "archived": "ignored"}.get(str(status), "open")
    if state == "open" and issue.get("substatus") == "regressed":
        state = "regressed"
    return Mapped(
        fingerprint=issue.get("id"),
        project=_object(issue.get("project")).get("slug"),
        title=issue.get("title") or metadata.get("title"),
        detail=issue.get("culprit"),
        occurrences=issue.get("count"),
        users=issue.get("userCount"),
        first=issue.get("firstSeen"),
        last=issue.get("lastSeen"),
        url=issue.get("web_url") or issue.get("permalink"),
        classifiers=metadata.get("type"),
        attributes={name: issue[name] for name in ("level", "platform") if issue.get(name)},
        state=state,
    )


def _event(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    event = data.get("event") or data.get("error")
    return event if isinstance(event, dict) else None


def _stack(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The frames of the exception that ended the program, the oldest first: the last of those that caused each other."""
    values = _object(event.get("exception")).get("values")
    for container in (*reversed(values if isinstance(values, list) else []), event):
        frames = _object(_object(container).get("stacktrace")).get("frames")
        if isinstance(frames, list) and frames:
            return [frame for frame in frames if isinstance(frame, dict)]
    return []


def _frame(frame: Mapping[str, Any]) -> str:
    """module.function (file:line), as far as they are there."""
    function, module, place = (frame.get(name) for name in ("function", "module", "filename"))
    named = isinstance(function, str) and isinstance(module, str) and module and not function.startswith(module)
    name = f"{module}.{function}" if named else function or module or "?"
    line = frame.get("lineno")
    where = f"{place}:{line}" if isinstance(line, int) else place
    return f"{name} ({where})" if isinstance(place, str) and place else str(name)


def _tags(value: object) -> Iterator[tuple[str, object]]:
    """Tags as documented, [[name, text], …], and as older versions have them, [{"key": …, "value": …}, …]."""
    for tag in value if isinstance(value, list) else []:
        if isinstance(tag, dict):
            tag = [tag.get("key"), tag.get("value")]
        if isinstance(tag, list) and len(tag) == 2 and isinstance(tag[0], str):
            yield tag[0], tag[1]


def _of(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else {}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
