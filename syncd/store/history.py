"""Decisions about a group: the latest is shown with it, and every new one is kept."""

import json

from syncd.model import Action, Plan
from syncd.store.connection import Transaction


def decide(
    transaction: Transaction,
    group_id: int,
    plan: Plan,
    outcome: str | None,
    now: float,
    route: str | None = None,
    *,
    done: bool = False,
) -> None:
    """Put down a decision and, where one was tried, its outcome; `done` where the tracker took it. A group that is held goes on being
    held for other numbers with every notification: only another rule makes another line of that."""
    facts = {"group_id": group_id, "action": plan.action, "reason": plan.reason, "rule": plan.rule or None, "now": now}
    before = transaction.rows("decision", group_id=group_id)[0]
    transaction.run("decide", route=route, **facts)
    held = plan.action in (Action.HOLD, Action.NOTHING)
    known = (before["decision"], before["decision_rule"] if held and plan.rule else before["decision_reason"])
    if outcome is not None or known != (plan.action, plan.rule if held and plan.rule else plan.reason):
        inputs = json.dumps(dict(plan.inputs), ensure_ascii=False) if plan.inputs else None
        transaction.run("record", outcome=outcome, inputs=inputs, done=int(done), **facts)
