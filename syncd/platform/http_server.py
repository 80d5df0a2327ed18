"""uvicorn, guarded: a deadline and a size for request headers, a limit of connections, bounded memory for each of them, and a stop that breaks no
request."""

import asyncio
import errno
import os
import socket
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import httptools
import structlog
import uvicorn
from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from syncd.platform.access import name_of
from syncd.platform.admission import ThrottledLog, network_of

log = structlog.get_logger("syncd.http")

HEADER_BYTES = 32 * 1024
STOP_ACCEPTING_SECONDS = 0.25
AHEAD_BYTES = 32 * 1024  # uvicorn's 64 KB for each of a thousand connections would be a large part of the memory
COMPLETE = "syncd.complete"  # key in the scope of a request whose body arrived before the application began
ADMISSION = "syncd.admission"  # key in the scope of the Admission of a request's connection
STRANGER_SECONDS = 0.1  # a connection has so long to show whose it is, however many come after it
THREADS = 8  # threads in which Starlette runs blocking endpoints; anyio's default of 40 exceeds the unit's TasksMax


class _BufferedTransport:
    """A transport that collects the writes of one turn of the event loop into one system call: uvicorn writes the head and the body
    of an answer separately."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self.is_closing = transport.is_closing  # called several times for each request

    def write(self, data: bytes) -> None:
        """Buffer `data`; flushed once per turn of the event loop."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Flush, then close."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Parser(httptools.HttpRequestParser):
    """A parser that ignores requests to upgrade, as RFC 9110, 7.8 permits. Java's HttpClient asks each plain server for HTTP/2 with its first
    request. httptools takes everything behind such a head for another protocol, also the body: the head is parsed again without it."""

    def __init__(self, protocol: "GuardedProtocol") -> None:
        super().__init__(protocol)
        # As uvicorn's own: it answers the first of several requests in one segment also if that closes the connection.
        self.set_dangerous_leniencies(lenient_data_after_close=True)
        self._protocol = protocol

    @property
    def asks(self) -> bool:
        """True behind a head that asks for an upgrade. CONNECT, which nobody may use here, always does."""
        return self.should_upgrade() and self.get_method() != b"CONNECT"

    def feed_data(self, data: Any) -> None:
        """Parse bytes. Raises HttpParserError."""
        parser, rest = self, data
        while True:
            try:
                return super(_Parser, parser).feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                if not parser.asks:
                    raise
                rest = memoryview(rest)[upgrade.args[0] :]
                head = self._protocol.head_without_upgrade()
                # Behind a head that also closes the connection a parser drops everything.
                parser = self._protocol.parser = _Parser(self._protocol)
                super(_Parser, parser).feed_data(head)


@dataclass(eq=False, slots=True)
class Admission:
    """Whether a request on a connection was admitted, such as by its login. A connection without one is a stranger's."""

    protocol: "GuardedProtocol"
    network: str
    since: float
    strangers: "dict[str, dict[Admission, None]]"  # by network of the peer, the oldest first
    granted: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def deny(self) -> None:
        """Count the connection as a stranger's."""
        self.granted = False
        self.strangers.setdefault(self.network, {})[self] = None

    def grant(self) -> None:
        """Keep the connection however many strangers come."""
        if self.granted:
            return
        self.granted = True
        crowd = self.strangers.get(self.network, {})
        crowd.pop(self, None)
        if not crowd:
            self.strangers.pop(self.network, None)

    async def delay(self, seconds: float) -> None:
        """Wait before an answer, at most until the connection is lost or the server stops. What a stranger has sent of its body is let go, and
        nothing more is read until the answer."""
        if self in self.strangers.get(self.network, ()):
            self.protocol.flow.pause_reading()
            self.protocol.cycle.body = bytearray()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.ended.wait()


