"""Each kind of channel against a server that judges what it gets."""

import json
import logging
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from standardwebhooks import Webhook

from syncd.config import AnyChannel, Config, MailSettings, Secret, SlackSettings, TeamsSettings, WebhookSettings
from syncd.core.notices import Event
from syncd.errors import ConfigError, Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.notices import samples
from syncd.notices.channels import Message, open_channel, ready
from syncd.worker.presentation import Presentation
from tests.fakes.channels import SECRET, Chats, mails
from tests.fakes.server import Fault
from tests.fakes.tls import certificate

NOW = 1_790_000_000.0
PATHS = {"slack": "/services/T0/B0/slacksecret", "teams": "/workflows/abc?sig=teamssecret", "webhook": "/hook"}
WEB = sorted(PATHS)


@pytest.fixture
def chats() -> Iterator[Chats]:
    with Chats() as server:
        yield server


def secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> Secret:
    monkeypatch.setenv(name, value)
    return Secret(env=name)


@pytest.fixture
def web(chats: Chats, monkeypatch: pytest.MonkeyPatch) -> dict[str, AnyChannel]:
    """Settings of each kind, for the server."""
    urls = {kind: secret(monkeypatch, f"URL_{kind}", chats.url + path) for kind, path in PATHS.items()}
    return {
        "slack": SlackSettings(kind="slack", url=urls["slack"], timeout=1.0),
        "teams": TeamsSettings(kind="teams", url=urls["teams"], timeout=1.0),
        "webhook": WebhookSettings(
            kind="webhook", url=urls["webhook"], secret=secret(monkeypatch, "KEY", SECRET), timeout=1.0
        ),
    }


def messages() -> list[Message]:
    """A sample of each event."""
    config = Config()
    every = samples.every(Presentation.from_config(config), config, NOW, list(Event))
    return [
        Message(notice=notice, identifier=f"s.{number}.1", at=time.time()) for number, (_, notice) in enumerate(every)
    ]


@pytest.mark.parametrize("kind", WEB)
def test_each_kind_takes_a_sample_of_each_event(kind: str, chats: Chats, web: dict[str, AnyChannel]) -> None:
    channel = open_channel("team", web[kind])

    answers = [channel.send(message) for message in messages()]

    assert len(chats.taken) == len(answers) == 7
    assert set(answers) == {{"slack": "200 ok", "teams": "202", "webhook": "204"}[kind]}


def test_a_webhook_is_signed_for_its_very_body_and_time(chats: Chats, web: dict[str, AnyChannel]) -> None:
    open_channel("hook", web["webhook"]).send(messages()[0])

    (request,) = chats.requests
    assert Webhook(SECRET).verify(request.raw, request.headers) == json.loads(request.raw)
    assert request.body["type"] == "syncd.filed"
    assert request.body["data"]["issue"] == {"key": "SAMPLE-1", "url": "https://example.com/SAMPLE-1"}


MEANINGS: list[tuple[int, type[TrackerError]]] = [
    (301, Misconfigured), (302, Misconfigured), (307, Misconfigured), (308, Misconfigured),
    (401, Misconfigured), (403, Misconfigured), (404, Misconfigured), (410, Misconfigured),
    (400, Refused), (413, Refused), (422, Refused),
    (429, Throttled), (503, Unavailable),
    (408, OutcomeUnknown), (500, OutcomeUnknown), (502, OutcomeUnknown), (504, OutcomeUnknown),
]  # fmt: skip


@pytest.mark.parametrize("kind", WEB)
@pytest.mark.parametrize(("status", "expected"), MEANINGS)
def test_an_answer_says_whether_the_message_arrived(
    kind: str, status: int, expected: type[TrackerError], chats: Chats, web: dict[str, AnyChannel]
) -> None:
    chats.inject(Fault(how="status", status=status, headers={"Location": f"{chats.url}{PATHS[kind]}"}, body=b"no"))

    with pytest.raises(expected) as raised:
        open_channel("team", web[kind]).send(messages()[0])

    assert type(raised.value) is expected
    assert len(chats.requests) == 1, "no redirect is followed, and nothing is sent twice"
    assert "secret" not in raised.value.reason


