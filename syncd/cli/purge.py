"""`purge`: what retention does by itself, at once or for a shorter time."""

import json
import time
from typing import Annotated

import typer

from syncd.cli import ConfigOption, JsonOption, app
from syncd.cli.dead import DryRunOption
from syncd.cli.lookups import opened
from syncd.cli.replay import duration


@app.command()
def purge(
    older: Annotated[
        float | None,
        typer.Option(
            "--older-than",
            parser=duration,
            metavar="DURATION",
            help="Folded deliveries received longer ago than 7d, 12h …; left out: store.retention.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove raw deliveries that were folded, and decisions older than store.history. The daemon does so by itself every minute."""
    with opened(config) as (loaded, store):
        now, settings = time.time(), loaded.store
        before, decided = now - (settings.retention if older is None else older), now - settings.history
        found = store.inbox.purgeable(before, decided)
        # A bite at a time, so that the receiver never waits for long.
        while not dry_run and store.inbox.purge(before, decided):
            pass
        room = store.room()
    if as_json:
        shape = {"deliveries": found.deliveries, "decisions": found.decisions, "dry_run": dry_run, "taken": room.taken}
        print(json.dumps(shape, indent=2))
        return
    would = "would be removed" if dry_run else "were removed"
    print(f"{found.deliveries:,} deliveries and {found.decisions:,} decisions {would}.")
    if not dry_run and loaded.store.dialect == "sqlite":
        print(
            "Their room is used again. To give it back to the disk, stop the daemon and put a `syncd backup` in its place."
        )
