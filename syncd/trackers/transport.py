"""One HTTP request to a tracker: its answer, its failures, and how often it is sent.

The one module that knows the errors of requests and urllib3. The meaning of an answer belongs to each tracker.
"""

import re
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
from requests.exceptions import InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from tenacity import Retrying, retry_if_exception, wait_exponential, wait_random
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
)

from syncd.config import Secret
from syncd.errors import ConfigError, Misconfigured, OutcomeUnknown, Throttled, TrackerError, Unavailable
from syncd.platform import access
from syncd.platform.clock import Clock

T = TypeVar("T")

Parameters = Mapping[str, str | int]

# Routers drop connections that were silent for longer and notify neither end. The next request would be lost on the way, and a
# create would be in doubt.
IDLE_SECONDS = 30.0

_LONGEST_PAUSE_SECONDS = 86400.0
_ATTEMPTS = 3
_ATTEMPTS_SECONDS = 10.0

# msgspec inspects a type when it first decodes it, and runs Python code meanwhile. Two threads that do so with the same types at the
# same time crashed the interpreter (msgspec 0.22.0, Python 3.11: `msgspec.json.decode(type=…)` in each of them).
_decoders_lock = threading.Lock()
_decoders: dict[object, msgspec.json.Decoder[Any]] = {}


class Sent(StrEnum):
    """The effect of sending the same request a second time."""

    ONCE = "once"  # another issue or comment
    AGAIN = "again"  # none
    READ = "read"  # none; nor has a read any content that could be refused for good


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer. Header names are in lower case. Headers and body do not show in a repr: they can hold secrets."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    # The key of the secret that the request was sent with, where it comes from, and how to replace it.
    renewal: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def redirects(self) -> bool:
        return self.status in (301, 302, 303, 307, 308)

    @property
    def is_page(self) -> bool:
        """True for a body that a server makes for people: HTML, whatever its headers say."""
        is_markup = self.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        return is_markup or "html" in self.headers.get("content-type", "")

    @property
    def json(self) -> Any:
        """The JSON value of the body; None for an empty or truncated body and for a proxy's HTML page."""
        return self.read(object)

    @property
    def date(self) -> float | None:
        """The server's time, in epoch seconds; None where it did not send one."""
        try:
            then = parsedate_to_datetime(self.headers.get("date", ""))
            return then.replace(tzinfo=then.tzinfo or UTC).timestamp()
        except (ValueError, OverflowError):
            return None

    def read(self, shape: type[T]) -> T | None:
        """The body as `shape`; None where it is anything else."""
        try:
            return decode(self.body, shape)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    def digits(self, header: str) -> float | None:
        """A header that is a whole number."""
        value = self.headers.get(header, "").strip()
        return float(value) if re.fullmatch(r"[0-9]{1,12}", value) else None


def bounded(seconds: float) -> float:
    """A pause that a tracker asked for, between a second and a day."""
    return min(max(seconds, 1.0), _LONGEST_PAUSE_SECONDS)


def bookmark_of(text: str | None, empty: T) -> T:
    """The bookmark that a survey left, in the type of `empty`; `empty` where there is none or an earlier program wrote it otherwise."""
    try:
        return empty if text is None else msgspec.json.decode(text, type=type(empty))
    except msgspec.MsgspecError:
        return empty


def decode(body: bytes | msgspec.Raw, shape: type[T]) -> T:
    """The body as `shape`; safe in any thread. Raises msgspec.MsgspecError, ValueError, RecursionError."""
    with _decoders_lock:
        decoder = _decoders.get(shape)
        if decoder is None:
            decoder = _decoders[shape] = msgspec.json.Decoder(shape)
    return cast(T, decoder.decode(body))


def ends_connection(status: int) -> bool:
    """True if the next request needs a new connection: it reads the token's file again after a 401, in case the token was replaced; and the final
    answer, which follows one below 200, does not pass for its own."""
    return status == 401 or status < 200


class Renewal(Protocol):
    """The login of a connection, as far as requests are sent again for it."""

    @property
    def renews(self) -> bool:
        """True if another credential can be had after a 401."""

    def prepare(self) -> None:
        """Get a credential that outlasts a request which must not be sent twice. Raises Unavailable, Throttled, Misconfigured."""


