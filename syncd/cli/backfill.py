"""`backfill`: the groups of Backtrace that crashed before syncd heard of them."""

import json
import time
from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from syncd.backtrace.backfill import Backfill, Tally, Wanted
from syncd.backtrace.client import Target, targets
from syncd.cli import FAILED, LATER, NOT_FOUND, stop
from syncd.cli.arguments import ConfigOption, DryRunOption, JsonOption, duration_option, open_store
from syncd.cli.bar import bar
from syncd.config import Config
from syncd.core.polls import STATES
from syncd.core.quantities import counted
from syncd.errors import Misconfigured, TrackerError
from syncd.operate.adopt import Adopter, Interrupted
from syncd.operate.candidates import Outcome
from syncd.platform.clock import Clock

app = typer.Typer(add_completion=False)


@app.command()
def backfill(
    project: Annotated[
        str,
        typer.Argument(metavar="NAME/PROJECT", help="A project of `[backtrace.NAME]`, or its name alone."),
    ],
    since: Annotated[
        float | None, duration_option("--since", help="Only groups that crashed within this time.")
    ] = None,
    min_occurrences: Annotated[
        int, typer.Option("--min-occurrences", metavar="N", min=1, help="Only groups with so many occurrences.")
    ] = 1,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help=f"Only groups in this state of the triage: {', '.join(STATES)}; repeatable.",
        ),
    ] = None,
    file: Annotated[
        bool, typer.Option("--file", help="File them by their routes and within all limits, as if they crashed today.")
    ] = False,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read all groups of a Backtrace project into the store.

    Groups that are new to the store are counted and held, with --file filed. A group whose ticket in Backtrace is an issue of a configured tracker is linked to
    that issue, and gets no other one. An interrupted run goes on with the next one of the same options, and a further run changes nothing.
    """
    for each in state or []:
        if each not in STATES:
            raise typer.BadParameter(f"{each} is no state; give {', '.join(STATES)}", param_hint="--state")
    clock, interrupted, reason = Clock(), None, ""
    with open_store(config) as (loaded, store), bar() as show:
        wanted = Wanted(
            since=0.0 if since is None else clock.wall() - since,
            min_occurrences=min_occurrences,
            states=tuple(state or ()),
            file=file,
        )
        call = json.dumps([since, min_occurrences, sorted(state or ()), file])
        target = _target(loaded, project)
        run = Backfill(target, loaded, store, show, clock, time.sleep, dry_run=dry_run)
        tally = Tally()
        with closing(run), Adopter(loaded, store, lambda *_: None, dry_run=dry_run) as adopter:
            try:
                run.run(wanted, adopter, call, tally)
            except TrackerError as error:
                interrupted, reason = FAILED if isinstance(error, Misconfigured) else LATER, error.reason
            except Interrupted as error:
                interrupted, reason = LATER if error.later else FAILED, str(error)
    _print(tally, file=file, dry_run=dry_run, as_json=as_json)
    if interrupted is not None:
        stop(interrupted, f"{reason}; run this again to go on")


def _target(config: Config, name: str) -> Target:
    """The project of this name. Exits with NOT_FOUND if there is none, or several."""
    several = targets(config.backtrace)
    fitting = [target for target in several if name in (target.title, target.project.name)]
    if len(fitting) != 1:
        choice = ", ".join(target.title for target in several) or "none; docs/setup.md says how to add one"
        stop(
            NOT_FOUND,
            f"{name!r} is {'several projects' if fitting else 'no project'} of Backtrace; there are: {choice}",
        )
    return fitting[0]


def _print(tally: Tally, *, file: bool, dry_run: bool, as_json: bool) -> None:
    """Print what became of the groups."""
    if as_json:
        shape = {"dry_run": dry_run, "read": tally.read, "new": tally.new, "present": tally.present, "left": tally.left}
        print(json.dumps(shape | {"issues": [asdict(row) for row in tally.adoptions]}, indent=2))
        return
    would = "would be " if dry_run else ""
    become = "filed by their routes" if file else "counted and held"
    adopted = sum(row.outcome is not Outcome.LEFT for row in tally.adoptions)
    print(
        f"{counted(tally.read, 'group')} read: {tally.new:,} new to the store, {would}{become}; {tally.present:,} in the store already; "
        f"{tally.left:,} left out."
    )
    if tally.adoptions:
        print(f"{counted(len(tally.adoptions), 'ticket')}: {adopted:,} {would}adopted.")
    for row in tally.adoptions:
        if row.outcome is Outcome.LEFT:
            print(f"  {row.issue or row.source}: {row.reason}")
