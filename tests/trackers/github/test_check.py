"""Questions, findings and remedies of `check`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.model import Settings
from syncd.trackers import Finding
from syncd.trackers.github.tracker import GitHub
from tests.factories import make_issue, make_policy
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.github_records import Account
from tests.fakes.server import Fault
from tests.trackers.github.parts import DRAFT, Open, calls


def bad(findings: list[Finding]) -> list[str]:
    assert all(finding.remedy for finding in findings if not finding.ok)
    return [finding.what for finding in findings if not finding.ok]


def test_a_check_asks_three_questions_and_writes_nothing(tracker: GitHub, fake: FakeGitHub) -> None:
    findings = tracker.check()

    assert bad(findings) == []
    assert [finding.what for finding in findings] == [
        "the token is that of syncd-bot",
        "its clock and this machine's tell the same time",
        "acme/game is there and not public",
    ]
    assert calls(fake) == ["GET /user", "GET /repos/acme/game", "GET /repos/acme/game/issues"]


def test_a_check_says_that_a_repository_is_public(tracker: GitHub, fake: FakeGitHub, open_github: Open) -> None:
    fake.repository.private = False

    findings = tracker.check()
    (public,) = bad(findings)
    assert "public: everybody can read" in public
    assert [finding.remedy for finding in findings if not finding.ok] == [
        "set allow_public = true for it, or file in a private one"
    ]
    assert bad(open_github(allow_public=True).check()) == []


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda fake: fake.remove(fake.repository), "acme/game cannot be read: GitHub does not know this"),
        (
            lambda fake: fake.rename(fake.repository, "renamed"),
            'acme/game is now acme/renamed; set repository = "acme/renamed"',
        ),
        (lambda fake: setattr(fake.repository, "archived", True), "acme/game is archived"),
        (lambda fake: setattr(fake.repository, "has_issues", False), "acme/game takes no issues"),
        (lambda fake: setattr(fake.repository, "push", False), "may not set labels in acme/game"),
        (lambda fake: setattr(fake.repository, "can_read_issues", False), "does not let the token do this"),
        (lambda fake: fake.accounts.clear(), "does not accept the token"),
        (
            lambda fake: fake.accounts.update({TOKEN: Account("a", 1, scopes="gist, public_repo")}),
            "scope repo",
        ),
        (lambda fake: setattr(fake, "remaining", 0), "GitHub asks for fewer requests"),
        (lambda fake: fake.inject(Fault(how="status", method="GET", times=9)), "503"),
        (lambda fake: fake.close(), "no connection to 127"),
    ],
)
def test_a_check_finds_what_is_wrong_and_how_to_mend_it(
    tracker: GitHub, fake: FakeGitHub, spoil: Callable[[FakeGitHub], object], text: str
) -> None:
    spoil(fake)

    findings = bad(tracker.check())
    assert len(findings) == 1
    assert text in findings[0]


def test_a_check_finds_that_the_name_went_to_another_repository(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    fake.remove(fake.repository)
    fake.add_repository("acme/game")

    assert bad(tracker.check()) == ["acme/game is now another repository than the one that holds the issues so far"]


def test_a_check_takes_an_app_and_a_classic_token_as_they_are(open_github: Open, fake: FakeGitHub) -> None:
    fake.accounts["app"] = Account("syncd[bot]", 503, app=True)
    fake.accounts["classic"] = Account("classic", 504, scopes="repo, user")

    assert open_github("app").check()[0] == Finding(ok=True, what="the token is that of an app")
    assert bad(open_github("app").check()) == []
    assert bad(open_github("classic").check()) == []


def test_a_check_finds_a_token_that_cannot_be_read(tracker: GitHub, tmp_path: Path, fake: FakeGitHub) -> None:
    (tmp_path / "token").unlink()

    findings = bad(tracker.check())
    assert len(findings) == 1
    assert findings[0].startswith("trackers.crashes.token: the secret in")
    assert fake.requests == []


@pytest.mark.parametrize("status", [403, 404, 405, 410, 418])
def test_a_check_names_api_url_where_something_else_answers(tracker: GitHub, fake: FakeGitHub, status: int) -> None:
    page = b"<!DOCTYPE html><html><title>Not here</title></html>"
    fake.inject(Fault(how="status", method="GET", path="/repos/", status=status, body=page))

    (finding,) = [each for each in tracker.check() if not each.ok]
    assert f"what answers at api_url is not the GitHub API ({status})" in finding.what
    assert finding.remedy == "correct api_url, or the proxy before it"


def test_check_names_reasons_of_closing_and_milestones_without_a_release(fake: FakeGitHub, tracker: GitHub) -> None:
    fake.repository.milestones = ["2.4.0", "Game 2.5", *(f"Sprint {number}" for number in range(120))]
    before = len(tracker.check())
    resolutions, milestones = tracker.check([make_policy("main")], ["2.4.0"])[before:]

    assert "stays closed as not_planned (wont_fix) or duplicate (duplicate)" in resolutions.what
    assert not resolutions.remedy
    assert "2 of 122 milestones can be compared" in milestones.what
    assert "Sprint 0, Sprint 1" in milestones.what
    assert "and 108 more cannot" in milestones.what
    assert "fixed_in_pattern" in milestones.remedy


def test_check_compares_rules_with_milestones_and_assignees(fake: FakeGitHub, tracker: GitHub) -> None:
    fake.repository.milestones = ["2.4"]
    rules = [
        {"labels": ["many"], "milestone": "2.4", "assignee": "alice"},
        {"milestone": "2.5"},
        {"assignee": "mallory"},
    ]
    findings = tracker.check([make_policy("main", set=rules)])[len(tracker.check()) :]

    assert "route main, set[0] sets labels = many; assignee = alice; milestone = 2.4" in [
        each.what for each in findings
    ]
    assert bad(findings) == [
        "route main, set[1]: the repository has no open milestone '2.5'",
        "route main, set[2]: nobody can assign issues to 'mallory'",
    ]


def test_a_repository_takes_what_rules_raise_and_a_note_says_what_it_does_not(
    fake: FakeGitHub, tracker: GitHub
) -> None:
    fake.repository.milestones = ["2.4"]
    fake.file(fake.repository, "Crash", "It broke.", fake.account, ["crash"])
    issue = make_issue(remote_id="1", key="acme/game#1")

    assert tracker.raise_settings(issue, Settings(labels=("many",), assignee="alice", milestone="2.4")) == ""
    assert tracker.read_settings(issue).settings == Settings(
        labels=("crash", "many"), assignee="alice", milestone="2.4"
    )
    assert "milestone 9.9 was left out: there is none" in tracker.raise_settings(issue, Settings(milestone="9.9"))
    fake.repository.push = False
    assert "does not take the labels" in tracker.raise_settings(issue, Settings(labels=("x",)))
