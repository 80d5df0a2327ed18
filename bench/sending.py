"""A cheap sender: it prepares its requests and keeps its connections open."""

import json
import multiprocessing
import selectors
import socket
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from bench.load import LOGIN
from syncd.intake.receiver import PATH
from tests.prove.crashes import crash

CONNECTIONS = 32  # to each receiver
BODY_BYTES = 4096
_OK, _END = b"HTTP/1.1 200", b"}"


def _request(number: int) -> bytes:
    content = crash(number)
    content["attributes"]["padding"] = [["x" * (BODY_BYTES - len(json.dumps(content)) - 30), 1]]
    body = json.dumps(content).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {LOGIN}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def rate(addresses: Sequence[tuple[str, int]], seconds: float, groups: int = 500) -> float:
    """Accepted requests per second, with one sender process per address."""
    ends = []
    for number, address in enumerate(addresses):
        reader, writer = multiprocessing.Pipe()
        process = multiprocessing.Process(target=_send, args=(address, seconds, groups, number, writer), daemon=True)
        process.start()
        ends.append(reader)
    return sum(float(end.recv()) for end in ends)


def _send(address: tuple[str, int], seconds: float, groups: int, number: int, results: Connection) -> None:
    requests = [_request(number * groups + offset) for offset in range(groups)]
    selector = selectors.DefaultSelector()
    answers: dict[socket.socket, bytes] = {}
    for index in range(CONNECTIONS):
        sock = socket.create_connection(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers[sock] = b""
        selector.register(sock, selectors.EVENT_READ, sock)
        sock.sendall(requests[index % groups])
    accepted, start_time = 0, time.monotonic()
    while time.monotonic() - start_time < seconds:
        for key, _ in selector.select(1.0):
            peer: socket.socket = key.data
            answers[peer] += peer.recv(4096)
            if not answers[peer].endswith(_END):
                continue  # the header arrives before the body
            if not answers[peer].startswith(_OK):
                raise SystemExit(f"not accepted: {answers[peer][:200]!r}")
            answers[peer] = b""
            accepted += 1
            peer.sendall(requests[accepted % groups])
    results.send(accepted / (time.monotonic() - start_time))
