"""A look at an issue that is still there, transferred, deleted, or hidden from the token."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from syncd.errors import Gone, Misconfigured, Moved, OutOfReach, Throttled, Unavailable
from syncd.model import Issue, Place
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import FakeGitHub
from tests.fakes.github_records import FakeRepository
from tests.fakes.server import Fault
from tests.trackers.github.parts import DRAFT, Open, calls, linked


@pytest.fixture
def elsewhere(fake: FakeGitHub) -> FakeRepository:
    repository = fake.add_repository("acme/other")
    fake.file(repository, "A person's issue", "theirs", fake.account, [])
    return repository


def test_an_issue_that_is_where_it_was_costs_one_request(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    before = len(fake.requests)

    assert tracker.look(issue).place == Place(remote_id="1", key="acme/game#1", url=f"{fake.url}/acme/game/issues/1")
    assert calls(fake)[before:] == [f"GET /repositories/{fake.repository.id}/issues/1"]


def test_an_issue_of_a_renamed_repository_shows_its_new_name(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    fake.rename(fake.repository, "renamed")
    place = Place(remote_id="1", key="acme/renamed#1", url=f"{fake.url}/acme/renamed/issues/1")

    assert tracker.look(issue).place == place
    (part, _) = tracker.survey([issue], None)
    assert part.observations["1"].place == place
    assert tracker.create(DRAFT).key == "acme/renamed#2"


def test_a_transferred_issue_is_followed(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, elsewhere: FakeRepository
) -> None:
    fake.transfer(fake.repository, 1, elsewhere)
    before = len(fake.requests)

    place = tracker.look(issue).place
    assert place == Place(remote_id=f"{elsewhere.id}/2", key="acme/other#2", url=f"{fake.url}/acme/other/issues/2")
    assert len(fake.requests) == before + 2
    assert tracker.look(replace(issue, remote_id=place.remote_id)).place == place
    assert len(fake.requests) == before + 3


def test_an_issue_that_came_back_is_one_of_ours_again(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, elsewhere: FakeRepository
) -> None:
    fake.transfer(fake.repository, 1, elsewhere)
    away = replace(issue, remote_id=tracker.look(issue).place.remote_id)
    fake.transfer(elsewhere, 2, fake.repository)

    assert tracker.look(away).place == Place(remote_id="2", key="acme/game#2", url=f"{fake.url}/acme/game/issues/2")


def test_an_issue_that_was_transferred_twice_is_followed_step_by_step(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, elsewhere: FakeRepository
) -> None:
    third = fake.add_repository("acme/third")
    fake.transfer(fake.repository, 1, elsewhere)
    fake.transfer(elsewhere, 2, third)

    with pytest.raises(Moved) as caught:
        tracker.look(issue)
    assert caught.value.remote_id == f"{elsewhere.id}/2"
    assert tracker.look(replace(issue, remote_id=caught.value.remote_id)).place.key == "acme/third#1"


def test_a_server_that_redirects_by_name_is_understood(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, elsewhere: FakeRepository
) -> None:
    fake.repository.issues[1].moved_to = "repos/acme/other/issues/1"

    assert tracker.look(issue).place == Place(
        remote_id=f"{elsewhere.id}/1", key="acme/other#1", url=f"{fake.url}/acme/other/issues/1"
    )
    elsewhere.hidden = True
    with pytest.raises(OutOfReach):
        tracker.look(issue)


def test_an_enterprise_server_is_followed_below_its_own_path(
    open_github: Open, fake: FakeGitHub, elsewhere: FakeRepository
) -> None:
    tracker = open_github(api_url=f"{fake.url}/api/v3")
    issue = linked(tracker.create(DRAFT))
    fake.transfer(fake.repository, 1, elsewhere)

    assert tracker.look(issue).place.key == "acme/other#2"
    assert calls(fake)[-1] == f"GET /api/v3/repositories/{elsewhere.id}/issues/2"


def test_a_redirect_to_another_server_is_not_followed(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    with FakeGitHub() as stranger:
        headers = {"Location": f"{stranger.url}/repositories/{fake.repository.id}/issues/1"}
        fake.inject(Fault(how="status", method="GET", path="/issues/1$", status=301, headers=headers))

        with pytest.raises(OutOfReach, match="redirects to another place"):
            tracker.look(issue)
        assert stranger.requests == []


def test_a_redirect_in_a_circle_concerns_this_issue_alone(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    fake.repository.issues[1].moved_to = f"repositories/{fake.repository.id}/issues/1"
    before = len(fake.requests)

    with pytest.raises(OutOfReach, match="redirects"):
        tracker.look(issue)
    assert len(fake.requests) == before + 4


def test_a_proxy_that_redirects_everything_is_a_fault_of_the_configuration(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    fake.inject(Fault(how="status", method="GET", status=302, headers={"Location": f"{fake.url}/login"}, times=9))

    with pytest.raises(Misconfigured, match="redirects to another place"):
        tracker.look(issue)


@pytest.mark.parametrize("spoil", ["hidden", "can_read_issues", "has_issues", "gone"])
def test_an_issue_that_went_where_we_cannot_read_is_out_of_reach(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, elsewhere: FakeRepository, spoil: str
) -> None:
    fake.transfer(fake.repository, 1, elsewhere)
    if spoil == "gone":
        fake.remove(elsewhere)
    else:
        setattr(elsewhere, spoil, spoil == "hidden")

    for remote_id in ("1", f"{elsewhere.id}/2"):
        with pytest.raises(OutOfReach):
            tracker.look(replace(issue, remote_id=remote_id))


def test_a_limit_at_the_new_place_is_only_a_limit(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, elsewhere: FakeRepository
) -> None:
    fake.transfer(fake.repository, 1, elsewhere)
    fake.inject(
        Fault(how="status", method="GET", path=f"{elsewhere.id}/", status=403, headers={"Retry-After": "30"}, times=9)
    )

    with pytest.raises(Throttled):
        tracker.look(issue)


def test_a_deleted_issue_is_gone_by_githubs_own_word(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    fake.repository.issues[1].deleted = True
    before = len(fake.requests)

    with pytest.raises(Gone, match="acme/game#1 was deleted"):
        tracker.look(issue)
    home = f"/repositories/{fake.repository.id}"
    assert calls(fake)[before:] == [f"GET {home}/issues/1", f"GET {home}", f"GET {home}/issues"]


def test_an_issue_that_was_transferred_and_then_deleted_is_gone(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, elsewhere: FakeRepository
) -> None:
    fake.transfer(fake.repository, 1, elsewhere).deleted = True

    for remote_id in ("1", f"{elsewhere.id}/2"):
        with pytest.raises(Gone):
            tracker.look(replace(issue, remote_id=remote_id))


def test_an_issue_that_is_not_found_beside_its_neighbours_is_out_of_reach(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    fake.repository.issues[1].deleted = True
    fake.repository.issues[1].deleted_status = 404
    before = len(fake.requests)

    with pytest.raises(OutOfReach, match="though its neighbours can: it was transferred"):
        tracker.look(issue)
    home = f"/repositories/{fake.repository.id}"
    assert calls(fake)[before:] == [f"GET {home}/issues/1", f"GET {home}", f"GET {home}/issues"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fake: fake.remove(fake.repository),
        lambda fake: setattr(fake.repository, "hidden", True),
        lambda fake: setattr(fake.repository, "can_read_issues", False),
        lambda fake: setattr(fake.repository, "has_issues", False),
        lambda fake: fake.accounts.clear(),
    ],
)
@pytest.mark.parametrize("deleted", [False, True])
def test_an_issue_is_never_gone_where_we_may_not_read_issues(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, spoil: Callable[[FakeGitHub], object], deleted: bool
) -> None:
    fake.repository.issues[1].deleted = deleted
    fake.repository.issues[1].deleted_status = 404
    spoil(fake)

    with pytest.raises(Misconfigured):
        tracker.look(issue)


@pytest.mark.parametrize("path", ["/issues/1$", r"/repositories/\d+$", "/issues$"])
def test_a_question_that_fails_tells_nothing(tracker: GitHub, fake: FakeGitHub, issue: Issue, path: str) -> None:
    fake.repository.issues[1].deleted = True
    fake.repository.issues[1].deleted_status = 404
    fake.inject(Fault(how="status", method="GET", path=path, times=3))

    with pytest.raises(Unavailable):
        tracker.look(issue)


def test_a_control_read_that_is_redirected_or_garbled_proves_nothing(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    fake.repository.issues[1].deleted = True
    fake.repository.issues[1].deleted_status = 404
    fake.inject(Fault(how="status", method="GET", path="/issues$", status=200, body={"message": "a proxy's words"}))

    with pytest.raises(Unavailable):
        tracker.look(issue)
    fake.inject(Fault(how="status", method="GET", path="/issues$", status=302))
    with pytest.raises(Misconfigured):
        tracker.look(issue)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Issues are disabled for this repo"},
        {"message": "Issues has been disabled in this repository."},
        {"message": "Les tickets sont fermés"},
        b"<html>Gone</html>",
        None,
    ],
)
def test_issues_that_are_turned_off_with_a_410_are_not_gone(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, body: object
) -> None:
    fake.inject(Fault(how="status", method="GET", path="/issues/1$", status=410, body=body))
    fake.repository.has_issues = False

    with pytest.raises(Misconfigured, match="takes no issues"):
        tracker.look(issue)


@pytest.mark.parametrize(
    "message", ["Issues are disabled for this repo", "Issues has been disabled in this repository."]
)
def test_words_that_contradict_the_repository_prove_no_deletion(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, message: str
) -> None:
    fake.inject(Fault(how="status", method="GET", path="/issues/1$", status=410, body={"message": message}))

    with pytest.raises(Unavailable, match="what its repository does not"):
        tracker.look(issue)


def test_issues_that_are_turned_off_and_hidden_with_a_404_are_not_gone(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    fake.inject(Fault(how="status", method="GET", path="/issues/1$", status=404, body={"message": "Not Found"}))
    fake.repository.has_issues = False

    with pytest.raises(Misconfigured, match="takes no issues"):
        tracker.look(issue)
