"""A wire between syncd and a PostgreSQL server that is cut at the worst moments: before and after the server has committed."""

import select
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

# In the protocol's own bytes (PostgreSQL manual, "Message Formats"): a simple query of one word, and what is said of its end.
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
_COMMITTED = b"COMMIT\x00"


class Wire:
    """Listens on a port of its own and passes everything on. `cut` says how many of the next commits are cut `before` they reach
    the server or `after` they are on its disk; `down` breaks every connection and refuses new ones."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.cut = {"before": 0, "after": 0}
        self.was_cut = {"before": 0, "after": 0}
        self.marked = b""  # only the transactions in which this was sent are cut; all where it is empty
        self._down = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, name="wire", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.close()
        self.down = True

    def url(self, url: str) -> str:
        """The same database through the wire."""
        return url.replace(f":{self._server[1]}/", f":{self.port}/")

    @property
    def down(self) -> bool:
        return self._down

    @down.setter
    def down(self, value: bool) -> None:
        self._down = value
        if value:
            with self._lock:
                for sock in self._open:
                    _break(sock)

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client,), name="wire", daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        if self._down:
            client.close()
            return
        with client, socket.create_connection(self._server) as server:
            with self._lock:
                self._open |= {client, server}
            with suppress(OSError):
                self._both_ways(client, server)
            with self._lock:
                self._open -= {client, server}

    def _both_ways(self, client: socket.socket, server: socket.socket) -> None:
        swallowing = marked = False
        while True:
            ready, _, _ = select.select([client, server], [], [])
            if client in ready:
                content = client.recv(65536)
                if not content:
                    return
                marked = marked or self.marked in content
                if content.endswith(_COMMIT) and marked:
                    if self._due("before"):
                        return
                    swallowing = self._due("after")
                    marked = False
                server.sendall(content)
            if server in ready:
                content = server.recv(65536)
                if not content or (swallowing and _COMMITTED in content):
                    return
                client.sendall(content)

    def _due(self, when: str) -> bool:
        with self._lock:
            if not self.cut[when]:
                return False
            self.cut[when] -= 1
            self.was_cut[when] += 1
            return True


def _break(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
