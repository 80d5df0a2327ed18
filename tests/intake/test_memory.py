"""No refused body outlives its answer, whatever refuses it: the garbage collector has nothing to do."""

import asyncio
import gc
import json
import socket
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from syncd.config import Receiver as Settings
from syncd.config import StoreSettings
from syncd.errors import RejectedDelivery
from syncd.intake.receiver import PATH, Receiver, _read_large
from syncd.intake.sources import backtrace
from syncd.intake.sources.values import Reading
from syncd.store import Store, open_store
from tests.factories import notification_json
from tests.intake.receiving import Address, answer, locked, login, received, request, status

SIZE = 200_000
BODIES = 12
HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[Store]:
    (tmp_path / "syncd.db").write_bytes(migrated.read_bytes())
    opened = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    yield opened
    opened.close()


def padded(text: bytes) -> bytes:
    return text + b" " * SIZE


NOTIFICATION = json.dumps(notification_json()).encode()
LOGGED_IN = HOST + login()
REFUSED: dict[str, tuple[bytes, int]] = {
    "no login": (request(HOST, body=padded(NOTIFICATION)), 401),
    "another method": (request(LOGGED_IN, body=padded(NOTIFICATION), method=b"PUT"), 405),
    "too large": (request(LOGGED_IN, body=b" " * (2**20 + SIZE)), 413),
    "too large, and said so": (request(LOGGED_IN, body=padded(b""), length=2**21), 413),
    "encoded": (request(LOGGED_IN, b"Content-Encoding: gzip\r\n", body=padded(NOTIFICATION)), 415),
    "no identity": (request(LOGGED_IN, body=padded(b'{"a":1}')), 422),
    "a fingerprint that is too long": (
        request(LOGGED_IN, body=NOTIFICATION[:-1] + b',"fingerprint":"' + b"a" * SIZE + b'"}'),
        422,
    ),
}


def test_a_refused_body_is_gone_with_its_answer(tmp_path: Path, store: Store) -> None:
    with received(locked(tmp_path), store) as address:
        kept = {
            case: _kept(address, lambda: status(address, sent) == expected)  # noqa: B023 - called at once
            for case, (sent, expected) in REFUSED.items()
        }

    assert {case: count for case, count in kept.items() if count >= SIZE} == {}


def test_a_body_that_does_not_arrive_in_time_is_gone_too(tmp_path: Path, store: Store) -> None:
    sent = request(LOGGED_IN, body=padded(NOTIFICATION), length=2 * SIZE)
    with received(locked(tmp_path, body_seconds=0.05), store) as address:
        assert _kept(address, lambda: status(address, sent) == 408) < SIZE


def test_a_body_whose_sender_goes_away_is_gone_too(tmp_path: Path, store: Store) -> None:
    sent = request(LOGGED_IN, body=padded(NOTIFICATION), length=2 * SIZE)

    def leave() -> bool:
        with socket.create_connection(address) as connection:
            connection.sendall(sent)
        return True

    with received(locked(tmp_path), store) as address:
        assert _kept(address, leave) < 2 * SIZE  # the last one may still be on its way out


@pytest.mark.parametrize("body", [padded(NOTIFICATION), padded(b"{}")], ids=["a notification", "for the quarantine"])
def test_a_body_that_the_store_does_not_take_is_gone_too(tmp_path: Path, store: Store, body: bytes) -> None:
    (tmp_path / "syncd.db").rename(tmp_path / "elsewhere.db")  # as if its disk was gone
    with received(locked(tmp_path), store) as address:
        assert _kept(address, lambda: status(address, request(LOGGED_IN, body=body)) == 503) < SIZE


def test_an_idle_connection_holds_no_body(tmp_path: Path, store: Store) -> None:
    connections: list[socket.socket] = []

    def refuse() -> bool:
        connections.append(socket.create_connection(address, timeout=30))
        return answer(connections[-1], request(HOST, body=padded(NOTIFICATION))) == 401

    with received(locked(tmp_path), store) as address:
        assert _kept(address, refuse) < 2 * SIZE
        for connection in connections:
            connection.close()


def _kept(address: Address, refuse: Callable[[], bool]) -> int:
    """Bytes that are kept after BODIES refusals, with the collector off. The first refusal fills caches, and is not counted."""
    assert refuse()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(BODIES):
            assert refuse()
        assert (
            status(address, b"GET /webhooks/backtrace HTTP/1.1\r\nHost: a\r\n\r\n") == 405
        )  # the loop has gone around
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()


LISTS = b"[" + b"[]," * 100_000 + b"1]"  # each is a block of memory, thirty times as large as its text
IDENTITY = b'"universe":"u","project":"p","fingerprint":"f"'


@pytest.mark.parametrize(
    "body",
    [b"{" + IDENTITY + b',"x":' + LISTS + b"}", b"{" + IDENTITY + b',"attributes":' + LISTS + b"}", b'{"x":' + LISTS + b"}", LISTS, LISTS[:-1]],
    ids=["accepted", "accepted, in a field that is read later", "refused", "no object", "no JSON"],
)  # fmt: skip
def test_nothing_is_built_of_a_large_body_but_whom_it_is_about(body: bytes) -> None:
    assert _built(lambda: _read_large(body)) < 3 * len(body)


def test_nothing_is_built_of_a_field_that_nobody_reads() -> None:
    body = b"{" + IDENTITY + b',"x":' + LISTS + b"}"
    assert _built(lambda: backtrace.parse(body, 1e9, Reading())) < len(body)


def test_a_refusal_by_the_reader_holds_nothing_of_its_body() -> None:
    body = b'{"x":[1e999,' + LISTS + b"]}"
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        refusal = _read_large(body)
        assert isinstance(refusal, RejectedDelivery)
        assert tracemalloc.get_traced_memory()[0] - before < len(body) // 2
    finally:
        tracemalloc.stop()


def _built(read: Callable[[], object]) -> int:
    """The most bytes that reading takes at a time."""
    read()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        read()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "identity", [b'"universe":"u","project":"p","fingerprint":"f",', b""], ids=["accepted", "refused"]
)
def test_what_was_read_of_a_body_does_not_wait_for_the_disk(store: Store, identity: bytes) -> None:
    lists = 100_000  # each is a block of memory
    body = b"{" + identity + b'"x":[' + b"[]," * lists + b"1]}"

    async def post(receiver: Receiver, statuses: list[int]) -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            statuses.append(message.get("status", 0))

        await receiver({"type": "http", "method": "POST", "path": PATH, "headers": [], "client": None}, receive, send)

    async def grown(receiver: Receiver, gate: threading.Event) -> int:
        statuses: list[int] = []
        before = sys.getallocatedblocks()
        posts = [asyncio.create_task(post(receiver, statuses)) for _ in range(3)]
        await asyncio.sleep(0)  # each has handed its body to the reader's only thread
        await asyncio.get_running_loop().run_in_executor(receiver._reader, int)
        await asyncio.sleep(0)
        assert not statuses
        kept = sys.getallocatedblocks() - before
        gate.set()
        await asyncio.gather(*posts)
        return kept

    gate = threading.Event()
    store.connection.submit(lambda _: gate.wait(30))  # the disk is slow
    assert asyncio.run(grown(Receiver(Settings(), store, lambda _: None), gate)) < lists // 10
