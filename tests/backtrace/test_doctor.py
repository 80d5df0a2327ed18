"""`syncd check` about a project: each fault of its webhooks and alerts has its own sentence and the way to it."""

from collections.abc import Callable
from typing import Any

import pytest

from syncd.backtrace import doctor
from syncd.backtrace.client import Client
from syncd.trackers import Finding
from tests.fakes.backtrace import TOKEN, FakeBacktrace
from tests.fakes.server import Fault

HERE = {
    "id": 7,
    "watcherName": "syncd",
    "pluginId": "webhook",
    "state": "enabled",
    "options": {"connection": [{"target": "https://syncd.acme.example/webhooks/backtrace"}]},
}
JIRA = {"id": 8, "watcherName": "jira", "pluginId": "jira", "state": "enabled", "options": {"url": "https://jira"}}


def alert(condition: str, number: int = 7, state: str = "enabled", minutes: float = 30) -> dict[str, Any]:
    name = {"name": condition, "timeFrame": 60_000, "value": 1}
    return {
        "name": f"on {condition}",
        "condition": name,
        "frequency": minutes * 60_000,
        "integrations": [number],
        "state": state,
    }


@pytest.fixture
def project(fake: FakeBacktrace) -> FakeBacktrace:
    """A project that is set up as syncd needs it."""
    fake.objects.add([{"fingerprint": "a" * 64, "timestamp": 5, "version": "1.0"}])
    fake.integrations = [JIRA, HERE]
    fake.alerts = [alert("group"), alert("trace")]
    return fake


def findings(client: Client, *, polled: bool = False) -> list[Finding]:
    return list(doctor.findings(client, ("version",), polled=polled))


def faults(client: Client, *, polled: bool = False) -> list[str]:
    return [f"{each.what} → {each.remedy}" for each in findings(client, polled=polled) if not each.ok]


@pytest.mark.parametrize("envelope", ["success", "bare"])
def test_all_is_well(project: FakeBacktrace, client: Client, envelope: Any) -> None:
    project.envelope = envelope
    several = findings(client)
    assert [each for each in several if not each.ok or each.remedy] == []
    assert "1 group" in several[0].what


def nowhere(fake: FakeBacktrace) -> None:
    fake.integrations = [JIRA]


def stopped(fake: FakeBacktrace) -> None:
    fake.integrations = [HERE | {"state": "stopped"}]


def no_new(fake: FakeBacktrace) -> None:
    fake.alerts = [alert("trace")]


def elsewhere(fake: FakeBacktrace) -> None:
    fake.alerts = [alert("group", 8), alert("trace")]


def disabled(fake: FakeBacktrace) -> None:
    fake.alerts = [alert("group", state="disabled"), alert("group"), alert("trace")]


def still(fake: FakeBacktrace) -> None:
    fake.alerts = [alert("group")]


def slow(fake: FakeBacktrace) -> None:
    fake.alerts = [alert("group"), alert("usersPerFingerprint", minutes=61)]


@pytest.mark.parametrize(
    ("change", "text", "way"),
    [
        (nowhere, "no webhook of the project leads to syncd: it has jira", "Integrations → Add → Webhook"),
        (stopped, "the webhook syncd is stopped", "Integrations → syncd → Enable"),
        (no_new, "no alert sends new groups", "Alerts → Add"),
        (elsewhere, "no alert sends new groups", "Alerts → Add"),
        (disabled, "the alert on group is disabled", "Alerts → on group → Enable"),
        (still, "stand still", "every error"),
        (slow, "at most every 61m", "Alerts → on usersPerFingerprint → Frequency"),
    ],
)
def test_each_fault_has_its_sentence_and_the_way_to_it(
    project: FakeBacktrace, client: Client, change: Callable[[FakeBacktrace], None], text: str, way: str
) -> None:
    change(project)
    (fault,) = faults(client)
    assert text in fault
    assert way in fault
    assert "Project settings of game" in fault


def test_what_a_poll_replaces_is_no_fault(project: FakeBacktrace, client: Client) -> None:
    for change in (nowhere, no_new, still, slow):
        change(project)
        assert faults(client, polled=True) == []


@pytest.mark.parametrize("workflows", [None, "https://workflows.elsewhere.example"])
def test_what_the_token_may_not_read_names_whom_to_ask(
    project: FakeBacktrace, client: Client, workflows: str | None
) -> None:
    project.workflows = workflows
    assert faults(client) == []
    assert "somebody with an account" in findings(client)[-1].remedy


def test_a_token_without_the_scope_is_no_fault(project: FakeBacktrace, client: Client) -> None:
    project.tokens[TOKEN]["game"] = {"query:post"}
    assert faults(client) == []
    assert "somebody with an account" in findings(client)[-1].remedy


def test_a_token_that_reads_nothing_is_one_fault(project: FakeBacktrace, client: Client) -> None:
    project.tokens.clear()
    (fault,) = faults(client)
    assert "API tokens" in fault


def test_a_silent_server_is_reported_and_not_asked_for_long(project: FakeBacktrace, client: Client) -> None:
    project.inject(Fault(how="status", status=503, times=1000))
    project.inject(Fault(how="status", method="GET", status=503, times=1000))
    assert len(faults(client)) == 2
    assert len(project.requests) <= 6


def test_a_column_that_is_not_indexed_says_what_is_lost(project: FakeBacktrace, client: Client) -> None:
    del project.objects.columns["guid"]
    del project.objects.columns["version"]
    several = findings(client)
    assert all(each.ok for each in several)
    assert any("users are not counted" in each.what and "Attributes" in each.remedy for each in several)
    assert any("no attribute of a release is indexed (version)" in each.what for each in several)
