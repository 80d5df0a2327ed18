"""Documents in the Atlassian Document Format, where text is a node of its own and nothing in it is markup.

Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

import json
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

Node = dict[str, object]


def write(document: Document, limit: int) -> Node:
    """The document as a `doc` node whose compact ASCII JSON has at most `limit` characters.

    Raises ValueError if `limit` is too small for syncd's own words.
    """
    return fit(
        document,
        limit,
        lambda fitted: {"version": 1, "type": "doc", "content": [node for block in fitted for node in _nodes(block)]},
        lambda doc: len(json.dumps(doc, separators=(",", ":"))),
    )


def _nodes(block: Block) -> list[Node]:
    match block:
        case Heading(text):
            return [{"type": "heading", "attrs": {"level": 3}, "content": _texts((text,))}]
        case Paragraph(spans):
            return [_paragraph(spans)]
        case Panel(spans, kind):
            return [{"type": "panel", "attrs": {"panelType": kind}, "content": [_paragraph(spans)]}]
        case Details(summary, blocks):
            # Jira unfolds it only at the top of a document: https://developer.atlassian.com/platform/framework/adf-builder/reference/nodes/expand/
            nodes = [node for each in blocks for node in _nodes(each)]
            return [{"type": "expand", "attrs": {"title": summary}, "content": nodes}]
        case Code(lines):
            content: Node = {
                "type": "codeBlock",
                "attrs": {"language": "text"},
                "content": _texts(("\n".join(lines),)),
            }
        case Table(header, rows):
            cells = [("tableHeader", header), *(("tableCell", row) for row in rows)]
            content = {
                "type": "table",
                "content": [
                    {"type": "tableRow", "content": [{"type": kind, "content": [_paragraph((cell,))]} for cell in row]}
                    for kind, row in cells
                ],
            }
    return [content, _paragraph((more_rows(block),))] if block.more else [content]


def _paragraph(spans: Iterable[Span]) -> Node:
    return {"type": "paragraph", "content": _texts(spans)}


def _texts(spans: Iterable[Span]) -> list[Node]:
    """One text node for each span that is not empty: Jira refuses a document with an empty text node."""
    nodes: list[Node] = []
    for span in spans:
        match span:
            case Value(text):
                nodes.append({"type": "text", "text": text, "marks": [{"type": "code"}]})
            case Link(label, url) if url.startswith("https://"):
                nodes.append({"type": "text", "text": label, "marks": [{"type": "link", "attrs": {"href": url}}]})
            case Link(label):
                nodes.append({"type": "text", "text": label})
            case Strong(text):
                nodes.append({"type": "text", "text": text, "marks": [{"type": "strong"}]})
            case str():
                nodes.append({"type": "text", "text": span})
    return [node for node in nodes if node["text"]]
