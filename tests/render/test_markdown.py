import re
from html.parser import HTMLParser

import cmarkgfm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.render import markdown
from syncd.render.text import Code, Document, Heading, Link, Paragraph, Table, Value, flat
from tests.render.strategies import ACCENT, FAMILY, documents, harmless, hostile, untrusted

PLENTY = 10**6
GITHUB = 65_536
LINK = Link("Open", "https://acme.backtrace.io/p/game?x=%28#y")


class Page(HTMLParser):
    """The elements of a page in order, and the text of its code elements."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.codes: list[str] = []
        self._in_code = False
        self.feed(cmarkgfm.github_flavored_markdown_to_html(source))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(f"<{tag} {attrs}>")
        if tag == "code":
            self._in_code = True
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        self.elements.append(f"</{tag}>")
        self._in_code = self._in_code and tag != "code"

    def handle_comment(self, data: str) -> None:
        self.elements.append(f"<!--{data}-->")

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.codes[-1] += data


def visible(crashed: str | tuple[str, ...]) -> str:
    """Crash text as it must appear, without the zero-width spaces that defuse it."""
    text = flat(crashed) or " " if isinstance(crashed, str) else "".join(f"{flat(line)}\n" for line in crashed)
    return text.replace("\u200b", "")


@settings(max_examples=200, deadline=None)
@given(documents)
def test_nothing_from_a_crash_leaves_its_code_block_span_or_cell(document: Document) -> None:
    page = Page(markdown.write(document, PLENTY))

    assert page.elements == Page(markdown.write(harmless(document), PLENTY)).elements
    assert [code.replace("\u200b", "") or " " for code in page.codes] == [
        visible(text) or " " for text in untrusted(document)
    ]


@settings(max_examples=100, deadline=None)
@given(documents)
def test_code_holds_no_mention_and_no_comment_that_could_pass_for_a_marker(document: Document) -> None:
    written = markdown.write(document, PLENTY, tail="<!-- syncd:ours -->")

    assert not re.search("@[A-Za-z0-9]", written)
    assert written.count("<!--") == 1
    assert written.splitlines()[-2:] == ["", "<!-- syncd:ours -->"]


def test_a_fence_of_three_backticks_would_let_a_crash_out() -> None:
    frame = "```\n@octocat <b>#1</b>\n```"

    naive = Page(f"```text\n{frame}\n```")

    assert naive.codes != [f"{frame}\n"]
    assert naive.elements != Page("```text\nx\n```").elements


def test_a_plain_cell_would_let_a_crash_out() -> None:
    naive = Page("| Release |\n| --- |\n| `1|2` |")

    assert naive.codes != ["1|2"]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("main", "`main`"),
        ("", "` `"),
        ("   ", "`   `"),
        (" both ", "`  both  `"),
        (" left", "` left`"),
        ("`tick`", "`` `tick` ``"),
        ("a``b", "```a``b```"),
        ("a@b @ c", "`a@\u200bb @ c`"),
    ],
)
def test_a_literal_has_enough_backticks_and_blanks(text: str, span: str) -> None:
    assert markdown.literal(text) == span


def test_a_document_reads_well_as_it_is() -> None:
    document = (
        Heading("Call stack"),
        Code(("draw", "``` @me"), more=1),
        Paragraph(("Seen in ", Value("a|b"), ". ", LINK)),
        Table(("Release", "Share"), ((Value("1|2"), "97%"),), more=1200),
    )

    assert markdown.write(document, PLENTY, tail="<!-- m -->") == (
        "### Call stack\n\n"
        "````text\ndraw\n``` @\u200bme\n````\n\n… 1 more frame\n\n"
        "Seen in `a|b`. [Open](https://acme.backtrace.io/p/game?x=%28#y)\n\n"
        "| Release | Share |\n| --- | --- |\n| `1\\|2` | 97% |\n\n… 1,200 more rows\n\n"
        "<!-- m -->"
    )


@settings(max_examples=50, deadline=None)
@given(hostile, st.integers(1, 400), st.integers(1, 60), st.integers(400, 4000))
def test_a_long_document_keeps_its_limit_its_links_and_its_last_line(
    text: str, long: int, many: int, limit: int
) -> None:
    document = (
        Paragraph((LINK, Value(text * long))),
        Code((text * long,) * many),
        Table(("Release",), ((Value(text * long),), (LINK,)) * 3),
    )

    written = markdown.write(document, limit, tail="<!-- m -->")

    assert len(written) <= limit
    assert written.count("[Open](https://acme.backtrace.io/p/game?x=%28#y)") == 4
    assert written.endswith("\n\n<!-- m -->")
    assert Page(written).elements.count("<pre [('lang', 'text')]>") == 1


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([ACCENT, FAMILY]), st.integers(1, 500), st.integers(100, 2000))
def test_shortening_splits_no_character(character: str, long: int, limit: int) -> None:
    written = markdown.write((Code((character * long, "x")),), limit)

    assert len(written) <= limit
    assert set(written.replace(character, "")) <= set("`text \n…12moreframs")


def test_lines_are_shortened_before_any_is_left_out() -> None:
    written = markdown.write((Code(("x" * 5000,) * 60),), GITHUB)

    assert GITHUB - 60 <= len(written) <= GITHUB
    assert written.count("…\n") == 60
    assert "more" not in written


def test_as_many_short_lines_stay_as_fit() -> None:
    written = markdown.write((Code(("x" * 99,) * 2000),), GITHUB)

    kept = written.count("x" * 99)
    assert f"… {2000 - kept:,} more frames" in written
    assert GITHUB - 100 < len(written) <= GITHUB


def test_a_document_that_just_fits_is_whole() -> None:
    document = (Code(("x" * 1000,) * 3),)
    whole = markdown.write(document, PLENTY)

    assert markdown.write(document, len(whole)) == whole
    assert markdown.write(document, len(whole) - 1) != whole


def test_no_room_for_our_own_words_is_an_error() -> None:
    with pytest.raises(ValueError, match="too few"):
        markdown.write((Heading("What crashed"),), 10)
