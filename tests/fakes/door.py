"""A door before a fake: a port that refuses, leads to another page or service, shows an expired certificate, or lets requests through."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.fakes.tls import certificate

Way = Literal["refused", "silent", "cut", "page", "redirect", "html error", "stranger", "open"]

_PAGE = b"<!doctype html><title>Sign in</title><form action=/login><input name=password></form>"
_ANSWERS: dict[str, bytes] = {
    "page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: https://sso.example/login?to=x\r\nContent-Type: text/html",
    "html error": b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html",
    "stranger": b"HTTP/1.1 200 OK\r\nContent-Type: application/json",
}
_STRANGER = b'{"status": "ok"}'  # of another service


class Door:
    """One port of this machine. `way` may change at any time, except back to `refused`."""

    def __init__(self, behind: str, way: Way, folder: Path | None = None) -> None:
        """`behind` is the address of the fake. With a `folder` the door speaks TLS, and shows an expired certificate until `renew`."""
        host, _, port = behind.rpartition("://")[2].partition(":")
        self._behind = (host, int(port))
        self._way = way
        self._folder = folder
        self.connections = 0
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        self._context: ssl.SSLContext | None = None
        if folder is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            (folder / "old").mkdir()
            (folder / "new").mkdir()
            expired, renewed = (
                certificate(folder / "old", "localhost", days=-1),
                certificate(folder / "new", "localhost"),
            )
            self.ca_file.write_bytes(expired[0].read_bytes() + renewed[0].read_bytes())
            self._context.load_cert_chain(*expired)
        if way != "refused":
            self._open()

    @property
    def ca_file(self) -> Path:
        """The certificates to trust."""
        assert self._folder is not None
        return self._folder / "trusted.pem"

    @property
    def url(self) -> str:
        port = self._socket.getsockname()[1]
        return f"http://127.0.0.1:{port}" if self._context is None else f"https://localhost:{port}"

    def lead(self, way: Way) -> None:
        """Change the way; a refusing port begins to listen."""
        before, self._way = self._way, way
        if before == "refused":
            self._open()

    def renew(self) -> None:
        """Show the certificate that is valid."""
        assert self._context is not None
        assert self._folder is not None
        self._context.load_cert_chain(self._folder / "new" / "certificate.pem", self._folder / "new" / "key.pem")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _open(self) -> None:
        self._socket.listen(128)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return  # closed: the test is over
            self.connections += 1
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with suppress(OSError), _secured(client, self._context) as stream:
            way = self._way
            if way == "cut":
                return
            request = _request(stream)
            if way == "silent":
                threading.Event().wait(60)
            elif way == "open" and request:
                with socket.create_connection(self._behind) as fake:
                    fake.sendall(request)
                    while data := fake.recv(65536):
                        stream.sendall(data)
            elif request:
                body = _STRANGER if way == "stranger" else _PAGE
                length = f"\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                stream.sendall(_ANSWERS[way] + length.encode() + body)


@contextmanager
def _secured(client: socket.socket, context: ssl.SSLContext | None) -> Iterator[socket.socket]:
    with client:
        if context is None:
            yield client
        else:
            with context.wrap_socket(client, server_side=True) as stream:
                yield stream


def _request(stream: socket.socket) -> bytes:
    """One whole request, which asks for an answer that ends the connection; empty if the client turned away."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = stream.recv(65536)
        if not data:
            return b""
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    length = sum(int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += stream.recv(65536)
    return b"\r\n".join([*lines, b"Connection: close", b"", body])
