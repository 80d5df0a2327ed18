"""A probe whose reads fail, and a GitHub that takes no queries."""

from collections.abc import Callable, Iterator

import pytest

from syncd.errors import Misconfigured, Throttled, TrackerError, Unavailable
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import FakeGitHub, secondary_limit
from tests.fakes.server import Fault
from tests.trackers.github.parts import BODY, HOUR, Open, calls, doubtful, own_issue, persons_issues


def each_failure(fake: FakeGitHub) -> Iterator[tuple[Callable[[], object], type[TrackerError]]]:
    def list_fails() -> None:
        fake.inject(Fault(how="status", method="GET", path="/issues$", times=3))

    def second_page_fails() -> None:
        persons_issues(fake, 100)
        fake.inject(Fault(how="slow", method="GET", path="/issues$"))
        fake.inject(Fault(how="reset_after", method="GET", path="/issues$", times=3))

    def list_is_forbidden() -> None:
        fake.repository.can_read_issues = False

    def query_fails() -> None:
        fake.inject(Fault(how="status", path="graphql", status=502, times=3))

    def query_is_cut() -> None:
        fake.inject(Fault(how="half_after", path="graphql", times=3))

    def query_is_limited() -> None:
        fake.inject(secondary_limit(30))

    def query_limit_is_used_up() -> None:
        fake.query_fault = "RATE_LIMITED"

    def one_number_fails() -> None:
        fake.graphql_faults[9] = "SOMETHING_ELSE"

    def one_get_fails() -> None:
        fake.graphql = False
        fake.inject(Fault(how="status", method="GET", path="/issues/9$", times=3))

    yield list_fails, Unavailable
    yield second_page_fails, Unavailable
    yield list_is_forbidden, Misconfigured
    yield query_fails, Unavailable
    yield query_is_cut, Unavailable
    yield query_is_limited, Throttled
    yield query_limit_is_used_up, Throttled
    yield one_number_fails, Unavailable
    yield one_get_fails, Unavailable


@pytest.mark.parametrize("number", range(9))
def test_what_could_not_be_read_is_no_evidence(tracker: GitHub, fake: FakeGitHub, number: int) -> None:
    spoil, error = list(each_failure(fake))[number]
    spoil()

    with pytest.raises(TrackerError) as caught:
        tracker.probe(doubtful(0))
    assert type(caught.value) is error


def test_a_limit_on_queries_stops_queries_only(tracker: GitHub, fake: FakeGitHub) -> None:
    body = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit already exceeded"}]}
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Resource": "graphql"}
    fake.inject(Fault(how="status", path="graphql", status=200, headers=headers, body=body))

    with pytest.raises(Throttled) as caught:
        tracker.probe(doubtful(0))
    assert caught.value.narrow
    assert 1700 < caught.value.seconds <= 1801


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 405, 410, 415, 422])
def test_where_queries_are_not_served_the_numbers_are_read_singly(
    tracker: GitHub, fake: FakeGitHub, status: int
) -> None:
    fake.inject(Fault(how="status", path="graphql", status=status, times=9))
    fake.lag_seconds = HOUR
    issue = own_issue(fake)

    evidence = tracker.probe(doubtful(0))
    assert [each.number for each in evidence.issues] == [issue.number]
    assert evidence.covered
    assert len(fake.sent("POST", "graphql")) == 1


@pytest.mark.parametrize("kind", ["FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND"])
def test_where_the_token_may_not_query_the_numbers_are_read_singly(
    tracker: GitHub, fake: FakeGitHub, kind: str
) -> None:
    fake.query_fault = kind
    fake.lag_seconds = HOUR
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]


def test_where_single_numbers_are_forbidden_to_queries_they_are_read_singly(tracker: GitHub, fake: FakeGitHub) -> None:
    fake.graphql_faults[1] = "FORBIDDEN"
    fake.lag_seconds = HOUR
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]


