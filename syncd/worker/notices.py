"""Notices of what a sync did, each written in the transaction of its event. Nothing is sent here: a channel that is down holds up no group."""

from syncd.core.notices import Event
from syncd.model import Action, Facts, GroupKind, Plan
from syncd.store import issues, notices
from syncd.store.connection import Transaction
from syncd.store.records import load_issue
from syncd.worker.context import SyncContext
from syncd.worker.routing import Routing


def report(
    transaction: Transaction,
    routing: Routing,
    event: Event,
    group_id: int,
    route: str | None,
    facts: Facts,
    now: float,
) -> None:
    """Write a notice for each channel that reports the event for the route."""
    if channels := routing.config.listening(event, route):
        notices.add(transaction, channels, event, group_id, {**facts, "route": route or ""}, now)


def report_filed(transaction: Transaction, context: SyncContext, decision: Plan, now: float) -> None:
    """After a create that was answered or proved the group has its issue. The issue of a storm reports that storm."""
    if decision.action not in (Action.CREATE, Action.PROBE):
        return
    event = Event.STORM if context.group.kind is GroupKind.STORM else Event.FILED
    again, _ = issues.retired(transaction, context.claim.group_id)
    facts: Facts = {"rule": decision.rule or "", "reason": decision.reason, "again": int(again > 0)}
    _report(transaction, context, event, facts, now)


def report_storm_over(transaction: Transaction, context: SyncContext, decision: Plan, now: float) -> None:
    """Only the issue of a storm that is over is closed by syncd."""
    if decision.action is Action.CLOSE:
        _report(transaction, context, Event.STORM, {"over": 1}, now)


def report_stuck(transaction: Transaction, context: SyncContext, decision: Plan, cause: str, now: float) -> None:
    """The group waits for a person: it is parked for a cause, or `refused` for good. A deleted issue waits for nobody."""
    if cause != "deleted":
        facts = {"rule": decision.rule or "", "reason": decision.reason, "cause": cause}
        _report(transaction, context, Event.PARKED, facts, now)


def _report(transaction: Transaction, context: SyncContext, event: Event, facts: Facts, now: float) -> None:
    if not context.routing.config.listening(event, context.route):
        return
    issue = load_issue(transaction, context.claim.group_id)
    place = {"key": "", "url": ""} if issue is None else {"key": issue.key or "", "url": issue.url or ""}
    facts = {**facts, **place, "tracker": context.claim.tracker}
    report(transaction, context.routing, event, context.claim.group_id, context.route, facts, now)
