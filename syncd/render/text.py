"""Untrusted text made safe to show, and a report as a tree of blocks, which each writer turns into its markup.

A `str` in a block is syncd's own wording and is trusted. All text from a crash is a `Value` or stands in `Code`; every writer shows
those two as nothing but text.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import quote

import regex

from syncd.core.quantities import utc as utc  # the writers' time as well
from syncd.core.scrub import Scrubber

_ELLIPSIS = "…"

_LINE_END = re.compile("\r\n?|[\u2028\u2029]")
# Bidirectional controls can show a name backwards; XML, in which Jira keeps its backups, has no U+FFFE and no
# U+FFFF; a lone surrogate cannot be sent as UTF-8 at all.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

_GRAPHEME = regex.compile(r"\X")  # a grapheme cluster by Unicode Standard Annex 29


def clean(text: str) -> str:
    """The text with LF as its only line end, and U+FFFD for each character that cannot be stored or could deceive."""
    return _UNFIT.sub("\ufffd", _LINE_END.sub("\n", text))


def flat(text: str) -> str:
    """The text cleaned and on one line, with its blanks unchanged."""
    return clean(text).replace("\n", " ")


_DIGITS = re.compile("[0-9a-f]{1,100}")


def one_line(text: str, limit: int, otherwise: str = "unknown") -> str:
    """The text on one line of at most `limit` code points, or `otherwise` if no visible character remains."""
    if len(text) <= limit and text.isascii() and text.isalnum():
        return text  # fast path: every delivery has a fingerprint
    # Blanks are removed first: split() also takes the controls that end lines, such as U+000B and U+0085.
    line = shorten(" ".join(clean(" ".join(text.split())).split()), limit)
    visible = any(unicodedata.category(character)[0] in "LNPS" for character in line.removesuffix(_ELLIPSIS))
    return line if visible else otherwise


def logged(fingerprint: str) -> str:
    """The fingerprint as a log has it: in one line, without the private data that a sender may have put into it."""
    if _DIGITS.fullmatch(fingerprint):
        return fingerprint  # fast path: nearly every fingerprint
    return one_line(Scrubber().text(fingerprint), 100)


def shorten(text: str, limit: int) -> str:
    """The text, or its longest beginning that fits into `limit` code points with an ellipsis."""
    return text if len(text) <= limit else cut(text, limit - 1).rstrip() + _ELLIPSIS


def cut(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` code points that ends between two grapheme clusters."""
    if len(text) <= limit or text[max(0, limit - 1) : limit + 1].isascii():
        return text[: max(0, limit)]  # a cluster ends after every ASCII character but CR, and `clean` removes that
    end = 0
    for cluster in _GRAPHEME.finditer(text):
        if cluster.end() > limit:
            break
        end = cluster.end()
    return text[:end]


_LONGEST_URL = 2048
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HTTPS = re.compile(rf"https://({_LABEL}(?:\.{_LABEL})*)(:[0-9]+)?(?=[/?#]|\Z)", re.IGNORECASE | re.ASCII)


def safe_url(url: str, hosts: Iterable[str]) -> str | None:
    """The address as it is safe in any markup, or None if a link to it is not allowed.

    Only https, only a host in `hosts` (`*.example.com` allows every sub-domain of any depth, any other pattern one host,
    with its port unless that is 443), nothing before the host, at most 2,048 characters.
    Characters that could end a link in Markdown or wiki markup are percent-encoded.
    """
    start = _HTTPS.match(url)
    # Browsers drop tabs and line ends from an address and read a backslash as a slash.
    if start is None or "\\" in url or clean(url) != url or "\n" in url or "\t" in url:
        return None
    host = start[1].lower() + ("" if start[2] in (None, ":443") else start[2])
    allowed = (
        host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern for pattern in map(str.lower, hosts)
    )
    if not any(allowed):
        return None
    # No `;`, or `&copy;` in a query would become another character; no `!` and `*`, which wiki markup reads.
    rest = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", url[start.end() :])
    address = f"https://{host}{quote(rest, safe='%/?#&=:,+$@-._~')}"
    return address if len(address) <= _LONGEST_URL else None


T = TypeVar("T")

_NARROW = 240  # code points of a line: rows are dropped before lines get shorter than this
_COMMENT = re.compile(r"<!(?=--)")


@dataclass(frozen=True, slots=True)
class Value:
    """Untrusted text on one line, shown literally."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link whose address `safe_url` has checked."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Strong:
    """syncd's own words in bold."""

    text: str


