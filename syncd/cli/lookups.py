"""`status`, `groups`, `show`, `quarantine`: what people ask of the store."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import NOT_FOUND, ConfigOption, JsonOption, app, config_path, stop

if TYPE_CHECKING:
    from syncd.config import Config
    from syncd.store import Store

quarantine = typer.Typer(
    no_args_is_help=True, help="What was authentic JSON but no notification: list, replay, discard."
)
app.add_typer(quarantine, name="quarantine")


@contextmanager
def opened(given: ConfigOption) -> "Iterator[tuple[Config, Store]]":
    """The configuration and its store, beside a daemon or without one. Raises ConfigError, StoreError."""
    from syncd import config as configuration
    from syncd.store import read_store

    loaded = configuration.load(config_path(given))
    store = read_store(loaded.store)
    try:
        yield loaded, store
    finally:
        store.close()


@app.command()
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """How the daemon stands: what waits, what is held and by which rule, what needs a person."""
    from syncd.core import budget
    from syncd.operate.status import status as told

    with opened(config) as (loaded, store):
        shape = told(loaded, store, time.time())
    if as_json:
        print(json.dumps(shape, indent=2))
        return
    from syncd.cli import tables

    at_once = {
        name: min(budget.burst(limit) for limit in settings.writes)
        for name, settings in loaded.trackers.items()
        if settings.writes
    }
    tables.status(shape, at_once)


@app.command()
def groups(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    held: Annotated[
        bool, typer.Option("--held", help="Only those that are held, the largest first, with the reason.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, max=2**31, help="At most so many; JSON prints all by default, a table 50.")
    ] = None,
) -> None:
    """Crash groups, the one seen last first, with counts and issues."""
    from syncd.operate import shapes
    from syncd.store.report import EVERYTHING

    with opened(config) as (_, store):
        most = limit or (EVERYTHING if as_json else 50)
        standings = store.report.held_groups(most) if held else store.report.groups(most)
        if as_json:
            print(json.dumps([shapes.group(standing) for standing in standings], indent=2))
            return
        total = store.report.counts(time.time()).held if held else store.report.how_many()
    from syncd.cli import tables

    tables.groups(standings, total)


@app.command()
def show(
    fingerprint: Annotated[str, typer.Argument(help="A fingerprint or its beginning.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Everything about one crash group: counts, releases, stack, issue, decisions."""
    from syncd.operate import shapes

    with opened(config) as (_, store):
        found = [
            (listed.standing, store.report.history(listed.id)) for listed in store.lists.by_fingerprint(fingerprint)
        ]
    if not found:
        stop(NOT_FOUND, f"no group has a fingerprint that begins with {fingerprint!r}")
    if as_json:
        print(json.dumps([shapes.whole(standing, past) for standing, past in found], indent=2))
        return
    from syncd.cli import tables

    if len(found) > 1:
        tables.groups([standing for standing, _ in found], len(found))
        return
    tables.show(*found[0])


@quarantine.command("list")
def quarantine_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What is in the quarantine, newest first, and why."""
    with opened(config) as (_, store):
        kept = store.report.quarantine()
    if as_json:
        shape = [
            {
                "id": one.id,
                "received_at": one.received_at,
                "code": one.code,
                "reason": one.reason,
                "field": one.field,
                "body": one.body.decode("utf-8", "replace"),
            }
            for one in kept
        ]
        print(json.dumps(shape, indent=2))
        return
    from syncd.cli import tables

    tables.quarantine(kept)


@quarantine.command("replay")
def quarantine_replay(
    numbers: Annotated[list[int], typer.Argument(help="Numbers from `quarantine list`.")],
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Put bodies back into the inbox, to be read again by this version of syncd."""
    from syncd.errors import RejectedDelivery
    from syncd.intake.sources import backtrace
    from syncd.render.text import one_line

    with opened(config) as (_, store):
        kept = {one.id: one for one in store.report.quarantine()}
        for number in numbers:
            if number not in kept:
                stop(NOT_FOUND, f"nothing in the quarantine has the number {number}")
            try:
                identity = backtrace.identify(backtrace.decode(kept[number].body))
            except RejectedDelivery as error:
                print(f"{number}: still no notification: {error.message}")
                continue
            fingerprint = one_line(identity.fingerprint, 100)
            if dry_run:
                print(f"{number}: would go back into the inbox as {fingerprint}")
            elif store.quarantine.release(number, time.time()):
                print(f"{number}: went back into the inbox as {fingerprint}")
            else:
                print(f"{number}: is no longer in the quarantine")


@quarantine.command("discard")
def quarantine_discard(
    numbers: Annotated[list[int], typer.Argument(help="Numbers from `quarantine list`.")],
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Remove bodies for good."""
    with opened(config) as (_, store):
        kept = {one.id for one in store.report.quarantine()}
        for number in numbers:
            if number not in kept:
                stop(NOT_FOUND, f"nothing in the quarantine has the number {number}")
            if not dry_run:
                store.quarantine.discard(number)
            print(f"{number}: {'would be ' if dry_run else ''}discarded")
