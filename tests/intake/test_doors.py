"""Who may send notifications: no page in a browser, no peer that guesses, and nobody who only holds connections."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest

from syncd.config import Receiver as Settings
from syncd.config import StoreSettings
from syncd.store import Store, open_store
from tests.factories import notification_json
from tests.intake.receiving import answer, locked, login, received, request, status

NOTIFICATION = json.dumps(notification_json()).encode()
HOST = b"Host: 127.0.0.1:8080\r\n"


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[Store]:
    (tmp_path / "syncd.db").write_bytes(migrated.read_bytes())
    opened = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    yield opened
    opened.close()


FROM_ELSEWHERE = {
    "a page": b"Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n",
    "a page without an origin of its own": b"Host: 127.0.0.1\r\nOrigin: null\r\n",
    "a form": b"Host: 127.0.0.1\r\nContent-Type: text/plain\r\nSec-Fetch-Site: cross-site\r\n",
    "its own page": b"Host: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n",
    "a name that leads here": b"Host: rebound.example:8080\r\n",
}


def test_without_a_login_no_page_in_a_browser_can_send(store: Store) -> None:
    with received(Settings(), store) as address:
        refused = {case: status(address, request(sent, body=NOTIFICATION)) for case, sent in FROM_ELSEWHERE.items()}
        assert status(address, request(HOST, body=NOTIFICATION)) == 200

    assert refused == dict.fromkeys(FROM_ELSEWHERE, 403)
    assert len(store.inbox.waiting(10)) == 1


def test_where_other_machines_may_send_without_a_login_they_may_use_any_name(store: Store) -> None:
    with received(Settings(allow_unauthenticated=True), store) as address:
        named = request(b"Host: syncd.example\r\n", body=NOTIFICATION)
        assert status(address, named) == 200
        assert status(address, request(FROM_ELSEWHERE["a page"], body=NOTIFICATION)) == 403


def test_a_login_says_more_than_where_a_request_comes_from(tmp_path: Path, store: Store) -> None:
    with received(locked(tmp_path), store) as address:
        for sent in FROM_ELSEWHERE.values():
            assert status(address, request(sent, login(), body=NOTIFICATION)) == 200
            assert status(address, request(sent, body=NOTIFICATION)) == 401


def test_guessing_is_slow_and_the_right_login_is_not(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.intake.receiver.FREE_FAILURES", 3)
    # Long enough for any machine; the end of the receiver ends the waits. tests/platform/test_admission.py has their lengths.
    monkeypatch.setattr("syncd.platform.admission.FAILURE_SECONDS", 600.0)
    monkeypatch.setattr("syncd.platform.admission.LONGEST_SECONDS", 600.0)
    wrong = request(HOST, login("guess"), body=NOTIFICATION)
    with ThreadPoolExecutor(5) as pool:
        with received(locked(tmp_path), store) as address:
            guesses = [pool.submit(status, address, wrong, patience=300.0) for _ in range(5)]
            answered = [guess.result() for guess in islice(as_completed(guesses, timeout=60.0), 3)]
            assert answered == [401] * 3
            for _ in range(10):
                # The same peer, as behind a proxy.
                assert status(address, request(HOST, login(), body=NOTIFICATION), patience=60.0) == 200
                assert status(address, request(HOST, body=NOTIFICATION), patience=60.0) == 401
            assert sum(guess.done() for guess in guesses) == 3
        assert {guess.result() for guess in guesses} <= {0, 401}


def test_an_answer_that_waits_holds_up_no_stop_and_no_other_connection(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.intake.receiver.FREE_FAILURES", 0)
    wrong = request(HOST, login("guess"), body=NOTIFICATION)
    with ExitStack() as stack:
        with received(locked(tmp_path, max_connections=5), store) as address:
            guessing = [stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(30)]
            for connection in guessing:
                connection.sendall(wrong)
            assert status(address, request(HOST, login(), body=NOTIFICATION)) == 200
            stopped = time.monotonic()
        # Those that had to wait ten seconds for their answer have it, or were closed for the sake of those after them.
        assert time.monotonic() - stopped < 3
        assert {answer(connection, b"") for connection in guessing} <= {0, 401, 503}


def test_connections_without_a_login_keep_out_nobody(tmp_path: Path, store: Store) -> None:
    post = request(HOST, login(), body=NOTIFICATION)
    with received(locked(tmp_path, max_connections=20), store) as address, ExitStack() as stack:
        sender = stack.enter_context(socket.create_connection(address, timeout=30))
        assert answer(sender, post) == 200
        strangers = []
        for number in range(60):
            stranger = stack.enter_context(socket.create_connection(address, timeout=30))
            # Idle; in its header; refused and kept; with a body that never ends.
            stranger.sendall((b"", b"POST /", request(HOST), request(HOST, length=9))[number % 4])
            strangers.append(stranger)
            if number % 20 == 10:
                time.sleep(0.15)  # longer than a stranger may take to say who it is
                assert status(address, post) == 200
        time.sleep(0.15)
        assert status(address, post) == 200
        assert answer(sender, post) == 200  # its connection was kept


def test_senders_that_have_logged_in_share_all_connections_and_no_more(tmp_path: Path, store: Store) -> None:
    post = request(HOST, login(), body=NOTIFICATION)
    with received(locked(tmp_path, max_connections=3), store) as address, ExitStack() as stack:
        # Whoever comes first is kept out no more than whoever comes last.
        first = stack.enter_context(socket.create_connection(address, timeout=30))
        strangers = [stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(9)]
        assert answer(first, post) == 200
        for stranger in (first, *strangers):
            stranger.close()
        senders, answers = [], []
        for _ in range(4):
            senders.append(stack.enter_context(socket.create_connection(address, timeout=30)))
            answers.append(answer(senders[-1], post))
        assert answers == [200, 200, 200, 503]
        senders[0].close()
        while status(address, post) != 200:
            pass


def test_a_body_that_takes_long_to_read_holds_up_no_other_sender(store: Store) -> None:
    levels = b"[" * 66 + b"]" * 66 + b","
    lengthy = b'{"universe":"a","project":"b","fingerprint":"c","x":[' + levels * 7_000 + b"1]}"
    with received(Settings(), store) as address, socket.create_connection(address, timeout=30) as sender:
        sender.sendall(request(HOST, body=lengthy))
        assert status(address, request(HOST, body=NOTIFICATION)) == 200
        assert len(store.inbox.waiting(10)) == 1  # the lengthy one is still being read
        assert answer(sender, b"") == 200


def test_a_crowd_from_elsewhere_leaves_a_sender_on_a_slow_link_its_connection(tmp_path: Path, store: Store) -> None:
    post = request(HOST, login(), body=NOTIFICATION)
    with received(locked(tmp_path, max_connections=20), store) as address, ExitStack() as stack:
        sender = stack.enter_context(socket.create_connection(address, 30, ("127.0.0.2", 0)))
        for _ in range(4):  # each time as many as there are connections
            for _ in range(20):
                stack.enter_context(socket.create_connection(address, timeout=30))
            time.sleep(0.15)
        assert answer(sender, post) == 200
