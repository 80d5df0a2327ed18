"""Documents as GitHub Markdown. All crash text stands in a code block or a code span.

In both, GitHub makes no mentions, references, links, images or HTML of it (CommonMark 0.31, 4.5 and 6.1). Details are HTML of
syncd's own: https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting
"""

import re
from collections.abc import Iterable

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

# GitHub reads the quoted part of an e-mail reply as Markdown again, without the code block around it.
_MENTION = re.compile(r"@(?=[A-Za-z0-9])")

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")


def write(document: Document, limit: int, tail: str = "") -> str:
    """The document in at most `limit` code points. `tail` is included, never shortened, and alone on the last line.

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
            # No GitHub alert: GitHub's mails show the marks of an alert as text.
            return f"> {_inline(spans)}"
        case Details(summary, blocks):
            # Markdown reads what follows an element of HTML only behind an empty line (CommonMark 0.31, 4.6).
            return "\n\n".join((f"<details>\n<summary>{summary}</summary>", *map(_block, blocks), "</details>"))
        case Code(lines):
            code = "".join(f"{line}\n" for line in lines)
            code = _MENTION.sub("@\u200b", code)
            fence = "`" * (1 + max(map(len, ["``", *re.findall("`+", code)])))
            written = f"{fence}text\n{code}{fence}"
        case Table(header, rows):
            # A table removes the backslash before it reads code spans, so nobody sees it (GFM 0.29, 4.10).
            cells = [[_inline((cell,)).replace("|", "\\|") for cell in row] for row in (header, *rows)]
            cells.insert(1, ["---"] * len(header))
            written = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    return f"{written}\n\n{more_rows(block)}" if block.more else written


def _inline(spans: Iterable[Span]) -> str:
    line = ""
    for span in spans:
        match span:
            case Value(text):
                # Markdown reads two adjacent code spans as one.
                line += (" " if line.endswith("`") else "") + literal(text)
            case Link(label, url):
                line += f"[{label}]({url})"
            case Strong(text):
                line += f"**{text}**"
            case str():
                line += span
    return line


def literal(text: str) -> str:
    """Untrusted text on one line as a code span, with its blanks and backticks."""
    content = _MENTION.sub("@\u200b", text) or " "
    ticks = "`" * (1 + max(map(len, re.findall("`+", content)), default=0))
    # Markdown strips one blank from both sides if both are there and the content is not all blanks.
    stripped = content.startswith(" ") and content.endswith(" ") and content.strip(" ")
    padding = " " if stripped or content.startswith("`") or content.endswith("`") else ""
    return f"{ticks}{padding}{content}{padding}{ticks}"


def carries(body: str, line: str) -> bool:
    """True if `body` ends with `line`, or has it further up because people wrote below it. Inside a code block it does not count."""
    lines = [each.removesuffix("\r") for each in body.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if lines and lines[-1] == line:
        return True
    fence = ""
    for each in lines:
        opening = _FENCE.match(each)
        if fence:
            if opening and opening[1].startswith(fence) and not each[opening.end() :].strip():
                fence = ""
        elif opening:
            fence = opening[1]
        elif each == line:
            return True
    return False
