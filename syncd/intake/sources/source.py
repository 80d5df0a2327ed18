"""One configured source: bodies in, notifications out. Pure; logins are in `syncd.intake.logins`."""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import msgspec
from msgspec.structs import replace as replace_fields

from syncd.core import paths
from syncd.core.counts import AnyMode
from syncd.errors import RejectedDelivery
from syncd.intake.sources import alertmanager, backtrace, document, generic, mapping, personal, sentry
from syncd.intake.sources.mapping import Mapped
from syncd.intake.sources.rules import PATH, UNIVERSE, Shapes, SourceRules
from syncd.intake.sources.split import Split
from syncd.intake.sources.values import Reading
from syncd.model import Identity, Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What becomes of a body: parts to store, each with its identity; what is for the quarantine, with the reason, which is that of its first
    notification; or, if it is about no crash, why it is ignored. `note` is what of it cannot be read."""

    parts: tuple[tuple[bytes, Identity], ...] = ()
    rejected: tuple[tuple[bytes, RejectedDelivery], ...] = ()
    ignored: str = ""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A source that reads bodies. What it stores of one is a body that it reads again."""

    name: str
    settings: SourceRules
    reading: Reading

    @property
    def universe(self) -> str:
        """What begins the universe of its groups: no group of another source is in it."""
        return f"{UNIVERSE}{self.name}"

    @property
    def mode(self) -> AnyMode | None:
        """How its counts are read; None for Backtrace's, whose meaning evidence decides."""
        if self.settings.kind == "backtrace":
            return None
        return "cumulative" if self.settings.counts == "cumulative" else "sum"

    @property
    def places(self) -> dict[str, str]:
        """Where in a body each field is, for people."""
        named = {"alertmanager": alertmanager.PLACES, "sentry": sentry.PLACES}.get(self.settings.reader)
        listed = dict(named if named is not None else self.settings.fields)
        return listed | ({"project": "project in the configuration"} if self.settings.project else {})

    def prepare(self, body: bytes) -> Prepared:
        """Return what becomes of a body, without what is personal. Raises RejectedDelivery if it is no JSON."""
        if self.settings.kind == "backtrace":
            identity, note = backtrace.recognise(body)
            return Prepared(parts=((body, self._own(identity)),), note=note)
        whole = document.read(body)
        value = whole.value
        if not isinstance(value, dict):
            error = RejectedDelivery(422, "not_a_notification", "A notification is a JSON object.")
            return Prepared(rejected=((_encoded(self._public(value)), error),))
        split = self._split(value)
        if self.settings.only is not None and not paths.search(self.settings.only, value):
            split = f"only says so: {self.settings.only}"
        stranger = foreign(value, self.settings.kind, f"{PATH}{self.name}", self.settings.shapes)
        is_generic = self.settings.kind == "generic"  # it may take any shape
        if isinstance(split, str):
            return Prepared(ignored=split) if stranger is None or is_generic else Prepared(rejected=(stranger,))
        if len(split.items) > 1 and not split.is_bounded:
            message = f"The body has {len(split.items):,} notifications, which are too many to store each with what they share; let the sender divide it."
            error = RejectedDelivery(422, "too_many_notifications", message)
            return Prepared(rejected=((_encoded(self._public(value)), error),))
        parts: list[tuple[bytes, Identity]] = []
        refused: list[object] = []
        errors: list[RejectedDelivery] = []
        for item in split.items:
            kept = self._public(split.having([item]))
            try:
                parts.append((_encoded(kept), self._identity(self._map(kept, ("project", "fingerprint")))))
            except RejectedDelivery as error:
                refused.append(item)
                errors.append(error)
        rejected: tuple[tuple[bytes, RejectedDelivery], ...] = ()
        if errors:
            # What is personal in the body of another kind is removed as in a body of that kind.
            kept_body, refusal = stranger or (_encoded(self._public(split.having(refused))), errors[0])
            rejected = ((kept_body, errors[0] if is_generic else refusal),)
        notes = [text for text in (whole.note, alertmanager.note(value) if self._alerts else None) if text]
        return Prepared(parts=tuple(parts), rejected=rejected, note="; ".join(notes) or None)

    def unreadable(self, body: bytes) -> bytes:
        """Return what is kept of a body that cannot be read. Nobody can tell what is personal in it, but Backtrace's is kept whole."""
        if self.settings.kind == "backtrace":
            return body
        return _encoded({"unreadable": {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}})

    def parse(self, body: bytes, received_at: float) -> Notification:
        """Return the notification in a part that `prepare` returned. Raises RejectedDelivery."""
        if self.settings.kind == "backtrace":
            parsed = backtrace.parse(body, received_at, self.reading)
            return replace_fields(parsed, identity=self._own(parsed.identity))
        mapped = self.map(body)
        if self.settings.on_resolved == "ignore":
            mapped = replace(mapped, state=None)
        return mapping.notification(
            mapped, self._identity(mapped), received_at, self.reading, single=self.settings.counts == "event"
        )

    def map(self, body: bytes) -> Mapped:
        """Return the facts of a body with one notification. Raises RejectedDelivery."""
        value = document.read(body).value
        if not isinstance(value, dict):
            raise RejectedDelivery(422, "not_a_notification", "A notification is a JSON object.")
        return self._map(value)

    @property
    def _alerts(self) -> bool:
        return self.settings.reader == "alertmanager"

    def _split(self, value: Mapping[str, Any]) -> Split | str:
        if self._alerts:
            return alertmanager.split(value)
        if self.settings.reader == "sentry":
            return sentry.split(value)
        return generic.split(value, self.settings)

    def _map(self, value: Any, fields: Container[str] | None = None) -> Mapped:
        """The facts of a body with one notification, or at least these of them."""
        if self.settings.reader == "generic":
            mapped = generic.read(value, self.settings, fields)
        else:
            read = alertmanager.read if self._alerts else sentry.read
            mapped = read(value, self.settings)
        return mapped if self.settings.project is None else replace(mapped, project=self.settings.project)

    def _identity(self, mapped: Mapped) -> Identity:
        return mapping.identity(mapped, self.universe, self.places)

    def _own(self, identity: Identity) -> Identity:
        return replace(identity, universe=f"{self.universe}:{identity.universe}")

    def _public(self, value: Any) -> Any:
        reduced = sentry.reduce(value) if self.settings.reader == "sentry" and isinstance(value, dict) else value
        return personal.without(reduced, self.settings.drop)


