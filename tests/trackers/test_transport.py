"""Failures below HTTP, made with real sockets: what was certainly never sent, and what nobody can know."""

import secrets
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from syncd.config import Secret
from syncd.errors import Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.platform.clock import Clock
from syncd.trackers import transport
from syncd.trackers.github.answers import failure
from tests.fakes.server import Answer, Fault, How, Recorded, Routes, ServerBase
from tests.fakes.tls import certificate, tls
from tests.ports import free_port
from tests.trackers.clock import AdapterClock

HOST = "tracker.example"
SECRET = secrets.token_hex(16)


class Counter(ServerBase):
    """Counts what it carried out."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def routes(self) -> Routes:
        return [("POST", "/count", self._count)]

    def _count(self, request: Recorded) -> Answer:
        self.count += 1
        return 201, {}, {"count": self.count, "padding": "x" * 4000}


@pytest.fixture
def counter() -> Iterator[Counter]:
    with Counter() as server:
        yield server


def post(url: str, **options: Any) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    with session, transport.explained(HOST):
        headers = {"Authorization": f"token {SECRET}"}
        return session.post(url, json={"title": SECRET}, headers=headers, **{"timeout": 5, **options})
    raise AssertionError


def test_a_refused_connection_was_never_sent() -> None:
    with pytest.raises(Unavailable, match=r"^no connection to tracker\.example: connection refused$"):
        post(f"http://127.0.0.1:{free_port()}/count")


def test_a_name_that_does_not_resolve_was_never_sent() -> None:
    with pytest.raises(Unavailable, match="could not be resolved on the way to tracker"):
        post("http://nobody.invalid/count")


def test_a_connection_that_is_not_taken_in_time_was_never_sent() -> None:
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):  # the kernel keeps one more than it was told to, and drops the rest
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())

        with pytest.raises(Unavailable, match="no connection"):
            post(f"http://127.0.0.1:{full.getsockname()[1]}/count", timeout=(0.2, 5))


def test_a_proxy_that_is_not_there_was_never_passed(counter: Counter) -> None:
    proxies = {"https": f"http://127.0.0.1:{free_port()}"}

    with pytest.raises(Unavailable, match="no connection"):
        post("https://tracker.invalid/count", proxies=proxies)


def test_a_proxy_that_opens_no_tunnel_was_never_passed(counter: Counter) -> None:
    with pytest.raises(Unavailable, match=r"the proxy does not connect to tracker\.example"):
        post("https://tracker.invalid/count", proxies={"https": counter.url})


@pytest.mark.parametrize("url", ["http://", "tracker/count", "http://a..b/count", "ftp://127.0.0.1/count"])
def test_an_address_that_is_none_was_never_sent(url: str) -> None:
    with pytest.raises(Misconfigured, match="not valid"):
        post(url)


@pytest.mark.parametrize("how", ["reset_before", "reset_after", "half_after"])
def test_a_connection_that_breaks_later_is_an_unknown_outcome(counter: Counter, how: How) -> None:
    counter.inject(Fault(how=how))

    with pytest.raises(OutcomeUnknown, match="broke before its answer was whole"):
        post(f"{counter.url}/count")
    assert len(counter.requests) == 1
    assert counter.count == (how != "reset_before")


def test_an_answer_that_does_not_come_in_time_is_an_unknown_outcome(counter: Counter) -> None:
    counter.inject(Fault(how="hang_after"))

    with pytest.raises(OutcomeUnknown, match="did not answer in time"):
        post(f"{counter.url}/count", timeout=(5, 0.2))
    assert counter.count == 1


def test_a_reset_while_an_earlier_refusal_is_handled_is_an_unknown_outcome(counter: Counter) -> None:
    """The later error has the earlier one as its context, which must not be taken for its cause."""
    counter.inject(Fault(how="reset_after"))

    try:
        post(f"http://127.0.0.1:{free_port()}/count")
    except Unavailable:
        with pytest.raises(OutcomeUnknown):
            post(f"{counter.url}/count")
    assert counter.count == 1


def test_errors_show_neither_payload_nor_token(counter: Counter) -> None:
    counter.inject(Fault(how="reset_after"))

    for url in (f"http://127.0.0.1:{free_port()}/count", f"{counter.url}/count", "http://a..b/count"):
        with pytest.raises(TrackerError) as caught:
            post(f"{url}?key={SECRET}")
        text = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert SECRET not in text


def test_a_certificate_that_nobody_vouches_for_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    with (
        tls(*certificate(tmp_path, "localhost")) as port,
        pytest.raises(Unavailable, match=r"certificate of tracker\.example was not accepted: self-signed"),
    ):
        post(f"https://localhost:{port}/count")


def test_a_certificate_for_another_name_is_told_and_nothing_was_sent(tmp_path: Path) -> None:
    public, key = certificate(tmp_path, "elsewhere.example")

    with tls(public, key) as port, pytest.raises(Unavailable, match=r"not accepted: Hostname mismatch"):
        post(f"https://localhost:{port}/count", verify=transport.trust("ca_file", str(public)))


def test_a_certificate_in_the_configured_file_is_trusted(tmp_path: Path) -> None:
    public, key = certificate(tmp_path, "localhost")

    with tls(public, key) as port:
        answer = post(f"https://localhost:{port}/count", verify=transport.trust("ca_file", str(public)))
    assert answer.status_code == 201


@pytest.mark.parametrize("content", [None, "no certificates here"])
def test_a_file_without_certificates_is_a_fault_of_the_configuration(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(Misconfigured, match=r"^trackers\.x\.ca_file: .*ca\.pem"):
        transport.trust("trackers.x.ca_file", str(path))


def test_without_a_file_the_usual_authorities_are_trusted() -> None:
    assert transport.trust("trackers.x.ca_file", None) is True


def test_a_token_comes_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")

    assert transport.token("trackers.x.token", Secret(file=str(tmp_path / "token"))) == SECRET


@pytest.mark.parametrize("spoilt", ["{}\nmore", "{}\u20ac", "a {}", "{}\x07"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(tmp_path: Path, spoilt: str) -> None:
    (tmp_path / "token").write_text(spoilt.format(SECRET), encoding="utf-8")

    with pytest.raises(Misconfigured, match=r"^trackers\.x\.token: ") as caught:
        transport.token("trackers.x.token", Secret(file=str(tmp_path / "token")))
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_token_that_is_not_there_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"^trackers\.x\.token: the secret in .* cannot be read"):
        transport.token("trackers.x.token", Secret(file=str(tmp_path / "token")))


class FailingConnection(transport.Connection):
    """Raises each of `errors` in turn, and then answers."""

    def __init__(
        self, errors: Sequence[TrackerError], sleep: Callable[[float], None], clock: Clock | None = None
    ) -> None:
        super().__init__(f"https://{HOST}/api", failure, clock or Clock(), sleep)
        self.errors = list(errors)
        self.count = 0

    def send_once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: transport.Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> transport.Answer:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return transport.Answer(200, {}, b"{}")

    def close(self) -> None:
        """Nothing is open."""


def test_a_harmless_request_is_sent_three_times_at_most() -> None:
    clock = AdapterClock()
    recovering = FailingConnection([Unavailable("1"), OutcomeUnknown("2")], clock.sleep)
    failing = FailingConnection([Unavailable("1"), Unavailable("2"), Unavailable("3")], clock.sleep)

    assert recovering.send_idempotent("GET", "issues").ok
    with pytest.raises(Unavailable, match="3"):
        failing.send_idempotent("GET", "issues")
    assert (recovering.count, failing.count) == (3, 3)
    assert len(clock.waits) == 4
    assert all(0 < wait <= 5 for wait in clock.waits)


def test_a_harmless_request_is_not_sent_again_after_ten_seconds() -> None:
    clock = AdapterClock()
    clock.step = 6.0
    failing = FailingConnection([Unavailable("1"), Unavailable("2")], clock.sleep, clock)

    with pytest.raises(Unavailable, match="2"):
        failing.send_idempotent("GET", "issues")
    assert failing.count == 2


class AnsweringConnection(FailingConnection):
    """Gives one answer, or raises one error."""

    def __init__(self, answer: transport.Answer | TrackerError) -> None:
        super().__init__([answer] if isinstance(answer, TrackerError) else [], AdapterClock().sleep)
        self.answer = answer

    def send_once(self, *arguments: Any, **options: Any) -> transport.Answer:
        super().send_once(*arguments, **options)
        assert isinstance(self.answer, transport.Answer)
        return self.answer


PAGE = b"<!doctype html><title>Sign in</title>"
JSON = b'{"message": "x"}'
OWN = b'{"id": 7}'


def recognises(answer: transport.Answer) -> bool:
    """The API under test answers a read with an object that has an id."""
    return isinstance(answer.json, dict) and "id" in answer.json


def statuses() -> Iterator[tuple[int, bytes, str, bool]]:
    """Status, body, redirect, and whether an API gives such an answer to a read."""
    for status in range(100, 600):
        for body in (b"", PAGE, JSON, OWN, b"[]", b"7", b"null", b'{"cut'):
            is_json = body not in (b"", PAGE, b'{"cut', b"null")
            if status in (301, 302, 303, 307, 308):
                yield status, body, "https://sso.example/login", is_json
                yield status, body, "/login", is_json
                yield status, body, f"https://{HOST}/api/repositories/7", True
            elif 200 <= status < 300:
                yield status, body, "", body == OWN
            elif 300 <= status < 400:
                yield status, body, "", True
            elif 400 <= status < 500:
                yield status, body, "", status not in (407, 408) and (body != PAGE or status in (401, 403, 429))
            else:
                yield status, body, "", False


def test_only_an_answer_of_the_api_ends_an_outage() -> None:
    for status, body, location, answers in statuses():
        connection = AnsweringConnection(transport.Answer(status, {"location": location} if location else {}, body))
        failure = None
        try:
            connection.ping("repos/x/y", recognises)
        except TrackerError as error:
            failure = error
        assert isinstance(failure, Unavailable) != answers, (status, body, location)
        assert isinstance(failure, Throttled) == (status == 429)
        if isinstance(failure, Unavailable):
            assert f"{HOST}:443" in failure.reason
        assert connection.count == 1


@pytest.mark.parametrize("error", [Unavailable("no connection"), OutcomeUnknown("it broke")])
def test_a_read_without_an_answer_is_sent_once_and_never_in_doubt(error: TrackerError) -> None:
    connection = AnsweringConnection(error)

    with pytest.raises(Unavailable, match=error.reason):
        connection.ping("repos/x/y", recognises)
    assert connection.count == 1


def test_a_harmless_request_is_never_in_doubt() -> None:
    with pytest.raises(Unavailable, match="3"):
        FailingConnection([*map(OutcomeUnknown, "123")], AdapterClock().sleep).send_idempotent("GET", "issues")


@pytest.mark.parametrize("error", [Misconfigured("m"), Refused("r"), Unavailable("later", retry_after=30)])
def test_an_error_that_another_attempt_cannot_mend_is_raised_at_once(error: TrackerError) -> None:
    clock = AdapterClock()

    with pytest.raises(type(error)):
        FailingConnection([error], clock.sleep).send_idempotent("GET", "issues")
    assert clock.waits == []
