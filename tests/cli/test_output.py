"""The output of every command on one store: its sentences in a golden file, and no text that a terminal obeys."""

import io
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import structlog

from syncd import cli
from syncd.config import StoreSettings
from syncd.errors import RejectedDelivery
from syncd.store import Store, open_store
from syncd.store.quarantine import Bound
from tests.golden import golden
from tests.store.filled import NOW, absorb, accept, crash_notification
from tests.store.stuck import doubtful, linked, parked, refused, settled, update_refused

STORE = '[store]\nurl = "sqlite:{folder}/syncd.db"\n'
CONFIG = (
    STORE
    + """
[trackers.here]
kind = "local"
folder = "{folder}/issues"
[trackers.there]
kind = "github"
repository = "acme/game"
token = {{ file = "{folder}/token" }}
[[routes]]
name = "game"
match = {{ project = "game" }}
tracker = "here"
"""
)
COMMANDS = (
    "status", "groups", "groups --held", "groups --limit 2", "groups --project game --sort users --limit 1",
    "groups --state dead", "groups --state open --sort last_day", "groups --text 'draw version:1.1'", "groups --text is:x", "groups --project gmae", "groups --text nowhere", "groups --release 1.1 --state filed", "groups --held --state dead",
    "groups --held --project game", "show K-1", "show https://example.com/2", "show d", "show #99", "show de1e7ed", "show 10cced", "show d0ub7", "show nothing",
    "titles --sample 3", "titles --sample 3 --skip-frames dr*", "titles --own-frames /(/", "titles --sample 2 --json",
    "explain dead0", "explain #1", "explain held", "explain nothing", "releases game", "releases game 1.1 --markdown", "releases gmae",
    "releases game 7", "dead list", "dead list --dropped", "dead retry", "dead retry d", "dead retry nothing",
    "dead retry dead0 --no-issue-exists", "dead retry --all --no-issue-exists", "dead retry --all --dry-run",
    "dead retry dead0 --all", "dead retry dead0 --tracker here", "dead retry --all --tracker hre",
    "dead retry K-2 --dry-run", "dead retry #99", "dead retry d0ub7 --no-issue-exists --dry-run", "dead retry de1e7ed --dry-run", "dead discard --all --dry-run",
    "dead discard de1e7ed", "quarantine list", "quarantine replay 1 --dry-run", "quarantine replay 2 --dry-run",
    "quarantine replay 9", "quarantine discard 1 --dry-run", "replay", "replay --since 2h --all-kept",
    "replay --all-kept --dry-run", "replay --since 1h --dry-run", "replay d", "purge --dry-run", "sync held", "sync dead0 --dry-run",
    "file dead0 --dry-run", "file held --reason now", "file nothing",
    "hold held --reason known", "hold held --end", "hold held --end", "hold dead0 --dry-run", "hold k-2 --dry-run", "hold --end dead0 --dry-run",
    "relink held nowhere", "relink held x --tracker hre", "alias list", "alias add dead0 dead0", "alias add held dead0 --dry-run",
    "alias add 10cced dead0 --reason 'the same bug'", "alias list", "alias remove held", "alias remove 10cced", "pause", "pause hre",
    "pause here --dry-run", "pause here --reason maintenance", "status", "dead retry dead0 --dry-run", "resume here --dry-run",
    "resume here", "resume here", "pause --route game --dry-run", "pause --route game --reason 'a release'",
    "resume --route game --dry-run", "resume --route game", "resume --route game", "pause --route gaem", "audit --actor nobody", "audit --actor nobody --json", "backup {folder}/copy.db",
    "migrate", "migrate-store --from sqlite:a.db --to sqlite:b.db",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A configuration, and a store with one group in each state."""
    (tmp_path / "config.toml").write_text(CONFIG.format(folder=tmp_path))
    store = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    fill(store)
    store.close()
    yield tmp_path
    structlog.reset_defaults()


def fill(store: Store) -> None:
    parked(store, linked(store, "de1e7ed", 1), "deleted", "K-1 was deleted")
    refused(store, "dead0", "GitHub refused it (422: [bold]body[/bold] is too long\x1b[31m\r\nsyncd: all is well)")
    update_refused(store, "10cced", 2, "GitHub refused it (403: issue is locked)")
    parked(store, doubtful(store, "d0ub7", 2), "doubt", "3 probes found no issue")
    settled(store, doubtful(store, "p20bed", 1), NOW + 60)
    accept(store, crash_notification("held", project="unrouted", application="\x1b]0;owned\x07"))
    absorb(store)
    reason = RejectedDelivery(422, "no_project", "The field project is missing", "project")
    for body in (b'{"a": "\x1b[2J"}', b'{"universe": "u", "project": "p", "fingerprint": "f"}'):
        store.quarantine.add(body, NOW, reason, Bound(10, 2**20)).result()


def printed_by(command: str, folder: Path) -> tuple[str, int]:
    """The output of a command, as it is, and its exit code."""
    arguments = shlex.split(command.format(folder=folder))  # without comments: #99 is an issue
    config = [] if arguments[0] == "migrate-store" else ["--config", str(folder / "config.toml")]
    printed, code = io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(printed):
        patch.setattr(sys, "argv", ["syncd", *arguments, *config])
        try:
            cli.main()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
    return printed.getvalue(), code


def run(command: str, folder: Path) -> str:
    """The output of a command and its exit code, without paths and times."""
    output, code = printed_by(command, folder)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", output), command
    output = output.replace(str(folder), "<folder>")
    output = re.sub(r"(?<!2027-01-15 )\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<time>", output.replace("2027-01-15", "<day>"))
    output = re.sub(r"<day> \d\d:\d\d UTC", "<time>", output)
    output = re.sub(r"\bcli:[\w.-]+", "cli:<user>", output)
    output = re.sub(r"[\d,.]+ MB", "<size> MB", re.sub(r"SQLite [\d.]+", "SQLite <version>", output))
    output = re.sub(r"the oldest for \d+s", "the oldest for <seconds>", output)
    output = re.sub(r"(?<!\()line[s]? \d+.*", "", output)
    lines = [line.rstrip() for line in output.rstrip("\n").split("\n")]
    return "\n".join([*lines, f"exit code {code}"])


def test_the_output_of_every_command(folder: Path) -> None:
    calls: dict[str, int] = {}
    for command in COMMANDS:
        calls[command] = calls.get(command, 0) + 1
        name = command if calls[command] == 1 else f"{command} ({calls[command]})"
        golden("commands", name, run(command, folder))


@pytest.mark.parametrize("command", ["show \udcff", "groups --text \udcff", "hold \udcff", "dead retry \udcff"])
def test_an_argument_that_is_not_text_is_wrong_usage(command: str, folder: Path) -> None:
    assert run(command, folder) == "syncd: an argument is not UTF-8 text\nexit code 2"


LOCAL = '[console]\nlisten = "off"\n[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n'
CHECKS = {
    "a new installation": LOCAL,
    "no tracker": '[console]\nlisten = "off"\n',
    "faults": LOCAL
    + '[receiver]\nusername = "u"\npassword = { file = "{folder}/none" }\n[[routes]]\ntracker = "here"\n'
    + '[[routes]]\nname = "late"\nmatch = { project = "x", not = { application = "y" } }\ntracker = "here"\n',
    "an unknown kind of tracker": '[console]\nlisten = "off"\n[trackers.board]\nkind = "linear"\n',
    "a template": LOCAL + '[[routes]]\ntracker = "here"\ntemplates = "{folder}"\n',
    "a secret for everybody": LOCAL + '[receiver]\nusername = "u"\npassword = { file = "{folder}/token" }\n',
    "a receiver for everybody": '[receiver]\nlisten = "0.0.0.0:80"\n',
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_findings_of_check(name: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    (tmp_path / "token").chmod(0o644)
    (tmp_path / "body.j2").write_text("{{ nothing }}")
    (tmp_path / "config.toml").write_text(
        CHECKS[name].replace("{folder}", str(tmp_path)) + STORE.format(folder=tmp_path)
    )

    golden("check", name, run("check", tmp_path))


def test_a_command_without_configuration_or_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    golden("commands", "status without configuration", run("status", tmp_path))
    (tmp_path / "config.toml").write_text(STORE.format(folder=tmp_path))
    golden("commands", "status without store", run("status", tmp_path))
