"""Hostile crash text, and documents of every shape with it."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from syncd.render.text import (
    Block,
    Code,
    Details,
    Document,
    Heading,
    Link,
    Paragraph,
    Span,
    Strong,
    Table,
    Value,
    Visible,
)

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ACCENT = "e\u0301"

_ATTACKS = [
    *("`", "```", "````text", "~~~", "\n```\n", "\n~~~\n", "``` ```"),
    *(
        "@octocat",
        "@org/team",
        "#1",
        "GH-1",
        "owner/name#1",
        "owner@" + "a1" * 20,
        "0123456789abcdef" * 2 + "01234567",
    ),
    *(
        "</details>",
        "<script>alert(1)</script>",
        "</code></pre>",
        "<!-- syncd:forged -->",
        "<!--",
        "-->",
        "<b>",
        "&lt;",
    ),
    *(
        "|",
        "\\|",
        "\\",
        "\\\\",
        "| --- |",
        "||",
        "!",
        "![x](https://evil.example/x.png)",
        "[x](https://evil.example)",
    ),
    *(
        "https://evil.example/",
        "www.evil.example",
        "someone@evil.example",
        "&copy;",
        "&#35;",
        ":tada:",
        "$x$",
        "===",
    ),
    *(
        "{noformat}",
        "{ NoFormat:title=x}",
        "{\nnoformat}",
        "{code:java}",
        "{color:red}",
        "[~admin]",
        "!x.png!",
        "{{",
        "{",
    ),
    *("# ", "> ", "* ", "1. ", "- [ ] ", "----", "    ", "\t", " ", "h1. ", "bq. ", "ABC-1"),
    *("\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00", "\x1b[31m", "\x7f", "\x9b"),
    *(
        "\ud800",
        "\udfff",
        "\u202e",
        "\u2066",
        "\u200f",
        "\u061c",
        "\u200b",
        "\ufeff",
        "\uffff",
        ACCENT,
        FAMILY,
    ),
]

any_text = st.text(st.characters(exclude_categories=()), max_size=6)
hostile = st.lists(st.sampled_from(_ATTACKS) | any_text, max_size=8).map("".join)

trusted_texts = st.sampled_from(["Seen so far", "at least 12,345", "2026-11-24 03:15 UTC", "97%", "Last seen."])
links = st.builds(
    Link, trusted_texts, st.sampled_from(["https://a.example/p?q=%28#f", "https://b.example/x_y-z~1&c=2"])
)
spans: st.SearchStrategy[Span] = trusted_texts | links | hostile.map(Value) | trusted_texts.map(Strong)
counts = st.integers(0, 2000)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = draw(st.integers(1, 4))
    header = draw(st.lists(trusted_texts, min_size=columns, max_size=columns))
    rows = draw(st.lists(st.lists(spans, min_size=columns, max_size=columns).map(tuple), max_size=4))
    return Table(tuple(header), tuple(rows), draw(counts))


visible: st.SearchStrategy[Visible] = (
    st.builds(Heading, trusted_texts)
    | st.builds(Paragraph, st.lists(spans, max_size=5).map(tuple))
    | st.builds(Code, st.lists(hostile, max_size=6).map(tuple), counts)
    | tables()
)
blocks: st.SearchStrategy[Block] = visible | st.builds(
    Details, trusted_texts, st.lists(visible, min_size=1, max_size=3).map(tuple), st.booleans()
)
documents: st.SearchStrategy[Document] = st.lists(blocks, max_size=5).map(tuple)


def untrusted(document: Document) -> list[str | tuple[str, ...]]:
    """The untrusted texts in order: a text for each value, a tuple of lines for each code block."""
    texts: list[str | tuple[str, ...]] = []
    for block in document:
        match block:
            case Code(lines):
                texts.append(lines)
            case Paragraph(inline):
                texts += [span.text for span in inline if isinstance(span, Value)]
            case Table(_, rows):
                texts += [cell.text for row in rows for cell in row if isinstance(cell, Value)]
            case Details(_, inside):
                texts += untrusted(inside)
    return texts


def harmless(document: tuple[Any, ...]) -> Any:
    """A document of the same shape with x as its only crash text."""

    def span(given: Span) -> Span:
        return Value("x") if isinstance(given, Value) else given

    def block(given: Visible) -> Visible:
        match given:
            case Code(lines, more):
                return Code(("x",) * len(lines), more)
            case Paragraph(inline):
                return Paragraph(tuple(map(span, inline)))
            case Table(header, rows, more):
                return Table(header, tuple(tuple(map(span, row)) for row in rows), more)
        return given

    return tuple(
        replace(each, blocks=harmless(each.blocks)) if isinstance(each, Details) else block(each) for each in document
    )
