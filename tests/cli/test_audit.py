"""Every command that changes something leaves its entry in the audit, and no other one does."""

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.core import TyperGroup

from syncd import cli
from syncd.config import StoreSettings
from syncd.platform import access
from tests.cli.test_output import CONFIG, run
from tests.manual import command
from tests.operate import changes

# By command: what comes before it, its call, and the entries that it leaves: action, kind and subject of each.
CHANGING: dict[str, tuple[tuple[str, ...], str, tuple[tuple[str, str, str], ...]]] = {
    "sync": ((), "sync 10cced", (("sync", "group", "10cced"),)),
    "file": ((), "file dead0 --reason now", (("file", "group", "dead0"),)),
    "hold": ((), "hold dead0 --reason wait", (("hold", "group", "dead0"),)),
    "adopt": ((), "adopt {folder}/issues.csv --tracker here", (("adopt", "group", "dead0"),)),
    "relink": ((), "relink 10cced made-by-hand --tracker here", (("relink", "group", "10cced"),)),
    "alias add": ((), "alias add 10cced dead0", (("add alias", "group", "10cced"),)),
    "alias remove": (("alias add 10cced dead0",), "alias remove 10cced", (("remove alias", "group", "10cced"),)),
    "pause": ((), "pause here --reason moving", (("pause", "tracker", "here"),)),
    "resume": (("pause --route game",), "resume --route game", (("resume", "route", "game"),)),
    "replay": ((), "replay --all-kept", (("replay", "store", "store"),)),
    "dead retry": ((), "dead retry dead0 d0ub7", (("retry", "group", "d0ub7"), ("retry", "group", "dead0"))),
    "dead discard": ((), "dead discard dead0", (("discard", "group", "dead0"),)),
    "quarantine replay": ((), "quarantine replay 2", (("replay", "delivery", "quarantine/2"),)),
    "quarantine discard": ((), "quarantine discard 1", (("discard", "delivery", "quarantine/1"),)),
    "purge": ((), "purge --older-than 1h", (("purge", "store", "store"),)),
    "detach": ((), "detach --yes", (("detach", "store", "store"),)),
    "restore": (("backup {folder}/copy.db",), "restore {folder}/copy.db", (("restore", "store", "store"),)),
}
# The call of each other command. None: the daemon, what starts one, what asks trackers, and what prints what this test cannot take.
READING: dict[str, str | None] = {
    "demo": None, "run": None, "send-test": None, "systemd-unit": None, "migrate": "migrate",
    "migrate-store": None,  # tests/store/test_copying.py: its entry is on the server
    "backfill": None,  # tests/backtrace/test_backfill.py: it asks Backtrace
    "check": None, "quarantine show": None, "notices test": None,
    "status": "status", "groups": "groups", "show": "show dead0", "explain": "explain dead0", "releases": "releases game",
    "audit": "audit", "titles": "titles --sample 3", "dead list": "dead list", "quarantine list": "quarantine list",
    "alias list": "alias list", "backup": "backup {folder}/copy.db",
}  # fmt: skip


def leaves() -> Iterator[tuple[str, set[str]]]:
    """Every command and subcommand, with its options."""
    for name in cli.COMMANDS:
        whole = command(name)
        inner = whole.commands if isinstance(whole, TyperGroup) else {}
        for path, leaf in {f"{name} {sub}": each for sub, each in inner.items()}.items() or [(name, whole)]:
            yield path, {option for parameter in leaf.params for option in parameter.opts}


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[StoreSettings]:
    (tmp_path / "config.toml").write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "issues.csv").write_text("fingerprint,issue\ndead0,made-by-hand\n")
    yield changes.filled(tmp_path)
    structlog.reset_defaults()


def test_every_command_is_listed_here_and_those_with_a_dry_run_change_something() -> None:
    options = dict(leaves())
    assert options.keys() == CHANGING.keys() | READING.keys()
    assert CHANGING.keys().isdisjoint(READING)
    assert {name for name in READING if "--dry-run" in options[name]} == {"run", "backfill"}


