"""The commands: which there are, and what happens to their errors.

One module holds one command or a few that belong together. It is imported when one of them is called, and imports at its top what they
need; `syncd --help` imports none of them.
"""

import os
import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from syncd import __version__
from syncd.errors import ConfigError, StoreUnusable, SyncdError
from syncd.platform import access, process

FAILED, USAGE, UNHEALTHY, NOT_FOUND, LATER, BAD_CONFIG = 1, 2, 3, 4, 75, 78


class Entry(NamedTuple):
    """A command in the list of `syncd --help`. `help` is the first sentence of the command's own help."""

    module: str
    panel: str
    help: str


_RUN, _LOOK, _DECIDE, _STORE = "Run", "Look", "Decide", "Look after the store"
COMMANDS = {
    "demo": Entry("demo", _RUN, "Run everything here with files as issues: no account, no token, a few seconds."),
    "check": Entry("check", _RUN, "Check the configuration, the store and every tracker."),
    "run": Entry("run", _RUN, "Run the receiver and the worker until SIGTERM."),
    "send-test": Entry("send_test", _RUN, "Send one test notification to the running daemon."),
    "systemd-unit": Entry("systemd_unit", _RUN, "Print the systemd unit for this syncd and its configuration."),
    "status": Entry("status", _LOOK, "Show the daemon's state: what waits, what is held, what needs a person."),
    "groups": Entry("groups", _LOOK, "List crash groups with counts and issues, the latest crash first."),
    "show": Entry("groups", _LOOK, "Show one crash group: counts, releases, stack, issue, decisions."),
    "titles": Entry(
        "titles", _LOOK, "Show what the latest groups would be called, and what changed patterns would change."
    ),
    "explain": Entry("explain", _LOOK, "Explain a group: what happened, what would happen now, and by which rules."),
    "releases": Entry("releases", _LOOK, "Show which crashes are new, regressed, still seen or gone in a release."),
    "audit": Entry("audit", _LOOK, "Show who changed what, the newest change first."),
    "dead": Entry("dead", _DECIDE, "List, retry or discard groups that are stuck: refused, parked or dropped."),
    "quarantine": Entry(
        "quarantine", _DECIDE, "List, show, replay or discard deliveries that cannot be read as a notification."
    ),
    "sync": Entry("operator", _DECIDE, "Bring a group's issue up to date now."),
    "file": Entry(
        "operator", _DECIDE, "File a held group now, past the route's thresholds and its limit of new issues."
    ),
    "hold": Entry("operator", _DECIDE, "Hold a group: file nothing and write nothing to its issue, until --end."),
    "relink": Entry("operator", _DECIDE, "Link a group to an issue that exists already."),
    "adopt": Entry("adopt", _DECIDE, "Take over issues that exist already, before their crash is filed again."),
    "alias": Entry("operator", _DECIDE, "Show one group's occurrences on another group's issue: add, remove, list."),
    "pause": Entry("pause", _DECIDE, "Stop sending to a tracker, or by a route, until `resume`."),
    "resume": Entry("pause", _DECIDE, "Resume a tracker or route now."),
    "replay": Entry("replay", _DECIDE, "Read stored deliveries again with this version of syncd."),
    "backup": Entry("store", _STORE, "Copy the store to FILE while the daemon runs, and verify the copy."),
    "restore": Entry("store", _STORE, "Replace the store by a backup."),
    "detach": Entry(
        "store", _STORE, "Make the store a detached copy: syncd reads trackers and writes to none from it."
    ),
    "purge": Entry("store", _STORE, "Delete folded deliveries, and old decisions and entries of the audit."),
    "migrate": Entry("store", _STORE, "Bring the store to this version's schema."),
    "migrate-store": Entry("store", _STORE, "Move everything from a SQLite file to a PostgreSQL server."),
}


class Commands(TyperGroup):
    """Lists the commands from COMMANDS, and imports a command's module when the command is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.help, rich_help_panel=entry.panel))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Replace the listed command by the real one."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            command = typer.main.get_command(import_module(f"syncd.cli.{COMMANDS[name].module}").app)
            if isinstance(command, TyperGroup):
                command = command.commands.get(name, command)  # of several commands, or the group that `name` is
        return name, command, rest


app = typer.Typer(
    name="syncd",
    help="Turns crash-group notifications into issues, exactly one per crash.",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables could show a secret
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        print(f"syncd {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line. Each error of syncd's own becomes lines on stderr and an exit code."""
    process.make_private()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here, where a closed pipe can still be handled; at exit it could not
    except ConfigError as error:
        stop(BAD_CONFIG, *error.problems)
    except StoreUnusable as error:
        stop(BAD_CONFIG, str(error))
    except SyncdError as error:
        stop(FAILED, str(error))
    except OSError as error:
        # What is left in the buffer would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # the reader of the output closed it (`| head`), which is no error
            stop(BAD_CONFIG if access.lasts(error) else FAILED, access.explain(error))


def stop(code: int, *lines: str) -> NoReturn:
    """Print the lines to stderr and exit with `code`."""
    for line in lines:
        print(f"syncd: {line}", file=sys.stderr)
    sys.exit(code)
