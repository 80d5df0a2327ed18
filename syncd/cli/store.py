"""`backup`, `restore`, `detach`, `purge`, `migrate`, `migrate-store`: upkeep of the store."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from syncd import config as configuration
from syncd.cli import USAGE, stop
from syncd.cli.arguments import ConfigOption, DryRunOption, JsonOption, actor, config_path, duration_option, open_store
from syncd.cli.bar import bar
from syncd.config import StoreSettings
from syncd.core.quantities import utc
from syncd.operate import actions
from syncd.platform.clock import Clock
from syncd.store import bring_up, move_store
from syncd.store.sqlite.backup import back_up
from syncd.store.sqlite.restore import restore as put_back

app = typer.Typer(add_completion=False)
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        readable=False,
        metavar="FILE",
        help="A file with the PostgreSQL password. Without it libpq looks in its usual places.",
        show_default=False,
    ),
]


@app.command()
def backup(
    target: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="The copy. The file must not exist yet.")
    ],
    config: ConfigOption = None,
    detached: Annotated[
        bool,
        typer.Option("--detached", help="Make a copy for a test environment. syncd writes to no tracker from it."),
    ] = False,
) -> None:
    """Copy the store to FILE while the daemon runs, and verify the copy."""
    settings = configuration.load(config_path(config)).store
    if settings.dialect != "sqlite":
        instead = (
            "copy it with pg_dump and pg_restore, then run `syncd detach` on the copy"
            if detached
            else "back it up with PostgreSQL's own tools: pg_dump, or WAL archiving"
        )
        stop(USAGE, f"{settings.place} is no file: {instead}")
    size = back_up(settings.path, target, Clock().wall() if detached else None)
    print(
        f"{target}: {size / 2**20:,.1f} MB, verified{'; detached: syncd writes to no tracker from it' if detached else ''}"
    )


@app.command()
def detach(
    config: ConfigOption = None,
    confirmed: Annotated[bool, typer.Option("--yes", help="Do it. No command undoes it.", show_default=False)] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Make the store a detached copy: syncd reads trackers and writes to none from it.

    For a copy of a store in a test environment, before a daemon runs on it. `syncd backup --detached` makes such a copy of a file.
    """
    with open_store(config) as (loaded, store):
        place = loaded.store.place
        if not confirmed and not dry_run:
            stop(USAGE, f"{place} would never file an issue again; with --yes it is detached")
        if not dry_run:
            store.detach()
    print(f"{place}: {'would be ' if dry_run else ''}detached; syncd writes to no tracker from it")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A file that `syncd backup` made.")],
    config: ConfigOption = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The store to replace: sqlite:///var/lib/syncd/syncd.db, or an empty database postgresql://syncd@db/syncd. \\[default: store.url]",
            show_default=False,
        ),
    ] = None,
    password_file: PasswordFileOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Replace the store by a backup.

    The daemon and its socket must be stopped. The previous file keeps its content under another name.
    """
    settings = configuration.load(config_path(config)).store if to is None else _settings("--to", to, password_file)
    verb = "would be" if dry_run else "is"
    if settings.dialect == "sqlite":
        restored = put_back(settings.path, source, Clock(), actor(), dry_run=dry_run)
        previous = f"; the previous file {verb} {restored.previous}" if restored.previous else ""
        print(f"{settings.path}: {verb} {source}, verified{previous}")
    elif to is None:
        stop(
            USAGE,
            f"restore {settings.place} with PostgreSQL's own tools: pg_restore, or point-in-time recovery; a file that `syncd backup` made "
            f"goes to an empty database with --to",
        )
    else:
        # The move marks the file that it reads: not the backup itself.
        with tempfile.TemporaryDirectory(prefix="syncd-restore-") as folder:
            copy = StoreSettings(url=f"sqlite:{folder}/syncd.db")
            restored = put_back(copy.path, source, Clock(), actor())
            rows = 0 if dry_run else sum(_move(copy, settings).values())
        print(f"{settings.place}: {verb} {source}, verified{f', {rows:,} rows' if rows else ''}")
    if restored.detached:
        print("It is a detached copy: syncd reads trackers and writes to none from it.")
    elif restored.latest is not None:
        print(
            f"It ends at {utc(restored.latest)}. What Backtrace sent later is not in it; a crash that recurs is notified again.\n"
            "Before syncd files anything, it reads which issues it has filed since then, and links them again."
        )


@app.command()
def purge(
    older: Annotated[
        float | None,
        duration_option(
            "--older-than", help="Delete folded deliveries older than this: 7d, 12h. \\[default: store.retention]"
        ),
    ] = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete folded deliveries, and old decisions and entries of the audit.

    Decisions and entries are old after store.history. The daemon does all this by itself every minute.
    """
    with open_store(config) as (loaded, store):
        now, settings = Clock().wall(), loaded.store
        before, decided = now - (settings.retention if older is None else older), now - settings.history
        old = store.inbox.purgeable(before, decided)
        if not dry_run:
            actions.purge(store, before, decided, now)
        room = store.connection.room()
    if as_json:
        shape = {"deliveries": old.deliveries, "decisions": old.decisions, "entries": old.entries}
        shape |= {"dry_run": dry_run, "taken": room.taken}
        print(json.dumps(shape, indent=2))
        return
    verb = "Would delete" if dry_run else "Deleted"
    print(
        f"{verb} {old.deliveries:,} deliveries, {old.decisions:,} decisions and {old.entries:,} entries of the audit."
    )
    if not dry_run and loaded.store.dialect == "sqlite":
        print(
            "SQLite reuses the space. To return it to the disk, stop the daemon and replace the file by a `syncd backup`."
        )


