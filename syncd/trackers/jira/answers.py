"""What Jira's answers mean. Pure: status, headers and body in; a value or an error out.

Statuses and headers: developer.atlassian.com/cloud/jira/platform, "Status codes" and "Rate limiting".
"""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from syncd.errors import Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Created
from syncd.render.text import one_line
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.decoding import decode

T = TypeVar("T")

_WORDS_LIMIT = 300
_PAUSE_SECONDS = 60.0  # a 429 that does not say how long
_LONGEST_PAUSE_SECONDS = 86400.0
_LOCKED_SECONDS = 3600.0
_ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]*-([0-9]+)")

# Only for what these two say can one group be refused; any other field is the same for every group.
_CONTENT_FIELDS = {"summary", "description"}


class Fields(msgspec.Struct):
    """The part of an issue's fields by which we know our own."""

    labels: list[str] | None = None
    creator: object = None
    created: str | None = None
    description: object = None


class Named(msgspec.Struct):
    """An issue that can be seen, by the key that it has now."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$")]
    key: Annotated[str, msgspec.Meta(pattern=r"^[^\s-]+-[0-9]{1,18}$")]

    @property
    def number(self) -> int:
        return int(self.key.rpartition("-")[2])


class Found(Named, kw_only=True):
    """An issue as a probe reads it."""

    fields: Fields
    properties: dict[str, object] = {}

    @property
    def mark(self) -> str | None:
        """The marker in its property; None where it has no such property."""
        value = self.properties.get("syncd")
        mark = value.get("m") if isinstance(value, dict) else None
        return mark if isinstance(mark, str) else None


class Page(msgspec.Struct):
    """What a search shows."""

    issues: list[Found]


class _Unread(msgspec.Struct):
    id: str


class Bulk(msgspec.Struct):
    """Many issues by key. One that is not there is in neither list; `issueErrors` could not be read this time."""

    issues: list[Found]
    issueErrors: list[_Unread] = []


def expect(answer: Answer, shape: type[T]) -> T:
    """The body of an answer to a question. Raises what any other answer means; a question is never Refused."""
    try:
        if answer.ok:
            return decode(answer.body, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass  # the same as an answer without a body
    raise unanswered(answer)


def unanswered(answer: Answer) -> TrackerError:
    """What an answer to a question means that does not answer it. A question holds nothing that could be refused for good."""
    error = failure(answer, Sent.AGAIN)
    return Unavailable(error.reason) if isinstance(error, Refused) else error


def clock(answer: Answer) -> float | None:
    """What time it was at Jira, in epoch seconds."""
    try:
        return _in_utc(parsedate_to_datetime(answer.headers.get("date", ""))).timestamp()
    except (ValueError, OverflowError):
        return None


def moment(text: str | None) -> float | None:
    """Epoch seconds of a time as Jira writes it, such as 2027-01-15T09:00:00.000+0100."""
    try:
        then = datetime.fromisoformat(text or "")
        return then.timestamp() if then.tzinfo else None
    except (ValueError, OverflowError):
        return None


def browse(url: str, key: str) -> str:
    """Where people see the issue `key` of the site at `url`."""
    return f"{url.rstrip('/')}/browse/{quote(key)}"


def content(answer: Answer) -> Any:
    """The JSON value of the body; None where it is empty, cut off, or a proxy's HTML page."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def failure(answer: Answer, sent: Sent) -> TrackerError:
    """What an answer without the wanted result means."""
    status, said = answer.status, words(answer)
    if answer.ok or status >= 500 or status == 408:
        # Also a 503 with Retry-After: a gateway says so after Jira has begun, and Jira may still commit.
        reason = f"Jira's answer ({status}{said}) does not say what became of the request"
        return OutcomeUnknown(reason) if sent is Sent.ONCE else Unavailable(reason, _retry_after(answer))
    if status == 429:
        return _throttled(answer)
    if status in (409, 421, 425):
        return Unavailable(f"Jira cannot do it at this moment ({status}{said})", _retry_after(answer))
    if status in (400, 413, 414, 422, 431):
        return Refused(f"Jira refused it ({status}{said})")
    return _misconfigured(answer, said)


def words(answer: Answer) -> str:
    """Jira's own words after a blank, on one line of at most 300 characters; empty when it gave none."""
    told = content(answer)
    if not isinstance(told, dict):
        return ""
    general = told.get("errorMessages") or told.get("message")
    listed = general if isinstance(general, list) else [general]
    said = [text for text in listed if isinstance(text, str)]
    said += [f"{name}: {text}" for name, text in refused_fields(answer).items()]
    text = one_line("; ".join(said), _WORDS_LIMIT, otherwise="")
    return f" {text}" if text else ""


def refused_fields(answer: Answer) -> dict[str, str]:
    """The fields a 400 blames, with Jira's words about each; empty for any other answer."""
    told = content(answer) if answer.status == 400 else None
    blamed = told.get("errors") if isinstance(told, dict) else None
    return {name: str(text) for name, text in blamed.items()} if isinstance(blamed, dict) else {}


