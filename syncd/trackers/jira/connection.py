"""The requests of one client to one Jira: one login, one request for each call, every failure below HTTP as a TrackerError.

The one module that uses the library jira. It serves for login and transport only; its own repeating is off.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import requests
from jira import JIRA

from syncd import __version__
from syncd.config import JiraSettings
from syncd.errors import Misconfigured, OutcomeUnknown
from syncd.platform.clock import Clock
from syncd.trackers import transport
from syncd.trackers.jira.answers import failure
from syncd.trackers.transport import IDLE_SECONDS, Answer, Parameters

_CONNECT_SECONDS = 5.0


class Connection(transport.Connection):
    """Logs in at first use. Paths begin after `/rest/api/2/` or `/rest/api/3/`; with a slash in front, after the address of the site."""

    def __init__(self, name: str, settings: JiraSettings, clock: Clock, sleep: Callable[[float], None]) -> None:
        super().__init__(settings.url, failure, clock, sleep)
        self._name = name
        self._settings = settings
        self._client: JIRA | None = None
        self._used_at = 0.0

    def send_once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float | None = None,
    ) -> Answer:
        client = self.open()
        # The session, not the library's own requests: those raise errors that carry cookies and payloads, and fail on an answer
        # whose "errors" is null.
        session = client._session
        address = f"{self._settings.url.rstrip('/')}{path}" if path.startswith("/") else client._get_url(path)
        body = None if payload is None else json.dumps(payload)
        try:
            request = session.prepare_request(requests.Request(method, address, headers, params=parameters, data=body))
            # Proxies and trusted certificates, from settings and environment.
            options = session.merge_environment_settings(request.url or "", {}, None, None, None)
        except ValueError:  # as are requests' own errors about addresses and headers
            raise Misconfigured(f"trackers.{self._name}: no request can be made with this url and email") from None
        timeout = (_CONNECT_SECONDS, read_seconds or self._settings.timeout)
        try:
            with transport.explained(self.address):
                response = session.send(request, timeout=timeout, allow_redirects=False, **options)
        except ValueError:
            # requests parses the target of a redirect even if it does not follow it.
            raise OutcomeUnknown(f"the answer of {self.address} could not be read") from None
        if transport.ends_connection(response.status_code):
            self.close()
        received = {name.lower(): value for name, value in response.headers.items()}
        renewal = self._settings.token.renewal(f"trackers.{self._name}.token")
        return Answer(response.status_code, received, response.content, renewal)

    def open(self) -> JIRA:
        """The library's client, which sends nothing when it is made and repeats nothing."""
        if self._client is None:
            settings = self._settings
            token = transport.token(f"trackers.{self._name}.token", settings.token)
            login: dict[str, Any] = {"token_auth": token}
            if settings.deployment == "cloud":
                login = {"basic_auth": (settings.email, token)}
            self._client = JIRA(
                server=settings.url,
                options={
                    "rest_api_version": "3" if settings.deployment == "cloud" else "2",
                    "verify": transport.trust(f"trackers.{self._name}.ca_file", settings.ca_file),
                    "headers": {"User-Agent": f"syncd/{__version__}"},
                },
                get_server_info=False,
                max_retries=0,
                logging=False,
                **login,
            )
            self.logins += 1
        elif self._clock.monotonic() - self._used_at > IDLE_SECONDS:
            self._client._session.close()  # the next request opens it again
        self._used_at = self._clock.monotonic()
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None
