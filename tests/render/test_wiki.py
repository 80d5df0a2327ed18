import re
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.render import wiki
from syncd.render.text import Code, Details, Document, Heading, Link, Paragraph, Strong, Table, Value, flat
from tests.render.strategies import ACCENT, FAMILY, documents, harmless, hostile

PLENTY = 10**6
JIRA = 32_767
LINK = Link("Open", "https://acme.backtrace.io/p/game?x=%28#y")


def outside_and_inside(written: str) -> tuple[list[str], list[str]]:
    """The text between the {noformat} blocks, and the text in them."""
    parts = written.split("{noformat}")
    assert len(parts) % 2 == 1, "a block is open at the end"
    return parts[::2], parts[1::2]


def markup(outside: list[str]) -> str:
    """Every character that Jira could read as markup: ASCII without letters, digits, blanks and character entities."""
    return re.sub(r"&#\d+;|[A-Za-z0-9 \t]|[^\x00-\x7f]", "", "\n".join(outside))


@settings(max_examples=200, deadline=None)
@given(documents)
def test_nothing_from_a_crash_is_markup_outside_its_block_or_can_end_it(document: Document) -> None:
    outside, inside = outside_and_inside(wiki.write(document, PLENTY))
    expected, _ = outside_and_inside(wiki.write(harmless(document), PLENTY))

    assert markup(outside) == markup(expected)
    assert not [block for block in inside if re.search(r"\{\s*(noformat|code)", block, re.IGNORECASE)]


@settings(max_examples=200, deadline=None)
@given(st.lists(hostile))
def test_frames_are_shown_as_they_are(frames: list[str]) -> None:
    _, inside = outside_and_inside(wiki.write((Code(tuple(frames)),), PLENTY))

    expected = "".join(f"{flat(frame)}\n" for frame in frames)
    assert [block.replace("\u200b", "") for block in inside] == ["\n" + expected.replace("\u200b", "")]


@settings(max_examples=200, deadline=None)
@given(hostile)
def test_a_value_among_words_is_entities_that_read_as_it_was(text: str) -> None:
    written = wiki.write((Paragraph(("Seen in ", Value(text))),), PLENTY)

    assert not set(re.sub(r"&#\d+;", "", written)) & set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    assert unescape(written).replace("\u200b", "") == f"Seen in {flat(text)}".replace("\u200b", "")


def test_an_undefused_frame_would_end_its_block() -> None:
    outside, _ = outside_and_inside("{noformat}\n{noformat}[~admin]{noformat}\n{noformat}")

    assert "[~]" in markup(outside)


def test_a_document_reads_well_as_it_is() -> None:
    document = (
        Heading("Call stack"),
        Code(("draw", "{noformat}", "{ Code:java}"), more=2),
        Paragraph(("Seen in ", Value("[~x]"), ". ", LINK)),
        Table(("Count", "When filed"), (("Users", "1,234"), ("Address", LINK), ("", "97%"))),
        Table(("Release", "Share"), ((Value("1.0-beta"), "97%"), (Value("2"), LINK)), more=1),
        Details("All of it", (Paragraph((Strong("about 3,000 more"),)),)),
    )

    assert wiki.write(document, PLENTY) == (
        "h3. Call stack\n\n"
        "{noformat}\ndraw\n{\u200bnoformat}\n{\u200b Code:java}\n{noformat}\n\n… 2 more frames\n\n"
        "Seen in &#91;&#126;x&#93;. [Open|https://acme.backtrace.io/p/game?x=%28#y]\n\n"
        "||Count||When filed||\n|Users|1,234|\n"
        "|Address|[Open|https://acme.backtrace.io/p/game?x=%28#y]|\n| |97%|\n\n"
        "||Release||Share||\n|1&#46;0&#45;beta|97%|\n"
        "|2|[Open|https://acme.backtrace.io/p/game?x=%28#y]|\n\n… 1 more row\n\n"
        "*All of it*\n\n*about 3&#44;000 more*"
    )


def test_a_cell_from_a_crash_can_neither_end_its_row_nor_be_empty() -> None:
    table = Table(("Release", "Share"), ((Value("a|b||c"), "1%"), (Value(" "), "2%")))

    assert wiki.write((table,), PLENTY).splitlines()[1:] == ["|a&#124;b&#124;&#124;c|1%|", "| |2%|"]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([ACCENT, FAMILY, "\U0001f600"]),
    st.integers(1, 3000),
    st.integers(1, 60),
    st.integers(200, JIRA),
)
def test_a_long_document_keeps_its_limit_in_utf_16_and_splits_no_character(
    character: str, long: int, many: int, limit: int
) -> None:
    written = wiki.write((Paragraph((LINK,)), Code((character * long,) * many)), limit)

    assert len(written.encode("utf-16-le")) // 2 <= limit
    assert written.startswith("[Open|https://acme.backtrace.io/p/game?x=%28#y]")
    assert written.replace(character, "").replace("…", "").isascii()
