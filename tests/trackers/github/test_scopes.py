"""The scope of a refusal: each status, whatever its body, is charged to what the repository and the issue answer, not to its text."""

from collections.abc import Callable
from itertools import cycle

import pytest

from syncd.errors import (
    Misconfigured,
    Missing,
    Refused,
    TrackerError,
    Unavailable,
)
from syncd.model import Issue
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import FakeGitHub
from tests.fakes.github_records import Account
from tests.fakes.server import Fault
from tests.trackers.github.parts import DRAFT, MARKER, STATUS, Open, linked
from tests.trackers.github.scopes import (
    BODIES,
    DENIED,
    GROUPS,
    LIMITED,
    OPERATIONS,
    REFUSALS,
    REQUESTS,
    STATES,
    STATUSES,
    charged,
)

pytestmark = pytest.mark.slow  # every status with every body

Carry = Callable[[str, int, object], TrackerError | None]


@pytest.fixture
def refused(open_github: Open, fake: FakeGitHub) -> Carry:
    """Carries out an operation on issue 1 whose request gets an answer of this status and body."""
    tracker = open_github()
    issue = linked(tracker.create(DRAFT))
    comment_id = tracker.comment(issue, STATUS, MARKER)

    def carry_out(operation: str, status: int, body: object) -> TrackerError | None:
        method, path = REQUESTS[operation]
        order = fake.inject(Fault(how="status", method=method, path=path, status=status, body=body, times=9))
        try:
            answer = OPERATIONS[operation](tracker, issue, comment_id)
        except TrackerError as error:
            return error
        finally:
            order.times = 0
        assert str(answer).endswith("by hand"), "an operation that was refused has succeeded"
        return None

    return carry_out


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        (operation, state)
        for operation in REQUESTS
        for state in STATES
        # These calls do not name the issue.
        if operation not in ("create", "look") or state not in ("deleted", "transferred")
    ],
)
def test_a_refusal_is_charged_to_what_can_be_read(refused: Carry, fake: FakeGitHub, operation: str, state: str) -> None:
    STATES[state](fake)
    bodies = cycle(BODIES)
    for status in STATUSES if state == "fine" else REFUSALS:
        body = next(bodies)
        error = refused(operation, status, body)
        expected = charged(operation, state, status, body)
        assert (None if error is None else GROUPS.get(type(error), type(error))) is expected, (status, body)


@pytest.mark.parametrize("state", ["fine", "issues off", "archived"])
@pytest.mark.parametrize("operation", ["create", "comment", "edit", "look"])
def test_no_words_change_who_is_charged(refused: Carry, fake: FakeGitHub, operation: str, state: str) -> None:
    STATES[state](fake)
    for status, body in zip(cycle((403, 404, 410, 422)), (*BODIES, {"message": LIMITED}), strict=False):
        error = refused(operation, status, body)
        expected = charged(operation, state, status, body)
        assert (None if error is None else GROUPS.get(type(error), type(error))) is expected, (status, body)


def test_every_status_has_a_meaning(refused: Carry) -> None:
    bodies = cycle(BODIES)
    for status in range(101, 600):  # 100 is followed by another answer, for which every client waits
        body = next(bodies)
        error = refused("comment", status, body)
        assert error is not None, (status, body)
        assert GROUPS.get(type(error), type(error)) is charged("comment", "fine", status, body), (status, body)


def test_a_token_without_the_permission_to_file_is_the_one_refusal_that_only_words_tell(refused: Carry) -> None:
    error = refused("create", 403, {"message": DENIED})

    assert isinstance(error, Misconfigured)
    assert DENIED in error.reason


def test_a_full_issue_is_charged_alone_even_to_an_account_that_may_only_read(refused: Carry, fake: FakeGitHub) -> None:
    fake.repository.push = False
    issue = fake.repository.issues[1]
    body = {"message": "Commenting is disabled on issues with more than 2500 comments"}
    assert isinstance(refused("comment", 403, body), Misconfigured)
    for _ in range(2500):
        fake.remark(issue, "text", Account("person", 77))

    assert isinstance(refused("comment", 403, body), Refused)


def test_a_status_comment_that_was_deleted_is_missing_whatever_the_role_of_the_account(
    tracker: GitHub, fake: FakeGitHub, issue: Issue
) -> None:
    comment_id = tracker.comment(issue, STATUS, MARKER)
    fake.repository.push = False
    fake.repository.issues[1].comments.clear()

    with pytest.raises(Missing):
        tracker.edit_comment(issue, comment_id, STATUS, MARKER)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410, 422, 451])
def test_a_control_question_that_fails_proves_nothing(
    tracker: GitHub, fake: FakeGitHub, issue: Issue, status: int
) -> None:
    """The refused request was certainly not carried out; whose refusal it is, the next try tells."""
    for path in (r"/repositories/\d+$", "/issues/1$"):
        fake.inject(Fault(how="status", path="comments", status=status))
        fake.inject(Fault(how="status", method="GET", path=path, status=502, times=3))
        with pytest.raises(Unavailable):
            tracker.comment(issue, STATUS, MARKER)
    fake.inject(Fault(how="status", path="/issues$", status=status))
    fake.inject(Fault(how="status", method="GET", path=r"/repositories/\d+$", status=502, times=3))
    with pytest.raises(Unavailable):
        tracker.create(DRAFT)


def test_a_refusal_quotes_github_and_names_the_issue(refused: Carry) -> None:
    error = refused("comment", 403, {"message": "No\nmore comments here"})

    assert isinstance(error, Refused)
    assert error.reason == "GitHub refuses this for issue acme/game#1 (403 No more comments here)"