Span = str | Value | Link | Strong


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A highlighted paragraph."""

    spans: tuple[Span, ...]
    kind: Literal["info", "note", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Code:
    """Untrusted lines, shown literally. `more` counts further lines that are not shown."""

    lines: tuple[str, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a trusted header; a cell is one span. `more` counts further rows that are not shown."""

    header: tuple[str, ...]
    rows: tuple[tuple[Span, ...], ...]
    more: int = 0


Visible = Heading | Paragraph | Panel | Code | Table


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that a reader unfolds, where the tracker has that; `summary` is trusted. A document that is too long loses `spare` ones."""

    summary: str
    blocks: tuple[Visible, ...]
    spare: bool = False


Block = Visible | Details
Document = tuple[Block, ...]


def fit(document: Document, limit: int, write: Callable[[Document], T], size: Callable[[T], int]) -> T:
    """The result of `write` for the document, shortened until its `size` is at most `limit`.

    First long lines are shortened, then spare details are left out, then lines of code and rows of tables are dropped (`more` counts
    them), then the remaining lines are shortened further. syncd's own words and links always stay. Raises ValueError if those alone
    exceed `limit`.
    """
    cleaned = _changed(document, lambda text: _COMMENT.sub("<!\u200b", flat(text)))
    whole = write(cleaned)
    if size(whole) <= limit:
        return whole
    most = max(map(len, _rows(cleaned)), default=0)
    bare = tuple(block for block in cleaned if not (isinstance(block, Details) and block.spare))
    for kept, least in ((cleaned, _NARROW + most), (bare, 1)):
        levels = range(least, max(limit, _NARROW) + most + 1)
        written = partial(_at_level, kept, most, write)
        fitting = bisect_right(levels, limit, key=lambda level, written=written: size(written(level)))  # type: ignore[misc]
        if fitting:
            return written(levels[fitting - 1])
    raise ValueError(f"{limit} characters are too few even for syncd's own words")


def _at_level(document: Document, most: int, write: Callable[[Document], T], level: int) -> T:
    # A level is a width and a number of rows; both only grow with it, one at a time.
    rows = min(max(0, level - _NARROW), most)
    return write(_changed(_with_rows(document, rows), partial(shorten, limit=level - rows)))


def _rows(document: Document) -> Iterator[tuple[object, ...]]:
    """The lines of each block of code and the rows of each table."""
    for block in document:
        match block:
            case Code(lines):
                yield lines
            case Table(_, rows):
                yield rows
            case Details(_, blocks):
                yield from _rows(blocks)


def _changed(document: Document, change: Callable[[str], str]) -> Document:
    """The document with `change` applied to every untrusted text in it."""

    def spans(unchanged: tuple[Span, ...]) -> tuple[Span, ...]:
        return tuple(Value(change(span.text)) if isinstance(span, Value) else span for span in unchanged)

    def changed(block: Visible) -> Visible:
        match block:
            case Paragraph(content):
                return Paragraph(spans(content))
            case Panel(content, kind):
                return Panel(spans(content), kind)
            case Code(lines, more):
                return Code(tuple(map(change, lines)), more)
            case Table(header, rows, more):
                return Table(header, tuple(map(spans, rows)), more)
            case Heading():
                return block

    return _each(document, changed)


def _with_rows(document: Document, count: int) -> Document:
    """The document with the first `count` rows of each block; a table keeps further rows that have a link."""

    def cut_off(block: Visible) -> Visible:
        match block:
            case Code(lines, more):
                return Code(lines[:count], more + len(lines[count:]))
            case Table(header, rows, more):
                linked = tuple(row for row in rows[count:] if any(isinstance(cell, Link) for cell in row))
                return Table(header, rows[:count] + linked, more + len(rows[count:]) - len(linked))
            case _:
                return block

    return _each(document, cut_off)


def _each(document: Document, change: Callable[[Visible], Visible]) -> Document:
    """The document with each of its blocks changed, also those in details."""
    return tuple(
        replace(block, blocks=tuple(map(change, block.blocks))) if isinstance(block, Details) else change(block)
        for block in document
    )


def more_rows(block: Code | Table) -> str:
    """A line such as "… 3 more frames" for the rows that are not shown; empty if there are none."""
    noun = "frame" if isinstance(block, Code) else "row"
    return f"… {block.more:,} more {noun}{'' if block.more == 1 else 's'}" if block.more else ""