@pytest.mark.parametrize("how", ["reset_before", "reset_after", "hang_after", "half_after"])
def test_a_connection_that_breaks_leaves_it_unknown(how: Any, chats: Chats, web: dict[str, AnyChannel]) -> None:
    chats.inject(Fault(how=how))

    with pytest.raises(OutcomeUnknown):
        open_channel("team", web["slack"]).send(messages()[0])


def test_a_page_that_answers_in_the_place_of_slack_is_no_success(chats: Chats, web: dict[str, AnyChannel]) -> None:
    chats.inject(Fault(how="status", status=200, body=b"<!DOCTYPE html><title>Log in</title>"))

    with pytest.raises(OutcomeUnknown, match="not Slack's answer"):
        open_channel("team", web["slack"]).send(messages()[0])


def test_a_failure_that_a_connector_passes_on_is_no_success(chats: Chats, web: dict[str, AnyChannel]) -> None:
    text = b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413"
    chats.inject(Fault(how="status", status=200, body=text))

    with pytest.raises(Refused):
        open_channel("team", web["teams"]).send(messages()[0])


def test_slack_may_ask_for_a_pause(chats: Chats, web: dict[str, AnyChannel]) -> None:
    chats.inject(Fault(how="status", status=429, headers={"Retry-After": "30"}))

    with pytest.raises(Throttled) as raised:
        open_channel("team", web["slack"]).send(messages()[0])
    assert raised.value.seconds == 30


