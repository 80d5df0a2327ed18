"""The meaning of GitHub's answers. Pure: status, headers and body in; a value or an error out.

Statuses, limits and headers: docs.github.com/rest, "Rate limits", "Best practices" and "Troubleshooting".
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from syncd.errors import Deferred, Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Created
from syncd.render.text import one_line
from syncd.trackers.transport import Answer, Sent, bounded

T = TypeVar("T")

_MESSAGE_LIMIT = 200
_PAUSE_SECONDS = 60.0  # for a secondary limit without a time; GitHub's documentation: at least a minute
_LIMITED = re.compile(r"rate limit|abuse detection|submitted too quickly", re.IGNORECASE)

# GitHub has moved issues and repositories at the first kind of path; an old Enterprise Server may know only the second.
_MOVED = re.compile(
    r"/(?:repositories/(?P<id>\d{1,18})|repos/(?P<name>[\w-]+/\.?[\w-][\w.-]*))"
    r"(?:$|/installation$|/issues/(?P<number>\d{1,18}))"
)
_PORTS = {"http": 80, "https": 443}

Number = Annotated[int, msgspec.Meta(ge=1)]


class Account(msgspec.Struct):
    """An author, or the account of the login. `type` is "User", "Bot", or empty where the answer has none."""

    id: int
    login: str = ""
    type: str = ""


class Permissions(msgspec.Struct):
    """The rights of the token's account in a repository; each role has those below it, which some servers do not repeat."""

    admin: bool = False
    maintain: bool = False
    push: bool = False
    triage: bool = False


class Repository(msgspec.Struct):
    """The part of a repository that syncd uses. GitHub tells an app's token no permissions."""

    id: Number
    full_name: str = ""
    private: bool = True
    archived: bool = False
    disabled: bool = False
    has_issues: bool = True
    permissions: Permissions | None = None

    @property
    def read_only(self) -> bool:
        """True if the account has no role above Read, as far as GitHub says. Read is enough to file an issue and to comment."""
        rights = self.permissions
        return rights is not None and not (rights.admin or rights.maintain or rights.push or rights.triage)


class Label(msgspec.Struct):
    """A label of an issue."""

    name: str = ""


class Filed(msgspec.Struct):
    """An issue in the answer to a create."""

    number: Number
    html_url: str = ""
    repository_url: str = ""
    labels: list[Label] = []
    user: Account | None = None
    created_at: datetime | None = None


class Listed(msgspec.Struct):
    """An issue or pull request in a list. `user` is None when the author's account was deleted."""

    number: Number
    html_url: str = ""
    body: str | None = None
    user: Account | None = None
    created_at: datetime | None = None
    pull_request: object = None
    repository_url: str = ""


class ListedMilestone(msgspec.Struct):
    """A milestone in a list."""

    number: Number
    title: str = ""
    state: str = "open"


class Target(msgspec.Struct, frozen=True):
    """The target of a redirect: the repository with this id, or with this name, or an issue of it."""

    number: int | None
    repository_id: str = ""
    repository: str = ""

    @property
    def home(self) -> str:
        """The path of the repository."""
        return f"/repositories/{self.repository_id}" if self.repository_id else f"/repos/{self.repository}"


class Comment(msgspec.Struct):
    """A comment. Some have neither author nor text."""

    id: Number
    body: str | None = None
    user: Account | None = None


class _Fault(msgspec.Struct):
    message: str = ""
    resource: str = ""
    field: str = ""
    code: str = ""


class _Failure(msgspec.Struct):
    message: str = ""
    errors: list[_Fault | str] | str | None = None


def expect(answer: Answer, shape: type[T]) -> T:
    """The body of an answer to a read. Raises what any other answer means; a read is never Refused."""
    content = answer.read(shape) if answer.ok else None
    if content is None:
        raise failure(answer, Sent.READ)
    return content


def created(answer: Answer, repository: str, labels: Iterable[str]) -> Created:
    """The issue in the 201 to a create. Raises what any other answer means."""
    issue = answer.read(Filed) if answer.status == 201 else None
    if issue is None:
        raise failure(answer, Sent.ONCE)
    # Without triage or push permission GitHub drops labels silently. It ignores case in their names.
    present = {label.name.lower() for label in issue.labels}
    dropped = [label for label in labels if label.lower() not in present]
    note = f"GitHub dropped the labels {', '.join(dropped)}: the token may not set labels in {repository}"
    return Created(
        remote_id=str(issue.number),
        key=f"{name_of(issue.repository_url) or repository}#{issue.number}",
        url=web(issue.html_url),
        number=issue.number,
        notes=(note,) if dropped else (),
        created_at=issue.created_at.timestamp() if issue.created_at else None,
    )


def refused_fields(answer: Answer) -> frozenset[str]:
    """Those of the fields `assignees`, `labels` and `milestone` for which alone a create was refused; the draft can do without them. Empty where
    anything else may be the cause."""
    refusal = answer.read(_Failure) if answer.status == 422 else None
    faults = refusal.errors if refusal is not None and isinstance(refusal.errors, list) else []
    fields = [
        "" if isinstance(fault, str) else "labels" if fault.resource == "Label" else fault.field for fault in faults
    ]
    return frozenset(fields) if set(fields) <= {"assignees", "labels", "milestone"} else frozenset()


def web(url: str) -> str:
    """`url` if its scheme is http or https, else an empty text: people get it as a link."""
    return url if url.startswith(("https://", "http://")) else ""


def name_of(repository_url: str) -> str:
    """OWNER/NAME of a repository by its address in the API; empty where the answer has none."""
    owner, _, name = repository_url.rstrip("/").rpartition("/")
    owner = owner.rpartition("/")[2]
    return f"{owner}/{name}" if owner and name else ""


