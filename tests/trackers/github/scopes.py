"""Whom a refusal by GitHub concerns: the answers, the operations, the states of repository and issue, and the rule."""

from collections.abc import Callable

from syncd.errors import (
    Deferred,
    Gone,
    Misconfigured,
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
from tests.trackers.github.parts import DRAFT, MARKER, STATUS

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
# An operation on issue 1, whose status comment has this id.
OPERATIONS: dict[str, Callable[[GitHub, Issue, str], object]] = {
    "create": lambda tracker, issue, comment_id: tracker.create(DRAFT),
    "comment": lambda tracker, issue, comment_id: tracker.comment(issue, STATUS, MARKER),
    "edit": lambda tracker, issue, comment_id: tracker.edit_comment(issue, comment_id, STATUS, MARKER),
    "reopen": lambda tracker, issue, comment_id: tracker.reopen(issue),
    "close": lambda tracker, issue, comment_id: tracker.close_issue(issue),
    "find": lambda tracker, issue, comment_id: tracker.find_comment(issue, MARKER),
    "look": lambda tracker, issue, comment_id: tracker.look(issue),
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
