"""Notices in each markup: whatever a crash is called, it mentions nobody, formats nothing and adds no header."""

import json
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config import MailSettings
from syncd.notices.channels import Message
from syncd.notices.mail import WIRE, mail
from syncd.render import notices, plain, slack, teams
from syncd.render.notices import Notice, issue_of
from syncd.render.text import Document, Heading, Link, Table, Value, clean
from tests.fakes.channel_schemas import TEAMS_BYTES, check_slack, check_teams
from tests.render.strategies import documents, harmless, hostile

MENTIONS = [
    "<!channel>", "<!here>", "<!everyone>", "<@U123>", "<#C1|general>", "<!subteam^S1>", "@here", "@channel", "@everyone",
    "<at>Ada</at>", "<at id=\"0\">Ada</at>", "*bold*", "_italic_", "~gone~", "`code`", "**bold**", "[a](https://evil.example)",
    "<https://evil.example|GAME-1>", "https://evil.example/", "&lt;!channel&gt;", "&amp;lt;!channel>", ":tada:",
    "\r\nBcc: everybody@evil.example", "\nSubject: other", "\x85Bcc: a@b.example", "\u2028To: x@y.example", "=?utf-8?q?=0D=0ABcc:_a@b?=",
    "\u202egnp.exe", "\u2066x\u2069", "\x1b[31m", "\x00", "\ud800",
]  # fmt: skip
LINK = Link("GAME-1", "https://tracker.example/GAME-1")
texts = st.lists(st.sampled_from(MENTIONS) | hostile, max_size=5).map("".join)
SETTINGS = MailSettings(
    kind="mail", host="mail.example.com", sender="syncd@example.com", to=["a@example.com", "b@example.com"]
)
made = st.builds(
    lambda headline, document: Notice(
        event="filed", label="New", headline=headline, document=document, links=[LINK], thread="group-1"
    ),
    texts,
    documents | texts.map(lambda text: (Table(("Crash",), ((Value(text),),)),)),
)


def every(value: Any, key: str) -> Iterator[str]:
    """All values of a key, wherever it is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key and isinstance(inner, str):
                yield inner
            yield from every(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner, key)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def calm(notice: Notice) -> Notice:
    """The same notice about a crash called x."""
    return Notice(
        event=notice.event, label=notice.label, headline="x", document=harmless(notice.document), links=notice.links
    )


@given(made)
def test_slack_takes_every_notice_and_reads_no_mention_and_no_link_in_its_texts(notice: Notice) -> None:
    payload = slack.write(notice)

    check_slack(payload)
    # Only these three characters begin or end what Slack reads in `text`, and its mrkdwn is off.
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", payload["text"])
    assert sorted(set(every(payload, "url"))) == sorted(set(every(slack.write(calm(notice)), "url")))
    assert all(clean(text) == text for text in strings(payload))


@given(made)
def test_teams_takes_every_notice_and_no_text_becomes_markdown_or_a_mention(notice: Notice) -> None:
    message = teams.write(notice)

    check_teams(message)  # texts stand in TextRun alone, and nothing has `entities`
    assert len(json.dumps(message).encode()) <= TEAMS_BYTES
    assert sorted(set(every(message, "url"))) == sorted(set(every(teams.write(calm(notice)), "url")))
    assert all(clean(text) == text for text in strings(message))


@given(made)
def test_a_mail_has_the_headers_of_its_configuration_whatever_the_crash_is_called(notice: Notice) -> None:
    message = Message(notice=notice, identifier="k.7.1", at=1_790_000_000.0)
    wire = mail(SETTINGS, message).as_bytes(policy=WIRE)

    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1
    parsed = message_from_bytes(wire, policy=policy.default)
    assert [name for name, _ in parsed.items()] == [
        "From", "To", "Subject", "Date", "Message-ID", "References", "Auto-Submitted", "X-Mailer", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert parsed["To"] == "a@example.com, b@example.com"
    assert parsed.get_content_type() == "text/plain"
    content = parsed.get_content().replace("\r\n", "\n")
    assert clean(content) == content
    assert "\n" not in plain.subject(notice)


@pytest.mark.parametrize("text", MENTIONS)
def test_a_mention_is_shown_as_it_was_written(text: str) -> None:
    """Nothing is hidden from the reader either: the crash is found under its name."""
    notice = notices.Notice(event="filed", label="New", headline=text, document=(Table(("Crash",), ((Value(text),),)),))
    expected = clean(text).replace("\n", " ")

    slack_texts = [element for element in every(slack.write(notice)["blocks"], "text")]
    assert any(expected in each for each in slack_texts)
    assert any(expected in each for each in every(teams.write(notice), "text"))
    assert clean(text).split()[0] in plain.write(notice)


def test_a_digest_of_the_longest_names_fits_everywhere() -> None:
    rows = tuple((Value("\U0001f468\u200d\U0001f469" * 400), LINK, Value("é" * 500)) for _ in range(5))
    document: Document = tuple(
        block for _ in range(6) for block in (Heading("New (5)"), Table(("Crash", "Issue", ""), rows, 90))
    )
    notice = Notice(event="digest", label="Monday", headline="x" * 5000, document=document, links=[LINK] * 3)

    check_slack(slack.write(notice))
    message = teams.write(notice)
    check_teams(message)
    assert len(json.dumps(message).encode()) <= TEAMS_BYTES
    assert plain.write(notice).count(LINK.url) >= 1
    assert len(plain.subject(notice)) <= plain.LONGEST_SUBJECT


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://github.com/acme/game/issues/1", True),
        ("http://jira.internal:8080/browse/GAME-1", True),
        ("file:///var/lib/syncd/issues/a.md", False),
        ("javascript:alert(1)", False),
        ("https://tracker.example/a b", False),
        ("https://tracker.example/|x>", False),
        ("https://user:secret@tracker.example/", False),
        ("", False),
    ],
)
def test_only_an_address_that_a_browser_opens_becomes_a_link(url: str, linked: bool) -> None:
    assert isinstance(issue_of({"key": "GAME-1", "url": url}), Link) == linked
