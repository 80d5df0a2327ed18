"""Untrusted text made fit to be shown: cleaned, on one line, never cut inside what people see as one sign."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

_ELLIPSIS = "…"

_LINE_END = re.compile("\r\n?|[\u2028\u2029]")
# Bidirectional controls can show a name backwards; XML, in which Jira keeps its backups, has no U+FFFE and no
# U+FFFF; a lone surrogate cannot be sent as UTF-8 at all.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

_VIRAMA = 9  # the canonical combining class of the signs that bind an Indic consonant to the next
_JOINS_NEXT = "\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
_FLAG_HALVES = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_HANGUL = {
    "lead": "\u1100-\u115f\ua960-\ua97c",
    "vowel": "\u1160-\u11a7\ud7b0-\ud7c6",
    "tail": "\u11a8-\u11ff\ud7cb-\ud7fb",
    "whole": "\uac00-\ud7a3",
}
_HANGUL_SYLLABLE = re.compile(
    "[{lead}][{lead}{vowel}{whole}]|[{vowel}{whole}][{vowel}{tail}]|[{tail}][{tail}]".format(**_HANGUL)
)


def clean(text: str) -> str:
    """The text with LF as its only line end and U+FFFD for what cannot be stored or would deceive."""
    return _UNFIT.sub("\ufffd", _LINE_END.sub("\n", text))


def flat(text: str) -> str:
    """The text cleaned and on one line, its blanks kept as they are."""
    return clean(text).replace("\n", " ")


def one_line(text: str, limit: int, otherwise: str = "unknown") -> str:
    """The text on one line of at most `limit` code points, or `otherwise` where nothing visible is left."""
    if len(text) <= limit and text.isascii() and text.isalnum():
        return text  # a fingerprint, as with every delivery
    # Blanks go first: split() also takes the controls that end lines, such as U+000B and U+0085.
    line = shorten(" ".join(clean(" ".join(text.split())).split()), limit)
    visible = any(unicodedata.category(character)[0] in "LNPS" for character in line.removesuffix(_ELLIPSIS))
    return line if visible else otherwise


def shorten(text: str, limit: int) -> str:
    """The text itself, or the longest beginning of it that fits `limit` code points with an ellipsis."""
    return text if len(text) <= limit else cut(text, limit - 1).rstrip() + _ELLIPSIS


def cut(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` code points that ends between two grapheme clusters."""
    end = min(limit, len(text))
    while 0 < end < len(text) and _joined(text, end):
        end -= 1
    return text[:end]


def _joined(text: str, index: int) -> bool:
    """Whether the code points before and at `index` may belong to one grapheme cluster.

    Joins what Unicode Standard Annex 29 joins (but for the prepended letters of some rare scripts) and
    somewhat more: the standard library lacks its properties, and to cut a little earlier harms nobody.
    """
    before, after = text[index - 1], text[index]
    if before in _JOINS_NEXT or unicodedata.combining(before) == _VIRAMA or _extends(after):
        return True
    if before in _FLAG_HALVES and after in _FLAG_HALVES:
        return (index - len(text[:index].rstrip(_FLAG_HALVES))) % 2 == 1
    return bool(_HANGUL_SYLLABLE.fullmatch(before + after))


def _extends(character: str) -> bool:
    """Marks, joiners, emoji skin tones, and the tags that spell the flags of regions."""
    return (
        unicodedata.category(character)[0] == "M"
        or character in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


_LONGEST_URL = 2048
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HTTPS = re.compile(rf"https://({_LABEL}(?:\.{_LABEL})*)(:[0-9]+)?(?=[/?#]|\Z)", re.IGNORECASE | re.ASCII)


def safe_url(url: str, hosts: Iterable[str]) -> str | None:
    """The address as it may stand in any markup, or None when people should not be sent there.

    Only https, only a host that `hosts` allows (`*.example.com` is every sub-domain of any depth, anything
    else one host, with its port where that is not 443), nothing before the host, at most 2,048 characters.
    What could end a link in Markdown or wiki markup comes back percent-encoded.
    """
    start = _HTTPS.match(url)
    # Browsers drop tabs and line ends from an address and read a backslash as a slash.
    if start is None or "\\" in url or clean(url) != url or "\n" in url or "\t" in url:
        return None
    host = start[1].lower() + ("" if start[2] in (None, ":443") else start[2])
    if not any(_allows(pattern.lower(), host) for pattern in hosts):
        return None
    # No `;`, or `&copy;` in a query would become another character; no `!` and `*`, which wiki markup reads.
    rest = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", url[start.end() :])
    address = f"https://{host}{quote(rest, safe='%/?#&=:,+$@-._~')}"
    return address if len(address) <= _LONGEST_URL else None


def _allows(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def utc(seconds: float | None) -> str:
    """A time as people read it, such as 2026-11-24 03:15 UTC; "not known" for what no calendar has."""
    if seconds is None:
        return "not known"
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return "not known"
    return f"{moment.replace(tzinfo=None).isoformat(' ', 'minutes')} UTC"
