"""A probe of a create: its reads, the issues that it takes for ours, and its claims."""

import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest

from syncd.errors import OutcomeUnknown, Throttled
from syncd.trackers.github.probe import carries
from syncd.trackers.github.tracker import GitHub, marker_line
from tests.fakes.github import FakeGitHub
from tests.fakes.github_records import Account
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


def test_a_probe_is_two_requests(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.create(DRAFT)
    tracker.probe(doubtful(0))
    before = len(fake.requests)

    evidence = tracker.probe(doubtful(0))
    home = f"/repositories/{fake.repository.id}"
    assert calls(fake)[before:] == [f"GET {home}/issues", "POST /graphql"]
    query = fake.sent("GET", "/issues$")[-1].query
    assert query == {"state": ["all"], "sort": ["created"], "direction": ["desc"], "per_page": ["100"], "page": ["1"]}
    assert evidence.summary == "above #0, 1 numbers were read out of the list and 20 one by one, up to #21"


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
    assert not read or read == set(range(1, 137))


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


@pytest.mark.usefixtures("reading")
def test_an_issue_of_ours_that_was_deleted_or_transferred_is_not_found(tracker: GitHub, fake: FakeGitHub) -> None:
    own_issue(fake).deleted = True
    fake.transfer(fake.repository, own_issue(fake).number, fake.add_repository("acme/other"))

    evidence = tracker.probe(doubtful(0))
    assert (evidence.issues, evidence.covered) == ((), True)


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("lag", [0.0, HOUR])
def test_only_what_we_wrote_ourselves_is_ours(tracker: GitHub, fake: FakeGitHub, lag: float) -> None:
    fake.lag_seconds = lag
    fake.file(fake.repository, "A copy", BODY, SOMEBODY, [])
    for body in (
        None,
        marker_line("x" * 26),
        BODY.replace("\n", "\n> "),
        f"```\n{BODY}\n```\nsee there",
        f"see {marker_line(MARKER)}",
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
def test_what_is_not_above_the_floor_does_not_count(tracker: GitHub, fake: FakeGitHub) -> None:
    own_issue(fake)
    persons_issues(fake, 3)

    evidence = tracker.probe(doubtful(2))
    assert (evidence.issues, evidence.covered, evidence.newest) == ((), True, 4)


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


def test_more_pages_than_can_be_read_are_not_claimed(tracker: GitHub, fake: FakeGitHub) -> None:
    persons_issues(fake, 3200)

    evidence = tracker.probe(doubtful(0))
    assert (evidence.covered, evidence.newest) == (False, 3200)
    assert len(fake.sent("GET", "/issues$")) == 20


def test_one_by_one_only_so_many_are_read(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.graphql = False
    fake.repository.last_number = 300
    persons_issues(fake)

    evidence = tracker.probe(doubtful(0))
    assert not evidence.covered
    assert len(fake.sent("GET", r"/issues/\d+$")) == 200


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


LINE = marker_line(MARKER)


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
