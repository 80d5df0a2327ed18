"""The condition of issues by look and by survey, and reopening and closing them."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from syncd.errors import Gone, Misconfigured, Moved, Throttled, TrackerError, Unavailable
from syncd.model import Condition, Issue, IssueState, Place
from syncd.plugin.conformance.world import whole_survey
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import FakeGitHub
from tests.fakes.server import Fault
from tests.trackers.clock import AdapterClock
from tests.trackers.github.parts import DRAFT, SOMEBODY, STATUS, Open, calls, linked


def test_an_open_issue_says_so_with_its_labels(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    fake.edit_issue(fake.repository.issues[1], labels=["crash", "audio"])

    assert tracker.look(issue).condition == Condition(labels=("audio", "crash"))


@pytest.mark.parametrize("reason", ["completed", "not_planned"])
def test_a_closed_issue_says_why_when_and_in_which_milestone(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, reason: str
) -> None:
    fake.close_issue(fake.repository.issues[1], reason, milestone="2.4.0")

    condition = tracker.look(issue).condition
    assert (condition.closed, condition.resolution, condition.fixed_in) == (True, reason, ("2.4.0",))
    assert condition.closed_at == pytest.approx(time.time(), abs=5)
    assert condition.duplicate_of is None


def test_a_locked_conversation_is_told(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    fake.edit_issue(fake.repository.issues[1], locked=True)

    assert tracker.look(issue).condition.locked


def test_a_duplicate_says_of_which_issue(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    original = fake.file(fake.repository, "The same", "words", SOMEBODY, [])
    fake.close_issue(fake.repository.issues[1], "duplicate", duplicate_of=original)
    before = len(fake.requests)

    assert tracker.look(issue).condition.duplicate_of == Place(
        remote_id="2", key="acme/game#2", url=f"{fake.url}/acme/game/issues/2"
    )
    assert len(fake.requests) == before + 2


def test_a_duplicate_of_an_issue_elsewhere_is_told_with_its_repository(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    there = fake.add_repository("acme/other")
    original = fake.file(there, "The same", "words", SOMEBODY, [])
    fake.close_issue(fake.repository.issues[1], "duplicate")
    fake.repository.issues[1].duplicate_of = (there, original)

    duplicate_of = tracker.look(issue).condition.duplicate_of
    assert duplicate_of is not None
    assert (duplicate_of.remote_id, duplicate_of.key) == (f"{there.id}/1", "acme/other#1")


@pytest.mark.parametrize("spoil", ["no graphql", "a fault", "unknown"])
def test_where_nobody_can_say_of_which_it_is_a_duplicate_it_is_just_closed(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, spoil: str
) -> None:
    original = fake.file(fake.repository, "The same", "words", SOMEBODY, [])
    fake.close_issue(fake.repository.issues[1], "duplicate", duplicate_of=None if spoil == "unknown" else original)
    fake.graphql = spoil != "no graphql"
    fake.query_fault = "FORBIDDEN" if spoil == "a fault" else None

    condition = tracker.look(issue).condition
    assert (condition.closed, condition.resolution, condition.duplicate_of) == (True, "duplicate", None)


# Changed by us.


def test_reopening_changes_nothing_but_the_state(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    mine = fake.repository.issues[1]
    fake.edit_issue(mine, title="A person's title", body="A person's words", labels=["theirs"], assignees=["alice"])
    fake.close_issue(mine, milestone="2.4.0")
    fake.changes.clear()

    assert tracker.reopen(issue) == ""
    assert (mine.state, mine.title, mine.body) == ("open", "A person's title", "A person's words")
    assert (mine.labels, mine.assignees, mine.milestone) == (["theirs"], ["alice"], "2.4.0")
    assert fake.changes == [(fake.account.login, 1, "state")]

    assert tracker.reopen(issue) == ""
    assert fake.changes == [(fake.account.login, 1, "state")]


def test_closing_says_that_it_is_done(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    assert tracker.close_issue(issue) == ""
    assert (fake.repository.issues[1].state, fake.repository.issues[1].state_reason) == ("closed", "completed")


def test_an_issue_that_cannot_be_reopened_is_told_in_githubs_words(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    fake.close_issue(fake.repository.issues[1])
    fake.inject(Fault(how="status", method="PATCH", status=422, body={"message": "Validation Failed: state"}))

    note = tracker.reopen(issue)
    assert "Validation Failed: state" in note
    assert note.endswith("reopen it by hand")


def test_an_issue_that_is_elsewhere_or_gone_is_not_changed(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    original = fake.add_repository("acme/other")
    fake.transfer(fake.repository, 1, original)
    with pytest.raises(Moved):
        tracker.reopen(issue)

    fake.repository.issues[1].moved_to = None
    fake.repository.issues[1].deleted = True
    with pytest.raises(Gone):
        tracker.close_issue(issue)


# All at once.


def test_a_survey_tells_of_what_was_changed(tracker: GitHub, fake: FakeGitHub) -> None:
    issues = [linked(tracker.create(DRAFT)) for _ in range(3)]
    fake.close_issue(fake.repository.issues[2], "not_planned")
    before = len(fake.requests)

    survey = whole_survey(tracker, issues, None)
    assert len(fake.requests) == before + 2
    assert {remote_id: observation.condition.closed for remote_id, observation in survey.observations.items()} == {
        "1": False,
        "2": True,
        "3": False,
    }
    assert survey.missing == ()
    assert survey.bookmark is not None
    assert json.loads(survey.bookmark)["since"] == pytest.approx(time.time() - 600, abs=10)


def test_a_survey_of_an_unchanged_repository_costs_two_requests_for_a_hundred_issues(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    issues = [linked(tracker.create(DRAFT))]
    first = whole_survey(tracker, issues, None)
    second = whole_survey(tracker, issues, first.bookmark)
    left = fake.remaining

    third = whole_survey(tracker, issues, second.bookmark)
    assert third.observations == {}
    assert third.bookmark is not None
    assert second.bookmark is not None
    assert json.loads(third.bookmark)["etag"] == json.loads(second.bookmark)["etag"]
    assert fake.remaining == left - 2

    fake.close_issue(fake.repository.issues[1])
    assert whole_survey(tracker, issues, third.bookmark).observations["1"].condition.closed


def test_findings_that_were_not_stored_are_read_again(tracker: GitHub, fake: FakeGitHub) -> None:
    issues = [linked(tracker.create(DRAFT))]
    first = whole_survey(tracker, issues, None)
    stored = whole_survey(tracker, issues, first.bookmark).bookmark
    fake.close_issue(fake.repository.issues[1])

    for _ in range(3):
        assert whole_survey(tracker, issues, stored).observations["1"].condition.closed


def test_a_page_is_told_before_the_next_one_fails(tracker: GitHub, fake: FakeGitHub) -> None:
    for number in range(120):
        fake.file(fake.repository, f"A person's issue {number}", "words", SOMEBODY, [])
    issues = [linked(tracker.create(DRAFT)), replace(linked(tracker.create(DRAFT)), remote_id="1")]
    parts = tracker.survey(issues, None)

    assert list(next(parts).observations) == ["121"]
    fake.inject(Fault(how="status", method="GET", path="issues", status=403))
    with pytest.raises(TrackerError):
        next(parts)


def test_an_issue_of_ours_that_the_whole_list_does_not_have_is_missing(tracker: GitHub, fake: FakeGitHub) -> None:
    issues = [linked(tracker.create(DRAFT)) for _ in range(2)]
    fake.transfer(fake.repository, 1, fake.add_repository("acme/other"))

    assert whole_survey(tracker, issues, None).missing == ("1",)


def test_an_issue_elsewhere_that_cannot_be_read_keeps_no_finding_from_being_stored(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    away = replace(issue, remote_id=f"{fake.add_repository('acme/other').id}/1")
    for _ in range(3):
        fake.inject(Fault(how="status", method="GET", path="issues/1$", status=502))

    survey = whole_survey(tracker, [issue, away], None)
    assert (list(survey.observations), survey.missing) == (["1"], (away.remote_id,))
    assert survey.bookmark is not None


def test_all_issues_elsewhere_are_read_one_after_the_other(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    home = fake.add_repository("acme/other").id
    away = [replace(issue, remote_id=f"{home}/{number}") for number in range(1, 26)]

    first = whole_survey(tracker, away, None)
    second = whole_survey(tracker, away, first.bookmark)
    assert {*first.missing, *second.missing} == {each.remote_id for each in away}


def test_the_first_survey_reads_no_further_than_needed(tracker: GitHub, fake: FakeGitHub) -> None:
    for number in range(120):
        fake.file(fake.repository, f"A person's issue {number}", "words", SOMEBODY, [])
    issues = [linked(tracker.create(DRAFT))]
    before = len(fake.requests)

    assert list(whole_survey(tracker, issues, None).observations) == ["121"]
    assert len(fake.requests) == before + 2


def test_a_survey_reads_every_page_and_leaves_out_what_is_not_ours(tracker: GitHub, fake: FakeGitHub) -> None:
    issues = [linked(tracker.create(DRAFT))]
    for number in range(120):
        fake.file(fake.repository, f"A person's issue {number}", "words", SOMEBODY, [])
    pull = fake.file(fake.repository, "A pull request", "words", SOMEBODY, [])
    pull.pull_request = True

    survey = whole_survey(tracker, [*issues, replace(issues[0], remote_id=str(pull.number))], None)
    assert list(survey.observations) == ["1"]


def test_a_survey_looks_for_what_was_transferred_one_by_one(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    original = fake.add_repository("acme/other")
    there = fake.transfer(fake.repository, 1, original)
    fake.close_issue(there)
    away = replace(issue, remote_id=f"{original.id}/1")

    survey = whole_survey(tracker, [away, replace(issue, remote_id=f"{original.id}/99")], None)
    assert survey.observations[f"{original.id}/1"].condition.closed
    assert survey.missing == (f"{original.id}/99",)


@pytest.mark.usefixtures("reading")
def test_a_later_survey_misses_what_left_the_repository_without_a_trace_in_its_list(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    issues = [linked(tracker.create(DRAFT)) for _ in range(4)]
    before = time.time() - 7 * 86400
    for issue in fake.repository.issues.values():
        issue.updated_at = datetime.fromtimestamp(before + issue.number * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    bookmark = whole_survey(tracker, issues, None).bookmark
    elsewhere = fake.add_repository("acme/other")
    fake.transfer(fake.repository, 1, elsewhere)
    fake.repository.issues[2].deleted = True

    survey = whole_survey(tracker, issues, bookmark)
    moved = {remote_id for remote_id, each in survey.observations.items() if each.place.remote_id != remote_id}
    assert {*survey.missing, *moved} == {"1", "2"}
    assert tracker.look(issues[0]).place.key == "acme/other#1"


@pytest.mark.usefixtures("reading")
def test_a_survey_meets_a_parked_issue_that_can_be_read_again_though_it_did_not_change(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    first, *rest = issues = [linked(tracker.create(DRAFT)) for _ in range(3)]
    for issue in fake.repository.issues.values():
        issue.updated_at = "2026-01-01T00:00:00Z"
    fake.repository.issues[3].updated_at = "2026-02-01T00:00:00Z"
    bookmark = whole_survey(tracker, issues, None).bookmark

    survey = whole_survey(tracker, [replace(first, state=IssueState.PARKED), *rest], bookmark)
    assert "1" in survey.observations
    assert survey.missing == ()


@pytest.mark.usefixtures("reading")
def test_a_survey_meets_a_parked_issue_once_the_repository_that_it_was_transferred_to_can_be_read(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    first, second = (linked(tracker.create(DRAFT)) for _ in range(2))
    elsewhere = fake.add_repository("acme/other", hidden=True)
    fake.transfer(fake.repository, 1, elsewhere)
    issues = [replace(first, state=IssueState.PARKED), second]
    fake.repository.issues[2].updated_at = "2026-02-01T00:00:00Z"
    bookmark = whole_survey(tracker, issues, None).bookmark
    assert whole_survey(tracker, issues, bookmark).observations.keys() == {"2"}

    elsewhere.hidden = False
    assert whole_survey(tracker, issues, bookmark).observations["1"].place.key == "acme/other#1"


def test_a_survey_after_a_rename_shows_every_issue_under_the_new_name(tracker: GitHub, fake: FakeGitHub) -> None:
    issues = [linked(tracker.create(DRAFT)) for _ in range(3)]
    for issue in fake.repository.issues.values():
        issue.updated_at = f"2026-0{issue.number}-01T00:00:00Z"
    bookmark = whole_survey(tracker, issues, None).bookmark
    fake.rename(fake.repository, "renamed")

    survey = whole_survey(tracker, issues, bookmark)
    assert {each.place.key for each in survey.observations.values()} == {f"acme/renamed#{n}" for n in (1, 2, 3)}
    assert list(whole_survey(tracker, issues, survey.bookmark).observations) == ["3"]


def test_a_survey_while_issues_are_switched_off_misses_nothing(tracker: GitHub, fake: FakeGitHub) -> None:
    issues = [linked(tracker.create(DRAFT)) for _ in range(3)]
    fake.repository.has_issues = False

    with pytest.raises(Misconfigured, match="takes no issues"):
        whole_survey(tracker, issues, None)


def test_an_odd_issue_spoils_no_survey(tracker: GitHub, fake: FakeGitHub) -> None:
    issues = [linked(tracker.create(DRAFT)) for _ in range(2)]
    rows = [{"number": None, "state": 5}, "text", {"number": 2, "state": "closed"}]
    fake.inject(Fault(how="status", method="GET", path="/issues$", status=200, body=rows))

    survey = whole_survey(tracker, issues, None)
    assert survey.observations["2"].condition.closed
    assert survey.missing == ("1",)


@pytest.mark.parametrize("status", [403, 404, 410, 422])
def test_a_list_that_is_refused_is_no_empty_list(tracker: GitHub, fake: FakeGitHub, status: int) -> None:
    issue = linked(tracker.create(DRAFT))
    fake.inject(Fault(how="status", method="GET", path="/issues$", status=status, body=[]))

    with pytest.raises(TrackerError):
        whole_survey(tracker, [issue], None)


@pytest.mark.parametrize("body", [["text"], {"message": "a proxy's page"}, [{"number": "1"}]])
def test_a_list_of_which_nothing_can_be_read_is_no_survey(tracker: GitHub, fake: FakeGitHub, body: object) -> None:
    issue = linked(tracker.create(DRAFT))
    fake.inject(Fault(how="status", method="GET", path="/issues$", status=200, body=body))

    with pytest.raises(Unavailable):
        whole_survey(tracker, [issue], None)


def test_a_survey_that_is_throttled_says_so(tracker: GitHub, fake: FakeGitHub, issue: Issue) -> None:
    fake.remaining = 0

    with pytest.raises(Throttled):
        whole_survey(tracker, [issue], None)


# Given at creation.


def test_labels_and_an_assignee_are_given_at_creation(tracker: GitHub, fake: FakeGitHub) -> None:
    draft = replace(DRAFT, labels=("memory", "Crash", "x" * 60), assignee="alice", components=("Audio",))

    created = tracker.create(draft)
    assert fake.repository.issues[1].labels == ["crash", "memory", "x" * 49 + "…"]
    assert fake.repository.issues[1].assignees == ["alice"]
    assert created.notes == ()


def test_an_assignee_that_github_does_not_take_is_left_out_and_not_sent_again_for_an_hour(
    tracker: GitHub, fake: FakeGitHub, clock: AdapterClock
) -> None:
    draft = replace(DRAFT, assignee="nobody")

    created = tracker.create(draft)
    assert created.notes == ("the assignee nobody was left out: GitHub does not take it",)
    assert calls(fake).count(f"POST /repositories/{fake.repository.id}/issues") == 2
    assert len(fake.repository.issues) == 1

    tracker.create(draft)
    assert calls(fake).count(f"POST /repositories/{fake.repository.id}/issues") == 3
    clock.uptime += 3601
    tracker.create(draft)
    assert calls(fake).count(f"POST /repositories/{fake.repository.id}/issues") == 5
    assert len(fake.repository.issues) == 3


# Who can read it.


def test_nothing_is_filed_where_everybody_could_read_it(open_github: Open, fake: FakeGitHub) -> None:
    fake.repository.private = False

    with pytest.raises(Misconfigured, match=r"public.*allow_public"):
        open_github().create(DRAFT)
    assert len(fake.repository.issues) == 0
    assert open_github(allow_public=True).create(DRAFT).number == 1


def test_a_repository_that_was_made_public_is_noticed_within_an_hour(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, clock: AdapterClock
) -> None:
    fake.repository.private = False
    tracker.comment(issue, STATUS, "m")

    clock.uptime += 3601
    with pytest.raises(Misconfigured, match="public"):
        tracker.comment(issue, STATUS, "n")
    with pytest.raises(Misconfigured, match="public"):
        tracker.reopen(issue)
    assert len(fake.repository.issues[1].comments) == 1
