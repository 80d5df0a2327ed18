"""A probe of a create: its reads, the issues that it takes for ours, and its claims."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest

from syncd.errors import OutcomeUnknown, Throttled, Unavailable
from syncd.render.markdown import carries
from syncd.render.markers import issue_line
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.github_records import Account, FakeIssue
from tests.fakes.server import Fault
from tests.trackers.clock import AdapterClock
from tests.trackers.github.parts import (
    BODY,
    DRAFT,
    HOUR,
    MARKER,
    SOMEBODY,
    Open,
    calls,
    doubtful,
    linked,
    own_issue,
    persons_issues,
)


@pytest.mark.usefixtures("reading")
def test_a_create_that_was_never_carried_out_is_not_found(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 3)
    fake.inject(Fault(how="reset_before"))
    with pytest.raises(OutcomeUnknown):
        tracker.create(DRAFT)

    before = time.time()
    evidence = tracker.probe(doubtful(3))
    assert (evidence.issues, evidence.covered, evidence.newest) == ((), True, 3)
    assert evidence.at is not None
    assert before - 1 <= evidence.at <= time.time()


def test_a_probe_is_three_requests(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    tracker.probe(doubtful(0))
    before = len(fake.requests)

    evidence = tracker.probe(doubtful(0))
    home = f"/repositories/{fake.repository.id}"
    assert calls(fake)[before:] == [f"GET {home}/issues", "POST /graphql", f"GET {home}/issues/2"]
    query = fake.sent("GET", "/issues$")[-1].query
    assert query == {"state": ["all"], "sort": ["created"], "direction": ["desc"], "per_page": ["100"], "page": ["1"]}
    assert evidence.summary == "above #0, 1 numbers were read out of the list and 50 one by one, up to #51"


@pytest.mark.usefixtures("reading")
def test_an_issue_that_the_list_does_not_show_yet_is_found_by_its_number(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 5)
    fake.lag_seconds = HOUR
    own_issue(fake)
    persons_issues(fake, 2)

    evidence = tracker.probe(doubtful(3))
    assert [each.number for each in evidence.issues] == [6]
    assert (evidence.newest, evidence.covered) == (8, True)


@pytest.mark.usefixtures("reading")
def test_the_reading_goes_on_above_every_number_that_is_found(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.lag_seconds = HOUR
    persons_issues(fake, 115)
    own_issue(fake)

    evidence = tracker.probe(doubtful(0))
    assert [each.number for each in evidence.issues] == [116]
    assert (evidence.newest, evidence.covered) == (116, True)
    read = {int(each.path.rsplit("/", 1)[1]) for each in fake.sent("GET", r"/issues/\d+$")}
    assert read in ({117}, set(range(1, 167)))


@pytest.mark.usefixtures("reading")
def test_holes_pull_requests_and_discussions_are_read_and_passed_over(tracker: GitHub, fake: FakeGitHub) -> None:
    deleted, vanished, moved, pull, discussion = persons_issues(fake, 5)
    deleted.deleted = vanished.deleted = True
    vanished.deleted_status = 404
    fake.transfer(fake.repository, moved.number, fake.add_repository("acme/other"))
    pull.pull_request, pull.body, pull.author = True, BODY, fake.account
    discussion.discussion = True
    own_issue(fake)
    persons_issues(fake)[0].discussion = True

    evidence = tracker.probe(doubtful(0))
    assert [each.number for each in evidence.issues] == [6]
    assert evidence.covered


def deleted(fake: FakeGitHub, issue: FakeIssue) -> None:
    issue.deleted = True


def deleted_out_of_sight(fake: FakeGitHub, issue: FakeIssue) -> None:
    issue.deleted, issue.deleted_status = True, 404
    persons_issues(fake)


def transferred_out_of_sight(fake: FakeGitHub, issue: FakeIssue) -> None:
    fake.transfer(fake.repository, issue.number, fake.add_repository("acme/secret", hidden=True))


def converted(fake: FakeGitHub, issue: FakeIssue) -> None:
    issue.discussion = True
    persons_issues(fake)


def rewritten(fake: FakeGitHub, issue: FakeIssue) -> None:
    fake.edit_issue(issue, body="Somebody wrote another text.")


def attached_to_a_pull_request(fake: FakeGitHub, issue: FakeIssue) -> None:
    issue.pull_request = True


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize(
    "touch",
    [deleted, deleted_out_of_sight, transferred_out_of_sight, converted, rewritten, attached_to_a_pull_request],
)
def test_an_issue_that_people_touched_is_not_proved_absent(
    tracker: GitHub, fake: FakeGitHub, touch: Callable[[FakeGitHub, FakeIssue], None]
) -> None:
    tracker.create(replace(DRAFT, marker="another"))
    touch(fake, own_issue(fake))

    evidence = tracker.probe(doubtful(1))
    assert (evidence.issues, evidence.covered) == ((), False)
    assert "; but #2 " in evidence.summary


@pytest.mark.usefixtures("reading")
def test_an_issue_that_was_transferred_is_found_at_its_new_place(tracker: GitHub, fake: FakeGitHub) -> None:
    there = fake.add_repository("acme/other")
    fake.transfer(fake.repository, own_issue(fake).number, there)

    evidence = tracker.probe(doubtful(0))
    assert [(each.remote_id, each.key, each.number) for each in evidence.issues] == [
        (f"{there.id}/1", "acme/other#1", 1)
    ]
    assert tracker.look(linked(evidence.issues[0])).place.remote_id == evidence.issues[0].remote_id


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("is_noted", [True, False])
def test_an_issue_of_the_account_that_was_behind_the_token_before(
    open_github: Open, fake: FakeGitHub, is_noted: bool
) -> None:
    if is_noted:
        open_github().create(replace(DRAFT, marker="another"))
    floor, issue = fake.repository.last_number, own_issue(fake)
    fake.accounts[TOKEN] = Account("acme-bot", 502)

    evidence = open_github().probe(doubtful(floor))
    assert [each.number for each in evidence.issues] == ([issue.number] if is_noted else [])
    assert evidence.covered is is_noted


@pytest.mark.usefixtures("reading")
def test_a_strangers_copy_proves_nothing(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.file(fake.repository, "A copy", BODY, SOMEBODY, [])

    evidence = tracker.probe(doubtful(0))
    assert (evidence.issues, evidence.covered) == ((), False)
    assert "#1 has its marker, but syncd's account did not write it" in evidence.summary


@pytest.mark.parametrize("run", [20, 49, 130])
def test_a_run_of_discussions_does_not_end_the_reading(tracker: GitHub, fake: FakeGitHub, run: int) -> None:
    fake.lag_seconds = HOUR
    for talk in persons_issues(fake, run):
        talk.discussion = True
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("run", [20, 49, 60])
def test_a_run_of_deleted_issues_does_not_end_the_reading(tracker: GitHub, fake: FakeGitHub, run: int) -> None:
    fake.lag_seconds = HOUR
    for spam in persons_issues(fake, run):
        spam.deleted = True
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]


def test_discussions_that_the_token_may_not_read_are_no_proof(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.repository.tells_discussions = False
    persons_issues(fake, 2)[0].discussion = True

    evidence = tracker.probe(doubtful(0))
    assert (evidence.issues, evidence.covered) == ((), False)


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("lag", [0.0, HOUR])
@pytest.mark.parametrize("kept", [0, 3])
def test_numbers_that_went_back_below_the_floor_are_read(
    tracker: GitHub, fake: FakeGitHub, lag: float, kept: int
) -> None:
    """A server that was restored from a backup gives numbers once more."""
    for issue in persons_issues(fake, kept):
        issue.written -= 2 * HOUR
    fake.lag_seconds = lag
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(21)).issues] == [issue.number]


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("lag", [0.0, HOUR])
def test_only_what_we_wrote_ourselves_is_ours(tracker: GitHub, fake: FakeGitHub, lag: float) -> None:
    fake.lag_seconds = lag
    fake.file(fake.repository, "A copy", BODY, SOMEBODY, [])
    for body in (
        None,
        issue_line("x" * 26),
        BODY.replace("\n", "\n> "),
        f"```\n{BODY}\n```\nsee there",
        f"see {issue_line(MARKER)}",
    ):
        fake.file(fake.repository, "Crash in render()", body, fake.account, [])
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]


@pytest.mark.usefixtures("reading")
def test_an_app_takes_the_issues_of_bots_only(open_github: Open, fake: FakeGitHub) -> None:
    fake.accounts["app"] = Account("syncd[bot]", 503, app=True)
    fake.file(fake.repository, "A copy", BODY, SOMEBODY, [])
    tracker = open_github("app")
    created = tracker.create(DRAFT)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [created.number]
    fake.lag_seconds = HOUR
    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [created.number]


def test_who_we_are_is_asked_once_and_only_about_a_find(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 3)
    tracker.probe(doubtful(0))
    assert fake.sent("GET", "/user$") == []

    own_issue(fake)
    tracker.probe(doubtful(0))
    tracker.probe(doubtful(0))
    assert len(fake.sent("GET", "/user$")) == 1


def test_a_limit_reached_while_asking_who_we_are_is_not_taken_for_an_app(tracker: GitHub, fake: FakeGitHub) -> None:
    own_issue(fake)
    fake.inject(Fault(how="status", method="GET", path="/user$", status=403, headers={"Retry-After": "30"}))

    with pytest.raises(Throttled):
        tracker.probe(doubtful(0))


@pytest.mark.usefixtures("reading")
def test_two_of_ours_are_told_the_oldest_first(tracker: GitHub, fake: FakeGitHub) -> None:
    own_issue(fake)
    persons_issues(fake)
    fake.lag_seconds = HOUR
    own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [1, 3]


@pytest.mark.usefixtures("reading")
def test_a_list_that_ends_below_the_floor_still_covers_what_is_above(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 2)
    fake.repository.last_number = 40
    issue = own_issue(fake)
    fake.lag_seconds = HOUR

    evidence = tracker.probe(doubtful(40))
    assert [each.number for each in evidence.issues] == [issue.number]
    assert evidence.covered


@pytest.mark.usefixtures("reading")
def test_an_empty_repository_is_read_too(tracker: GitHub, fake: FakeGitHub) -> None:
    evidence = tracker.probe(doubtful(0))

    assert (evidence.issues, evidence.covered, evidence.newest, evidence.newest_at) == ((), True, 0, None)
    assert tracker.newest() == 0


def test_the_newest_issue_comes_with_githubs_own_time(tracker: GitHub, fake: FakeGitHub) -> None:
    for lag in (0.0, HOUR):
        fake.lag_seconds = lag
        persons_issues(fake)[0].created_at = "2026-11-24T03:50:00Z"

        evidence = tracker.probe(doubtful(0))
        assert evidence.newest == fake.repository.last_number
        assert evidence.newest_at == datetime(2026, 11, 24, 3, 50, tzinfo=UTC).timestamp()


def test_pull_requests_count_as_numbers(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 2)[1].pull_request = True

    assert tracker.newest() == 2
    assert tracker.probe(doubtful(0)).newest == 2
    assert tracker.probe(doubtful(0)).newest_at is not None


def test_very_many_numbers_are_read_page_by_page(tracker: GitHub, fake: FakeGitHub) -> None:
    issue = own_issue(fake)
    persons_issues(fake, 250)

    evidence = tracker.probe(doubtful(0))
    assert [each.number for each in evidence.issues] == [issue.number]
    assert evidence.covered
    assert len(fake.sent("GET", "/issues$")) == 3
    tracker.probe(doubtful(200))
    assert len(fake.sent("GET", "/issues$")) == 4


def test_more_numbers_than_can_be_read_are_not_claimed(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 3)
    fake.repository.last_number = 9000
    persons_issues(fake)

    evidence = tracker.probe(doubtful(2))
    assert (evidence.issues, evidence.covered, evidence.newest) == ((), False, 9001)
    assert "more than that were given since" in evidence.summary
    assert len(fake.sent("POST", "graphql")) == 10


@pytest.mark.slow
def test_more_pages_than_can_be_read_are_not_claimed(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 3200)

    evidence = tracker.probe(doubtful(0))
    assert (evidence.covered, evidence.newest) == (False, 3200)
    assert len(fake.sent("GET", "/issues$")) == 20


@pytest.mark.slow
def test_one_by_one_only_so_many_are_read(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.graphql = False
    fake.repository.last_number = 400
    persons_issues(fake)

    evidence = tracker.probe(doubtful(0))
    assert not evidence.covered
    assert len(fake.sent("GET", r"/issues/\d+$")) == 300


def test_a_probe_ends_before_the_claim_does(tracker: GitHub, fake: FakeGitHub, clock: AdapterClock) -> None:
    fake.graphql = False
    clock.step = 10

    evidence = tracker.probe(doubtful(0))
    assert not evidence.covered
    assert len(fake.sent("GET", r"/issues/\d+$")) < 9


def test_without_githubs_clock_nothing_is_claimed(tracker: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: "today")

    evidence = tracker.probe(doubtful(0))
    assert (evidence.at, evidence.covered) == (None, False)
    assert "did not say what time" in evidence.summary


LINE = issue_line(MARKER)


@pytest.mark.parametrize(
    ("body", "carried"),
    [
        (LINE, True),
        (f"words\n\n{LINE}\n\n", True),
        (f"words\r\n\r\n{LINE}\r\n", True),
        (f"words\n{LINE}\nwritten below", True),
        (f"````\n```\n````\n{LINE}\nbelow", True),
        (f"~~~\n```\n~~~\n{LINE}\nbelow", True),
        (f"``` not ` a fence\n{LINE}\nbelow", True),
        (f"```\nleft open\n{LINE}", True),
        ("", False),
        (f" {LINE}\nbelow", False),
        (f"{LINE} \nbelow", False),
        (f"> {LINE}", False),
        (f"{LINE}{LINE}", False),
        (f"```\n{LINE}\n```", False),
        (f"~~~~ text\n{LINE}\n~~~\n{LINE}\n~~~~", False),
        (f"```\n``` text\n{LINE}\n```", False),
        (f"   ```\n{LINE}\n```", False),
    ],
)
def test_the_marker_counts_as_the_line_we_wrote_and_not_as_a_quotation(body: str, carried: bool) -> None:
    assert carries(body, LINE) is carried


@pytest.mark.usefixtures("reading")
def test_the_number_of_the_floor_may_be_ours_after_a_restore(tracker: GitHub, fake: FakeGitHub) -> None:
    """A server that was restored from a backup may give it to the create itself, or to somebody after it."""
    first, _, third, _ = persons_issues(fake, 4)

    evidence = tracker.probe(doubtful(3))
    assert (evidence.covered, evidence.newest) == (True, 4)
    assert evidence.floor_at is not None
    assert abs(evidence.floor_at - time.time()) < 5

    del fake.repository.issues[third.number]
    evidence = tracker.probe(doubtful(3))
    assert (evidence.issues, evidence.covered, evidence.floor_at) == ((), False, None)
    assert tracker.probe(doubtful(first.number + 1)).covered is False
    assert tracker.probe(doubtful(4)).covered


def test_a_sweep_reads_nothing_below_the_newest_issue_that_is_older_than_the_store(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    persons_issues(fake, 90)
    for issue in list(fake.repository.issues.values())[:80]:
        issue.created_at = "2025-01-01T00:00:00Z"
    tracker.create(DRAFT)
    before = len(fake.requests)

    swept = tracker.sweep(0, time.time() - HOUR)
    assert [each.issue.number for each in swept.issues] == [91]
    (query,) = [request.body["query"] for request in fake.requests[before:] if request.path == "/graphql"]
    numbers = [int(number) for number in re.findall(r"issueOrPullRequest\(number:(\d+)\)", query)]
    assert min(numbers) > 80


@pytest.mark.usefixtures("reading")
def test_one_number_that_cannot_be_read_holds_up_no_sweep(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 2)
    del fake.repository.issues[1]
    fake.graphql_faults[1] = "SERVICE_UNAVAILABLE"
    fake.inject(Fault(how="status", method="GET", path="/issues/1$", status=502, times=99))
    tracker.create(DRAFT)

    swept = tracker.sweep(0, 0.0)
    assert [each.issue.number for each in swept.issues] == [3]
    assert (swept.upto, swept.newest) == (3, 3)


def test_a_tracker_that_answers_nothing_is_not_swept(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 2)
    tracker.create(DRAFT)
    fake.graphql_faults[60] = "SERVICE_UNAVAILABLE"
    fake.inject(Fault(how="status", method="GET", path="/issues/[0-9]+$", status=502, times=99))
    tracker.sweep(3, 0.0)
    fake.inject(Fault(how="status", method="GET", path="/issues", status=502, times=99))

    with pytest.raises(Unavailable):
        tracker.sweep(3, 0.0)
