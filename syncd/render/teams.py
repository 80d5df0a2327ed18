"""A notice as the message that a Workflows webhook of Microsoft Teams takes: an Adaptive Card.

Crash text stands in `TextRun` alone. A TextBlock reads Markdown, a TextRun does not (learn.microsoft.com, "Format cards in Microsoft Teams":
Markdown is read in TextBlock and Fact); and a mention needs an entry in `msteams.entities`, which no card of ours has. A message may have 28 KB.
"""

import json
from typing import Any

from syncd.render.notices import Notice, lines
from syncd.render.text import Code, Document, Heading, Link, Span, Strong, Table, Value, clean, fit

LARGEST = 27_000  # bytes, below the 28 KB of Teams
MOST_ACTIONS = 4
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def write(notice: Notice) -> dict[str, Any]:
    """The message."""
    return fit(notice.document, LARGEST, lambda document: _message(notice, document), _size)


def _size(message: dict[str, Any]) -> int:
    # Escaped as requests sends it.
    return len(json.dumps(message).encode())


def _message(notice: Notice, document: Document) -> dict[str, Any]:
    body: list[dict[str, Any]] = [_rich([_run(notice.label, weight="Bolder", size="Medium")])]
    if notice.headline:
        body.append(_rich([_run(notice.headline)]))
    for block in document:
        monospace = isinstance(block, Code)
        for place, spans in enumerate(lines(block)):
            runs = [_span(span, monospace=monospace) for span in spans if span not in ("", Value(""))]
            dense = place > 0 and isinstance(block, (Code, Table))
            if runs:
                body.append(
                    _rich(runs, spacing="None" if dense else "Medium" if isinstance(block, Heading) else "Small")
                )
    actions = [
        {"type": "Action.OpenUrl", "title": clean(link.label), "url": link.url} for link in notice.links[:MOST_ACTIONS]
    ]
    card: dict[str, Any] = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": clean(notice.label),
        "msteams": {"width": "Full"},
        "body": body,
    }
    if actions:
        card["actions"] = actions
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _rich(runs: list[dict[str, Any]], spacing: str = "Small") -> dict[str, Any]:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": runs}


def _span(span: Span, *, monospace: bool) -> dict[str, Any]:
    match span:
        case Link(label, url):
            return _run(label) | {"selectAction": {"type": "Action.OpenUrl", "url": url}, "color": "Accent"}
        case Strong(text):
            return _run(text, weight="Bolder")
        case Value(text):
            return _run(text) | ({"fontType": "Monospace"} if monospace else {})
        case _:
            return _run(span)


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": clean(text), **style}
