"""`systemd-unit`: the units of deploy/, adapted to this installation and its configuration."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import typer

from syncd import config as configuration
from syncd.cli import BAD_CONFIG, USAGE, stop
from syncd.cli.arguments import ConfigOption
from syncd.config import Config, secrets
from syncd.config.values import CREDENTIALS

app = typer.Typer(add_completion=False)

_WITHOUT_NETWORK = "RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=yes\nIPAddressDeny=any"
# systemd.exec(5): the folders that a setting hides from the service.
_HIDDEN = {"ProtectHome=yes": ("/home", "/root", "/run/user"), "PrivateTmp=yes": ("/tmp", "/var/tmp")}  # noqa: S108
_STATE = Path("/var/lib/syncd")
_INSTALL = (
    "install syncd in a folder that the service can read: /usr/bin/python3 -m venv /opt/syncd && "
    "/opt/syncd/bin/pip install WHEEL, or PIPX_HOME=/opt/pipx PIPX_BIN_DIR=/usr/local/bin pipx install --python "
    "/usr/bin/python3 WHEEL; then print the unit with that syncd, or name it with --program"
)
# The keys of the configuration that a part does not use.
_UNUSED = {"receiver": ("trackers.", "backtrace.", "routes["), "worker": ("receiver.", "sources.", "hooks.")}


class _Needed(NamedTuple):
    """A path that the service uses. `remedy` is the way out if the sandbox hides it."""

    what: str
    path: Path
    remedy: str
    use: Literal["read", "write", "secret"] = "read"


@app.command("systemd-unit")
def systemd_unit(
    config: ConfigOption = None,
    socket: Annotated[bool, typer.Option("--socket", help="Print the socket unit instead of the service.")] = False,
    receiver_only: Annotated[
        bool,
        typer.Option("--receiver-only", help="Only a receiver. With a SQLite store it needs no network of its own."),
    ] = False,
    worker_only: Annotated[bool, typer.Option("--worker-only", help="Only a worker.")] = False,
    program: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The syncd that the service runs. \\[default: this syncd]", show_default=False
        ),
    ] = None,
) -> None:
    """Print the systemd unit for this syncd and its configuration.

    The unit has the paths, the credentials and the sandbox. Refuses a program, a Python or a configuration that the sandbox hides.
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
    if program is None:
        next_to_python = Path(sys.executable).with_name("syncd")
        program = next_to_python if next_to_python.exists() else Path(shutil.which("syncd") or "/opt/syncd/bin/syncd")
    command = [str(program.absolute()), "run", *(["--only", part] if part != "all" else []), "--config", str(path)]
    unit = service(loaded, command, part)
    needed = [*_program(program.absolute()), *_configuration(path, loaded, part)]
    if refusals := hidden(unit, needed):
        stop(BAD_CONFIG, *refusals)
    for warning in dict.fromkeys(inaccessible(needed)):
        print(f"syncd: warning: {warning}", file=sys.stderr)
    print(unit, end="")


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
        text = text.replace(" syncd.socket\n", "\n")
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
    names = {secret.credential for key, secret in secrets(config) if not key.startswith(_UNUSED.get(part, ()))}
    return sorted(name for name in names if name is not None)


def _program(program: Path) -> Iterator[_Needed]:
    """The program, the Python that its first lines name, and the Python from which that one's virtual environment was made."""
    yield _Needed("the program", program, _INSTALL)
    if program == Path(sys.executable).with_name("syncd"):
        # An editable installation runs the checkout, wherever that is.
        yield _Needed("the package", Path(__file__).parents[1], _INSTALL)
        yield _Needed("its Python", Path(sys.base_prefix), _INSTALL)
    try:
        with program.open("rb") as script:
            head = script.read(4096).decode("utf-8", "replace")
    except OSError:
        return  # it may not be installed yet
    # pip writes the second form where the first would be too long or has a space.
    line = (
        re.match(r"#!\s*(/.+?)(?:\s-\S+)?\n", head),
        re.search(r"^'''exec' (['\"]?)(/.+?)\1 \"\$0\"", head, re.MULTILINE),
    )
    python = Path(line[1][2] if line[1] else line[0][1] if line[0] else "/usr/bin/python3")
    yield _Needed("its Python", python, _INSTALL)
    environment = python.parent.parent / "pyvenv.cfg"
    if environment.is_file() and (home := re.search(r"^home\s*=\s*(/.+?)\s*$", environment.read_text(), re.MULTILINE)):
        yield _Needed("its Python", Path(home[1], python.name), _INSTALL)


