"""From the bytes of a body to a JSON value, also where its sender is clumsy. Pure.

Senders cut an emoji in half at a length limit, begin with a byte order mark, or print a number as their language does. Such a body
still says which crash it is about, and a sender does not send it again: syncd reads what can be read and notes the rest.
"""

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from syncd.errors import RejectedDelivery
from syncd.render.text import one_line

MAX_DEPTH = 64  # containers in containers, with the outermost
NAMED = 8  # fields in a note

# msgspec raises these about a body that is not JSON, or not of the expected shape; the second one for bytes that are not UTF-8 before 0.23.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

REPLACED = "characters that are not Unicode became U+FFFD"
DROPPED = "a value was dropped: a number beyond 64 bits, or nested deeper than 64 levels"

# A code point that no encoding holds: half of a surrogate pair, or a byte that is not UTF-8 as `surrogateescape` keeps it.
_SURROGATE = re.compile("[\ud800-\udfff]")
# Possessive, and a text that never ends is one token: a body of quotes, backslashes or brackets takes linear time.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]++|[\]}]++', re.DOTALL)
# What may stand for such a code point, before the texts of a body are read.
_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
LONG_INTEGER = re.compile(rb"[0-9]{19}")
# What a strict reader may refuse of a text or a number that it does not skip: half of a surrogate pair, and a number that is infinite.
_DOUBTFUL = re.compile(rb"\\u[dD][89a-fA-F]|[0-9]{19}|[eE]\+?[0-9]{3}")
# What the lenient reader takes and a strict one does not.
_LENIENT = re.compile(rb"[\x00-\x1f]|NaN|Infinity|\A\xef\xbb\xbf")
_LEVELS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
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


def not_json() -> RejectedDelivery:
    """The refusal of a body that is not JSON."""
    return RejectedDelivery(400, "not_json", "The body is not JSON.")


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
        if not (LONG_INTEGER.search(body) and _has_long_integer(value)):
            return without_depth(value)
    except UNREADABLE:
        pass  # msgspec is strict: it refuses lone surrogates, 1e999, marks and other encodings
    document = _read_leniently(body, texts)
    if document is None:  # raised here: the error above has the whole body in it
        raise not_json()
    return document


def is_plain(body: bytes) -> bool:
    """True if `read` surely loses nothing of a body that is JSON in UTF-8. No value of the body is built: half a million empty lists take
    thirty times the memory of their text."""
    if _DOUBTFUL.search(body) or (not body.isascii() and not _is_unicode(body)):
        return False
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return True
    # Nothing but brackets, and the quotes of texts. Texts without brackets go at once; two that are left side by side may become one.
    brackets = body.replace(rb"\\", b"").replace(rb"\"", b"").translate(_LEVELS, _NO_BRACKETS).replace(b'""', b"")
    brackets = re.sub(b'"[^"]*"', b"", brackets)
    return any(not (brackets := brackets.replace(b"[]", b"")) for _ in range(MAX_DEPTH))


def is_strict(body: bytes) -> bool:
    """True if `read` surely refuses a body that is not strict JSON."""
    return not (_LENIENT.search(body) or _DOUBTFUL.search(body)) and _is_unicode(body)


