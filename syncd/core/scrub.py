"""Private data is removed from every text before it leaves. Scrubbing twice has the same result as once. Pure."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from syncd.core import patterns
from syncd.core.items import BEFORE, GROUPS, LONGEST_REFUSED, Kind

# A text is read this far beyond what is shown of it: no item that is recognised by its end is longer.
_MARGIN = 640
_ENDS = " \t/"  # no item that is recognised by its end has them: where it may have been cut, the text ends before
_GAPS = re.compile(rf"([{_ENDS}]+)")
_JOINT = re.compile(r"^(?:at|dot)$|[\[({<](?:at|dot)[\])}>]", re.IGNORECASE)
LONGEST_VALUE = 255  # characters of a stored release, classifier, or name or value of an attribute

_BLANKS = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_QUOTES = "\u2018-\u201f\u00ab\u00bb"
_FORMS = "\ufe50-\ufe6b\uff01-\uff5e\U0001d400-\U0001d7ff"
_UNSEEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff"
)
_BEGINS = re.compile(
    rf"[%&\\\r\n{_BLANKS}{_QUOTES}{_FORMS}{_UNSEEN}](?:(?<!&)|(?=#|(?:amp|quot|apos|lt|gt);))", re.IGNORECASE
)
# What stands for another sign, or for none: escapes of addresses, of JSON and of HTML, which may be escaped themselves; signs that cannot be
# seen; wide and ornate forms; a line break inside a long word. A blank's escape stays: it does not end a name in an address.
_DISGUISE = re.compile(
    r"%(?:25)*+(?P<address>2[1-9a-f]|[3-6][0-9a-f]|7[0-9a-e])|(?P<foreign>(?:%(?:25)*+[89a-f][0-9a-f]){2,32})"
    r"|(?<!\\)\\++(?:u(?P<json>00[2-7][0-9a-f]|0[1-9a-f][0-9a-f]{2}|00[a-f][0-9a-f]|[1-9a-ce-f][0-9a-f]{3}|d[0-7][0-9a-f]{2})|(?=[\"'/]))"
    r"|&(?:amp;)*+(?:\#x(?P<hex>[2-7][0-9a-f])|\#(?P<decimal>[0-9]{2,3})|(?P<html>quot|apos|lt|gt));|(?P<ampersand>&(?:amp;)++)"
    f"|(?P<blank>[{_BLANKS}])|(?P<quote>[{_QUOTES}])|(?P<form>[{_FORMS}])|[{_UNSEEN}]+"
    r"|(?<=[\w-]{16})\r?\n(?=[\w-]{8})",
    re.IGNORECASE,
)
_HTML = {"quot": '"', "apos": "'", "lt": "<", "gt": ">"}


def _disguises(text: str) -> Iterator[re.Match[str]]:
    """Yield the disguises. Most signs begin none: one class of characters finds that out."""
    place = 0
    while begin := _BEGINS.search(text, place):
        match = _DISGUISE.match(text, begin.start())
        if match is not None:
            yield match
        place = begin.end() if match is None else match.end()


def _sign(match: re.Match[str]) -> str:
    """The sign that a disguise stands for."""
    kind = match.lastgroup
    value = "" if kind is None else match[kind]
    match kind:
        case "address" | "json" | "hex":
            return chr(int(value, 16))
        case "foreign":
            return bytes.fromhex("".join(re.findall("%(?:25)*([89a-fA-F].)", value))).decode("utf-8", "replace")
        case "decimal":
            return chr(int(value)) if int(value) < 128 else " "
        case "html":
            return _HTML[value.lower()]
        case "ampersand":
            return value[0]
        case "blank":
            return " "
        case "quote":
            return "'" if "\u2018" <= value <= "\u201b" else '"'
        case "form":
            return unicodedata.normalize("NFKC", value)
    return ""


class _Plain:
    """A text without its disguises, and where each of its bytes stands in the encoded text."""

    def __init__(self, text: str) -> None:
        self.source = patterns.encoded(text)
        self._starts, self._places, self._copied = [0], [0], [True]  # of the segments: in the plain text, in the source
        pieces, done, size, place = list[bytes](), 0, 0, 0
        for match in _disguises(text):
            copied, sign = patterns.encoded(text[done : match.start()]), patterns.encoded(_sign(match))
            size, place = size + len(copied), place + len(copied)
            self._add(size, place, copied=False)
            size, place, done = size + len(sign), place + len(patterns.encoded(match[0])), match.end()
            self._add(size, place, copied=True)
            pieces += copied, sign
        self.data = b"".join((*pieces, patterns.encoded(text[done:]))) if pieces else self.source

    def _add(self, start: int, place: int, *, copied: bool) -> None:
        self._starts.append(start)
        self._places.append(place)
        self._copied.append(copied)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the bytes from `start` to `end` of the plain text stand in the source."""
        first, last = bisect_right(self._starts, start) - 1, bisect_right(self._starts, end - 1) - 1
        begin = self._places[first] + (start - self._starts[first]) * self._copied[first]
        return begin, self._places[last] + end - self._starts[last] if self._copied[last] else self._places[last + 1]


