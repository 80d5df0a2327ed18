import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.render import adf
from syncd.render.text import Code, Document, Heading, Link, Paragraph, Table, Value, flat
from tests.fakes import specs
from tests.fakes.adf import problem
from tests.render.strategies import ACCENT, FAMILY, documents, hostile, untrusted

PLENTY = 10**7
JIRA = 32_767
LINK = Link("Open", "https://acme.backtrace.io/p/game?x=%28#y")


def text_nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node["type"] == "text":
        yield node
    for child in node.get("content", []):
        yield from text_nodes(child)


def crashed(document: Document) -> list[str]:
    """The crash text as it must appear; an empty text does not."""
    texts = [flat(text) if isinstance(text, str) else "\n".join(map(flat, text)) for text in untrusted(document)]
    return [text.replace("\u200b", "") for text in texts if text]


schema_at_hand = pytest.mark.skipif(bool(specs.missing("adf")), reason=specs.missing("adf"))


@schema_at_hand
@settings(max_examples=100, deadline=None)
@given(documents)
def test_any_document_is_one_that_atlassian_describes(document: Document) -> None:
    assert problem(adf.write(document, PLENTY)) is None


@schema_at_hand
def test_the_schema_refuses_what_jira_refuses() -> None:
    empty = {
        "version": 1,
        "type": "doc",
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": ""}]}],
    }

    assert problem(empty)
    assert problem({"type": "doc", "content": []})


@settings(max_examples=100, deadline=None)
@given(documents)
def test_text_of_a_crash_is_text_as_it_was_and_is_nothing_else(document: Document) -> None:
    written = adf.write(document, PLENTY)

    code = [node["text"] for node in text_nodes(written) if node.get("marks") == [{"type": "code"}]]
    blocks = [block for block in _unfolded(_list(written)) if block["type"] == "codeBlock"]
    verbatim = [node["text"] for block in blocks for node in text_nodes(block)]
    assert sorted(text.replace("\u200b", "") for text in code + verbatim) == sorted(crashed(document))
    for node in text_nodes(written):
        for mark in node.get("marks", []):
            assert mark["type"] in ("code", "strong") or mark["attrs"]["href"].startswith("https://")


def _unfolded(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for block in blocks for each in (block["content"] if block["type"] == "expand" else [block])]


def _list(document: dict[str, Any]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = document["content"]
    return content


def test_a_document_is_blocks_of_literal_text() -> None:
    document = (
        Heading("Call stack"),
        Code(("draw", "main"), more=2),
        Paragraph(("Seen in ", Value("*x*"), Value(""), LINK)),
        Table(("Release",), ((Value("1"),), (Value(""),))),
    )

    def paragraph(*content: dict[str, Any]) -> dict[str, Any]:
        return {"type": "paragraph", "content": list(content)}

    def row(kind: str, *content: dict[str, Any]) -> dict[str, Any]:
        return {"type": "tableRow", "content": [{"type": kind, "content": [paragraph(*content)]}]}

    code = [{"type": "code"}]
    link = [{"type": "link", "attrs": {"href": LINK.url}}]
    assert adf.write(document, PLENTY) == {
        "version": 1,
        "type": "doc",
        "content": [
            {"type": "heading", "attrs": {"level": 3}, "content": [{"type": "text", "text": "Call stack"}]},
            {
                "type": "codeBlock",
                "attrs": {"language": "text"},
                "content": [{"type": "text", "text": "draw\nmain"}],
            },
            paragraph({"type": "text", "text": "… 2 more frames"}),
            paragraph(
                {"type": "text", "text": "Seen in "},
                {"type": "text", "text": "*x*", "marks": code},
                {"type": "text", "text": "Open", "marks": link},
            ),
            {
                "type": "table",
                "content": [
                    row("tableHeader", {"type": "text", "text": "Release"}),
                    row("tableCell", {"type": "text", "text": "1", "marks": code}),
                    row("tableCell"),
                ],
            },
        ],
    }


def test_an_address_that_is_not_https_is_only_words() -> None:
    written = adf.write((Paragraph((Link("Open", "javascript:alert(1)"),)),), PLENTY)

    assert list(text_nodes(written)) == [{"type": "text", "text": "Open"}]


@settings(max_examples=50, deadline=None)
@given(
    hostile | st.sampled_from([ACCENT, FAMILY]),
    st.integers(1, 3000),
    st.integers(1, 60),
    st.integers(1500, JIRA),
)
def test_a_long_document_keeps_its_limit_as_json_and_its_links(text: str, long: int, many: int, limit: int) -> None:
    document = (
        Paragraph((LINK, Value(text * long))),
        Code((text * long,) * many),
        Table(("Release", "Link"), ((Value(text * long), LINK),)),
    )

    written = adf.write(document, limit)

    assert len(json.dumps(written, separators=(",", ":"))) <= limit
    assert sum(node["text"] == "Open" for node in text_nodes(written)) == 2


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([ACCENT, FAMILY]), st.integers(1, 5000))
def test_shortening_splits_no_character(character: str, long: int) -> None:
    (node,) = text_nodes(adf.write((Code((character * long,)),), 3000))

    assert set(node["text"].replace(character, "")) <= {"…"}
