"""The fake GitHub must itself be like GitHub."""

import github
import pytest

from syncd.model import Issue
from syncd.trackers.github import GitHub
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.github_records import Account
from tests.fakes.specs import REASON, Validator, available
from tests.trackers.github.parts import DRAFT, MARKER, STATUS


@pytest.mark.skipif(not available(), reason=REASON)
def test_the_fake_answers_as_github_describes(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    comment_id = tracker.comment(issue, STATUS, MARKER)
    tracker.find_comment(issue, MARKER)
    tracker.edit_comment(issue, comment_id, STATUS, MARKER)
    fake.file(fake.repository, "by hand", None, Account("somebody", 7), ["crash"])
    tracker.check()

    validator = Validator("github")
    judged = [one for one in fake.requests if "/issues" in one.path]
    assert {one.method for one in judged} == {"GET", "POST", "PATCH"}
    for one in judged:
        assert validator.answer_problems(one, fake.described_path(one)) == []


def test_the_fake_hides_new_issues_from_lists_that_lag(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    client = github.Github(auth=github.Auth.Token(TOKEN), base_url=fake.url, lazy=True)
    repository = client.get_repo("acme/game")
    fake.filtered_lag_seconds = 3600

    assert [issue.number for issue in repository.get_issues(state="all")] == [1]
    assert list(repository.get_issues(state="all", labels=["crash"])) == []
    fake.lag_seconds = 3600
    assert list(repository.get_issues(state="all")) == []
    assert repository.get_issue(1).title == DRAFT.title
    client.close()
