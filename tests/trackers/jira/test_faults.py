"""Whatever fails, and wherever: the error is one of ours and shows nothing private."""

import base64
import secrets
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

import syncd.errors
from syncd.errors import TrackerError, Unavailable
from syncd.model import Issue, IssueState
from syncd.render.text import Document, Paragraph
from syncd.trackers.jira.tracker import Jira
from tests.fakes.jira import EMAIL, FakeJira
from tests.fakes.server import Fault, How
from tests.trackers.jira.parts import MARKER, Open, a_draft, a_group

TOKEN, TEXT, COOKIE, ANSWER = (secrets.token_hex(16) for _ in range(4))
PAIR = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
PRIVATE: Document = (Paragraph((TEXT,)),)
# What is ordered one by one below; "slow" is no failure.
APART = ("slow", "status", "status_after", "hang_before", "hang_after")
METHODS = ("GET", "POST", "PUT")

USES: dict[str, Callable[[Jira, Issue], object]] = {
    "newest": lambda tracker, issue: tracker.newest(),
    "sweep": lambda tracker, issue: tracker.sweep(0, 0.0),
    "create": lambda tracker, issue: tracker.create(a_draft(title=TEXT, body=PRIVATE)),
    "probe": lambda tracker, issue: tracker.probe(issue),
    "look": lambda tracker, issue: tracker.look(issue),
    "comment": lambda tracker, issue: tracker.comment(issue, PRIVATE, MARKER),
    "find_comment": lambda tracker, issue: tracker.find_comment(issue, MARKER),
    "edit_comment": lambda tracker, issue: tracker.edit_comment(issue, "5", PRIVATE, MARKER),
    "refresh": lambda tracker, issue: tracker.refresh(issue, a_group(application=TEXT)),
}
STATUSES = (200, 201, 202, 204, 301, 302, 307, 308, 400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504)
BODIES: dict[str, object] = {
    "json": {"errors": [ANSWER], "id": {"x": ANSWER}, "key": ANSWER, "issues": ANSWER, "permissions": ANSWER},
    "list": [{"id": ANSWER, "key": ANSWER}],
    "page": f"<html>{ANSWER}</html>".encode(),
    "nothing": None,
    "half": f'{{"id": "10001", "key": "{ANSWER}'.encode(),
}


@pytest.fixture
def tracker(opened: Open, fake: FakeJira, token_file: Path) -> Jira:
    fake.token = TOKEN
    token_file.write_text(TOKEN)
    tracker = opened(patience=0.2, fields={"customfield_1": "{{ group.application }}"})
    tracker.newest()
    return tracker


@pytest.fixture
def issue(fake: FakeJira) -> Issue:
    there = fake.file(TEXT)
    return Issue(
        tracker="mobile", state=IssueState.LINKED, marker=MARKER, remote_id=there.id, key=there.key, comment_id="5"
    )


def fail(use: Callable[[Jira, Issue], object], tracker: Jira, issue: Issue) -> None:
    """Assert that it fails as it may, and that nothing private can be reached from the error and is shown with it."""
    with pytest.raises(TrackerError) as caught:
        use(tracker, issue)
    error = caught.value
    assert type(error).__module__ == syncd.errors.__name__
    assert error.__cause__ is None
    texts = [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    for secret in (TOKEN, PAIR, TEXT, COOKIE, ANSWER):
        assert not any(secret in each for each in texts)


# The 204 to a refresh has no body that could be lost.
@pytest.mark.parametrize(
    ("name", "how"),
    [
        (name, how)
        for name in USES
        for how in get_args(How)
        if how not in APART and (name, how) not in (("refresh", "empty_after"), ("refresh", "half_after"))
    ],
)
def test_a_broken_way_is_told_in_our_own_words(
    tracker: Jira, fake: FakeJira, issue: Issue, name: str, how: How
) -> None:
    fake.custom_fields = {"customfield_1": "string"}
    for method in METHODS:
        fake.inject(Fault(how=how, method=method, times=99))

    fail(USES[name], tracker, issue)


@pytest.mark.parametrize(
    ("name", "how"),
    [("create", "hang_before"), ("create", "hang_after"), ("comment", "hang_after"), ("look", "hang_after")],
)
def test_a_silent_server_is_told_in_our_own_words(
    tracker: Jira, fake: FakeJira, issue: Issue, name: str, how: How
) -> None:
    for method in METHODS:
        fake.inject(Fault(how=how, method=method, times=99))

    fail(USES[name], tracker, issue)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", USES)
def test_every_status_is_told_in_our_own_words(
    tracker: Jira, fake: FakeJira, issue: Issue, name: str, body: str
) -> None:
    headers = {
        "Set-Cookie": f"JSESSIONID={COOKIE}",
        "X-Secret": COOKIE,
        "Location": f"{fake.url}/login?session={COOKIE}",
    }
    for status in STATUSES if body == "json" else (200, 201, 403, 404):
        if name in ("refresh", "edit_comment") and (status == 204 or (status < 300 and body in ("json", "list"))):
            continue  # a change that may be repeated is believed by its status
        orders = [
            fake.inject(Fault(how="status", method=method, status=status, headers=headers, body=BODIES[body], times=99))
            for method in METHODS
        ]
        fail(USES[name], tracker, issue)
        for order in orders:
            order.times = 0


@pytest.mark.parametrize("name", USES)
def test_a_server_that_is_not_there_is_told_in_our_own_words(
    tracker: Jira, fake: FakeJira, issue: Issue, name: str
) -> None:
    fake.close()

    with pytest.raises(Unavailable, match="no connection"):
        USES[name](tracker, issue)
    fail(USES[name], tracker, issue)