def test_no_login_of_the_users_files_is_sent(
    chats: Chats, web: dict[str, AnyChannel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))

    open_channel("team", web["slack"]).send(messages()[0])

    assert "authorization" not in chats.requests[0].headers


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.slack.com/services/T0/B0/slacksecret", "https://"),
        ("https://me:slacksecret@hooks.slack.com/", "before an @"),
        ("hooks.slack.com/slacksecret", "no address"),
        ("https:///slacksecret", "no address"),
        ("https://hooks.slack.com/slacksecret\nHost: x", "no address"),
        ("https://hooks.slack.com/ slacksecret", "no address"),
        ("https://[slacksecret/", "no address"),
        ("file:///etc/slacksecret", "no address"),
    ],
)
def test_an_address_that_is_not_fit_is_refused_and_not_shown(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SlackSettings(kind="slack", url=secret(monkeypatch, "URL", url))

    attempts: list[Callable[[], str]] = [
        lambda: ready("team", settings),
        lambda: open_channel("team", settings).send(messages()[0]),
    ]
    for attempt in attempts:
        with pytest.raises((ConfigError, Misconfigured)) as raised:
            attempt()
        assert "channels.team.url" in str(raised.value)
        assert reason in str(raised.value)
        assert "slacksecret" not in repr(raised.value) + str(raised.value.__cause__) + repr(settings)


@pytest.mark.parametrize("key", ["whsec_", "whsec_dG9vIHNob3J0", "no base64!", "whsec_" + "A" * 200])
def test_a_signing_secret_of_another_form_is_refused(
    key: str, web: dict[str, AnyChannel], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = web["webhook"]
    monkeypatch.setenv("KEY", key)

    with pytest.raises(ConfigError, match=r"channels\.hook\.secret: .*openssl rand"):
        ready("hook", settings)


@pytest.mark.parametrize("kind", WEB)
def test_no_log_and_no_error_has_the_address(
    kind: str, chats: Chats, web: dict[str, AnyChannel], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="syncd")
    for fault in (Fault(how="reset_before"), Fault(how="status", status=404, body=PATHS[kind].encode())):
        chats.inject(fault)
        with pytest.raises(TrackerError) as raised:
            open_channel("team", web[kind]).send(messages()[0])
        assert "secret" not in raised.value.reason + repr(raised.value)
        assert raised.value.__cause__ is None
    assert "secret" not in caplog.text


def mail_settings(port: int, **overrides: Any) -> MailSettings:
    facts: dict[str, Any] = {
        "kind": "mail",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "syncd@example.com",
        "timeout": 2.0,
    }
    return MailSettings(**facts | {"to": ["lead@example.com"]} | overrides)


def test_a_mail_arrives_in_plain_text_once_for_all_addresses() -> None:
    with mails() as server:
        settings = mail_settings(server.port, to=["lead@example.com", "team@example.com"])
        answer = open_channel("mail", settings).send(messages()[0])

    (envelope,) = server.taken
    assert answer == "250 queued as 42"
    assert envelope.rcpt_tos == ["lead@example.com", "team@example.com"]
    assert envelope.mail_from == "syncd@example.com"


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd does not see the TLS around the whole connection
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_is_encrypted_and_logged_in(
    security: Literal["starttls", "tls"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    password = secret(monkeypatch, "PASSWORD", "pässword")
    with mails(context, wrapped=security == "tls", password="pässword".encode()) as server:
        settings = mail_settings(
            server.port, host="localhost", security=security, ca_file=str(cert), username="syncd", password=password
        )
        with pytest.raises(Misconfigured, match="characters"):
            open_channel("mail", settings).send(messages()[0])
        monkeypatch.setenv("PASSWORD", "wrong")
        with pytest.raises(Misconfigured, match=r"refuses the login \(535\); check channels\.mail\.username") as raised:
            open_channel("mail", settings).send(messages()[0])
        assert "wrong" not in raised.value.reason

    with mails(context, wrapped=security == "tls", password=b"right") as server:
        monkeypatch.setenv("PASSWORD", "right")
        settings = settings.model_copy(update={"port": server.port})
        assert open_channel("mail", settings).send(messages()[0]) == "250 queued as 42"
        untrusted = settings.model_copy(update={"ca_file": None})
        with pytest.raises(Unavailable, match="certificate"):
            open_channel("mail", untrusted).send(messages()[0])
    assert len(server.taken) == 1


def test_nothing_is_sent_in_the_clear_where_encryption_is_asked_for() -> None:
    with mails() as server, pytest.raises(Misconfigured, match="offers no STARTTLS"):
        open_channel("mail", mail_settings(server.port, host="localhost", security="starttls")).send(messages()[0])
    assert not server.taken


@pytest.mark.parametrize(
    ("command", "answer", "expected"),
    [
        ("MAIL", "451 later", Unavailable),
        ("MAIL", "550 never", Refused),
        ("RCPT", "450 greylisted", Unavailable),
        ("RCPT", "550 no such user", Refused),
        ("DATA", "452 full", Unavailable),
        ("DATA", "554 spam", Refused),
    ],
)
def test_a_mail_servers_answer_says_whether_the_mail_arrived(
    command: str, answer: str, expected: type[TrackerError]
) -> None:
    with mails() as server:
        server.refuse[command] = answer
        with pytest.raises(expected, match=answer[:3]):
            open_channel("mail", mail_settings(server.port)).send(messages()[0])
    assert not server.taken


def test_an_address_that_is_refused_does_not_keep_the_mail_from_the_others() -> None:
    with mails() as server:
        server.refuse["gone@example.com"] = "550 no such user"
        settings = mail_settings(server.port, to=["gone@example.com", "lead@example.com"])
        answer = open_channel("mail", settings).send(messages()[0])

    assert "not for gone@example.com (550 no such user)" in answer
    assert server.taken[0].rcpt_tos == ["lead@example.com"]


def test_a_mail_server_that_dies_after_the_mail_leaves_it_unknown_and_without_one_nothing_is_sent() -> None:
    with mails() as server:
        server.dies.set()
        with pytest.raises(OutcomeUnknown):
            open_channel("mail", mail_settings(server.port)).send(messages()[0])
    with pytest.raises(Unavailable, match=r"no connection to 127\.0\.0\.1"):
        open_channel("mail", mail_settings(server.port)).send(messages()[0])
