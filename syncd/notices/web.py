"""Messages by HTTP: Slack's incoming webhooks, Workflows of Microsoft Teams, and Standard Webhooks.

The address comes from the configuration alone. No redirect is followed: it would carry the message, and with a secret address the right to post,
to another place.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests

from syncd import __version__
from syncd.config import SlackSettings, TeamsSettings, WebhookSettings
from syncd.config.channels import web_address
from syncd.errors import ConfigError, Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.notices.channels import Message, signing_key
from syncd.render import slack, teams
from syncd.render.text import one_line
from syncd.trackers.transport import Answer, bounded, explained, trust

LONGEST_ANSWER = 2000  # bytes that are read
WAIT_SECONDS = 60.0  # after a 429 that names no time

WebSettings = SlackSettings | TeamsSettings | WebhookSettings


class Web:
    """A channel that takes each message as one POST of JSON."""

    def __init__(self, name: str, settings: WebSettings) -> None:
        self._key = f"channels.{name}"
        self._settings = settings
        # Standard Webhooks names each message, and receivers recognise one that comes again.
        self.repeats = isinstance(settings, WebhookSettings)

    def send(self, message: Message) -> str:
        """Send a message once, and return the answer for people. Raises TrackerError."""
        try:
            url = web_address(f"{self._key}.url", self._settings.url)
            body, headers = self._encode(message)
        except ConfigError as error:
            raise Misconfigured("; ".join(error.problems), login=True) from None
        answer = self._post(url, body, headers)
        if (failure := self._failure(answer, url)) is not None:
            raise failure
        return f"{answer.status} {_excerpt(answer, url)}".strip()

    def _encode(self, message: Message) -> tuple[bytes, Mapping[str, str]]:
        """The body of a message and its headers. Raises ConfigError if the secret of the signatures cannot be used."""
        settings, notice = self._settings, message.notice
        if isinstance(settings, SlackSettings):
            return json.dumps(slack.write(notice)).encode(), {}
        if isinstance(settings, TeamsSettings):
            return json.dumps(teams.write(notice)).encode(), {}
        at = datetime.fromtimestamp(message.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        payload = {"type": f"syncd.{notice.event}", "timestamp": at, "data": {"title": notice.title, **notice.data}}
        body = json.dumps(payload).encode()
        return body, signed(signing_key(f"{self._key}.secret", settings.secret), message, body)

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request and read the beginning of its answer."""
        parts = urlsplit(url)
        all_headers = {"Content-Type": "application/json", "User-Agent": f"syncd/{__version__}", **headers}
        timeout = self._settings.timeout
        verify = trust(f"{self._key}.ca_file", self._settings.ca_file)
        with (
            explained(parts.hostname or ""),
            requests.Session() as session,
            session.post(
                url,
                data=body,
                headers=all_headers,
                auth=lambda request: request,  # without one of its own, requests looks for a login in ~/.netrc
                allow_redirects=False,
                timeout=(timeout, timeout),
                stream=True,
                verify=verify,
            ) as response,
        ):
            text = next(response.iter_content(LONGEST_ANSWER), b"")
            return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, text)

    def _failure(self, answer: Answer, url: str) -> TrackerError | None:
        """What an answer means for the message; None if it was taken."""
        host, status = urlsplit(url).hostname or "", answer.status
        excerpt = _excerpt(answer, url)
        what = f"{host} answers {status}{f': {excerpt}' if excerpt else ''}"
        if answer.ok:
            return self._doubt(answer, what)
        if answer.redirects:
            return Misconfigured(
                f"{what}, a redirect, which syncd does not follow; write the final address into {self._where()}"
            )
        if status == 429:
            return Throttled(what, bounded(answer.digits("retry-after") or WAIT_SECONDS))
        if status == 503:
            return Unavailable(what, answer.digits("retry-after"))
        if status in (401, 403, 404, 405, 410):
            return Misconfigured(
                f"{what}; the address in {self._where()} may be revoked or mistyped: make a new one", login=True
            )
        if 400 <= status < 500 and status not in (408, 409, 425):
            return Refused(what)
        return OutcomeUnknown(f"{what}; nobody knows whether it took the message")

    def _doubt(self, answer: Answer, what: str) -> TrackerError | None:
        """What is wrong with an answer of success: that of something else on the way, or of a connector that passes a failure on."""
        text = answer.body.strip()
        if isinstance(self._settings, SlackSettings) and text != b"ok":
            return OutcomeUnknown(f"{what}, which is not Slack's answer")
        if isinstance(self._settings, TeamsSettings) and b"failed with error" in text:
            return Refused(what)
        return None

    def _where(self) -> str:
        return f"{self._key}.url ({self._settings.url.place})"


def _excerpt(answer: Answer, url: str) -> str:
    """The beginning of an answer for people; empty if it has a part of the address, which is a secret."""
    if answer.body.lstrip().startswith(b"<"):
        return "a web page"
    text = one_line(answer.body.decode("utf-8", "replace"), 200, otherwise="")
    parts = urlsplit(url)
    secret_parts = [
        part for part in (*parts.path.split("/"), *parts.query.replace("&", "=").split("=")) if len(part) >= 6
    ]
    return "" if any(part in text for part in secret_parts) else text


def signed(key: bytes, message: Message, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks for a body."""
    at = str(int(message.at))
    digest = hmac.new(key, b".".join((message.identifier.encode(), at.encode(), body)), hashlib.sha256).digest()
    return {
        "webhook-id": message.identifier,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