class Fixed:
    """A login that no other one can replace."""

    renews = False

    def prepare(self) -> None:
        """Nothing."""


class Connection(ABC):
    """One client's requests to one server, whose API is at `base`. `failure` gives the meaning of an answer without the wanted result;
    `sleep` waits the seconds between two attempts. `logins` counts how often a secret was read: another account may be behind it each time."""

    logins = 0
    login: Renewal = Fixed()

    def __init__(
        self, base: str, failure: Callable[[Answer, Sent], TrackerError], clock: Clock, sleep: Callable[[float], None]
    ) -> None:
        self._base = base.rstrip("/")
        self._failure = failure
        self._clock = clock
        self._sleep = sleep

    @abstractmethod
    def send_once(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send exactly one request and return its answer, whatever the status. Follows no redirect.

        Raises Unavailable when it was never sent, OutcomeUnknown when that is not known, and Misconfigured.
        """

    def send_idempotent(
        self,
        method: str,
        path: str,
        payload: object = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request that does no harm twice: up to three attempts within about ten seconds, and as many after a 401 to a credential
        that can be replaced.

        Returns any answer that is not transient; a 2xx other than 204 is JSON. Raises like `send_once`, but Unavailable for
        OutcomeUnknown. A wait that the tracker itself asked for is left to the caller.
        """
        answer = self._send_patiently(method, path, payload, parameters, headers)
        if answer.status == 401 and self.login.renews:
            answer = self._send_patiently(method, path, payload, parameters, headers)
        return answer

    def send_write(
        self, method: str, path: str, payload: object, require_fresh: Callable[[], None] = lambda: None
    ) -> Answer:
        """Log in, call `require_fresh`, and send a request that must not be carried out twice. Another one follows only a 401, which proves that the first
        one did nothing, and only with another credential. Raises like `send_once`."""
        self.login.prepare()
        require_fresh()
        answer = self.send_once(method, path, payload)
        if answer.status == 401 and self.login.renews:
            self.login.prepare()
            require_fresh()
            answer = self.send_once(method, path, payload)
        return answer

    def _send_patiently(
        self,
        method: str,
        path: str,
        payload: object,
        parameters: Parameters | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        began = self._clock.monotonic()
        attempts = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and error.retry_after is None),
            stop=lambda state: (
                state.attempt_number >= _ATTEMPTS
                or self._clock.monotonic() - began + state.upcoming_sleep >= _ATTEMPTS_SECONDS
            ),
            wait=wait_exponential(multiplier=0.5, max=4.0) + wait_random(0, 0.5),
            sleep=self._sleep,
            reraise=True,
        )
        for attempt in attempts:
            with attempt:
                try:
                    answer = self.send_once(method, path, payload, parameters, headers)
                except OutcomeUnknown as error:
                    raise Unavailable(error.reason) from None
                unreadable = answer.ok and answer.status != 204 and answer.json is None
                # The same request may get another answer a moment later.
                transient = answer.status >= 500 or answer.status < 200 or answer.status in (408, 409, 421, 425)
                if unreadable or transient:
                    raise self._failure(answer, Sent.AGAIN)
                return answer
        raise AssertionError("the last attempt returns or raises")

    @property
    def address(self) -> str:
        """Host and port of the server; an address of the configuration that is none stays as it is."""
        try:
            parts = urlsplit(self._base)
            host, port = parts.hostname, parts.port
        except ValueError:
            return self._base
        bare = f"[{host}]" if host and ":" in host else host or ""
        return f"{bare}:{port or (443 if parts.scheme == 'https' else 80)}"

    def ping(self, path: str, recognises: Callable[[Answer], bool]) -> None:
        """Send one GET. Returns for an answer that `recognises` knows as that of the API, and for any refusal. Raises Unavailable without an
        answer, after a 5xx, and for the answer of something else that stands in the way: a proxy, a login; Throttled; Misconfigured where
        no request can be made."""
        try:
            answer = self.send_once("GET", path)
        except OutcomeUnknown as error:
            raise Unavailable(error.reason) from None
        meaning = None if answer.ok and recognises(answer) else self._failure(answer, Sent.READ)
        if isinstance(meaning, Throttled):
            raise meaning
        target = urljoin(f"{self._base}/", answer.headers.get("location", ""))
        # The API itself redirects to what was renamed.
        elsewhere = answer.redirects and answer.json is None and not target.startswith(f"{self._base}/")
        # A server of the tracker itself may refuse a login by a page.
        is_other = answer.is_page and 400 <= answer.status < 500 and answer.status not in (401, 403)
        if elsewhere or is_other or (answer.ok and meaning is not None):
            place = f", which redirects to {urlsplit(target).netloc}" if elsewhere else ""
            what = "a web page" if answer.json is None else "something else"
            raise Unavailable(f"{what} at {self.address} answers instead of the tracker's API ({answer.status}{place})")
        if meaning is not None and (not 200 <= answer.status < 500 or answer.status in (407, 408)):
            after = meaning.retry_after if isinstance(meaning, Unavailable) else None
            raise Unavailable(f"{self.address} answers {answer.status}: {meaning.reason}", after)

    @abstractmethod
    def close(self) -> None:
        """Release the connections; the next request opens new ones."""


