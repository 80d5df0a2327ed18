"""Documents as GitHub Markdown. Whatever came with a crash stands in a code block or a code span.

In both, GitHub makes no mentions, references, links, images or HTML of it (CommonMark 0.31, 4.5 and 6.1).
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

# GitHub reads the quoted part of a reply sent by e-mail as Markdown again, by then without the code block.
_MENTION = re.compile(r"@(?=[A-Za-z0-9])")


def write(document: Document, limit: int, tail: str = "") -> str:
    """The document in at most `limit` code points, `tail` included: always whole, alone on the last line.

    Raises ValueError if `limit` is too small for syncd's own words.
    """
    ending = f"\n\n{tail}" if tail else ""
    return fit(document, limit, lambda fitted: "\n\n".join(map(_block, fitted)) + ending, len)


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"### {text}"
        case Paragraph(spans):
            return _inline(spans)
        case Panel(spans):
            # Not GitHub's alerts: the mail that GitHub sends shows their marks as text.
            return f"> {_inline(spans)}"
        case Code():
            return _code(block)
        case Table():
            return _table(block)


def _code(code: Code) -> str:
    lines = "".join(f"{_unmentioned(line)}\n" for line in code.lines)
    fence = "`" * max(3, _longest_run(lines) + 1)
    return _with_rest(f"{fence}text\n{lines}{fence}", code)


def _table(table: Table) -> str:
    rows = (table.header, ("---",) * len(table.header), *table.rows)
    return _with_rest("\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows), table)


def _cell(cell: Span) -> str:
    # Tables take the backslash away before code spans are read, so it never shows (GFM 0.29, 4.10).
    return _inline((cell,)).replace("|", "\\|")


def _with_rest(written: str, block: Code | Table) -> str:
    return "\n\n".join(filter(None, (written, more_rows(block))))


def _inline(spans: Iterable[Span]) -> str:
    line = ""
    for span in spans:
        match span:
            case Value(text):
                # Two code spans that touch would be read as one.
                line += (" " if line.endswith("`") else "") + literal(text)
            case Link(label, url):
                line += f"[{label}]({url})"
            case str():
                line += span
    return line


def literal(text: str) -> str:
    """Untrusted text on one line as a code span, blanks and backticks included."""
    shown = _unmentioned(text) or " "
    ticks = "`" * (_longest_run(shown) + 1)
    # One blank is taken off either side when both are there, unless there is nothing else.
    stripped = shown.startswith(" ") and shown.endswith(" ") and shown.strip(" ")
    padding = " " if stripped or shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{padding}{shown}{padding}{ticks}"


def _unmentioned(text: str) -> str:
    return _MENTION.sub("@\u200b", text)


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
