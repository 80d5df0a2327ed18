"""The commands. Each imports what it needs when it runs: `syncd --help` loads neither trackers nor servers."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from syncd import __version__
from syncd.errors import ConfigError, StoreError, SyncdError

FAILED, USAGE, UNHEALTHY, NOT_FOUND, LATER, BAD_CONFIG = 1, 2, 3, 4, 75, 78

app = typer.Typer(
    name="syncd",
    help="Turns crash-group notifications into issues, exactly one per crash.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables could show a secret
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file. \\[default: $SYNCD_CONFIG, else ./config.toml, else /etc/syncd/config.toml]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def main() -> None:
    """The entry point: errors made on purpose become one line each and an exit code."""
    try:
        _run()
    except ConfigError as error:
        stop(BAD_CONFIG, *error.problems)
    except StoreError as error:
        stop(FAILED, str(error))
    except SyncdError as error:
        stop(FAILED, str(error))
    except BrokenPipeError:
        # The reader of our output has left (`| head`): nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run() -> None:
    try:
        app()
    finally:
        sys.stdout.flush()  # here, where a reader that has left can be told from a fault; at exit nobody could


def stop(code: int, *lines: str) -> NoReturn:
    """End with words on stderr."""
    for line in lines:
        print(f"syncd: {line}", file=sys.stderr)
    sys.exit(code)


def config_path(given: Path | None) -> Path:
    """Where the configuration is. Raises ConfigError when it is nowhere."""
    if given is not None:
        return given
    if named := os.environ.get("SYNCD_CONFIG"):
        return Path(named)
    usual = [Path("config.toml"), Path("/etc/syncd/config.toml")]
    for path in usual:
        if path.exists():
            return path
    raise ConfigError(
        ["no configuration: neither ./config.toml nor /etc/syncd/config.toml exists; name one with --config"]
    )


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        print(f"syncd {__version__}")
        raise typer.Exit


# Importing them registers their commands.
from syncd.cli import (  # noqa: E402, F401
    alias,
    backup,
    dead,
    demo,
    explain,
    group,
    lookups,
    migrate_store,
    pause,
    purge,
    releases,
    replay,
    run,
    send_test,
    units,
)
