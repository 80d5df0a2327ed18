"""A receiver that listens, in this process."""

import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from syncd.config import Receiver as Settings
from syncd.config import Secret
from syncd.intake.receiver import Door, Receiver
from syncd.platform import http_server
from syncd.store import Store

PASSWORD = "open sesame"
Address = tuple[str, int]


def login(password: str = PASSWORD) -> bytes:
    """A header with a login."""
    return b"Authorization: Basic " + b64encode(f"backtrace:{password}".encode()) + b"\r\n"


def locked(folder: Path, **keys: object) -> Settings:
    """Settings that require a login."""
    (folder / "password").write_text(PASSWORD)
    return Settings(username="backtrace", password=Secret(file=f"{folder}/password"), **keys)  # type: ignore[arg-type]


def received(settings: Settings, store: Store) -> AbstractContextManager[Address]:
    """Serve a receiver on a thread of its own; its address."""
    return serving(Receiver(settings, store, lambda _: None), settings)


@contextmanager
def serving(application: Door, settings: Settings) -> Iterator[Address]:
    """Serve an application on a thread of its own; its address."""
    bound, ready = http_server.bind(("127.0.0.1", 0)), threading.Event()
    server = http_server.Server(application, settings.header_seconds, settings.max_connections, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        assert ready.wait(30)
        yield bound.getsockname()[:2]
    finally:
        server.stop()
        thread.join()


def request(*headers: bytes, body: bytes = b"", length: int | None = None, method: bytes = b"POST") -> bytes:
    """A whole request to the receiver. `length` is what it declares."""
    declared = f"Content-Length: {len(body) if length is None else length}\r\n\r\n".encode()
    return method + b" /webhooks/backtrace HTTP/1.1\r\n" + b"".join(headers) + declared + body


def status(address: Address, sent: bytes, *, patience: float = 8.0) -> int:
    """The status of the answer to a request on a connection of its own; 0 if the connection ends without one."""
    with socket.create_connection(address, timeout=patience) as connection:
        return answer(connection, sent)


def answer(connection: socket.socket, sent: bytes) -> int:
    """The status of the answer to a request on a connection; 0 if the connection ends without one."""
    try:
        connection.sendall(sent)
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return 0
            head += piece
        return int(head[9:12])
    except ConnectionError:
        return 0
