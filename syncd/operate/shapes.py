"""The JSON shapes of `groups`, `show`, `status` and `dead list`. They are a contract: extended, never broken. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Protocol

from syncd.core.overview import Entry, Line, Overview
from syncd.model import GroupView, Issue, IssueState, Plan


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


def group(standing: GroupView) -> dict[str, object]:
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
        "aliases": list(group.aliases),
        "follows": group.follows,
        "issue": _issue(standing.issue),
        "decision": {"action": standing.decision, "reason": standing.reason, "rule": standing.rule},
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
        "condition": _condition(issue),
    }


def _condition(issue: Issue) -> dict[str, object] | None:
    """How people left it; None before anybody looked."""
    condition = issue.condition
    if condition is None:
        return None
    return {
        "closed": condition.closed,
        "resolution": condition.resolution,
        "closed_at": condition.closed_at,
        "fixed_in": list(condition.fixed_in),
        "labels": list(condition.labels),
    }


def overview(found: Overview) -> dict[str, object]:
    """`releases PROJECT RELEASE --json`."""
    return {
        "release": found.release,
        "before": found.before,
        **{name: [_entry(entry) for entry in getattr(found, name)] for name in ("new", "regressed", "still", "gone")},
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {"occurrences_in_release": entry.occurrences} | group(entry.standing)


def tracker(standing: TrackerStanding | None) -> dict[str, object]:
    """How a tracker is, in `status --json`. One that was never called is well until it says otherwise."""
    if standing is None:
        return {"state": "ok", "reason": None, "until": None, "cause": None}
    return {"state": standing.state, "reason": standing.reason, "until": standing.until, "cause": standing.cause}


def status(
    counts: Counted, trackers: Mapping[str, TrackerStanding], writes_left: Mapping[str, int | None]
) -> dict[str, object]:
    """`status --json`. `writes_left` has every configured tracker and what is left of its budget, None where nothing limits it."""
    shown = {
        name: tracker(trackers.get(name)) | {"writes_left": writes_left.get(name)}
        for name in sorted({*trackers, *writes_left})
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
        "trackers": shown,
    }


class Stormy(Protocol):
    """A route that holds groups back."""

    @property
    def route(self) -> str: ...
    @property
    def held(self) -> int: ...
    @property
    def since(self) -> float: ...


class RoutePause(Protocol):
    """A route that an operator paused."""

    @property
    def route(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def at(self) -> float: ...


def holding(
    held: Iterable[tuple[str, str | None, int]], storms: Iterable[Stormy], pauses: Iterable[RoutePause]
) -> dict[str, object]:
    """What `status --json` tells besides: which rules hold how many groups, storms, and paused routes."""
    return {
        "held_by": [{"rule": rule, "route": route, "groups": groups} for rule, route, groups in held],
        "storms": [{"route": one.route, "held": one.held, "since": one.since} for one in storms],
        "paused_routes": [{"route": one.route, "reason": one.reason, "since": one.at} for one in pauses],
    }


SILENT_SECONDS = 30.0


class Running(Protocol):
    """A process that shares the store."""

    @property
    def owner(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def part(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def started_at(self) -> float: ...
    @property
    def beat_at(self) -> float: ...


def instances(running: Iterable[Running], now: float) -> list[dict[str, object]]:
    """The processes that share the store, in `status --json`; one that has not shown itself for SILENT_SECONDS is `silent`."""
    return [
        {
            "instance": one.owner,
            "host": one.host,
            "pid": one.pid,
            "part": one.part,
            "version": one.version,
            "since": one.started_at,
            "beat_at": one.beat_at,
            "silent": now - one.beat_at > SILENT_SECONDS,
        }
        for one in running
    ]


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
    @property
    def rule(self) -> str | None: ...
    @property
    def inputs(self) -> str | None: ...


def whole(standing: GroupView, history: Iterable[Past]) -> dict[str, object]:
    """One element of `show --json`: that of `groups --json` and more."""
    return group(standing) | {
        "issue": _whole_issue(standing.issue),
        "group_url": standing.group.group_url,
        "object_id": standing.group.object_id,
        "classifiers": list(standing.group.classifiers),
        "callstack": list(standing.group.callstack),
        "attributes": {name: list(values) for name, values in standing.group.attributes},
        "trail": [{"at": point.at, "occurrences": point.occurrences} for point in standing.group.trail],
        "history": [_past(past) for past in history],
    }


def _whole_issue(issue: Issue | None) -> dict[str, object] | None:
    """The issue and what is known of the create that made it, or may have made it."""
    told = _issue(issue)
    if issue is None or told is None:
        return None
    return told | {
        "marker": issue.marker,
        "sent_at": issue.sent_at,
        "probes": issue.probes,
        "probe_at": issue.probe_at,
    }


def line(found: Line) -> dict[str, object]:
    """One release in `releases PROJECT --json`."""
    return {
        "release": found.release,
        "groups": found.groups,
        "new": found.new,
        "regressed": found.regressed,
        "occurrences": found.occurrences,
        "first_seen": found.first_seen,
        "last_seen": found.last_seen,
    }


def explained(standing: GroupView, history: Iterable[Past], plan: Plan, routing: Iterable[str]) -> dict[str, object]:
    """One element of `explain --json`."""
    return {
        "universe": standing.group.identity.universe,
        "project": standing.group.identity.project,
        "fingerprint": standing.group.identity.fingerprint,
        "issue": _issue(standing.issue),
        "history": [_past(past) for past in history],
        "routes": list(routing),
        "now": planned(plan),
    }


def planned(plan: Plan) -> dict[str, object]:
    """What would be done now, and by which rule."""
    return {"action": plan.action.value, "reason": plan.reason, "rule": plan.rule, "inputs": dict(plan.inputs)}


def _past(past: Past) -> dict[str, object]:
    return {
        "at": past.at,
        "action": past.action,
        "reason": past.reason,
        "outcome": past.outcome,
        "rule": past.rule,
        "inputs": json.loads(past.inputs) if past.inputs else {},
    }


class DeadLetter(Protocol):
    """A group that does not go on by itself."""

    @property
    def universe(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def tracker(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def since(self) -> float: ...
    @property
    def cause(self) -> str | None: ...
    @property
    def issue(self) -> Issue | None: ...


def letter(letter: DeadLetter) -> dict[str, object]:
    """One element of `dead list --json`."""
    return {
        "universe": letter.universe,
        "project": letter.project,
        "fingerprint": letter.fingerprint,
        "kind": str(letter.kind),
        "tracker": letter.tracker,
        "since": letter.since,
        "reason": letter.reason,
        "cause": letter.cause,
        "issue": _issue(letter.issue),
    }
