"""`systemd-unit`: the units of deploy/, adapted to this installation and its configuration."""

import re
import shutil
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from syncd import config as configuration
from syncd.cli import USAGE, stop
from syncd.cli.arguments import ConfigOption
from syncd.config import Config, secrets
from syncd.config.values import CREDENTIALS

app = typer.Typer(add_completion=False)

_WITHOUT_NETWORK = "RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=yes\nIPAddressDeny=any"


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
        print(activation(loaded, part), end="")
        return
    next_to_python = Path(sys.executable).with_name("syncd")
    program = str(next_to_python) if next_to_python.exists() else shutil.which("syncd") or "/opt/syncd/bin/syncd"
    command = [program, "run", *(["--only", part] if part != "all" else []), "--config", str(path)]
    print(service(loaded, command, part), end="")


def service(config: Config | None, command: Sequence[str], part: str = "all") -> str:
    """The text of `syncd.service` that runs `command`. `part` is `all`, `receiver` or `worker`. A receiver with a SQLite store gets no
    network. Without a configuration the unit loads no credential."""
    text = _template("syncd.service")
    text = text.replace(_line(text, "ExecStart"), f"ExecStart={' '.join(map(_quoted, command))}")
    loaded = [f"LoadCredential={name}:{CREDENTIALS}/{name}" for name in _credentials(config, part)]
    if loaded:
        text = text.replace("UMask=0077\n", "UMask=0077\n" + "\n".join(loaded) + "\n")
    if part == "receiver" and (config is None or config.store.dialect == "sqlite"):
        text = text.replace(_line(text, "RestrictAddressFamilies"), _WITHOUT_NETWORK)
        # Its only connection to the outside is the socket that systemd passes to it.
        text = text.replace("[Unit]\n", "[Unit]\nRequires=syncd.socket\n")
    if part != "all":
        text = text.replace("Description=syncd:", f"Description=syncd {part}:")
    if part == "worker":
        text = text.replace("After=network-online.target syncd.socket", "After=network-online.target")
    return text


def activation(config: Config | None, part: str = "all") -> str:
    """The text of `syncd.socket` that listens on the configured address."""
    text = _template("syncd.socket")
    if config is not None:
        text = text.replace(_line(text, "ListenStream"), f"ListenStream={config.receiver.listen}")
    if part == "receiver":
        text = text.replace("NoDelay=yes\n", "NoDelay=yes\nService=syncd-receiver.service\n")
    return text


def _template(name: str) -> str:
    """A unit from deploy/, which the wheel contains as a part of the package."""
    installed = files("syncd").joinpath("share", "deploy", name)
    template = installed if installed.is_file() else Path(__file__).resolve().parents[2] / "deploy" / name
    return template.read_text(encoding="utf-8")


def _line(text: str, key: str) -> str:
    line = re.search(rf"^{key}=.*$", text, re.MULTILINE)
    if line is None:
        raise ValueError(f"the template has no {key}=")
    return line[0]


def _quoted(argument: str) -> str:
    # systemd.service(5), "Command lines": % begins a specifier, $ a variable.
    argument = argument.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./$-]+", argument):
        return argument
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _credentials(config: Config | None, part: str) -> list[str]:
    """The names of the credentials that a part needs. A receiver needs those of no tracker, a worker not that of the webhook."""
    if config is None:
        return []
    excluded = {"receiver": "trackers.", "worker": "receiver."}.get(part)
    names = {secret.credential for key, secret in secrets(config) if excluded is None or not key.startswith(excluded)}
    return sorted(name for name in names if name is not None)
