"""No body of a megabyte costs ten times as much for each byte as a usual one, from parsing to the texts of its issue."""

import gc
import json
import time
from collections.abc import Callable

import pytest

from syncd.core import frames
from syncd.core.redact import Redactor
from syncd.intake.sources import backtrace
from syncd.intake.sources.values import Reading
from syncd.model import Group
from syncd.render import markdown
from syncd.worker.presentation import Presentation
from tests.factories import notification_json

FACTOR = 10
SECONDS = 1.0  # for so long may a body hold up the issue of another group
PIECES = [
    "_-",
    "a@b.cc ",
    "/home/a ",
    "1.1.1.1 ",
    "token=",
    "http://a:",
    "(lambda)",
    "/+a",
    "a<b>",
    "é",
    "::h0123456789abcdef",
]


def cost(body: bytes) -> float:
    """Seconds of CPU time from the body to the texts of its issue."""
    presentation = Presentation(redactor=Redactor(allowed=["*"]), link_hosts=["*.backtrace.io"])
    began = time.thread_time()
    read = backtrace.parse(body, 1_800_000_000.0, Reading())
    group = Group(
        identity=read.identity,
        application=read.application,
        group_url=read.group_url,
        callstack=read.callstack,
        attributes=read.attributes,
    )
    frames.signature(group.application, group.callstack)
    presented = presentation.present(group, None)
    presented.title()
    for document in (presented.body(), presented.status()):
        markdown.write(document, 65_000)
    return time.thread_time() - began


def stack(piece: str, size: int) -> dict[str, object]:
    frame = (piece * size)[: size - 6]
    return {"callstack": [f"{frame}{number:06}" for number in range(980_000 // size)]}


WORST: dict[str, dict[str, object]] = {
    **{piece: stack(piece, 4096) for piece in PIECES},
    "frames that titles skip": stack("abort(", 1000),
    "addresses": {"callstack": [f"0x{number:016x}" for number in range(45_000)]},
    "values": {
        "attributes": {f"a{name}": [[f"x@y{value}.cc 1.1.1.1", 1] for value in range(400)] for name in range(100)}
    },
    "a link": {"group_url": "https://a.backtrace.io/" + "%25" * 300_000},
}


@pytest.mark.parametrize("fields", WORST.values(), ids=WORST)
def test_the_worst_bodies_cost_what_they_are_worth(fields: dict[str, object]) -> None:
    usual = json.dumps(notification_json()).encode()
    least = min(cost(usual) for _ in range(5)) / len(usual)
    body = json.dumps(notification_json(**fields), ensure_ascii=False).encode()

    spent = min(cost(body) for _ in range(2))
    assert spent < FACTOR * least * len(body)
    assert spent < SECONDS


IDENTIFIED = b'{"universe":"a","project":"b","fingerprint":"c",'


def repeated(piece: bytes, start: bytes, end: bytes) -> bytes:
    """A body of a megabyte."""
    return IDENTIFIED + start + piece * ((980_000 - len(IDENTIFIED + start + end)) // len(piece)) + end


# Each makes the reader look at every value of the body, or at every container on each level.
CLUMSY = {
    "66 levels, again and again": repeated(b"[" * 66 + b"]" * 66 + b",", b'"x":[', b"1]}"),
    "70 levels, then lists": repeated(b"[],", b'"y":' + b"[" * 70 + b"]" * 70 + b',"x":[', b"1]}"),
    "64 levels": repeated(b"[" * 60 + b"]" * 60 + b",", b'"x":[', b"1]}"),
    "fields that are infinite": IDENTIFIED + b",".join(b'"%d":1e999' % number for number in range(60_000)) + b"}",
}


def reading(read: Callable[[bytes], object], body: bytes) -> float:
    """Seconds of CPU time, without those of the garbage collector, which the objects of all other tests make dear."""
    gc.disable()
    try:
        costs = []
        for _ in range(2):
            began = time.thread_time()
            read(body)
            costs.append(time.thread_time() - began)
        return min(costs)
    finally:
        gc.enable()


@pytest.mark.parametrize("body", CLUMSY.values(), ids=CLUMSY)
def test_a_clumsy_body_costs_a_few_times_what_any_reader_takes_for_lists(body: bytes) -> None:
    lists = repeated(b"[],", b'"x":[', b"1]}")
    assert reading(backtrace.decode, body) < 2 * FACTOR * reading(json.loads, lists)
