"""HTTP in: a POST is checked, committed to disk, and only then answered 200. Nothing else happens while the sender waits."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog
from starlette.types import Message, Receive, Scope, Send

from syncd.config import Logins
from syncd.config import Receiver as Settings
from syncd.errors import RejectedDelivery, StoreUnavailable
from syncd.intake.opening import shapes
from syncd.intake.sources import backtrace, document
from syncd.intake.sources.source import foreign
from syncd.model import Identity
from syncd.platform import metrics
from syncd.platform.admission import FailedLogins, ThrottledLog, browser_trace
from syncd.platform.http_server import ADMISSION, COMPLETE
from syncd.platform.log import write_batch
from syncd.render.text import logged
from syncd.store import Store
from syncd.store.quarantine import Bound

log = structlog.get_logger("syncd.receiver")

Headers = list[tuple[bytes, bytes]]
HeaderMap = Mapping[bytes, bytes]  # the first of several headers with the same name

_ACCEPTED = metrics.DELIVERIES.labels("accepted")  # looked up once, not with every delivery

PATH = "/webhooks/backtrace"
RETRY_AFTER_SECONDS = 10
DRAIN_BYTES = 8 * 2**20
DRAIN_SECONDS = 5.0
BODIES_BYTES = 32 * 2**20  # of bodies that are in memory at the same time, since they did not arrive with their header
LENGTHY_BYTES = 32 * 1024  # a larger body is read by a thread of its own: the worst takes a third of a second
WITHOUT_LOGIN = (401, 403, 404, 405)  # refusals that anybody can cause a thousand times a second
FREE_FAILURES = 10  # failed logins of a peer that are answered without a wait


def takes(path: str) -> bool:
    """True if notifications are accepted at this path: PATH, also with a slash behind it or with double slashes, as people paste it."""
    return path == PATH or path.replace("//", "/").removesuffix("/") == PATH


class Door:
    """What takes POSTs and answers them, as an ASGI application: `noun` is what one of them brings."""

    noun = "notification"

    def __init__(self, settings: Settings, memory: int) -> None:
        """Bodies that do not arrive with their header share about `memory` bytes."""
        self._settings = settings
        self._failed_logins = FailedLogins(FREE_FAILURES)
        self._throttled = ThrottledLog(log)
        self._large = asyncio.Semaphore(max(4, memory // settings.max_body_bytes))

    async def receive(self, scope: Scope, body: "Body") -> Mapping[str, object]:
        """Take one POST, and return the content of the answer. Raises RejectedDelivery, StoreUnavailable; then nothing is promised."""
        raise NotImplementedError

    def count(self, scope: Scope, code: str) -> None:  # noqa: ARG002 - a hook has a name in its path
        """Count a refusal."""
        metrics.DELIVERIES.labels(code).inc()

    def facts(self, scope: Scope) -> Mapping[str, str]:  # noqa: ARG002 - the same for every path
        """Return what the log says about where a request was sent."""
        return {}

    def _tried_login(self, scope: Scope) -> bool:
        """True if a refused request had a login: each of them costs its peer a wait."""
        return any(name == b"authorization" for name, _ in scope["headers"])

    def _challenge(self, scope: Scope) -> bytes:  # noqa: ARG002 - each source has its own
        return b'Basic realm="syncd"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. No body outlives its answer."""
        body = Body(receive)
        try:
            # A body that arrived with its header is small, and has the shortest way.
            content = await (self.receive if COMPLETE in scope else self._receive_in_pieces)(scope, body)
        except RejectedDelivery as error:
            peer = str((scope.get("client") or ("unknown",))[0])
            facts = {"field": error.field, "status": error.status, "peer": peer, **self.facts(scope)}
            if error.status in WITHOUT_LOGIN:
                self._throttled.warning("delivery_refused", error.code, code=error.code, **facts)
            else:
                log.warning("delivery_refused", code=error.code, **facts)
            let_go(error)
            if error.status == 401 and self._tried_login(scope):
                await scope[ADMISSION].delay(self._failed_logins.wait(peer, asyncio.get_running_loop().time()))
            await self._refuse(scope, send, error, body)
        except StoreUnavailable as error:
            log.error("delivery_not_stored", code="store_unavailable", reason=str(error), **self.facts(scope))
            let_go(error)
            refusal = RejectedDelivery(503, "store_unavailable", f"The {self.noun} could not be stored; send it again.")
            await self._refuse(scope, send, refusal, body)
        except Exception as error:  # the event loop's boundary: the sender must learn that it has to send again
            log.exception("unexpected_error", code="failed", failure=type(error).__name__)
            let_go(error)
            refusal = RejectedDelivery(503, "failed", f"The {self.noun} was not stored; send it again.")
            await self._refuse(scope, send, refusal, body)
        else:
            await _answer(send, 200, content)

    async def _receive_in_pieces(self, scope: Scope, body: "Body") -> Mapping[str, object]:
        """receive(), for a body that does not arrive with its header: such bodies share the memory of the door."""
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                await self._large.acquire()
        except TimeoutError:
            raise RejectedDelivery(
                503, "busy", "Too many large bodies arrive at the same time; send it again."
            ) from None
        try:
            return await self.receive(scope, body)
        finally:
            self._large.release()

    async def read_in_time(self, body: "Body", limit: int) -> bytes:
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                return await body.read(limit)
        except TimeoutError:
            raise RejectedDelivery(
                408,
                "body_too_slow",
                f"The body did not arrive within {self._settings.body_seconds:g} seconds.",
            ) from None

    async def _refuse(self, scope: Scope, send: Send, error: RejectedDelivery, body: "Body") -> None:
        self.count(scope, error.code)
        headers = list(_REFUSAL_HEADERS.get(error.status, ()))
        if error.status == 401 and (challenge := self._challenge(scope)):
            headers.append((b"www-authenticate", challenge))
        sent = dict(reversed(scope["headers"]))
        if (
            error.status in (408, 413)
            or b"transfer-encoding" in sent
            or declares_more(sent, self._settings.max_body_bytes)
        ):
            # The unread body could go on for ever, or for longer than is worth reading.
            headers.append((b"connection", b"close"))
        content = {"code": error.code, "message": error.message} | ({"field": error.field} if error.field else {})
        # Only a sender that has logged in may go on sending after the answer.
        await _answer(send, error.status, {"error": content}, headers, body.drain if error.status == 413 else None)


