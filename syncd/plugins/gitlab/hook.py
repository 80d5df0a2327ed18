"""GitLab's webhooks, of projects and groups, as its documentation "Webhooks" and "Webhook events" has them."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec

from syncd.plugin import Headers, Report, hooks

HOME = "project_id"

_Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]

# Tasks and incidents are work items as well; GitLab calls them by either name.
_ISSUES = {"issue", "work_item", "incident", "task"}
_SECRET_PREFIX = b"whsec_"


class _Project(msgspec.Struct):
    id: _Number | None = None


class _Attributes(msgspec.Struct):
    iid: _Number | None = None
    project_id: _Number | None = None
    action: str | None = None
    updated_at: object = None


class _Payload(msgspec.Struct):
    object_kind: str = ""
    project: _Project | None = None
    object_attributes: _Attributes | None = None


def signature(headers: Headers) -> bytes:
    """The signature of the signing token, or the secret token itself, which signs nothing."""
    return headers.get(b"webhook-signature", b"").strip() or headers.get(b"x-gitlab-token", b"").strip()


def is_authentic(headers: Headers, body: bytes, keys: Iterable[bytes]) -> bool:
    """A report with a signature counts by its signature alone: its token may be anybody's.

    The age of a report is not judged: a report that came before leads to nothing, and an old one to a look at most.
    """
    signatures = headers.get(b"webhook-signature")
    if signatures is None:
        token = headers.get(b"x-gitlab-token", b"").strip()
        return any([hmac.compare_digest(token, key) for key in keys])
    signed = b".".join((headers.get(b"webhook-id", b""), headers.get(b"webhook-timestamp", b""), body))
    given = [each.removeprefix(b"v1,") for each in signatures.split() if each.startswith(b"v1,")]
    made = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)) for key in keys for secret in _secrets(key)]
    return any([hmac.compare_digest(each, digest) for each in given for digest in made])


def _secrets(key: bytes) -> Iterator[bytes]:
    """A signing token as it is, and as Standard Webhooks reads it: base64 behind a prefix."""
    yield key
    if key.startswith(_SECRET_PREFIX):
        try:
            yield base64.b64decode(key.removeprefix(_SECRET_PREFIX), validate=True)
        except binascii.Error:
            return


def delivery(headers: Headers) -> bytes:
    """The same over all tries of one delivery."""
    return hooks.identifier(headers, b"webhook-id") or hooks.identifier(headers, b"idempotency-key")


def read(headers: Headers, body: bytes) -> Report | None:  # noqa: ARG001 - the body names its event
    payload = hooks.decoded(body, _Payload)
    if payload is None:
        return None
    attributes, home = payload.object_attributes or _Attributes(), (payload.project or _Project()).id
    home = home or attributes.project_id
    if payload.object_kind == "milestone":
        return Report(whole=True, home=str(home or ""))
    if payload.object_kind not in _ISSUES:
        return Report(silence="it is about no issue; of all triggers syncd needs those of issues and milestones")
    if attributes.iid is None or home is None:
        return Report(silence="it names no issue")
    if attributes.action == "open":
        return Report(silence="syncd reads nothing of what has changed")
    return Report(issues=(f"{home}/{attributes.iid}",), changed_at=hooks.moment(attributes.updated_at))
