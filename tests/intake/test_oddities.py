"""What becomes of the bodies of `tests/oddities.py`: each is read, or refused with the code in the table, and none is lost."""

import asyncio
import functools
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from syncd.config import Receiver as Settings
from syncd.config import StoreSettings
from syncd.errors import RejectedDelivery
from syncd.intake.receiver import PATH, Receiver
from syncd.intake.sources import backtrace, document
from syncd.intake.sources.values import Reading
from syncd.model import Identity, Notification
from syncd.store import Store, open_store
from tests.oddities import BASE, FEEDS, Case, Loss, cases
from tests.store.filled import NOW, absorb

SHARE = 800  # of the cases that take the whole way through a store


@functools.cache
def every() -> list[Case]:
    """All cases."""
    return list(cases())


@pytest.mark.slow
def test_the_table_has_every_combination_and_never_changes() -> None:
    assert len(every()) >= 10_000
    assert len({case.name for case in every()}) == len(every())
    assert list(cases()) == every()


def verdict(body: bytes) -> Notification | str:
    """A notification, or the code of a refusal."""
    try:
        return backtrace.parse(body, NOW, Reading())
    except RejectedDelivery as error:
        return error.code


def recognised(body: bytes, *, whole: bool) -> object:
    """Whom a body is about and its note, or what the sender is told of a refusal."""
    try:
        if not whole:
            return backtrace.recognise(body)
        read = backtrace.decode(body)
        return backtrace.identify(read), read.note
    except RejectedDelivery as error:
        return error.status, error.code, error.message, error.field


def test_a_large_body_is_recognised_as_a_small_one() -> None:
    for case in every()[::7]:
        assert recognised(case.body, whole=False) == recognised(case.body, whole=True), case.name


