"""Values for tests: sensible defaults, and overrides by keyword."""

import hashlib
from typing import Any

from syncd.config import Route
from syncd.core.policy import Policy
from syncd.model import Group, Identity, Issue, IssueState, Notification

FINGERPRINT = "5f3ac1d29e7b40861d54be0a37c9f28e61b7d3405a9c8e2f1746d0b35e8fa921"
FIRST, LAST = 1_700_000_000, 1_700_003_600


def notification_json(**overrides: object) -> dict[str, object]:
    """A delivery's JSON. An override of `...` leaves the field out."""
    fields: dict[str, object] = {
        "universe": "acme",
        "project": "game",
        "fingerprint": FINGERPRINT,
        "application": "client",
        "href": "https://acme.sp.backtrace.io/",
        "group_url": "https://acme.sp.backtrace.io/p/game/triage",
        "callstack": ["Renderer::draw", "Loop::turn", "main"],
        "occurrences": 3,
        "object_id": "2e6",
        "timestamp": [FIRST, LAST],
        "classifiers": ["segfault"],
        "hosts": 2,
        "guids": 1,
        "attributes": {"version": [["1.2.0", 2], ["1.1.0", 1]]},
    }
    return {name: value for name, value in (fields | overrides).items() if value is not ...}


def make_notification(**overrides: Any) -> Notification:
    """A notification of a group that is told by `universe`, `project` and `fingerprint`.

    The same facts give the same digest, as they do when they come from outside."""
    identity = _identity(overrides)
    fields: dict[str, Any] = {"identity": identity, "occurrences": 1, "first": FIRST, "last": LAST} | overrides
    facts = repr(sorted(fields.items())).encode()
    return Notification(**{"digest": hashlib.blake2b(facts, digest_size=16).digest()} | fields)


def make_group(**overrides: Any) -> Group:
    """A group after its first notification, told by `universe`, `project` and `fingerprint`."""
    identity = _identity(overrides)
    fields: dict[str, Any] = {
        "occurrences": 1,
        "notifications": 1,
        "first_seen": FIRST,
        "last_seen": LAST,
        "revision": 1,
    }
    return Group(**{"identity": identity} | fields | overrides)


def _identity(overrides: dict[str, Any]) -> Identity:
    """The identity the overrides speak of, taken out of them."""
    defaults = {"universe": "acme", "project": "game", "fingerprint": FINGERPRINT}
    return Identity(**{name: overrides.pop(name, default) for name, default in defaults.items()})


def make_issue(**overrides: Any) -> Issue:
    """A linked issue that shows the first revision of its group."""
    fields: dict[str, Any] = {
        "tracker": "crashes",
        "state": IssueState.LINKED,
        "marker": "0123456789abcdef0123456789abcdef",
        "remote_id": "7001",
        "key": "#1",
        "url": "https://tracker.example/issues/1",
        "synced_revision": 1,
        "synced_at": float(LAST),
    }
    return Issue(**fields | overrides)


def make_policy(name: str = "main", **keys: Any) -> Policy:
    """A route with these keys, as in the configuration."""
    return Route.model_validate({"tracker": "crashes"} | keys).policy(name)
