"""Input of an attacker, a broken sender, or a curious neighbour. Afterwards the daemon still serves."""

import base64
import gzip
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system import reference
from tests.system.daemon import PASSWORD, Daemon
from tests.system.kinds import ROUTE

HEADER_SECONDS, BODY_SECONDS = 2.0, 2.0
LOGIN = b"Authorization: Basic " + base64.b64encode(f"backtrace:{PASSWORD}".encode()) + b"\r\n"
POST = b"POST /webhooks/backtrace HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("hostile")
    trackers = f'[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n{ROUTE}'
    limits = f"header_seconds = {HEADER_SECONDS}\nbody_seconds = {BODY_SECONDS}\n"
    with Daemon(folder, trackers, limits) as started:
        yield started


def talk(daemon: Daemon, *pieces: bytes, patience: float = 5.0) -> bytes:
    """Everything the daemon says until it closes, or until it has been silent for so long."""
    answer = b""
    with socket.create_connection(daemon.address, timeout=patience) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionError):
            pass
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(part[:4]) for part in answer.split(b"HTTP/1.1")[1:]]


def post(daemon: Daemon, body: bytes, headers: bytes = b"") -> tuple[int, dict[str, Any]]:
    length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    answer = talk(daemon, POST + LOGIN + headers + length + body)
    (status,) = statuses(answer)
    return status, json.loads(answer.partition(b"\r\n\r\n")[2])


def notification(**overrides: object) -> bytes:
    notification = reference.story(groups=1, size=11, seed=3)[0]
    return json.dumps(notification | overrides).encode()


NESTED = b'{"universe":"a","project":"b","fingerprint":"c","x":' + b"[" * 63 + b"]" * 63 + b"}"

