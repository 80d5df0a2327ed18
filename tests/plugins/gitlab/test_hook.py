"""GitLab's webhooks: whose reports are authentic, what they name, and a closing that is read within seconds."""

import base64
import hashlib
import hmac
import http.client
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from syncd.config import StoreSettings
from syncd.plugin import Report
from syncd.plugins.gitlab import hook
from syncd.store import read_store
from syncd.trackers import hooks
from tests.prove.crashes import crash, until
from tests.system.daemon import Daemon
from tests.system.kinds import GITLAB, opened

# The published example of Standard Webhooks.
KEY = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SIGNED = {
    b"webhook-id": b"msg_p5jXN8AQM9LWM0D4loKWxJek",
    b"webhook-timestamp": b"1614265330",
    b"webhook-signature": b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
CLOSED: dict[str, Any] = {
    "object_kind": "issue",
    "event_type": "issue",
    "project": {"id": 42, "path_with_namespace": "acme/game"},
    "object_attributes": {
        "id": 9001,
        "iid": 1,
        "project_id": 42,
        "action": "close",
        "updated_at": "2026-11-30T12:00:00Z",
    },
}


def read(payload: object) -> Report | None:
    return hook.read({}, json.dumps(payload).encode())


def signed(key: bytes, body: bytes, number: bytes = b"n1") -> dict[bytes, bytes]:
    digest = hmac.digest(key, b".".join((number, b"1790000000", body)), hashlib.sha256)
    return {
        b"webhook-id": number,
        b"webhook-timestamp": b"1790000000",
        b"webhook-signature": b"v1," + base64.b64encode(digest),
    }


def test_a_signature_counts_as_the_published_example_computes_it() -> None:
    assert hook.is_authentic(SIGNED, BODY, [b"another", KEY])
    assert not hook.is_authentic(SIGNED, BODY + b" ", [KEY])
    assert not hook.is_authentic(SIGNED, BODY, [b"another"])
    assert not hook.is_authentic({**SIGNED, b"webhook-id": b"msg_another"}, BODY, [KEY])
    assert not hook.is_authentic({**SIGNED, b"webhook-timestamp": b"1614265331"}, BODY, [KEY])
    several = b"v1a,xxx v1,AAAA " + SIGNED[b"webhook-signature"]
    assert hook.is_authentic({**SIGNED, b"webhook-signature": several}, BODY, [KEY])
    assert hook.is_authentic(signed(b"no base64 at all", BODY), BODY, [b"no base64 at all"])


@given(st.binary(min_size=24, max_size=64), st.binary(max_size=60))
def test_what_the_library_of_standard_webhooks_signs_is_authentic(secret: bytes, body: bytes) -> None:
    key = b"whsec_" + base64.b64encode(secret)
    text, at = body.hex(), datetime.fromtimestamp(1_790_000_000, UTC)
    signature = Webhook(key.decode()).sign("n1", at, text).encode()
    headers = {b"webhook-id": b"n1", b"webhook-timestamp": b"1790000000", b"webhook-signature": signature}

    assert hook.is_authentic(headers, text.encode(), [b"old", key])
    assert not hook.is_authentic(headers, text.encode() + b"x", [b"old", key])


def test_a_token_counts_only_without_a_signature() -> None:
    assert hook.is_authentic({b"x-gitlab-token": b"s3cret"}, BODY, [b"old", b"s3cret"])
    assert not hook.is_authentic({b"x-gitlab-token": b"s3cre"}, BODY, [b"s3cret"])
    assert not hook.is_authentic({b"x-gitlab-token": b""}, BODY, [b"s3cret"])
    assert not hook.is_authentic({}, BODY, [b"s3cret"])
    assert not hook.is_authentic({b"x-gitlab-token": b"s3cret", b"webhook-signature": b"v1,AAAA"}, BODY, [b"s3cret"])
    assert (hook.signature({}), hook.signature({b"x-gitlab-token": b" a "})) == (b"", b"a")


@given(
    st.dictionaries(st.sampled_from([*sorted(SIGNED), b"x-gitlab-token"]), st.binary(max_size=40)),
    st.binary(max_size=40),
)
def test_no_hostile_header_is_authentic(headers: dict[bytes, bytes], body: bytes) -> None:
    assert not hook.is_authentic(headers, body, [KEY, b"whsec_no base64", "schlüssel".encode()])


def test_issues_of_every_type_are_named_by_project_and_number() -> None:
    assert read(CLOSED) == Report(issues=("42/1",), changed_at=1_796_040_000.0)
    for kind in ("work_item", "incident", "task"):
        assert read({**CLOSED, "object_kind": kind}) == read(CLOSED)
    without = {key: value for key, value in CLOSED.items() if key != "project"}
    assert read(without) == read(CLOSED), "the attributes name the project as well"
    assert read({"object_kind": "milestone", "project": {"id": 42}}) == Report(whole=True, home="42")


@pytest.mark.parametrize(
    "change",
    [
        {"object_kind": "note"},
        {"object_kind": "push"},
        {"object_attributes": {"iid": 1, "action": "open"}},
        {"object_attributes": None},
        {"object_kind": 7},
    ],
)
def test_what_is_about_no_issue_is_no_reason_to_look(change: dict[str, object]) -> None:
    report = read({**CLOSED, **change})
    assert report is not None
    assert report.silence
    assert (report.issues, report.whole) == ((), False)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["object_kind", "object_attributes", "iid", "id", "project"]), inner)
        ),
    )
)
def test_any_json_is_read_and_anything_else_is_none(payload: object) -> None:
    assert read(payload) is not None
    assert hook.read({}, b"{") is None


