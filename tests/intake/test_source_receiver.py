"""`POST /sources/NAME`: who may send, and what is on disk when the sender has its answer."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from syncd.config import Config, StoreSettings
from syncd.errors import ConfigError
from syncd.intake.source_receiver import SourceReceiver
from syncd.store import Store, open_store
from tests.intake.receiving import Address, serving
from tests.intake.source_bodies import MAKERS, section

SECRET, FOREIGN, OLD = "s3cret-of-this-source", "s3cret-of-another-one", "s3cret-before-rotation"
Headers = dict[str, str]


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[Store]:
    (tmp_path / "syncd.db").write_bytes(migrated.read_bytes())
    opened = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    yield opened
    opened.close()


def secret(folder: Path, text: str) -> dict[str, str]:
    path = folder / hashlib.sha256(text.encode()).hexdigest()
    path.write_text(text)
    return {"file": str(path)}


@contextmanager
def listening(store: Store, receiver: dict[str, Any] | None = None, **sources: dict[str, Any]) -> Iterator[Address]:
    config = Config.model_validate({"receiver": receiver or {}, "sources": sources})
    with serving(SourceReceiver(config, store, lambda _: None), config.receiver) as address:
        yield address


def post(address: Address, path: str, body: bytes, headers: Headers | None = None) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request("POST", path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def rows(store: Store) -> tuple[int, int]:
    """How many deliveries and quarantined bodies the store has."""
    return len(store.inbox.waiting(100)), len(store.report.quarantine())


def encoded(kind: str = "bugsink", **keys: Any) -> bytes:
    return json.dumps(MAKERS[kind](**keys)).encode()


def signed(text: str, body: bytes, *, before: str = "", prefix: str = "", code: str = "hex") -> str:
    digest = hmac.new(text.encode(), before.encode() + body, "sha256").digest()
    return prefix + (digest.hex() if code == "hex" else base64.b64encode(digest).decode())


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(f"sender:{text}".encode()).decode()


LOGINS: dict[str, dict[str, Any]] = {
    "basic": {"login": "basic", "username": "sender"},
    "bearer": {"login": "bearer"},
    "header": {"login": "header", "header": "X-Token"},
    "hmac": {"login": "hmac", "header": "X-Signature", "prefix": "sha256="},
    "hmac base64 with a time": {
        "login": "hmac",
        "header": "X-Signature",
        "encoding": "base64",
        "timestamp_header": "X-Time",
        "signed": "{timestamp}:{body}",
    },
    "path": {"login": "path"},
}


def request(login: str, text: str, body: bytes) -> tuple[str, Headers]:
    """The path and the headers of a request to the source `here`."""
    now = str(int(time.time()))
    headers = {
        "basic": {"Authorization": basic(text)},
        "bearer": {"Authorization": f"Bearer {text}"},
        "header": {"X-Token": text},
        "hmac": {"X-Signature": signed(text, body, prefix="sha256=")},
        "hmac base64 with a time": {
            "X-Time": now,
            "X-Signature": signed(text, body, before=f"{now}:", code="base64"),
        },
        "path": {},
    }
    return f"/sources/here/{text}" if login == "path" else "/sources/here", headers[login]


@pytest.mark.parametrize("login", LOGINS)
def test_only_the_secret_of_the_source_opens_it(login: str, tmp_path: Path, store: Store) -> None:
    here = section("bugsink", **LOGINS[login], secret=secret(tmp_path, SECRET), previous_secret=secret(tmp_path, OLD))
    there = section("bugsink", **LOGINS[login], secret=secret(tmp_path, FOREIGN))
    body = encoded()
    with listening(store, here=here, there=there) as address, capture_logs() as lines:
        for wrong in (
            "guessed-and-long-enough",
            FOREIGN,
            SECRET + "x",
            SECRET[:-1],
            SECRET.upper(),
            "\xe9" if login == "header" else "-",
        ):
            path, headers = request(login, wrong, body)
            assert post(address, path, body, headers)[0] == 401, wrong
        assert post(address, "/sources/here", body)[0] == 401
        assert post(address, "/sources/here/", body)[0] == 401
        assert rows(store) == (0, 0)
        for right in (SECRET, OLD):
            path, headers = request(login, right, body)
            status, answer = post(address, path, body, headers)
            assert (status, answer["status"]) == (200, "accepted")
        path, headers = request(login, SECRET, body)
        assert post(address, path.replace("here", "there"), body, headers)[0] == 401
    assert rows(store) == (2, 0)
    assert {delivery.source for delivery in store.inbox.waiting(10)} == {"here"}
    written = repr(lines)
    assert [text for text in (SECRET, FOREIGN, OLD, "guessed") if text in written] == []


@pytest.mark.parametrize("login", ["hmac", "hmac base64 with a time"])
def test_a_signature_is_for_one_body(login: str, tmp_path: Path, store: Store) -> None:
    here = section("bugsink", **LOGINS[login], secret=secret(tmp_path, SECRET))
    body = encoded()
    with listening(store, here=here) as address:
        path, headers = request(login, SECRET, body)
        for changed in (body.replace(b"shop", b"shoq"), body + b" ", b""):
            assert post(address, path, changed, headers)[0] == 401
        for name in headers:
            assert post(address, path, body, {key: text for key, text in headers.items() if key != name})[0] == 401
        assert rows(store) == (0, 0)
        assert post(address, path, body, headers)[0] == 200


@pytest.mark.parametrize(
    ("offset", "expected"), [(0, 200), (-50, 200), (50, 200), (-70, 401), (70, 401), (10**12, 401), (None, 401)]
)
def test_a_signed_time_may_differ_by_the_tolerance(
    offset: int | None, expected: int, tmp_path: Path, store: Store
) -> None:
    keys = LOGINS["hmac base64 with a time"] | {"tolerance": "1m"}
    body = encoded()
    sent = "soon" if offset is None else str(int(time.time()) + offset)
    headers = {"X-Time": sent, "X-Signature": signed(SECRET, body, before=f"{sent}:", code="base64")}
    with listening(store, here=section("bugsink", **keys, secret=secret(tmp_path, SECRET))) as address:
        assert post(address, "/sources/here", body, headers)[0] == expected
    assert rows(store) == (int(expected == 200), 0)


def test_a_new_secret_in_the_file_counts_without_a_restart(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.config.values.LOOK_SECONDS", 0.0)
    place, body = secret(tmp_path, SECRET), encoded()
    with listening(store, here=section("bugsink", **LOGINS["hmac"], secret=place)) as address:
        path, headers = request("hmac", FOREIGN, body)
        assert post(address, path, body, headers)[0] == 401
        Path(place["file"]).write_text(FOREIGN)
        os.utime(place["file"], (1, 1))
        assert post(address, path, body, headers)[0] == 200
        assert post(address, *_signed_by(SECRET, body))[0] == 401


def _signed_by(text: str, body: bytes) -> tuple[str, bytes, Headers]:
    path, headers = request("hmac", text, body)
    return path, body, headers


STANDARD: dict[str, Any] = {
    "login": "hmac",
    "header": "webhook-signature",
    "prefix": "v1,",
    "encoding": "base64",
    "signed": "{header:webhook-id}.{timestamp}.{body}",
    "timestamp_header": "webhook-timestamp",
}


def test_signatures_of_standard_webhooks_are_those_of_their_own_library(tmp_path: Path, store: Store) -> None:
    keys = ["whsec_" + base64.b64encode(bytes([number]) * 24).decode() for number in (1, 2)]
    body, now = encoded(), datetime.now(UTC)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp()))}
    first, second = (Webhook(key).sign("msg_1", now, body.decode()) for key in keys)
    with listening(store, here=section("bugsink", **STANDARD, secret=secret(tmp_path, keys[0]))) as address:

        def status(signature: str, **more: str) -> int:
            return post(address, "/sources/here", body, headers | {"webhook-signature": signature} | more)[0]

        assert status(first) == 200
        assert status(f"{second} {first}") == 200
        assert status(second) == 401
        assert status(first.replace("v1,", "v2,")) == 401
        assert status(first, **{"webhook-id": "msg_2"}) == 401
    assert rows(store) == (2, 0)


@pytest.mark.parametrize(
    ("keys", "text", "reason"),
    [
        ({"login": "path"}, "short", "needs at least 16 letters"),
        ({"login": "path"}, "with/slashes/and/more", "needs at least 16 letters"),
        (STANDARD, "whsec_not base64!", "not base64"),
    ],
)
def test_a_secret_that_cannot_work_stops_the_start(
    keys: dict[str, Any], text: str, reason: str, tmp_path: Path, store: Store
) -> None:
    config = Config.model_validate({"sources": {"here": section("bugsink", **keys, secret=secret(tmp_path, text))}})
    with pytest.raises(ConfigError, match=reason) as error:
        SourceReceiver(config, store, lambda _: None)
    assert text not in str(error.value)


def test_without_a_secret_no_page_in_a_browser_can_send(store: Store) -> None:
    with listening(store, here=section("bugsink")) as address:
        assert post(address, "/sources/here", encoded(), {"Origin": "https://evil.example"})[0] == 403
        assert post(address, "/sources/here", encoded(), {"Host": "rebound.example"})[0] == 403
        assert rows(store) == (0, 0)
        assert post(address, "/sources/here", encoded())[0] == 200


def test_what_is_at_other_addresses(store: Store) -> None:
    with listening(store, here=section("bugsink")) as address, capture_logs() as lines:
        assert post(address, "/sources/her/3a9f-a-secret", encoded())[0] == 404
        assert post(address, "/sources/", encoded())[0] == 404
        assert post(address, "//sources//here//", encoded())[0] == 200
    assert "3a9f" not in repr(lines)


def test_the_notifications_of_a_body_are_stored_together_or_not_at_all(tmp_path: Path, store: Store) -> None:
    body = MAKERS["alertmanager"]("a")
    body["alerts"] += [MAKERS["alertmanager"](f"c{number}")["alerts"][0] for number in range(600)]
    sent = json.dumps(body).encode()
    with listening(store, here=section("alertmanager")) as address:
        with sqlite3.connect(tmp_path / "syncd.db") as database:
            database.execute(
                "CREATE TRIGGER full BEFORE INSERT ON deliveries WHEN (SELECT COUNT(*) FROM deliveries) > 550"
                " BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        assert post(address, "/sources/here", sent)[0] == 503
        assert rows(store) == (0, 0)
        with sqlite3.connect(tmp_path / "syncd.db") as database:
            database.execute("DROP TRIGGER full")
        status, answer = post(address, "/sources/here", sent)
    assert (status, len(answer["deliveries"])) == (200, 601)
    assert len(store.inbox.waiting(1000)) == 601


def test_what_cannot_be_read_is_kept_and_the_rest_counts(store: Store) -> None:
    body = MAKERS["alertmanager"]("a")
    body["alerts"].append({"status": "firing", "labels": {"email": "alice@example.com"}})
    with listening(store, {"max_body_bytes": 5000}, here=section("alertmanager")) as address:
        status, answer = post(address, "/sources/here", json.dumps(body).encode())
        assert (status, len(answer["deliveries"]), len(answer["quarantined"])) == (200, 1, 1)
        body["alerts"].pop(0)
        status, answer = post(address, "/sources/here", json.dumps(body).encode())
        assert (status, answer["error"]["code"]) == (422, "no_fingerprint")
        assert post(address, "/sources/here", b"{ mail: alice@example.com")[0] == 400
        assert post(address, "/sources/here", b"alice@example.com", {"Content-Encoding": "gzip"})[0] == 415
        assert post(address, "/sources/here", b" ")[0] == 400
        assert post(address, "/sources/here", b"x" * 5001)[0] == 413
    kept = store.report.quarantine()
    assert [(entry.source, entry.code) for entry in kept] == [
        ("here", "encoded_body"),
        ("here", "not_json"),
        ("here", "no_fingerprint"),
        ("here", "no_fingerprint"),
    ]
    assert all(b"alice" not in entry.body for entry in kept)


def test_what_is_about_no_crash_is_answered_200_and_not_stored(store: Store) -> None:
    body = {"action": "created", "installation": {"uuid": "7a48"}, "data": {"installation": {"id": 1}}}
    with listening(store, here=section("sentry")) as address:
        status, answer = post(address, "/sources/here", json.dumps(body).encode())
    assert (status, answer["status"]) == (200, "ignored")
    assert rows(store) == (0, 0)
