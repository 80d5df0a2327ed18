"""A small HTTP server on loopback for stateful fakes: it records its requests and fails when ordered to."""

import json
import re
import socket
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

How = Literal[
    "status",  # answer `status`; nothing is carried out
    "status_after",  # carry out, then answer `status`
    "reset_before",  # reset the connection; nothing is carried out
    "reset_after",  # carry out, then reset
    "hang_before",  # say nothing until released or for `seconds`, then carry out and answer as usual: a late commit
    "hang_after",  # carry out, say nothing until released or for `seconds`, then answer
    "slow",  # wait `seconds`, then carry out and answer
    "half_after",  # carry out, send half of the answer, then reset
    "garbage_after",  # carry out, then an HTML page under the status of success
    "empty_after",  # carry out, then no body under the status of success
    "early",  # carry out, answer 103, wait `seconds`, then answer as usual
]


@dataclass(kw_only=True)
class Recorded:
    """One request as it arrived. `status` and `answer` are what was said to it, None while nothing was and
    where the connection was cut; `groups` are the named groups of the route's pattern."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    raw: bytes
    status: int | None = None
    answer: Any = None
    groups: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Fault:
    """An order to fail the next `times` requests that fit. `path` is searched for in their paths."""

    how: How
    method: str = "POST"
    path: str = ""
    times: int = 1
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default_factory=lambda: {"message": "ordered to fail"})
    seconds: float = 0.0
    released: threading.Event = field(default_factory=threading.Event)

    def fits(self, request: Recorded) -> bool:
        return self.times > 0 and self.method == request.method and bool(re.search(self.path, request.path))


# How far a request has come. None of it says what was answered.
Moment = Literal["arrived", "carried_out", "answered"]

# Status, headers, and a body: bytes go out as they are, None as nothing, all else as JSON.
Answer = tuple[int, Mapping[str, str], Any]
Routes = list[tuple[str, str, Callable[[Recorded], Answer]]]


class Denied(Exception):
    """Raised in a route: this is the answer, and nothing is carried out."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer[0])
        self.answer = answer


class Cut(ConnectionError):
    """The connection is to be reset, with nothing answered."""