def test_each_try_of_a_delivery_has_one_number() -> None:
    assert hook.delivery({b"idempotency-key": b"n1"}) == hook.delivery({b"webhook-id": b"n1"}) == b"n1"
    assert hook.delivery({}) == b""


def test_a_hook_of_a_plug_in_that_cannot_be_used_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.config.plugins.SHIPPED", {"gitlab": ("syncd.no_such_module:PLUGIN", "syncd[gitlab]")})
    reader = hooks.reader("gitlab")

    assert reader.signature(SIGNED) == b""
    assert not reader.is_authentic(SIGNED, BODY, [KEY])


@pytest.mark.slow
def test_a_closing_that_gitlab_reports_is_known_within_seconds(tmp_path: Path) -> None:
    (tmp_path / "hook").write_bytes(KEY)
    with opened(GITLAB, tmp_path) as tracker:
        section = f'[hooks.game]\ntracker = "here"\nsecret = {{ file = "{tmp_path}/hook" }}\n'
        with Daemon(tmp_path, tracker.toml() + section) as daemon:
            daemon.send(crash(1, 1))
            daemon.drain()
            issue = tracker.fake.project.issues[1]  # type: ignore[union-attr]  # the fake of this kind
            tracker.fake.set_state(issue, "closed")  # type: ignore[union-attr]

            def post(headers: dict[bytes, bytes]) -> int:
                connection = http.client.HTTPConnection(*daemon.address, timeout=30)
                body = json.dumps(CLOSED).encode()
                sent = {name.decode(): value.decode() for name, value in headers.items()}
                connection.request("POST", "/hooks/game", body, {"Content-Type": "application/json", **sent})
                with closing(connection):
                    return connection.getresponse().status

            body = json.dumps(CLOSED).encode()
            assert post({}) == 401
            assert post(signed(b"another", body)) == 401
            assert post({b"x-gitlab-token": b"another"}) == 401
            assert post(signed(base64.b64decode(KEY.removeprefix(b"whsec_")), body)) == 200

            def is_closed() -> bool:
                with closing(read_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))) as store:
                    stored = store.report.groups()[0].issue
                return stored is not None and stored.condition is not None and stored.condition.closed

            until(is_closed, "the closing", 10)
