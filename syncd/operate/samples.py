"""What a body of a source maps to, field by field, with what is missing and the remedy. For `check --sample`."""

from collections.abc import Iterator
from dataclasses import dataclass

from syncd.config import Config
from syncd.config.sources import kinds
from syncd.core.redact import private
from syncd.intake.opening import open_sources
from syncd.intake.sources.mapping import STATES, Mapped
from syncd.intake.sources.source import OpenSource, Prepared
from syncd.intake.sources.values import count_of, moment
from syncd.model import Notification
from syncd.render.text import one_line, safe_url, utc

LONGEST_VALUE = 200
MISSING = "–"  # the value of a field that the body does not have


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a notification: where the body has it, what that is, and what to do if it is missing or not understood."""

    name: str
    place: str
    value: str
    remedy: str = ""


def read(config: Config, name: str, body: bytes, now: float) -> tuple[Prepared, list[list[Field]]]:
    """Return what becomes of a body of a source, and the fields of each of its notifications. Raises RejectedDelivery."""
    source = open_sources(config)[name]
    prepared = source.prepare(body)
    listed = []
    for part, _ in prepared.parts:
        notification = source.parse(part, now)
        mapped = Mapped() if source.settings.kind == "backtrace" else source.map(part)
        listed.append(list(_fields(config, source, mapped, notification)))
    return prepared, listed


def _fields(config: Config, source: OpenSource, mapped: Mapped, notification: Notification) -> Iterator[Field]:
    identity, places = notification.identity, source.places
    yield Field("universe", "the name of the source", identity.universe)
    yield Field("project", places.get("project", ""), identity.project)
    yield Field("fingerprint", places.get("fingerprint", ""), identity.fingerprint)
    title, _, detail = (notification.message or "").partition("\n")
    values = {
        "title": title,
        "detail": detail,
        "application": notification.application or "",
        "frames": " ← ".join(notification.callstack[:4]),
        "occurrences": _occurrences(source, notification),
        "users": str(notification.users or ""),
        "hosts": str(notification.hosts or ""),
        "event": notification.object_id or "",
        "release": ", ".join(release for release, _ in notification.releases),
        "first": utc(notification.first) if notification.first is not None else "",
        "last": utc(notification.last) if notification.last is not None and _is_dated(source, mapped) else "",
        "url": notification.group_url or "",
        "classifiers": ", ".join(notification.classifiers),
        "attributes": ", ".join(f"{name}={values[0]}" for name, values in notification.attributes),
        "state": notification.state or "",
    }
    for field, value in values.items():
        raw = getattr(mapped, field)
        remedy = _remedy(config, source, field, raw, value, notification)
        if value or remedy or field in places:
            yield Field(field, places.get(field, ""), one_line(value, LONGEST_VALUE, otherwise=MISSING), remedy)


def _is_dated(source: OpenSource, mapped: Mapped) -> bool:
    """True if the body has the time of the latest occurrence, and not only that of its arrival."""
    return source.settings.kind == "backtrace" or moment(mapped.last) is not None


def _occurrences(source: OpenSource, notification: Notification) -> str:
    count = notification.occurrences
    if source.settings.kind == "backtrace":
        return "" if count is None else f"{count:,}"
    meaning = {"cumulative": "in all", "window": "more", "event": "more"}[source.settings.counts]
    return "at least 1" if count is None else f"{count:,} {meaning}"


def _remedy(config: Config, source: OpenSource, field: str, raw: object, value: str, notification: Notification) -> str:
    """What to do about a field, empty if there is nothing to do."""
    settings, is_generic = source.settings, source.settings.reader == "generic"
    if settings.kind == "backtrace":
        return ""
    expression = source.places.get(field)
    hosts = (*config.links.hosts, *kinds()[settings.kind].hosts)
    if field == "url" and value and safe_url(value, hosts) is None:
        return "no issue links to it: add its host to links.hosts"
    if field == "state" and raw is not None and raw not in STATES:
        return f"{raw!r} is none of {', '.join(STATES)}: let map.state name one of them"
    if field == "attributes" and isinstance(raw, dict) and (hidden := sorted(filter(private, map(str, raw)))):
        return f"dropped, since they point to a person or a device: {', '.join(hidden[:5])}"
    if field == "release" and raw is not None and not value:
        return f"{one_line(str(raw), 60)} is no release by release_pattern and ignore_releases"
    unread = field == "occurrences" and settings.counts != "event" and count_of(raw) is None
    if raw is not None and (unread or not value):
        return f"{one_line(str(raw), 60)} cannot be read as {field}: change map.{field}" if is_generic else ""
    if raw is not None or not is_generic:
        return ""
    if expression is not None and field not in ("detail", "state"):
        return f"the body has nothing there: change map.{field}"
    return {
        "title": "without it an issue is named by its call stack, or by its fingerprint: set map.title",
        "release": "without it nothing tells whether a closed crash came back: set map.release, or unknown_release on the route",
        "occurrences": 'set map.occurrences, or counts = "event"' if settings.counts != "event" else "",
        "event": "two bodies with the same facts count once: set map.event to what identifies an occurrence"
        if settings.counts == "event" and notification.occurrences
        else "",
        "last": "the time of arrival stands in: set map.last",
    }.get(field, "")