class ServerBase(ABC):
    """A fake's server. Open it with `with`; `lock` is held while a route runs, so that a route is one commit.

    `latency` and `lag_seconds` are seconds, `now` is the fake's clock; all are settable at any time. `weather` may give a failure to a request that no order
    fits; `watch` is told of each request's moments, and may raise Cut on arrival.
    """

    description = ""  # which API description `check_traffic` judges by

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.latency = 0.0
        self.lag_seconds = 0.0
        self.now: Callable[[], float] = time.time
        self.connections = 0
        self.arrivals = 0
        self.weather: Callable[[Recorded], Fault | None] | None = None
        self.watch: Callable[[Moment, Recorded], None] | None = None
        self.errors: list[BaseException] = []  # faults of the fake itself
        self._arrived = threading.Condition()
        self._recorded: deque[Recorded] = deque()
        self._faults: list[Fault] = []
        self._closing = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @abstractmethod
    def routes(self) -> Routes:
        """(method, pattern of the whole path, handler) of each route."""

    def unknown(self, request: Recorded) -> Answer:
        """The answer where no route fits."""
        return 404, {}, {"message": "Not Found"}

    def admit(self, request: Recorded) -> Answer | None:
        """An answer that keeps the request from its route (no login, say), or None."""
        return None

    def common_headers(self) -> Mapping[str, str]:
        """Headers of every answer that a route gave."""
        return {}

    def described_path(self, request: Recorded) -> str | None:
        """The request's path in the API description; None where the description lacks it."""
        return request.path

    def settled(self, written: float, lag_seconds: float) -> bool:
        """True if a record of the time `written` (monotonic) shows in a view that lags."""
        return time.monotonic() - written >= lag_seconds

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[Recorded]:
        """Every request so far, in order of arrival."""
        with self._arrived:
            return list(self._recorded)

    def remember(self, most: int) -> None:
        """Keep only the latest requests: an hour's answers do not fit into memory."""
        with self._arrived:
            self._recorded = deque(self._recorded, maxlen=most)

    def sent(self, method: str, path: str = "") -> list[Recorded]:
        """The requests so far with this method whose path fits."""
        return [each for each in self.requests if each.method == method and re.search(path, each.path)]

    def wait_for(self, method: str, path: str = "", count: int = 1, timeout: float = 10.0) -> None:
        """Return when `count` such requests have arrived. Raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.sent(method, path)) >= count, timeout):
                raise TimeoutError(f"{count} x {method} {path} did not arrive")

    def inject(self, fault: Fault) -> Fault:
        """Order a failure; the oldest order that fits is taken first."""
        with self.lock:
            self._faults.append(fault)
        return fault

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self.errors and error is None:
            raise self.errors[0]

    def close(self) -> None:
        """Stop, release hanging requests and cut all connections."""
        self._closing.set()
        with self.lock:
            for fault in self._faults:
                fault.released.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.cut_all()
        self._server.server_close()

    def _record(self, request: Recorded) -> None:
        with self._arrived:
            self.arrivals += 1
            self._recorded.append(request)
            self._arrived.notify_all()

    def _take_fault(self, request: Recorded) -> Fault | None:
        with self.lock:
            fault = next((each for each in self._faults if each.fits(request)), None)
            if fault is not None:
                fault.times -= 1
            elif self.weather is not None:
                fault = self.weather(request)
        return fault

    def _tell(self, moment: Moment, request: Recorded) -> None:
        if self.watch is not None:
            self.watch(moment, request)

    def carry_out(self, request: Recorded) -> Answer:
        answer = self._committed(request)
        self._tell("carried_out", request)
        return answer

    def _committed(self, request: Recorded) -> Answer:
        with self.lock:
            try:
                status, headers, body = self.admit(request) or self._route(request)
            except Denied as denied:
                status, headers, body = denied.answer
            return status, {**self.common_headers(), **headers}, body

    def _route(self, request: Recorded) -> Answer:
        for method, pattern, answer in self.routes():
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                request.groups = match.groupdict()
                return answer(request)
        return self.unknown(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # unbuffered, each answer is two packets and waits 40 ms for a delayed ACK
    disable_nagle_algorithm = True
    server: "_Server"

    def _serve(self) -> None:
        fake = self.server.fake
        request = self._read()
        fake._record(request)
        if fake.latency:
            fake._closing.wait(fake.latency)
        fault = fake._take_fault(request)
        try:
            fake._tell("arrived", request)
            answer = self._answer(request, fault) if fault else fake.carry_out(request)
            self._write(request, answer, half=bool(fault and fault.how == "half_after"))
            fake._tell("answered", request)
        except Cut:
            self._reset()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _read(self) -> Recorded:
        length = int(self.headers.get("Content-Length", "0"))
        raw = self.rfile.read(length)
        if len(raw) < length:
            raise ConnectionAbortedError("the sender died before its request was whole")
        parts = urlsplit(self.path)
        return Recorded(
            method=self.command,
            path=unquote(parts.path),
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=_json_or_none(raw),
            raw=raw,
        )

    def _answer(self, request: Recorded, fault: Fault) -> Answer:
        """The answer under `fault`, carried out or not. Raises Cut where there is none."""
        fake = self.server.fake
        if fault.how == "status":
            return fault.status, {**fake.common_headers(), **fault.headers}, fault.body
        if fault.how == "reset_before":
            raise Cut
        if fault.how in ("hang_before", "slow"):
            self._hold(fault)
        status, headers, body = fake.carry_out(request)
        if fault.how == "early":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
            self.wfile.flush()
            fake._closing.wait(fault.seconds)
        if fault.how == "hang_after":
            self._hold(fault)
        if fault.how == "reset_after":
            raise Cut
        if fault.how == "status_after":
            return fault.status, fault.headers, fault.body
        if fault.how == "garbage_after":
            # A 204 has no body: the page would be read as the beginning of the next answer.
            page = b"<!DOCTYPE html><title>Unicorn</title>"
            return 200 if status == 204 else status, {"Content-Type": "text/html; charset=utf-8"}, page
        return status, headers, None if fault.how == "empty_after" else body

    def _hold(self, fault: Fault) -> None:
        fake = self.server.fake
        fault.released.wait(fault.seconds if fault.how == "slow" else fault.seconds or None)
        if fake._closing.is_set():
            raise Cut

    def _write(self, request: Recorded, answer: Answer, half: bool) -> None:
        status, headers, body = answer
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if not half:
            request.status, request.answer = status, body
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if half else content)
        self.wfile.flush()
        if half:
            raise Cut

    def _reset(self) -> None:
        # Closing with a linger time of zero sends RST; _Server.shutdown_request must not send FIN before it.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date, by the fake's own clock."""
        return super().date_time_string(self.server.fake.now() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: every request is in `requests`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, fake: ServerBase) -> None:
        self.fake = fake
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        self.fake.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        lingers, _ = struct.unpack("ii", request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        if lingers:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def cut_all(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its own thread was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.fake.errors.append(error)


def _json_or_none(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