_MEMORY = 2**24  # bytes for the states of the expression of a group of kinds


@dataclass(frozen=True, slots=True)
class Scrubber:
    """The kinds of private data that are removed: names of users, e-mail addresses, IP addresses, tokens and passwords, and devices."""

    user_folders: bool = True
    emails: bool = True
    ips: bool = True
    tokens: bool = True
    devices: bool = True

    def text(self, text: str, spare: Collection[str] = ()) -> str:
        """The text with a placeholder such as `<email>` for each private item. `spare` are items that look like IP addresses and are none."""
        plain = _Plain(text)
        for group in GROUPS:
            # Most texts have nothing private.
            if patterns.expression(group.pattern, _MEMORY).search(plain.data):
                for kind in group.kinds:
                    plain = _replaced(plain, kind, spare) if getattr(self, kind.switch) else plain
        return plain.source.decode()

    def excerpt(self, text: str, limit: int, stored: int = 0, spare: Collection[str] = ()) -> str:
        """At most `limit` characters of the scrubbed text, and an ellipsis where there are more. Costs what is shown, whatever the length
        of the text. A text of `stored` characters was cut when it was stored. No half of an item remains at a cut."""
        scrubbed = self.text(text[: limit + _MARGIN], spare)
        if len(text) > limit + _MARGIN:
            scrubbed = scrubbed[:-_MARGIN]
        elif 0 < stored <= len(text):
            scrubbed = _before_address(scrubbed[: max(0, *(scrubbed.rfind(end) for end in _ENDS))])
        elif len(scrubbed) <= limit:
            return scrubbed
        return f"{scrubbed[:limit].rstrip()}…"

    def release(self, name: str) -> str:
        """The scrubbed name of a release. Four numbers that begin it are a version."""
        return self.excerpt(name, LONGEST_VALUE, LONGEST_VALUE, version(name))


def _before_address(text: str) -> str:
    """The text without its last word, which may begin an address in words, and without the part of one at its end: `alice at example dot`."""
    parts = _GAPS.split(text)
    last = len(parts) - 1
    while last >= 2 and (_JOINT.search(parts[last]) or _JOINT.search(parts[last - 2])):
        last -= 2
    return "".join(parts[:last])


def _replaced(plain: _Plain, kind: Kind, spare: Collection[str]) -> _Plain:
    """The text with a placeholder for each item of a kind. The search goes on right behind an item, or inside what is none after all:
    both may begin the next."""
    expression, data, pieces, done, place = patterns.expression(kind.pattern), plain.data, list[bytes](), 0, 0
    while match := expression.search(data, place):
        start, place = match.span(1)
        item, before, after = (
            part.decode("utf-8", "replace")
            for part in (data[start:place], data[max(0, start - BEFORE) : start], data[place : place + BEFORE])
        )
        private = item
        if place - start <= LONGEST_REFUSED:
            private = "" if item in spare else kind.judge(item, before, after)
            place = start + max(1, len(private.encode()))
        if private:
            begin, end = plain.span(start, place)
            pieces += plain.source[done:begin], kind.placeholder.encode()
            done = end
    return _Plain(b"".join((*pieces, plain.source[done:])).decode()) if pieces else plain


def version(release: str) -> tuple[str, ...]:
    """The four numbers that begin the name of a release, if they are a version: few versions reach 192, and many addresses begin so."""
    expression = patterns.expression(r"^(?:\pL[\pL\pN_.-]*[-_/@])?[vV]?([0-9]+(?:\.[0-9]+){3})(?:$|[^0-9.])")
    match = expression.search(patterns.encoded(release))
    numbers = "" if match is None else (match[1] or b"").decode()
    is_address = numbers.startswith(("127.0.0.", "169.254.")) or int(numbers.partition(".")[0] or 192) >= 192
    return () if is_address else (numbers,)
