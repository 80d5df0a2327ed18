"""`systemd-unit`: the units that run this syncd under systemd."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from syncd import config as configuration
from syncd.cli import USAGE, stop
from syncd.cli.arguments import ConfigOption
from syncd.config import units

app = typer.Typer(add_completion=False)


@app.command("systemd-unit")
def systemd_unit(
    config: ConfigOption = None,
    socket: Annotated[bool, typer.Option("--socket", help="Print the socket unit instead of the service.")] = False,
    receiver_only: Annotated[
        bool,
        typer.Option("--receiver-only", help="Only a receiver. With a SQLite store it needs no network of its own."),
    ] = False,
    worker_only: Annotated[bool, typer.Option("--worker-only", help="Only a worker.")] = False,
) -> None:
    """Print the systemd unit for this syncd and its configuration.

    The unit has the paths, the credentials and the sandbox.
    """
    if receiver_only and worker_only:
        stop(USAGE, "--receiver-only and --worker-only contradict each other; omit both for one daemon")
    if socket and worker_only:
        stop(USAGE, "a worker listens on nothing, so it has no socket unit")
    part = "receiver" if receiver_only else "worker" if worker_only else "all"
    path = Path("/etc/syncd/config.toml") if config is None else config.absolute()
    loaded = configuration.load(path) if path.exists() else None
    if socket:
        print(units.activation(loaded, part), end="")
        return
    next_to_python = Path(sys.executable).with_name("syncd")
    program = str(next_to_python) if next_to_python.exists() else shutil.which("syncd") or "/opt/syncd/bin/syncd"
    command = [program, "run", *(["--only", part] if part != "all" else []), "--config", str(path)]
    print(units.service(loaded, command, part), end="")
