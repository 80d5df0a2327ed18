"""Options and arguments that several commands share, and what they resolve to: a configuration, a store, a group."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from syncd import config as configuration
from syncd.cli import NOT_FOUND, USAGE, stop
from syncd.config import Config, Seconds
from syncd.errors import ConfigError, StoreUnusable
from syncd.model import Identity
from syncd.platform import access, log
from syncd.render.text import one_line
from syncd.store import Store, read_store
from syncd.store.listing import Listed

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        readable=False,  # the command itself says why it cannot read the file, and whose it is
        help="Configuration file. \\[default: $SYNCD_CONFIG, else ./config.toml, else /etc/syncd/config.toml]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would happen, and change nothing.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="The reason, which status and console show.")]
Fingerprint = Annotated[
    str,
    typer.Argument(
        metavar="FINGERPRINT",
        help="A fingerprint or its beginning; PROJECT/FINGERPRINT if several projects share it.",
    ),
]

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
    """The only group that `name` fits: a fingerprint or its beginning, also after PROJECT/ or UNIVERSE/PROJECT/. Exits with
    NOT_FOUND or USAGE if it fits none or several."""
    # A fingerprint may contain a slash itself.
    tails = {name, *("/".join(name.split("/")[parts:]) for parts in (1, 2))}
    listed = {group.id: group for tail in tails if tail for group in store.lists.by_fingerprint(tail, 1000)}
    candidates = [(group.standing.group.identity, group) for group in listed.values()]
    return pick(candidates, name, "no group has a fingerprint that begins with")


def pick(candidates: Iterable[tuple[Identity, T]], name: str, nothing: str) -> T:
    """The only candidate that `name` fits whole, else the only one that it begins. Exits with `nothing` if it fits none."""
    wanted = name.lower()
    whole, begun = [], []
    for identity, candidate in candidates:
        project = f"{identity.project.lower()}/"
        prefixes = ("", project, f"{identity.universe.lower()}/{project}")
        names = [prefix + identity.fingerprint.lower() for prefix in prefixes]
        if wanted in names:
            whole.append((identity, candidate))
        # A project alone names no group.
        if any(len(wanted) > len(prefixes[at]) and names[at].startswith(wanted) for at in range(3)):
            begun.append((identity, candidate))
    fits = whole or begun
    if not fits:
        stop(NOT_FOUND, f"{nothing} {name!r}")
    if len(fits) > 1:
        identities = [identity for identity, _ in fits[:20]]
        lines = [one_line(f"{each.universe}/{each.project}/{each.fingerprint}", 250) for each in identities]
        lines += [f"… and {len(fits) - 20:,} more"] if len(fits) > 20 else []
        stop(USAGE, f"{name!r} fits {len(fits):,} groups; give more of one of these:", *(f"  {line}" for line in lines))
    return fits[0][1]


def duration(text: str) -> float:
    """Seconds from 30m, 2h, 7d. Raises BadParameter."""
    try:
        return float(TypeAdapter(Seconds).validate_python(text))
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