class GuardedProtocol(HttpToolsProtocol):
    """Closes a connection whose header is incomplete `header_seconds` after the connection or the header's first byte, or whose body is
    incomplete `header_seconds` after the answer. Refuses a header of more than HEADER_BYTES.

    Without these limits a client without a login could hold all connections. What a connection holds of a body that nobody reads goes with the
    answer.
    """

    header_seconds = 10.0
    parser: _Parser
    strangers: dict[str, dict[Admission, None]]
    make_room: Callable[[], bool]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = True
        self.parser = _Parser(self)
        super().connection_made(cast(asyncio.Transport, _BufferedTransport(transport, self.loop)))
        network = network_of((self.client or ("unknown",))[0])
        self.admission = Admission(self, network, self.loop.time(), self.strangers)
        self.admission.deny()
        self.make_room()
        self._arm()

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser, but at most HEADER_BYTES of a header."""
        # Counted here and not in on_header(): the parser calls that only for a complete header, and would hold an unfinished
        # one of 300 MB until then.
        while self._in_head and data and not self.transport.is_closing():
            room = HEADER_BYTES - self._head_bytes
            if room <= 0:
                self._disarm()
                self.send_400_response("The request header is too large.")
                return
            piece, data = data[:room], data[room:]
            self._head_bytes += len(piece)
            super().data_received(piece)
        if data and not self.transport.is_closing():
            super().data_received(data)
        if self._head_bytes and self._in_head:
            self._arm()  # an empty line begins no message, but ends uvicorn's own keep-alive clock

    def head_without_upgrade(self) -> bytes:
        """Return the head of the current request as it would be without its request to upgrade."""
        start = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        fields = (b"%s: %s\r\n" % field for field in self.headers if field[0] != b"upgrade")
        return b"".join((start, *fields, b"\r\n"))

    def on_headers_complete(self) -> None:
        """Stop the clock."""
        if self.parser.asks:
            return  # the parser reads this head again
        self._disarm()
        self._in_head = False
        if (fault := self._fault_of_head()) is not None:
            # Raised in a callback of the parser, which ends the connection with 400.
            raise ValueError(fault)
        self.scope[ADMISSION] = self.admission  # type: ignore[literal-required]
        super().on_headers_complete()

    def _fault_of_head(self) -> str | None:
        """What makes the head ambiguous, so that a proxy in front of this server may read it otherwise (RFC 9110, 9112); None if nothing does."""
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            return "its version"
        names = [name for name, _ in self.headers]
        hosts = names.count(b"host")
        if hosts > 1 or (not hosts and version == "1.1"):
            return "its Host"
        if names.count(b"authorization") > 1:
            return "two logins"
        if b"transfer-encoding" not in names:
            return None
        codings = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        return "its Transfer-Encoding" if codings != [b"chunked"] or version == "1.0" else None

    def on_body(self, body: bytes) -> None:
        """Read no further ahead than AHEAD_BYTES of a body for which the application does not ask yet."""
        super().on_body(body)
        if len(self.cycle.body) > AHEAD_BYTES and not self.cycle.response_complete:
            self.flow.pause_reading()  # receive() goes on

    def on_message_complete(self) -> None:
        """Begin to count the next header."""
        if self.parser.asks:
            return
        self._disarm()
        # If the whole request arrived in one read, the application has not begun yet.
        self.scope[COMPLETE] = True  # type: ignore[literal-required]
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0

    def on_response_complete(self) -> None:
        """Start the clock for a body that the application leaves unread, and let go of what has arrived of it."""
        if not self.pipeline:  # else the newest request is another one, and its body is still to be read
            self.cycle.body = bytearray()
        super().on_response_complete()
        if not self._in_head and not self.transport.is_closing():
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock, and let go of everything: the next connection must not find this one waiting for the garbage collector."""
        self._disarm()
        super().connection_lost(exc)
        self.admission.grant()
        self.admission.ended.set()
        if self.cycle is not None:
            self.cycle.body = bytearray()
        self.pipeline.clear()


_BUSY = (
    b'{"error":{"code":"busy","message":"There are too many connections (receiver.max_connections); try again later."}}'
)
_BUSY_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BUSY)).encode()),
    (b"retry-after", b"10"),
    (b"connection", b"close"),
]


