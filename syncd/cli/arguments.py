"""Options and arguments that several commands share, and what they resolve to: a configuration, a store, a group."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from syncd import config as configuration
from syncd.cli import NOT_FOUND, USAGE, stop
from syncd.config import Config, Seconds
from syncd.errors import ConfigError, StoreUnusable
from syncd.model import Identity
from syncd.operate import search
from syncd.platform import access, log
from syncd.render.text import one_line
from syncd.store import Store, read_store
from syncd.store.listing import Listed

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        readable=False,  # the command itself says why it cannot read the file, and whose it is
        help="Configuration file. \\[default: $SYNCD_CONFIG, else ./config.toml, else /etc/syncd/config.toml]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would happen, and change nothing.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="The reason, which status and console show.")
]
GROUP_HELP = "A fingerprint or its beginning, or the key or URL of the group's issue; PROJECT/FINGERPRINT if several projects share it."
GroupName = Annotated[str, typer.Argument(metavar="GROUP", help=GROUP_HELP)]

T = TypeVar("T")

_SUDO_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def config_path(path: Path | None) -> Path:
    """The path of the configuration. Raises ConfigError if there is none."""
    if path is not None:
        return path
    if path_in_environment := os.environ.get("SYNCD_CONFIG"):
        return Path(path_in_environment)
    usual = (Path("config.toml"), Path("/etc/syncd/config.toml"))
    for place in usual:
        if os.path.exists(place):  # unlike Path.exists, False where this user may not look
            return place
    if hidden := next(filter(None, map(access.obstacle, reversed(usual))), None):
        raise ConfigError([f"no configuration: {hidden}"])
    raise ConfigError(
        ["no configuration: neither ./config.toml nor /etc/syncd/config.toml exists; give one with --config"]
    )


@contextmanager
def open_store(path: Path | None) -> Iterator[tuple[Config, Store]]:
    """The configuration and its store, with or without a running daemon. Raises ConfigError, StoreError."""
    config = configuration.load(config_path(path))
    log.configure("warning")  # what the store logs belongs to stderr: programs read what the command prints
    try:
        store = read_store(config.store)
        try:
            yield config, store.acting(actor())
        finally:
            store.close()
    except StoreUnusable as error:
        require_own(config)
        raise error from None


def duration_option(*names: str, help: str) -> Any:
    """An option for a duration, with no default that could be printed."""
    return typer.Option(*names, parser=duration, metavar="DURATION", help=help, show_default=False)


def actor() -> str:
    """The actor that the audit names for this command."""
    return f"cli:{one_line(access.person(os.environ, os.getuid()), 64)}"


def require_own(config: Config) -> None:
    """Raise StoreUnusable if the store is a file of another user, mostly the service's. To give it to the user of a command would stop the
    service; the remedy is to be root."""
    settings, place = config.store, os.environ.get("SYNCD_CONFIG")
    if settings.dialect != "sqlite":
        return
    # sudo searches folders of its own, and passes on no environment.
    program = "syncd" if shutil.which("syncd", path=_SUDO_PATH) or Path(sys.argv[0]).name != "syncd" else sys.argv[0]
    passed = ["env", f"SYNCD_CONFIG={place}"] if place else []
    remedy = f"run `{shlex.join(['sudo', *passed, program, *sys.argv[1:]])}`"
    why = access.obstacle(settings.path, write=True, otherwise=remedy)
    if why is not None and why.endswith(remedy):
        raise StoreUnusable(f"the database {settings.path} cannot be used: {why}")


def find_group(store: Store, name: str) -> Listed:
    """The only group that `name` fits: the key or address of its issue, a fingerprint or its beginning. Exits with NOT_FOUND or USAGE if it
    fits none or several."""
    candidates = []
    for group in search.matches(store, name):
        issue = group.standing.issue
        candidates.append((group.standing.group.identity, issue.key if issue is not None else None, group))
    return only(candidates, name, search.absence(name))


def only(candidates: Sequence[tuple[Identity, str | None, T]], name: str, absence: str) -> T:
    """The only candidate, each with its group's identity and issue key. Exits with NOT_FOUND and `absence` if there is none, with USAGE and the
    candidates if there are several."""
    if not candidates:
        stop(NOT_FOUND, absence)
    if len(candidates) > 1:
        lines = []
        for identity, key, _ in candidates[:20]:
            line = one_line(f"{identity.universe}/{identity.project}/{identity.fingerprint}", 250)
            lines.append(f"{line}  ({one_line(key, 100)})" if key else line)
        lines += [f"… and {len(candidates) - 20:,} more"] if len(candidates) > 20 else []
        problem = f"{name!r} fits {len(candidates):,} groups; give more of one of these:"
        stop(USAGE, problem, *(f"  {line}" for line in lines))
    return candidates[0][2]


def duration(text: str) -> float:
    """Seconds from 30m, 2h, 7d. Raises BadParameter."""
    try:
        return float(TypeAdapter(Seconds).validate_python(text))
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
