"""The meaning of Jira's answers. Pure: status, headers and body in; a value or an error out.

Statuses and headers: developer.atlassian.com/cloud/jira/platform, "Status codes" and "Rate limiting".
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from syncd.errors import Deferred, Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Created
from syncd.render.text import one_line
from syncd.trackers.transport import Answer, Sent, bounded

T = TypeVar("T")

_MESSAGE_LIMIT = 300
_PAUSE_SECONDS = 60.0  # for a 429 without a time
_LOCKED_SECONDS = 3600.0
# Classic scopes; granular ones are many more (developer.atlassian.com, "Jira scopes for OAuth 2.0 (3LO) and Forge apps").
SCOPES = ("read:jira-work", "write:jira-work", "read:jira-user")
# The other 4xx that say by themselves whom they concern: the login, the moment, or the number of requests.
_DECIDED = (401, 407, 408, 409, 421, 425, 429)
_ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]*-([0-9]+)")


class Fields(msgspec.Struct):
    """The fields of an issue by which a probe recognises our own."""

    labels: list[str] | None = None
    creator: object = None
    created: str | None = None
    description: object = None


class Named(msgspec.Struct):
    """An issue by its id and its present key."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$")]
    key: Annotated[str, msgspec.Meta(pattern=r"^[^\s-]+-[0-9]{1,18}$")]

    @property
    def number(self) -> int:
        return int(self.key.rpartition("-")[2])


class Candidate(Named, kw_only=True):
    """An issue as a probe reads it, ours or not."""

    fields: Fields
    properties: dict[str, object] = {}

    @property
    def mark(self) -> str | None:
        """The marker in its entity property; None where it has none."""
        value = self.properties.get("syncd")
        mark = value.get("m") if isinstance(value, dict) else None
        return mark if isinstance(mark, str) else None


class Page(msgspec.Struct):
    """The answer to a search."""

    issues: list[Candidate]


class Unread(msgspec.Struct):
    """An issue that a bulk fetch could not read."""

    id: str


class Bulk(msgspec.Struct):
    """The answer to a bulk fetch. A key without an issue is in neither list; Jira could not read the `issueErrors` this time."""

    issues: list[Candidate]
    issueErrors: list[Unread] = []


def expect(answer: Answer, shape: type[T]) -> T:
    """The body of an answer to a read. Raises what any other answer means; a read is never Refused."""
    content = answer.read(shape) if answer.ok else None
    if content is None:
        raise failure(answer, Sent.READ)
    return content


def moment(text: str | None) -> float | None:
    """Epoch seconds of a time as Jira writes it, such as 2027-01-15T09:00:00.000+0100."""
    try:
        then = datetime.fromisoformat(text or "")
        return then.timestamp() if then.tzinfo else None
    except (ValueError, OverflowError):
        return None


def browse(url: str, key: str) -> str:
    """The page for people of the issue `key` at the site `url`."""
    return f"{url.rstrip('/')}/browse/{quote(key)}"


def refuses(answer: Answer) -> bool:
    """True for an answer after which Jira has certainly done nothing, and which can concern one issue, the project or the account: a
    control question decides. Jira gives the same status, and words of any language, for each of them."""
    return 400 <= answer.status < 500 and answer.status not in _DECIDED and not captcha(answer)


def failure(answer: Answer, sent: Sent) -> TrackerError:
    """The meaning of an answer without the wanted result, as far as the answer alone tells it."""
    status, detail = answer.status, message(answer)
    if status < 300 or status >= 500 or status == 408:
        # Also a 503 with Retry-After: a gateway sends it after Jira has begun, and Jira may still commit. And a 1xx, which a proxy may
        # send before the answer.
        reason = f"Jira gives no usable answer at this moment ({status}{detail})"
        if sent is Sent.ONCE:
            reason = f"Jira's answer ({status}{detail}) does not say what became of the request"
        if answer.ok and answer.is_page:
            reason = f"a web page came instead of the Jira API's answer ({status}), perhaps the login page of a single sign-on"
        return OutcomeUnknown(reason) if sent is Sent.ONCE else Unavailable(reason, _retry_after(answer))
    if status == 429:
        seconds = _retry_after(answer) or _PAUSE_SECONDS
        # Only this header tells the limits on writes to one issue, on one kind of request, and on the whole account apart.
        limit = answer.headers.get("ratelimit-reason", "").lower()
        if "per-issue" in limit:
            return Deferred("Jira limits how often this issue may be written (429)", seconds)
        return Throttled("Jira asks for fewer requests (429)", seconds, narrow="burst" in limit)
    if status in (409, 421, 425):
        return Deferred(f"Jira cannot do it at this moment ({status}{detail})", _retry_after(answer))
    if status in (400, 413, 414, 422, 431):
        reason = f"Jira refused it ({status}{detail})"
        return Unavailable(reason) if sent is Sent.READ else Refused(reason)
    if captcha(answer):
        return Misconfigured(
            f"Jira wants a CAPTCHA after failed logins ({status}); log in once with a browser as the account "
            f"that syncd uses, then correct the token; {answer.renewal}",
            _LOCKED_SECONDS,
            login=True,
        )
    if status == 401:
        reason = f"Jira does not accept the login (401{detail}): {_cause(detail)}; {answer.renewal}"
        return Misconfigured(reason, login=True)
    if 300 <= status < 400:
        place = _without_query(answer.headers.get("location", ""))
        reason = f"Jira redirects to another place ({status}, {place}); correct url"
        return Misconfigured(reason, page=answer.json is None)
    if status in (403, 404) and isinstance(answer.json, dict):
        return Misconfigured(
            f"Jira does not let the account do this, or does not know the project ({status}{detail}); "
            "check the project key and the account's permissions"
        )
    return Misconfigured(
        f"what answers at this url is not the Jira API ({status}{detail}); correct url, or what stands between syncd and Jira"
    )


