"""A tracker's issues stay where they are, whatever the configuration says later."""

import pytest

from syncd.core.hooks import SURVEY_DUE
from syncd.errors import Misconfigured
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import FakeGitHub
from tests.fakes.notebook import Memory
from tests.trackers.github.parts import DRAFT, STATUS, Open, linked


def test_another_repository_under_the_same_name_is_refused_before_anything_is_written(
    open_github: Open, fake: FakeGitHub
) -> None:
    issue = linked(open_github().create(DRAFT))
    stranger = fake.add_repository("acme/other")
    fake.file(stranger, "A person's issue", "theirs", fake.account, [])
    moved = open_github(repository="acme/other")

    with pytest.raises(Misconfigured, match="tracker of another name"):
        moved.comment(issue, STATUS, issue.marker)
    with pytest.raises(Misconfigured, match="tracker of another name"):
        moved.create(DRAFT)
    assert len(stranger.issues) == 1
    assert not stranger.issues[1].comments


def test_the_new_name_of_a_renamed_repository_is_taken(open_github: Open, fake: FakeGitHub) -> None:
    issue = linked(open_github().create(DRAFT))
    fake.rename(fake.repository, "renamed")

    open_github(repository="acme/renamed").comment(issue, STATUS, issue.marker)
    assert len(fake.repository.issues[1].comments) == 1


def test_another_server_is_refused_without_being_asked(open_github: Open, fake: FakeGitHub) -> None:
    open_github().create(DRAFT)
    with FakeGitHub() as stranger, pytest.raises(Misconfigured, match="the issues so far are on"):
        open_github(api_url=stranger.url).create(DRAFT)
    assert stranger.requests == []


def test_a_repository_that_a_hook_reports_something_of_is_read_again_before_the_next_issue(
    tracker: GitHub, fake: FakeGitHub, memory: Memory
) -> None:
    """It may have become public; without a report that is read once an hour."""
    tracker.create(DRAFT)
    reads = len(fake.sent("GET", r"/repositories/\d+$"))
    memory.note(SURVEY_DUE, "1790000000.0")
    tracker.create(DRAFT)
    assert len(fake.sent("GET", r"/repositories/\d+$")) == reads + 1
    fake.repository.private = False
    tracker.create(DRAFT)
    memory.note(SURVEY_DUE, "1790000060.0")
    with pytest.raises(Misconfigured, match="is public"):
        tracker.create(DRAFT)
    assert len(fake.repository.issues) == 3
