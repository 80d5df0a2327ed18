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


_SERVICE, _CRASHES, _TRACKERS, _STORE = "Run and service", "Crashes", "Trackers", "Store"
COMMANDS = {
    "demo": Entry("demo", _SERVICE, "Run everything here with files as issues: no account, no token, a few seconds."),
    "check": Entry("check", _SERVICE, "Check the configuration, the store and every tracker."),
    "run": Entry("run", _SERVICE, "Run the receiver and the worker until SIGTERM."),
    "status": Entry("status", _SERVICE, "Show the daemon's state: what waits, what is held, what needs a person."),
    "send-test": Entry(
        "send_test", _SERVICE, "Send one test notification to the running daemon, and wait for its issue."
    ),
    "systemd-unit": Entry("systemd_unit", _SERVICE, "Print the systemd unit for this syncd and its configuration."),
    "groups": Entry("groups", _CRASHES, "List crash groups with counts and issues, the latest crash first."),
    "show": Entry("groups", _CRASHES, "Show one crash group: counts, releases, stack, issue, decisions."),
    "explain": Entry("explain", _CRASHES, "Explain a group: what happened, what would happen now, and by which rules."),
    "releases": Entry("releases", _CRASHES, "Show which crashes are new, regressed, still seen or gone in a release."),
    "titles": Entry(
        "titles", _CRASHES, "Show what the latest groups would be called, and what changed patterns would change."
    ),
    "sync": Entry("operator", _CRASHES, "Bring a group's issue up to date now."),
    "file": Entry(
        "operator", _CRASHES, "File a held group now, past the route's thresholds and its limit of new issues."
    ),
    "hold": Entry("operator", _CRASHES, "Hold a group: file nothing and write nothing to its issue, until --end."),
    "relink": Entry("operator", _CRASHES, "Link a group to an issue that exists already."),
    "adopt": Entry("adopt", _CRASHES, "Take over issues that exist already, before their crash is filed again."),
    "backfill": Entry("backfill", _CRASHES, "Read all groups of a Backtrace project into the store."),
    "alias": Entry("operator", _CRASHES, "Show one group's occurrences on another group's issue: add, remove, list."),
    "dead": Entry("dead", _TRACKERS, "List, retry or discard groups that are stuck: refused, parked or dropped."),
    "pause": Entry("pause", _TRACKERS, "Stop sending to a tracker, or by a route, until `resume`."),
    "resume": Entry("pause", _TRACKERS, "Resume a tracker or route now."),
    "notices": Entry("notices", _TRACKERS, "Send samples to a channel."),
    "audit": Entry("audit", _STORE, "Show who changed what, the newest change first."),
    "quarantine": Entry(
        "quarantine", _STORE, "List, show, replay or discard deliveries that cannot be read as a notification."
    ),
    "replay": Entry("replay", _STORE, "Read stored deliveries again with this version of syncd."),
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
def _version(
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and exit.")] = False,
) -> None:
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
    except UnicodeEncodeError:
        # Python decodes other bytes of an argument as surrogates, which no database and no JSON takes.
        if not any("\ud800" <= sign <= "\udfff" for sign in "".join(sys.argv)):
            raise
        stop(USAGE, "an argument is not UTF-8 text")
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
