"""The JSON of `groups`, `show`, `status`, `releases`, `explain` and `dead list`. Programs rely on it: it is extended, never broken."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from syncd.core.overview import Line, Overview
from syncd.model import GroupView, Issue, IssueState
from syncd.render.addresses import group_page
from syncd.store.audit import Entry
from syncd.store.dead_letters import DeadLetter
from syncd.store.instances import Running
from syncd.store.listing import Delivered
from syncd.store.report import Counts, Owed, Past, TrackerStanding

if TYPE_CHECKING:
    from syncd.operate.explain import Explanation

SILENT_SECONDS = 30.0


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
        "at_most": group.at_most,
        "reading": group.reading.value,
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
                "at_most": entry.at_most,
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
    condition = issue.condition  # None before the first look
    return {
        "tracker": issue.tracker,
        "key": issue.key,
        "url": issue.url,
        "state": "being_filed" if issue.state is IssueState.INTENDED else issue.state.value,
        "doubles": issue.doubles,
        "by_hand": issue.by_hand,
        "owners": None if issue.owners is None else list(issue.owners),
        "condition": None
        if condition is None
        else {
            "closed": condition.closed,
            "resolution": condition.resolution,
            "closed_at": condition.closed_at,
            "fixed_in": list(condition.fixed_in),
            "labels": list(condition.labels),
        },
    }


def overview(overview: Overview) -> dict[str, object]:
    """`releases PROJECT RELEASE --json`."""
    entries = {
        name: [
            {"occurrences_in_release": entry.occurrences} | group(entry.standing) for entry in getattr(overview, name)
        ]
        for name in ("new", "regressed", "still", "gone")
    }
    return {"release": overview.release, "before": overview.before, "too_early": overview.early, **entries}


def tracker(standing: TrackerStanding | None) -> dict[str, object]:
    """One tracker in `status --json`. A tracker that was never called counts as ok."""
    standing = standing or TrackerStanding(state="ok")
    return {name: getattr(standing, name) for name in ("state", "reason", "until", "cause", "since", "calls")}


def status(
    counts: Counts,
    trackers: Mapping[str, TrackerStanding],
    owed: Mapping[str, Owed],
    writes_left: Mapping[str, int | None],
    being_filed: int,
) -> dict[str, Any]:
    """`status --json`, first part. `writes_left` is `operate.status.writes_left`; `being_filed` is how many creates a living process has
    sent and no tracker has answered."""
    nothing = Owed(groups=0, due=0, oldest_at=None)
    all_trackers = {
        name: tracker(trackers.get(name))
        | {
            "writes_left": writes_left.get(name),
            "groups": owed.get(name, nothing).groups,
            "due": owed.get(name, nothing).due,
            "oldest_at": owed.get(name, nothing).oldest_at,
        }
        for name in sorted({*trackers, *writes_left})
    }
    return {
        "inbox": {"waiting": counts.inbox_waiting},
        "outbox": {"due": counts.outbox_due, "waiting": counts.outbox_waiting},
        "issues": {
            "linked": counts.linked,
            "being_filed": being_filed,
            # A create whose sender died has lost its answer, also before another process has noticed.
            "in_doubt": counts.in_doubt + counts.intended - being_filed,
            "parked": counts.parked,
            "dropped": counts.dropped,
            "doubles": counts.doubles,
            "by_hand": counts.by_hand,
        },
        "held": counts.held,
        "dead": counts.dead,
        "quarantined": counts.quarantined,
        "trackers": all_trackers,
    }


def instances(running: Iterable[Running], now: float) -> list[dict[str, object]]:
    """The processes that share the store, in `status --json`, each `alive`, `dead`, or `silent`: without a heartbeat for SILENT_SECONDS, but
    not dead as far as anybody can tell."""
    return [
        {
            "instance": process.owner,
            "host": process.host,
            "pid": process.pid,
            "part": process.part,
            "version": process.version,
            "since": process.started_at,
            "beat_at": process.beat_at,
            "folds": process.folds,
            "state": "dead" if not process.lives else "silent" if now - process.beat_at > SILENT_SECONDS else "alive",
        }
        for process in running
    ]


def whole(standing: GroupView, history: Iterable[Past], console: str = "") -> dict[str, object]:
    """One element of `show --json`: an element of `groups --json`, extended. `console` is the console's public address, or empty."""
    issue = standing.issue
    create = {}  # that made the issue, or may have made it
    if issue is not None:
        create = {
            "marker": issue.marker,
            "sent_at": issue.sent_at,
            "probes": issue.probes,
            "probe_at": issue.probe_at,
        }
    shape = _issue(issue)
    return group(standing) | {
        "issue": None if shape is None else shape | create,
        "group_url": standing.group.group_url,
        "page": f"{console}{group_page(standing.group.identity)}" if console else None,
        "object_id": standing.group.object_id,
        "classifiers": list(standing.group.classifiers),
        "callstack": list(standing.group.callstack),
        "attributes": {name: list(values) for name, values in standing.group.attributes},
        "trail": [{"at": point.at, "occurrences": point.occurrences} for point in standing.group.trail],
        "history": [_past(past) for past in history],
    }


def line(line: Line) -> dict[str, object]:
    """One release in `releases PROJECT --json`."""
    return {
        "release": line.release,
        "groups": line.groups,
        "new": line.new,
        "regressed": line.regressed,
        "occurrences": line.occurrences,
        "first_seen": line.first_seen,
        "last_seen": line.last_seen,
    }


def explained(explanation: "Explanation") -> dict[str, object]:
    """One element of `explain --json`."""
    identity = explanation.standing.group.identity
    return {
        "universe": identity.universe,
        "project": identity.project,
        "fingerprint": identity.fingerprint,
        "issue": _issue(explanation.standing.issue),
        "history": [_past(past) for past in explanation.history],
        "routes": list(explanation.routes),
        "counts": list(explanation.counts),
    } | steps(explanation)


def steps(explanation: "Explanation") -> dict[str, object]:
    """What syncd does now and since when, what comes then, and what a person can do."""
    first, *later = (
        {
            "action": step.action.value,
            "reason": step.reason,
            "rule": step.rule,
            "inputs": dict(step.inputs),
            "until": step.until,
        }
        for step in explanation.steps
    )
    return {"now": first | {"since": explanation.since}, "then": later, "way_out": explanation.way_out or None}


def _past(past: Past) -> dict[str, object]:
    return {
        "at": past.at,
        "action": past.action,
        "reason": past.reason,
        "outcome": past.outcome,
        "rule": past.rule,
        "inputs": json.loads(past.inputs) if past.inputs else {},
        "actor": past.actor,
    }


def entry(entry: Entry) -> dict[str, object]:
    """One element of `audit --json`."""
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "kind": entry.kind,
        "subject": entry.subject,
        "group": entry.group_id,
        "project": entry.project,
        "detail": entry.detail,
    }


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


def delivery(delivery: Delivered) -> dict[str, object]:
    """A stored delivery, without its body."""
    return {
        "id": delivery.id,
        "received_at": delivery.received_at,
        "state": delivery.state,
        "size": delivery.size,
        "group": delivery.group_id,
        "fingerprint": delivery.fingerprint,
        "project": delivery.project,
        "note": delivery.note,
        "source": delivery.source,
    }