class Receiver(Door):
    """`POST /webhooks/backtrace`, as an ASGI application."""

    def __init__(self, settings: Settings, store: Store, arrived: Callable[[Identity], None]) -> None:
        """`arrived` is called for each delivery after its commit. Raises ConfigError if a secret cannot be read."""
        super().__init__(settings, BODIES_BYTES)
        self._inbox = store.inbox
        self._quarantine = store.quarantine
        self._arrived = arrived
        passwords = {"receiver.password": settings.password, "receiver.previous_password": settings.previous_password}
        self._logins = Logins(settings.username, passwords)
        self._accepted: list[dict[str, object]] = []
        self._reader = ThreadPoolExecutor(1, "reader")

    async def receive(self, scope: Scope, body: "Body") -> Mapping[str, object]:
        """Store the delivery and return the answer with its number. Raises RejectedDelivery, StoreUnavailable; then nothing is promised."""
        if scope["method"] != "POST":
            raise RejectedDelivery(405, "method_not_allowed", "Notifications are sent by POST.")
        headers = dict(reversed(scope["headers"]))
        self._check_login(scope["headers"], headers)
        if (admission := scope.get(ADMISSION)) is not None:
            admission.grant()
        limit = self._settings.max_body_bytes
        if declares_more(headers, limit):
            raise too_large(limit)
        # A timer and another coroutine would cost a twentieth of the accept rate.
        content = await (body.read(limit) if COMPLETE in scope else self.read_in_time(body, limit))
        if not content.strip():
            raise RejectedDelivery(400, "no_body", "The body is empty.")
        received_at = time.time()
        try:
            if b"content-encoding" in headers:
                require_plain(scope["headers"])
            if len(content) > LENGTHY_BYTES:
                loop = asyncio.get_running_loop()
                result = await loop.run_in_executor(self._reader, _read_large, content)
                if isinstance(result, RejectedDelivery):
                    raise result
                identity, note = result
            else:
                identity, note = backtrace.recognise(content)
        except RejectedDelivery as error:
            let_go(error)  # what was read of the body is many times as large, and the commit may take a while
            content, error = _of_source(content) or (content, error)
            number = await self._keep_rejected(content, received_at, error)
            if not self._settings.accept_unrecognised:
                raise
            return _accepted(number)
        began = time.perf_counter()
        delivery = await self._inbox.accept(content, received_at, identity, note)
        metrics.ACCEPT_SECONDS.observe(time.perf_counter() - began)
        # The log lines of one commit are written together, after all their senders have their answers.
        facts = {} if note is None else {"partly_read": True}  # the note has names from the body: it stays in the store
        self._accepted.append({"delivery": delivery, "fingerprint": logged(identity.fingerprint), **facts})
        if len(self._accepted) == 1:
            # The event loop wakes the waiters of the commit before it runs a callback that is scheduled now.
            asyncio.get_running_loop().call_soon(self._write_accepted)
        self._arrived(identity)
        return _accepted(str(delivery))

    async def _keep_rejected(
        self, content: bytes, received_at: float, error: RejectedDelivery, source: str | None = None
    ) -> str:
        """Put a body into the quarantine, and return its number there. Its sender has logged in: whatever it is, nobody else has it."""
        bound = Bound(self._settings.quarantine_size, self._settings.quarantine_bytes)
        number = await asyncio.wrap_future(self._quarantine.add(content, received_at, error, bound, source))
        facts = {} if source is None else {"source": source}
        log.warning("delivery_quarantined", code=error.code, field=error.field, quarantined=number, **facts)
        return f"quarantine-{number}"

    def _write_accepted(self) -> None:
        accepted, self._accepted = self._accepted, []
        _ACCEPTED.inc(len(accepted))
        write_batch(log, "delivery_accepted", accepted)

    def _check_login(self, sent: Headers, headers: HeaderMap) -> None:
        any_host = self._settings.allow_unauthenticated
        if not self._logins.required and (trace := browser_trace(sent, any_host=any_host)) is not None:
            # Any page that is open in a browser on this machine could file issues.
            message = f"The receiver requires no login, so it takes nothing that may come from a page in a browser (its header {trace}); set "
            raise RejectedDelivery(403, "from_browser", f"{message}username and password in [receiver].")
        if not self._logins.accept(headers.get(b"authorization", b""), time.monotonic()):
            raise RejectedDelivery(401, "unauthorized", "User name and password are not those of [receiver].")


