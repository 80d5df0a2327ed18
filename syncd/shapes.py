"""The JSON shapes of `groups` and `status`. They are a contract: extended, never broken. Pure."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from syncd.model import Issue, IssueState, Standing


class Counted(Protocol):
    """What a status counts."""

    @property
    def inbox_waiting(self) -> int: ...
    @property
    def outbox_due(self) -> int: ...
    @property
    def outbox_waiting(self) -> int: ...
    @property
    def linked(self) -> int: ...
    @property
    def in_doubt(self) -> int: ...
    @property
    def parked(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def doubles(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def dead(self) -> int: ...
    @property
    def quarantined(self) -> int: ...


class TrackerStanding(Protocol):
    """How a tracker is."""

    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def until(self) -> float | None: ...
    @property
    def cause(self) -> str | None: ...


def group(standing: Standing) -> dict[str, object]:
    """One element of `groups --json`."""
    group = standing.group
    return {
        "universe": group.identity.universe,
        "project": group.identity.project,
        "fingerprint": group.identity.fingerprint,
        "application": group.application,
        "occurrences": group.occurrences,
        "approximate": group.approximate,
        "notifications": group.notifications,
        "hosts": group.hosts,
        "users": group.users,
        "first_seen": group.first_seen,
        "last_seen": group.last_seen,
        "releases": [
            {
                "release": entry.release,
                "occurrences": entry.occurrences,
                "approximate": entry.approximate,
                "first_seen": entry.first_seen,
                "last_seen": entry.last_seen,
            }
            for entry in group.releases
        ],
        "issue": _issue(standing.issue),
        "decision": {"action": standing.decision, "reason": standing.reason},
    }


def _issue(issue: Issue | None) -> dict[str, object] | None:
    if issue is None:
        return None
    # A create whose sender is still alive is as undecided, to everyone else, as one whose sender died.
    state = IssueState.IN_DOUBT if issue.state is IssueState.INTENDED else issue.state
    return {
        "tracker": issue.tracker,
        "key": issue.key,
        "url": issue.url,
        "state": state.value,
        "doubles": issue.doubles,
    }


def status(counts: Counted, trackers: Mapping[str, TrackerStanding], configured: Iterable[str]) -> dict[str, object]:
    """`status --json`. A configured tracker that was never called is well until it says otherwise."""
    shown: dict[str, dict[str, object]] = {
        name: {"state": "ok", "reason": None, "until": None, "cause": None}
        for name in configured
        if name not in trackers
    }
    for name, tracker in trackers.items():
        shown[name] = {
            "state": tracker.state,
            "reason": tracker.reason,
            "until": tracker.until,
            "cause": tracker.cause,
        }
    return {
        "inbox": {"waiting": counts.inbox_waiting},
        "outbox": {"due": counts.outbox_due, "waiting": counts.outbox_waiting},
        "issues": {
            "linked": counts.linked,
            "in_doubt": counts.in_doubt,
            "parked": counts.parked,
            "dropped": counts.dropped,
            "doubles": counts.doubles,
        },
        "held": counts.held,
        "dead": counts.dead,
        "quarantined": counts.quarantined,
        "trackers": dict(sorted(shown.items())),
    }


class Past(Protocol):
    """One line of a group's history."""

    @property
    def at(self) -> float: ...
    @property
    def action(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def outcome(self) -> str | None: ...


def whole(standing: Standing, history: Iterable[Past]) -> dict[str, object]:
    """One element of `show --json`: that of `groups --json` and more."""
    return group(standing) | {
        "group_url": standing.group.group_url,
        "object_id": standing.group.object_id,
        "classifiers": list(standing.group.classifiers),
        "callstack": list(standing.group.callstack),
        "history": [
            {"at": past.at, "action": past.action, "reason": past.reason, "outcome": past.outcome} for past in history
        ],
    }
