"""Jira's webhooks, as Atlassian's documentation "Webhooks" of the Cloud platform and "Managing webhooks" of Data Center have them."""

import re
from collections.abc import Iterable

import msgspec

from syncd.trackers import hooks
from syncd.trackers.hooks import Headers, Report

HOME = ""

# An issue of syncd's own is new to nobody, and comments and work logs change no condition.
_INDIFFERENT = re.compile(
    r"jira:issue_created|comment_\w+|worklog_\w+|jira:worklog_\w+|issue_property_\w+|attachment_\w+"
)
_WHOLE = re.compile(r"jira:version_\w+|project_\w+")
_ID = re.compile(r"[0-9]{1,18}")


class _Fields(msgspec.Struct):
    updated: object = None


class _Issue(msgspec.Struct):
    id: str | int = ""
    fields: _Fields | None = None


class _Link(msgspec.Struct, rename="camel"):
    source_issue_id: str | int = ""
    destination_issue_id: str | int = ""


class _Payload(msgspec.Struct, rename="camel"):
    webhook_event: str = ""
    issue: _Issue | None = None
    issue_link: _Link | None = None


def signature(headers: Headers) -> bytes:
    """The header has no -256 in its name, and names its method."""
    return hooks.digest_of(headers, b"x-hub-signature")


def is_authentic(headers: Headers, body: bytes, keys: Iterable[bytes]) -> bool:
    """The signature is an HMAC of the body."""
    return hooks.is_signed(signature(headers), body, keys)


def delivery(headers: Headers) -> bytes:
    """The same over all tries of one delivery; Data Center sends none."""
    return hooks.identifier(headers, b"x-atlassian-webhook-identifier")


def read(headers: Headers, body: bytes) -> Report | None:  # noqa: ARG001 - the body names its event
    payload = hooks.decoded(body, _Payload)
    if payload is None:
        return None
    event, issue, link = payload.webhook_event, payload.issue, payload.issue_link
    if _WHOLE.fullmatch(event):
        return Report(whole=True)
    if _INDIFFERENT.fullmatch(event):
        return Report(silence="syncd reads nothing of what has changed")
    named = [] if link is None else [link.source_issue_id, link.destination_issue_id]
    if issue is not None:
        named.append(issue.id)
    places = dict.fromkeys(str(each) for each in named if _ID.fullmatch(str(each)))
    if not places:
        return Report(silence="it names no issue; the hook must send issues, and must not leave out the body")
    changed_at = None if issue is None or issue.fields is None else hooks.moment(issue.fields.updated)
    return Report(issues=tuple(places), changed_at=changed_at)
