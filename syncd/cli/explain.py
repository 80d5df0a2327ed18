"""`explain`: a group's history, the plan for now, and the rules behind both."""

import json
from collections.abc import Iterator

import typer

from syncd.cli.arguments import ConfigOption, GroupName, JsonOption, find_group, open_store
from syncd.model import IssueState
from syncd.operate import shapes
from syncd.operate.explain import Explanation
from syncd.operate.explain import explain as explained
from syncd.platform.clock import Clock
from syncd.render.report import title
from syncd.render.text import one_line, utc

app = typer.Typer(add_completion=False)


@app.command()
def explain(text: GroupName, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Explain a group: what happened, what would happen now, and by which rules.

    Calls no tracker.
    """
    now = Clock().wall()
    with open_store(config) as (loaded, store):
        listed = find_group(store, text)
        explanation = explained(loaded, store, listed, store.report.history(listed.id), now)
    if as_json:
        print(json.dumps(shapes.explained(explanation), indent=2))
    else:
        print("\n".join(lines(explanation)))


def lines(explanation: Explanation) -> Iterator[str]:
    """The explanation for a terminal."""
    group, issue = explanation.standing.group, explanation.standing.issue
    yield one_line(title(group), 200)
    yield f"  fingerprint {one_line(group.identity.fingerprint, 100)}"
    if issue is not None and issue.key:
        look = "not read yet" if issue.looked_at is None else f"last read at {utc(issue.looked_at)}"
        yield f"  issue {issue.key} ({look})  {issue.url}"
        facts = {
            "to be done by hand": issue.by_hand,
            "further live issues of this crash, to be closed by hand": issue.doubles,
            "note": issue.note if issue.state is IssueState.LINKED else None,
        }
        yield from (f"  {name}: {one_line(fact, 400)}" for name, fact in facts.items() if fact)
    yield from ("", "What happened")
    for past in reversed(explanation.history):
        outcome = f" → {one_line(past.outcome, 400)}" if past.outcome and past.outcome != past.reason else ""
        yield f"  {utc(past.at)}  {past.action}: {one_line(past.reason, 400)}{outcome}{_rule(past.rule)}{_actor(past.actor)}"
    if not explanation.history:
        yield "  nothing yet"
    yield from ("", "Routes", *(f"  {one_line(sentence, 400)}" for sentence in explanation.routes))
    yield from ("", "Counts", *(f"  {one_line(sentence, 500)}" for sentence in explanation.counts))
    yield from ("", "Now")
    first, *later = explanation.steps
    since = "" if explanation.since is None else f" since {utc(explanation.since)}"
    yield f"  {first.action}{since}: {one_line(first.reason, 600)}{_rule(first.rule)}"
    yield from (f"  then {step.action}: {one_line(step.reason, 600)}{_rule(step.rule)}" for step in later)
    if explanation.way_out:
        yield f"  way out: {one_line(explanation.way_out, 400)}"


def _rule(rule: str | None) -> str:
    return f" (rule: {rule})" if rule else ""


def _actor(actor: str | None) -> str:
    return f" (by {one_line(actor, 100)})" if actor else ""