def redirected(answer: Answer, api_url: str) -> Target:
    """The issue or repository that a redirect points to. Raises Misconfigured for any other place: the token goes nowhere else."""
    reason = f"GitHub redirects to another place ({answer.status}); correct repository or api_url"
    elsewhere = Misconfigured(reason, page=answer.json is None)
    try:
        base = urlsplit(api_url.rstrip("/"))
        there = urlsplit(urljoin(f"{base.geturl()}/", answer.headers.get("location", "")))
        servers = {(url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)) for url in (base, there)}
    except ValueError:
        raise elsewhere from None
    match = _MOVED.match(there.path.removeprefix(base.path))
    if len(servers) > 1 or match is None:
        raise elsewhere
    number = None if match["number"] is None else int(match["number"])
    return Target(number=number, repository_id=match["id"] or "", repository=match["name"] or "")


def refuses(answer: Answer) -> bool:
    """True if the request was certainly not carried out, and neither the token, a limit, nor the present moment is the cause: what the
    repository and the issue answer tells whose refusal it is."""
    definite = isinstance(failure(answer, Sent.AGAIN), Refused | Misconfigured)
    return definite and answer.status != 401


def denies_token(answer: Answer) -> bool:
    """True if GitHub says that a fine-grained token or an app lacks a permission. Nothing that can be read tells which ones it has."""
    return answer.status == 403 and "resource not accessible by" in message(answer).lower()


def failure(answer: Answer, sent: Sent) -> TrackerError:
    """The meaning of an answer without the wanted result, as far as the answer alone says. What `refuses` needs a control question."""
    status, detail = answer.status, message(answer)
    # The final answer comes after one below 200, and can be any.
    if answer.ok or status < 200 or status >= 500 or status == 408:
        reason = f"GitHub's answer ({status}{detail}) does not say what became of the request"
        return OutcomeUnknown(reason) if sent is Sent.ONCE else Unavailable(reason, _retry_after(answer))
    pause = _pause(answer)
    if pause is not None:
        return Throttled(f"GitHub asks for fewer requests ({status}{detail})", pause, narrow=_narrow(answer))
    if status in (409, 421, 425):
        return Deferred(f"GitHub cannot do it at this moment ({status}{detail})")
    if status in (400, 413, 414, 422, 431):
        reason = f"GitHub refused it ({status}{detail})"
        # A 422 to a list says that the endpoint was asked for too much.
        return Unavailable(reason) if sent is Sent.READ else Refused(reason)
    if status == 401:
        reason = f"GitHub does not accept the token (401{detail}): wrong, expired or revoked; {answer.renewal}"
        return Misconfigured(reason, login=True)
    if answer.redirects:
        reason = f"GitHub redirects to another place ({status}{detail}); correct repository or api_url"
        return Misconfigured(reason, page=answer.json is None)
    fault = {
        403: "GitHub does not let the token do this",
        404: "GitHub does not know this, or hides it from the token",
        410: "GitHub has this no longer",
    }.get(status)
    if fault is None or (answer.body and answer.json is None):
        return Misconfigured(f"what answers at api_url is not the GitHub API ({status}{detail})")
    return Misconfigured(f"{fault} ({status}{detail})")


def message(answer: Answer) -> str:
    """GitHub's message after a blank, on one line of at most 200 characters; empty where the answer has none."""
    refusal = answer.read(_Failure)
    if refusal is None:
        return ""
    parts = [refusal.message]
    for fault in refusal.errors if isinstance(refusal.errors, list) else [refusal.errors or ""]:
        # A fault's "value" would repeat what was sent.
        parts.append(
            fault if isinstance(fault, str) else fault.message or " ".join(filter(None, (fault.field, fault.code)))
        )
    text = one_line("; ".join(filter(None, parts)), _MESSAGE_LIMIT, otherwise="")
    return f" {text}" if text else ""


def query_limit(answer: Answer) -> Throttled:
    """The limit that GraphQL reports in the body of a 200."""
    return Throttled("GitHub asks for fewer queries", _until_reset(answer), narrow=_narrow(answer))


def _pause(answer: Answer) -> float | None:
    """The seconds for which a limit asks for silence; None where the answer is not about limits.

    Both kinds of limit answer 403 or 429. A primary limit has nothing remaining and a time of reset; a secondary one may have
    Retry-After. A third kind, on comments, is a 422 that only its message tells from others.
    """
    if answer.status in (403, 429):
        after = _retry_after(answer)
        if after is not None:
            return after
        if answer.headers.get("x-ratelimit-remaining") == "0":
            return _until_reset(answer)
    limited = answer.status in (403, 422) and _LIMITED.search(message(answer))
    return _PAUSE_SECONDS if limited or answer.status == 429 else None


def _until_reset(answer: Answer) -> float:
    # By GitHub's own Date: this machine's clock may be wrong.
    now, reset = answer.date, answer.digits("x-ratelimit-reset")
    return _PAUSE_SECONDS if now is None or reset is None else bounded(reset + 1.0 - now)


def _narrow(answer: Answer) -> bool:
    """True if only one kind of request has used up a limit of its own. A secondary limit names a resource too, but holds for the
    whole account."""
    used_up = answer.headers.get("x-ratelimit-remaining") == "0"
    return used_up and answer.headers.get("x-ratelimit-resource", "core") != "core"


def _retry_after(answer: Answer) -> float | None:
    seconds = answer.digits("retry-after")
    return None if seconds is None else bounded(seconds)
