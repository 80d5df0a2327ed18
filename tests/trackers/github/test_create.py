"""Filing an issue: how many requests it takes, and what is made of every end."""

from collections.abc import Callable
from dataclasses import replace

import github
import pytest

from syncd.errors import Misconfigured, OutcomeUnknown, Refused, Throttled, Unavailable
from syncd.model import Created
from syncd.render.text import Code, Paragraph
from syncd.trackers import Draft
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import TOKEN, FakeGitHub, secondary_limit
from tests.fakes.server import Fault, How
from tests.trackers.clock import AdapterClock, fresh_for
from tests.trackers.github.parts import DRAFT, GROUP, LOST, MARKER, Open, calls, doubtful


def test_opening_sends_nothing(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.close()

    assert fake.requests == []


def test_the_first_create_asks_for_the_repository_and_the_next_is_one_request(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    home = f"/repositories/{fake.repository.id}"

    first, second = tracker.create(DRAFT), tracker.create(DRAFT)
    assert calls(fake) == ["GET /repos/acme/game", "GET /user", f"POST {home}/issues", f"POST {home}/issues"]
    assert first == Created(remote_id="1", key="acme/game#1", url=f"{fake.url}/acme/game/issues/1", number=1, notes=())
    assert second.number == 2


def test_the_repository_is_known_again_after_a_restart(open_github: Open, fake: FakeGitHub) -> None:
    open_github().create(DRAFT)
    open_github().create(DRAFT)

    # The second GET asks whether it is still private.
    assert [each.method for each in fake.requests if each.path != "/user"] == ["GET", "POST", "GET", "POST"]


def test_an_issue_says_what_the_draft_says_and_ends_with_the_marker(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)

    issue = fake.repository.issues[1]
    assert issue.title == "Crash in render()"
    assert issue.body == f"It broke.\n\n<!-- syncd:1:{MARKER} -->"
    assert issue.labels == ["crash"]


def test_the_longest_texts_stay_within_the_limits_and_keep_the_marker(tracker: GitHub, fake: FakeGitHub) -> None:
    body = (Paragraph(("It broke.",)), Code(("x" * 1000,) * 500))

    tracker.create(Draft(marker=MARKER, title="long\n" * 500, body=body, group=GROUP))
    issue = fake.repository.issues[1]
    assert len(issue.title) <= 240
    assert "\n" not in issue.title
    assert issue.body is not None
    assert 50_000 < len(issue.body) <= 60_000
    assert issue.body.endswith(f"\n<!-- syncd:1:{MARKER} -->")


def test_labels_that_github_drops_are_noted(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.repository.push = False

    created = tracker.create(DRAFT)
    assert created.notes == ("GitHub dropped the labels crash: the token may not set labels in acme/game",)


def test_a_redirected_create_whose_time_has_passed_is_not_sent_again(
    tracker: GitHub, fake: FakeGitHub, clock: AdapterClock
) -> None:
    tracker.newest()
    fake.inject(Fault(how="status", status=307))
    fake.watch = clock.pass_during(f"/repositories/{fake.repository.id}", 61.0)

    with pytest.raises(Unavailable, match="nothing was sent"):
        tracker.create(replace(DRAFT, require_fresh=fresh_for(clock, 60.0)))
    assert len(fake.sent("POST")) == 1


@pytest.mark.parametrize("how", LOST)
def test_a_create_whose_answer_is_lost_was_sent_once_and_is_in_doubt(
    tracker: GitHub, fake: FakeGitHub, how: How
) -> None:
    fake.inject(Fault(how=how, times=99))

    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 1
    assert len(fake.repository.issues) == 1


def test_a_create_that_is_not_answered_in_time_was_sent_once_and_is_in_doubt(
    open_github: Open, fake: FakeGitHub
) -> None:
    fake.inject(Fault(how="hang_after", times=99))

    with pytest.raises(OutcomeUnknown, match="did not answer in time"):
        open_github(patience=0.2).create(DRAFT)
    assert len(fake.sent("POST")) == 1
    assert len(fake.repository.issues) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_create_that_a_server_fails_was_sent_once_and_is_in_doubt(
    tracker: GitHub, fake: FakeGitHub, status: int
) -> None:
    fake.inject(Fault(how="status_after", status=status, times=99))

    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 1


def test_the_final_answer_after_an_early_one_passes_for_that_of_no_other_request(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    tracker.newest()
    fake.inject(Fault(how="early", seconds=0.3))

    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)
    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [1]
    assert fake.connections == 2
    assert len(fake.sent("POST", "/issues$")) == 1


def test_left_to_itself_pygithub_files_a_lost_create_again_and_again(fake: FakeGitHub) -> None:
    """The negative control: without our settings the same fault makes many issues."""
    fake.inject(Fault(how="reset_after", times=4))
    client = github.Github(auth=github.Auth.Token(TOKEN), base_url=fake.url, seconds_between_writes=None)

    client.get_repo("acme/game").create_issue("Crash")
    client.close()
    assert len(fake.repository.issues) == 5


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_create_is_sent_once_more_when_the_repository_is_the_same(
    tracker: GitHub, fake: FakeGitHub, status: int
) -> None:
    fake.inject(Fault(how="status", status=status, headers={"Location": f"{fake.url}/repositories/1/issues"}))

    assert tracker.create(DRAFT).number == 1
    assert [each.method for each in fake.requests if each.path != "/user"] == ["GET", "POST", "GET", "POST"]
    assert fake.sent("POST")[0].path == fake.sent("POST")[1].path


def test_a_create_that_is_redirected_twice_is_given_up(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.inject(Fault(how="status", status=307, headers={"Location": "http://elsewhere.invalid/issues"}, times=99))

    with pytest.raises(Misconfigured, match="redirects"):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 2


def test_a_renamed_repository_is_still_filed_in(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    fake.rename(fake.repository, "renamed")

    assert tracker.create(DRAFT).number == 2
    assert len(fake.requests) == 4


def test_a_repository_that_was_renamed_before_the_first_create_is_not_followed(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    fake.rename(fake.repository, "renamed")

    with pytest.raises(Misconfigured, match='acme/game is now acme/renamed; set repository = "acme/renamed"'):
        tracker.create(DRAFT)
    assert calls(fake) == ["GET /repos/acme/game", f"GET /repositories/{fake.repository.id}"]


def test_a_stranger_that_took_over_the_name_gets_nothing(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    fake.remove(fake.repository)
    stranger = fake.add_repository("acme/game", private=False)

    with pytest.raises(Misconfigured, match="now another repository"):
        tracker.create(DRAFT)
    assert stranger.issues == {}


def test_a_repository_that_is_gone_or_hidden_is_a_fault_of_the_configuration(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    fake.remove(fake.repository)

    with pytest.raises(Misconfigured, match="404 Not Found"):
        tracker.create(DRAFT)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda fake: setattr(fake.repository, "has_issues", False), "acme/game takes no issues"),
        (lambda fake: setattr(fake.repository, "archived", True), "acme/game is archived"),
        (lambda fake: setattr(fake.repository, "can_file", False), "403 Resource not accessible"),
    ],
)
def test_a_repository_that_takes_no_issues_is_a_fault_of_the_configuration(
    tracker: GitHub, fake: FakeGitHub, spoil: Callable[[FakeGitHub], None], message: str
) -> None:
    spoil(fake)

    with pytest.raises(Misconfigured, match=message):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 1


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, 60), (17, 17)])
def test_a_secondary_limit_asks_for_silence(
    tracker: GitHub, fake: FakeGitHub, retry_after: int | None, seconds: float
) -> None:
    fake.inject(secondary_limit(retry_after))

    with pytest.raises(Throttled) as caught:
        tracker.create(DRAFT)
    assert caught.value.seconds == seconds
    assert len(fake.sent("POST")) == 1


def test_a_primary_limit_asks_for_silence_until_it_is_reset(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.remaining = 0

    with pytest.raises(Throttled) as caught:
        tracker.create(DRAFT)
    assert 1700 < caught.value.seconds <= 1801


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"assignees"}, [{"resource": "Issue", "code": "invalid", "field": "assignees"}]),
        ({"labels"}, [{"resource": "Label", "code": "custom", "field": "name", "message": "name is too long"}]),
        ({"labels"}, [{"resource": "Issue", "code": "invalid", "field": "labels"}]),
        (
            {"assignees", "labels"},
            [
                {"resource": "Issue", "code": "invalid", "field": "assignees"},
                {"resource": "Label", "code": "custom", "field": "name"},
            ],
        ),
    ],
)
def test_a_field_that_an_issue_can_do_without_is_left_out(
    tracker: GitHub, fake: FakeGitHub, fields: set[str], faults: list[dict[str, str]]
) -> None:
    fake.inject(Fault(how="status", status=422, body={"message": "Validation Failed", "errors": faults}))

    created = tracker.create(replace(DRAFT, assignee="alice"))
    first, second = (set(each.body) for each in fake.sent("POST"))
    assert first - second == fields
    assert len(created.notes) == len(fields)
    assert all(note.endswith("GitHub does not take it") or note.endswith("them") for note in created.notes)


