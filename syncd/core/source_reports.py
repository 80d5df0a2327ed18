"""What a source reports of a crash, besides its occurrences: resolved, regressed, ignored. It decides nothing unless `on_resolved` says so. Pure."""

from syncd.core.quantities import utc
from syncd.model import Action, Group, Issue, Notification, Plan, SourceState

RESOLVED = "source-resolved"  # the rule of a crash that its source reports as resolved, where that closes issues


def state(group: Group, notification: Notification) -> SourceState | None:
    """What is reported after a notification, and since when."""
    before, name = group.source_state, notification.state
    if name is None or (before is not None and before.name == name):
        return before
    return SourceState(name, notification.received_at)


def at_revision(before: SourceState | None, group: Group) -> SourceState | None:
    """The report, which has the revision of the group if it is new since `before`."""
    now = group.source_state
    return now if now is None or now == before else SourceState(now.name, now.at, group.revision)


def closing(group: Group, issue: Issue) -> Plan | None:
    """The decision to close an open issue, once for each report: whoever reopens it afterwards knows better."""
    report = group.source_state
    if report is None or report.name != "resolved" or report.revision <= issue.synced_revision:
        return None
    reason = f"its source reports the crash as resolved since {utc(int(report.at))}, and on_resolved says to close {issue.key}"
    return Plan(action=Action.CLOSE, reason=reason, rule=RESOLVED)