def nested(chance: random.Random, depth: int) -> Any:
    """A value with texts that look like containers."""
    kind = chance.random()
    if depth == 0 or kind < 0.35:
        return chance.choice(["[", '{"', "\\", '\\"', '"]', "", '\\\\"{', 1, None, "é[", '""', "[" * 27])
    if kind < 0.7:
        return [nested(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    return {
        chance.choice(['a"', "[", "]", "\\", 'b\\"']): nested(chance, depth - 1) for _ in range(chance.randint(0, 3))
    }


def levels(value: Any) -> int:
    """How many containers of a value are in one another."""
    if not isinstance(value, (list, dict)):
        return 0
    return 1 + max(map(levels, value if isinstance(value, list) else value.values()), default=0)


def test_the_levels_of_a_body_are_counted_without_its_values() -> None:
    chance = random.Random(20261130)
    for _ in range(500):
        value = nested(chance, 5)
        for _ in range(chance.choice((0, 50, 58, 59, 60, 61, 62, 63, 64, 65))):
            value = [value] if chance.random() < 0.5 else {"k[": value}
        body = json.dumps(value, ensure_ascii=False).encode()
        assert document.is_plain(body) == (levels(value) <= document.MAX_DEPTH), body


def test_every_case_is_read_or_refused_as_the_table_says() -> None:
    usual = backtrace.parse(msgspec.json.encode(BASE), NOW, Reading())
    noted = {Loss.REPLACED: document.REPLACED, Loss.DROPPED: document.DROPPED}
    for number, case in enumerate(every()):
        notification = verdict(case.body)
        if case.damaged:
            continue
        if isinstance(notification, str):
            assert notification == case.code, case.name
            continue
        assert case.code is None, case.name
        identity = notification.identity
        assert (identity.universe, identity.project, identity.fingerprint) == case.identity, case.name
        if case.loss in noted or number % 5 == 0:
            note = f"{case.field}: {noted[case.loss]}" if case.loss in noted else None
            assert backtrace.decode(case.body).note == note, case.name
        if case.alike is not None:
            assert notification == backtrace.parse(case.alike, NOW, Reading()), case.name
        if case.field is not None:
            assert unaffected(notification, case.field) == unaffected(usual, case.field), case.name


def unaffected(notification: Notification, field: str) -> Notification:
    """The facts that another field states."""
    facts = dict.fromkeys(FEEDS.get(field, ()))
    return replace(notification, identity=None, digest=b"", **facts)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    yield opened
    opened.close()


async def post(receiver: Receiver, body: bytes, *more: tuple[bytes, bytes]) -> int:
    """Send one body as the HTTP server hands it over, in two pieces; the status of the answer."""
    half = len(body) // 2
    parts = enumerate((body[:half], body[half:]))
    statuses: list[int] = []

    async def receive() -> Any:
        number, part = next(parts)
        return {"type": "http.request", "body": part, "more_body": number == 0}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    headers = [(b"content-length", str(len(body)).encode()), *more]
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers, "client": ("127.0.0.1", 1)}
    await receiver(scope, receive, send)
    return statuses[0]


def send_all(store: Store, sample: list[Case], **settings: Any) -> list[int]:
    """The statuses of the answers; everything accepted is folded afterwards."""

    async def all_at_once() -> list[int]:
        receiver = Receiver(Settings(**settings), store, lambda _: None)
        statuses: list[int] = []
        for start in range(0, len(sample), 100):
            statuses += await asyncio.gather(*(post(receiver, case.body) for case in sample[start : start + 100]))
        return statuses

    statuses = asyncio.run(all_at_once())
    absorb(store, NOW)
    return statuses


def test_nothing_is_lost_on_the_way_through_a_store(store: Store) -> None:
    sample = random.Random(7).sample(every(), SHARE)
    statuses = send_all(store, sample, quarantine_size=SHARE)
    refused = [case.body for case, status in zip(sample, statuses, strict=True) if status != 200]

    expected = {None: 200, "not_json": 400}
    for case, status in zip(sample, statuses, strict=True):
        assert status in (200, 400, 422) if case.damaged else status == expected.get(case.code, 422), case.name
    assert sorted(body or b"" for _, body in kept(store)) == sorted(refused)
    assert store.inbox.waiting(10) == []
    assert store.report.counts(NOW).inbox_waiting == 0
    groups = {view.group.identity for view in store.report.groups()}
    identities = {Identity(*case.identity) for case in sample if case.code is None and not case.damaged}
    assert identities <= groups
    assert len(groups) <= statuses.count(200)
    assert store.read(lambda transaction: transaction.rows("counts", now=NOW))[0]["outbox_due"] == len(groups)


def kept(store: Store) -> list[tuple[str, bytes | None]]:
    """The quarantine: codes and bodies."""
    return [(entry.code, store.quarantine.body(entry.id)) for entry in store.report.quarantine()]


@pytest.mark.parametrize("encodings", [["gzip"], ["identity", "gzip"], ["GZIP", "identity"], ["br"]])
def test_a_compressed_body_is_refused_and_kept_as_it_is(store: Store, encodings: list[str]) -> None:
    body = gzip.compress(msgspec.json.encode(BASE))
    more = [(b"content-encoding", encoding.encode()) for encoding in encodings]

    assert asyncio.run(post(Receiver(Settings(), store, lambda _: None), body, *more)) == 415
    assert kept(store) == [("encoded_body", body)]


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_of_an_empty_body_there_is_nothing_to_keep(store: Store, body: bytes) -> None:
    assert asyncio.run(post(Receiver(Settings(accept_unrecognised=True), store, lambda _: None), body)) == 400
    assert kept(store) == []


def test_whatever_is_kept_can_be_answered_200(store: Store) -> None:
    sample = [Case(name=code, body=body) for code, body in (("not_json", b"crash!"), ("no_universe", b"{}"))]

    assert send_all(store, sample, accept_unrecognised=True) == [200, 200]
    assert kept(store) == [("no_universe", b"{}"), ("not_json", b"crash!")]
