"""From the bytes of a body to a JSON value, also where its sender is clumsy. Pure.

Senders cut an emoji in half at a length limit, begin with a byte order mark, or print a number as their language does. Such a body
still says which crash it is about, and a sender does not send it again: syncd reads what can be read and notes the rest.
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from syncd.errors import RejectedDelivery
from syncd.render.text import one_line

MAX_DEPTH = 64  # containers in containers, with the outermost
NAMED = 8  # fields in a note

REPLACED = "characters that are not Unicode became U+FFFD"
DROPPED = "a value was dropped: a number beyond 64 bits, or nested deeper than 64 levels"

# A code point that no encoding holds: half of a surrogate pair, or a byte that is not UTF-8 as `surrogateescape` keeps it.
_SURROGATE = re.compile("[\ud800-\udfff]")
# Possessive, and a text that never ends is one token: a body of quotes, backslashes or brackets takes linear time.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]++|[\]}]++', re.DOTALL)
_INTEGER_DIGITS = 20  # no integer of 64 bits has more characters, with its sign


class Document(msgspec.Struct, frozen=True):
    """The JSON value of a body. `flaws` has what its fields have lost: by the name of a field, REPLACED, DROPPED or both."""

    value: object
    flaws: Mapping[str, Collection[str]] = {}

    @property
    def note(self) -> str | None:
        """The flaws in one line for people, None if there are none."""
        named = [f"{one_line(name, 60)}: {', '.join(sorted(self.flaws[name]))}" for name in islice(self.flaws, NAMED)]
        more = [f"{len(self.flaws) - NAMED} more fields"] if len(self.flaws) > NAMED else []
        return "; ".join(named + more) or None


@dataclass(frozen=True, slots=True)
class _Numeral:
    """A number that no database holds, as the body spells it."""

    text: str


def readable(body: bytes) -> str:
    """Return a body in its encoding for people, with U+FFFD for what it does not have."""
    return body.decode(json.detect_encoding(body), "replace")


def read(body: bytes, texts: Collection[str] = ()) -> Document:
    """Return what can be read of a body. Raises RejectedDelivery 400 if it is not JSON.

    UTF-16 and UTF-32 are recognised by their mark or by the zeros of the first characters. NaN, infinities, and control characters
    inside texts, which are not JSON, are read as Python's own reader does. In the outermost object's fields named in `texts` an integer
    of any size is read as the text of its digits.
    """
    try:
        value = msgspec.json.decode(body)
        if _is_bounded(value):
            return Document(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # msgspec is strict: it refuses lone surrogates, 1e999, marks and other encodings
    document = _read_leniently(body, texts)
    if document is None:  # raised here: the error above has the whole body in it
        raise RejectedDelivery(400, "not_json", "The body is not JSON.")
    return document


def _is_bounded(value: object) -> bool:
    """True if all integers have 64 bits at most and no container is deeper than MAX_DEPTH. msgspec reads integers of any size, and
    nesting up to the interpreter's own limit, which differs between Python versions."""
    level: list[dict[str, object] | list[object]] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[dict[str, object] | list[object]] = []
        for container in level:
            for item in container.values() if isinstance(container, dict) else container:
                if type(item) is int:
                    if not -(2**63) <= item < 2**64:
                        return False
                elif isinstance(item, (dict, list)):
                    deeper.append(item)
        if not deeper:
            return True
        level = deeper
    return False


def _read_leniently(body: bytes, texts: Collection[str]) -> Document | None:
    encoding = json.detect_encoding(body)
    try:
        text = body.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass")
        value = _LENIENT.decode(_without_depth(text))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        _mend(holder := [value], set())
        return Document(holder[0])
    mended: dict[str, object] = {}
    flaws: dict[str, Collection[str]] = {}
    for name, item in value.items():
        losses = set[str]()
        if isinstance(item, _Numeral) and name in texts and item.text.removeprefix("-").isdigit():
            item = item.text
        entry: list[dict[str, Any]] = [{name: item}]
        _mend(entry, losses)
        mended.update(entry[0])
        if losses:
            flaws.update(dict.fromkeys(entry[0], losses))
    return Document(mended, flaws)


def _without_depth(text: str) -> str:
    """Return the text with NaN, which is dropped, in the place of each container that is too deep. The reader of the standard library
    calls itself for each level."""
    depth, begin, pieces = 0, 0, []
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if text[start] in "[{":
            if depth <= MAX_DEPTH < depth + end - start:
                pieces += [text[begin : start + MAX_DEPTH - depth], "NaN"]
                begin = len(text)
            depth += end - start
        elif text[start] in "]}":
            if depth - (end - start) <= MAX_DEPTH < depth:
                begin = start + depth - MAX_DEPTH
            depth -= end - start
    return "".join([*pieces, text[begin:]])


def _mend(outermost: list[Any], losses: set[str]) -> None:
    """Take out of containers what no database holds; `losses` collects what that was."""
    waiting: list[Any] = [outermost]
    while waiting:
        container = waiting.pop()
        for place, item in list(container.items()) if isinstance(container, dict) else enumerate(container):
            if isinstance(item, str):
                if not item.isascii() and _SURROGATE.search(item):
                    losses.add(REPLACED)
                    container[place] = _SURROGATE.sub("\ufffd", item)
            elif isinstance(item, _Numeral):
                losses.add(DROPPED)
                container[place] = None
            elif item and isinstance(item, (dict, list)):
                waiting.append(item)
        if isinstance(container, dict) and any(not name.isascii() and _SURROGATE.search(name) for name in container):
            losses.add(REPLACED)
            items = [(_SURROGATE.sub("\ufffd", name), item) for name, item in container.items()]
            container.clear()
            container.update(items)


def _integer(text: str) -> int | _Numeral:
    value = int(text) if len(text) <= _INTEGER_DIGITS else None
    return value if value is not None and -(2**63) <= value < 2**64 else _Numeral(text)


def _fraction(text: str) -> float | _Numeral:
    value = float(text)
    return value if math.isfinite(value) else _Numeral(text)


_LENIENT = json.JSONDecoder(parse_int=_integer, parse_float=_fraction, parse_constant=_Numeral, strict=False)
