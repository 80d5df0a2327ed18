"""Rows to nouns and back."""

import json
from collections.abc import Mapping
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
        refused=row["refused"],
    )


def group_values(group_id: int, group: Group) -> tuple[object, ...]:
    """What `save_groups` takes, in its order."""
    return (
        group_id,
        group.identity.universe,
        group.identity.project,
        group.identity.fingerprint,
        group.identity.fingerprint_key,
        group.application,
        group.group_url,
        json.dumps(group.callstack, ensure_ascii=False),
        group.object_id,
        json.dumps(group.classifiers, ensure_ascii=False),
        group.occurrences,
        int(group.approximate),
        group.notifications,
        group.hosts,
        group.users,
        group.first_seen,
        group.last_seen,
        group.revision,
    )


def release_values(group_id: int, release: Release) -> tuple[object, ...]:
    """What `save_releases` takes, in its order."""
    return (
        group_id,
        release.release,
        release.occurrences,
        int(release.approximate),
        release.first_seen,
        release.last_seen,
        release.since,
        release.until,
    )


def issue_of(row: Mapping[str, Any]) -> Issue:
    """An issue from its row."""
    state = IssueState(row["state"])
    if state is IssueState.PARKED and row["cause"] in ("deleted", "discarded"):
        state = IssueState.DROPPED
    return Issue(**{name: row[name] for name in _ISSUE} | {"state": state})


_ISSUE = (
    "tracker", "marker", "remote_id", "key", "url", "attempt", "sent_at", "floor", "sent_revision", "probes", "probed_since",
    "probe_at", "comment_id", "comment_sent_at", "comment_probes", "synced_revision", "synced_at", "looked_at", "doubles", "note",
)  # fmt: skip
