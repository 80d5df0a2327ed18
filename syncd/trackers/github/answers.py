"""What GitHub's answers mean. Pure: status, headers and body in; a value or an error out.

Statuses, limits and headers: docs.github.com/rest, "Rate limits", "Best practices" and "Troubleshooting".
"""

import re
from collections.abc import Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from syncd.errors import Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Created
from syncd.render.text import one_line
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.decoding import decode

T = TypeVar("T")

_WORDS_LIMIT = 200
_PAUSE_SECONDS = 60.0  # a secondary limit that does not say how long: at least a minute
_LONGEST_PAUSE_SECONDS = 86400.0
_LIMITED = re.compile(r"rate limit|abuse detection|submitted too quickly", re.IGNORECASE)

# GitHub has moved issues at the first kind of path; an old Enterprise Server may know only the second.
_MOVED = re.compile(
    r"/(?:repositories/(?P<id>\d{1,18})|repos/(?P<name>[\w-]+/\.?[\w-][\w.-]*))/issues/(?P<number>\d{1,18})"
)
_PORTS = {"http": 80, "https": 443}

Number = Annotated[int, msgspec.Meta(ge=1)]


class Account(msgspec.Struct):
    """Who did it, or who we are. `type` is "User" or "Bot", or empty where nobody said."""

    id: int
    login: str = ""
    type: str = ""


class Permissions(msgspec.Struct):
    """What the token's account may do in a repository."""

    push: bool = False
    triage: bool = False


class Repository(msgspec.Struct):
    """The part of a repository that matters here. Apps are not told their permissions."""

    id: Number
    private: bool = True
    archived: bool = False
    has_issues: bool = True
    permissions: Permissions | None = None


class Label(msgspec.Struct):
    """A label that an issue really got."""

    name: str = ""


class Filed(msgspec.Struct):
    """An issue that exists."""

    number: Number
    html_url: str = ""
    repository_url: str = ""
    labels: list[Label] = []


class Listed(msgspec.Struct):
    """An issue or pull request as it can be read; one without `user` is by an account that was deleted."""

    number: Number
    html_url: str = ""
    body: str | None = None
    user: Account | None = None
    created_at: datetime | None = None
    pull_request: object = None


class Target(msgspec.Struct, frozen=True):
    """Where a redirect points: an issue of the repository with this id, or with this name."""

    number: int
    repository_id: str = ""
    repository: str = ""


class Comment(msgspec.Struct):
    """A comment; GitHub has neither author nor text for some."""

    id: Number
    body: str | None = None
    user: Account | None = None


class _Fault(msgspec.Struct):
    message: str = ""
    field: str = ""
    code: str = ""


class _Failure(msgspec.Struct):
    message: str = ""
    errors: list[_Fault | str] | str | None = None


