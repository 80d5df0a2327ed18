"""A notice as plain text, for e-mail: nothing in it can become markup."""

import textwrap
from collections.abc import Iterator, Sequence

from syncd.render.notices import Notice, lines
from syncd.render.text import (
    Block,
    Code,
    Document,
    Heading,
    Link,
    Span,
    Strong,
    Table,
    Value,
    clean,
    fit,
    flat,
    one_line,
)

LONGEST_SUBJECT = 150
LARGEST = 60_000  # characters
_WIDTH = 78


def subject(notice: Notice, prefix: str = "[syncd]") -> str:
    """The subject: one line without controls and without encoded words (RFC 2047), so that no header can follow it: Python's e-mail package decodes an
    encoded line break, and writes it out."""
    title = one_line(notice.title, LONGEST_SUBJECT).replace("=?", "= ?")
    return one_line(f"{prefix} {title}", LONGEST_SUBJECT)


def write(notice: Notice) -> str:
    """The text of the mail."""
    return fit(notice.document, LARGEST, lambda document: _text(notice, document), len)


def _text(notice: Notice, document: Document) -> str:
    head = notice.title if len(notice.title) <= _WIDTH else f"{notice.label}:\n{flat(notice.headline)}"
    parts = [head, *("\n".join(_lines(block, notice.links)) for block in document)]
    if notice.links:
        width = max(len(link.label) for link in notice.links) + 1
        parts.append("\n".join(f"{clean(link.label) + ':':<{width}} {link.url}" for link in notice.links))
    parts.append("-- \nsyncd sends this because of [channels] in its configuration.")
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _lines(block: Block, links: Sequence[Link]) -> Iterator[str]:
    for spans in lines(block):
        line = "".join(_span(span, links) for span in spans)
        if isinstance(block, Code):
            yield f"    {line}"
        elif isinstance(block, Heading):
            yield line
            yield "-" * len(line)
        else:
            indent = "  " if isinstance(block, Table) else ""
            # Neither an address nor a frame is broken: they would not be found again.
            yield textwrap.fill(
                line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            ) or line  # fmt: skip


def _span(span: Span, links: Sequence[Link]) -> str:
    match span:
        case Link(label, url):
            return flat(label) if span in links else f"{flat(label)} <{url}>"  # the others are at the end
        case Strong(text) | Value(text):
            return flat(text)
        case _:
            return flat(span)
