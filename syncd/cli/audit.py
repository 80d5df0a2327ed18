"""`audit`: who changed what."""

import json
from typing import Annotated

import typer

from syncd.cli.arguments import ConfigOption, JsonOption, duration_option, open_store
from syncd.cli.tables import console, plain, plain_table
from syncd.operate import shapes
from syncd.platform.clock import Clock
from syncd.render.text import utc
from syncd.store.audit import Filter
from syncd.store.report import EVERYTHING

app = typer.Typer(add_completion=False)


@app.command()
def audit(
    since: Annotated[
        float | None,
        duration_option(help="Only changes of the last 30m, 2h, 7d …"),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Only changes by this actor: cli:alice, or alice for every way.", show_default=False
        ),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only changes of this: a fingerprint, a tracker, a route, a delivery, or the beginning of its name.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2**31,
            metavar="NUMBER",
            help="Maximum number of changes. \\[default: 50 in a table, all in JSON]",
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who changed what, the newest change first.

    An actor is `cli:USER` of a command, `console:LOGIN`, or `sso:NAME` of a login by a trusted header.
    """
    wanted = Filter(actor=actor, subject=subject, since=0.0 if since is None else Clock().wall() - since)
    with open_store(config) as (_, store):
        size = limit or (EVERYTHING if as_json else 50)
        entries = store.audit.entries(wanted, size + 1)
    page = entries[:size]
    if as_json:
        print(json.dumps([shapes.entry(entry) for entry in page], indent=2))
        return
    out = console()
    if not page:
        out.print("No change by an operator.", style="dim")
        return
    table = plain_table(("Time", "Actor", "Action", "Subject"))
    table.expand = True
    table.add_column("Change", ratio=1, min_width=24, overflow="fold")
    for entry in page:
        # The beginning of a fingerprint names a group elsewhere too.
        name = entry.subject[:12] if entry.group_id is not None else entry.subject
        about = plain(entry.kind).append(" ").append_text(plain(name, 40, style="cyan"))
        table.add_row(utc(entry.at), plain(entry.actor, 40), plain(entry.action, 40), about, plain(entry.detail, 400))
    out.print(table)
    if len(entries) > size:
        out.print("… and more (--limit, --json)", style="dim")