def test_a_field_that_is_refused_again_is_a_refusal_of_the_draft(tracker: GitHub, fake: FakeGitHub) -> None:
    fault = {"resource": "Issue", "code": "invalid", "field": "labels"}
    body = {"message": "Validation Failed", "errors": [fault]}
    fake.inject(Fault(how="status", status=422, body=body, times=9))

    with pytest.raises(Refused, match="labels invalid"):
        tracker.create(DRAFT)
    assert len(fake.sent("POST")) == 2


def test_a_milestone_is_given_by_its_title(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.repository.milestones = [*(f"Sprint {number}" for number in range(1, 130)), "Triage"]
    tracker.create(replace(DRAFT, milestone="triage"))
    made = tracker.create(replace(DRAFT, milestone="Someday"))

    assert fake.repository.issues[1].milestone == "Triage"
    assert fake.repository.issues[2].milestone is None
    assert made.notes == ("the milestone Someday was left out: there is none that is open",)


@pytest.mark.parametrize("status", [301, 403, 404, 410, 451])
def test_milestones_that_are_refused_keep_no_issue_from_being_filed(
    tracker: GitHub, fake: FakeGitHub, status: int
) -> None:
    fake.inject(Fault(how="status", method="GET", path="/milestones$", status=status, body={"message": "nein"}))
    made = tracker.create(replace(DRAFT, milestone="Triage"))

    (note,) = made.notes
    assert note.startswith("the milestone Triage was left out: ")
    assert f"({status} nein)" in note


def test_a_milestone_that_was_deleted_meanwhile_is_left_out(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.repository.milestones = ["Triage"]
    errors = [{"resource": "Issue", "code": "invalid", "field": "milestone", "value": "1"}]
    fake.inject(Fault(how="status", method="POST", status=422, body={"message": "Validation Failed", "errors": errors}))
    made = tracker.create(replace(DRAFT, milestone="Triage"))

    assert made.notes == ("the milestone Triage was left out: GitHub does not take it",)
    assert fake.repository.issues[1].milestone is None