@pytest.mark.parametrize("name", CHANGING)
def test_a_change_leaves_one_entry_with_the_user_and_a_dry_run_none(
    name: str, settings: StoreSettings, tmp_path: Path
) -> None:
    before, call, expected = CHANGING[name]
    for earlier in before:
        run(earlier, tmp_path)
    count, lines = len(changes.entries(settings)), len(changes.lines(settings))
    contents = changes.contents(settings)
    run(f"{call} --dry-run", tmp_path)
    assert (len(changes.entries(settings)), changes.contents(settings)) == (count, contents)

    assert run(call, tmp_path).endswith("exit code 0")
    entries = changes.entries(settings)[count:]
    assert sorted((action, kind, subject) for _, action, kind, subject, _ in entries) == list(expected)
    assert {actor for actor, *_ in entries} == {f"cli:{pwd.getpwuid(os.getuid()).pw_name}"}
    groups = sorted(subject for _, _, kind, subject, _ in entries if kind == "group")
    assert sorted(fingerprint for fingerprint, *_ in changes.lines(settings)[lines:]) == groups


@pytest.mark.parametrize("name", [name for name, call in READING.items() if call is not None])
def test_any_other_command_changes_nothing(name: str, settings: StoreSettings, tmp_path: Path) -> None:
    contents = changes.contents(settings)
    run(str(READING[name]), tmp_path)
    assert changes.contents(settings) == contents
    assert changes.entries(settings) == []


@pytest.mark.parametrize(
    "call",
    ["hold dead0 --end", "resume here", "resume --route game", "relink held nowhere", "alias remove held",
     "file nothing", "alias add dead0 dead0", "quarantine replay 1", "quarantine discard 99", "dead discard de1e7ed"],
)  # fmt: skip
def test_a_command_that_changes_nothing_leaves_no_entry(call: str, settings: StoreSettings, tmp_path: Path) -> None:
    contents = changes.contents(settings)
    run(call, tmp_path)
    assert (changes.contents(settings), changes.entries(settings)) == (contents, [])


def test_the_command_filters(settings: StoreSettings, tmp_path: Path) -> None:
    for call in ("pause here --reason moving", "hold dead0 --reason wait", "resume here"):
        run(call, tmp_path)

    def listed(options: str) -> list[tuple[str, str]]:
        text = run(f"audit --json {options}", tmp_path).removesuffix("exit code 0")
        return [(entry["action"], entry["subject"]) for entry in json.loads(text)]

    every = [("resume", "here"), ("hold", "dead0"), ("pause", "here")]
    assert listed("") == listed("--since 1h") == every
    assert listed("--limit 1") == every[:1]
    assert listed("--subject DEAD") == every[1:2]
    assert listed("--subject dead0x") == listed("--actor nobody") == []
    actor = changes.entries(settings)[0][0]
    assert listed(f"--actor {actor}") == listed(f"--actor {actor.removeprefix('cli:')}") == every
    assert "not held by an operator → held: wait" in run("audit", tmp_path)
    assert "(by cli:<user>)" in run("show dead0", tmp_path)
    assert "(by cli:<user>)" in run("explain dead0", tmp_path)


def test_the_user_behind_sudo_counts() -> None:
    users = {user.pw_name: user.pw_uid for user in pwd.getpwall() if user.pw_uid}
    name, uid = next(iter(users.items()))
    root = pwd.getpwuid(0).pw_name
    assert access.person({"SUDO_USER": name, "SUDO_UID": str(uid)}, 0) == name
    assert access.person({}, uid) == pwd.getpwuid(uid).pw_name
    assert access.person({}, 4_000_000_000) == "4000000000"
    for claim in ({"SUDO_USER": name}, {"SUDO_UID": str(uid)}, {"SUDO_USER": name, "SUDO_UID": "x"},
                  {"SUDO_USER": "no such user", "SUDO_UID": str(uid)}, {"SUDO_USER": root, "SUDO_UID": str(uid)}):  # fmt: skip
        assert access.person(claim, 0) == root
    assert access.person({"SUDO_USER": root, "SUDO_UID": "0"}, 0) == root
