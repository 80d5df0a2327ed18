"""A notice as the payload of Slack's incoming webhooks.

Crash text stands in `rich_text` alone, whose text elements Slack shows literally: it reads no mrkdwn, mention or link in them
(docs.slack.dev/reference/block-kit/blocks/rich-text-block). The fallback `text`, which notifications show, is escaped as Slack's page on formatting asks
(docs.slack.dev/messaging/formatting-message-text), and its mrkdwn is off.
"""

from collections.abc import Iterable
from typing import Any

from syncd.render.notices import Notice, lines
from syncd.render.text import Code, Document, Heading, Link, Span, Strong, Table, Value, clean, fit, shorten

MOST_CHARACTERS = 12000  # of all blocks: far below the 40,000 at which Slack cuts a message
LONGEST_TEXT = 3000  # of an element, as of the text of a section


def write(notice: Notice) -> dict[str, Any]:
    """The payload."""
    return fit(notice.document, MOST_CHARACTERS, lambda document: _payload(notice, document), _size)


def _size(payload: dict[str, Any]) -> int:
    return sum(len(element.get("text", "")) + len(element.get("url", "")) for element in _elements(payload["blocks"]))


def _elements(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, list):
        for entry in value:
            yield from _elements(entry)
    elif isinstance(value, dict):
        if "elements" in value:
            yield from _elements(value["elements"])
        else:
            yield value


def _payload(notice: Notice, document: Document) -> dict[str, Any]:
    rich = _Rich()
    rich.line([_text(notice.label, bold=True)])
    if notice.headline:
        rich.line([_text(notice.headline)])
    for block in document:
        spans = list(lines(block))
        match block:
            case Code(rows):
                text = "\n".join(clean(row) for row in rows)
                rich.add({"type": "rich_text_preformatted", "elements": [_text(text or " ")]})
                spans = spans[len(rows) :]
            case Table(_, rows) if rows:
                items = [_section(_spans(line[1:]) or [_text("…")]) for line in spans[: len(rows)]]
                rich.add({"type": "rich_text_list", "style": "bullet", "elements": items})
                spans = spans[len(rows) :]
            case Heading():
                rich.gap()
        for line in spans:
            rich.line(_spans(line))
    present = {span for block in document for line in lines(block) for span in line}
    if further := [link for link in notice.links if link not in present]:
        rich.line(_spans([span for link in further for span in (" · ", link)][1:]))
    return {
        "text": escaped(notice.title),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [{"type": "rich_text", "elements": rich.elements}],
    }


class _Rich:
    """The elements of a `rich_text` block. Lines that follow each other are one section: Slack puts nothing between two sections."""

    def __init__(self) -> None:
        self.elements: list[dict[str, Any]] = []
        self._open: list[dict[str, Any]] | None = None

    def line(self, spans: list[dict[str, Any]]) -> None:
        if not spans:
            return
        if self._open is None:
            self._open = list(spans)
            self.elements.append(_section(self._open))
        else:
            self._open += [_text("\n"), *spans]

    def gap(self) -> None:
        """Leave a line empty."""
        if self._open is not None:
            self._open.append(_text("\n"))

    def add(self, element: dict[str, Any]) -> None:
        self.elements.append(element)
        self._open = None


def escaped(text: str) -> str:
    """The text with the three characters escaped that begin or end what Slack reads as a mention or a link."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": elements}


def _spans(spans: Iterable[Span]) -> list[dict[str, Any]]:
    """The elements of a line; neighbours of one style are one element."""
    joined: list[dict[str, Any]] = []
    for span in spans:
        if span in ("", Value("")):
            continue
        element = _span(span)
        before = joined[-1] if joined else {}
        alike = before.get("type") == element["type"] == "text" and before.get("style") == element.get("style")
        if alike and len(before["text"]) + len(element["text"]) <= LONGEST_TEXT:
            before["text"] += element["text"]
        else:
            joined.append(element)
    return joined


def _span(span: Span) -> dict[str, Any]:
    match span:
        case Link(label, url):
            return {"type": "link", "url": url, "text": shorten(clean(label), LONGEST_TEXT)}
        case Strong(text):
            return _text(text, bold=True)
        case Value(text):
            return _text(text)
        case _:
            return _text(span)


def _text(text: str, *, bold: bool = False) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "text", "text": shorten(clean(text), LONGEST_TEXT)}
    return element | {"style": {"bold": True}} if bold else element
