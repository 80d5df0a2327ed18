"""The requests of python-gitlab: one for each call, without its own patience, and no redirect followed with the token."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from syncd.errors import Misconfigured, OutcomeUnknown, Throttled, Unavailable
from syncd.plugin.conformance import Fault
from syncd.plugin.conformance.samples import DRAFT
from tests.fakes.gitlab import TOKEN
from tests.plugins.gitlab.world import GitLabWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with GitLabWorld(tmp_path) as world:
        yield world


@pytest.mark.parametrize("status", [409, 429, 500, 502, 503])
def test_a_create_is_sent_once_whatever_the_answer(status: int, world: GitLabWorld) -> None:
    tracker = world.open()
    world.fake.inject(Fault(how="status_after", path="/issues$", status=status, headers={"Retry-After": "1"}, times=9))

    with pytest.raises((OutcomeUnknown, Throttled, Unavailable)) as caught:
        tracker.create(DRAFT)
    assert len(world.fake.sent("POST", "/issues$")) == 1
    assert isinstance(caught.value, OutcomeUnknown) is (status >= 500)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("how", ["half_after", "garbage_after", "empty_after", "reset_after"])
def test_an_answer_that_cannot_be_read_leaves_a_create_in_doubt(how: str, world: GitLabWorld) -> None:
    tracker = world.open()
    world.fake.inject(Fault(how=how, path="/issues$"))  # type: ignore[arg-type]  # one of the names of `How`

    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)
    assert (len(world.items()), len(world.fake.sent("POST", "/issues$"))) == (1, 1)


def test_a_read_is_repeated_and_a_limit_is_waited_for(world: GitLabWorld) -> None:
    tracker = world.open()
    world.fake.inject(Fault(how="status", method="GET", path="/issues$", times=2))
    assert tracker.newest() == 0
    assert len(world.fake.sent("GET", "/issues$")) == 3

    world.fake.inject(Fault(how="status", method="GET", path="/issues$", status=429, headers={"Retry-After": "23"}))
    with pytest.raises(Throttled) as caught:
        tracker.newest()
    assert caught.value.seconds == 23.0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_takes_the_token_elsewhere(status: int, world: GitLabWorld) -> None:
    arrived = list[str]()

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            arrived.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        headers = {"Location": f"http://127.0.0.1:{server.server_address[1]}/login"}
        tracker = world.open()
        world.fake.inject(Fault(how="status", path="/issues$", status=status, headers=headers, body=b""))
        with pytest.raises(Misconfigured, match="not the GitLab API"):
            tracker.create(DRAFT)
        world.fake.inject(Fault(how="status", method="GET", path="/version$", status=status, headers=headers, body=b""))
        with pytest.raises(Unavailable, match=r"redirects to 127\.0\.0\.1"):
            tracker.ping()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert arrived == []


def test_only_the_token_is_sent_and_it_is_read_anew_after_a_401(
    world: GitLabWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world.folder / ".netrc").write_text("machine 127.0.0.1 login ada password hidden\n")
    (world.folder / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(world.folder))
    tracker = world.open()
    tracker.newest()
    assert {request.headers.get("authorization") for request in world.fake.requests} == {None}
    assert {request.headers["private-token"] for request in world.fake.requests} == {TOKEN}
    assert all(request.headers["user-agent"].startswith("syncd/") for request in world.fake.requests)

    (world.folder / "token").write_text("glpat-second")
    world.fake.tokens = {"glpat-second": world.fake.account}
    with pytest.raises(Misconfigured) as caught:
        tracker.newest()
    assert caught.value.login
    assert tracker.newest() == 0


@pytest.mark.parametrize("token", ["", "two words", "with\nline", "umläut"])
def test_a_token_that_cannot_be_sent_is_named_by_its_key(token: str, world: GitLabWorld) -> None:
    (world.folder / "token").write_text(token)

    with pytest.raises(Misconfigured, match=r"trackers\.crashes\.token") as caught:
        world.open().newest()
    assert "words" not in str(caught.value)
    assert world.fake.requests == []
