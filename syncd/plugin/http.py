"""Requests of a plug-in to a JSON API, for a tracker without a library of its own."""

import json
from collections.abc import Callable, Mapping

import requests

from syncd import __version__
from syncd.errors import Misconfigured, OutcomeUnknown, TrackerError
from syncd.platform.clock import Clock
from syncd.trackers import transport
from syncd.trackers.transport import IDLE_SECONDS, Answer, Parameters, Sent

USER_AGENT = f"syncd/{__version__}"

_CONNECT_SECONDS = 5.0


class JsonConnection(transport.Connection):
    """One client's requests below `base`. Follows no redirect and repeats nothing that it was not asked to repeat.

    `login` returns the headers of a login, such as `{"Authorization": "Bearer …"}`; it is called for each new session, also after a 401, so that a
    replaced token counts without a restart. `renewal` says where the secret comes from (`Secret.renewal`).
    """

    def __init__(
        self,
        base: str,
        failure: Callable[[Answer, Sent], TrackerError],
        clock: Clock,
        sleep: Callable[[float], None],
        *,
        login: Callable[[], Mapping[str, str]],
        timeout: float,
        renewal: str = "",
        verify: bool | str = True,
    ) -> None:
        super().__init__(base, failure, clock, sleep)
        self._login = login
        self._timeout = timeout
        self._renewal = renewal
        self._verify = verify
        self._session: requests.Session | None = None
        self._used_at = 0.0

    def send_once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        session = self._open()
        body = None if payload is None else json.dumps(payload)
        own = {"Content-Type": "application/json", **(headers or {})} if body is not None else headers
        try:
            request = session.prepare_request(
                requests.Request(method, self._base + path, own, params=parameters, data=body)
            )
            # Proxies and trusted certificates, from settings and environment.
            options = session.merge_environment_settings(request.url or "", {}, None, self._verify, None)
        except ValueError:  # as are requests' own errors about addresses and headers
            raise Misconfigured(f"no request can be made to {self.address}: its address is not valid") from None
        try:
            with transport.explained(self.address):
                timeout = (min(_CONNECT_SECONDS, self._timeout), self._timeout)
                response = session.send(request, timeout=timeout, allow_redirects=False, **options)
        except ValueError:
            # requests parses the target of a redirect even if it does not follow it.
            raise OutcomeUnknown(f"the answer of {self.address} could not be read") from None
        if transport.ends_connection(response.status_code):
            self.close()
        received = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, received, response.content, self._renewal)

    def _open(self) -> requests.Session:
        if self._session is None:
            login = self._login()
            self._session = requests.Session()
            # Without it requests would send a login of ~/.netrc instead.
            self._session.auth = lambda request: request
            self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json", **login})
            self.logins += 1
        elif self._clock.monotonic() - self._used_at > IDLE_SECONDS:
            self._session.close()  # the next request opens it again
        self._used_at = self._clock.monotonic()
        return self._session

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