BODIES = {
    "nothing": (b"", 400, "no_body"),
    "not JSON": (b"crash!", 400, "not_json"),
    "a trailing comma": (notification()[:-1] + b",}", 400, "not_json"),
    "a form": (b"payload=" + notification(), 400, "not_json"),
    "an open nest": (b"[" * 100_000, 400, "not_json"),
    "100,000 levels": (b"[" * 100_000 + b"]" * 100_000, 422, "not_a_notification"),
    "a fingerprint that is not UTF-8": (b'{"universe":"a","project":"b","fingerprint":"\xff"}', 422, "bad_fingerprint"),
    "a list": (b"[]", 422, "not_a_notification"),
    "no fingerprint": (b'{"universe":"a","project":"b"}', 422, "no_fingerprint"),
    "an empty project": (notification(project="  "), 422, "no_project"),
    "a fingerprint that is a list": (notification(fingerprint=["a"]), 422, "no_fingerprint"),
    "a fingerprint with NUL": (notification(fingerprint="a\0b"), 422, "bad_fingerprint"),
    "a fingerprint of a megabyte": (notification(fingerprint="a" * 1_000_000), 422, "bad_fingerprint"),
    "more than a megabyte": (b" " * (2**20 + 1), 413, "too_large"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_is_no_notification_is_refused_with_a_code(daemon: Daemon, case: str) -> None:
    body, status, code = BODIES[case]

    answered, answer = post(daemon, body)

    assert (answered, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]


def test_a_refusal_names_the_field(daemon: Daemon) -> None:
    _, answer = post(daemon, b'{"universe":"a","fingerprint":"c"}')

    assert answer["error"]["field"] == "project"


def test_what_can_be_identified_is_taken_whatever_else_it_holds(daemon: Daemon) -> None:
    odd = notification(
        callstack='{"frame":["a"]}', attributes={"version": [[None, 1], [3, "x"]]}, timestamp=[], hosts=-1
    )

    clumsy = (
        b"\xef\xbb\xbf" + notification(),
        notification().decode().encode("utf-16"),
        *(
            notification()[:-1] + b',"x":' + value + b"}"
            for value in (b"NaN", b"1e999", b"9" * 10_000, b'"\\ud83d"', b'"\xff"')
        ),
        NESTED.replace(b"[" * 63, b"[" * 100_000).replace(b"]" * 63, b"]" * 100_000),
    )
    for body in (NESTED, odd, notification(application="*", classifiers="a b", occurrences="many"), *clumsy):
        assert post(daemon, body)[0] == 200
    assert daemon.log.read_text().count('"partly_read":true') == 6


LOGINS = {
    "no login": b"",
    "another scheme": b"Authorization: Bearer x\r\n",
    "no base64": b"Authorization: Basic ####\r\n",
    "a wrong password": b"Authorization: Basic " + base64.b64encode(b"backtrace:wrong") + b"\r\n",
    "an empty password": b"Authorization: Basic " + base64.b64encode(b"backtrace:") + b"\r\n",
}


@pytest.mark.parametrize("case", LOGINS)
def test_without_the_right_login_it_is_401_before_a_byte_of_the_body_is_read(daemon: Daemon, case: str) -> None:
    head = POST + LOGINS[case] + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"

    answer = talk(daemon, head, patience=1.0)

    # Whoever reads a body of such a request must ask for it first.
    assert statuses(answer) == [401]
    assert b"www-authenticate: Basic" in answer


def test_after_401_an_endless_body_is_not_listened_to(daemon: Daemon) -> None:
    answer = talk(daemon, POST + b"Transfer-Encoding: chunked\r\n\r\n", patience=1.0)

    assert statuses(answer) == [401]
    assert b"connection: close" in answer


FRAMINGS = {
    "a negative length": POST + LOGIN + b"Content-Length: -5\r\n\r\n",
    "a signed length": POST + LOGIN + b"Content-Length: +2\r\n\r\n{}",
    "two lengths": POST + LOGIN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a length of 5,000 digits": POST + LOGIN + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a length and chunks": POST
    + LOGIN
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "an unknown transfer encoding": POST + LOGIN + b"Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunked not last": POST + LOGIN + b"Transfer-Encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "a space before the colon": POST + LOGIN + b"Content-Length : 2\r\n\r\n{}",
    "a folded header": POST + LOGIN + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}",
    "bare line feeds": b"POST /livez HTTP/1.1\nHost: x\n\n",
    "NUL in a header": POST + b"X-A: b\x00c\r\nContent-Length: 2\r\n\r\n{}",
    "two hosts": POST + LOGIN + b"Host: y\r\nContent-Length: 2\r\n\r\n{}",
    "no host": POST.replace(b"Host: x\r\n", b"") + LOGIN + b"Content-Length: 2\r\n\r\n{}",
    "two logins": POST + LOGIN + LOGIN + b"Content-Length: 2\r\n\r\n{}",
    "compressed chunks": POST + LOGIN + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks of HTTP/1.0": POST.replace(b"1.1", b"1.0")
    + LOGIN
    + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "HTTP/0.9": b"GET /livez\r\n\r\n",
    "HTTP/2.0 in the request line": POST.replace(b"HTTP/1.1", b"HTTP/2.0") + LOGIN + b"Content-Length: 2\r\n\r\n{}",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + os.urandom(160),
}


@pytest.mark.parametrize("case", FRAMINGS)
def test_a_request_that_two_parsers_could_read_differently_is_refused_whole(daemon: Daemon, case: str) -> None:
    assert statuses(talk(daemon, FRAMINGS[case])) == [400]


def test_a_header_of_any_size_is_cut_off_early(daemon: Daemon) -> None:
    before = resident(daemon)

    for _ in range(3):
        talk(daemon, POST + b"X-Big: ", *[b"a" * 2**20] * 64)

    # 64 MB of header were offered three times.
    assert resident(daemon) - before < 16 * 2**20


def resident(daemon: Daemon) -> int:
    pages = Path(f"/proc/{daemon.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"a":1}', 422), (b'{"a":1', 400), (b" " * 2**20, 413)],
    ids=["no identity", "no JSON", "too large"],
)
def test_refused_bodies_leave_no_trace_in_memory(daemon: Daemon, body: bytes, status: int) -> None:
    # The full number, 10,000, is measured by `make bench ONLY=memory-refused`.
    refused = body + b" " * 900_000
    for number in range(60):
        if number == 10:
            before = resident(daemon)
        assert post(daemon, refused)[0] == status

    assert resident(daemon) - before < 20 * 2**20


def test_many_small_headers_are_as_large_as_one(daemon: Daemon) -> None:
    headers = b"".join(b"X-%d: a\r\n" % number for number in range(20_000))

    assert statuses(talk(daemon, POST + headers)) in ([400], [])


@pytest.mark.parametrize("sent", [b"", b"POST /webhooks/backtrace HTTP/1.1\r\n", POST + b"X-A: b\r\n"])
def test_a_header_that_is_never_finished_is_hung_up_on(daemon: Daemon, sent: bytes) -> None:
    started = time.monotonic()

    answer = talk(daemon, sent, patience=HEADER_SECONDS + 5)

    assert answer == b""
    assert HEADER_SECONDS - 0.5 < time.monotonic() - started < HEADER_SECONDS + 3


LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
UNFINISHED = {
    "a body after its 401": (POST + b"Content-Length: 100\r\n\r\n", b"{"),
    "a body that nobody asked for": (LIVE + b"Content-Length: 100\r\n\r\n", b"{"),
    "chunks to nowhere": (b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n"),
    "an empty line after an answer": (LIVE + b"\r\n", b"\r\n"),
}


@pytest.mark.parametrize("case", UNFINISHED)
def test_who_goes_on_after_the_answer_and_never_finishes_cannot_hold_a_connection(daemon: Daemon, case: str) -> None:
    before, after = UNFINISHED[case]
    with socket.create_connection(daemon.address, timeout=HEADER_SECONDS + 8) as connection:
        connection.sendall(before)
        assert connection.recv(65536)
        connection.sendall(after)

        # Until the other side closes, which otherwise is a TimeoutError here.
        rest = [*iter(lambda: connection.recv(65536), b"")]
    assert b"HTTP/1.1" not in b"".join(rest)


def test_a_body_that_does_not_come_is_answered_408(daemon: Daemon) -> None:
    answer = talk(daemon, POST + LOGIN + b"Content-Length: 100\r\n\r\n{", patience=BODY_SECONDS + 5)

    assert statuses(answer) == [408]


@pytest.mark.parametrize("length", [b"Content-Length: 3000000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_who_sends_too_much_sees_413_and_no_reset(daemon: Daemon, length: bytes) -> None:
    body = [b"x" * 3_000_000] if b"Length" in length else [*[b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 48, b"0\r\n\r\n"]

    answer = talk(daemon, POST + LOGIN + length + b"\r\n", *body)

    assert statuses(answer) == [413]
    assert b"too_large" in answer


def test_a_request_to_upgrade_is_answered_as_without_it(daemon: Daemon) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"

    assert post(daemon, notification(), upgrade)[0] == 200


def test_a_compressed_body_is_never_unpacked(daemon: Daemon) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)

    assert post(daemon, bomb, b"Content-Encoding: gzip\r\n")[0] == 415
    assert post(daemon, notification(), b"Content-Encoding: identity\r\n")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhooks/backtrace", 405),
        ("PUT", "/webhooks/backtrace", 405),
        ("GET", "/webhooks/backtrace/", 405),
        ("GET", "/webhooks", 404),
        ("POST", "/readyz", 405),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
    ],
)
def test_other_requests_are_answered_as_usual(daemon: Daemon, method: str, path: str, status: int) -> None:
    connection = http.client.HTTPConnection(*daemon.address, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()

    assert answer.status == status
    assert (status == 200) or set(body["error"]) == {"code", "message"}


@pytest.mark.parametrize(
    "path", ["/webhooks/backtrace/", "//webhooks/backtrace", "/webhooks//backtrace/", "/webhooks/backtrace?x=1"]
)
def test_a_path_with_a_slash_too_many_is_taken(daemon: Daemon, path: str) -> None:
    head = POST.replace(b"/webhooks/backtrace", path.encode()) + LOGIN + b"Connection: close\r\n"
    body = notification()

    assert statuses(talk(daemon, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)) == [200]


def test_a_post_to_an_unknown_path_is_counted_and_logged_once_a_minute(daemon: Daemon) -> None:
    for path in (b"/webhook/backtrace", b"/", b"/hooks/%1b[31m"):
        for _ in range(20):
            head = POST.replace(b"/webhooks/backtrace", path) + b"Connection: close\r\n"
            assert statuses(talk(daemon, head + b"Content-Length: 2\r\n\r\n{}")) == [404]

    lines = [line for line in map(json.loads, daemon.log.read_text().splitlines()) if line["event"] == "path_unknown"]
    # Whichever test was the first to use an unknown path; on a slow machine the tests take more than a minute.
    assert 1 <= len(lines) <= 4
    assert {line["path"] for line in lines} <= {"/nowhere", "/webhook/backtrace", "/hooks/\ufffd[31m"}
    assert {line["peer"] for line in lines} == {"127.0.0.1"}


def test_what_is_no_notification_is_kept_and_can_be_replayed_or_discarded(daemon: Daemon) -> None:
    post(daemon, b'{"universe":"a","test":"integration"}')

    kept = json.loads(daemon.syncd("quarantine", "list", "--json"))
    assert kept[0]["code"] == "no_project"
    assert json.loads(kept[0]["body"]) == {"universe": "a", "test": "integration"}
    number = str(kept[0]["id"])
    assert "still no notification" in daemon.syncd("quarantine", "replay", number)
    daemon.syncd("quarantine", "discard", number, "--dry-run")
    assert json.loads(daemon.syncd("quarantine", "list", "--json"))[0]["id"] == kept[0]["id"]
    daemon.syncd("quarantine", "discard", number)
    assert kept[0]["id"] not in [entry["id"] for entry in json.loads(daemon.syncd("quarantine", "list", "--json"))]
    daemon.syncd("quarantine", "discard", number, code=4)


def test_no_password_and_no_body_is_ever_logged(daemon: Daemon) -> None:
    post(daemon, b'{"universe":"a","secret":"do-not-log-me"}')
    talk(
        daemon,
        POST + b"Authorization: Basic " + base64.b64encode(b"me:guessed-password") + b"\r\n\r\n",
        patience=0.5,
    )

    written = daemon.log.read_text()
    assert "delivery_quarantined" in written
    for secret in (
        "do-not-log-me",
        "guessed-password",
        PASSWORD,
        base64.b64encode(b"me:guessed-password").decode(),
    ):
        assert secret not in written


def test_after_all_that_the_daemon_still_serves(daemon: Daemon) -> None:
    afterwards = [reference.story(groups=1, size=11, seed=9)[0] | {"project": "afterwards"}]
    daemon.send_all(afterwards, clients=1)
    daemon.drain()

    (group,) = [group for group in daemon.groups().values() if group["project"] == "afterwards"]
    assert group["issue"]["state"] == "linked"
    assert '"unexpected_error"' not in daemon.log.read_text()
