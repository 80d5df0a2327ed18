"""Private data is removed from every text before it leaves. Scrubbing twice has the same result as once. Pure.

Every kind is an expression of `patterns`: linear in the text, and so without look-around. What stands around a private item is read by
the expression and stays; only its group `x` is replaced.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from syncd.core import patterns

# A text is read this far beyond what is shown of it: no item that is recognised by its end is longer.
_MARGIN = 640
_ENDS = " \t/"  # no item that is recognised by its end has them: where it may have been cut, the text ends before
LONGEST_VALUE = 255  # characters of a stored release, classifier, or name or value of an attribute

_WORD = r"\pL\pN_"
_SLASH, _BACKSLASH, _COLON, _AT = r"(?:/|%2f)", r"(?:\\|/|%5c|%2f)", "(?::|%3a)", "(?:@|%40)"
# Between a name and its value. A `:` before a `:` or a `=` alone belongs to a program.
_IS = r"""["']{0,4}\s{0,8}(?:[:=]?=>?|:)\s{0,8}(?:[bru]?["']{1,4})?"""
_KEY = (
    r"(?:password|passwd|passphrase|passcode|passwort|kennwort|pwd|secret|token|credentials?|api[ _.-]?key|access[ _.-]?key|auth[_.-]?key|"
    r"private[ _.-]?key|license[_.-]?key|account[_.-]?key|sess(?:ion)?[_.-]?(?:id|key)|[?&;](?:[\w-]*sig(?:nature)?|key|auth|code))"
)
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HEX = "[0-9a-f]{1,4}"

_TOKENS = (
    # In headers, after a name, and in addresses.
    r"authorization[\"']?\s?,\s?[\"'](?P<x>[^\"'\r\n]+)",
    rf"authorization{_IS}(?:bearer|basic|token|negotiate|ntlm|apikey|hawk|aws4-hmac-sha256)\s{{1,4}}(?P<x>[^\s\"',;]+)",
    rf"authorization{_IS}(?P<x>digest\s[^\r\n]+|[\w-]+\s{{1,4}}[^\s\"',;]+|[^\s\"',;]+)",
    r"\bbearer\s{1,4}(?P<x>[\w.~+/=-]{16,})",
    r"\bcookies?[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<x>[^\s:=\"'][^\r\n\"']*)",
    # What is quoted may have everything but the quote.
    rf"{_KEY}[\"']{{0,4}}\s{{0,8}}(?:[:=]?=>?|:)\s{{0,8}}[bru]?\"{{1,4}}(?P<x>[^\"\r\n]+)",
    rf"{_KEY}[\"']{{0,4}}\s{{0,8}}(?:[:=]?=>?|:)\s{{0,8}}[bru]?'{{1,4}}(?P<x>[^'\r\n]+)",
    rf"{_KEY}{_IS}(?P<x>[^\s\"'&;,)}}\]:=\\>][^\s\"'&;,)}}\]]*)",
    rf"{_KEY}=(?P<x>[:\]][^\s\"'&;,)}}\]]+)",
    rf"<[\w:._-]*{_KEY}(?:\s[^<>]*)?>(?P<x>[^<>\r\n]+)</",
    rf"{_KEY}[\"']\s{{1,4}}value\s?=\s?[\"'](?P<x>[^\"'\r\n]+)",
    rf"(?:^|[^{_WORD}-])--?[\w-]*{_KEY}(?:\s{{1,4}}|[\"']\s?,\s{{0,4}}[\"'])(?P<x>[^\s\"'&;,)}}\]:=<>-][^\s\"'&;,)}}\]]*)",
    r"//[^\s/:@]*:(?P<x>[^\s/]+)@",
    r"\b[a-z][a-z0-9+.-]*://(?P<x>[^\s/:@<>]{12,255})@",
    # By their own look.
    r"(?-i:(?P<x>gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{20,}|glpat-[\w-]{16,}))",
    r"(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks)/(?P<x>[\w/-]+)",
    r"(?-i:(?:^|[^A-Za-z0-9])(?:bot)?(?P<x>gh[pousr]_[A-Za-z0-9]{20,}|[0-9]{8,10}:AA[\w-]{32,}|(?:AKIA|ASIA)[A-Z0-9]{16}\b|xox[abeprs]-[\w-]{10,}|"
    r"eyJ[\w-]{10,}(?:\.[\w-]*)*|[spr]k_(?:live|test)_[A-Za-z0-9]{16,}|sk-[\w-]{24,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|npm_[A-Za-z0-9]{30,}|"
    r"pypi-[\w-]{32,}|hf_[A-Za-z0-9]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|ATATT3[\w=-]{20,}|whsec_[\w+/=]{16,}|dop_v1_[0-9a-f]{32,}))",
    r"(?P<x>-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-{1,4}[^-])*(?:-----END [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----)?)",
)
_NAME = r"(?:[^/\s%\"':;,()<>]|%(?:[013-46-9a-f][0-9a-f]|2[0-9a-e]|5[0-9abd-f])){1,64}"  # of a folder, with escapes as in an address
_FOLDERS = (
    rf"(?:\b|%[0-9a-f]{{2}})[a-z]{_COLON}{_BACKSLASH}+(?:users|documents(?: |%20)and(?: |%20)settings){_BACKSLASH}+(?P<x>[^\\/%\r\n\"'<>|]{{1,64}})",
    rf"(?:^|[^{_WORD}.]|%[0-9a-f]{{2}}){_SLASH}(?:(?:var|export|usr|mnt|nfs|net|srv|data|vol|volumes)(?:{_SLASH}[^/\r\n%<>]+)?{_SLASH}|(?:cygdrive/)?[a-z]/)?"
    rf"(?-i:home|Users|run/media){_SLASH}+(?:\.{_SLASH}+)*(?P<x>{_NAME})",
    r"\\\\[\w.$-]{1,64}\\(?:[^\\\r\n\"'<>|]+\\){0,2}(?:users|home|profiles\$?)\\(?P<x>[^\\\r\n\"'<>|]{1,64})",
)
_EMAIL = rf"(?P<x>[\pL\pN][{_WORD}\pM.+-]*{_AT}[\pL\pN](?:[{_WORD}\pM-]*\.)+(?:\pL[\pL\pM]+|xn--[a-z0-9-]+))"
# Four numbers after a word for a version, or next to more numbers, are a version.
_IPV4 = rf"(?:^|[^{_WORD}.-])(?:ip[_-])?(?P<x>{_OCTET}(?:\.{_OCTET}){{3}}(?:-{_OCTET}(?:\.{_OCTET}){{3}})?)(?:$|[^{_WORD}.-]|\.(?:$|[^0-9]))"
_VERSION = re.compile(r"(?:^|[^a-z])(?:(?:version|build|release|ver)[:=]? ?|v[:=] ?)\Z", re.IGNORECASE)
# A short form has at least three groups and a digit: `a::b` is a name in C++.
_IPV6 = (
    rf"(?:^|[^{_WORD}:.])(?P<x>(?:(?:{_HEX}:){{7}}{_HEX}|(?:{_HEX}:){{2,6}}(?::{_HEX}){{1,6}}|{_HEX}:(?::{_HEX}){{2,6}}|(?:f[cde]|[23][0-9a-f])[0-9a-f]{{2}}:(?::{_HEX}){{1,4}}|(?:{_HEX}:){{3,7}}:)"
    rf"(?:%[\w.]{{1,16}})?)(?:$|[^{_WORD}:])"
)


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
    r"%(?:25)*+(?P<address>2[1-9a-f]|[3-6][0-9a-f]|7[0-9a-e])|(?<!\\)\\++(?:u00(?P<json>[2-7][0-9a-f])|(?=[\"'/]))"
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


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of private item: the switch that removes it, its expression, and its placeholder."""

    switch: str
    pattern: str
    placeholder: str


_KINDS = (
    *(_Kind("tokens", f"(?i:{pattern})", "<token>") for pattern in _TOKENS),
    *(_Kind("user_folders", f"(?i:{pattern})", "<user>") for pattern in _FOLDERS),
    _Kind("emails", f"(?i:{_EMAIL})", "<email>"),
    _Kind("ips", _IPV4, "<ip>"),
    _Kind("ips", f"(?i:{_IPV6})", "<ip>"),
)
_MEMORY = 2**24  # bytes for the states of the expression of all kinds


@dataclass(frozen=True, slots=True)
class Scrubber:
    """The kinds of private data that are removed: names in users' folders, e-mail addresses, IP addresses, tokens and passwords."""

    user_folders: bool = True
    emails: bool = True
    ips: bool = True
    tokens: bool = True

    def text(self, text: str, spare: Collection[str] = ()) -> str:
        """The text with a placeholder such as `<email>` for each private item. `spare` are items that look like IP addresses and are none."""
        kinds, every = _chosen(self.user_folders, self.emails, self.ips, self.tokens)
        plain = _Plain(text)
        # Most texts have nothing private; one expression finds that out.
        if not kinds or not patterns.expression(every, _MEMORY).search(plain.data):
            return text
        for kind in kinds:
            plain = _replaced(plain, kind, spare)
        return plain.source.decode()

    def excerpt(self, text: str, limit: int, stored: int = 0, spare: Collection[str] = ()) -> str:
        """At most `limit` characters of the scrubbed text, and an ellipsis where there are more. Costs what is shown, whatever the length
        of the text. A text of `stored` characters was cut when it was stored. No half of an item remains at a cut."""
        scrubbed = self.text(text[: limit + _MARGIN], spare)
        if len(text) > limit + _MARGIN:
            scrubbed = scrubbed[:-_MARGIN]
        elif 0 < stored <= len(text):
            scrubbed = scrubbed[: max(0, *(scrubbed.rfind(end) for end in _ENDS))]
        elif len(scrubbed) <= limit:
            return scrubbed
        return f"{scrubbed[:limit].rstrip()}…"

    def release(self, name: str) -> str:
        """The scrubbed name of a release. Four numbers that begin it are a version."""
        return self.excerpt(name, LONGEST_VALUE, LONGEST_VALUE, version(name))


@lru_cache
def _chosen(user_folders: bool, emails: bool, ips: bool, tokens: bool) -> tuple[tuple[_Kind, ...], str]:
    """The kinds that are removed, and a pattern of any of them."""
    switches = {"user_folders": user_folders, "emails": emails, "ips": ips, "tokens": tokens}
    kinds = tuple(kind for kind in _KINDS if switches[kind.switch])
    return kinds, "|".join(kind.pattern.replace("(?P<x>", "(?:") for kind in kinds)


def _replaced(plain: _Plain, kind: _Kind, spare: Collection[str]) -> _Plain:
    """The text with a placeholder for each item of a kind. The search goes on right behind an item: what follows one may stand
    before the next."""
    expression, data, pieces, done, place = patterns.expression(kind.pattern), plain.data, list[bytes](), 0, 0
    while match := expression.search(data, place):
        start, place = match.span(1)
        item, before = (
            part.decode("utf-8", "replace") for part in (data[start:place], data[max(0, start - 12) : start])
        )
        if item not in spare and not _only_looks_like_it(kind.switch, item, before):
            begin, end = plain.span(start, place)
            pieces += plain.source[done:begin], kind.placeholder.encode()
            done = end
    return _Plain(b"".join((*pieces, plain.source[done:])).decode()) if pieces else plain


def _only_looks_like_it(switch: str, item: str, before: str) -> bool:
    """True for an item that is none after all, by its text and by what stands before it: a shared folder, a version, a name."""
    if item in (".", "..") or item.endswith(f"<{switch[:-1]}>"):
        return True  # no name, or scrubbed before
    if switch == "user_folders":
        return item.casefold().startswith("all users") or item.casefold().split(" ")[0] in (
            "public",
            "default",
            "shared",
        )
    is_version = "." in item and _VERSION.search(before) is not None
    return switch == "ips" and (is_version or not any(sign.isdigit() for sign in item))


def version(release: str) -> tuple[str, ...]:
    """The four numbers that begin the name of a release, if they are a version: few versions reach 192, and many addresses begin so."""
    expression = patterns.expression(r"^(?:\pL[\pL\pN_.-]*[-_/@])?[vV]?([0-9]+(?:\.[0-9]+){3})(?:$|[^0-9.])")
    match = expression.search(patterns.encoded(release))
    numbers = "" if match is None else (match[1] or b"").decode()
    is_address = numbers.startswith(("127.0.0.", "169.254.")) or int(numbers.partition(".")[0] or 192) >= 192
    return () if is_address else (numbers,)
