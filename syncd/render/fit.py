"""How a document is cleaned and made short enough, the same way for every markup."""

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from syncd.render.document import Block, Code, Document, Link, Panel, Paragraph, Span, Table, Value
from syncd.render.text import flat, shorten

T = TypeVar("T")

_NARROW = 240  # code points of a line below which rows are given up before more of the line
_COMMENT = re.compile(r"<!(?=--)")


def fit(document: Document, limit: int, write: Callable[[Document], T], size: Callable[[T], int]) -> T:
    """What `write` makes of the document, with as much from the crash as `limit` leaves room for.

    Long lines are shortened first, then lines of code and rows of tables go (`more` counts them), then what
    is left of the lines is shortened too. Our own words and links always stay. Raises ValueError when those
    alone are larger than `limit`.
    """
    cleaned = _changed(document, lambda text: _COMMENT.sub("<!\u200b", flat(text)))
    whole = write(cleaned)
    if size(whole) <= limit:
        return whole
    most = max((_rows(block) for block in cleaned), default=0)
    levels = range(1, max(limit, _NARROW) + most + 1)

    def written(level: int) -> T:
        return write(_shrunk(cleaned, *_caps(level, most)))

    fitting = bisect_right(levels, limit, key=lambda level: size(written(level)))
    if fitting == 0:
        raise ValueError(f"{limit} characters are too few even for our own words")
    return written(levels[fitting - 1])


def _changed(document: Document, change: Callable[[str], str]) -> Document:
    """The document with every untrusted text in it changed."""

    def span(untouched: Span) -> Span:
        return Value(change(untouched.text)) if isinstance(untouched, Value) else untouched

    def block(untouched: Block) -> Block:
        match untouched:
            case Paragraph(spans):
                return Paragraph(tuple(map(span, spans)))
            case Panel(spans, kind):
                return Panel(tuple(map(span, spans)), kind)
            case Code(lines, more):
                return Code(tuple(map(change, lines)), more)
            case Table(header, rows, more):
                return Table(header, tuple(tuple(map(span, row)) for row in rows), more)
        return untouched

    return tuple(map(block, document))


def _rows(block: Block) -> int:
    match block:
        case Code(lines):
            return len(lines)
        case Table(_, rows):
            return len(rows)
    return 0


def _caps(level: int, most: int) -> tuple[int, int]:
    """The width and the number of rows that a level allows; both only grow with it, one at a time."""
    if level <= _NARROW:
        return level, 0
    if level <= _NARROW + most:
        return _NARROW, level - _NARROW
    return level - most, most


def _shrunk(document: Document, width: int, rows: int) -> Document:
    return _changed(tuple(_headed(block, rows) for block in document), partial(shorten, limit=width))


def _headed(block: Block, count: int) -> Block:
    """The first `count` rows of a block; a table keeps those with a link besides."""
    match block:
        case Code(lines, more):
            return Code(lines[:count], more + len(lines[count:]))
        case Table(header, rows, more):
            linked = tuple(row for row in rows[count:] if any(isinstance(cell, Link) for cell in row))
            return Table(header, rows[:count] + linked, more + len(rows[count:]) - len(linked))
    return block


def left_out(block: Code | Table) -> str:
    """How much of a block is not shown, in words; empty when all of it is."""
    noun = "frame" if isinstance(block, Code) else "row"
    return f"… {block.more:,} more {noun}{'' if block.more == 1 else 's'}" if block.more else ""
