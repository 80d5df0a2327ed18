"""The way to GitHub: login, addresses, certificates, repeated reads, and what errors show."""

import secrets
import traceback
from pathlib import Path

import pytest

from syncd.errors import Misconfigured, Refused, TrackerError, Unavailable
from syncd.trackers import Draft
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.github_records import Account
from tests.fakes.server import Fault, How
from tests.fakes.tls import certificate, tls
from tests.trackers.clock import AdapterClock
from tests.trackers.github.parts import DRAFT, GROUP, LOST, MARKER, Open, calls


@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "X-RateLimit-Remaining", "X-RateLimit-Limit", "X-OAuth-Scopes"])
@pytest.mark.parametrize("value", ["soon", "17, 4999", ""])
def test_headers_that_pygithub_cannot_parse_keep_no_answer_from_being_read(
    tracker: GitHub, fake: FakeGitHub, name: str, value: str
) -> None:
    fake.inject(Fault(how="status_after", status=201, headers={name: value}, body={"number": 1}))
    assert tracker.create(DRAFT).number == 1

    fake.inject(Fault(how="status", status=403, headers={name: value}))
    with pytest.raises(Refused):
        tracker.create(DRAFT)


def test_the_repository_read_before_a_create_never_leaves_it_in_doubt(
    tracker: GitHub, fake: FakeGitHub, clock: AdapterClock
) -> None:
    fake.inject(Fault(how="reset_after", method="GET", times=99))

    with pytest.raises(Unavailable):
        tracker.create(DRAFT)
    assert calls(fake) == ["GET /repos/acme/game"] * 3
    assert len(clock.waits) == 2


def test_a_read_is_tried_again(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.inject(Fault(how="status", method="GET", status=502))
    fake.inject(Fault(how="garbage_after", method="GET"))

    tracker.create(DRAFT)
    assert [each.method for each in fake.requests] == ["GET", "GET", "GET", "GET", "POST"]


def test_a_connection_that_was_idle_for_long_is_not_trusted_with_a_create(
    tracker: GitHub, fake: FakeGitHub, clock: AdapterClock
) -> None:
    tracker.create(DRAFT)
    clock.uptime += 29
    tracker.create(DRAFT)
    assert fake.connections == 1

    clock.uptime += 31
    tracker.create(DRAFT)
    assert fake.connections == 2


def test_a_read_that_is_answered_later_is_not_waited_for(
    tracker: GitHub, fake: FakeGitHub, clock: AdapterClock
) -> None:
    fake.inject(Fault(how="status", method="GET", status=202, body={}, times=99))

    with pytest.raises(Unavailable):
        tracker.create(DRAFT)
    assert calls(fake) == ["GET /repos/acme/game"] * 3


def test_an_enterprise_server_is_called_below_its_own_path(open_github: Open, fake: FakeGitHub) -> None:
    tracker = open_github(api_url=f"{fake.url}/api/v3/")

    assert tracker.create(DRAFT).number == 1
    assert calls(fake) == [
        "GET /api/v3/repos/acme/game",
        "GET /api/v3/user",
        f"POST /api/v3/repositories/{fake.repository.id}/issues",
    ]


def test_a_server_is_trusted_by_the_configured_certificates_only(open_github: Open, tmp_path: Path) -> None:
    public, key = certificate(tmp_path, "localhost")

    with tls(public, key) as port:
        with pytest.raises(Unavailable, match=r"certificate of localhost:[0-9]+ was not accepted"):
            open_github(api_url=f"https://localhost:{port}").create(DRAFT)
        with pytest.raises(Unavailable, match=r"GitHub's answer \(201\)"):
            open_github(api_url=f"https://localhost:{port}", ca_file=str(public)).create(DRAFT)


def test_a_wrong_token_is_a_fault_of_the_configuration_and_is_never_shown(open_github: Open, fake: FakeGitHub) -> None:
    token = secrets.token_hex(20)
    tracker = open_github(token)

    with pytest.raises(Misconfigured, match="401 Bad credentials") as caught:
        tracker.create(DRAFT)
    assert token not in "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(tracker)


@pytest.mark.parametrize("how", [*LOST, "status_after"])
def test_no_error_shows_the_token_or_the_issue(open_github: Open, fake: FakeGitHub, how: How) -> None:
    token, title = secrets.token_hex(20), secrets.token_hex(20)
    fake.accounts[token] = Account("other", 502)
    fake.inject(Fault(how=how))

    with pytest.raises(TrackerError) as caught:
        open_github(token).create(Draft(marker=MARKER, title=title, body=(), group=GROUP))
    text = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert token not in text
    assert title not in text


def test_a_token_that_was_replaced_is_read_anew(open_github: Open, fake: FakeGitHub, tmp_path: Path) -> None:
    tracker = open_github("expired")
    with pytest.raises(Misconfigured):
        tracker.create(DRAFT)

    (tmp_path / "token").write_text(TOKEN)
    assert tracker.create(DRAFT).number == 1


def test_an_address_that_is_none_is_a_fault_of_the_configuration(open_github: Open) -> None:
    with pytest.raises(Misconfigured, match=r"^trackers\.crashes\.api_url"):
        open_github(api_url="http://127.0.0.1:99999").create(DRAFT)


def test_a_server_that_is_not_there_got_nothing(open_github: Open, fake: FakeGitHub, clock: AdapterClock) -> None:
    fake.close()

    with pytest.raises(Unavailable, match="no connection"):
        open_github().create(DRAFT)
    assert len(clock.waits) == 2
