"""Doubles of channels: a server that takes what Slack, Teams and Standard Webhooks take, and a mail server that speaks SMTP."""

import socket
import ssl
import threading
from asyncio import Transport
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from fastjsonschema import JsonSchemaException
from standardwebhooks import Webhook

from tests.fakes.channel_schemas import TEAMS_BYTES, check_slack, check_teams
from tests.fakes.server import Answer, Recorded, Routes, ServerBase

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"


class Chats(ServerBase):
    """Answers as the documentation of each says; `taken` has what it took, by path."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []
        self.identifiers: list[str] = []

    def routes(self) -> Routes:
        return [
            ("POST", "/services/T0/B0/slacksecret", self._slack),
            ("POST", "/workflows/abc", self._teams),
            ("POST", "/hook", self._webhook),
        ]

    def _slack(self, request: Recorded) -> Answer:
        try:
            check_slack(request.body)
        except JsonSchemaException:
            return 400, {"Content-Type": "text/plain"}, b"invalid_blocks"
        self.taken.append(request.body)
        return 200, {"Content-Type": "text/html"}, b"ok"

    def _teams(self, request: Recorded) -> Answer:
        if request.query.get("sig") != ["teamssecret"]:
            return 401, {}, {"error": {"code": "DirectApiAuthorizationRequired"}}
        if len(request.raw) > TEAMS_BYTES:
            return 413, {}, {"error": {"code": "RequestEntityTooLarge"}}
        try:
            check_teams(request.body)
        except JsonSchemaException:
            return 400, {}, {"error": {"code": "TriggerInputSchemaMismatch"}}
        self.taken.append(request.body)
        return 202, {}, None

    def _webhook(self, request: Recorded) -> Answer:
        """A receiver that knows the messages that it took, and believes times of the last five minutes by its own clock."""
        identifier, at = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
        expected = Webhook(SECRET).sign(identifier, datetime.fromtimestamp(at, UTC), request.raw.decode())
        if request.headers["webhook-signature"] != expected:
            return 401, {}, {"error": "No matching signature found"}
        if abs(at - self.now()) > 300:
            return 401, {}, {"error": "Message timestamp too old"}
        if identifier not in self.identifiers:
            self.identifiers.append(identifier)
            self.taken.append(request.body)
        return 204, {}, None


@dataclass
class Mails:
    """A mail server. `refuse` has, by command (MAIL, RCPT, DATA), the answer that it gives instead of taking it."""

    refuse: dict[str, str] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    port: int = 0
    dies: threading.Event = field(default_factory=threading.Event)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        if answer := self.refuse.get("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        if answer := self.refuse.get("RCPT", self.refuse.get(address)):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.dies.is_set():
            self.taken.append(envelope)
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        if answer := self.refuse.get("DATA"):
            return answer
        self.taken.append(envelope)
        return "250 queued as 42"


@contextmanager
def mails(
    tls: ssl.SSLContext | None = None, *, wrapped: bool = False, password: bytes | None = None
) -> Iterator[Mails]:
    """A mail server on loopback: with `tls` it asks for STARTTLS, or for TLS from the beginning if `wrapped`; with a `password` it asks for
    that of the user `syncd`."""
    mail_server = Mails()

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        mail_server.logins.append((data.login, data.password))
        accepted = (data.login, data.password) == (b"syncd", password)
        return AuthResult(success=accepted, handled=accepted)

    controller = Controller(
        mail_server,
        hostname="127.0.0.1",
        port=0,
        tls_context=None if wrapped else tls,
        require_starttls=tls is not None and not wrapped,
        ssl_context=tls if wrapped else None,
        authenticator=authenticate,
        auth_required=password is not None,
        auth_require_tls=tls is not None and not wrapped,
    )
    controller.port = _free_port()
    controller.start()
    mail_server.port = controller.port
    try:
        yield mail_server
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
