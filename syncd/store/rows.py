"""Rows to nouns and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from syncd.model import Group, Identity, Issue, IssueState, Release


def group_of(row: Mapping[str, Any], releases: list[dict[str, Any]]) -> Group:
    """A group from its row and its releases' rows."""
    return Group(
        identity=Identity(row["universe"], row["project"], row["fingerprint"]),
        application=row["application"],
        group_url=row["group_url"],
        callstack=tuple(json.loads(row["callstack"])),
        object_id=row["object_id"],
        classifiers=tuple(json.loads(row["classifiers"])),
        occurrences=row["occurrences"],
        approximate=bool(row["approximate"]),
        notifications=row["notifications"],
        hosts=row["hosts"],
        users=row["users"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        releases=tuple(Release(**(entry | {"approximate": bool(entry["approximate"])})) for entry in releases),
        revision=row["revision"],
    )


def group_values(group: Group) -> dict[str, object]:
    """What `save_group` takes, but the id."""
    values = {name: getattr(group, name) for name in _SAVED}
    lists = {name: json.dumps(values[name], ensure_ascii=False) for name in ("callstack", "classifiers")}
    return values | lists | {"approximate": int(group.approximate)}


_SAVED = (
    "application", "group_url", "callstack", "object_id", "classifiers", "occurrences", "notifications", "hosts",
    "users", "first_seen", "last_seen", "revision",
)  # fmt: skip


def release_values(group_id: int, release: Release) -> dict[str, object]:
    """What `save_release` takes."""
    return asdict(release) | {"group_id": group_id, "approximate": int(release.approximate)}


def issue_of(row: Mapping[str, Any]) -> Issue:
    """An issue from its row."""
    return Issue(**{name: row[name] for name in _ISSUE} | {"state": IssueState(row["state"])})


_ISSUE = (
    "tracker", "marker", "remote_id", "key", "url", "attempt", "sent_at", "floor", "comment_id", "comment_sent_at",
    "synced_revision", "synced_at", "note",
)  # fmt: skip
