"""Documents as Jira wiki markup. Whatever came with a crash stands in {noformat}, or as character entities.

Inside {noformat} Jira reads no macros, mentions, images, links or issue keys; only its own end ends it.
"""

import re
from collections.abc import Iterable

from syncd.render.document import (
    Block,
    Code,
    Document,
    Heading,
    Link,
    Panel,
    Paragraph,
    Span,
    Table,
    Value,
    fit,
    more_rows,
)  # fmt: skip

_MACRO = re.compile(r"\{(?=\s*(?:noformat|code))", re.IGNORECASE)
_SPECIAL = re.compile(r"[!-/:-@\[-`{-~]")
_WIDEST_PADDING = 40  # columns: one long name must not blow up every row


def write(document: Document, limit: int) -> str:
    """The document in at most `limit` UTF-16 units, which is how Jira counts characters.

    Raises ValueError if `limit` is too small for syncd's own words.
    """
    return fit(document, limit, lambda fitted: "\n\n".join(map(_block, fitted)), _utf16_units)


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"h3. {text}"
        case Paragraph(spans):
            return "".join(map(_span, spans))
        case Panel(spans):
            return f"{{panel}}\n{''.join(map(_span, spans))}\n{{panel}}"
        case Code(lines):
            return _paragraphs(_verbatim(lines), more_rows(block))
        case Table():
            return _paragraphs(_table(block), more_rows(block))


def _paragraphs(*paragraphs: str) -> str:
    return "\n\n".join(filter(None, paragraphs))


def _table(table: Table) -> str:
    cells = [cell for row in table.rows for cell in row]
    if any(isinstance(cell, Value) for cell in cells):
        links = " ".join(_span(cell) for cell in cells if isinstance(cell, Link))
        return _paragraphs(_verbatim(_aligned(table)), links)
    rows = (f"|{'|'.join(_span(cell) or ' ' for cell in row)}|" for row in table.rows)
    return "\n".join((f"||{'||'.join(name or ' ' for name in table.header)}||", *rows))


def _aligned(table: Table) -> list[str]:
    """The table as lines of plain text; a link is its words."""
    rows = [table.header, *(tuple(map(_plain, row)) for row in table.rows)]
    widths = [min(max(map(len, column)), _WIDEST_PADDING) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _plain(cell: Span) -> str:
    match cell:
        case Value(text):
            return text
        case Link(label):
            return label
        case str():
            return cell


def _verbatim(lines: Iterable[str]) -> str:
    return "{noformat}\n" + _MACRO.sub("{\u200b", "".join(f"{line}\n" for line in lines)) + "{noformat}"


def _span(span: Span) -> str:
    match span:
        case Value(text):
            # Backslashes would not do: two of them in a row are a line break.
            return _SPECIAL.sub(lambda special: f"&#{ord(special[0])};", text)
        case Link(label, url):
            return f"[{label}|{url}]"
        case str():
            return span