def token(key: str, secret: Secret) -> str:
    """The token that `secret` holds. Raises Misconfigured naming `key` where it cannot be read or sent."""
    try:
        value = secret.read(key).get_secret_value()
    except ConfigError as error:
        raise Misconfigured(str(error), login=True) from None
    # Anything else fails inside http.client, with an error that holds the token.
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise Misconfigured(f"{key}: the secret holds characters that no token has", login=True)
    return value


def trust(key: str, ca_file: str | None) -> str | bool:
    """The certificates to trust, as requests takes them. Raises Misconfigured naming `key` where the file cannot be used."""
    if ca_file is None:
        return True
    try:
        # requests reports this by a bare OSError, or later by what looks like a broken connection.
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = access.obstacle(Path(ca_file)) or error.strerror or "unreadable"
        raise Misconfigured(f"{key}: {ca_file} holds no certificates ({why})") from None
    return ca_file


@contextmanager
def explained(host: str) -> Iterator[None]:
    """Replace an error of requests or urllib3 while one request is sent.

    Raises Unavailable or Misconfigured when the request was certainly never sent, OutcomeUnknown otherwise. The library's own
    error never leaves: its text can hold cookies and payloads.
    """
    try:
        yield
    except (requests.RequestException, HTTPError) as error:  # requests lets some of urllib3's errors through
        raise _meaning(host, error) from None


def _meaning(host: str, error: requests.RequestException | HTTPError) -> TrackerError:
    # Only a failure before the first byte leaves means "never sent". Any other SSL error can happen in the middle of an answer,
    # and a reset does not tell on which side of the commit it happened.
    if isinstance(error, InvalidURL | InvalidHeader | InvalidSchema | MissingSchema | LocationValueError):
        return Misconfigured(f"no request can be made to {host}: its address or a proxy's is not valid")
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unavailable(f"the certificate of {host} was not accepted: {cause.verify_message}")
        if isinstance(cause, NameResolutionError):
            return Unavailable(f"a name could not be resolved on the way to {host}")
        if isinstance(cause, NewConnectionError | ConnectTimeoutError):
            why = "it timed out" if isinstance(cause, ConnectTimeoutError) else "it failed"
            if isinstance(cause.__cause__, OSError) and cause.__cause__.strerror:
                why = cause.__cause__.strerror.lower()
            return Unavailable(f"no connection to {host}: {why}")
        if isinstance(cause, OSError) and str(cause).startswith("Tunnel connection failed"):
            return Unavailable(f"the proxy does not connect to {host}")
    if isinstance(error, requests.Timeout):
        return OutcomeUnknown(f"{host} did not answer in time")
    return OutcomeUnknown(f"the connection to {host} broke before its answer was whole")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and the errors that it wraps, which requests and urllib3 keep in `args` and `reason`.

    Not `__context__`: it also holds whatever was being handled when the request was sent, such as the refusal of an earlier
    attempt, and this one would count as never sent as well.
    """
    yield error
    for inner in (*error.args, getattr(error, "reason", None)):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
