"""`status`: what waits, what is held and what needs a person."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from syncd import config as configuration
from syncd.cli import LATER, UNHEALTHY, stop
from syncd.cli.arguments import ConfigOption, JsonOption, config_path, open_store, require_own
from syncd.cli.tables import console, plain
from syncd.core import budget
from syncd.core.quantities import counted, duration, listed
from syncd.errors import StoreUnavailable
from syncd.operate import status as system
from syncd.operate.needs import PARTS, pile
from syncd.platform.clock import Clock
from syncd.render.text import utc

app = typer.Typer(add_completion=False)

WATCH_SECONDS = 2.0


@app.command()
def status(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show the state again every 2 seconds until Ctrl-C; JSON on a line each.")
    ] = False,
) -> None:
    """Show the daemon's state: what waits, what is held, what needs a person.

    Exits with 0 if all is well, 3 if something needs a person or no daemon runs, 75 if the store cannot be read. With --watch the last state
    decides.
    """
    code = _watched(lambda: _show(config, as_json, watch)) if watch else _show(config, as_json, watch)
    if code:
        raise typer.Exit(code)


def _watched(show: Callable[[], int], wait: Callable[[float], object] = time.sleep) -> int:
    """Show the state again and again until SIGINT. Returns the last exit code."""
    code = 0
    try:
        while True:
            try:
                code = show()
            except SystemExit as error:  # the store cannot be read now, and the reason is printed
                code = error.code if isinstance(error.code, int) else LATER
            wait(WATCH_SECONDS)
    except KeyboardInterrupt:
        return code


def _show(config: Path | None, as_json: bool, watch: bool) -> int:
    """Print the state once. Returns the exit code."""
    now = Clock().wall()
    try:
        with open_store(config) as (loaded, store):
            require_own(loaded)  # who may only read cannot tell whether the service can write
            shape = system.status(loaded, store, now)
    except StoreUnavailable as error:
        settings = configuration.load(config_path(config)).store
        if settings.dialect == "sqlite":
            try:
                settings.path.stat()
            except FileNotFoundError:
                stop(UNHEALTHY, f"no daemon has run with this configuration, or its store was deleted: {error}")
            except OSError:
                pass  # the error itself says why nobody can tell
        stop(LATER, f"cannot tell whether all is well: {error}")
    code = 0 if shape["well"] else UNHEALTHY
    if as_json:
        print(json.dumps(shape, indent=None if watch else 2), flush=True)
        return code
    bursts = {
        name: min(budget.burst(limit) for limit in settings.writes)
        for name, settings in loaded.trackers.items()
        if settings.writes
    }
    out = console()
    if watch:
        out.clear()
        out.print(utc(int(now)), style="dim")
    out.print(Text(f"{'✓' if shape['well'] else '!'} {shape['sentence']}", style="green" if shape["well"] else "red"))
    for need in shape["needs"]:
        line = Text("! " if need["alarm"] else "- ", style="red" if need["alarm"] else "yellow").append(need["what"])
        out.print(line.append(f" (`syncd {need['command']}`)" if need["command"] else ""), soft_wrap=True)
    out.print(_table(shape, bursts, now))
    return code


def _poll(poll: Mapping[str, Any], now: float) -> str:
    """When the counts of a project were read last, and what was left out."""
    if not poll["polled_at"]:
        return f"not read yet: {poll['reason']}" if poll["reason"] else "not read yet"
    text = f"{counted(poll['groups'], 'group')} read, the last time {duration(max(0.0, now - poll['polled_at']))} ago"
    if poll["older"]:
        text += f"; {poll['older']:,} have not crashed since the first poll: `syncd backfill` reads them"
    return text


def _table(shape: Mapping[str, Any], bursts: Mapping[str, int], now: float) -> Table:
    """`status --json` as rows. `bursts` is how many writes each tracker's full budget allows at once."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    inbox, outbox, counts = shape["inbox"], shape["outbox"], shape["issues"]
    issues = [f"{counts['linked']:,} linked"]
    if counts["being_filed"]:
        issues.append(f"{counts['being_filed']:,} being filed")
    if counts["dropped"]:
        issues.append(f"{counts['dropped']:,} dropped (`syncd dead list --dropped`)")
    if counts["doubles"]:
        issues.append(f"{counts['doubles']:,} with doubles")
    table.add_row("inbox", pile(inbox, inbox["waiting"], "waiting", now))
    table.add_row("outbox", f"{pile(outbox, outbox['due'], 'due', now)}; {outbox['waiting']:,} later")
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
    for part, state in (*_trackers(shape["trackers"], bursts), *_channels(shape["channels"])):
        table.add_row(part, state)
    for hook in shape["hooks"]:
        table.add_row("hook", plain(_hook(hook, now), 400))
    if shape["unreleased"]:
        table.add_row("releases", plain(shape["unreleased"], 400))
    projects = [("counts", f"project {each['project']}: {each['reason']}") for each in shape["countings"]]
    projects += [("polls", f"{each['project']}: {_poll(each, now)}") for each in shape["polls"]]
    for name, text in projects:
        table.add_row(name, plain(text, 400))
    _add_processes(table, shape["instances"])
    return table


def _add_processes(table: Table, processes: Sequence[Mapping[str, Any]]) -> None:
    for process in processes:
        beat = (
            "alive" if process["state"] == "alive" else f"{process['state']}, last heartbeat {utc(process['beat_at'])}"
        )
        part = PARTS[process["part"]]
        table.add_row("running", plain(f"{process['instance']}: {part}, syncd {process['version']}, {beat}"))
    if not processes:
        table.add_row("running", "no process")


def _hook(hook: Mapping[str, Any], now: float) -> str:
    """When a hook was heard, and what that means for surveys."""
    heard_at = hook["heard_at"]
    heard = "was never heard" if heard_at is None else f"last heard {duration(max(0.0, now - heard_at))} ago"
    surveys = []
    for tracker, survey in hook["surveys"].items():
        missed_at = survey["missed_at"]
        why = "" if missed_at is None else f", since that of {utc(missed_at)} met changes that no hook had reported"
        surveys.append(f"syncd surveys {tracker} every {duration(survey['interval'])}{why}")
    return f"{hook['name']}: {heard}; {listed(surveys, 3)}"


def _trackers(trackers: Mapping[str, Any], bursts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """What each tracker does, and what waits for it."""
    for name, tracker in trackers.items():
        left = tracker["writes_left"]
        spent = left is not None and left < bursts.get(name, 0)
        waits = f"; {counted(tracker['groups'], 'group')} waiting" if tracker["groups"] else ""
        yield "tracker", f"{name}: {tracker['state']}{waits}{f'; {left:,} writes left now' if spent else ''}"


def _channels(channels: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What each channel does and got."""
    for name, channel in channels.items():
        waits = f"; {counted(channel['waiting'], 'notice')} waiting" if channel["waiting"] else ""
        tries = f"; the next try is at {utc(channel['until'])}" if channel["until"] is not None else ""
        yield "channel", f"{name}: {channel['state']}{waits}; {channel['sent']:,} sent in the last day{tries}"
