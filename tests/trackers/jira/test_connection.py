"""One request: how often it is sent, and the meaning of its end."""

import secrets
import time
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jira as library
import pytest

from syncd.errors import Misconfigured, OutcomeUnknown, Throttled, TrackerError, Unavailable
from tests.fakes.jira import EMAIL, TOKEN, FakeJira, FakeJiraCloud, FakeJiraDataCenter
from tests.fakes.server import Fault, How
from tests.trackers.clock import AdapterClock
from tests.trackers.jira.parts import LOST, Open, a_draft


@pytest.mark.parametrize("how", LOST)
def test_a_lost_answer_leaves_one_post_and_a_doubt(fake: FakeJira, opened: Open, how: How) -> None:
    adapter = opened()
    fake.inject(Fault(how=how, path="/issue$"))
    with pytest.raises(OutcomeUnknown):
        adapter.create(a_draft())

    assert len(fake.sent("POST")) == 1
    assert len(fake.issues) == (0 if how == "reset_before" else 1)


def test_an_answer_that_comes_too_late_leaves_one_post_and_a_doubt(fake: FakeJira, opened: Open) -> None:
    adapter = opened(patience=0.2)
    fault = fake.inject(Fault(how="hang_before", path="/issue$"))
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        adapter.create(a_draft())
    waited = time.monotonic() - started
    fault.released.set()

    assert waited < 10
    assert len(fake.sent("POST")) == 1


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_error_leaves_a_create_in_doubt(fake: FakeJira, opened: Open, code: int) -> None:
    fake.inject(Fault(how="status_after", status=code, headers={"Retry-After": "1"}))
    with pytest.raises(OutcomeUnknown):
        opened().create(a_draft())

    assert len(fake.sent("POST")) == 1


def test_the_librarys_own_retries_would_create_more_than_one_issue(
    fake: FakeJira, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what `max_retries=0` and the raw request protect from."""
    monkeypatch.setattr("jira.resilientsession.time", SimpleNamespace(sleep=lambda seconds: None))
    fake.inject(Fault(how="reset_after", path="/issue$", times=2))
    login: dict[str, Any] = {"basic_auth": (EMAIL, TOKEN)}
    if isinstance(fake, FakeJiraDataCenter):
        login = {"token_auth": TOKEN}
    client = library.JIRA(
        fake.url,
        options={"rest_api_version": fake.api[-1]},
        get_server_info=False,
        max_retries=2,
        timeout=5,
        **login,
    )
    text = {"version": 1, "type": "doc", "content": []} if isinstance(fake, FakeJiraCloud) else "text"
    client.create_issue(
        {"project": {"key": "CRASH"}, "issuetype": {"name": "Bug"}, "summary": "x", "description": text},
        prefetch=False,
    )
    client.close()  # type: ignore[no-untyped-call]

    assert len(fake.issues) == 3


def test_what_was_never_sent_is_not_in_doubt(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    fake.close()
    with pytest.raises(Unavailable):
        adapter.create(a_draft())


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_not_done(fake: FakeJira, opened: Open, code: int) -> None:
    place = f"{fake.url}/elsewhere?session=hush"
    fake.inject(Fault(how="status", status=code, headers={"Location": place}))
    with pytest.raises(Misconfigured) as caught:
        opened().create(a_draft())

    assert len(fake.sent("POST")) == 1
    assert "/elsewhere" in caught.value.reason
    assert "hush" not in caught.value.reason


@pytest.mark.parametrize("place", ["http://[", "http://x:y:z", "\x00", "//", "http://" + "a" * 70_000])
def test_an_absurd_redirect_is_still_a_tracker_error(fake: FakeJira, opened: Open, place: str) -> None:
    fake.inject(Fault(how="status", status=302, headers={"Location": place}))
    with pytest.raises(TrackerError):
        opened().create(a_draft())


def test_too_many_requests_say_for_how_long(fake: FakeJira, opened: Open) -> None:
    fake.inject(Fault(how="status", status=429, headers={"Retry-After": "17"}))
    with pytest.raises(Throttled) as caught:
        opened().create(a_draft())

    assert caught.value.seconds == 17
    assert len(fake.sent("POST")) == 1


def test_a_create_is_never_sent_over_a_connection_that_was_long_silent(
    fake: FakeJira, opened: Open, clock: AdapterClock
) -> None:
    adapter = opened()
    adapter.create(a_draft())
    adapter.create(a_draft())

    assert fake.connections == 1

    clock.uptime += 31
    adapter.create(a_draft())

    assert fake.connections == 2


def test_a_replaced_token_is_read_anew_after_a_refused_login(fake: FakeJira, opened: Open, token_file: Path) -> None:
    adapter = opened()
    fake.token = "the-new-token"
    with pytest.raises(Misconfigured, match="login"):
        adapter.create(a_draft())
    token_file.write_text("the-new-token")
    adapter.create(a_draft())

    assert len(fake.issues) == 1


@pytest.mark.parametrize("token", ["", "two\nlines", "schlüssel", "\x7f"])
def test_an_unusable_token_is_a_matter_of_configuration(
    fake: FakeJira, opened: Open, token_file: Path, token: str
) -> None:
    token_file.write_text(token)
    with pytest.raises(Misconfigured, match=r"trackers\.mobile\.token") as caught:
        opened().create(a_draft())

    assert not token or token not in caught.value.reason
    assert fake.requests == []


def test_a_ca_file_without_certificates_is_a_matter_of_configuration(
    fake: FakeJira, opened: Open, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(Misconfigured, match=name):
            opened(ca_file=str(tmp_path / name)).create(a_draft())

    assert fake.requests == []


def test_no_error_tells_a_secret_or_the_payload(fake: FakeJira, opened: Open) -> None:
    private = secrets.token_hex(8)
    for code in (302, 400, 401, 403, 404, 409, 422, 429, 500, 503):
        cookie = {"Set-Cookie": f"JSESSIONID={private}"}
        fake.inject(Fault(how="status", status=code, headers=cookie, body=f"<b>{private}</b>".encode()))
        with pytest.raises(TrackerError) as caught:
            opened().create(a_draft(title=private))
        answer = "".join(traceback.format_exception(caught.value, chain=True))

        assert private not in answer
        assert TOKEN not in answer
