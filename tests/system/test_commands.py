"""The commands as a newcomer types them, with and without a daemon."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli import check as checks
from syncd.config import Config, StoreSettings
from syncd.store import bring_up
from tests.system import reference
from tests.system.daemon import Daemon, run_syncd
from tests.system.kinds import ROUTE, opened


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with a hostile group, a held one, and twenty others."""
    folder = tmp_path_factory.mktemp("commands")
    local = f'[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n'
    route = '[[routes]]\nmatch = { project = ["game-*", "evil"] }\ntracker = "here"\nstatus_interval = "1s"\nmax_new_issues = []\n'
    hostile = reference.story(1, 11, 1)[0] | {
        "project": "evil",
        "fingerprint": "badc0de",
        "application": "\x1b]0;owned\x07\x1b[2J",
        "callstack": ["\x1b[31m[bold]red[/bold]\x1b[0m", "[link=https://example.com]x[/link]", "a\r\nb"],
        "attributes": {"version": [["\x1b[1m9.9", 1]]},
    }
    held = reference.story(1, 11, 1)[0] | {"project": "nobody", "fingerprint": "face"}
    with Daemon(folder, local + route) as started:
        started.send_all([*reference.story(groups=20, size=100, seed=2), hostile, held])
        started.drain()
        yield started


def test_groups_prints_a_line_per_group_and_no_control_sequence(daemon: Daemon) -> None:
    printed = daemon.syncd("groups") + daemon.syncd("show", "badc0de")

    assert "frame_3" in printed
    assert "held" in printed or "hold" in printed
    assert "[bold]red[/bold]" in printed
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_groups_json_has_the_promised_shape(daemon: Daemon) -> None:
    groups = daemon.groups()

    assert len(groups) == 22
    for group in groups.values():
        assert {
            "universe", "project", "fingerprint", "application", "occurrences", "approximate", "at_most", "reading", "notifications", "hosts",
            "users", "first_seen", "last_seen", "releases", "issue", "decision",
        } <= set(group)  # fmt: skip
        assert set(group["decision"]) == {"action", "reason", "rule"}
        for release in group["releases"]:
            assert {"release", "occurrences", "first_seen", "last_seen"} <= set(release)
    assert groups["face"]["issue"] is None
    assert groups["face"]["decision"] == {"action": "hold", "reason": "no route matches this group", "rule": "unrouted"}
    filed = [group["issue"] for group in groups.values() if group["issue"]]
    assert len(filed) == 21
    assert all(
        set(issue) == {"tracker", "key", "url", "state", "doubles", "by_hand", "owners", "condition"} for issue in filed
    )


def test_status_json_has_the_promised_shape(daemon: Daemon) -> None:
    status = daemon.status()
    (instance,) = status.pop("instances")
    assert (instance["pid"], instance["part"], instance["state"]) == (daemon.pid, "all", "alive")
    assert instance.keys() == {"instance", "host", "pid", "part", "version", "since", "beat_at", "folds", "state"}
    store = status.pop("store")
    assert store.keys() == {"place", "fault", "taken", "free", "detached_at"}
    assert store["fault"] is None
    tracker = {
        "state": "ok",
        "reason": None,
        "until": None,
        "cause": None,
        "since": None,
        "calls": 0,
        "writes_left": None,
        "token_expires_at": None,
    }
    for entry in status.pop("countings"):
        assert entry.keys() == {"universe", "project", "mode", "reason", "contradiction"}
        assert (entry["mode"], entry["contradiction"]) == ("auto", None)
    assert status == {
        "well": True,
        "sentence": "All is well.",
        "needs": [],
        "crashes": 0,
        "inbox": {"waiting": 0, "oldest_at": None, "rate": 0.0, "seconds_left": None},
        "outbox": {"due": 0, "waiting": 0, "oldest_at": None, "rate": 0.0, "seconds_left": None},
        "issues": {
            "linked": 21,
            "being_filed": 0,
            "in_doubt": 0,
            "parked": 0,
            "dropped": 0,
            "doubles": 0,
            "by_hand": 0,
        },
        "held": 1,
        "dead": 0,
        "quarantined": 0,
        "by_hand": [],
        "unreleased": None,
        "polls": [],
        "hooks": [],
        "strays": [],
        "channels": {},
        "held_by": [{"rule": "unrouted", "route": None, "groups": 1}],
        "storms": [],
        "paused_routes": [],
        "console": {"listen": "off", "faults": {}},
        "trackers": {"here": tracker | {"groups": 0, "due": 0, "oldest_at": None}},
    }


def test_status_of_a_healthy_daemon_says_so(daemon: Daemon) -> None:
    printed = daemon.syncd("status")
    assert "All is well" in printed
    assert re.search(rf"running +\S+-{daemon.pid}-\w+: receiver and worker, syncd \S+, alive", printed)


def test_show_finds_a_group_by_the_beginning_of_its_fingerprint_in_either_case(daemon: Daemon) -> None:
    printed = daemon.syncd("show", "BADC")
    group = json.loads(daemon.syncd("show", "badc0de", "--json"))

    assert "Call stack" in printed
    assert group["fingerprint"] == "badc0de"
    assert [past["action"] for past in group["history"]] == ["create"]


