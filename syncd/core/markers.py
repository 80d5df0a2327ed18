"""The texts by which syncd recognises what it wrote. Nobody can make one up without the key of the store."""

import hmac
from collections.abc import Sequence

from syncd.model import Group, Occasion

INSTANCE_DIGITS = 6


def of_issue(instance_key: str, tracker: str, group: Group, generation: int = 0) -> str:
    """The marker of a group's issue: 32 hex digits, from the key (hex) of the store. The first of them are the `instance` of the store for
    this tracker.

    `generation` counts the group's retired issues, so that a retired one is never taken for the current one.
    """
    identity = group.identity
    parts = [tracker, identity.universe, identity.project, identity.fingerprint_key]
    digest = _digest(instance_key, [*parts, str(generation)] if generation else parts)
    name = instance(instance_key, tracker)
    return f"{name}{digest[len(name) :]}"


def of_comment(instance_key: str, issue_marker: str, occasion: Occasion, subject: str) -> str:
    """The marker of the comment for one announcement."""
    return _digest(instance_key, [issue_marker, occasion, subject])


def instance(instance_key: str, tracker: str) -> str:
    """The digits that all markers of a store for one tracker begin with, and those of its copies, but of no other store or tracker: two
    trackers may lead to one repository."""
    return _digest(instance_key, ["instance", tracker])[:INSTANCE_DIGITS]


def _digest(instance_key: str, parts: Sequence[str]) -> str:
    return hmac.digest(bytes.fromhex(instance_key), "\0".join(parts).encode(), "sha256").hex()[:32]
