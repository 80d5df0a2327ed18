"""Who syncd is to GitHub: the credential that its requests carry."""

from collections.abc import Sequence

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from github import Auth

from syncd.config import Secret
from syncd.errors import ConfigError, Misconfigured
from syncd.platform.clock import Clock
from syncd.trackers import transport

# GitHub's documentation: at most ten minutes between both, and the first a minute in the past, against clocks that differ.
_ISSUED_SECONDS, _SIGNED_SECONDS = -60, 300


class Login:
    """The credential of requests, from the secret with the key `key`.

    `renews`: after a 401 another credential can be had. `reads` counts how often a secret was read that says which account it is. The account
    is at `account_path`, and has the name `account_login`, which is empty where only GitHub knows it.
    """

    renews = False
    reads = 1

    def __init__(self, key: str, secret: Secret) -> None:
        self._key, self._secret = key, secret
        self._auth: Auth.Auth | None = None

    def prepare(self) -> None:
        """Get a credential that outlasts a request which must not be sent twice. Raises as `auth` does."""
        self.auth()

    def auth(self) -> Auth.Auth:
        """A credential that lasts longer than a call takes; the same until `refuse` or `release`, or until it is replaced. Raises Unavailable,
        Throttled, Misconfigured."""
        self._auth = self._auth or self._read()
        return self._auth

    def _read(self) -> Auth.Auth:
        """The credential that the secret gives now. Raises Misconfigured."""
        raise NotImplementedError

    def refuse(self, auth: Auth.Auth) -> None:
        """Do not return this one again: GitHub does not accept it."""
        self._auth = None if self._auth is auth else self._auth

    def release(self) -> None:
        """Read the secret anew for the next connection."""
        self._auth = None

    def require_access(self) -> None:
        """Raise Misconfigured where it can be read why the login has no access to the repository."""

    def describe(self) -> Sequence[str]:
        """Sentences about the login for `check`, beyond the name of its account. Raises TrackerError."""
        return ()

    @property
    def account_path(self) -> str:
        return "/user"

    @property
    def account_login(self) -> str:
        return ""

    @property
    def renewal(self) -> str:
        """Where the secret comes from, and how to replace it."""
        return self._secret.renewal(self._key)


class TokenLogin(Login):
    """A personal access token, or another one that somebody else makes. One for each client."""

    reads = 0

    def _read(self) -> Auth.Auth:
        auth = Auth.Token(transport.token(self._key, self._secret))
        self.reads += 1
        return auth


class KeyLogin(Login):
    """An App itself, by signatures of its private key. `offset` is how far GitHub's clock is ahead of this machine's."""

    def __init__(self, key: str, secret: Secret, app_id: str, clock: Clock) -> None:
        super().__init__(key, secret)
        self._app_id, self._clock = app_id, clock
        self.offset = 0.0

    def _read(self) -> Auth.Auth:
        try:
            pem = self._secret.read(self._key).get_secret_value()
        except ConfigError as error:
            raise Misconfigured(str(error), login=True) from None
        pem = pem if "\n" in pem else pem.replace("\\n", "\n")  # as environment variables often have it
        now = int(self._clock.wall() + self.offset)
        claims = {"iat": now + _ISSUED_SECONDS, "exp": now + _SIGNED_SECONDS, "iss": self._app_id}
        try:
            return Auth.AppAuthToken(jwt.encode(claims, pem, algorithm="RS256"))
        except (jwt.PyJWTError, UnsupportedAlgorithm, AttributeError, TypeError, ValueError):
            # The libraries' own words may repeat a part of the key.
            fault = "is encrypted" if "ENCRYPTED" in pem else "is no private key of an App"
        remedy = (
            "a PEM file that begins with -----BEGIN RSA PRIVATE KEY-----, as the App's page gives it under Private keys"
        )
        raise Misconfigured(f"{self._key}: what the secret holds {fault}; it must be {remedy}", login=True)
