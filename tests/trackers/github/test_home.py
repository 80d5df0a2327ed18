"""A tracker's issues stay where they are, whatever the configuration says later."""

import pytest

from syncd.errors import Misconfigured
from tests.fakes.github import FakeGitHub
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
