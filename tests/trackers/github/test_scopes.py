"""The scope of a refusal: each status, whatever its body, is charged to what the repository and the issue answer, not to its text."""

from collections.abc import Callable
from itertools import cycle

import pytest

from syncd.errors import (
    Deferred,
    Gone,
    Misconfigured,
    Missing,
    Moved,
    OutcomeUnknown,
    OutOfReach,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Issue
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.github_records import Account
from tests.fakes.server import Fault
from tests.trackers.github.parts import DRAFT, MARKER, STATUS, Open, linked

pytestmark = pytest.mark.slow  # every status with every body

Carry = Callable[[str, int, object], TrackerError | None]

DENIED = "Resource not accessible by personal access token"
OFF = ("Issues are disabled for this repo", "Issues has been disabled in this repository.")
LIMITED = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
MESSAGES = (
    "",
    "このイシューにはコメントできません",
    "Der Vorgang wurde abgelehnt.",
    "Commenting is disabled on issues with more than 2500 comments",
    "Unable to create comment because issue is locked.",
    "Repository was archived so is read-only.",
    "This issue was deleted",
    "Not Found",
    "Must have admin rights to Repository.",
    "Bad credentials",
    *OFF,
)
BODIES: tuple[object, ...] = (
    None,
    b"<!DOCTYPE html><html><title>Forbidden</title></html>",
    b'{"message": "Commenting is dis',
    b"\xff\xfe",
    [],
    "plain text",
    {"message": 5, "errors": {"a": 1}},
    {"message": "Validation Failed", "errors": [{"resource": "Issue", "code": "invalid", "field": "body"}]},
    *({"message": message} for message in MESSAGES),
)

# The request of each operation that is refused.
REQUESTS = {
    "create": ("POST", "/issues$"),
    "comment": ("POST", "/issues/1/comments$"),
    "edit": ("PATCH", "/issues/comments/"),
    "reopen": ("PATCH", "/issues/1$"),
    "close": ("PATCH", "/issues/1$"),
    "find": ("GET", "/issues/1/comments$"),
    "look": ("GET", "/issues/1$"),
}
ONCE = ("create", "comment")
READS = ("find", "look")
CONTENT = (400, 413, 414, 422, 431)


def transferred(fake: FakeGitHub) -> None:
    fake.transfer(fake.repository, 1, fake.add_repository("acme/other"))


STATES: dict[str, Callable[[FakeGitHub], object]] = {
    "fine": lambda fake: None,
    "renamed": lambda fake: fake.rename(fake.repository, "renamed"),
    "locked": lambda fake: setattr(fake.repository.issues[1], "locked", True),
    "issues off": lambda fake: setattr(fake.repository, "has_issues", False),
    "archived": lambda fake: setattr(fake.repository, "archived", True),
    "disabled": lambda fake: setattr(fake.repository, "disabled", True),
    "hidden": lambda fake: setattr(fake.repository, "hidden", True),
    "issues hidden": lambda fake: setattr(fake.repository, "can_read_issues", False),
    "gone": lambda fake: fake.remove(fake.repository),
    "revoked": lambda fake: fake.accounts.clear(),
    "role Read": lambda fake: setattr(fake.repository, "push", False),
    "without scope": lambda fake: fake.accounts.update({TOKEN: Account("syncd-bot", 501, scopes="gist")}),
    "deleted": lambda fake: setattr(fake.repository.issues[1], "deleted", True),
    "transferred": transferred,
}
CLOSED = ("issues off", "disabled", "hidden", "gone", "revoked")
REFUSALS = (301, 400, 403, 404, 410, 418, 422, 451)
STATUSES = (
    103,
    200,
    204,
    301,
    304,
    307,
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    410,
    418,
    422,
    429,
    451,
    499,
    500,
    599,
)


# A call that waits for something else than the way to the tracker puts off its group, like one that is not answered.
GROUPS: dict[type[TrackerError], type[TrackerError]] = {Deferred: Unavailable}


def charged(operation: str, state: str, status: int, body: object) -> type[TrackerError] | None:
    """The error for an answer; None for a note, which leaves everything else as it is."""
    message = str(body.get("message", "")) if isinstance(body, dict) else ""
    if status < 200 or 200 <= status < 300 or status >= 500 or status == 408:
        return OutcomeUnknown if operation in ONCE else Unavailable
    if status == 429 or (status in (403, 422) and message == LIMITED):
        return Throttled
    if status in (409, 421, 425):
        return Unavailable
    closed = state in CLOSED or (state in ("archived", "without scope") and operation not in READS)
    barred = state == "role Read" and operation in ("create", "comment", "edit") and status in (403, 404)
    if status == 401 or closed or barred:
        return Misconfigured
    if operation == "create":
        return Misconfigured if status in (301, 302, 303, 307, 308) else Refused
    return charged_beside_an_open_repository(operation, state, status, message)


def charged_beside_an_open_repository(
    operation: str, state: str, status: int, message: str
) -> type[TrackerError] | None:
    if state in ("issues hidden", "deleted", "transferred"):
        return {"issues hidden": Misconfigured, "deleted": Gone, "transferred": Moved}[state]
    if operation in READS and (status in CONTENT or (status == 410 and operation == "look" and message in OFF)):
        return Unavailable  # the words hold back a deletion that the repository contradicts; they never make one
    if operation == "look":
        return Gone if status == 410 else OutOfReach
    return None if operation in ("reopen", "close") else Refused


@pytest.fixture
def refused(open_github: Open, fake: FakeGitHub) -> Carry:
    """Carries out an operation on issue 1 whose request gets an answer of this status and body."""
    tracker = open_github()
    issue = linked(tracker.create(DRAFT))
    comment_id = tracker.comment(issue, STATUS, MARKER)
    uses: dict[str, Callable[[], object]] = {
        "create": lambda: tracker.create(DRAFT),
        "comment": lambda: tracker.comment(issue, STATUS, MARKER),
        "edit": lambda: tracker.edit_comment(issue, comment_id, STATUS, MARKER),
        "reopen": lambda: tracker.reopen(issue),
        "close": lambda: tracker.close_issue(issue),
        "find": lambda: tracker.find_comment(issue, MARKER),
        "look": lambda: tracker.look(issue),
    }

    def carry_out(operation: str, status: int, body: object) -> TrackerError | None:
        method, path = REQUESTS[operation]
        order = fake.inject(Fault(how="status", method=method, path=path, status=status, body=body, times=9))
        try:
            answer = uses[operation]()
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
