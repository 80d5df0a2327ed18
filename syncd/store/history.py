"""Decisions about a group: the latest is part of its row, and every new one is a row of its history."""

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
    """Store a decision and the outcome of its call, if there was one; `done`: the tracker accepted it. The reason of a hold has new
    numbers with every notification; the history gets a new row only for another rule."""
    facts = {"group_id": group_id, "action": plan.action, "reason": plan.reason, "rule": plan.rule or None, "now": now}
    before = transaction.rows("decision", group_id=group_id)[0]
    transaction.run("decide", route=route, **facts)
    held = plan.action in (Action.HOLD, Action.NOTHING)
    latest = (before["decision"], before["decision_rule"] if held and plan.rule else before["decision_reason"])
    if outcome is not None or latest != (plan.action, plan.rule if held and plan.rule else plan.reason):
        inputs = json.dumps(dict(plan.inputs), ensure_ascii=False) if plan.inputs else None
        transaction.run("record", outcome=outcome, inputs=inputs, done=int(done), **facts)
