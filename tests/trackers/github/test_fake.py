"""The fake GitHub must itself be like GitHub."""

import time
from dataclasses import replace
from email.utils import parsedate_to_datetime

import github
import pytest
import requests

from syncd.errors import Gone
from syncd.model import Issue
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.github_records import Account
from tests.fakes.server import Fault
from tests.fakes.specs import Validator, missing
from tests.trackers.github.parts import DRAFT, MARKER, STATUS


@pytest.mark.skipif(bool(missing("github")), reason=missing("github"))
def test_the_fake_answers_as_github_describes(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    comment_id = tracker.comment(issue, STATUS, MARKER)
    tracker.find_comment(issue, MARKER)
    tracker.edit_comment(issue, comment_id, STATUS, MARKER)
    fake.file(fake.repository, "by hand", None, Account("somebody", 7), ["crash"])
    tracker.check()
    tracker.newest()
    tracker.probe(issue)
    fake.graphql = False
    tracker.probe(issue)
    moved = fake.transfer(fake.repository, 2, fake.add_repository("acme/other"))
    tracker.look(replace(issue, remote_id="2"))
    fake.repository.issues[1].deleted = moved.deleted = True
    for remote_id in ("1", "2"):
        with pytest.raises(Gone):
            tracker.look(replace(issue, remote_id=remote_id))

    validator = Validator("github")
    judged = [each for each in fake.requests if "/issues" in each.path]
    assert {each.method for each in judged} == {"GET", "POST", "PATCH"}
    for each in judged:
        assert validator.answer_problems(each, fake.described_path(each)) == []


def test_every_answer_tells_the_time(fake: FakeGitHub) -> None:
    fake.inject(Fault(how="status", method="GET", path="/user"))

    for path in ("/user", "/user", "/repos/acme/game", "/repos/acme/game/issues/9"):
        answer = requests.get(fake.url + path, headers={"Authorization": f"token {TOKEN}"}, timeout=5)
        assert abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) < 5


def test_queries_are_answered_like_gets_by_number(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    """The two ways of a probe are compared on the same repository, with everything in it that a number can be."""
    for _ in range(6):
        fake.file(fake.repository, "A person's issue", "words", Account("somebody", 7), [])
    issues = fake.repository.issues
    issues[2].deleted, issues[3].pull_request = True, True
    fake.transfer(fake.repository, 5, fake.add_repository("acme/other"))
    fake.lag_seconds = 3600

    queried = tracker.probe(issue)
    fake.graphql = False
    read = tracker.probe(issue)
    assert replace(queried, at=None) == replace(read, at=None)
    assert [listed.number for listed in read.issues] == [1]


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
