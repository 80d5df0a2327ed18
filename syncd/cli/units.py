"""`systemd-unit`: print the unit that runs this syncd."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import USAGE, ConfigOption, app, stop

if TYPE_CHECKING:
    from syncd.config import Config


@app.command("systemd-unit")
def systemd_unit(
    config: ConfigOption = None,
    socket: Annotated[bool, typer.Option("--socket", help="The socket unit instead of the service.")] = False,
    receiver_only: Annotated[
        bool,
        typer.Option("--receiver-only", help="A receiver alone; with a store in a file it has no network of its own."),
    ] = False,
    worker_only: Annotated[bool, typer.Option("--worker-only", help="A worker alone.")] = False,
) -> None:
    """Print the systemd unit for this syncd and its configuration: paths, credentials, sandbox."""
    from syncd.config import units

    if receiver_only and worker_only:
        stop(USAGE, "--receiver-only and --worker-only contradict each other; leave both out for one daemon")
    if socket and worker_only:
        stop(USAGE, "a worker listens on nothing, so it has no socket unit")
    part = "receiver" if receiver_only else "worker" if worker_only else "all"
    path, loaded = _configuration(config)
    if socket:
        print(units.activation(loaded, part), end="")
        return
    command = [_program(), "run", *(["--only", part] if part != "all" else []), "--config", str(path)]
    print(units.service(loaded, command, part), end="")


def _configuration(given: Path | None) -> "tuple[Path, Config | None]":
    """Where the configuration will be, and what is in it if it is there already."""
    from syncd import config as configuration

    path = Path("/etc/syncd/config.toml") if given is None else given.absolute()
    return path, configuration.load(path) if path.exists() else None


def _program() -> str:
    """The `syncd` beside this Python, else the one on the PATH."""
    beside = Path(sys.executable).with_name("syncd")
    return str(beside) if beside.exists() else shutil.which("syncd") or "/opt/syncd/bin/syncd"
