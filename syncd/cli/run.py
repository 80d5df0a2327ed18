"""`run`, `migrate`, `check`: the commands of whoever operates the daemon."""

import enum
import os
from typing import Annotated

import typer

from syncd.cli import FAILED, ConfigOption, app, config_path, stop


class Level(enum.StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Part(enum.StrEnum):
    """What a process does where several share a store."""

    RECEIVER = "receiver"
    WORKER = "worker"


@app.command()
def run(
    config: ConfigOption = None,
    log_level: Annotated[Level, typer.Option(help="How much to log.")] = Level.INFO,
    only: Annotated[
        Part | None,
        typer.Option(
            help="Take notifications, or file issues, and leave the rest to other processes on the same store."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Take notifications and plan, and send nothing to any tracker.")
    ] = False,
) -> None:
    """Run receiver and worker, or one of them, until SIGTERM, which finishes what is in hand."""
    import structlog

    from syncd import config as configuration
    from syncd.daemon import app as parts
    from syncd.platform import log, systemd

    log.configure(log_level.value)
    path = config_path(config)
    loaded = configuration.load(path)
    for warning in configuration.warnings(loaded):
        structlog.get_logger("syncd").warning("configuration_warning", warning=warning)
    part = parts.Part.ALL if only is None else parts.Part(only.value)
    daemon = parts.build(loaded, systemd.Manager(os.environ), systemd.passed_sockets(os.environ), part, dry=dry_run)
    daemon.run()


@app.command()
def migrate(config: ConfigOption = None) -> None:
    """Bring the store to this program's schema. `run` does so by itself."""
    from syncd import config as configuration
    from syncd.store import bring_up

    loaded = configuration.load(config_path(config))
    applied = bring_up(loaded.store)
    print(f"{loaded.store.place}: " + (f"applied {', '.join(applied)}" if applied else "nothing to do"))


@app.command()
def check(config: ConfigOption = None) -> None:
    """Judge the configuration, the store, and every tracker (login, project, permissions, fields). Creates nothing."""
    from rich.text import Text

    from syncd import config as configuration
    from syncd.cli.check import findings
    from syncd.cli.tables import console

    path = config_path(config)
    loaded = configuration.load(path)
    out = console()
    out.print(Text("✓ ", style="green").append(f"configuration: {path}"))
    for warning in configuration.warnings(loaded):
        out.print(Text("! ", style="yellow").append(warning))
    bad = 0
    for part, finding in findings(loaded):
        mark = Text("✓ ", style="green") if finding.ok else Text("✗ ", style="red")
        out.print(mark.append(f"{part}: {finding.what}", style="default"))
        if not finding.ok:
            bad += 1
            out.print(Text(f"  → {finding.remedy}"))
    if bad:
        stop(FAILED, f"{bad} of these must be mended before crashes can be filed")
