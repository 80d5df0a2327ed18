"""Documents as Jira wiki markup. All crash text stands in {noformat}, or as character entities.

Inside {noformat} Jira reads no macros, mentions, images, links or issue keys; only its own end tag ends it.
"""

import re

from syncd.render.text import (
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
)

_MACRO = re.compile(r"\{(?=\s*(?:noformat|code))", re.IGNORECASE)
_SPECIAL = re.compile(r"[!-/:-@\[-`{-~]")
_WIDEST_PADDING = 40  # columns: one long name must not widen every row


def write(document: Document, limit: int) -> str:
    """The document in at most `limit` UTF-16 units, which is how Jira counts characters.

    Raises ValueError if `limit` is too small for syncd's own words.
    """
    return fit(
        document,
        limit,
        lambda fitted: "\n\n".join(map(_block, fitted)),
        lambda text: len(text.encode("utf-16-le")) // 2,
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"h3. {text}"
        case Paragraph(spans):
            return "".join(map(_span, spans))
        case Panel(spans):
            return f"{{panel}}\n{''.join(map(_span, spans))}\n{{panel}}"
        case Code(lines):
            text = _MACRO.sub("{\u200b", "".join(f"{line}\n" for line in lines))
            written = f"{{noformat}}\n{text}{{noformat}}"
        case Table():
            written = _table(block)
    return f"{written}\n\n{more_rows(block)}" if block.more else written


def _table(table: Table) -> str:
    """A wiki table if every cell is trusted; otherwise verbatim lines with aligned columns, and the links below."""
    if not any(isinstance(cell, Value) for row in table.rows for cell in row):
        rows = (f"|{'|'.join(_span(cell) or ' ' for cell in row)}|" for row in table.rows)
        return "\n".join((f"||{'||'.join(name or ' ' for name in table.header)}||", *rows))
    plain = [list(table.header)]
    links = []
    for row in table.rows:
        plain.append([])
        for cell in row:
            match cell:
                case Value(text):
                    plain[-1].append(text)
                case Link(label):
                    plain[-1].append(label)
                    links.append(_span(cell))
                case str():
                    plain[-1].append(cell)
    widths = [min(max(map(len, column)), _WIDEST_PADDING) for column in zip(*plain, strict=True)]
    written = _block(Code(tuple("  ".join(map(str.ljust, row, widths)).rstrip() for row in plain)))
    return f"{written}\n\n{' '.join(links)}" if links else written


def _span(span: Span) -> str:
    match span:
        case Value(text):
            # A backslash would not escape: two of them in a row are a line break.
            return _SPECIAL.sub(lambda special: f"&#{ord(special[0])};", text)
        case Link(label, url):
            return f"[{label}|{url}]"
        case str():
            return span