_REFUSAL_HEADERS: dict[int, Headers] = {
    405: [(b"allow", b"POST")],
    503: [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())],
}


def _read_large(body: bytes) -> tuple[Identity, str | None] | RejectedDelivery:
    """recognise_large(), for another thread. A refusal is returned, without the frames that hold what was read: the next body is read before anybody
    looks at it."""
    try:
        return backtrace.recognise_large(body)
    except RejectedDelivery as error:
        let_go(error)
        return error


def _of_source(body: bytes) -> tuple[bytes, RejectedDelivery] | None:
    """A body that another kind of source sends, as it is kept, and its refusal; None if it looks like none, or is so large that a look would hold up others."""
    if len(body) > LENGTHY_BYTES:
        return None
    try:
        return foreign(document.read(body).value, "backtrace", PATH, shapes())
    except RejectedDelivery:
        return None


def require_plain(headers: Headers) -> None:
    """Raise RejectedDelivery 415 if the body is compressed: unpacking it has no bound."""
    encodings = (value for name, value in headers if name == b"content-encoding")
    if any(encoding.strip().lower() not in (b"", b"identity") for encoding in encodings):
        raise RejectedDelivery(415, "encoded_body", "Send the body as it is, without a Content-Encoding.")


def let_go(error: BaseException | None) -> None:
    """Take the frames from an error and from those behind it. Frames hold the body, and where a future or a variable of one of them refers to
    the error, all of them would stay until a rare full collection."""
    while error is not None:
        error.__traceback__ = None
        error = error.__context__


def declares_more(headers: HeaderMap, limit: int) -> bool:
    """True if the header announces a larger body."""
    length = headers.get(b"content-length")
    # The HTTP parser accepts any number of digits, and only digits.
    return length is not None and (len(length) > 18 or int(length) > limit)


class Body:
    """The body of one request; never more of it than a limit is in memory."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True

    async def read(self, limit: int) -> bytes:
        """Return the whole body. Raises RejectedDelivery 413 beyond `limit` bytes, and 400 if the sender disconnects."""
        pieces: list[bytes] = []
        size = 0
        while self._more:
            piece = self._content(await self._receive())
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _content(self, part: Message) -> bytes:
        if part["type"] == "http.disconnect":
            self._more = False
            raise RejectedDelivery(400, "incomplete_body", "The connection closed before the body was whole.")
        self._more = bool(part.get("more_body", False))
        return bytes(part.get("body", b""))

    async def drain(self) -> None:
        """Discard the rest of the body, within bounds: a sender that is still sending when the connection closes sees a reset instead of
        the answer."""
        size = 0
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._more and size < DRAIN_BYTES:
                    size += len(self._content(await self._receive()))
        except (TimeoutError, RejectedDelivery):
            return


def _accepted(delivery: str) -> dict[str, object]:
    return {"status": "accepted", "delivery": delivery}


def too_large(limit: int) -> RejectedDelivery:
    """The refusal of a larger body."""
    return RejectedDelivery(413, "too_large", f"The body is larger than {limit} bytes (receiver.max_body_bytes).")


async def _answer(
    send: Send,
    status: int,
    content: object,
    extra: Iterable[tuple[bytes, bytes]] = (),
    before_closing: Callable[[], Awaitable[None]] | None = None,
) -> None:
    body = msgspec.json.encode(content)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if before_closing is not None:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await before_closing()
        body = b""
    await send({"type": "http.response.body", "body": body})
