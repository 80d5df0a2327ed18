"""`backup`: a copy of the store."""

from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import USAGE, ConfigOption, app, config_path, stop


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; it must not exist.")],
    config: ConfigOption = None,
) -> None:
    """Copy the store to FILE while the daemon goes on, and read the copy back."""
    from syncd import config as configuration
    from syncd.store.sqlite.backup import back_up

    settings = configuration.load(config_path(config)).store
    if settings.dialect != "sqlite":
        stop(USAGE, f"{settings.place} is backed up with PostgreSQL's own means: pg_dump, or WAL archiving")
    size = back_up(settings.path, target)
    print(f"{target}: {size / 2**20:,.1f} MB, read back and whole")
