"""uvicorn with the holes closed that it leaves open: no deadline for request headers, no bound on their size, and requests
broken by a stop under load."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_BYTES = 32 * 1024
STOP_ACCEPTING_SECONDS = 0.25
WHOLE = "syncd.whole"  # in the scope of a request that was there, body and all, before it was looked at
THREADS = 8  # that answer beside an event loop; anyio's own limit of 40 is more than a service may have


class _Joined:
    """A transport that sends what is written in one turn of the event loop with one call of the system: uvicorn writes head and body of each
    answer on their own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self.is_closing = transport.is_closing  # it is asked for several times with each request

    def write(self, data: bytes) -> None:
        """Soon."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """After what was written."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class GuardedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are not complete `header_seconds` after the connection was made
    or after their first byte, or whose body is not so long after it was answered; and refuses more than HEADER_BYTES.
    Otherwise whoever has no login could hold every connection there may be."""

    header_seconds = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = True
        super().connection_made(cast(asyncio.Transport, _Joined(transport, self.loop)))
        self._arm()

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser no more of a header than it may hold."""
        # Counted in what is fed, not in on_header(): the parser calls that only once a header is whole, and one
        # unfinished header of 300 MB would be held until then.
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
            self._arm()  # also for what begins no message, such as an empty line: it ends uvicorn's own keep-alive clock

    def on_headers_complete(self) -> None:
        """Stop the clock."""
        self._disarm()
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """From here on the next header is counted."""
        self._disarm()
        # The application begins only after what is read now was fed.
        self.scope[WHOLE] = True  # type: ignore[literal-required]
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0

    def on_response_complete(self) -> None:
        """Start the clock for a body that nobody reads any more."""
        super().on_response_complete()
        if not self._in_head and not self.transport.is_closing():
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._disarm()
        super().connection_lost(exc)


_BUSY = (
    b'{"error":{"code":"busy","message":"There are too many connections (receiver.max_connections); come back later."}}'
)
_BUSY_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BUSY)).encode()),
    (b"retry-after", b"10"),
    (b"connection", b"close"),
]


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
    await send({"type": "http.response.start", "status": 503, "headers": _BUSY_HEADERS})
    await send({"type": "http.response.body", "body": _BUSY})


class Server(uvicorn.Server):
    """A uvicorn server that reports when it listens, and stops on SIGTERM and SIGINT without breaking a request."""

    def __init__(
        self, app: ASGIApp, header_seconds: float, max_connections: int, listening: Callable[[], None]
    ) -> None:
        config = uvicorn.Config(
            app,
            interface="asgi3",
            http=type("Guarded", (GuardedProtocol,), {"header_seconds": header_seconds}),
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
        self.beat = time.monotonic()  # when the event loop last turned
        self._listening = listening
        config.app = self._unless_busy(app, max_connections)

    def _unless_busy(self, app: ASGIApp, max_connections: int) -> ASGIApp:
        """`app`, but 503 for whoever is one too many; uvicorn's own limit counts one less and says nothing of a later time."""

        def limited(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            fits = len(self.server_state.connections) <= max_connections
            return (app if fits else _too_many)(scope, receive, send)

        return limited

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, as long as the event loop turns."""
        self.beat = time.monotonic()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting first: what is already on the wire is read and answered before idle connections are closed.
        Without the pause, uvicorn closed connections whose request had just arrived."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(STOP_ACCEPTING_SECONDS)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the caller. uvicorn raises the signal again once it has stopped, which would end the process before
        the worker has finished."""
        yield

    def stop(self) -> None:
        """Ask it to stop; from a signal, too."""
        self.should_exit = True


def bind(address: tuple[str, int]) -> socket.socket:
    """A listening socket. Raises OSError."""
    host, port = address
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    return bound


def address_of(bound: socket.socket) -> str:
    """HOST:PORT as it really is, also when the port was chosen by the system."""
    name: Any = bound.getsockname()
    return f"[{name[0]}]:{name[1]}" if bound.family == socket.AF_INET6 else f"{name[0]}:{name[1]}"
