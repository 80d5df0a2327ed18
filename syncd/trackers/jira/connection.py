"""The requests of one client to one Jira: one login, one request for each call, every failure below HTTP as a TrackerError.

The one module that uses the library jira. It serves for login and transport only; its own repeating is off.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

import msgspec
import requests
from jira import JIRA

from syncd import __version__
from syncd.config import JiraSettings
from syncd.errors import Misconfigured, OutcomeUnknown, Unavailable
from syncd.platform.clock import Clock
from syncd.trackers import Notebook, transport
from syncd.trackers.jira.answers import failure
from syncd.trackers.jira.login import Login, login_of
from syncd.trackers.transport import IDLE_SECONDS, Answer, Parameters

_CONNECT_SECONDS = 5.0
_CLOUD_ID = "cloud_id"  # fact of the notebook: the site, and its id


class _Tenant(msgspec.Struct):
    cloudId: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z-]{8,64}\Z")]


class Connection(transport.Connection):
    """Logs in at first use. Paths begin after `/rest/api/2/` or `/rest/api/3/`; with a slash in front, after the address of the site, or of
    the gateway for the site."""

    def __init__(
        self, name: str, settings: JiraSettings, notebook: Notebook, clock: Clock, sleep: Callable[[float], None]
    ) -> None:
        super().__init__(settings.url if settings.cloud_id is None else settings.gateway, failure, clock, sleep)
        self._notebook = notebook
        self._name = name
        self._settings = settings
        self.login: Login = login_of(name, settings, clock, sleep)
        self._token = ""
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
        client, token = self.open(), self._token
        # The session, not the library's own requests: those raise errors that carry cookies and payloads, and fail on an answer
        # whose "errors" is null.
        session = client._session
        address = f"{client.server_url}{path}" if path.startswith("/") else client._get_url(path)
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
        if response.status_code == 401:
            self.login.refuse(token)
        if transport.ends_connection(response.status_code):
            self.close()
        received = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, received, response.content, self.login.renewal)

    def open(self) -> JIRA:
        """The library's client with a login that lasts. It sends nothing when it is made and repeats nothing."""
        token = self.login.token()
        if token != self._token:
            self._disconnect()
        if self._client is None:
            settings, self._token = self._settings, token
            verify = transport.trust(f"trackers.{self._name}.ca_file", settings.ca_file)
            self._client = JIRA(
                server=settings.url.rstrip("/")
                if settings.cloud_id is None
                else self._gateway(settings.cloud_id, verify),
                options={
                    "rest_api_version": "3" if settings.deployment == "cloud" else "2",
                    "verify": verify,
                    "headers": {"User-Agent": f"syncd/{__version__}"},
                },
                get_server_info=False,
                max_retries=0,
                logging=False,
                **cast(dict[str, Any], self.login.options(token)),
            )
            self.logins = self.login.reads
        elif self._clock.monotonic() - self._used_at > IDLE_SECONDS:
            self._client._session.close()  # the next request opens it again
        self._used_at = self._clock.monotonic()
        return self._client

    def _gateway(self, cloud_id: str, verify: bool | str) -> str:
        """The address under which the gateway has the site. Raises Unavailable or Misconfigured: no request of the caller was sent."""
        site, number = self._settings.url.rstrip("/"), cloud_id
        if cloud_id == "auto":
            recalled = (self._notebook.recall(_CLOUD_ID) or "").split()
            number = recalled[1] if recalled[:1] == [site] else self._read_cloud_id(site, verify)
        return f"{self._settings.gateway.rstrip('/')}/ex/jira/{number}"

    def _read_cloud_id(self, site: str, verify: bool | str) -> str:
        host = urlsplit(site).netloc
        try:
            with transport.explained(host):
                # The site tells it without a login (pycontribs/jira, issue 2368).
                answer = requests.get(
                    f"{site}/_edge/tenant_info", timeout=_CONNECT_SECONDS, allow_redirects=False, verify=verify
                )
        except OutcomeUnknown as error:
            raise Unavailable(error.reason) from None
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unavailable(f"{host} did not tell its cloud id ({answer.status_code})")
        try:
            number = msgspec.json.decode(answer.content, type=_Tenant).cloudId
        except msgspec.MsgspecError:
            raise Misconfigured(
                f"{host} does not tell its cloud id ({answer.status_code}); correct trackers.{self._name}.url, or write the id in cloud_id"
            ) from None
        self._notebook.note(_CLOUD_ID, f"{site} {number}")
        return number

    def close(self) -> None:
        self._disconnect()
        self.login.release()

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None
