"""How a sender shows that it knows the secret of its source. Every comparison takes the same time, however much of it matches."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress

from syncd.config import Source
from syncd.config.values import Logins, RotatingSecrets
from syncd.errors import ConfigError

LEAST_PATH_SECRET = 16  # characters: whoever guesses a shorter one could file issues
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3

ENCODED_SECRET = b"whsec_"  # begins a secret that is written in base64 (standardwebhooks.com)
MOST_SIGNATURES = 8  # of one delivery
_PIECES = re.compile(r"([^{}]*)(?:\{([^{}]*)\}|\Z)")  # fixed text, and what stands behind it

HeaderMap = Mapping[bytes, bytes]


class SourceLogin:
    """The login of one source. Raises ConfigError if a secret cannot be read, or cannot be part of an address that has it."""

    def __init__(self, name: str, settings: Source) -> None:
        self._settings = settings
        secrets = {
            f"sources.{name}.secret": settings.secret,
            f"sources.{name}.previous_secret": settings.previous_secret,
        }
        self._logins = Logins(settings.username, secrets) if settings.login == "basic" else None
        self._secrets = RotatingSecrets(secrets)
        self.required = self._secrets.required
        for secret in self._secrets.values(0.0):
            if settings.login == "hmac" and secret.startswith(ENCODED_SECRET) and _key(secret) == secret:
                raise ConfigError(
                    [f"sources.{name}.secret: what follows whsec_ is not base64; copy it whole from the sender"]
                )
            if settings.login == "path":
                text = secret.decode()
                if len(text) < LEAST_PATH_SECRET or not set(text) <= _UNRESERVED:
                    raise ConfigError(
                        [
                            f"sources.{name}.secret: it is part of an address and needs at least {LEAST_PATH_SECRET} letters, digits, - . _ or ~; "
                            "make one with `openssl rand -hex 16`"
                        ]
                    )

    @property
    def challenge(self) -> bytes:
        """What a refusal says of the login that is needed (RFC 9110, 11.6.1)."""
        return {"basic": b'Basic realm="syncd"', "bearer": b'Bearer realm="syncd"'}.get(
            self._settings.login, b'Signature realm="syncd"'
        )

    @property
    def expected(self) -> str:
        """What a request needs, for the person who set up the sender."""
        settings = self._settings
        return {
            "basic": "user name and password are not those of the source",
            "bearer": "the header Authorization has not the source's bearer token",
            "header": f"the header {settings.header} has not the source's secret",
            "hmac": f"the header {settings.header} has no signature by the source's secret over this body",
            "path": "the address does not end with the source's secret",
        }[settings.login]

    def opens(self, headers: HeaderMap, secret_in_path: str, now: float) -> bool:
        """True if the request may go on to its body: its secret is right, or its signature, which covers the body, is there. `now` is a steady
        time."""
        settings = self._settings
        if not self.required:
            return True
        if self._logins is not None:
            return self._logins.accept(headers.get(b"authorization", b""), now)
        if settings.login == "hmac":
            return self._header(headers) != b""
        sent = self._header(headers) if settings.login == "header" else secret_in_path.encode("utf-8", "replace")
        if settings.login == "bearer":
            scheme, _, sent = headers.get(b"authorization", b"").partition(b" ")
            sent = sent.strip() if scheme.lower() == b"bearer" else b""
        return _among(sent, self._secrets.values(now))

    def signs(self, headers: HeaderMap, body: bytes, now: float, wall: float) -> bool:
        """True if the body has the signature that its login asks for. `wall` is the time of day, to which a signed time is compared."""
        settings = self._settings
        if not self.required or settings.login != "hmac":
            return True
        if settings.timestamp_header is not None:
            timestamp = _header(headers, settings.timestamp_header)
            if not timestamp.isdigit() or len(timestamp) > 12 or abs(int(timestamp) - wall) > settings.tolerance:
                return False
        prefix, signed = settings.prefix.encode(), sign_input(settings, headers, body)
        # While a sender rotates its secret, it may sign with both: Standard Webhooks separates signatures by spaces.
        sent = [
            each.removeprefix(prefix)
            for each in self._header(headers).split()[:MOST_SIGNATURES]
            if each.startswith(prefix)
        ]
        if settings.encoding == "hex":
            sent = [each.lower() for each in sent]
        signatures = [signature(settings, secret, signed) for secret in self._secrets.values(now)]
        return any([_among(each, signatures) for each in sent])

    def _header(self, headers: HeaderMap) -> bytes:
        return _header(headers, self._settings.header or "")


def _header(headers: HeaderMap, name: str) -> bytes:
    return headers.get(name.lower().encode(), b"")


def sign_input(settings: Source, headers: HeaderMap, body: bytes) -> bytes:
    """Return the bytes that are signed."""
    pieces = []
    for fixed, name in _PIECES.findall(settings.signed):
        header = settings.timestamp_header if name == "timestamp" else name.removeprefix("header:")
        pieces += [fixed.encode(), body if name == "body" else _header(headers, header or "")]
    return b"".join(pieces)


def signature(settings: Source, secret: bytes, signed: bytes) -> bytes:
    """Return the signature of bytes, without a prefix."""
    digest = hmac.digest(_key(secret), signed, "sha256")
    return digest.hex().encode() if settings.encoding == "hex" else base64.b64encode(digest)


def _key(secret: bytes) -> bytes:
    """The key of a secret, which Standard Webhooks writes in base64 behind `whsec_`."""
    with suppress(binascii.Error):
        if secret.startswith(ENCODED_SECRET):
            return base64.b64decode(secret.removeprefix(ENCODED_SECRET), validate=True)
    return secret


def _among(sent: bytes, expected: list[bytes]) -> bool:
    """True if the bytes are one of those expected. Digests have one length, and every one is compared."""
    digest = hashlib.sha256(sent).digest()
    return any([hmac.compare_digest(digest, hashlib.sha256(secret).digest()) for secret in expected])
