"""Documents in the Atlassian Document Format, where text is a node of its own and nothing in it is markup.

Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

import json
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

Node = dict[str, object]


def write(document: Document, limit: int) -> Node:
    """The document as a `doc` node whose compact ASCII JSON has at most `limit` characters.

    Raises ValueError if `limit` is too small for syncd's own words.
    """
    return fit(document, limit, _doc, lambda doc: len(json.dumps(doc, separators=(",", ":"))))


def _doc(document: Document) -> Node:
    return {"version": 1, "type": "doc", "content": [node for block in document for node in _nodes(block)]}


def _nodes(block: Block) -> list[Node]:
    match block:
        case Heading(text):
            return [{"type": "heading", "attrs": {"level": 3}, "content": _texts((text,))}]
        case Paragraph(spans):
            return [_paragraph(spans)]
        case Panel(spans, kind):
            return [{"type": "panel", "attrs": {"panelType": kind}, "content": [_paragraph(spans)]}]
        case Code():
            return [_code(block), *_rest(block)]
        case Table():
            return [_table(block), *_rest(block)]


def _code(code: Code) -> Node:
    return {"type": "codeBlock", "attrs": {"language": "text"}, "content": _texts(("\n".join(code.lines),))}


def _table(table: Table) -> Node:
    rows = [_row("tableHeader", table.header), *(_row("tableCell", row) for row in table.rows)]
    return {"type": "table", "content": rows}


def _row(kind: str, cells: Iterable[Span]) -> Node:
    return {
        "type": "tableRow",
        "content": [{"type": kind, "content": [_paragraph((cell,))]} for cell in cells],
    }


def _rest(block: Code | Table) -> list[Node]:
    return [_paragraph((more_rows(block),))] if block.more else []


def _paragraph(spans: Iterable[Span]) -> Node:
    return {"type": "paragraph", "content": _texts(spans)}


def _texts(spans: Iterable[Span]) -> list[Node]:
    """Text nodes; what is empty has none, because Jira refuses a document with an empty one."""
    return [node for span in spans if (node := _text(span))["text"]]


def _text(span: Span) -> Node:
    match span:
        case Value(text):
            return {"type": "text", "text": text, "marks": [{"type": "code"}]}
        case Link(label, url) if url.startswith("https://"):
            return {"type": "text", "text": label, "marks": [{"type": "link", "attrs": {"href": url}}]}
        case Link(label):
            return {"type": "text", "text": label}
        case str():
            return {"type": "text", "text": span}