def _configuration(path: Path, config: Config | None, part: str) -> Iterator[_Needed]:
    """The configuration, and every file and folder that it names by an absolute path and that `part` uses."""
    yield _Needed("the configuration", path, f"move it to /etc/syncd/{path.name}")
    if config is None:
        return
    credential = f'write {{ credential = "NAME" }} and put the secret into {CREDENTIALS}/NAME'
    below, state = "move it below /etc/syncd", f"move it below {_STATE}"
    named: list[tuple[str, str | None, str, Literal["read", "write", "secret"]]] = [
        (key, secret.file, credential, "secret") for key, secret in secrets(config)
    ]
    for name, tracker in config.trackers.items():
        named.append((f"trackers.{name}.ca_file", getattr(tracker, "ca_file", None), below, "read"))
        named.append((f"trackers.{name}.folder", getattr(tracker, "folder", None), state, "write"))
    named += [
        (f"backtrace.{name}.ca_file", settings.ca_file, below, "read") for name, settings in config.backtrace.items()
    ]
    named += [
        (f"routes[{number}].templates", route.templates, below, "read") for number, route in enumerate(config.routes)
    ]
    if config.store.dialect == "sqlite":
        named.append(("store.url", str(config.store.path), state, "write"))
    else:
        parameters = parse_qsl(urlsplit(config.store.url).query)
        named += [(f"{parameter} in store.url", value, below, "read") for parameter, value in parameters]
    for key, place, remedy, use in named:
        if place is not None and place.startswith("/") and not key.startswith(_UNUSED.get(part, ())):
            yield _Needed(key, Path(place), remedy, use)


def hidden(unit: str, needed: Sequence[_Needed]) -> list[str]:
    """What the sandbox of `unit` hides, itself or behind a symbolic link, and then the ways out. Such a service cannot start."""
    settings = [(line, folder) for line, folders in _HIDDEN.items() if f"\n{line}\n" in unit for folder in folders]
    facts: dict[str, str] = {}
    remedies: dict[str, str] = {}
    for what, path, remedy, _ in needed:
        for visited in _links(path):
            for line, folder in settings:
                if visited.is_relative_to(folder) or visited.is_relative_to(os.path.realpath(folder)):
                    where = str(path) if visited == path else f"{path}, which leads to {visited}"
                    facts.setdefault(what, f"the service cannot use {what}, {where}: {line} hides {folder}")
                    remedies.setdefault(remedy, f"→ {what}: {remedy}")
    return [*facts.values(), *remedies.values()]


def inaccessible(needed: Sequence[_Needed]) -> Iterator[str]:
    """A sentence for each path that the service can see and not use: its user is no owner of files outside of its state folder."""
    for what, path, remedy, use in needed:
        if use == "read" and not path.exists():
            yield f"{what}, {path}, does not exist yet"
        if use == "write" and not path.is_relative_to(_STATE):
            yield f"the service may write only in {_STATE}, and {what} is {path}; {remedy}"
        for visited in reversed([path, *path.parents]) if use != "write" else ():
            mode = visited.stat().st_mode if visited.exists() else 0o777
            right, verb, bit = ("x", "enter", 0o1) if visited.is_dir() else ("r", "read", 0o4)
            if not mode & bit:
                cure = remedy if use == "secret" else f"chmod o+{right} {visited}"
                yield f"the service's user cannot {verb} {visited} (mode {mode & 0o7777:04o}) and needs {what}; {cure}"
                break


def _links(path: Path) -> Iterator[Path]:
    """The path, and each path that a symbolic link in it leads to."""
    waiting, visited = [Path(os.path.normpath(path)), Path(os.path.realpath(path))], set()
    while waiting:
        current = waiting.pop(0)
        if current in visited:
            continue
        visited.add(current)
        yield current
        for link in (current, *current.parents):
            if link.is_symlink():
                target = os.path.join(link.parent, os.readlink(link), current.relative_to(link))
                waiting.append(Path(os.path.normpath(target)))
