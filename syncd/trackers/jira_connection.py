"""The way to one Jira: one login, one request for each call, every failure below HTTP as a TrackerError."""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from jira import JIRA
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential_jitter,
)

from syncd import __version__
from syncd.config import JiraSettings
from syncd.errors import ConfigError, Misconfigured, OutcomeUnknown, Unavailable
from syncd.trackers.jira_answers import Answer, Sent, failure
from syncd.trackers.transport import send

_CONNECT_SECONDS = 5.0
_TRIES = 3
_TRYING_SECONDS = 10.0


class Connection:
    """Logs in at first use. `sleep` passes the seconds between the tries of `again`."""

    def __init__(
        self, name: str, settings: JiraSettings, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._name = name
        self._settings = settings
        self._sleep = sleep
        self._client: JIRA | None = None

    def again(
        self, method: str, path: str, payload: object = None, params: Mapping[str, str | int] | None = None
    ) -> Answer:
        """The answer to a request that may be sent twice: up to three tries within about ten seconds.

        Any status but 409 and 5xx is returned; a 2xx to a GET is JSON. Raises Unavailable and Misconfigured.
        """
        tries = Retrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, Unavailable) and error.retry_after is None
            ),
            stop=stop_after_attempt(_TRIES) | stop_after_delay(_TRYING_SECONDS),
            wait=wait_exponential_jitter(max=4),
            sleep=self._sleep,
            reraise=True,
        )
        return tries(self._try, method, path, payload, params)

    def _try(self, method: str, path: str, payload: object, params: Mapping[str, str | int] | None) -> Answer:
        try:
            answer = self.once(method, path, payload, params)
        except OutcomeUnknown as error:
            raise Unavailable(error.reason) from None
        unreadable = answer.ok and method == "GET" and answer.content is None
        if unreadable or answer.status == 409 or answer.status >= 500:
            raise failure(answer, Sent.AGAIN, time.time())
        return answer

    def once(
        self,
        method: str,
        path: str,
        payload: object = None,
        params: Mapping[str, str | int] | None = None,
        read_seconds: float | None = None,
    ) -> Answer:
        """The answer to exactly one request, whatever its status; redirects are not followed.

        Raises Unavailable when it was never sent, OutcomeUnknown when that is not known, Misconfigured.
        """
        client = self._client = self._client or self._open()
        request, how = self._prepared(client, method, path, payload, params)
        timeout = (_CONNECT_SECONDS, read_seconds or self._settings.timeout)
        # Session.send, not the library's own request(): that raises errors which carry cookies and payloads,
        # and stumbles over an answer whose "errors" is null.
        try:
            response = send(
                self._host,
                lambda: client._session.send(request, timeout=timeout, allow_redirects=False, **how),
            )
        except ValueError:
            # requests reads a redirect's place even where it is not to follow it.
            raise OutcomeUnknown(f"{self._host} answered with an address that cannot be read") from None
        if response.status_code == 401:
            self.close()  # the next call reads the token anew, which may have been replaced meanwhile
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content)

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.url).hostname or "Jira"

    def _open(self) -> JIRA:
        settings = self._settings
        token = self._token()
        login: dict[str, Any] = {"token_auth": token}
        if settings.deployment == "cloud":
            login = {"basic_auth": (settings.email, token)}
        self._check_ca_file()
        return JIRA(
            server=settings.url,
            options={
                "rest_api_version": "3" if settings.deployment == "cloud" else "2",
                "verify": settings.ca_file or True,
                "headers": {"User-Agent": f"syncd/{__version__}"},
            },
            get_server_info=False,  # otherwise constructing sends a request
            max_retries=0,  # otherwise a create whose answer was lost is sent again
            logging=False,
            **login,
        )

    def _token(self) -> str:
        try:
            token = self._settings.token.read().get_secret_value()
        except ConfigError as error:
            raise Misconfigured(f"trackers.{self._name}.token: {error}") from None
        if not (token.isascii() and token.isprintable()):
            raise Misconfigured(f"trackers.{self._name}.token: holds characters that no token has")
        return token

    def _check_ca_file(self) -> None:
        """requests would raise a bare OSError, or call a file without certificates a broken connection."""
        if self._settings.ca_file is not None:
            try:
                ssl.create_default_context(cafile=self._settings.ca_file)
            except OSError:
                place = f"trackers.{self._name}.ca_file: {self._settings.ca_file}"
                raise Misconfigured(f"{place} holds no certificates that can be read") from None

    def _prepared(
        self, client: JIRA, method: str, path: str, payload: object, params: Mapping[str, str | int] | None
    ) -> tuple[requests.PreparedRequest, Mapping[str, Any]]:
        """The request and how to send it: proxies, and whom to trust, from settings and environment."""
        body = None if payload is None else json.dumps(payload)
        bare = requests.Request(method, client._get_url(path), params=params, data=body)
        try:
            request = client._session.prepare_request(bare)
            return request, client._session.merge_environment_settings(
                request.url or "", {}, None, None, None
            )
        except (requests.RequestException, ValueError):
            raise Misconfigured(f"trackers.{self._name}: url or email cannot be used in a request") from None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None