def _is_unicode(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _containers(level: Iterable[Any]) -> list[Any]:
    """The containers in containers, but the empty ones."""
    return [
        item
        for container in level
        for item in (container.values() if type(container) is dict else container)
        if item and type(item) in (dict, list)
    ]


def _cut(outermost: dict[str, Any]) -> bool:
    """Drop containers that are deeper than MAX_DEPTH; return whether there were any. msgspec reads nesting up to the interpreter's own limit,
    which differs between Python versions."""
    level: list[Any] = [outermost]
    for _ in range(MAX_DEPTH - 1):
        if not (level := _containers(level)):
            return False
    is_cut = False
    for container in level:
        for place, item in list(container.items()) if type(container) is dict else enumerate(container):
            if type(item) in (dict, list):
                container[place], is_cut = None, True
    return is_cut


def without_depth(value: object) -> Document:
    """The value without containers that are deeper than MAX_DEPTH."""
    if not isinstance(value, dict):
        _cut(holder := {"": value})
        return Document(holder[""])
    flaws: dict[str, Collection[str]] = {}
    for name, item in value.items():
        if item and type(item) in (dict, list) and _cut({name: item}):
            flaws[name] = {DROPPED}
    return Document(value, flaws)


def _has_long_integer(value: object) -> bool:
    """True if an integer has more than 64 bits. msgspec reads integers of any size."""
    level: list[Any] = [[value]]
    while level:
        for container in level:
            for item in container.values() if type(container) is dict else container:
                if type(item) is int and not -(2**63) <= item < 2**64:
                    return True
        level = _containers(level)
    return False


def _read_leniently(body: bytes, texts: Collection[str]) -> Document | None:
    encoding = json.detect_encoding(body)
    try:
        text = body.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass")
        numbers = _Numbers()
        value = numbers.read(text)
    except (ValueError, RecursionError):
        return None
    if not (numbers.dropped or _HALF.search(text)):
        return without_depth(value)
    if not isinstance(value, dict):
        _mend(holder := {"": value}, set())
        return Document(holder[""])
    mended: dict[str, object] = {}
    flaws: dict[str, Collection[str]] = {}
    for name, item in value.items():
        if isinstance(item, _Numeral) and name in texts and item.text.removeprefix("-").isdigit():
            item = item.text
        if not isinstance(item, (str, list, dict, _Numeral)) and name.isascii():
            mended[name] = item  # nothing can be lost
            continue
        losses = set[str]()
        entry: dict[str, Any] = {name: item}
        _mend(entry, losses)
        mended.update(entry)
        if losses:
            flaws.update(dict.fromkeys(entry, losses))
    return Document(mended, flaws)


def _shallow_text(text: str) -> str:
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


def _mend(outermost: dict[str, Any], losses: set[str]) -> None:
    """Take out of containers what no database holds; `losses` collects what that was."""
    level: list[Any] = [outermost]
    for depth in range(1, MAX_DEPTH + 1):
        deeper: list[Any] = []
        for container in level:
            named = isinstance(container, dict)
            for place, item in list(container.items()) if named else enumerate(container):
                if isinstance(item, str):
                    if not item.isascii() and _SURROGATE.search(item):
                        losses.add(REPLACED)
                        container[place] = _SURROGATE.sub("\ufffd", item)
                elif isinstance(item, (dict, list)):
                    if depth == MAX_DEPTH:
                        losses.add(DROPPED)
                        container[place] = None
                    elif item:
                        deeper.append(item)
                elif isinstance(item, _Numeral):
                    losses.add(DROPPED)
                    container[place] = None
            if named and any(not name.isascii() and _SURROGATE.search(name) for name in container):
                losses.add(REPLACED)
                items = [(_SURROGATE.sub("\ufffd", name), item) for name, item in container.items()]
                container.clear()
                container.update(items)
        if not (level := deeper):
            break


class _Numbers:
    """The numbers of one body. `dropped` if one of them is a Numeral."""

    def __init__(self) -> None:
        self.dropped = False
        self._decoder = json.JSONDecoder(
            parse_int=self._integer, parse_float=self._fraction, parse_constant=self._drop, strict=False
        )

    def read(self, text: str) -> Any:
        """Return the value of a text. Raises ValueError if it is not JSON."""
        try:
            return self._decoder.decode(text)
        except RecursionError:
            return self._decoder.decode(_shallow_text(text))

    def _integer(self, text: str) -> int | _Numeral:
        value = int(text) if len(text) <= _INTEGER_DIGITS else None
        return value if value is not None and -(2**63) <= value < 2**64 else self._drop(text)

    def _fraction(self, text: str) -> float | _Numeral:
        value = float(text)
        return value if math.isfinite(value) else self._drop(text)

    def _drop(self, text: str) -> _Numeral:
        self.dropped = True
        return _Numeral(text)
