"""`explain`: what happened to a group, what would happen to it now, and why."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import NOT_FOUND, ConfigOption, JsonOption, app, stop
from syncd.cli.lookups import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncd.model import GroupView, Plan
    from syncd.store.report import Past


@app.command()
def explain(
    fingerprint: Annotated[str, typer.Argument(help="A fingerprint or its beginning.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What happened to a group and what would happen now, in sentences, with the rule behind each. Asks no tracker."""
    from syncd.operate import explain, shapes

    with opened(config) as (loaded, store):
        found = [
            (listed.standing, store.report.history(listed.id)) for listed in store.lists.by_fingerprint(fingerprint)
        ]
        if not found:
            stop(NOT_FOUND, f"no group has a fingerprint that begins with {fingerprint!r}")
        now = time.time()
        told = [
            (
                standing,
                past,
                explain.plan_now(loaded, store, standing, now),
                list(explain.routing(loaded, standing)),
            )
            for standing, past in found
        ]
    if as_json:
        print(json.dumps([shapes.explained(*one) for one in told], indent=2))
        return
    for number, (standing, past, plan, routing) in enumerate(told):
        if number:
            print()
        for line in _lines(standing, past, plan, routing):
            print(line)


def _lines(standing: "GroupView", past: "Sequence[Past]", plan: "Plan", routing: "Sequence[str]") -> "list[str]":
    from syncd.render.report import title
    from syncd.render.text import one_line, utc

    group, issue = standing.group, standing.issue
    lines = [one_line(title(group), 200), f"  fingerprint {one_line(group.identity.fingerprint, 100)}"]
    if issue is not None and issue.key:
        looked = "never looked at" if issue.looked_at is None else f"last looked at {utc(issue.looked_at)}"
        lines.append(f"  issue {issue.key} ({looked})  {issue.url}")
    lines += ["", "What happened"]
    for entry in reversed(past):
        outcome = f" → {one_line(entry.outcome, 400)}" if entry.outcome and entry.outcome != entry.reason else ""
        lines.append(f"  {utc(entry.at)}  {entry.action}: {one_line(entry.reason, 400)}{outcome}{_rule(entry.rule)}")
    if not past:
        lines.append("  nothing yet")
    lines += ["", "Routes", *(f"  {one_line(line, 400)}" for line in routing)]
    lines += ["", "Now", f"  {plan.action}: {one_line(plan.reason, 600)}{_rule(plan.rule)}"]
    return lines


def _rule(rule: str | None) -> str:
    return f" (rule: {rule})" if rule else ""
