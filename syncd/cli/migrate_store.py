"""`migrate-store`: move everything to a PostgreSQL server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import USAGE, app, stop

if TYPE_CHECKING:
    from syncd.config import StoreSettings


@app.command("migrate-store")
def migrate_store(
    source: Annotated[str, typer.Option("--from", help="The store there is: sqlite:///var/lib/syncd/syncd.db")],
    target: Annotated[str, typer.Option("--to", help="The one to move to: postgresql://syncd@db/syncd")],
    password_file: Annotated[
        Path | None,
        typer.Option(
            help="A file with the PostgreSQL password; without it libpq looks where it always does.", show_default=False
        ),
    ] = None,
) -> None:
    """Move everything from a file to a PostgreSQL server; nothing more is kept in the file afterwards.

    Meanwhile its daemon answers 503. Interrupted, it has not happened: run it again. It needs no configuration.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from syncd.store import move_store

    from_, to = _settings("--from", source, None), _settings("--to", target, password_file)
    if (from_.dialect, to.dialect) != ("sqlite", "postgresql"):
        stop(USAGE, "a store is moved from sqlite:… to postgresql://…")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as progress:
        task = progress.add_task("starting", total=None)
        counts = move_store(
            from_, to, lambda what, done, whole: progress.update(task, description=what, completed=done, total=whole)
        )
    rows = sum(counts.values())
    print(
        f"{rows:,} rows moved and verified: {counts['groups']:,} groups, {counts['issues']:,} issues, {counts['deliveries']:,} deliveries"
    )
    print(f'now set store.url = "{target}" in config.toml and restart syncd; {from_.place} takes nothing any more')


def _settings(option: str, url: str, password_file: Path | None) -> "StoreSettings":
    """A place for a store. Ends the program with a sentence where it is none."""
    from pydantic import ValidationError

    from syncd.config import StoreSettings

    given: dict[str, object] = {"url": url}
    if password_file is not None:
        given["password"] = {"file": str(password_file)}
    try:
        return StoreSettings.model_validate(given)
    except ValidationError as error:
        # include_input=False: it may hold a password.
        faults = error.errors(include_input=False, include_url=False)
        stop(USAGE, *(f"{option}: {fault['msg'].removeprefix('Value error, ')}" for fault in faults))