def test_show_of_an_unknown_fingerprint_is_exit_code_4(daemon: Daemon) -> None:
    assert daemon.syncd("show", "0123456789", code=4) == ""


def test_show_of_an_ambiguous_beginning_lists_the_candidates(daemon: Daemon) -> None:
    first = next(iter(daemon.groups()))
    candidates = [name for name in daemon.groups() if name[0] == first[0]]

    ran = run_syncd("show", first[0], "--config", str(daemon.config), folder=daemon.config.parent)
    if len(candidates) > 1:
        assert ran.returncode == 2
        assert all(name in ran.stderr for name in candidates)


def test_a_closed_pipe_is_no_error(daemon: Daemon) -> None:
    command = f"{sys.executable} -m syncd groups --json --config {daemon.config} | head -n 1"
    ran = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)

    assert ran.stdout == "[\n"
    assert ran.stderr == ""


def test_send_test_raises_a_count_and_opens_one_issue(tmp_path: Path) -> None:
    with opened("local", tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        # The port was chosen by the system: the command reads it from the configuration.
        daemon.config.write_text(daemon.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{daemon.address[1]}"))
        first, second = daemon.syncd("send-test"), daemon.syncd("send-test")
        daemon.drain()

        assert first.startswith('200 {"status":"accepted"')
        assert second.startswith("200")
        assert len(kind.texts()) == 1
        (group,) = daemon.groups().values()
        for printed in (first, second):
            assert f"issue:  {group['issue']['key']}  {group['issue']['url']}" in printed
            assert "To remove" in printed
        assert group["notifications"] == 2


def test_send_test_without_a_daemon_names_the_command_to_start_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[receiver]\nlisten = "127.0.0.1:1"\n')

    ran = run_syncd("send-test", folder=tmp_path)
    assert ran.returncode == 75
    assert "syncd run" in ran.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["groups", "--json"],
        ["show", "a"],
        ["quarantine", "list"],
        ["dead", "list"],
        ["dead", "retry", "--all"],
        ["dead", "discard", "--all"],
        ["replay", "--all-kept"],
    ],
)
def test_a_command_before_the_first_start_names_the_command_to_run(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "config.toml").write_text("")

    ran = run_syncd(*command, folder=tmp_path)
    assert ran.returncode == (3 if command == ["status"] else 1)
    assert "syncd run" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "syncd.db").exists()


@pytest.mark.parametrize("command", [["run"], ["check"], ["migrate"], ["status"], ["send-test"]])
def test_every_fault_of_a_configuration_is_printed_at_once(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "config.toml").write_text(
        '[receiver]\nlisten = "nowhere"\npasword = "x"\n[trackers.a]\nkind = "local"\n[[routes]]\ntracker = "b"\n'
    )

    ran = run_syncd(*command, folder=tmp_path)
    assert ran.returncode == 78
    for fault in ("receiver.listen", "did you mean 'password'", "trackers.a.folder: is missing", "routes[0].tracker"):
        assert fault in ran.stderr


def test_a_missing_configuration_names_the_option(tmp_path: Path) -> None:
    ran = run_syncd("status", folder=tmp_path)

    assert ran.returncode == 78
    assert "--config" in ran.stderr


def test_wrong_usage_is_exit_code_2(tmp_path: Path) -> None:
    assert run_syncd("grups", folder=tmp_path).returncode == 2
    assert "groups" in run_syncd("grups", folder=tmp_path).stderr


def test_the_version_is_printed(tmp_path: Path) -> None:
    from syncd import __version__

    assert run_syncd("--version", folder=tmp_path).stdout == f"syncd {__version__}\n"