def foreign(value: object, own: str, address: str, shapes: Shapes) -> tuple[bytes, RejectedDelivery] | None:
    """Return a body that another kind of source sends than the `own` one of this address, without what is personal, and its refusal; None if it
    looks like no such body."""
    if paths.search(shapes[own].expression, value):
        return None
    for name, shape in shapes.items():
        if paths.search(shape.expression, value):
            what = "/webhooks/backtrace" if name == "backtrace" else f'a source of kind = "{name}"'
            message = (
                f"This looks like a body of {shape.title}; {address} is for {shapes[own].title}. Send it to {what}."
            )
            kept = sentry.reduce(value) if name == "sentry" and isinstance(value, dict) else value
            return _encoded(personal.without(kept, shape.drop)), RejectedDelivery(422, "other_source", message)
    return None


def reject_unknown(name: str) -> NoReturn:
    """Raise RejectedDelivery for the delivery of a source that the configuration lacks."""
    message = f"The source {name} is not configured any more; add [sources.{name}] again, then replay this delivery."
    raise RejectedDelivery(422, "unknown_source", message)


def reread(sources: Mapping[str, OpenSource], name: str | None, body: bytes) -> Prepared:
    """Return what this version makes of a body in the quarantine. Raises RejectedDelivery."""
    if name is None:
        identity, note = backtrace.recognise(body)
        return Prepared(parts=((body, identity),), note=note)
    prepared = (sources.get(name) or reject_unknown(name)).prepare(body)
    for _, error in prepared.rejected:
        raise error
    if not prepared.parts:
        raise RejectedDelivery(422, "ignored", f"The source {name} ignores it: {prepared.ignored}")
    return prepared


def _encoded(value: object) -> bytes:
    return msgspec.json.encode(value)
