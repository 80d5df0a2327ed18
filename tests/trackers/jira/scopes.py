"""Whom a failed request to Jira concerns: the answers, the operations, the states of project and issue, and the rule."""

from collections.abc import Callable
from itertools import count

from syncd.errors import (
    Gone,
    Misconfigured,
    OutcomeUnknown,
    OutOfReach,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Issue
from syncd.trackers.jira.tracker import Jira
from tests.fakes.jira import FakeJira
from tests.trackers.jira.parts import MARKER, a_draft, a_group, status

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a page": b"<!DOCTYPE html><title>Log in</title>",
    "cut off": b'{"errorMessages": ["Issue does not ex',
    "a number": b"7",
    "a list": b"[]",
    "an object": b"{}",
    "nulls": b'{"errorMessages": null, "errors": null}',
    "plain text": b"XSRF check failed",
    "words of nobody": b'{"reason": "nope"}',
    "another language": b'{"errorMessages": ["Der Vorgang ist gesperrt."], "errors": {}}',
    "no issue": b'{"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}',
    "no permission": b'{"errorMessages": ["You do not have permission to create issues in this project."], "errors": {}}',
    "archived": b'{"errorMessages": ["This project is archived."], "errors": {}}',
    "a field": b'{"errorMessages": [], "errors": {"description": "Field \'description\' cannot be set."}}',
}

# A status of each kind, and more of those that are easily taken for another kind.
STATUSES = (
    101, 103, 200, 201, 204, 206, 301, 304, 307, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 413, 418, 421, 422, 425, 429,
    431, 451, 499, 500, 503, 504, 599,
)  # fmt: skip
BARE = (*range(100, 200), 204, 205, 304)  # HTTP gives them no body

_counts = count(9)  # only what changed is sent

# An operation's own request; and whether a second one would do harm.
OPERATIONS: dict[str, tuple[Callable[[Jira, Issue], object], str, str, bool]] = {
    "create": (lambda jira, _: jira.create(a_draft()), "POST", r"/issue$", True),
    "comment": (lambda jira, issue: jira.comment(issue, status("2"), MARKER), "POST", r"/comment$", True),
    "edit": (lambda jira, issue: jira.edit_comment(issue, "10003", status("3"), MARKER), "PUT", r"/comment/", False),
    "refresh": (lambda jira, issue: jira.refresh(issue, a_group(occurrences=next(_counts))), "PUT", r"/issue/\d+$", False),
    "transition": (lambda jira, issue: jira.close_issue(issue), "POST", r"/transitions$", False),
    "look": (lambda jira, issue: jira.look(issue), "GET", r"/issue/10002$", False),
    "find": (lambda jira, issue: jira.find_comment(issue, MARKER), "GET", r"/comment$", False),
}  # fmt: skip


def fine(fake: FakeJira) -> None:
    """The account may do everything."""


def archived(fake: FakeJira) -> None:
    fake.archived = True


def no_permission(fake: FakeJira) -> None:
    fake.permissions -= {"CREATE_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "EDIT_ISSUES"}


def unseen(fake: FakeJira) -> None:
    fake.permissions.clear()


def no_such_type(fake: FakeJira) -> None:
    fake.issue_types = ["Incident"]


def deleted(fake: FakeJira) -> None:
    fake.delete("CRASH-2")


def hidden(fake: FakeJira) -> None:
    fake.hidden.add("10002")


def moved(fake: FakeJira) -> None:
    fake.move("CRASH-2", "TRIAGE")


def renamed(fake: FakeJira) -> None:
    fake.rename("BOOM")


# Those that stop every operation of a kind; all else is about one issue, or about nothing.
PROJECTS: dict[Callable[[FakeJira], None], set[str]] = {
    archived: set(OPERATIONS),
    no_permission: {"create", "comment", "edit", "refresh"},
    unseen: set(OPERATIONS),
    no_such_type: {"create"},
}
ISSUES = (deleted, hidden, moved, renamed, fine)


def refuses(code: int) -> bool:
    """True for a status after which a control question decides."""
    return 400 <= code < 500 and code not in (401, 407, 408, 409, 421, 425, 429)


def concerned(operation: str, state: Callable[[FakeJira], None], code: int) -> set[type[TrackerError]]:
    """The errors that are true of this answer, by the rule: a refusal by what the control questions meet, all else by its status."""
    if operation == "transition" and state in (unseen, deleted, hidden):
        return {Misconfigured} if state is unseen else {Gone, OutOfReach}  # it looks first, and sends nothing
    if code < 300 or code == 408 or code >= 500:
        return {OutcomeUnknown} if OPERATIONS[operation][3] else {Unavailable}
    if code < 400 or code in (401, 407):
        return {Misconfigured}
    if code == 429:
        return {Throttled}
    if code in (409, 421, 425):
        return {Unavailable}
    if operation in PROJECTS.get(state, ()):
        return {Misconfigured}
    if operation == "create":
        return {Refused}  # this group
    if operation == "look" and (state not in (deleted, hidden) or code not in (403, 404, 410)):
        return {Unavailable}  # a list shows it, or the status does not say that it is gone
    if state is deleted:
        return {OutOfReach} if operation == "look" and code == 403 else {Gone}
    if state is hidden:
        return {Gone, OutOfReach}  # Cloud does not tell them apart
    if operation == "find":
        return {Unavailable, OutOfReach} if state is moved else {Unavailable}
    return {Refused, OutOfReach} if state is moved else {Refused}


def is_done(operation: str, code: int, body: bytes) -> bool:
    """True where an object under the status of success says that an edit is done."""
    return operation in ("refresh", "transition", "edit") and code < 300 and body.startswith(b"{")