def read(answer: Answer, shape: type[T]) -> T | None:
    """The body as `shape`, or None where it is empty, cut off, a proxy's page, or something else."""
    try:
        return decode(answer.body, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def expect(answer: Answer, shape: type[T]) -> T:
    """The body of an answer to a question. Raises what any other answer means; a question is never Refused."""
    found = read(answer, shape) if answer.ok else None
    if found is None:
        raise unanswered(answer)
    return found


def unanswered(answer: Answer) -> TrackerError:
    """What an answer to a question means that does not answer it. A question holds nothing that could be refused for good:
    a 422 to a list is GitHub's word for an endpoint that was asked too much."""
    error = failure(answer, Sent.AGAIN)
    return Unavailable(error.reason) if isinstance(error, Refused) else error


def created(answer: Answer, repository: str, labels: Iterable[str]) -> Created:
    """The issue that a 201 speaks of. Raises what any other answer to a create means."""
    issue = read(answer, Filed) if answer.status == 201 else None
    if issue is None:
        raise failure(answer, Sent.ONCE)
    # Without triage or push permission GitHub drops labels and says nothing. Their names have no case.
    given = {label.name.lower() for label in issue.labels}
    dropped = [label for label in labels if label.lower() not in given]
    note = f"GitHub dropped the labels {', '.join(dropped)}: the token may not set labels in {repository}"
    return Created(
        remote_id=str(issue.number),
        key=f"{repository}#{issue.number}",
        url=web(issue.html_url),
        number=issue.number,
        notes=(note,) if dropped else (),
    )


def refuses_assignee(answer: Answer) -> bool:
    """Whether a create was refused for nothing but whom it assigns: nothing was made."""
    told = read(answer, _Failure) if answer.status == 422 else None
    faults = told.errors if told is not None and isinstance(told.errors, list) else []
    return bool(faults) and all(isinstance(fault, _Fault) and fault.field == "assignees" for fault in faults)


def web(url: str) -> str:
    """`url` where it is one of the web, else nothing: it will be shown as a link."""
    return url if url.startswith(("https://", "http://")) else ""


def wrote(account: Account | None, author: Account | None) -> bool:
    """Whether `account` is the author. An app is not told who it is (None): then any bot may be it, and no person."""
    if account is None:
        return author is None or author.type in ("", "Bot")
    if author is None:
        return False
    return author.id == account.id if author.id else author.login.lower() == account.login.lower()


def clock(answer: Answer) -> float | None:
    """What time it was at GitHub, in epoch seconds."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return None


def takes_no_issues(answer: Answer) -> bool:
    """Whether a 410 is about the repository; otherwise it is GitHub's word that an issue was deleted."""
    return "issues are disabled" in words(answer).lower()


def redirected(answer: Answer, api_url: str) -> Target:
    """The issue a redirect points to. Raises Misconfigured for any other place: the token goes nowhere else."""
    try:
        base = urlsplit(api_url.rstrip("/"))
        there = urlsplit(urljoin(f"{base.geturl()}/", answer.headers.get("location", "")))
        same = _server(base) == _server(there)
    except ValueError:
        raise _misconfigured(answer, "") from None
    match = _MOVED.match(there.path.removeprefix(base.path))
    if not same or match is None:
        raise _misconfigured(answer, "")
    return Target(number=int(match["number"]), repository_id=match["id"] or "", repository=match["name"] or "")


def _server(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)


def failure(answer: Answer, sent: Sent) -> TrackerError:
    """What an answer without the wanted result means."""
    status, said = answer.status, words(answer)
    if answer.ok or status >= 500 or status == 408:
        reason = f"GitHub's answer ({status}{said}) does not say what became of the request"
        return OutcomeUnknown(reason) if sent is Sent.ONCE else Unavailable(reason, _seconds(answer, "retry-after"))
    pause = _pause(answer)
    if pause is not None:
        return Throttled(f"GitHub asks for fewer requests ({status}{said})", pause, narrow=_narrow(answer))
    if status in (409, 421, 425):
        return Unavailable(f"GitHub cannot do it at this moment ({status}{said})")
    if status in (400, 413, 414, 422, 431) or (status == 403 and "issue is locked" in said):
        return Refused(f"GitHub refused it ({status}{said})")
    return _misconfigured(answer, said)


def words(answer: Answer) -> str:
    """GitHub's own words after a blank, on one line of at most 200 characters; empty when it gave none."""
    told = read(answer, _Failure)
    if told is None:
        return ""
    faults = told.errors if isinstance(told.errors, list) else [told.errors or ""]
    said = [told.message, *(fault if isinstance(fault, str) else _words_of(fault) for fault in faults)]
    text = one_line("; ".join(filter(None, said)), _WORDS_LIMIT, otherwise="")
    return f" {text}" if text else ""


def _words_of(fault: _Fault) -> str:
    # A fault's "value" would repeat what was sent.
    return fault.message or " ".join(filter(None, (fault.field, fault.code)))


def _pause(answer: Answer) -> float | None:
    """Seconds of silence a limit asks for, or None when the answer is not about limits.

    Both kinds of limit answer 403 or 429. A primary one has nothing remaining and tells when it is reset; a
    secondary one may have Retry-After. A third, on comments, comes as a 422 in words only.
    """
    if answer.status in (403, 429):
        after = _seconds(answer, "retry-after")
        if after is not None:
            return after
        if answer.headers.get("x-ratelimit-remaining") == "0":
            return _until_reset(answer)
    limited = answer.status in (403, 422) and _LIMITED.search(words(answer))
    return _PAUSE_SECONDS if limited or answer.status == 429 else None


def _until_reset(answer: Answer) -> float:
    # Against GitHub's own Date: the clock here may be wrong.
    now, reset = clock(answer), _digits(answer, "x-ratelimit-reset")
    return _PAUSE_SECONDS if now is None or reset is None else _bounded(reset + 1.0 - now)


def _narrow(answer: Answer) -> bool:
    """Whether only one kind of request has used up its own share. Secondary limits are the whole account's, though they
    name a resource too."""
    used_up = answer.headers.get("x-ratelimit-remaining") == "0"
    return used_up and answer.headers.get("x-ratelimit-resource", "core") != "core"


def used_up(answer: Answer) -> Throttled:
    """The limit that GraphQL tells of in the body of a 200."""
    return Throttled("GitHub asks for fewer queries", _until_reset(answer), narrow=_narrow(answer))


def _seconds(answer: Answer, header: str) -> float | None:
    seconds = _digits(answer, header)
    return None if seconds is None else _bounded(seconds)


def _digits(answer: Answer, header: str) -> float | None:
    value = answer.headers.get(header, "").strip()
    return float(value) if re.fullmatch(r"[0-9]{1,12}", value) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 1.0), _LONGEST_PAUSE_SECONDS)


def _misconfigured(answer: Answer, said: str) -> Misconfigured:
    status = answer.status
    if status == 401:
        return Misconfigured(f"GitHub does not accept the token (401{said})")
    if answer.redirects:
        return Misconfigured(f"GitHub redirects to another place ({status}{said}); correct repository or api_url")
    if status == 403:
        return Misconfigured(f"GitHub does not let the token do this (403{said})")
    if status == 404:
        return Misconfigured(f"GitHub does not know this, or hides it from the token (404{said})")
    if status == 410:
        return Misconfigured(f"the repository takes no issues (410{said})")
    return Misconfigured(f"what answers at api_url is not the GitHub API ({status}{said})")