def message(answer: Answer) -> str:
    """Jira's messages after a blank, on one line of at most 300 characters; empty where the answer has none."""
    content = answer.json
    if not isinstance(content, dict):
        return ""
    general = content.get("errorMessages") or content.get("message")
    parts = [text for text in (general if isinstance(general, list) else [general]) if isinstance(text, str)]
    parts += [f"{name}: {text}" for name, text in refused_fields(answer).items()]
    text = one_line("; ".join(parts), _MESSAGE_LIMIT, otherwise="")
    return f" {text}" if text else ""


def refused_fields(answer: Answer) -> dict[str, str]:
    """The fields that a refusal names, with Jira's message about each; empty for any other answer."""
    content = answer.json if refuses(answer) else None
    errors = content.get("errors") if isinstance(content, dict) else None
    return {name: str(text) for name, text in errors.items()} if isinstance(errors, dict) else {}


def _retry_after(answer: Answer) -> float | None:
    """Seconds from Retry-After (seconds or a date) or X-RateLimit-Reset (ISO 8601), the first that can be read."""
    after = answer.digits("retry-after")
    if after is not None:
        return bounded(after)
    now = answer.date  # Jira's own: this machine's clock may be wrong
    if now is None:
        return None
    for parse, header in ((parsedate_to_datetime, "retry-after"), (datetime.fromisoformat, "x-ratelimit-reset")):
        try:
            then = parse(answer.headers.get(header, "").strip())
            return bounded(then.replace(tzinfo=then.tzinfo or UTC).timestamp() - now)
        except (ValueError, OverflowError):
            continue
    return None


def captcha(answer: Answer) -> bool:
    """True if Jira Data Center locked the account's API login. Every further attempt prolongs the lock."""
    reason = answer.headers.get("x-authentication-denied-reason", "") + answer.headers.get("x-seraph-loginreason", "")
    return answer.status in (401, 403) and re.search("captcha|authentication_denied", reason, re.IGNORECASE) is not None


def _cause(detail: str) -> str:
    """Why a login may have been refused. The gateway says "Unauthorized; scope does not match"."""
    if "scope" in detail.lower():
        return f"the token lacks one of the scopes {', '.join(SCOPES)}"
    return "wrong, expired, revoked, or of another account"


def _without_query(location: str) -> str:
    """Scheme, host and path: the query of a login redirect can hold a session."""
    try:
        parts = urlsplit(location)
        host = parts.hostname or ""
    except ValueError:
        return "an unreadable place"
    return one_line(f"{parts.scheme}://{host}{parts.path}" if host else parts.path, _MESSAGE_LIMIT, "nowhere")


def created(answer: Answer, url: str, notes: tuple[str, ...]) -> Created:
    """The issue in a 2xx; `url` is the site's. Raises OutcomeUnknown where the answer names none."""
    content = answer.json
    key, remote_id = (content.get("key"), content.get("id")) if isinstance(content, dict) else (None, None)
    match = _ISSUE_KEY.fullmatch(key) if isinstance(key, str) else None
    if match is None or not isinstance(remote_id, str) or not re.fullmatch(r"[0-9]+", remote_id):
        raise OutcomeUnknown(f"Jira's answer ({answer.status}) does not name an issue")
    return Created(remote_id=remote_id, key=match[0], url=browse(url, match[0]), number=int(match[1]), notes=notes)


def rows(answer: Answer, *names: str) -> list[dict[str, Any]]:
    """The list under the first of `names` that is there, or the whole body without names.

    Raises what an answer to a read means that does not answer it, and Unavailable for a body without the list: it is not an empty
    list.
    """
    if not answer.ok:
        raise failure(answer, Sent.READ)
    content = answer.json
    if names:
        page = content if isinstance(content, dict) else {}
        content = next((page[name] for name in names if name in page), None)
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise Unavailable(f"Jira's answer ({answer.status}) does not hold the list that was asked for")
    return content


def more_after(answer: Answer, count: int) -> bool:
    """True if a paged list goes on after `count` rows. Where Jira gives no total, an empty page ends the list."""
    content = answer.json
    total = content.get("total") if isinstance(content, dict) else None
    return count < total if isinstance(total, int) else True
