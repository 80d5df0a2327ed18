"""Whatever fails, and wherever: the error is one of ours and shows nothing private."""

import secrets
import traceback
from collections.abc import Callable
from typing import get_args

import pytest

import syncd.errors
from syncd.errors import TrackerError, Unavailable
from syncd.model import Issue, IssueState
from syncd.render.text import Document, Paragraph
from syncd.trackers import Draft
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import FakeGitHub
from tests.fakes.github_records import Account
from tests.fakes.server import Fault, How
from tests.trackers.github.parts import GROUP, MARKER, Open

TOKEN, TEXT, COOKIE, ANSWER = (secrets.token_hex(16) for _ in range(4))
PRIVATE: Document = (Paragraph((TEXT,)),)
# What is ordered one by one below; "slow" is no failure.
APART = ("slow", "status", "status_after", "hang_before", "hang_after")

USES: dict[str, Callable[[GitHub, Issue], object]] = {
    "newest": lambda tracker, issue: tracker.newest(),
    "sweep": lambda tracker, issue: tracker.sweep(0, 0.0),
    "create": lambda tracker, issue: tracker.create(Draft(marker=MARKER, title=TEXT, body=PRIVATE, group=GROUP)),
    "probe": lambda tracker, issue: tracker.probe(issue),
    "look": lambda tracker, issue: tracker.look(issue),
    "comment": lambda tracker, issue: tracker.comment(issue, PRIVATE, MARKER),
    "find_comment": lambda tracker, issue: tracker.find_comment(issue, MARKER),
    "edit_comment": lambda tracker, issue: tracker.edit_comment(issue, "5", PRIVATE, MARKER),
}
STATUSES = (200, 201, 202, 204, 301, 302, 307, 308, 400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504)
BODIES: dict[str, object] = {
    "json": {"errors": [{"value": ANSWER, "field": "body"}], "id": ANSWER, "number": ANSWER, "data": {"x": ANSWER}},
    "list": [{"number": ANSWER, "id": ANSWER}],
    "page": f"<html>{ANSWER}</html>".encode(),
    "nothing": None,
    "half": f'{{"number": 1, "title": "{ANSWER}'.encode(),
}


@pytest.fixture
def issue(fake: FakeGitHub) -> Issue:
    fake.file(fake.repository, TEXT, TEXT, fake.account, [])
    return Issue(
        tracker="crashes", state=IssueState.LINKED, marker=MARKER, remote_id="1", key="acme/game#1", comment_id="5"
    )


@pytest.fixture
def tracker(open_github: Open, fake: FakeGitHub) -> GitHub:
    fake.accounts[TOKEN] = Account("syncd-bot", 501)
    opened = open_github(TOKEN, patience=0.2)
    opened.newest()
    return opened


def require_ours(error: BaseException) -> None:
    """Every error that can be reached from `error` and is shown with it."""
    assert isinstance(error, TrackerError)
    behind: BaseException | None = error
    while behind is not None:
        assert type(behind).__module__ == syncd.errors.__name__
        behind = behind.__cause__ or (None if behind.__suppress_context__ else behind.__context__)
    texts = [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    for secret in (TOKEN, TEXT, COOKIE, ANSWER):
        assert not any(secret in each for each in texts)


def fail(use: Callable[[GitHub, Issue], object], tracker: GitHub, issue: Issue) -> None:
    try:
        use(tracker, issue)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is judged
        require_ours(error)
    else:
        pytest.fail("nothing was raised")


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("how", [how for how in get_args(How) if how not in APART])
def test_a_broken_way_is_told_in_our_own_words(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, name: str, how: How
) -> None:
    for method in ("GET", "POST", "PATCH"):
        fake.inject(Fault(how=how, method=method, times=99))

    fail(USES[name], tracker, issue)


@pytest.mark.parametrize(
    ("name", "how"),
    [("create", "hang_before"), ("create", "hang_after"), ("comment", "hang_after"), ("look", "hang_after")],
)
def test_a_silent_server_is_told_in_our_own_words(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, name: str, how: How
) -> None:
    for method in ("GET", "POST", "PATCH"):
        fake.inject(Fault(how=how, method=method, times=99))

    fail(USES[name], tracker, issue)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", USES)
def test_every_status_is_told_in_our_own_words(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, name: str, body: str
) -> None:
    headers = {"Set-Cookie": f"session={COOKIE}", "X-Secret": COOKIE, "Location": f"{fake.url}/{COOKIE}"}
    for status in STATUSES if body == "json" else (200, 201, 403, 404):
        orders = [
            fake.inject(Fault(how="status", method=method, status=status, headers=headers, body=BODIES[body], times=99))
            for method in ("GET", "POST", "PATCH")
        ]
        fail(USES[name], tracker, issue)
        for order in orders:
            order.times = 0


@pytest.mark.parametrize("name", USES)
def test_headers_that_pygithub_stumbles_over_are_told_in_our_own_words(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, name: str
) -> None:
    for method in ("GET", "POST", "PATCH"):
        headers = {"X-RateLimit-Reset": ANSWER}
        fake.inject(Fault(how="status", method=method, status=200, headers=headers, body={}, times=99))

    fail(USES[name], tracker, issue)


@pytest.mark.parametrize("name", USES)
def test_a_server_that_is_not_there_is_told_in_our_own_words(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, name: str
) -> None:
    fake.close()

    with pytest.raises(Unavailable, match="no connection"):
        USES[name](tracker, issue)
    fail(USES[name], tracker, issue)
