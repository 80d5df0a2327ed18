"""Checks each request to the console: who may see pages, from where changes may come, and what a browser may do with answers."""

import asyncio

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncd.config import ConsoleSettings, Logins
from syncd.platform.admission import FailedLogins, ThrottledLog, is_loopback
from syncd.platform.http_server import ADMISSION

log = structlog.get_logger("syncd.console")

HEADERS = {
    # Only the console's own style sheet and images, and forms that return to it. No script at all.
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
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
        """Raises ConfigError if the password cannot be read."""
        self._app = app
        self._logins = Logins(settings.username, {"console.password": settings.password})
        self._anyone = settings.allow_unauthenticated
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
        refusal = self._refusal(scope["method"], scope["path"], headers)
        if refusal is None:
            if (admission := scope.get(ADMISSION)) is not None and scope["path"] not in OPEN:
                admission.grant()
            try:
                await self._app(scope, receive, send_guarded)
            except Exception as error:  # the request's boundary; Starlette has answered 500, and passes every error on
                log.exception("unexpected_error", path=scope["path"], failure=type(error).__name__)
            return
        peer = str((scope.get("client") or ("unknown",))[0])
        self._throttled.warning("console_refused", refusal.status_code, status=refusal.status_code, peer=peer)
        if refusal.status_code == 401 and "authorization" in headers:  # makes guessing passwords slow
            await scope[ADMISSION].delay(self._failed_logins.wait(peer, asyncio.get_running_loop().time()))
        await refusal(scope, receive, send_guarded)

    def _refusal(self, method: str, path: str, headers: Headers) -> PlainTextResponse | None:
        if path in OPEN and method in ("GET", "HEAD"):
            return None
        loopback = all(is_loopback(host.encode("latin-1")) for host in headers.getlist("host") or [""])
        if not self._logins.required and not self._anyone and not loopback:
            # DNS rebinding: a foreign page could give its own name this machine's address, and read the answers.
            return PlainTextResponse("This console has no password, so it answers only under a loopback name.\n", 403)
        if not self._logins.accept(
            headers.get("authorization", "").encode("latin-1"), asyncio.get_running_loop().time()
        ):
            return PlainTextResponse(
                "Log in with the user name and the password of [console].\n",
                401,
                {"www-authenticate": 'Basic realm="syncd console", charset="UTF-8"'},
            )
        if method not in ("GET", "HEAD") and not _is_same_origin(headers):
            return PlainTextResponse("The console accepts changes only from its own pages.\n", 403)
        return None


def _is_same_origin(headers: Headers) -> bool:
    """True if a browser states that the change comes from one of the console's pages. A client that states nothing is no browser;
    for it there are the commands. Of several values of a header, each must state it."""
    if sites := headers.getlist("sec-fetch-site"):
        return set(sites) == {"same-origin"}
    origins = set(headers.getlist("origin"))
    return bool(origins) and origins <= {f"{scheme}://{headers.get('host')}" for scheme in ("http", "https")}
