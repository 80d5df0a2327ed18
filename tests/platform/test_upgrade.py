"""The HTTP server ignores a request to upgrade the connection: the request is answered as without it, with its body."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from syncd.platform import http_server

H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
BODY = b"0123456789" * 1000
CHUNKED = b"1388\r\n" + BODY[:5000] + b"\r\n1388\r\n" + BODY[5000:] + b"\r\n0\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    names = [name.decode() for name, _ in scope["headers"]]
    content = json.dumps([scope["method"], scope["path"], names, len(body), body == BODY]).encode()
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    ready = threading.Event()
    server = http_server.Server(echo, 5.0, 20, ready.set)
    bound = http_server.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    assert ready.wait(10)
    yield bound.getsockname()
    server.stop()
    thread.join(10)


def talk(address: tuple[str, int], *pieces: bytes) -> bytes:
    """Send pieces, each in a segment of its own, and return everything until the server closes."""
    answer = b""
    with socket.create_connection(address, timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        while piece := connection.recv(65536):
            answer += piece
    return answer


def answers(text: bytes) -> list[list[object]]:
    """The bodies of answers with 200; of another one its first line."""
    parts = text.split(b"HTTP/1.1 ")[1:]
    return [
        json.loads(part.partition(b"\r\n\r\n")[2]) if part.startswith(b"200") else [part.partition(b"\r\n")[0].decode()]
        for part in parts
    ]


LENGTH = b"POST /a?b HTTP/1.1\r\nHost: x\r\n%s%sContent-Length: 10000\r\n\r\n"
CHUNKS = b"POST /a?b HTTP/1.1\r\nHost: x\r\n%s%sTransfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n"


@pytest.mark.parametrize("segments", ["one", "two", "byte by byte"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize(
    "upgrade", [H2C, b"Upgrade: websocket\r\nConnection: upgrade\r\n", H2C + H2C], ids=["h2c", "websocket", "twice"]
)
def test_a_body_behind_a_request_to_upgrade_arrives_whole(
    address: tuple[str, int], segments: str, framing: str, upgrade: bytes
) -> None:
    head, body = (LENGTH, BODY) if framing == "length" else (CHUNKS, CHUNKED)
    head %= (upgrade, CLOSE)
    pieces = {
        "one": [head + body],
        "two": [head, body],
        "byte by byte": [*(head[at : at + 1] for at in range(len(head))), body],
    }[segments]

    ((method, path, names, size, is_whole),) = answers(talk(address, *pieces))

    assert (method, path, size, is_whole) == ("POST", "/a", 10_000, True)
    assert isinstance(names, list)
    assert "upgrade" not in names
    assert "host" in names


def test_requests_behind_one_that_asks_are_answered_too(address: tuple[str, int]) -> None:
    asks = LENGTH % (H2C, b"")

    assert len(answers(talk(address, (asks + BODY) * 3 + asks.replace(b"Host", CLOSE + b"Host") + BODY))) == 4


def test_a_request_to_upgrade_hides_no_second_request(address: tuple[str, int]) -> None:
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    both = (
        b"POST /a HTTP/1.1\r\nHost: x\r\n" + H2C + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )

    assert answers(talk(address, both + hidden)) == [["400 Bad Request"]]
    ((_, path, _, size, _),) = answers(
        talk(
            address,
            b"POST /a HTTP/1.1\r\nHost: x\r\n" + H2C + CLOSE + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden,
        )
    )
    assert (path, size) == ("/a", len(hidden))


def test_a_connect_is_refused_as_ever(address: tuple[str, int]) -> None:
    assert answers(talk(address, b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n" + H2C + b"\r\n"))[0] != []
