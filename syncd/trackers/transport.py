"""The way below the tracker libraries: what they need to connect, and what it means when HTTP fails.

The one place that knows the errors of requests and urllib3.
"""

import ssl
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import requests
from requests.exceptions import InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_random,
)
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
)

from syncd.config import Secret
from syncd.errors import ConfigError, Misconfigured, OutcomeUnknown, TrackerError, Unavailable

T = TypeVar("T")

_TRIES = 3
_TRYING_SECONDS = 10.0


def token(key: str, secret: Secret) -> str:
    """The token kept at `secret`. Raises Misconfigured naming `key` where it cannot be read or sent."""
    try:
        value = secret.read().get_secret_value()
    except ConfigError as error:
        raise Misconfigured(f"{key}: {error}") from None
    # Anything else fails inside http.client, with an error that holds the token.
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise Misconfigured(f"{key}: the secret holds characters that no token has")
    return value


def trust(key: str, ca_file: str | None) -> str | bool:
    """Whom to trust, as requests takes it. Raises Misconfigured where the file, named by `key`, is no use."""
    if ca_file is None:
        return True
    try:
        # requests says the same with a bare OSError, or later with what looks like a broken connection.
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = error.strerror or "unreadable"
        raise Misconfigured(f"{key}: {ca_file} holds no certificates ({why})") from None
    return ca_file


def again(call: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """The answer of `call`, which may be repeated without harm: up to three tries within about ten seconds.

    Raises Unavailable where `call` raised that or OutcomeUnknown to the last, and all other errors at once.
    A wait that the tracker itself asked for is left to whoever called.
    """
    tries = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and error.retry_after is None),
        stop=stop_after_attempt(_TRIES) | stop_before_delay(_TRYING_SECONDS),
        wait=wait_exponential(multiplier=0.5, max=4.0) + wait_random(0, 0.5),
        sleep=sleep,
        reraise=True,
    )
    answer: T = tries(_harmless, call)
    return answer


def _harmless(call: Callable[[], T]) -> T:
    try:
        return call()
    except OutcomeUnknown as error:
        raise Unavailable(error.reason) from None


def send(host: str, call: Callable[[], T]) -> T:
    """The answer of `call`, which sends one request.

    Raises Unavailable or Misconfigured when it was certainly never sent, OutcomeUnknown otherwise; never the
    library's own error, whose text can hold cookies and payloads.
    """
    try:
        return call()
    except (requests.RequestException, HTTPError) as error:  # requests lets some of urllib3's own through
        raise _meaning(host, error) from None


def _meaning(host: str, error: requests.RequestException | HTTPError) -> TrackerError:
    # Only what fails before the first byte leaves is "never sent". Any other SSL error can happen in the
    # middle of an answer, and a reset says nothing about which side of the commit it came from.
    if isinstance(error, InvalidURL | InvalidHeader | InvalidSchema | MissingSchema | LocationValueError):
        return Misconfigured(f"no request can be made to {host}: its address or a proxy's is not valid")
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unavailable(f"the certificate of {host} was not accepted: {cause.verify_message}")
        if isinstance(cause, NameResolutionError):
            return Unavailable(f"a name could not be resolved on the way to {host}")
        if isinstance(cause, NewConnectionError | ConnectTimeoutError):
            return Unavailable(f"no connection to {host}")
        if isinstance(cause, OSError) and str(cause).startswith("Tunnel connection failed"):
            return Unavailable(f"the proxy does not connect to {host}")
    if isinstance(error, requests.Timeout):
        return OutcomeUnknown(f"{host} did not answer in time")
    return OutcomeUnknown(f"the connection to {host} broke before its answer was whole")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, which requests and urllib3 keep in `args` and `reason`.

    Not `__context__`: that also holds what was being handled when the request was sent, such as the refusal
    of an earlier try, and this one would be taken for never sent as well.
    """
    yield error
    for inner in (*error.args, getattr(error, "reason", None)):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
