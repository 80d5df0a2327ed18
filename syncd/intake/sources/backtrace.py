"""A delivery of Backtrace: from bytes to a notification. Pure. A field that cannot be understood is left out; a body without an
identity is rejected.

The fields are those of Backtrace's webhook documentation; the shapes are those that its query API and its tools
produce (a call stack as JSON text, numbers and null as attribute values, `*` for "not set").
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import msgspec

from syncd.core import frames
from syncd.errors import RejectedDelivery
from syncd.intake.sources import document, polls
from syncd.intake.sources.document import Document
from syncd.intake.sources.rules import UNIVERSE
from syncd.intake.sources.values import (
    MAX_COUNT,
    MAX_VALUE,
    UNSET,
    Reading,
    count_of,
    release_of,
    scalar,
    span,
    text_of,
)
from syncd.model import Identity, Notification

MAX_FRAMES = 1000
MAX_RELEASES = 2000  # as many as the ledger of a group has
# Characters of values that the patterns of releases read, from the commonest on: they may cost microseconds each.
MAX_RELEASE_TEXT = 2**16
MAX_ATTRIBUTES = 100
MAX_VALUES = 8  # the commonest values of one attribute
_IDENTITY_LIMITS = {"universe": 255, "project": 255, "fingerprint": 1024}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LENGTHY = ("callstack", "classifiers", "attributes")  # reading them takes two thirds of reading a body

Json = Mapping[str, object]


_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Value = str | _Integer | float | bool | None


class _Documented(msgspec.Struct, forbid_unknown_fields=True):
    """A body shaped as Backtrace documents it. None of its values can be too deep or out of range, so that nothing is checked
    afterwards: it costs a third of a body of any other shape. What a field means is not read from here."""

    universe: str
    project: str
    fingerprint: str
    application: str | None = None
    href: str | None = None
    group_url: str | None = None
    callstack: list[str] | str | None = None
    occurrences: _Integer | None = None
    object_id: str | None = None
    timestamp: list[_Integer] | None = None
    classifiers: list[str] | None = None
    hosts: _Integer | None = None
    guids: _Integer | None = None
    attributes: dict[str, list[tuple[_Value, _Integer]]] | None = None


class _Identified(msgspec.Struct):
    """The identity of a body. Fields without a name here are skipped, and nothing of them is built."""

    universe: object = None
    project: object = None
    fingerprint: object = None


_DOCUMENTED = msgspec.json.Decoder(_Documented)
_IDENTIFIED: msgspec.json.Decoder[object] = msgspec.json.Decoder(_Identified)
_SKIPPED: msgspec.json.Decoder[object] = msgspec.json.Decoder(msgspec.Raw)
_FIELDS = msgspec.json.Decoder(
    msgspec.defstruct("_Fields", [(name, object, None) for name in (*_Documented.__struct_fields__, "poll")])
)


def decode(body: bytes) -> Document:
    """Return what can be read of a body, with the integers of an identity as text where they have more than 64 bits. Raises
    RejectedDelivery 400 if it is not JSON."""
    shaped = _shaped(body)
    return document.read(body, _IDENTITY_LIMITS) if shaped is None else Document(msgspec.structs.asdict(shaped))


def _shaped(body: bytes) -> _Documented | None:
    """The body, if it is shaped as documented."""
    try:
        return _DOCUMENTED.decode(body)
    except document.UNREADABLE:
        return None


def recognise(body: bytes) -> tuple[Identity, str | None]:
    """Return whom a body is about, and the note on what of it cannot be read. Raises RejectedDelivery."""
    shaped = _shaped(body)
    if shaped is not None:
        return identify(Document({field: getattr(shaped, field) for field in _IDENTITY_LIMITS})), None
    whole = document.read(body, _IDENTITY_LIMITS)
    return identify(whole), whole.note


def recognise_large(body: bytes) -> tuple[Identity, str | None]:
    """recognise(), for a large body: what is in it is built only where something may be lost of it. Raises RejectedDelivery."""
    kind = _IDENTIFIED if body.lstrip()[:1] == b"{" else _SKIPPED
    value, fault = None, False
    try:
        value = kind.decode(body)
    except msgspec.DecodeError:
        fault = document.is_strict(body)
    except (UnicodeDecodeError, RecursionError):
        pass  # it may be read leniently
    if fault:  # raised here: the error above has the whole body in it
        raise document.not_json()
    if value is not None and document.is_plain(body):
        return identify(Document(msgspec.structs.asdict(value) if isinstance(value, _Identified) else value)), None
    whole = decode(body)
    return identify(whole), whole.note


def identify(body: Document) -> Identity:
    """Return the identity of the group, without blanks around its parts. Raises RejectedDelivery 422 with the first field that is missing
    or unusable."""
    if not isinstance(body.value, dict):
        raise RejectedDelivery(422, "not_a_notification", "A notification is a JSON object.")
    parts: list[str] = []
    for field, limit in _IDENTITY_LIMITS.items():
        part = body.value.get(field)
        if isinstance(part, int) and not isinstance(part, bool):
            part = str(part)
        if not isinstance(part, str) or part.strip() in UNSET:
            if isinstance(part, str):
                defect = "is not set"
            else:
                defect = "is missing" if part is None and field not in body.flaws else "must be text"
            message = f"The field {field} {defect}; a group cannot be identified without it."
            raise RejectedDelivery(422, f"no_{field}", message, field)
        part = part.strip()
        # Cutting or replacing anything would let two groups become one. PostgreSQL cannot store U+0000.
        if len(part) > limit:
            defect = f"is longer than {limit} characters"
        elif field in body.flaws:
            defect = "has a character that is not Unicode"
        else:
            defect = "has a control character" if not part.isprintable() and _CONTROL.search(part) else ""
        if defect:
            raise RejectedDelivery(422, f"bad_{field}", f"The field {field} {defect}.", field)
        parts.append(part)
    if parts[0].startswith(UNIVERSE):
        message = f"The field universe begins with {UNIVERSE}, which only the groups of configured sources have."
        raise RejectedDelivery(422, "bad_universe", message, "universe")
    return Identity(*parts)


def parse(body: bytes, received_at: float, reading: Reading, *, texts: bool = True) -> Notification:
    """Return the notification in a delivery. Without `texts` it lacks what takes most of the time to read, and names it in `unread`.
    Raises RejectedDelivery."""
    documented = _documented(body)
    identity, value = identify(documented), documented.value
    assert isinstance(value, dict)  # noqa: S101 - identify() rejected everything else; this is for the type checker
    first, last = span(value.get("timestamp"), received_at)
    histograms = value.get("attributes")
    attributes: Json = histograms if isinstance(histograms, dict) else {}
    occurrences = count_of(value.get("occurrences"))
    poll = polls.facts_of(reading.key, identity, occurrences, value.get("poll"))
    application = text_of(value.get("application"))
    by_frames = reading.zero_by_frames and frames.all_zero(identity.fingerprint)
    unread = () if texts else tuple(name for name in _LENGTHY if value.get(name))
    if by_frames:
        unread = tuple(name for name in unread if name != "callstack")
    callstack = () if "callstack" in unread else tuple(_frames(value.get("callstack")))
    if by_frames:
        fingerprint = frames.sub_key(identity.fingerprint, application, callstack)
        identity = replace(identity, fingerprint=fingerprint or identity.fingerprint)
    object_id = value.get("object_id")
    if isinstance(object_id, int) and not isinstance(object_id, bool):
        object_id = format(object_id, "x") if object_id >= 0 else None
    classifiers = None if "classifiers" in unread else value.get("classifiers")
    if not isinstance(classifiers, list):
        classifiers = classifiers.split() if isinstance(classifiers, str) else []
    # An exact redelivery has the same digest, whatever the order and spacing of its keys. Fields that are not documented do not
    # count: a sender may add one that differs with each delivery.
    fields: dict[str, object] = {name: value.get(name) for name in _Documented.__struct_fields__}
    if poll is not None:
        fields["poll"] = poll
    common = {} if "attributes" in unread else dict(_common_values(attributes, occurrences or 1))
    return Notification(
        identity=identity,
        digest=hashlib.blake2b(msgspec.json.encode(fields, order="sorted"), digest_size=16).digest(),
        application=application,
        group_url=text_of(value.get("group_url")),
        callstack=callstack,
        occurrences=occurrences,
        object_id=text_of(object_id),
        first=first,
        last=last,
        classifiers=tuple(text[:MAX_VALUE] for name in classifiers[:100] if (text := text_of(name)) is not None),
        hosts=count_of(value.get("hosts")),
        users=count_of(value.get("guids")),
        releases=_releases(attributes, reading, occurrences or 1),
        attributes=tuple(common),
        attribute_counts=tuple(common.values()) if any(common.values()) else (),
        received_at=received_at,
        unread=unread,
        polled=poll is not None,
        triage=None if poll is None else poll.triage,
        backfill=None if poll is None else poll.backfill,
    )


def _documented(body: bytes) -> Document:
    """What `decode` returns, perhaps without the fields that are not documented: they may be large, and nothing of them is built."""
    shaped = _shaped(body)
    if shaped is not None:
        return Document(msgspec.structs.asdict(shaped))
    if not document.LONG_INTEGER.search(body):
        with suppress(*document.UNREADABLE):
            return document.without_depth(msgspec.structs.asdict(_FIELDS.decode(body)))
    return document.read(body, _IDENTITY_LIMITS)


def _common_values(attributes: Json, occurrences: int) -> Iterator[tuple[tuple[str, tuple[str, ...]], tuple[int, ...]]]:
    """Yield the attributes in the order of their names, each with its commonest values, and with their counts where it has any."""
    for name in sorted(attributes)[:MAX_ATTRIBUTES]:
        histogram = _histogram(attributes[name], occurrences)
        label, values = text_of(name), tuple(_commonest(histogram)[:MAX_VALUES])
        if label is not None and values:
            is_counted = isinstance(attributes[name], dict | list)
            yield (label[:MAX_VALUE], values), tuple(histogram[value] for value in values) if is_counted else ()


def _releases(attributes: Json, reading: Reading, occurrences: int) -> tuple[tuple[str, int], ...]:
    for name in reading.release_attributes:
        counts, values, room = dict[str, int](), _histogram(attributes.get(name), occurrences), MAX_RELEASE_TEXT
        for value in values if len(values) * MAX_VALUE <= room else _commonest(values):
            room -= len(value)
            if room < 0:
                break
            if (release := release_of(value, reading)) is not None:
                counts[release] = min(counts.get(release, 0) + values[value], MAX_COUNT)
        if counts:
            return tuple((release, counts[release]) for release in _commonest(counts)[:MAX_RELEASES])
    return ()


def _commonest(histogram: Mapping[str, int]) -> list[str]:
    # sorted() keeps the order of equal counts, also in reverse.
    return sorted(sorted(histogram), key=histogram.__getitem__, reverse=True) if len(histogram) > 1 else [*histogram]


def _histogram(value: object, occurrences: int) -> dict[str, int]:
    """Count values: [[value, count], …] as documented; also {value: count}, and a bare value, which counts for all `occurrences`."""
    if isinstance(value, dict):
        pairs: Iterable[object] = value.items()
    else:
        pairs = value if isinstance(value, list) else [(value, occurrences)]
    histogram = dict[str, int]()
    for pair in pairs:
        if type(pair) is not tuple and not (isinstance(pair, list) and len(pair) == 2):
            continue
        item, count = pair
        # A body has a hundred values: nearly all of them need no more than this.
        text = item.strip() if type(item) is str else str(item) if type(item) is int else text_of(scalar(item)) or ""
        if len(text) > MAX_VALUE or "\x00" in text:
            text = (text_of(text) or "")[:MAX_VALUE]
        counted = count if type(count) is int and 0 < count <= MAX_COUNT else count_of(count)
        if counted and text not in UNSET:
            histogram[text] = histogram[text] + counted if text in histogram else counted
    return histogram


def _frames(value: object) -> Iterator[str]:
    """Yield frames: a list of names as documented; also the query API's JSON text {"frame": [...]}, or a single name."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        with suppress(RejectedDelivery):
            value = document.read(value.encode()).value
    if isinstance(value, dict):
        value = value.get("frame")
    for frame in value[:MAX_FRAMES] if isinstance(value, list) else [value]:
        text = text_of(scalar(frame))
        if text is not None:
            yield text
