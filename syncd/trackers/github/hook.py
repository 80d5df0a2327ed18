"""GitHub's webhooks, of repositories, organizations and Apps, as GitHub's documentation "Webhook events and payloads" has them."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from syncd.trackers import hooks
from syncd.trackers.hooks import Headers, Report

HOME = "repository_id"

_Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]

# Events that concern a whole repository, or all of an installation: rights, names, labels and milestones.
_WHOLE = {b"repository", b"public", b"milestone", b"label", b"installation", b"installation_repositories"}
# Changes of an issue that syncd reads nothing of. Unknown ones are a reason to look.
_INDIFFERENT = {"opened", "pinned", "unpinned"}


class _Repository(msgspec.Struct):
    id: _Number


class _Issue(msgspec.Struct):
    number: _Number
    updated_at: object = None


class _Changes(msgspec.Struct):
    """Of the issue that a transfer made: where it was."""

    old_issue: _Issue | None = None
    old_repository: _Repository | None = None


class _Payload(msgspec.Struct):
    action: str = ""
    issue: _Issue | None = None
    repository: _Repository | None = None
    changes: _Changes | None = None


def signature(headers: Headers) -> bytes:
    """X-Hub-Signature, without -256, is a SHA-1, which GitHub sends for programs of before 2021."""
    return hooks.digest_of(headers, b"x-hub-signature-256")


def is_authentic(headers: Headers, body: bytes, keys: Iterable[bytes]) -> bool:
    """The signature is an HMAC of the body."""
    return hooks.is_signed(signature(headers), body, keys)


def delivery(headers: Headers) -> bytes:
    """A delivery that is sent again by hand keeps its X-GitHub-Delivery."""
    return hooks.identifier(headers, b"x-github-delivery")


def read(headers: Headers, body: bytes) -> Report | None:
    payload = hooks.decoded(body, _Payload)
    if payload is None:
        return None
    event, home = headers.get(b"x-github-event", b""), payload.repository
    if event == b"ping":
        return Report(silence="the hook is set up; syncd has received its ping")
    if event in _WHOLE:
        return Report(whole=True, home="" if home is None else str(home.id))
    if event != b"issues":
        return Report(silence="it is about no issue; of all events syncd needs only Issues")
    issue, changes = payload.issue, payload.changes
    if issue is not None and home is not None and payload.action not in _INDIFFERENT:
        return Report(issues=(f"{home.id}/{issue.number}",), changed_at=hooks.moment(issue.updated_at))
    if changes is not None and changes.old_issue is not None and changes.old_repository is not None:
        # The issue that a transfer made: it was at its old place until now.
        return Report(issues=(f"{changes.old_repository.id}/{changes.old_issue.number}",))
    return Report(silence="syncd reads nothing of what has changed")
