"""A report as a tree of blocks, before it becomes Markdown, wiki markup, or an Atlassian document.

`str` is our own wording and is trusted; everything that came with a crash travels as `Value` or in `Code`,
and every writer keeps those two from being anything but text.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Value:
    """Untrusted text on one line, shown literally."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link whose address was checked by `render.text.safe_url`."""

    words: str
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
    """A paragraph that stands out."""

    spans: tuple[Span, ...]
    kind: Literal["info", "note", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Code:
    """Untrusted lines, shown literally; `more` says how many lines were left out before."""

    lines: tuple[str, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """`header` is ours; a cell is one span. `more` says how many rows were left out before."""

    header: tuple[str, ...]
    rows: tuple[tuple[Span, ...], ...]
    more: int = 0


Block = Heading | Paragraph | Panel | Code | Table
Document = tuple[Block, ...]