def _retry_after(answer: Answer) -> float | None:
    """Seconds from Retry-After (seconds or a date) or X-RateLimit-Reset (ISO 8601), the first that can be read."""
    after = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,12}", after):
        return _bounded(float(after))
    reset = answer.headers.get("x-ratelimit-reset", "").strip()
    now = clock(answer)  # Jira's own: the clock here may be wrong
    if now is None:
        return None
    for read, text in ((parsedate_to_datetime, after), (datetime.fromisoformat, reset)):
        try:
            return _bounded(_in_utc(read(text)).timestamp() - now)
        except (ValueError, OverflowError):
            continue
    return None


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 1.0), _LONGEST_PAUSE_SECONDS)


def _throttled(answer: Answer) -> TrackerError:
    seconds = _retry_after(answer) or _PAUSE_SECONDS
    # The limits on writes to one issue, on one kind of request, and on the whole account look alike but for this.
    limit = answer.headers.get("ratelimit-reason", "").lower()
    if "per-issue" in limit:
        return Unavailable("Jira limits how often this issue may be written (429)", seconds)
    return Throttled("Jira asks for fewer requests (429)", seconds, narrow="burst" in limit)


def _misconfigured(answer: Answer, said: str) -> Misconfigured:
    status = answer.status
    if captcha(answer):
        return Misconfigured(
            "Jira wants a CAPTCHA after failed logins (403); log in once with a browser as the account "
            "that syncd uses, then correct the token",
            _LOCKED_SECONDS,
        )
    if status == 401:
        return Misconfigured(f"Jira does not accept the login (401{said}); check email, token and its expiry")
    if answer.redirects:
        place = _without_query(answer.headers.get("location", ""))
        return Misconfigured(f"Jira redirects to another place ({status}, {place}); correct url")
    if status in (403, 404):
        return Misconfigured(
            f"Jira does not let the account do this, or does not know the project ({status}{said}); "
            "check the project key and the account's permissions"
        )
    return Misconfigured(f"what answers at this url is not the Jira API ({status}{said}); correct url")


def captcha(answer: Answer) -> bool:
    """Whether Jira Data Center locked the account's API login. Every further try prolongs the lock."""
    return answer.status == 403 and "CAPTCHA" in answer.headers.get("x-authentication-denied-reason", "")


def _without_query(location: str) -> str:
    """Scheme, host and path: the query of a login redirect can hold a session."""
    try:
        parts = urlsplit(location)
        host = parts.hostname or ""
    except ValueError:
        return "an unreadable place"
    return one_line(f"{parts.scheme}://{host}{parts.path}" if host else parts.path, _WORDS_LIMIT, "nowhere")


def create_failure(answer: Answer, project: str) -> TrackerError:
    """Like `failure`, for a create that nothing more can be left out of."""
    blamed = refused_fields(answer)
    said = words(answer)
    if "labels" in blamed:
        return Misconfigured(
            f"Jira does not take labels on new issues (400{said}); add the field Labels to the create screen "
            f"of {project}, since syncd knows its issues by a label"
        )
    if blamed and not blamed.keys() <= _CONTENT_FIELDS:
        return Misconfigured(
            f"Jira takes no new issue in {project} like this (400{said}); correct project or issue_type, "
            "map the field under fields, or make it optional in Jira"
        )
    return failure(answer, Sent.ONCE)


def created(answer: Answer, url: str, notes: tuple[str, ...]) -> Created:
    """The issue a 2xx speaks of; `url` is the site's. Raises OutcomeUnknown when it names none."""
    told = content(answer)
    key, remote_id = (told.get("key"), told.get("id")) if isinstance(told, dict) else (None, None)
    match = _ISSUE_KEY.fullmatch(key) if isinstance(key, str) else None
    if match is None or not isinstance(remote_id, str) or not re.fullmatch(r"[0-9]+", remote_id):
        raise OutcomeUnknown(f"Jira's answer ({answer.status}) does not name an issue")
    return Created(remote_id=remote_id, key=match[0], url=browse(url, match[0]), number=int(match[1]), notes=notes)


def rows(answer: Answer, *names: str) -> list[dict[str, Any]]:
    """The list under the first of `names` that is there, or the answer itself where none is named.

    Raises what an unanswered question means, and Unavailable for a list that cannot be read: it must not be
    taken for an empty one.
    """
    if not answer.ok:
        raise unanswered(answer)
    found = content(answer)
    if names:
        page = found if isinstance(found, dict) else {}
        found = next((page[name] for name in names if name in page), None)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Unavailable(f"Jira's answer ({answer.status}) does not hold the list that was asked for")
    return found


def more_after(answer: Answer, seen: int) -> bool:
    """Whether a paged list goes on after `seen` rows; where Jira does not say, an empty page ends it."""
    told = content(answer)
    total = told.get("total") if isinstance(told, dict) else None
    return seen < total if isinstance(total, int) else True
