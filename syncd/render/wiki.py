"""Documents as Jira wiki markup. All crash text stands in {noformat}, or as character entities.

Inside {noformat} Jira reads no macros, mentions, images, links or issue keys; only its own end tag ends it.
"""

import re

from syncd.render.text import (
    Block,
    Code,
    Details,
    Document,
    Heading,
    Link,
    Panel,
    Paragraph,
    Span,
    Strong,
    Table,
    Value,
    fit,
    more_rows,
)

_MACRO = re.compile(r"\{(?=\s*(?:noformat|code))", re.IGNORECASE)
_SPECIAL = re.compile(r"[!-/:-@\[-`{-~]")


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
        case Details(summary, blocks):
            # Jira's markup has nothing that folds.
            return "\n\n".join((f"*{summary}*", *map(_block, blocks)))
        case Code(lines):
            text = _MACRO.sub("{\u200b", "".join(f"{line}\n" for line in lines))
            written = f"{{noformat}}\n{text}{{noformat}}"
        case Table(header, rows):
            cells = (f"|{'|'.join(_span(cell).strip() or ' ' for cell in row)}|" for row in rows)
            written = "\n".join((f"||{'||'.join(name or ' ' for name in header)}||", *cells))
    return f"{written}\n\n{more_rows(block)}" if block.more else written


def _entity(special: re.Match[str]) -> str:
    return f"&#{ord(special[0])};"


def _span(span: Span) -> str:
    match span:
        case Value(text):
            # A backslash would not escape: two of them in a row are a line break.
            return _SPECIAL.sub(_entity, text)
        case Link(label, url):
            return f"[{label}|{url}]"
        case Strong(text):
            return f"*{_SPECIAL.sub(_entity, text)}*"
        case str():
            return span