@app.command()
def migrate(config: ConfigOption = None) -> None:
    """Bring the store to this version's schema.

    `run` does this by itself.
    """
    settings = configuration.load(config_path(config)).store
    applied = bring_up(settings)
    print(f"{settings.place}: {'applied ' + ', '.join(applied) if applied else 'nothing to do'}")


@app.command("migrate-store")
def migrate_store(
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="The present store: sqlite:///var/lib/syncd/syncd.db")
    ],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="The new store: postgresql://syncd@db/syncd")],
    password_file: PasswordFileOption = None,
) -> None:
    """Move everything from a SQLite file to a PostgreSQL server.

    Needs no configuration. Afterwards the file takes nothing any more. During the move, a daemon on the file answers 503. An
    interrupted move has changed nothing: run it again.
    """
    from_, to = _settings("--from", source, None), _settings("--to", target, password_file)
    if (from_.dialect, to.dialect) != ("sqlite", "postgresql"):
        stop(USAGE, "a store moves from sqlite:… to postgresql://…")
    counts = _move(from_, to)
    rows = sum(counts.values())
    print(
        f"Moved and verified {rows:,} rows: {counts['groups']:,} groups, {counts['issues']:,} issues, "
        f"{counts['deliveries']:,} deliveries."
    )
    print(f'Now set store.url = "{target}" in config.toml and restart syncd. {from_.place} takes nothing any more.')


def _move(source: StoreSettings, target: StoreSettings) -> dict[str, int]:
    """Move a store with a bar on stderr; the number of rows by table."""
    with bar(lasting=True) as show:
        return move_store(source, target, show, actor())


def _settings(option: str, url: str, password_file: Path | None) -> StoreSettings:
    """The store at `url`. Exits with USAGE if the URL is no store's."""
    written: dict[str, object] = {"url": url}
    if password_file is not None:
        written["password"] = {"file": str(password_file)}
    try:
        return StoreSettings.model_validate(written)
    except ValidationError as error:
        # include_input=False: the input may hold a password.
        faults = error.errors(include_input=False, include_url=False)
        stop(USAGE, *(f"{option}: {fault['msg'].removeprefix('Value error, ')}" for fault in faults))
