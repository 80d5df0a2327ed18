"""`titles`: what the latest groups would be called."""

import json
from dataclasses import replace
from typing import Annotated, NamedTuple

import typer
from rich.text import Text

from syncd.cli import USAGE, stop
from syncd.cli.arguments import ConfigOption, JsonOption, open_store
from syncd.cli.tables import console, plain, plain_table
from syncd.core import patterns
from syncd.core.policy import route
from syncd.core.quantities import counted
from syncd.core.titles import Rules
from syncd.model import GroupKind
from syncd.worker.presentation import Presentation

app = typer.Typer(add_completion=False)

Patterns = Annotated[
    list[str] | None, typer.Option(metavar="PATTERN", help="Try one more pattern of this key.", show_default=False)
]


class Entry(NamedTuple):
    """What an issue of a group would be called if it were filed now: by the configuration, and with the patterns that are tried."""

    fingerprint: str
    title: str
    changed: str


@app.command()
def titles(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    sample: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="NUMBER", help="The number of groups, the latest crash first.")
    ] = 20,
    skip_frames: Patterns = None,
    prefix_frames: Patterns = None,
    library_frames: Patterns = None,
    own_frames: Patterns = None,
) -> None:
    """Show what the latest groups would be called, and what changed patterns would change.

    Reads the configuration as it is now, also before a restart. An issue that exists keeps its title. Calls no tracker.
    """
    rules = Rules(
        skip_frames=_checked(skip_frames),
        prefix_frames=_checked(prefix_frames),
        library_frames=_checked(library_frames),
        own_frames=_checked(own_frames),
    )
    with open_store(config) as (loaded, store):
        presentation = Presentation.from_config(loaded)
        extended = replace(
            presentation,
            rules=presentation.rules.extended(rules),
            routes={name: each.extended(rules) for name, each in presentation.routes.items()},
        )
        entries = []
        for standing in store.report.groups(sample):
            if (group := standing.group).kind is not GroupKind.CRASH:
                continue
            policy = route(group, loaded.all_routes)
            name = None if policy is None else policy.name
            present, changed = (each.present(group, name).title() for each in (presentation, extended))
            entries.append(Entry(group.identity.fingerprint, present, changed))
    if as_json:
        print(json.dumps([entry._asdict() for entry in entries], indent=2))
    else:
        _print(entries, is_tried=rules != Rules())


def _checked(globs: list[str] | None) -> tuple[str, ...]:
    """The patterns of an option. Exits with USAGE if one of them is too large, or no pattern."""
    try:
        patterns.check_globs(globs or ())
    except ValueError as error:
        stop(USAGE, str(error))
    return tuple(globs or ())


def _print(entries: list[Entry], *, is_tried: bool) -> None:
    out, table = console(), plain_table(("Group", "Title"))
    for entry in entries:
        table.add_row(plain(entry.fingerprint, 12, "cyan"), plain(entry.title, 120))
        if entry.changed != entry.title:
            table.add_row("", Text("→ ").append_text(plain(entry.changed, 120, "green")))
    out.print(table)
    if is_tried:
        changes = sum(entry.changed != entry.title for entry in entries)
        out.print(f"{changes:,} of {counted(len(entries), 'title')} would change.")
    if not entries:
        out.print("No crash group yet. `syncd send-test` sends one.", style="dim")
