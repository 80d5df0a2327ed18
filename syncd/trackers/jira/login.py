"""Who syncd is to Jira: the credential that its requests carry."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated
from weakref import WeakValueDictionary

import msgspec
import requests

from syncd import __version__
from syncd.config import JiraSettings, OAuthSettings
from syncd.errors import Misconfigured, OutcomeUnknown, TrackerError, Unavailable
from syncd.platform.clock import Clock
from syncd.render.text import one_line
from syncd.trackers import transport
from syncd.trackers.jira.answers import failure
from syncd.trackers.tokens import HOUR, Fetched, Tokens, without_token
from syncd.trackers.transport import Answer, Parameters, Sent

_CONNECT_SECONDS = 5.0
_DETAIL_CHARACTERS = 200
# RFC 6749, 5.2, and what authorization servers make of it: the client's id or secret is wrong, or it may not use this grant.
_CLIENT_ERRORS = ("invalid_client", "unauthorized_client", "access_denied", "invalid_grant")


class Login:
    """The credential of requests: here a token that somebody else makes, one for each client.

    `renews`: after a 401 another credential can be had. `reads` counts how often a secret was read that says which account it is.
    """

    renews = False
    reads = 0

    def __init__(self, key: str, settings: JiraSettings) -> None:
        self._key, self._settings = key, settings
        self._token: str | None = None

    def prepare(self) -> None:
        """Get a credential that outlasts a request which must not be sent twice. Raises as `token` does."""
        self.token()

    def token(self) -> str:
        """A token that lasts longer than a call takes; the same until `refuse` or `release`, or until it is replaced. Raises Unavailable,
        Throttled, Misconfigured."""
        if self._token is None:
            self._token = transport.token(self._key, self._settings.secret[1])
            self.reads += 1
        return self._token

    def options(self, token: str) -> Mapping[str, object]:
        """The token as the library jira takes it."""
        if self._settings.deployment == "cloud":
            return {"basic_auth": (self._settings.email, token)}
        return {"token_auth": token}

    def refuse(self, token: str) -> None:
        """Do not return this one again: Jira does not accept it."""
        self._token = None if self._token == token else self._token

    def release(self) -> None:
        """Read the secret anew for the next connection."""
        self._token = None

    def describe(self) -> Sequence[str]:
        """Sentences about the login for `check`, beyond the name of its account. Raises TrackerError."""
        return ()

    @property
    def renewal(self) -> str:
        """Where the secret comes from, and how to replace it."""
        renewal = self._settings.secret[1].renewal(self._key)
        if self._settings.deployment == "cloud" and self._settings.cloud_id is None:
            section = self._key.removesuffix(".token")
            renewal += f'; a token with scopes, or of a service account, needs {section}.cloud_id = "auto"'
        return renewal


class _Grant(msgspec.Struct):
    """An access token as RFC 6749, 5.1, describes it."""

    access_token: Annotated[str, msgspec.Meta(pattern=r"^[!-~]+$")]
    expires_in: float = HOUR

    def __repr__(self) -> str:
        return f"_Grant(expires_in={self.expires_in})"


class _Refusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""


class _Endpoint(transport.Connection):
    """The address that gives out tokens. Its requests do no harm twice."""

    def __init__(self, name: str, settings: JiraSettings, clock: Clock, sleep: Callable[[float], None]) -> None:
        super().__init__(settings.token_url, failure, clock, sleep)
        self._name, self._settings = name, settings

    def send_once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        verify = transport.trust(f"trackers.{self._name}.ca_file", self._settings.ca_file)
        own = {"Accept": "application/json", "User-Agent": f"syncd/{__version__}", **(headers or {})}
        timeout = (_CONNECT_SECONDS, self._settings.timeout)
        try:
            with transport.explained(self.address), requests.Session() as session:
                session.auth = _bare  # no login of a .netrc file
                response = session.request(
                    method,
                    f"{self._base}{path}",
                    params=parameters,
                    data=payload,  # type: ignore[arg-type]
                    headers=own,
                    timeout=timeout,
                    allow_redirects=False,
                    verify=verify,
                )
        except ValueError:
            # requests parses the target of a redirect even if it does not follow it.
            raise OutcomeUnknown(f"the answer of {self.address} could not be read") from None
        received = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, received, response.content)

    def close(self) -> None:
        """Nothing: each request has a connection of its own, an hour after the one before."""


def _bare(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class OAuthLogin(Login):
    """An OAuth client of a service account, by the grant of client credentials; one for all clients of a tracker, whose threads share its token.

    Atlassian documents it for Cloud ("Create OAuth 2.0 credential for service accounts", support.atlassian.com) and for Data Center ("Service
    accounts overview", confluence.atlassian.com). Raises Unavailable, Throttled or Misconfigured; in no case was anything sent but the
    request for a token.
    """

    renews = True

    def __init__(
        self, name: str, settings: JiraSettings, client: OAuthSettings, clock: Clock, sleep: Callable[[float], None]
    ) -> None:
        super().__init__(f"trackers.{name}.oauth.secret", settings)
        self._name, self._client, self._clock = name, client, clock
        self._endpoint = _Endpoint(name, settings, clock, sleep)
        self._tokens = Tokens(clock, self._fetch, self._endpoint.close)

    def prepare(self) -> None:
        self._tokens.get(once=True)

    def token(self) -> str:
        return self._tokens.get()

    def options(self, token: str) -> Mapping[str, object]:
        return {"token_auth": token}

    def refuse(self, token: str) -> None:
        self._tokens.refuse(token)

    def release(self) -> None:
        """Nothing: the token stays good for the next connection."""

    def describe(self) -> Sequence[str]:
        self.token()
        return (f"the OAuth client {self._client.id} gets tokens at {self._endpoint.address}",)

    @property
    def renewal(self) -> str:
        return f"syncd had fetched it for the OAuth client {self._client.id}; {super().renewal}"

    def _fetch(self) -> Fetched[str]:
        secret = transport.token(self._key, self._client.secret)
        self.reads += 1
        form = {"grant_type": "client_credentials", "client_id": self._client.id, "client_secret": secret}
        scope = self._settings.oauth_scope
        if scope is not None:
            form["scope"] = scope
        reading = self._clock.reading()
        try:
            answer = self._endpoint.send_idempotent("POST", "", form)
        except Unavailable as error:
            raise without_token(error, "the OAuth client") from None
        grant = answer.read(_Grant) if answer.ok else None
        if grant is None:
            raise self._meaning(answer, secret)
        seconds = grant.expires_in if 0 < grant.expires_in <= HOUR else HOUR
        return Fetched(grant.access_token, reading, seconds)

    def _meaning(self, answer: Answer, secret: str) -> TrackerError:
        """The meaning of an answer without a token, which may repeat what was sent."""
        refusal = answer.read(_Refusal) or _Refusal()
        detail = ": ".join(filter(None, (refusal.error, refusal.error_description))).replace(secret, "…")
        detail = one_line(detail, _DETAIL_CHARACTERS)
        detail = f": {detail}" if detail else ""
        place = f"trackers.{self._name}.oauth"
        if refusal.error == "invalid_scope":
            return Misconfigured(
                f"{self._endpoint.address} gives the OAuth client {self._client.id} no token with the scope "
                f"{self._settings.oauth_scope!r} ({answer.status}{detail}): correct {place}.scope, or grant it to the service account",
                login=True,
            )
        if refusal.error in _CLIENT_ERRORS or answer.status in (401, 403):
            return Misconfigured(
                f"{self._endpoint.address} does not accept the OAuth client ({answer.status}{detail}): {place}.secret is not a secret of "
                f'{place}.id = "{self._client.id}", or it was revoked; {super().renewal}',
                login=True,
            )
        if answer.redirects or (400 <= answer.status < 500 and answer.status not in (408, 409, 421, 425, 429)):
            return Misconfigured(
                f"what answers at {self._endpoint.address} gives out no tokens ({answer.status}{detail}): correct {place}.url, or "
                f"trackers.{self._name}.url",
                login=True,
            )
        return without_token(failure(answer, Sent.READ), "the OAuth client")


# A token is fetched once for all threads of a tracker, each of which has a client of its own.
_shared: WeakValueDictionary[tuple[object, ...], OAuthLogin] = WeakValueDictionary()
_shared_lock = threading.Lock()


def login_of(name: str, settings: JiraSettings, clock: Clock, sleep: Callable[[float], None]) -> Login:
    """The login of a client: its own for a token; for an OAuth client that of all clients with the same clock, which are those of one process."""
    client = settings.oauth
    if client is None:
        return Login(f"trackers.{name}.token", settings)
    place = (id(clock), name, settings.token_url, client.model_dump_json())
    with _shared_lock:
        login = _shared.get(place)
        if login is None:
            login = _shared[place] = OAuthLogin(name, settings, client, clock, sleep)
        return login
