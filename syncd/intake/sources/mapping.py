"""From what a source says to a notification, within the same limits as Backtrace's. Pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import msgspec

from syncd.errors import RejectedDelivery
from syncd.intake.sources import backtrace, personal
from syncd.intake.sources.backtrace import MAX_ATTRIBUTES, MAX_FRAMES, MAX_VALUES
from syncd.intake.sources.document import Document
from syncd.intake.sources.values import MAX_TEXT, MAX_VALUE, Reading, count_of, release_of, scalar, span, text_of
from syncd.model import Identity, Notification

STATES = ("open", "resolved", "regressed", "ignored")
LONGEST_KEY = 1024  # characters of a fingerprint
SENDER = "source"  # stands for the universe, which no body of a source names


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The facts of a notification as its body has them; anything may be of any type. `event` identifies an occurrence. Two bodies with the
    same `key` are one notification; without a key, those whose facts are all equal are."""

    fingerprint: object = None
    project: object = None
    title: object = None
    detail: object = None
    application: object = None
    frames: object = None
    occurrences: object = None
    users: object = None
    hosts: object = None
    event: object = None
    release: object = None
    first: object = None
    last: object = None
    url: object = None
    classifiers: object = None
    attributes: object = None
    state: object = None
    key: object = None


def identity(mapped: Mapped, universe: str, places: dict[str, str]) -> Identity:
    """Return whom a notification is about. `places` say where in the body each field is, for people. Raises RejectedDelivery 422."""
    parts = {"universe": SENDER, "project": mapped.project, "fingerprint": mapped.fingerprint}
    # A character that was replaced could make one group of two.
    flaws = {field: {""} for field, part in parts.items() if isinstance(part, str) and "\ufffd" in part}
    try:
        return replace(backtrace.identify(Document(parts, flaws)), universe=universe)
    except RejectedDelivery as error:
        field = error.field or ""
        message = f"{error.message} This source reads it from {places.get(field, field)}."
        raise RejectedDelivery(422, error.code, message, field) from None


def notification(
    mapped: Mapped, identity: Identity, received_at: float, reading: Reading, *, single: bool
) -> Notification:
    """Return the notification; `single` if each is one occurrence unless it says 0."""
    occurrences = count_of(mapped.occurrences)
    if single:
        occurrences = 0 if occurrences == 0 else 1
    first, last = span([time for time in (mapped.first, mapped.last) if time is not None], received_at)
    if mapped.first is None and not single:
        first = None
    if last is None:
        # It is no later than that, and equal notifications are then surely the same.
        first, last = (int(received_at) if single else None), int(received_at)
    name = text_of(scalar(mapped.release))
    release = None if name is None else release_of(name[:MAX_VALUE], reading)
    attributes = tuple(_attributes(mapped.attributes))
    classifiers = mapped.classifiers if isinstance(mapped.classifiers, list) else [mapped.classifiers]
    message = "\n".join(text for text in map(text_of, (mapped.title, mapped.detail)) if text is not None)
    state = mapped.state if mapped.state in STATES else None
    return Notification(
        identity=identity,
        digest=_digest(mapped),
        application=text_of(mapped.application),
        group_url=text_of(mapped.url),
        callstack=tuple(_frames(mapped.frames)),
        occurrences=occurrences,
        object_id=text_of(scalar(mapped.event)),
        first=first,
        last=last,
        classifiers=tuple(text[:MAX_VALUE] for name in classifiers[:100] if (text := text_of(name)) is not None),
        hosts=count_of(mapped.hosts),
        users=count_of(mapped.users),
        releases=((release, 1),) if release is not None and occurrences != 0 else (),
        attributes=attributes,
        received_at=received_at,
        message=message[:MAX_TEXT] or None,
        state=state if isinstance(state, str) else None,
        partial=not single,
    )


def _digest(mapped: Mapped) -> bytes:
    event = mapped.key if mapped.key is not None else mapped.event
    # A state change of an occurrence that was counted is news, and so is one without an occurrence.
    facts = (
        [mapped.fingerprint, event, mapped.state, count_of(mapped.occurrences)] if event is not None else asdict(mapped)
    )
    return hashlib.blake2b(msgspec.json.encode(facts, order="sorted"), digest_size=16).digest()


def _frames(value: object) -> Iterator[str]:
    for frame in value[:MAX_FRAMES] if isinstance(value, list) else [value]:
        if (text := text_of(scalar(frame))) is not None:
            yield text


def _attributes(value: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the attributes in the order of their names, without those that point to a person or a device."""
    pairs = personal.public(value.items()) if isinstance(value, dict) else {}
    for name in sorted(pairs)[:MAX_ATTRIBUTES]:
        item = pairs[name]
        label = text_of(name)
        listed = item[:MAX_VALUES] if isinstance(item, list) else [item]
        values = [text[:MAX_VALUE] for each in listed if (text := text_of(scalar(each))) is not None]
        if label is not None and values:
            yield label[:MAX_VALUE], tuple(dict.fromkeys(values))
