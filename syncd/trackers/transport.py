"""What an HTTP failure below the tracker libraries means. The one place that knows requests and urllib3."""

import ssl
from collections.abc import Callable
from typing import TypeVar

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from syncd.errors import OutcomeUnknown, TrackerError, Unavailable

T = TypeVar("T")

_NEVER_SENT = (NewConnectionError, NameResolutionError, ConnectTimeoutError, ssl.SSLCertVerificationError)


def send(host: str, call: Callable[[], T]) -> T:
    """The answer of `call`, which sends one request. Raises Unavailable when it was certainly never sent and
    OutcomeUnknown otherwise; never the library's own error, whose text can hold cookies and payloads."""
    try:
        return call()
    except requests.RequestException as error:
        raise _meaning(host, error) from None


def _meaning(host: str, error: requests.RequestException) -> TrackerError:
    # Only what fails before the first byte leaves is "never sent". Any other SSL error can happen in the
    # middle of an answer, and a reset says nothing about which side of the commit it came from.
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unavailable(f"the certificate of {host} was not accepted: {cause.verify_message}")
        if isinstance(cause, NameResolutionError):
            return Unavailable(f"the name {host} could not be resolved")
        if isinstance(cause, _NEVER_SENT) or isinstance(error, requests.ConnectTimeout):
            return Unavailable(f"no connection to {host}")
    if isinstance(error, requests.Timeout):
        return OutcomeUnknown(f"{host} did not answer in time")
    return OutcomeUnknown(f"the connection to {host} broke before its answer was whole")


def _chain(error: BaseException) -> list[BaseException]:
    """The error and everything it wraps: requests and urllib3 nest causes in args, `reason` and `__cause__`."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        candidate = waiting.pop()
        if isinstance(candidate, BaseException) and candidate not in seen:
            seen.append(candidate)
            waiting += [*candidate.args, getattr(candidate, "reason", None), candidate.__cause__, candidate.__context__]
    return seen
