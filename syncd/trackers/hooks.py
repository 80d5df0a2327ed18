"""What a tracker's webhook reports, without the library of the tracker: the receiver loads this module and one reader for each kind."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, TypeVar, cast
from urllib.parse import urlsplit

import msgspec

from syncd.config import TrackerSettings
from syncd.config.plugins import BUILT_IN, PluginError, find_plugin
from syncd.errors import TrackerError
from syncd.platform.clock import Clock
from syncd.render.text import one_line
from syncd.trackers import Finding, Notebook

Headers = Mapping[bytes, bytes]  # names in lower case

# msgspec raises these about bytes that are not JSON, not of the expected shape, not UTF-8, or nested too deep.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ID_LENGTH = 200  # of a delivery's id, of which senders use 36
_PLACE_LENGTH = 200
# What a person does about the answer to the latest delivery.
REMEDIES = {
    400: "let the webhook send JSON",
    401: "enter the secret of the hook anew in the settings of the webhook",
    404: "correct the address of the webhook: the configuration has no such hook",
    413: "raise receiver.max_body_bytes",
    415: "choose the content type application/json in the settings of the webhook",
    503: "look at the store: `syncd status`",
}

Shape = TypeVar("Shape", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A reason to look, as far as it can be read. Nothing in it is believed.

    `issues` are the places that it names: the id of an issue, or REPOSITORY_ID/NUMBER. `changed_at` is the time of the change by the tracker's clock.
    `whole`: it concerns everything in the tracker, or in the repository `home`. `silence` is why it is no reason at all, for people.
    """

    issues: tuple[str, ...] = ()
    changed_at: float | None = None
    whole: bool = False
    home: str = ""
    silence: str = ""


class SupportsClose(Protocol):
    """A connection."""

    def close(self) -> None: ...


class Reader(Protocol):
    """How the hooks of one kind of tracker are read: a module. HOME is the fact of a tracker's notebook that has its repository, empty where
    issues have ids of their own."""

    HOME: str

    def signature(self, headers: Headers) -> bytes:
        """Return what proves that a report is authentic, empty where it has nothing of the kind."""

    def is_authentic(self, headers: Headers, body: bytes, keys: Iterable[bytes]) -> bool:
        """True if that proof was made with one of these keys. The time that it takes reveals nothing of them."""

    def delivery(self, headers: Headers) -> bytes:
        """Return the id of a delivery, which its repetitions share, empty without one."""

    def read(self, headers: Headers, body: bytes) -> Report | None:
        """Return the report of an authentic body; None if that is not JSON."""


def reader(kind: str) -> Reader:
    """Return the reader of a kind of tracker. Where a plug-in cannot be used, that is one for which no report is authentic."""
    if kind in BUILT_IN:
        return cast(Reader, import_module(f"syncd.trackers.{kind}.hook"))
    with suppress(PluginError):
        return cast(Reader, find_plugin(kind).hook)
    return _Deaf()


class _Deaf:
    """The hook of a tracker whose plug-in cannot be used; `check` and the rest of the tracker say why."""

    HOME = ""

    def signature(self, headers: Headers) -> bytes:  # noqa: ARG002
        return b""

    def is_authentic(self, headers: Headers, body: bytes, keys: Iterable[bytes]) -> bool:  # noqa: ARG002
        return False

    def delivery(self, headers: Headers) -> bytes:  # noqa: ARG002
        return b""

    def read(self, headers: Headers, body: bytes) -> Report | None:  # noqa: ARG002
        return None


class CheckHook(Protocol):
    """How `check` reads what one kind of tracker has of a hook: the function of a module."""

    def __call__(
        self,
        name: str,
        settings: TrackerSettings,
        notebook: Notebook,
        hook: str,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> list[Finding]:
        """Return whether the tracker `name` has a webhook that leads to the hook, its settings, and what its last deliveries were answered.
        Reads only."""


def check_hook_of(kind: str) -> CheckHook:
    """Return the check of a kind of tracker."""
    if kind not in BUILT_IN:
        return _unread
    return cast(CheckHook, import_module(f"syncd.trackers.{kind}.check_hook").check_hook)


def _unread(*_: object, **__: object) -> list[Finding]:
    """What `check` says of the webhook of a plug-in's tracker."""
    return [
        Finding(ok=True, what="syncd does not read the webhooks of this tracker; `syncd status` has when it was heard")
    ]


def place_of(address: str, hook: str) -> str:
    """Return the address of a webhook as far as people may read it, without a secret at its end; empty where it leads elsewhere than to this
    hook."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    before, mark, ending = parts.path.replace("//", "/").rpartition(f"/hooks/{hook}")
    if not mark or not (ending + "/").startswith("/"):
        return ""
    return one_line(f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{before}{mark}", _PLACE_LENGTH)


def is_signed(signature: bytes, body: bytes, keys: Iterable[bytes]) -> bool:
    """True if one of these keys has signed the body. The time reveals neither how much of a signature fits nor which key does."""
    given = signature.lower()
    return any([hmac.compare_digest(given, hmac.new(key, body, hashlib.sha256).hexdigest().encode()) for key in keys])


def digest_of(headers: Headers, name: bytes) -> bytes:
    """Return the value of a header of the form `sha256=HEX`, empty for every other one, such as a SHA-1."""
    method, _, digest = headers.get(name, b"").strip().partition(b"=")
    return digest.strip() if method.strip().lower() == b"sha256" else b""


def identifier(headers: Headers, name: bytes) -> bytes:
    """Return the value of a header that identifies a delivery."""
    return headers.get(name, b"").strip()[:_ID_LENGTH]


def decoded(body: bytes, shape: type[Shape]) -> Shape | None:
    """Return what a body has of a shape, all of whose fields have defaults; None if it is not JSON. A field of the wrong type empties the shape."""
    try:
        return msgspec.json.decode(body, type=shape)
    except UNREADABLE:
        pass
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except UNREADABLE:
        return None
    return shape()


def moment(value: object) -> float | None:
    """Return the time of an ISO 8601 text with an offset, such as `2026-11-30T12:00:00Z`; None for anything else."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if at is None or at.tzinfo is None else at.timestamp()
    except (ValueError, OverflowError):
        return None


def read_webhooks(vendor: str, connection: SupportsClose, findings: Iterable[Finding]) -> list[Finding]:
    """The findings about the webhooks of a tracker, which are read meanwhile; a finding that they could not be read. Closes the connection."""
    with closing(connection):
        try:
            return list(findings)
        except TrackerError as error:
            what = f"whether {vendor} has a webhook for it could not be read: {error.reason}"
            return [Finding(ok=True, what=what, remedy="check again once the tracker itself passes")]
