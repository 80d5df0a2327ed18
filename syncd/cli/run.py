"""`run`: the daemon."""

import enum
import os
import signal
from typing import Annotated

import structlog
import typer

from syncd import config as configuration
from syncd.cli.arguments import ConfigOption, config_path
from syncd.daemon import app as daemon
from syncd.errors import ConfigError
from syncd.platform import log, process, systemd
from syncd.store.inbox import Part

app = typer.Typer(add_completion=False)


class Level(enum.StrEnum):
    """The least severe events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@app.command()
def run(
    config: ConfigOption = None,
    log_level: Annotated[
        Level, typer.Option(metavar="LEVEL", help=f"The least severe events to log: {', '.join(Level)}.")
    ] = Level.INFO,
    only: Annotated[
        Part,
        typer.Option(
            metavar="PART",
            help=f"The part that runs, if other processes share the store: {', '.join(Part)}.",
        ),
    ] = Part.ALL,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Accept notifications and plan, but send nothing to any tracker.")
    ] = False,
) -> None:
    """Run the receiver and the worker until SIGTERM.

    On SIGTERM, syncd finishes the work in progress first.
    """
    process.harden()
    log.configure(log_level.value)
    loaded = configuration.load(config_path(config))
    for warning in configuration.warnings(loaded):
        structlog.get_logger("syncd").warning("configuration_warning", warning=warning)
    try:
        manager, sockets = systemd.Manager(os.environ), systemd.passed_sockets(os.environ)
    except ValueError as error:
        raise ConfigError([f"WATCHDOG_USEC or LISTEN_FDS, which the service manager sets: {error}"]) from None
    signals: list[str] = []
    # A daemon that is stopped while it starts has not crashed.
    with daemon.on_signals(lambda number, _: signals.append(signal.Signals(number).name)):
        daemon.build(loaded, manager, sockets, only, dry=dry_run).run(signals)