class Server(uvicorn.Server):
    """A uvicorn server that calls `listens` once it listens, refuses more than `max_connections`, and stops without breaking a request.

    Connections without an admitted request are closed before an admitted one is refused."""

    def __init__(self, app: ASGIApp, header_seconds: float, max_connections: int, listens: Callable[[], None]) -> None:
        self._strangers: dict[str, dict[Admission, None]] = {}
        protocol = {"header_seconds": header_seconds, "strangers": self._strangers, "make_room": self._make_room}
        config = uvicorn.Config(
            app,
            interface="asgi3",
            http=type("Guarded", (GuardedProtocol,), protocol),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=10,
        )
        super().__init__(config)
        self.beat = time.monotonic()  # the event loop's last sign of life
        self._listens = listens
        self._app = app
        self._max_connections = max_connections
        self._log = ThrottledLog(log)
        config.app = self._limited

    def _make_room(self, request: Admission | None = None) -> bool:
        """Close the connections of strangers, the oldest of the network that has the most first, until there are no more than the limit; return
        whether that was possible. They cannot keep out those who log in, whose connection is a stranger's too until its first request, nor a
        sender on a slow link elsewhere.

        A new connection closes none that is younger than STRANGER_SECONDS: many senders may come at once. A `request` closes any but its own."""
        connections, now = self.server_state.connections, asyncio.get_running_loop().time()
        while len(connections) > self._max_connections:
            crowds = (crowd for crowd in self._strangers.values() if len(crowd) > 1 or request not in crowd)
            crowd = max(crowds, key=len, default={})
            oldest = next((stranger for stranger in crowd if stranger is not request), None)
            if oldest is None or (request is None and now - oldest.since < STRANGER_SECONDS):
                break
            oldest.grant()
            connections.discard(oldest.protocol)  # connection_lost comes later
            oldest.protocol.transport.abort()
            peer = (oldest.protocol.client or ("unknown",))[0]
            self._log.warning("connection_closed", "crowded", code="crowded", peer=peer)
        return len(connections) <= self._max_connections

    def _limited(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on, or answer 503 beyond the limit. uvicorn's own limit counts one less and sends no Retry-After."""
        if len(self.server_state.connections) <= self._max_connections or self._make_room(scope[ADMISSION]):
            return self._app(scope, receive, send)
        return self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": _BUSY_HEADERS})
        await send({"type": "http.response.body", "body": _BUSY})

    async def on_tick(self, counter: int) -> bool:
        """Record that the event loop is alive. uvicorn calls it ten times a second."""
        self.beat = time.monotonic()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then call `listens`."""
        await super().startup(sockets)
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        self._listens()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer the requests on the wire, then close idle connections.

        Without the pause uvicorn closes connections whose request has just arrived.
        """
        for server in self.servers:
            server.close()
        await asyncio.sleep(STOP_ACCEPTING_SECONDS)
        for protocol in self.server_state.connections:
            cast(GuardedProtocol, protocol).admission.ended.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the caller. uvicorn raises the signal again once it has stopped, which would end the process before
        the worker has finished."""
        yield

    def stop(self) -> None:
        """Request a stop. Safe in a signal handler."""
        self.should_exit = True


def bind(address: tuple[str, int]) -> socket.socket:
    """Return a listening socket. Raises OSError, UnicodeError."""
    host, port = address
    family, kind, protocol, _, resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(resolved)
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    return bound


def refusal(address: tuple[str, int], error: Exception) -> str:
    """Return why `bind` failed, and the remedy."""
    host, port = address
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return f"it is in use, perhaps by another syncd: `ss -ltnp 'sport = :{port}'` names the program; stop it, or use a free port"
        case errno.EADDRNOTAVAIL:
            return f"this machine has no address {host}; `ip addr` lists those it has"
        case errno.EACCES | errno.EPERM:
            return f"user {name_of(os.geteuid())} may not listen on port {port}; use a port above 1023, or let systemd listen (syncd.socket)"
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is no host name"


def address_of(bound: socket.socket) -> str:
    """Return HOST:PORT with the port that the system chose."""
    name: Any = bound.getsockname()
    return f"[{name[0]}]:{name[1]}" if bound.family == socket.AF_INET6 else f"{name[0]}:{name[1]}"
