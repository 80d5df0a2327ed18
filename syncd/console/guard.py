"""Checks each request to the console: who may see pages, from where changes may come, and what a browser may do with answers."""

import asyncio

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncd.config import ConsoleSettings
from syncd.console.visitor import NOBODY, VISITOR, Refusal, Visitor, Visitors
from syncd.platform.admission import FailedLogins, ThrottledLog
from syncd.platform.http_server import ADMISSION

log = structlog.get_logger("syncd.console")

HEADERS = {
    # Only the console's own style sheet, images and script, and forms that return to it. Nothing else that it serves is a script for a
    # browser, and no script may stand in a page.
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
OPEN = frozenset({"/livez", "/readyz"})  # for monitoring, without login; they contain nothing about crashes


class Guard:
    """An ASGI application in front of the console."""

    def __init__(self, app: ASGIApp, settings: ConsoleSettings) -> None:
        """Raises ConfigError if a password cannot be read."""
        self._app = app
        self._visitors = Visitors(settings)
        self._failed_logins = FailedLogins(0)  # a person's password is easier to guess than a sender's
        self._throttled = ThrottledLog(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        peer = str((scope.get("client") or ("unknown",))[0])
        admitted = self._admit(scope["method"], scope["path"], peer, headers)
        if isinstance(admitted, Visitor):
            if (admission := scope.get(ADMISSION)) is not None and scope["path"] not in OPEN:
                admission.grant()
            try:
                await self._app({**scope, VISITOR: admitted}, receive, send_guarded)
            except Exception as error:  # the request's boundary; Starlette has answered 500, and passes every error on
                log.exception("unexpected_error", path=scope["path"], failure=type(error).__name__)
            return
        self._throttled.warning("console_refused", admitted.status_code, status=admitted.status_code, peer=peer)
        if admitted.status_code == 401 and "authorization" in headers:  # makes guessing passwords slow
            await scope[ADMISSION].delay(self._failed_logins.wait(peer, asyncio.get_running_loop().time()))
        await admitted(scope, receive, send_guarded)

    def _admit(self, method: str, path: str, peer: str, headers: Headers) -> Visitor | PlainTextResponse:
        """Return who sends the request, or the answer that refuses it."""
        if path in OPEN and method in ("GET", "HEAD"):
            return NOBODY
        visitor = self._visitors.recognise(peer, headers, asyncio.get_running_loop().time())
        if isinstance(visitor, Refusal):
            challenge = {"www-authenticate": 'Basic realm="syncd console", charset="UTF-8"'} if visitor.login else None
            return PlainTextResponse(f"{visitor.sentence}\n", 401 if visitor.login else 403, challenge)
        if method not in ("GET", "HEAD"):
            # A browser adds a login by itself, as a password or as a cookie of the proxy: only its own pages may use it.
            if not _is_same_origin(headers):
                return PlainTextResponse("The console accepts changes only from its own pages.\n", 403)
            if not visitor.operates:
                sentence = f"{visitor.actor} may read this console and change nothing.\n"
                return PlainTextResponse(sentence, 403)
        return visitor


def _is_same_origin(headers: Headers) -> bool:
    """True if a browser states that the change comes from one of the console's pages. A client that states nothing is no browser;
    for it there are the commands. Of several values of a header, each must state it."""
    if sites := headers.getlist("sec-fetch-site"):
        return set(sites) == {"same-origin"}
    origins = set(headers.getlist("origin"))
    return bool(origins) and origins <= {f"{scheme}://{headers.get('host')}" for scheme in ("http", "https")}
