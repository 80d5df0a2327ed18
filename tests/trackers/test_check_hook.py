"""What `check` says of the webhook of a tracker: whether it leads here, its settings, and what its last deliveries were answered."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from syncd.config import GitHubSettings, JiraSettings
from syncd.platform.clock import Clock
from syncd.trackers import Finding
from syncd.trackers.hooks import check_hook_of, place_of
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.github_app import CLIENT_ID, private_key
from tests.fakes.jira import EMAIL, FakeJira, FakeJiraCloud, FakeJiraDataCenter
from tests.fakes.jira import TOKEN as JIRA_TOKEN
from tests.fakes.notebook import Memory
from tests.fakes.reports import Sender, Sent, signed

HOOK = "https://syncd.example:8443/hooks/game"
KINDS = ("github", "app", "cloud", "datacenter")
Fake = FakeGitHub | FakeJira


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[tuple[Fake, GitHubSettings | JiraSettings]]:
    """A fake with a webhook that leads to the hook `game`, and the settings of its tracker."""
    (folder / "secret").write_text({"github": TOKEN, "app": private_key()}.get(kind, JIRA_TOKEN))
    secret = {"file": f"{folder}/secret"}
    with ExitStack() as stack:
        fake: Fake
        if kind in ("github", "app"):
            fake = stack.enter_context(FakeGitHub())
            login = {"token": secret} if kind == "github" else {"app": {"id": CLIENT_ID, "key": secret}}
            given = {"kind": "github", "repository": "acme/game", "api_url": fake.url, **login}
            settings: GitHubSettings | JiraSettings = GitHubSettings.model_validate(given)
        else:
            fake = stack.enter_context(FakeJiraCloud() if kind == "cloud" else FakeJiraDataCenter())
            given = {"kind": "jira", "deployment": kind, "url": fake.url, "project": fake.project, "token": secret}
            settings = JiraSettings.model_validate(given | ({"email": EMAIL} if kind == "cloud" else {}))
        fake.hook = Sender(HOOK, "a secret", "github" if kind in ("github", "app") else "jira", holds=True)
        yield fake, settings
        assert all(request.method == "GET" or "access_tokens" in request.path for request in fake.requests)


def checked(settings: GitHubSettings | JiraSettings, hook: str = "game") -> list[Finding]:
    return check_hook_of(settings.kind)("here", settings, Memory(), hook, clock=Clock(), sleep=time.sleep)


def warned(findings: list[Finding]) -> list[str]:
    """What a person has to do, or cannot be read. A hook keeps nobody from filing, so that all of it is a warning."""
    assert all(finding.ok for finding in findings)
    return [finding.what for finding in findings if finding.remedy]


def delivered(sender: Sender, *statuses: int) -> None:
    """Deliveries with these answers, the newest last."""
    for status in statuses:
        sent: Sent = signed("github", "a secret", "issues", b'{"action":"closed"}')
        sent.status, sent.tries = status, 1
        sender.sent.append(sent)


@pytest.mark.parametrize("kind", KINDS)
def test_a_webhook_that_leads_here_passes(tmp_path: Path, kind: str) -> None:
    with opened(kind, tmp_path) as (_, settings):
        findings = checked(settings)
    assert warned(findings) == []
    assert HOOK in findings[0].what


@pytest.mark.parametrize("kind", KINDS)
def test_a_tracker_without_a_webhook_to_this_hook_is_a_warning(tmp_path: Path, kind: str) -> None:
    with opened(kind, tmp_path) as (fake, settings):
        (warning,) = warned(checked(settings, "other"))
        assert "no webhook that leads to /hooks/other" in warning
        fake.hook = None
        (warning,) = warned(checked(settings))
        assert "no webhook that leads to /hooks/game" in warning


@pytest.mark.parametrize(
    ("kind", "unlike", "warning"),
    [
        ("github", {"active": False}, "is switched off"),
        ("github", {"events": ["push", "label"]}, "does not report issues"),
        ("app", {"events": []}, "does not report issues"),
        ("github", {"config": {"url": HOOK, "content_type": "form", "secret": "***"}}, "sends forms"),
        ("app", {"config": {"url": HOOK, "content_type": "json"}}, "does not sign"),
        ("cloud", {"enabled": False}, "is switched off"),
        ("cloud", {"excludeBody": True}, "leaves out the body"),
        ("cloud", {"events": ["jira:issue_deleted"]}, "does not report updates of issues"),
        ("datacenter", {"events": ["jira:issue_updated"]}, "does not report deletions of issues"),
        (
            "cloud",
            {"filters": {"issue-related-events-section": "labels = crash"}},
            "reports only issues that fit 'labels = crash'",
        ),
        (
            "cloud",
            {"filters": {"issue-related-events-section": "project = MOB AND labels = x"}},
            "reports only issues that fit",
        ),
    ],
)
def test_a_setting_that_keeps_reports_away_is_a_warning(
    tmp_path: Path, kind: str, unlike: dict[str, object], warning: str
) -> None:
    with opened(kind, tmp_path) as (fake, settings):
        assert fake.hook is not None
        fake.hook.settings = unlike
        (only,) = warned(checked(settings))
    assert warning in only


@pytest.mark.parametrize("jql", ["", " ", "project = MOB", 'project="My game"', "project in (MOB, WEB)"])
def test_a_filter_by_project_keeps_no_report_of_ours_away(tmp_path: Path, jql: str) -> None:
    with opened("cloud", tmp_path) as (fake, settings):
        assert fake.hook is not None
        fake.hook.settings = {"filters": {"issue-related-events-section": jql}}
        assert warned(checked(settings)) == []


@pytest.mark.parametrize("kind", ["github", "app"])
def test_the_last_deliveries_are_displayed_with_a_remedy_for_the_latest(tmp_path: Path, kind: str) -> None:
    with opened(kind, tmp_path) as (fake, settings):
        assert fake.hook is not None
        assert checked(settings)[-1].what == "GitHub has delivered nothing by it in the last days"
        delivered(fake.hook, 200, 401)
        latest = checked(settings)[-1]
        assert "of its last 2 deliveries 1 failed" in latest.what
        assert "Invalid HTTP Response: 401" in latest.what
        assert "enter the secret of the hook anew" in latest.remedy
        delivered(fake.hook, 0)
        latest = checked(settings)[-1]
        assert "failed to connect to host" in latest.what
        assert "make sure that GitHub reaches the address" in latest.remedy
        delivered(fake.hook, 200)
        latest = checked(settings)[-1]
        assert "of its last 4 deliveries 2 failed" in latest.what
        assert not latest.remedy


def test_a_data_center_that_counts_its_deliveries_has_them_displayed(tmp_path: Path) -> None:
    with opened("datacenter", tmp_path) as (fake, settings):
        assert isinstance(fake, FakeJira)
        assert fake.hook is not None
        assert "does not tell" in checked(settings)[-1].what
        fake.counts_deliveries = True
        delivered(fake.hook, 200, 200)
        assert warned(checked(settings)) == []
        delivered(fake.hook, 401, 0)
        assert warned(checked(settings)) == ["of its last 4 deliveries 2 failed"]


@pytest.mark.parametrize("kind", ["github", "cloud", "datacenter"])
def test_what_the_login_may_not_read_is_left_to_a_person(tmp_path: Path, kind: str) -> None:
    with opened(kind, tmp_path) as (fake, settings):
        if isinstance(fake, FakeGitHub):
            fake.webhooks_readable = False
        else:
            fake.administrator = False
        (finding,) = checked(settings)
    assert finding.ok
    assert "nothing says whether one leads here" in finding.what
    assert finding.remedy


@pytest.mark.parametrize("kind", KINDS)
def test_a_tracker_that_does_not_answer_is_a_warning(tmp_path: Path, kind: str) -> None:
    with opened(kind, tmp_path) as (fake, settings):
        fake.close()
        (finding,) = checked(settings)
    assert finding.ok
    assert "could not be read" in finding.what


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (HOOK, HOOK),
        (f"{HOOK}/0123456789abcdef", HOOK),
        (f"{HOOK}/", HOOK),
        ("https://user:secret@proxy.example/syncd/hooks/game?token=secret", "https://proxy.example/syncd/hooks/game"),
        (f"{HOOK}s", ""),
        ("https://syncd.example/hooks/other", ""),
        ("https://[", ""),
        ("https://syncd.example:x/hooks/game", ""),
        ("", ""),
    ],
)
def test_the_address_of_a_webhook_is_displayed_without_a_secret(address: str, place: str) -> None:
    assert place_of(address, "game") == place
