"""`explain`: a group's history, the plan for now, and the rules behind both."""

import json
from collections.abc import Iterator, Sequence

import typer

from syncd.cli import NOT_FOUND, stop
from syncd.cli.arguments import ConfigOption, Fingerprint, JsonOption, open_store
from syncd.model import GroupView, Plan
from syncd.operate import explain as explanation
from syncd.operate import shapes
from syncd.platform.clock import Clock
from syncd.render.report import title
from syncd.render.text import one_line, utc
from syncd.store.report import Past

app = typer.Typer(add_completion=False)


@app.command()
def explain(fingerprint: Fingerprint, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Explain a group: what happened, what would happen now, and by which rules.

    Calls no tracker.
    """
    now = Clock().wall()
    with open_store(config) as (loaded, store):
        groups = [
            (
                listed.standing,
                store.report.history(listed.id),
                explanation.plan_now(loaded, store, listed.standing, now),
                explanation.routing(loaded, listed.standing),
                explanation.obstacle(loaded, store, listed.standing, now),
            )
            for listed in store.lists.by_fingerprint(fingerprint)
        ]
    if not groups:
        stop(NOT_FOUND, f"no group has a fingerprint that begins with {fingerprint!r}")
    if as_json:
        print(json.dumps([shapes.explained(*group) for group in groups], indent=2))
    else:
        print("\n\n".join("\n".join(_lines(*group)) for group in groups))


def _lines(
    standing: GroupView, history: Sequence[Past], plan: Plan, routing: Sequence[str], obstacle: str | None
) -> Iterator[str]:
    group, issue = standing.group, standing.issue
    yield one_line(title(group), 200)
    yield f"  fingerprint {one_line(group.identity.fingerprint, 100)}"
    if issue is not None and issue.key:
        look = "never looked at" if issue.looked_at is None else f"last looked at {utc(issue.looked_at)}"
        yield f"  issue {issue.key} ({look})  {issue.url}"
    yield from ("", "What happened")
    for past in reversed(history):
        outcome = f" → {one_line(past.outcome, 400)}" if past.outcome and past.outcome != past.reason else ""
        rule = f" (rule: {past.rule})" if past.rule else ""
        yield f"  {utc(past.at)}  {past.action}: {one_line(past.reason, 400)}{outcome}{rule}"
    if not history:
        yield "  nothing yet"
    yield from ("", "Routes", *(f"  {one_line(sentence, 400)}" for sentence in routing))
    rule = f" (rule: {plan.rule})" if plan.rule else ""
    yield from ("", "Now", f"  {plan.action}: {one_line(plan.reason, 600)}{rule}")
    if obstacle is not None:
        yield f"  waits: {obstacle}"
