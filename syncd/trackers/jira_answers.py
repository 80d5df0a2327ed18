"""What Jira's answers mean. Pure: status, headers, body and the time in; a value or an error out."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from syncd.errors import Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Created
from syncd.render.text import one_line

_WORDS_LIMIT = 300
_PAUSE_SECONDS = 60.0  # a 429 that does not say how long
_LONGEST_PAUSE_SECONDS = 3600.0
_ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]*-([0-9]+)")

# A create is refused for what it says only in these two; any other field is the same for every group.
_CONTENT_FIELDS = {"summary", "description"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def content(self) -> Any:
        """The JSON value of the body; None where it is empty, cut off, or a proxy's HTML page."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Sent(StrEnum):
    """What a second sending of the same request would do."""

    ONCE = "once"  # another issue or comment
    AGAIN = "again"  # nothing


def failure(answer: Answer, sent: Sent, now: float) -> TrackerError:
    """What an answer without the wanted result means. `now` is epoch seconds.

    Statuses and headers: developer.atlassian.com/cloud/jira/platform/rest/v3/intro and .../rate-limiting.
    """
    status, said = answer.status, words(answer)
    if status >= 500:
        # Also a 503 with Retry-After: a gateway says so after Jira has begun, and Jira may still commit.
        reason = f"Jira answered {status}{said}"
        return OutcomeUnknown(reason) if sent is Sent.ONCE else Unavailable(reason, _retry_after(answer, now))
    if status == 429:
        return _throttled(answer, now)
    if status == 409:
        return Unavailable(
            f"Jira is changing the same thing at this moment (409){said}", _retry_after(answer, now)
        )
    if status in (400, 413, 422):
        return Refused(f"Jira refused it ({status}){said}")
    if answer.ok or status in (408, 425):
        reason = f"Jira's answer ({status}) does not say what became of the request"
        return OutcomeUnknown(reason) if sent is Sent.ONCE else Unavailable(reason)
    return _misconfigured(answer, said)


def words(answer: Answer) -> str:
    """Jira's own words after a colon, on one line and at most 300 characters; empty when Jira gave none."""
    content = answer.content
    if not isinstance(content, dict):
        return ""
    general = content.get("errorMessages")
    said = [text for text in general if isinstance(text, str)] if isinstance(general, list) else []
    said += [f"{name}: {text}" for name, text in refused_fields(answer).items()]
    if not said and isinstance(content.get("message"), str):
        said = [content["message"]]
    text = one_line("; ".join(said), _WORDS_LIMIT, otherwise="")
    return f": {text}" if text else ""


def refused_fields(answer: Answer) -> dict[str, str]:
    """The fields a 400 blames, with Jira's words about each; empty for any other answer."""
    content = answer.content
    blamed = content.get("errors") if answer.status == 400 and isinstance(content, dict) else None
    return {str(name): str(text) for name, text in blamed.items()} if isinstance(blamed, dict) else {}


def _retry_after(answer: Answer, now: float) -> float | None:
    """Seconds to wait, from Retry-After (seconds or a date) or X-RateLimit-Reset (ISO 8601)."""
    after = answer.headers.get("retry-after", "").strip()
    if after.isascii() and after.isdigit():
        return _bounded(float(after))
    reset = answer.headers.get("x-ratelimit-reset", "").strip()
    try:
        moment = parsedate_to_datetime(after) if after else datetime.fromisoformat(reset)
        return _bounded(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 1.0), _LONGEST_PAUSE_SECONDS)


def _throttled(answer: Answer, now: float) -> TrackerError:
    seconds = _retry_after(answer, now) or _PAUSE_SECONDS
    # RateLimit-Reason tells the limit on writes to one issue from those of the whole account.
    if "per-issue" in answer.headers.get("ratelimit-reason", "").lower():
        return Unavailable("Jira limits how often this issue may be written (429)", seconds)
    return Throttled("Jira asks for fewer requests (429)", seconds)


def _misconfigured(answer: Answer, said: str) -> Misconfigured:
    if captcha(answer):
        return Misconfigured(
            "Jira wants a CAPTCHA after failed logins (403); log in once with a browser as the account "
            "that syncd uses, then correct the token"
        )
    if answer.status == 401:
        return Misconfigured(f"Jira does not accept the login (401){said}; check email, token and its expiry")
    if 300 <= answer.status < 400:
        place = _without_query(answer.headers.get("location", ""))
        return Misconfigured(
            f"Jira has moved or wants a browser login ({answer.status} to {place}); correct url"
        )
    if answer.status in (403, 404):
        return Misconfigured(
            f"Jira does not let the account do this, or does not know the project ({answer.status}){said}; "
            "check the project key and the account's permissions"
        )
    return Misconfigured(f"what answers at this url is not the Jira API ({answer.status}){said}; check url")


def captcha(answer: Answer) -> bool:
    """Whether Jira Data Center locked the account's API login. Every further try prolongs the lock."""
    return (
        answer.status == 403 and "CAPTCHA" in answer.headers.get("x-authentication-denied-reason", "").upper()
    )


def _without_query(location: str) -> str:
    """Scheme, host and path: the query of a login redirect can hold a session."""
    try:
        parts = urlsplit(location)
        host = parts.hostname or ""
    except ValueError:
        return "an unreadable place"
    return one_line(
        f"{parts.scheme}://{host}{parts.path}" if host else parts.path, _WORDS_LIMIT, otherwise="nowhere"
    )


def create_failure(answer: Answer, project: str, now: float) -> TrackerError:
    """Like `failure`, for a create that nothing more can be left out of."""
    blamed = refused_fields(answer)
    said = words(answer)
    if "labels" in blamed:
        return Misconfigured(
            f"Jira does not take labels on new issues{said}; add the field Labels to the create screen of "
            f"{project}, since syncd knows its issues by a label"
        )
    if blamed and not blamed.keys() <= _CONTENT_FIELDS:
        return Misconfigured(
            f"Jira takes no new issue in {project} like this{said}; correct project or issue_type, map the "
            "field under fields, or make it optional in Jira"
        )
    return failure(answer, Sent.ONCE, now)


def created(answer: Answer, url: str, notes: tuple[str, ...]) -> Created:
    """The issue a 2xx speaks of; `url` is the site's. Raises OutcomeUnknown when it names none."""
    content = answer.content if answer.ok else None
    key, remote_id = (content.get("key"), content.get("id")) if isinstance(content, dict) else (None, None)
    match = _ISSUE_KEY.fullmatch(key) if isinstance(key, str) else None
    if match is None or not isinstance(remote_id, str) or not remote_id.isdigit():
        raise OutcomeUnknown(f"Jira's answer ({answer.status}) does not name an issue")
    return Created(
        remote_id=remote_id, key=match[0], url=f"{url}/browse/{match[0]}", number=int(match[1]), notes=notes
    )


def rows(answer: Answer, *names: str) -> list[dict[str, Any]]:
    """The list under the first of `names` that is there, or the answer itself where none is named.

    Raises Unavailable: a list that cannot be read must not be taken for an empty one.
    """
    content = answer.content
    found = content
    if names:
        found = (
            next((content[name] for name in names if name in content), None)
            if isinstance(content, dict)
            else None
        )
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Unavailable(f"Jira's answer ({answer.status}) does not hold the list that was asked for")
    return found


def more_after(answer: Answer, seen: int) -> bool:
    """Whether a paged list goes on after `seen` rows; where Jira does not say, an empty page ends it."""
    content = answer.content
    total = content.get("total") if isinstance(content, dict) else None
    return seen < total if isinstance(total, int) else True