def test_a_schema_of_an_old_server_is_no_obstacle(tracker: GitHub, fake: FakeGitHub) -> None:
    body = {"errors": [{"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}]}
    fake.inject(Fault(how="status", path="graphql", status=200, body=body))
    fake.lag_seconds = HOUR
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]


@pytest.mark.parametrize("body", [{}, [], "words", {"data": None}, {"data": {"repository": {"databaseId": None}}}])
def test_an_answer_that_is_not_of_graphql_is_not_believed(tracker: GitHub, fake: FakeGitHub, body: object) -> None:
    fake.inject(Fault(how="status", path="graphql", status=200, body=body))
    fake.lag_seconds = HOUR
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]


@pytest.mark.parametrize("item", [{}, {"n1": None}, {"n1": {"number": 1}}])
def test_a_number_that_a_query_says_nothing_of_was_not_read(
    tracker: GitHub, fake: FakeGitHub, item: dict[str, object]
) -> None:
    repository = {"databaseId": fake.repository.id, "hasIssuesEnabled": True, **item}
    body = {"data": {"repository": repository}}
    fake.inject(Fault(how="status", path="graphql", status=200, body=body))

    with pytest.raises(Unavailable, match="does not say what is under number 1"):
        tracker.probe(doubtful(0))


def test_a_stranger_that_took_over_the_name_is_not_queried_for_our_issues(tracker: GitHub, fake: FakeGitHub) -> None:
    tracker.newest()
    issue = own_issue(fake)
    fake.lag_seconds = HOUR
    fake.rename(fake.repository, "renamed")
    stranger = fake.add_repository("acme/game")
    fake.file(stranger, "A copy", BODY, fake.account, [])
    fake.file(stranger, "A copy", BODY, fake.account, [])

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]
    assert len(fake.sent("GET", r"/issues/\d+$")) == 51


@pytest.mark.usefixtures("reading")
def test_issues_that_were_turned_off_do_not_look_absent(tracker: GitHub, fake: FakeGitHub) -> None:
    own_issue(fake)
    fake.repository.has_issues = False

    with pytest.raises(Misconfigured, match=r"takes no issues|Issues are disabled"):
        tracker.probe(doubtful(0))


def test_a_permission_that_is_lost_while_numbers_are_read_does_not_make_them_absent(
    tracker: GitHub, fake: FakeGitHub
) -> None:
    fake.graphql = False
    fake.lag_seconds = HOUR
    own_issue(fake)
    fake.inject(Fault(how="slow", method="GET", path="/issues$"))
    fake.inject(Fault(how="status", method="GET", path="/issues", status=404, body={"message": "Not Found"}, times=99))

    with pytest.raises(Misconfigured):
        tracker.probe(doubtful(0))


def test_an_enterprise_server_is_queried_at_its_own_place(open_github: Open, fake: FakeGitHub) -> None:
    tracker = open_github(api_url=f"{fake.url}/api/v3")
    fake.lag_seconds = HOUR
    issue = own_issue(fake)

    assert [each.number for each in tracker.probe(doubtful(0)).issues] == [issue.number]
    assert "POST /api/graphql" in calls(fake)


@pytest.mark.parametrize("location", ["", "/login", "https://login.example/", "/repositories/{}/issues/1"])
def test_a_redirect_of_somebody_else_does_not_make_a_number_absent(
    tracker: GitHub, fake: FakeGitHub, location: str
) -> None:
    fake.graphql = False
    fake.lag_seconds = HOUR
    own_issue(fake)
    headers = {"Location": location.format(fake.repository.id)}
    fake.inject(Fault(how="status", method="GET", path="/issues/1$", status=302, headers=headers))

    with pytest.raises(Misconfigured, match="redirects"):
        tracker.probe(doubtful(0))


@pytest.mark.parametrize("status", [403, 410, 418, 451])
@pytest.mark.parametrize("shut", [False, True])
def test_a_number_that_cannot_be_read_is_unclear_and_stops_nothing_while_its_neighbours_can(
    tracker: GitHub, fake: FakeGitHub, status: int, shut: bool
) -> None:
    fake.graphql = False
    persons_issues(fake, 3)
    fake.repository.issues[2].deleted, fake.lag_seconds = True, HOUR
    fake.inject(Fault(how="status", method="GET", path="/issues/2$", status=status, body=None, times=3))
    if shut:
        fake.repository.archived, fake.repository.has_issues = True, False
        with pytest.raises(Misconfigured, match="takes no issues"):
            tracker.probe(doubtful(0))
        return

    evidence = tracker.probe(doubtful(0))
    assert not evidence.covered
    assert f"#2 {'was deleted' if status == 410 else f'cannot be read ({status})'}" in evidence.summary
