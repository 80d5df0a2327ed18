"""Service accounts and tokens with scopes: the gateway takes them, the site does not. Links and identity stay the site's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.errors import Misconfigured, OutcomeUnknown, Unavailable
from syncd.trackers import open_tracker
from syncd.trackers.jira.tracker import Jira
from tests.clock import MovableClock
from tests.fakes.jira import CLOUD_ID, FakeJiraGateway
from tests.fakes.server import Fault
from tests.trackers.jira.parts import a_draft
from tests.trackers.jira.world import GatewayWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GatewayWorld]:
    with GatewayWorld(tmp_path) as world:
        yield world


def opened(world: GatewayWorld, **changes: object) -> Jira:
    settings = world.settings.model_copy(update=changes)
    tracker = open_tracker("crashes", settings, world.memory, clock=MovableClock(), sleep=world.sleep)
    assert isinstance(tracker, Jira)
    return tracker


def fake_of(world: GatewayWorld) -> FakeJiraGateway:
    assert isinstance(world.fake, FakeJiraGateway)
    return world.fake


def test_the_site_is_asked_for_its_id_once_and_links_lead_to_the_site(world: GatewayWorld) -> None:
    first, second = opened(world), opened(world)
    created = first.create(a_draft())
    second.newest()

    assert created.url == f"{world.fake.url}/browse/{created.key}"
    assert len(world.fake.sent("GET", "/_edge/tenant_info")) == 1
    paths = [request.path for request in world.fake.requests if request.path != "/_edge/tenant_info"]
    assert all(path.startswith(f"/ex/jira/{CLOUD_ID}/") for path in paths)
    assert "authorization" not in world.fake.sent("GET", "/_edge/tenant_info")[0].headers


def test_a_given_id_asks_nobody(world: GatewayWorld) -> None:
    opened(world, cloud_id=CLOUD_ID).create(a_draft())

    assert world.fake.sent("GET", "/_edge/tenant_info") == []


def test_a_store_that_began_at_the_site_goes_over_with_its_issues(world: GatewayWorld) -> None:
    world.memory.note("home", world.fake.url)
    issue = world.fake.file("of the time before")

    assert opened(world).newest() == issue.number


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        (
            Fault(how="status", status=503, method="GET", path="tenant_info"),
            Unavailable,
            "did not tell its cloud id (503)",
        ),
        (
            Fault(how="status", status=404, method="GET", path="tenant_info"),
            Misconfigured,
            "or write the id in cloud_id",
        ),
        (Fault(how="status", status=200, method="GET", path="tenant_info", body=b"<html>"), Misconfigured, "cloud_id"),
        (
            Fault(how="status", status=200, method="GET", path="tenant_info", body={"cloudId": "../x"}),
            Misconfigured,
            "cloud_id",
        ),
        (Fault(how="reset_before", method="GET", path="tenant_info"), Unavailable, "127.0.0.1"),
        (Fault(how="reset_after", method="GET", path="tenant_info"), Unavailable, "127.0.0.1"),
    ],
)
def test_no_create_is_in_doubt_because_the_site_does_not_tell_its_id(
    world: GatewayWorld, fault: Fault, error: type[Exception], text: str
) -> None:
    tracker = opened(world)
    world.fake.inject(replace(fault, times=9))

    with pytest.raises(error) as raised:
        tracker.create(a_draft())
    assert text in str(raised.value)
    assert not isinstance(raised.value, OutcomeUnknown)
    assert world.items() == []


def test_a_token_without_the_scopes_is_named_as_such(world: GatewayWorld) -> None:
    fake_of(world).scopes = False

    with pytest.raises(Misconfigured) as raised:
        opened(world).newest()
    assert "lacks one of the scopes read:jira-work, write:jira-work, read:jira-user" in raised.value.reason


def test_at_the_site_a_refused_token_may_be_one_for_the_gateway(world: GatewayWorld) -> None:
    with pytest.raises(Misconfigured) as raised:
        opened(world, cloud_id=None).newest()
    assert 'cloud_id = "auto"' in raised.value.reason
