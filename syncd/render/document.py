"""A report as a tree of blocks, which each writer turns into its markup, and the way to make it short enough.

A `str` is syncd's own wording and is trusted. All text from a crash is a `Value` or stands in `Code`; every writer shows those
two as nothing but text.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from syncd.render.text import flat, shorten

T = TypeVar("T")

_NARROW = 240  # code points of a line: rows are dropped before lines get shorter than this
_COMMENT = re.compile(r"<!(?=--)")


@dataclass(frozen=True, slots=True)
class Value:
    """Untrusted text on one line, shown literally."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link whose address `render.text.safe_url` has checked."""

    label: str
    url: str


Span = str | Value | Link


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


Block = Heading | Paragraph | Panel | Code | Table
Document = tuple[Block, ...]


def fit(document: Document, limit: int, write: Callable[[Document], T], size: Callable[[T], int]) -> T:
    """The result of `write` for the document, shortened until its `size` is at most `limit`.

    First long lines are shortened, then lines of code and rows of tables are dropped (`more` counts them), then the remaining
    lines are shortened further. syncd's own words and links always stay. Raises ValueError if those alone exceed `limit`.
    """
    cleaned = _changed(document, lambda text: _COMMENT.sub("<!\u200b", flat(text)))
    whole = write(cleaned)
    if size(whole) <= limit:
        return whole
    most = max((len(_rows(block)) for block in cleaned), default=0)
    levels = range(1, max(limit, _NARROW) + most + 1)

    def written(level: int) -> T:
        # A level is a width and a number of rows; both only grow with it, one at a time.
        rows = min(max(0, level - _NARROW), most)
        return write(_changed(_with_rows(cleaned, rows), partial(shorten, limit=level - rows)))

    fitting = bisect_right(levels, limit, key=lambda level: size(written(level)))
    if fitting == 0:
        raise ValueError(f"{limit} characters are too few even for syncd's own words")
    return written(levels[fitting - 1])


def _changed(document: Document, change: Callable[[str], str]) -> Document:
    """The document with `change` applied to every untrusted text in it."""

    def spans(unchanged: tuple[Span, ...]) -> tuple[Span, ...]:
        return tuple(Value(change(span.text)) if isinstance(span, Value) else span for span in unchanged)

    blocks: list[Block] = []
    for block in document:
        match block:
            case Paragraph(content):
                blocks.append(Paragraph(spans(content)))
            case Panel(content, kind):
                blocks.append(Panel(spans(content), kind))
            case Code(lines, more):
                blocks.append(Code(tuple(map(change, lines)), more))
            case Table(header, rows, more):
                blocks.append(Table(header, tuple(map(spans, rows)), more))
            case Heading():
                blocks.append(block)
    return tuple(blocks)


def _rows(block: Block) -> tuple[object, ...]:
    match block:
        case Code(lines):
            return lines
        case Table(_, rows):
            return rows
    return ()


def _with_rows(document: Document, count: int) -> Document:
    """The document with the first `count` rows of each block; a table keeps further rows that have a link."""
    blocks: list[Block] = []
    for block in document:
        match block:
            case Code(lines, more):
                blocks.append(Code(lines[:count], more + len(lines[count:])))
            case Table(header, rows, more):
                linked = tuple(row for row in rows[count:] if any(isinstance(cell, Link) for cell in row))
                blocks.append(Table(header, rows[:count] + linked, more + len(rows[count:]) - len(linked)))
            case _:
                blocks.append(block)
    return tuple(blocks)


def more_rows(block: Code | Table) -> str:
    """A line such as "… 3 more frames" for the rows that are not shown; empty if there are none."""
    noun = "frame" if isinstance(block, Code) else "row"
    return f"… {block.more:,} more {noun}{'' if block.more == 1 else 's'}" if block.more else ""
