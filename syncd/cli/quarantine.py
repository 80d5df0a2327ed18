"""`quarantine`: deliveries that cannot be read as a notification."""

import json
import sys
from typing import Annotated

import typer

from syncd.cli import COMMANDS, NOT_FOUND, stop
from syncd.cli.arguments import ConfigOption, DryRunOption, JsonOption, open_store
from syncd.cli.tables import console, plain, plain_table
from syncd.errors import RejectedDelivery
from syncd.intake.opening import open_sources
from syncd.intake.sources import document
from syncd.intake.sources.source import reread
from syncd.platform.clock import Clock
from syncd.render.text import one_line, utc

app = typer.Typer(add_completion=False, no_args_is_help=True, help=COMMANDS["quarantine"].help)

LARGEST = 2**63 - 1  # number that a database holds
Numbers = Annotated[list[int], typer.Argument(min=1, max=LARGEST, help="Numbers from `quarantine list`.")]


@app.command("list")
def quarantine_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the quarantine with reasons and the beginnings of the bodies, the newest first."""
    with open_store(config) as (_, store):
        quarantined = store.report.quarantine()
    if as_json:
        keys = ("id", "received_at", "size", "code", "reason", "field", "source")
        shape = [
            {key: getattr(delivery, key) for key in keys} | {"body": document.readable(delivery.body)}
            for delivery in quarantined
        ]
        print(json.dumps(shape, indent=2))
        return
    out = console()
    if not quarantined:
        out.print("The quarantine is empty.", style="dim")
        return
    table = plain_table()
    for name in ("Number", "Received", "Bytes", "Reason", "Body"):
        table.add_column(name, no_wrap=name != "Reason", justify="right" if name == "Bytes" else "left")
    for delivery in quarantined:
        body = plain(document.readable(delivery.body), 60)
        received = utc(int(delivery.received_at))
        table.add_row(str(delivery.id), received, f"{delivery.size:,}", plain(delivery.reason), body)
    out.print(table)


@app.command("show")
def quarantine_show(
    number: Annotated[int, typer.Argument(min=1, max=LARGEST, help="A number from `quarantine list`.")],
    config: ConfigOption = None,
) -> None:
    """Write one body to standard output, byte for byte."""
    with open_store(config) as (_, store):
        body = store.quarantine.body(number)
    if body is None:
        stop(NOT_FOUND, f"the quarantine has no delivery {number}")
    sys.stdout.buffer.write(body)


@app.command("replay")
def quarantine_replay(numbers: Numbers, config: ConfigOption = None, dry_run: DryRunOption = False) -> None:
    """Return deliveries to the inbox if this version of syncd can read them."""
    with open_store(config) as (loaded, store):
        sources = open_sources(loaded)
        for number in numbers:
            entry = store.quarantine.entry(number)
            if entry is None:
                stop(NOT_FOUND, f"the quarantine has no delivery {number}")
            body, source = entry
            try:
                prepared = reread(sources, source, body)
            except RejectedDelivery as error:
                print(f"{number}: still no notification: {error.message}")
                continue
            fingerprint = ", ".join(one_line(identity.fingerprint, 100) for _, identity in prepared.parts[:5])
            parts = [part for part, _ in prepared.parts]
            if dry_run:
                print(f"{number}: would return to the inbox as {fingerprint}")
            elif store.quarantine.release(number, Clock().wall(), prepared.note, parts):
                print(f"{number}: returned to the inbox as {fingerprint}")
            else:
                print(f"{number}: is no longer in the quarantine")


@app.command("discard")
def quarantine_discard(numbers: Numbers, config: ConfigOption = None, dry_run: DryRunOption = False) -> None:
    """Delete deliveries from the quarantine."""
    with open_store(config) as (_, store):
        for number in numbers:
            if not (store.quarantine.body(number) if dry_run else store.quarantine.discard(number, Clock().wall())):
                stop(NOT_FOUND, f"the quarantine has no delivery {number}")
            print(f"{number}: {'would be deleted' if dry_run else 'deleted'}")
