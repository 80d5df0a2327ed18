"""The meaning of GitLab's answers. Pure: status, headers and body in; a value or an error out.

Shapes and statuses: docs.gitlab.com/api, "Issues", "Notes", "Projects", "Status codes"; limits: "Rate limits".
"""

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from syncd.plugin import (
    Answer,
    Deferred,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    Sent,
    Throttled,
    TrackerError,
    Unavailable,
    bounded,
    one_line,
)

T = TypeVar("T")

Number = Annotated[int, msgspec.Meta(ge=1)]

PLANNER = 15  # from this role on an account reads confidential issues, sets labels and closes issues

_MESSAGE_LIMIT = 200
_PAUSE_SECONDS = 60.0  # limits count by minutes


class Account(msgspec.Struct):
    """An author, an assignee, or the account of the token."""

    id: int
    username: str = ""


class Milestone(msgspec.Struct):
    """A milestone of the project or of a group above it."""

    id: int
    title: str = ""
    state: str = "active"


class _References(msgspec.Struct):
    full: str = ""


class _Links(msgspec.Struct):
    closed_as_duplicate_of: str | None = None


class Entry(msgspec.Struct):
    """An issue, incident, task or test case."""

    iid: Number
    project_id: int = 0
    title: str = ""
    description: str | None = None
    state: str = "opened"
    author: Account | None = None
    labels: list[str] = []
    milestone: Milestone | None = None
    assignees: list[Account] = []
    created_at: datetime | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    moved_to_id: int | None = None
    confidential: bool = False
    discussion_locked: bool | None = None
    web_url: str = ""
    references: _References = msgspec.field(default_factory=_References)
    links: _Links | None = msgspec.field(name="_links", default=None)


class Note(msgspec.Struct):
    """A comment. `system`: GitLab wrote it about a change."""

    id: Number
    body: str | None = None
    author: Account | None = None
    system: bool = False


class _Access(msgspec.Struct):
    access_level: int = 0


class _Permissions(msgspec.Struct):
    project_access: _Access | None = None
    group_access: _Access | None = None


class Project(msgspec.Struct):
    """The part of a project that syncd uses."""

    id: Number
    path_with_namespace: str = ""
    visibility: str = "private"
    archived: bool = False
    issues_enabled: bool = True
    issues_access_level: str = "enabled"
    permissions: _Permissions | None = None

    @property
    def role(self) -> int | None:
        """The account's role; None where GitLab does not say, as for an administrator and for members of an invited group."""
        held = self.permissions
        levels = (
            [] if held is None else [each.access_level for each in (held.project_access, held.group_access) if each]
        )
        return max(levels, default=None)


class Token(msgspec.Struct):
    """The token itself."""

    name: str = ""
    scopes: list[str] = []
    expires_at: str | None = None


class _Failure(msgspec.Struct):
    message: object = None
    error: object = None
    error_description: str | None = None


def expect(answer: Answer, shape: type[T]) -> T:
    """The body of an answer to a read. Raises what any other answer means; a read is never Refused."""
    content = answer.read(shape) if answer.ok else None
    if content is None:
        raise failure(answer, Sent.READ)
    return content


def entries_of(answer: Answer) -> list[Entry]:
    """The issues of a list that can be read: a single odd one spoils no list. Raises what any other answer means."""
    rows = answer.read(list[msgspec.Raw]) or []
    entries = [each for row in rows if (each := Answer(answer.status, body=bytes(row)).read(Entry)) is not None]
    if not answer.ok or (not entries and answer.read(list[Entry]) is None):
        raise failure(answer, Sent.READ)
    return entries


def web(url: str) -> str:
    """`url` if its scheme is http or https, else an empty text: people get it as a link."""
    return url if url.startswith(("https://", "http://")) else ""


def seconds(moment: datetime | None) -> float | None:
    """The time in epoch seconds."""
    return None if moment is None else moment.timestamp()


def refuses(answer: Answer) -> bool:
    """True if the request was certainly not carried out, and neither the token, a limit, nor the present moment is the cause: what the
    project and the issue answer tells whose refusal it is."""
    return isinstance(failure(answer, Sent.AGAIN), Refused | Misconfigured) and answer.status != 401


def failure(answer: Answer, sent: Sent) -> TrackerError:
    """The meaning of an answer without the wanted result, as far as the answer alone says. What `refuses` needs a control question."""
    status, detail = answer.status, message(answer)
    if status == 429:
        # Limits of the web server answer with text, those of the application with JSON and without a time.
        return Throttled(f"GitLab asks for fewer requests (429{detail})", _pause(answer))
    if answer.ok or status < 200 or status >= 500 or status == 408:
        reason = f"GitLab's answer ({status}{detail}) does not say what became of the request"
        return OutcomeUnknown(reason) if sent is Sent.ONCE else Unavailable(reason, _retry_after(answer))
    if status in (409, 421, 423, 425):
        return Deferred(f"GitLab cannot do it at this moment ({status}{detail})")
    if status == 401:
        reason = f"GitLab does not accept the token (401{detail}): wrong, expired or revoked; {answer.renewal}"
        return Misconfigured(reason, login=True)
    if answer.redirects or (answer.body and answer.json is None):
        reason = f"what answers at url is not the GitLab API ({status}{detail}); correct url"
        return Misconfigured(reason, page=answer.json is None)
    if status in (400, 413, 422):
        reason = f"GitLab refused it ({status}{detail})"
        return Unavailable(reason) if sent is Sent.READ else Refused(reason)
    fault = {
        403: "GitLab does not let the token do this",
        404: "GitLab does not have this, or hides it from the token",
        405: "GitLab does not do this here",
    }.get(status, "GitLab refused it")
    return Misconfigured(f"{fault} ({status}{detail})")


def lacks_scope(answer: Answer) -> bool:
    """True if GitLab says that the token has not the scope for a request."""
    refusal = answer.read(_Failure) if answer.status == 403 else None
    return refusal is not None and refusal.error == "insufficient_scope"


def message(answer: Answer) -> str:
    """GitLab's message after a blank, on one line of at most 200 characters; empty where the answer has none."""
    refusal = answer.read(_Failure)
    if refusal is None:
        return ""
    parts = [*_texts(refusal.message), *_texts(refusal.error), refusal.error_description or ""]
    # GitLab writes the status into some of its messages.
    text = "; ".join(part.removeprefix(f"{answer.status} ") for part in parts if part)
    line = one_line(text, _MESSAGE_LIMIT, otherwise="")
    return f" {line}" if line else ""


def _texts(value: object) -> list[str]:
    """What a message says: a text, a list, or lists by field."""
    match value:
        case str():
            return [value]
        case list():
            return [text for each in value for text in _texts(each)]
        case dict():
            return [f"{key} {text}".strip() for key, each in value.items() for text in _texts(each)]
    return []


def _pause(answer: Answer) -> float:
    after = _retry_after(answer)
    if after is not None:
        return after
    # By GitLab's own Date: this machine's clock may be wrong.
    now, reset = answer.date, answer.digits("ratelimit-reset")
    return _PAUSE_SECONDS if now is None or reset is None or reset <= now else bounded(reset + 1.0 - now)


def _retry_after(answer: Answer) -> float | None:
    asked_for = answer.digits("retry-after")
    return None if asked_for is None else bounded(asked_for)