def test_migrate_creates_a_store_once(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[store]\nurl = "sqlite:made/here.db"\n')

    assert "0001_initial" in run_syncd("migrate", folder=tmp_path).stdout
    assert "nothing to do" in run_syncd("migrate", folder=tmp_path).stdout


@pytest.mark.parametrize("name", ["local", "github", "jira-cloud", "jira-datacenter"])
def test_check_of_a_valid_configuration_is_exit_code_0_and_creates_nothing(name: str, tmp_path: Path) -> None:
    with opened(name, tmp_path) as kind:
        (tmp_path / "config.toml").write_text(kind.toml())
        ran = run_syncd("check", folder=tmp_path)

        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "every group → here" in ran.stdout
        assert kind.texts() == []
        assert not (tmp_path / "syncd.db").exists()
        assert kind.fake is None or {request.method for request in kind.fake.requests} == {"GET"}


@pytest.mark.parametrize("name", ["github", "jira-cloud", "jira-datacenter"])
def test_check_prints_a_remedy_and_never_the_token(name: str, tmp_path: Path) -> None:
    with opened(name, tmp_path) as kind:
        (token,) = tmp_path.glob("*-token")
        token.write_text("wrong-and-secret")
        (tmp_path / "config.toml").write_text(kind.toml())
        ran = run_syncd("check", folder=tmp_path)

    assert ran.returncode == 1
    assert "✗ tracker here:" in ran.stdout
    assert "→" in ran.stdout
    assert "wrong-and-secret" not in ran.stdout + ran.stderr


def test_check_reports_a_configuration_without_trackers(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")

    ran = run_syncd("check", folder=tmp_path)
    assert ran.returncode == 1
    assert "[trackers.NAME]" in ran.stdout


BOARD = """
from typing import Literal
from syncd.plugin import Finding, Plugin, PluginSettings
class BoardSettings(PluginSettings):
    kind: Literal["redmine"]
    board: str
class Redmine:
    def __init__(self, name, settings, notebook, *, clock, sleep): self.board = settings.board
    def check(self, routes, releases): return [Finding(ok=True, what=f"board {self.board}")]
    def close(self): pass
PLUGIN = Plugin(api_version=1, settings=BoardSettings, tracker=Redmine)
"""
BOARDS = '[trackers.ours]\nkind = "redmine"\nboard = "B7"\n'


def _install(folder: Path, source: str) -> str:
    """Install a package with a tracker `redmine`. Returns the PYTHONPATH on which it is."""
    site = folder / "site"
    (site / "redmine-1.0.dist-info").mkdir(parents=True, exist_ok=True)
    (site / "redmine-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: redmine\nVersion: 1.0\n")
    (site / "redmine-1.0.dist-info" / "entry_points.txt").write_text("[syncd.trackers]\nredmine = redmine:PLUGIN\n")
    (site / "redmine.py").write_text(source)
    return os.pathsep.join([str(site), os.getcwd()])


def test_another_packages_tracker_is_found_by_its_entry_point(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(BOARDS)

    ran = run_syncd("check", folder=tmp_path, PYTHONPATH=_install(tmp_path, BOARD))
    assert "✓ plug-ins: redmine comes with redmine 1.0, for version 1 of syncd.plugin" in ran.stdout
    assert "tracker ours: board B7" in ran.stdout
    assert ran.returncode == 0

    unknown = run_syncd("run", folder=tmp_path)
    assert unknown.returncode == 78
    assert "no tracker called 'redmine' is installed (known: github, gitlab, jira, local)" in unknown.stderr


def test_check_names_a_plug_in_that_cannot_be_used_and_checks_the_others(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'{BOARDS}[trackers.here]\nkind = "local"\nfolder = "{tmp_path}/issues"\n{ROUTE}'
    )
    path = _install(tmp_path, BOARD.replace("api_version=1", "api_version=9"))

    ran = run_syncd("check", folder=tmp_path, PYTHONPATH=path)
    assert ran.returncode == 1
    assert "✗ tracker ours: the plug-in redmine 1.0 is made for version 9 of syncd.plugin" in ran.stdout
    assert "→ update syncd, or install an older version of the plug-in, then restart syncd" in ran.stdout
    assert "✓ tracker here:" in ran.stdout


def test_check_reports_a_route_that_can_never_match(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'[trackers.here]\nkind = "local"\nfolder = "{tmp_path}/issues"\n{ROUTE}'
        '[[routes]]\nmatch = { project = "x" }\ntracker = "here"\n'
    )

    ran = run_syncd("check", folder=tmp_path)
    assert ran.returncode == 1
    assert "never match" in ran.stdout


def test_check_reports_a_damaged_and_an_unreachable_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("hunter2")
    (tmp_path / "password").chmod(0o644)
    written = '[store]\nurl = "sqlite:syncd.db"\n[trackers.here]\nkind = "local"\nfolder = "issues"\n'
    (tmp_path / "config.toml").write_text(written)
    run_syncd("migrate", folder=tmp_path)
    sound = run_syncd("check", folder=tmp_path).stdout
    assert all(part in sound for part in ("every page", "MB free", "SQLite 3.", "two alerts"))

    with (tmp_path / "syncd.db").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 60_000)
    damaged = run_syncd("check", folder=tmp_path)
    assert (damaged.returncode, "damaged; restore a backup" in damaged.stdout) == (78, True)

    (tmp_path / "config.toml").write_text(
        f'[store]\nurl = "postgresql://127.0.0.1:1/syncd"\npassword = {{ file = "{tmp_path}/password" }}\n'
    )
    away = run_syncd("check", folder=tmp_path)
    assert "store.password:" in away.stdout
    assert "chmod 600" in away.stdout
    assert re.search("^✗ store: .*postgresql://127.0.0.1:1/syncd", away.stdout, re.MULTILINE)
    assert "hunter2" not in away.stdout + away.stderr


def test_check_reports_a_full_disk_and_an_old_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(store=StoreSettings(url=f"sqlite:///{tmp_path}/syncd.db"))
    bring_up(config.store)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 100 * 2**20})())
    monkeypatch.setattr(checks, "VERSION", (3, 40, 1))
    *_, disk, library = checks._store(config)
    assert "store.retention" in disk.remedy
    assert "pip install pysqlite3" in library.remedy

    monkeypatch.setattr(checks, "VERSION", (3, 51, 3))
    *_, library = checks._store(config)
    assert library.ok
