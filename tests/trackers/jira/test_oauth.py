"""An OAuth client of a service account: a token is fetched before the call that needs it, and nothing is in doubt for it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from syncd.config import JiraSettings
from syncd.errors import Misconfigured, OutcomeUnknown, Throttled, TrackerError, Unavailable
from syncd.model import Issue, IssueState
from syncd.trackers.jira.tracker import Jira
from tests.fakes.jira_oauth import CLIENT_ID
from tests.fakes.server import Fault, How
from tests.trackers.clock import AdapterClock
from tests.trackers.jira.parts import MARKER, a_draft, linked
from tests.trackers.jira.world import CloudOAuthWorld, DataCenterOAuthWorld, OAuthWorld
from tests.trackers.pouring import own_markers, pour

Open = Callable[..., Jira]


@pytest.fixture(params=[CloudOAuthWorld, DataCenterOAuthWorld])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OAuthWorld]:
    with request.param(tmp_path) as world:
        yield world


@pytest.fixture
def clock() -> AdapterClock:
    return AdapterClock()


@pytest.fixture
def opened(world: OAuthWorld, clock: AdapterClock) -> Iterator[Open]:
    adapters: list[Jira] = []
    world.fake.now = clock.wall

    def opener(**changes: object) -> Jira:
        settings = world.settings.model_copy(update=changes)
        adapters.append(Jira("mobile", settings, world.memory, clock=clock, sleep=clock.sleep))
        return adapters[-1]

    yield opener
    for adapter in adapters:
        adapter.close()


def test_one_token_serves_all_clients_and_is_replaced_before_its_end(
    opened: Open, world: OAuthWorld, clock: AdapterClock
) -> None:
    first, second = opened(), opened()
    first.newest()
    second.newest()
    clock.advance(3600.0 - 301)
    second.newest()
    assert world.fake.fetched == 1

    clock.advance(2.0)
    first.newest()
    second.newest()
    assert world.fake.fetched == 2


def test_a_create_gets_a_token_that_outlasts_it(opened: Open, world: OAuthWorld, clock: AdapterClock) -> None:
    tracker = opened()
    tracker.create(a_draft())
    clock.advance(3600.0 - 330)
    tracker.create(a_draft(marker="z" * 26))

    assert [each.path.rpartition("/")[2] for each in world.fake.requests[-2:]] == ["token", "issue"]


def test_a_refused_token_is_replaced_once(opened: Open, world: OAuthWorld) -> None:
    tracker = opened()
    issue = linked(tracker)
    world.fake.expire()
    tracker.create(a_draft(marker="z" * 26))
    world.fake.expire()
    tracker.look(issue)
    assert world.fake.fetched == 3

    world.fake.lasting_seconds = 0.0
    world.fake.expire()
    with pytest.raises(Misconfigured, match=r"trackers\.mobile\.oauth\.secret comes from"):
        tracker.create(a_draft(marker="y" * 26))
    assert world.fake.fetched == 4
    assert len(world.fake.issues) == 2


ISSUE = Issue(
    tracker="mobile", state=IssueState.LINKED, marker=MARKER, remote_id="10001", key="CRASH-1", url="https://a.example"
)
FAULTS = [
    (Fault(how="status", status=503), Unavailable),
    (Fault(how="status", status=200, body=b"<html>a login</html>"), Unavailable),
    (Fault(how="status", status=200, body={"access_token": "two words"}), Unavailable),
    (Fault(how="status", status=429), Throttled),
    (Fault(how="status", status=409), Unavailable),
    (Fault(how="status", status=404, body=b"<html>dead link</html>"), Misconfigured),
    (Fault(how="status", status=302, headers={"Location": "http://[::1"}), Unavailable),
    (Fault(how="status", status=302, headers={"Location": "https://example.com/"}), Misconfigured),
    (Fault(how="status", status=400, body={"error": "unauthorized_client"}), Misconfigured),
    (Fault(how="status", status=403, body={"error": 7}), Misconfigured),
    (Fault(how="reset_before"), Unavailable),
    (Fault(how="reset_after"), Unavailable),
    (Fault(how="half_after"), Unavailable),
    (Fault(how="garbage_after"), Unavailable),
    (Fault(how="empty_after"), Unavailable),
]


@pytest.mark.parametrize(
    ("fault", "error"), FAULTS, ids=[f"{fault.how} {fault.status} {place}" for place, (fault, _) in enumerate(FAULTS)]
)
def test_whatever_happens_to_a_fetch_no_create_is_in_doubt(
    opened: Open, world: OAuthWorld, fault: Fault, error: type[TrackerError]
) -> None:
    tracker = opened()
    world.fake.inject(replace(fault, method="POST", path="/token$", times=9))

    with pytest.raises(error) as raised:
        tracker.create(a_draft())
    assert not isinstance(raised.value, OutcomeUnknown)
    assert world.fake.client_secret not in str(raised.value)
    assert world.items() == []


def test_a_present_token_is_used_while_no_other_can_be_fetched(
    opened: Open, world: OAuthWorld, clock: AdapterClock
) -> None:
    tracker = opened()
    tracker.newest()
    world.fake.inject(Fault(how="status", status=503, method="POST", path="/token$", times=99))
    clock.advance(3600.0 - 200)
    tracker.newest()

    clock.advance(150.0)
    with pytest.raises(Unavailable, match="the OAuth client gets no token, so that nothing was sent"):
        tracker.newest()


def test_a_wrong_secret_is_named_and_not_repeated(opened: Open, world: OAuthWorld) -> None:
    tracker = opened()
    before, world.fake.client_secret = world.fake.client_secret, "another"

    with pytest.raises(Misconfigured) as raised:
        tracker.newest()
    assert f'trackers.mobile.oauth.secret is not a secret of trackers.mobile.oauth.id = "{CLIENT_ID}"' in str(
        raised.value
    )
    assert "The secret … is not valid" in str(raised.value)  # as the server repeats it
    assert before not in str(raised.value)


def test_a_scope_that_is_not_granted_is_named(opened: Open, world: OAuthWorld) -> None:
    client = world.settings.oauth
    assert client is not None

    with pytest.raises(Misconfigured, match=r"'ADMIN' .*correct trackers\.mobile\.oauth\.scope, or grant it"):
        opened(oauth=client.model_copy(update={"scope": "ADMIN"})).newest()


@pytest.mark.parametrize("how", ["status", "reset_before", "half_after"])
def test_no_error_and_no_repr_shows_a_secret_or_a_token(opened: Open, world: OAuthWorld, how: How) -> None:
    tracker = opened()
    tracker.newest()
    world.fake.inject(Fault(how=how, status=400, method="GET", times=9))

    with pytest.raises(TrackerError) as raised:
        tracker.look(ISSUE)
    texts = f"{raised.value!r} {world.settings!r} {tracker!r}"
    for secret in (world.fake.client_secret, *world.fake.grants):
        assert secret not in texts


def test_no_login_of_a_netrc_file_is_sent(
    opened: Open, world: OAuthWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login eve password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    opened().newest()

    fetches = [each for each in world.fake.requests if each.path.endswith("/token")]
    assert len(fetches) == 1
    assert "authorization" not in fetches[0].headers


def test_a_check_displays_the_client(opened: Open, world: OAuthWorld) -> None:
    findings = [finding.what for finding in opened().check()]

    assert f"the OAuth client {CLIENT_ID} gets tokens at {world.fake.url.removeprefix('http://')}" in findings


def test_eight_threads_share_each_token_and_file_each_issue_once(opened: Open, world: OAuthWorld) -> None:
    world.fake.uses = 30
    trackers = [opened() for _ in range(8)]

    assert pour(trackers, a_draft(), 12) == []
    labels = [label for issue in world.fake.issues.values() for label in issue.labels if label != "crash"]
    assert len(world.fake.issues) == len(own_markers(8, 12)) == len(set(labels))
    ended = sum(grant.uses == 0 for grant in world.fake.grants.values())
    assert ended >= 3
    assert world.fake.fetched <= ended + 1


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"token": "x"}, "does not belong beside oauth; remove one of the two"),
        ({"email": "a@b.example"}, "does not belong beside oauth"),
        ({"token_expires": "2027-01-31"}, "does not belong beside oauth"),
        ({"oauth": {"id": "x", "secret": "plain"}}, "does not belong in this file"),
        ({"oauth": {"id": "two words", "secret": {"env": "S"}}}, "id"),
        ({"oauth": None}, "is missing; set it, or oauth for an OAuth client"),
    ],
)
def test_a_client_is_the_only_login(keys: dict[str, object], problem: str) -> None:
    section = {"kind": "jira", "deployment": "cloud", "url": "https://a.example", "project": "MOB"}
    client = {"id": "x", "secret": {"env": "S"}}
    if "token" in keys:
        keys = {"token": {"env": "T"}}

    with pytest.raises(ValidationError, match=problem):
        JiraSettings.model_validate({**section, "oauth": client, **keys})


def test_a_client_of_cloud_uses_the_gateway() -> None:
    section = {
        "kind": "jira",
        "url": "https://a.example",
        "project": "MOB",
        "oauth": {"id": "x", "secret": {"env": "S"}},
    }
    cloud = JiraSettings.model_validate({**section, "deployment": "cloud"})
    server = JiraSettings.model_validate({**section, "deployment": "datacenter"})

    assert (cloud.cloud_id, cloud.token_url, cloud.oauth_scope) == (
        "auto",
        "https://auth.atlassian.com/oauth/token",
        None,
    )
    assert (server.cloud_id, server.token_url) == (None, "https://a.example/rest/oauth2/latest/token")
    assert server.oauth_scope == "WRITE"
    assert cloud.secret[0] == "oauth.secret"
