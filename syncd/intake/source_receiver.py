"""The configured sources: a POST to /sources/NAME is checked and read by its source, and answered 200 after the commit of all that is in it.

Unlike Backtrace's, a body is read before it is stored: what is personal must not be, and one body may have several notifications. That
happens on the receiver's reading thread, never in its event loop.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from starlette.types import Scope

from syncd.config import Config
from syncd.config.sources import kinds
from syncd.errors import RejectedDelivery
from syncd.intake.logins import SourceLogin
from syncd.intake.opening import open_sources
from syncd.intake.receiver import Body, Receiver, declares_more, let_go, require_plain, too_large
from syncd.intake.sources.rules import PATH
from syncd.intake.sources.source import OpenSource, Prepared
from syncd.model import Identity
from syncd.platform import metrics
from syncd.platform.admission import browser_trace
from syncd.platform.http_server import ADMISSION, COMPLETE
from syncd.render.text import logged
from syncd.store import Store

log = structlog.get_logger("syncd.receiver")


def takes(path: str) -> bool:
    """True if the path is that of a source, configured or not: it may have a secret, which no log may have."""
    return path.replace("//", "/").startswith(PATH)


class SourceReceiver(Receiver):
    """`POST /sources/NAME`, as an ASGI application."""

    def __init__(self, config: Config, store: Store, arrived: Callable[[Identity], None]) -> None:
        """`arrived` is called for each notification after its commit. Raises ConfigError if a secret cannot be read."""
        super().__init__(config.receiver, store, arrived)
        self._any_host = config.receiver.allow_unauthenticated
        kinds()  # read once, and not while a sender waits
        self._sources = open_sources(config)
        self._source_logins = {name: SourceLogin(name, settings) for name, settings in config.sources.items()}

    async def receive(self, scope: Scope, body: Body) -> Mapping[str, object]:
        """Store what is in the body and return the answer. Raises RejectedDelivery, StoreUnavailable; then nothing is promised."""
        name, secret = _parts(scope["path"])
        source, login = self._sources.get(name), self._source_logins.get(name)
        if source is None or login is None:
            raise RejectedDelivery(
                404, "not_found", "There is no such source; [sources.NAME] makes one at /sources/NAME."
            )
        if scope["method"] != "POST":
            raise RejectedDelivery(405, "method_not_allowed", "Notifications are sent by POST.")
        headers = dict(reversed(scope["headers"]))
        if not login.required and (trace := browser_trace(scope["headers"], any_host=self._any_host)) is not None:
            message = f"The source {name} requires no login, so it takes nothing that may come from a page in a browser (its header {trace}); set "
            raise RejectedDelivery(403, "from_browser", f"{message}secret in [sources.{name}].")
        now = asyncio.get_running_loop().time()
        if not login.opens(headers, secret, now):
            raise _unauthorized(name, login)
        limit = self._settings.max_body_bytes
        if declares_more(headers, limit):
            raise too_large(limit)
        content = await (body.read(limit) if COMPLETE in scope else self.read_in_time(body, limit))
        if not login.signs(headers, content, now, time.time()):
            raise _unauthorized(name, login)
        if (admission := scope.get(ADMISSION)) is not None:
            admission.grant()
        if not content.strip():
            raise RejectedDelivery(400, "no_body", "The body is empty.")
        received_at = time.time()
        try:
            if b"content-encoding" in headers:
                require_plain(scope["headers"])
            loop = asyncio.get_running_loop()
            prepared = await loop.run_in_executor(self._reader, _prepare, source, content)
            if isinstance(prepared, RejectedDelivery):
                raise prepared
        except RejectedDelivery as error:
            let_go(error)
            prepared = Prepared(rejected=((source.unreadable(content), error),))
        return await self._store(name, prepared, received_at)

    async def _store(self, name: str, prepared: Prepared, received_at: float) -> Mapping[str, object]:
        """Commit what is in a body. A refused part of it is kept in the quarantine, and the rest counts."""
        if prepared.ignored:
            metrics.DELIVERIES.labels("ignored").inc()
            log.info("delivery_ignored", source=name, reason=prepared.ignored)
            return {"status": "ignored", "reason": prepared.ignored}
        kept = [await self._keep_rejected(part, received_at, error, name) for part, error in prepared.rejected]
        if not prepared.parts:
            error = prepared.rejected[0][1]
            if self._settings.accept_unrecognised:
                return {"status": "accepted", "deliveries": kept}
            raise RejectedDelivery(error.status, error.code, error.message, error.field)
        began = time.perf_counter()
        numbers = await self._inbox.accept_all(prepared.parts, received_at, name, prepared.note)
        metrics.ACCEPT_SECONDS.observe(time.perf_counter() - began)
        metrics.DELIVERIES.labels("accepted").inc(len(numbers))
        for number, (_, identity) in zip(numbers, prepared.parts, strict=True):
            log.info("delivery_accepted", source=name, delivery=number, fingerprint=logged(identity.fingerprint))
            self._arrived(identity)
        accepted: dict[str, object] = {"status": "accepted", "deliveries": [str(number) for number in numbers]}
        return accepted | ({"quarantined": kept} if kept else {})

    def _tried_login(self, scope: Scope) -> bool:  # noqa: ARG002 - a header of any name, or a path, may be a login
        return True

    def _challenge(self, scope: Scope) -> bytes:
        return self._source_logins[_parts(scope["path"])[0]].challenge


def _parts(path: str) -> tuple[str, str]:
    """The name of a source in a path, and what is behind it, which may be its secret."""
    name, _, secret = path.replace("//", "/").removeprefix(PATH).partition("/")
    return name, secret.removesuffix("/")


def _unauthorized(name: str, login: SourceLogin) -> RejectedDelivery:
    return RejectedDelivery(
        401, "unauthorized", f"{login.expected[0].upper()}{login.expected[1:]}; see [sources.{name}]."
    )


def _prepare(source: OpenSource, body: bytes) -> Prepared | RejectedDelivery:
    """source.prepare(), for another thread. A refusal is returned without the frames that hold what was read."""
    try:
        return source.prepare(body)
    except RejectedDelivery as error:
        let_go(error)
        return error
