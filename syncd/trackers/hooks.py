"""What a tracker's webhook reports, without the library of the tracker: the receiver loads this module and one reader for each kind."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, TypeVar, cast

import msgspec

Headers = Mapping[bytes, bytes]  # names in lower case

# msgspec raises these about bytes that are not JSON, not of the expected shape, not UTF-8, or nested too deep.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ID_LENGTH = 200  # of a delivery's id, of which senders use 36

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


class Reader(Protocol):
    """How the hooks of one kind of tracker are read: a module. HOME is the fact of a tracker's notebook that has its repository, empty where
    issues have ids of their own."""

    HOME: str

    def signature(self, headers: Headers) -> bytes:
        """Return the SHA-256 in hex with which a report is signed, empty without one."""

    def delivery(self, headers: Headers) -> bytes:
        """Return the id of a delivery, which its repetitions share, empty without one."""

    def read(self, headers: Headers, body: bytes) -> Report | None:
        """Return the report of an authentic body; None if that is not JSON."""


def reader(kind: str) -> Reader:
    """Return the reader of a kind of tracker."""
    return cast(Reader, import_module(f"syncd.trackers.{kind}.hook"))


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
