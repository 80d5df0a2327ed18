"""One client's requests to one Jira: one login, one attempt each, every failure as a TrackerError."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from jira import JIRA

from syncd import __version__
from syncd.config import JiraSettings
from syncd.errors import Misconfigured, OutcomeUnknown
from syncd.trackers import transport
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.jira.answers import content, failure

_CONNECT_SECONDS = 5.0
# Routers forget connections that are silent for longer and say so to nobody: the next request would be sent
# into the void, and a create would be in doubt.
_IDLE_SECONDS = 30.0

Parameters = Mapping[str, str | int]


class Connection:
    """Logs in at first use. Paths begin after `/rest/api/2/` or `/rest/api/3/`.

    `clock` counts seconds and never goes back; `sleep` passes those between the tries of `again`.
    """

    def __init__(
        self, name: str, settings: JiraSettings, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._client: JIRA | None = None
        self._used_at = 0.0

    def again(self, method: str, path: str, payload: object = None, parameters: Parameters | None = None) -> Answer:
        """The answer to a request that may be sent twice, up to three tries within about ten seconds.

        A 2xx but 204 is JSON; any other status but 408, 409 and 5xx is returned too. Raises what `once`
        does, but Unavailable for OutcomeUnknown.
        """
        return transport.again(lambda: self._try(method, path, payload, parameters), self._sleep)

    def _try(self, method: str, path: str, payload: object, parameters: Parameters | None) -> Answer:
        answer = self.once(method, path, payload, parameters)
        unreadable = answer.ok and answer.status != 204 and content(answer) is None
        if unreadable or answer.passes:
            raise failure(answer, Sent.AGAIN)
        return answer

    def once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        read_seconds: float | None = None,
    ) -> Answer:
        """The answer to exactly one request, whatever its status; redirects are not followed.

        Raises Unavailable when it was never sent, OutcomeUnknown when that is not known, Misconfigured.
        """
        client = self._opened()
        request, way = self._prepared(client, method, path, payload, parameters)
        timeout = (_CONNECT_SECONDS, read_seconds or self._settings.timeout)
        try:
            # Session.send, not the library's own request(): that raises errors which carry cookies and
            # payloads, and stumbles over an answer whose "errors" is null.
            response = transport.send(
                self._host,
                lambda: client._session.send(request, timeout=timeout, allow_redirects=False, **way),
            )
        except ValueError:
            # requests reads a redirect's place even where it is not to follow it.
            raise OutcomeUnknown(f"the answer of {self._host} could not be read") from None
        if response.status_code == 401:
            self.close()  # the next call reads the token anew, which may have been replaced meanwhile
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content)

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.url).netloc.rpartition("@")[2]

    def _opened(self) -> JIRA:
        if self._client is None:
            self._client = self._login()
        elif self._clock() - self._used_at > _IDLE_SECONDS:
            self._client._session.close()  # it opens again by itself
        self._used_at = self._clock()
        return self._client

    def _login(self) -> JIRA:
        """The library's client, which asks nothing when it is made and repeats nothing."""
        settings = self._settings
        token = transport.token(f"trackers.{self._name}.token", settings.token)
        login: dict[str, Any] = {"token_auth": token}
        if settings.deployment == "cloud":
            login = {"basic_auth": (settings.email, token)}
        return JIRA(
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

    def _prepared(
        self, client: JIRA, method: str, path: str, payload: object, parameters: Parameters | None
    ) -> tuple[requests.PreparedRequest, Mapping[str, Any]]:
        """The request, and the way to send it: proxies and whom to trust, from settings and environment."""
        body = None if payload is None else json.dumps(payload)
        bare = requests.Request(method, client._get_url(path), params=parameters, data=body)
        try:
            request = client._session.prepare_request(bare)
            return request, client._session.merge_environment_settings(request.url or "", {}, None, None, None)
        except ValueError:  # as are requests' own errors about addresses and headers
            raise Misconfigured(f"trackers.{self._name}: no request can be made with this url and email") from None

    def close(self) -> None:
        """Give back connections; a later request opens new ones."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None
