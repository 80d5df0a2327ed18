"""The requests of one client to one GitHub: one login, one request for each call, every failure below HTTP as a TrackerError.

PyGithub serves for transport only; its own repeating, waiting, following and fetching of tokens is off.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from github import Auth, Github
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass

from syncd import __version__
from syncd.config import GitHubSettings
from syncd.errors import Misconfigured, OutcomeUnknown
from syncd.platform.clock import Clock
from syncd.trackers import transport
from syncd.trackers.github.answers import failure
from syncd.trackers.github.login import Login
from syncd.trackers.transport import IDLE_SECONDS, Answer, Parameters

_Wire = HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass

_API_VERSION = "2022-11-28"
# PyGithub follows the first of these, and fails where it cannot parse the others, such as one that a proxy sent twice.
_HIDDEN = ("location", "x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset", "x-oauth-scopes")
_PREFIX = "syncd-"  # of their names until PyGithub is done
# PyGithub raises these, besides errors of requests, about an answer that it does not expect.
_PYGITHUB_ERRORS = (
    AssertionError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Connection(transport.Connection):
    """Logs in at first use. Paths begin after `api_url`."""

    def __init__(
        self, name: str, settings: GitHubSettings, clock: Clock, sleep: Callable[[float], None], login: Login
    ) -> None:
        super().__init__(settings.api_url, failure, clock, sleep)
        self.login: Login = login
        self._name = name
        self._settings = settings
        self._auth: Auth.Auth | None = None
        self._client: tuple[Github, _Wire] | None = None
        self._used_at = 0.0

    def query(self, text: str, variables: Mapping[str, object]) -> Answer:
        """Send a GraphQL query, which only reads, like `send_idempotent`."""
        client, _ = self.open()
        return self.send_idempotent("POST", client.requester.graphql_url, {"query": text, "variables": variables})

    def send_once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        client, wire = self.open()
        auth = self._auth
        # A new dictionary for each request: PyGithub writes the token into it.
        own = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _API_VERSION, **(headers or {})}
        try:
            with transport.explained(self.address):
                # requestJson returns every status; PyGithub's higher methods raise, or return objects without a number.
                status, received, text = client.requester.requestJson(
                    method, path, dict(parameters or {}), own, payload, wire
                )
        except _PYGITHUB_ERRORS:
            raise OutcomeUnknown(f"the answer of {self.address} could not be read") from None
        received = {name.removeprefix(_PREFIX): value for name, value in received.items()}
        if status == 401 and auth is not None:
            self.login.refuse(auth)
        if transport.ends_connection(status):
            self.close()
        return Answer(status, received, text.encode(), self.login.renewal)

    def open(self) -> tuple[Github, _Wire]:
        """The library's client, with a login that lasts, and the connection that its requests use. Sends nothing but what an App needs for a
        token. Raises Unavailable, Throttled, Misconfigured."""
        auth = self.login.auth()
        if auth is not self._auth:
            self._disconnect()
        if self._client is None:
            self._auth, self._client = auth, self._connect(auth)
            self.logins = self.login.reads
        elif self._clock.monotonic() - self._used_at > IDLE_SECONDS:
            self._client[1].close()  # the next request opens it again
        self._used_at = self._clock.monotonic()
        return self._client

    def _connect(self, auth: Auth.Auth) -> tuple[Github, _Wire]:
        """PyGithub without its own repeating and waiting, since it would send a create again; and a connection that follows no
        redirect, which the ones that PyGithub makes do."""
        try:
            parts = urlsplit(self._settings.api_url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host:
            raise Misconfigured(f"trackers.{self._name}.api_url: this is not an address")
        secure = self._settings.api_url.startswith("https:")
        wire = (HTTPSRequestsConnectionClass if secure else HTTPRequestsConnectionClass)(
            f"[{host}]" if ":" in host else host,
            port,
            timeout=cast(int, self._settings.timeout),  # declared as int, and handed to requests as it is
            retry=None,
            pool_size=1,
            verify=transport.trust(f"trackers.{self._name}.ca_file", self._settings.ca_file),
        )
        wire.session.hooks["response"] = [_hide]
        client = Github(
            auth=auth,
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
        return client, wire

    def close(self) -> None:
        self._disconnect()
        self.login.release()

    def _disconnect(self) -> None:
        if self._client is not None:
            client, wire = self._client
            wire.close()
            client.close()
            self._client = None


def _hide(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
    """Keep PyGithub from following a 301 with the same verb, POST included, from asking again without end after a 202, and from its own
    reading of headers."""
    for name in _HIDDEN:
        value = response.headers.pop(name, None)
        if value is not None:
            response.headers[f"{_PREFIX}{name}"] = value
    if response.status_code == 202:
        response.close()
        raise requests.exceptions.RetryError("202")
