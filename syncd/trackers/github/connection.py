"""The way to one GitHub: one token, one request for each call, every failure below HTTP as a TrackerError."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from github import Auth, Github
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass

from syncd import __version__
from syncd.config import GitHubSettings
from syncd.errors import Misconfigured, OutcomeUnknown
from syncd.trackers import transport
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.github.answers import failure, read

_Wire = HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass

_API_VERSION = "2022-11-28"
# Routers forget connections that are silent for longer and say so to nobody: the next request would be sent
# into the void, and a create would be in doubt.
_IDLE_SECONDS = 30.0
# The header Location under a name that PyGithub does not follow.
_LOCATION = "syncd-location"
# What PyGithub raises, besides errors of requests, about an answer that came but is not what it expects.
_STUMBLES = (
    AssertionError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Connection:
    """Logs in at first use. `clock` counts seconds and never goes back; `sleep` passes those between tries.

    Paths begin after `api_url`.
    """

    def __init__(
        self,
        name: str,
        settings: GitHubSettings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._client: tuple[Github, _Wire] | None = None
        self._used_at = 0.0

    def again(
        self,
        method: str,
        path: str,
        payload: Mapping[str, object] | None = None,
        parameters: Mapping[str, str | int] | None = None,
        etag: str = "",
    ) -> Answer:
        """The answer to a request that may be sent twice, up to three tries within about ten seconds.

        A 2xx is JSON; any other status but 408, 409 and 5xx is returned too, a 304 where nothing has changed since `etag`. Raises
        what `once` does, but Unavailable for OutcomeUnknown.
        """
        return transport.again(lambda: self._try(method, path, payload, parameters, etag), self._sleep)

    def query(self, text: str, variables: Mapping[str, object]) -> Answer:
        """The answer to a GraphQL query, as `again` has it. A query only reads."""
        client, _ = self.open()
        return self.again("POST", client.requester.graphql_url, {"query": text, "variables": variables})

    def _try(
        self,
        method: str,
        path: str,
        payload: Mapping[str, object] | None,
        parameters: Mapping[str, str | int] | None,
        etag: str,
    ) -> Answer:
        answer = self.once(method, path, payload, parameters, etag)
        unreadable = answer.ok and read(answer, object) is None
        if unreadable or answer.passes:
            raise failure(answer, Sent.AGAIN)
        return answer

    def once(
        self,
        method: str,
        path: str,
        payload: Mapping[str, object] | None = None,
        parameters: Mapping[str, str | int] | None = None,
        etag: str = "",
    ) -> Answer:
        """The answer to exactly one request, whatever its status; redirects are not followed.

        Raises Unavailable when it was never sent, OutcomeUnknown when that is not known, Misconfigured.
        """
        client, wire = self.open()
        # A new one each time: PyGithub writes the token into it.
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _API_VERSION}
        headers |= {"If-None-Match": etag} if etag else {}
        query = dict(parameters or {})
        try:
            status, answered, text = transport.send(
                wire.host, lambda: client.requester.requestJson(method, path, query, headers, payload, wire)
            )
        except _STUMBLES:
            raise OutcomeUnknown(f"the answer of {wire.host} could not be read") from None
        if _LOCATION in answered:
            answered["location"] = answered.pop(_LOCATION)
        if status == 401:
            self.close()  # the next call reads the token anew, which may have been replaced meanwhile
        return Answer(status, answered, text.encode())

    def open(self) -> tuple[Github, _Wire]:
        """What requests are made and sent with. Raises Misconfigured; sends nothing."""
        if self._client is None:
            wire = self._wire()
            self._client = self._login(), wire
        elif self._clock() - self._used_at > _IDLE_SECONDS:
            self._client[1].close()  # it opens again by itself
        self._used_at = self._clock()
        return self._client

    def _wire(self) -> _Wire:
        """What PyGithub sends with; the one it would make itself follows redirects."""
        host, port = self._place()
        secure = self._settings.api_url.startswith("https:")
        wire = (HTTPSRequestsConnectionClass if secure else HTTPRequestsConnectionClass)(
            host,
            port,
            timeout=math.ceil(self._settings.timeout),
            retry=None,
            pool_size=1,
            verify=transport.trust(f"trackers.{self._name}.ca_file", self._settings.ca_file),
        )
        wire.session.hooks["response"] = [_unfollowed]
        return wire

    def _place(self) -> tuple[str, int | None]:
        try:
            parts = urlsplit(self._settings.api_url)
            if parts.hostname:
                return f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname, parts.port
        except ValueError:
            pass  # the same to whoever has to correct it
        raise Misconfigured(f"trackers.{self._name}.api_url: this is not an address")

    def _login(self) -> Github:
        """PyGithub, with all repeating and waiting of its own switched off: it repeats creates too."""
        token = transport.token(f"trackers.{self._name}.token", self._settings.token)
        return Github(
            auth=Auth.Token(token),
            base_url=self._settings.api_url.rstrip("/"),
            timeout=math.ceil(self._settings.timeout),
            user_agent=f"syncd/{__version__}",
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            pool_size=1,
            per_page=100,
            lazy=True,
        )

    def close(self) -> None:
        if self._client is not None:
            client, wire = self._client
            wire.close()
            client.close()
            self._client = None


def _unfollowed(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
    """PyGithub follows a 301 with the same verb, POST included, and asks again without end after a 202."""
    location = response.headers.pop("location", None)
    if location is not None:
        response.headers[_LOCATION] = location
    if response.status_code == 202:
        response.close()
        raise requests.exceptions.RetryError("202")
