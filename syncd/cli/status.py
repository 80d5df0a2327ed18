"""`status`: what waits, what is held and what needs a person."""

import json
from collections.abc import Mapping
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from syncd.cli.arguments import ConfigOption, JsonOption, open_store
from syncd.cli.tables import console, plain, tracker_state
from syncd.core import budget
from syncd.core.quantities import counted
from syncd.operate import attention
from syncd.operate import status as system
from syncd.platform.clock import Clock
from syncd.render.text import utc

app = typer.Typer(add_completion=False)


@app.command()
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the daemon's state: what waits, what is held, what needs a person."""
    now = Clock().wall()
    with open_store(config) as (loaded, store):
        shape = system.status(loaded, store, now)
    if as_json:
        print(json.dumps(shape, indent=2))
        return
    bursts = {
        name: min(budget.burst(limit) for limit in settings.writes)
        for name, settings in loaded.trackers.items()
        if settings.writes
    }
    out = console()
    items = attention.counts(shape)
    for item in items:
        out.print(Text(f"! {item.what}" + (f" (`syncd {item.command}`)" if item.command else ""), style="red"))
    interrupted = {name: tracker for name, tracker in shape["trackers"].items() if tracker["state"] != "ok"}
    for name, tracker in interrupted.items():
        # An operator's pause and a wait until a known time are no alarm.
        style = "yellow" if tracker["cause"] in ("operator", "throttled") else "red"
        out.print(Text(f"! tracker {name} ", style=style).append_text(tracker_state(tracker, now)))
    if not interrupted and not items:
        out.print(Text("✓ all is well", style="green"))
    out.print(_table(shape, bursts))


_PARTS = {"all": "receiver and worker", "receiver": "receiver", "worker": "worker"}


def _table(shape: Mapping[str, Any], bursts: Mapping[str, int]) -> Table:
    """`status --json` as rows. `bursts` is how many writes each tracker's full budget allows at once."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    issues = [f"{shape['issues']['linked']:,} linked"]
    if shape["issues"]["dropped"]:
        issues.append(f"{shape['issues']['dropped']:,} dropped (`syncd dead list --dropped`)")
    if shape["issues"]["doubles"]:
        issues.append(f"{shape['issues']['doubles']:,} with doubles")
    table.add_row("inbox", f"{shape['inbox']['waiting']:,} waiting")
    table.add_row("outbox", f"{shape['outbox']['due']:,} due, {shape['outbox']['waiting']:,} later")
    table.add_row("issues", ", ".join(issues))
    table.add_row("held", f"{counted(shape['held'], 'group')} not filed, on purpose")
    for held in shape["held_by"]:
        rule = f"{held['rule']}, route {held['route']}" if held["route"] else held["rule"]
        table.add_row("", plain(f"{held['groups']:,} by rule {rule}"))
    for storm in shape["storms"]:
        groups = counted(storm["held"], "group")
        table.add_row("storm", plain(f"route {storm['route']} holds back {groups} since {utc(storm['since'])}"))
    for pause in shape["paused_routes"]:
        table.add_row("paused", plain(f"route {pause['route']} since {utc(pause['since'])}: {pause['reason']}", 300))
    for name, tracker in shape["trackers"].items():
        left = tracker["writes_left"]
        spent = left is not None and left < bursts.get(name, 0)
        table.add_row("tracker", f"{name}: {tracker['state']}" + (f"; {left:,} writes left now" if spent else ""))
    for process in shape["instances"]:
        beat = f"no heartbeat since {utc(process['beat_at'])}" if process["silent"] else "alive"
        part = _PARTS[process["part"]]
        table.add_row("running", plain(f"{process['instance']}: {part}, syncd {process['version']}, {beat}"))
    if not shape["instances"]:
        table.add_row("running", "no process")
    return table
