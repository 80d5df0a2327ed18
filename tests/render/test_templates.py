"""Templates of a route: their own texts, crash text that stays text, and failures with their reasons."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncd.cli.story import HOSTILE
from syncd.model import Release
from syncd.render import adf, markdown, wiki
from syncd.render.parts import ReportExtras, parts
from syncd.render.templates import TemplateFailed, TemplateInvalid, Templates, facts
from syncd.render.text import Code, Document, Heading, Panel, Paragraph, Value
from tests.factories import make_group

GROUP = make_group(
    application="game",
    callstack=("draw", "main"),
    classifiers=("oom", "startup"),
    occurrences=1234,
    users=12,
    releases=(Release(release="1.0", occurrences=1000), Release(release="2.0", occurrences=234)),
    attributes=(("os", ("Linux", "Windows")),),
)
BODY = """\
## What happened
{{ application }} crashed {{ occurrences }} times
for {{ users }} users in {{ attributes.os }}.

> Ask the {{ classifiers[0] }} team.

{{ blocks.callstack }}

{% for entry in releases %}{{ loop.index }}: {{ entry.release }} ({{ entry.occurrences }}){% if not loop.last %}, {% endif %}{% endfor %}
"""


def body(source: str, **group: Any) -> Document:
    crashed = replace(GROUP, **group)
    extras = ReportExtras()
    return Templates({"body": source}).document("body", facts(crashed, extras), parts(crashed, extras))


def test_a_template_says_it_in_a_teams_own_words() -> None:
    document = body(BODY)

    assert document == (
        Heading("What happened"),
        Paragraph(
            (
                Value("game"),
                " crashed ",
                Value("1234"),
                " times for ",
                Value("12"),
                " users in ",
                Value("Linux, Windows"),
                ".",
            )
        ),
        Panel(("Ask the ", Value("oom"), " team.")),
        Code(("→ draw", "  main")),
        Paragraph(
            (
                Value("1"),
                ": ",
                Value("2.0"),
                " (",
                Value("234"),
                "), ",
                Value("2"),
                ": ",
                Value("1.0"),
                " (",
                Value("1000"),
                ")",
            )
        ),
    )
    for written in (markdown.write(document, 60_000), wiki.write(document, 30_000), str(adf.write(document, 30_000))):
        assert "Linux, Windows" in written or "Linux&#44;" in written


def test_a_title_is_one_line() -> None:
    templates = Templates({"title": "{{ top_frame }} in {{ application }}\n"})

    assert templates.title(facts(GROUP, ReportExtras())) == "draw in game"
    assert "title" in templates
    assert "body" not in templates


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ application.upper() }}", "unsafe"),
        ("{{ ''.__class__.__mro__ }}", "__class__"),
        ("{{ attributes.__class__ }}", "__class__"),
        ("{{ '{0.__class__}'.format(application) }}", "'__class__' of 'str' object is unsafe"),
        ("{{ '%1000000000d' % 1 }}", "only for numbers"),
        ("{{ 9 ** 9 ** 9 }}", "only for numbers"),
        ("{{ 'a' * 1000000000 }}", "only for numbers"),
        ("{{ cycler.__init__ }}", "'__init__' of 'StrictUndefined' object is unsafe"),
        ("{{ range(10) }}", "'range' is undefined"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ blocks.nothing }}", "nothing"),
        ("", "prints nothing"),
        ("{# only a comment #}", "prints nothing"),
        ("{% for a in frames %}{% for b in frames %}{% for c in frames %}x{% endfor %}{% endfor %}{% endfor %}", "loops run more than"),
        ("{{ application }}" * 50, "prints more than"),
    ],
)  # fmt: skip
def test_a_template_that_fails_says_why(source: str, fault: str) -> None:
    with pytest.raises(TemplateFailed) as failure:
        body(source, callstack=("f",) * 1000, application="x" * 4096)

    assert str(failure.value).startswith("body.j2 failed, and the default text is used instead: ")
    assert fault in str(failure.value)


@pytest.mark.parametrize(
    "source",
    [
        "{% for %}",
        "{{",
        "{% include 'x' %}{%",
        "{{ a | attr('b') }}",
        "{{ a|nothing }}",
        "{{ frames|batch(1000000000, 1) }}",
    ],
)
def test_a_template_that_cannot_be_read_says_where(source: str) -> None:
    with pytest.raises(TemplateInvalid, match=r"body\.j2, line 1: "):
        Templates({"body": source})


def trusted(document: Document) -> list[Any]:
    """The trusted parts of a document."""
    trusted_parts: list[Any] = []
    for block in document:
        match block:
            case Paragraph(spans) | Panel(spans):
                trusted_parts.append([span for span in spans if not isinstance(span, Value)])
            case Heading(text):
                trusted_parts.append(text)
            case _:
                trusted_parts.append(type(block).__name__)
    return trusted_parts


PLAIN = "## A {{ application }} heading\n{{ application }} and {{ classifiers[0]|upper }}{{ frames|join(' / ') }}\n\n> {{ attributes.os }}\n"


def hostile(text: str) -> Document:
    return body(PLAIN, application=text, classifiers=(text,), callstack=(text, text), attributes=(("os", (text,)),))


@pytest.mark.parametrize("text", HOSTILE)
def test_crash_text_never_becomes_trusted_text(text: str) -> None:
    assert trusted(hostile(text)) == trusted(hostile("x"))


signs = st.sampled_from(
    ["\ue000", "\ue001", "\ue002", "{{", "}}", "{%", "\n", "\r\n", "## ", "> ", "|", "`", "\u2028", "x"]
)


@given(st.lists(signs | st.text(max_size=5), min_size=1, max_size=12).map("".join))
def test_no_signs_in_crash_text_change_the_result_of_a_template(text: str) -> None:
    assert trusted(hostile(text or "x")) == trusted(hostile("x"))
