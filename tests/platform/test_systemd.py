"""Notifications to systemd, sockets from it, and the printed units."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd import config as configuration
from syncd.cli import systemd_unit as units
from syncd.config import Config
from syncd.daemon.watchdog import Watchdog
from syncd.errors import StoreUnavailable
from syncd.platform import systemd
from syncd.platform.clock import Clock
from syncd.platform.systemd import Manager

ROOT = Path(__file__).parents[2]
ANALYZE = shutil.which("systemd-analyze")


def received(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


def test_facts_are_told_one_a_line_and_keep_to_their_line(manager: socket.socket, tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "4000000"}
    service_manager = Manager(environment)
    service_manager.notify(READY="1", STATUS="well\nREADY=0")

    assert received(manager) == "READY=1\nSTATUS=well READY=0"
    assert service_manager.watchdog_seconds == 4.0
    assert environment == {}, "a child would speak for this process"


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0syncd-test-{os.getpid()}")
        Manager({"NOTIFY_SOCKET": f"@syncd-test-{os.getpid()}"}).notify(READY="1")
        assert sock.recv(100) == b"READY=1"


def test_without_a_manager_nothing_is_told_and_nothing_watched() -> None:
    service_manager = Manager({"WATCHDOG_USEC": "1000000"})
    service_manager.notify(READY="1")

    assert (service_manager.present, service_manager.watchdog_seconds) == (False, None)


def test_the_watchdog_of_another_process_is_not_service_manager(tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}

    assert Manager(environment).watchdog_seconds is None


def test_it_beats_only_while_everything_turns(manager: socket.socket, tmp_path: Path) -> None:
    service_manager = Manager({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
    beats = {"writer": time.monotonic, "worker": time.monotonic}
    stuck = threading.Event()
    since = time.monotonic()
    beats["event loop"] = lambda: since if stuck.is_set() else time.monotonic()
    watchdog = Watchdog(service_manager, Clock(), beats, lambda: "all is well")
    watchdog.start()
    assert {received(manager) for _ in range(5)} == {"WATCHDOG=1", "STATUS=all is well"}

    stuck.set()
    drained = threading.Event()
    manager.settimeout(1.0)
    while not drained.is_set():
        try:
            received(manager)
        except TimeoutError:
            drained.set()
    stuck.clear()
    manager.settimeout(10)
    assert received(manager) == "WATCHDOG=1"
    watchdog.stop()


def test_a_store_that_cannot_be_asked_is_the_status(manager: socket.socket, tmp_path: Path) -> None:
    def away() -> str:
        raise StoreUnavailable("the disk is full")

    service_manager = Manager({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
    watchdog = Watchdog(service_manager, Clock(), {}, away)
    watchdog.start()
    assert {received(manager) for _ in range(3)} == {"WATCHDOG=1", "STATUS=the disk is full"}
    watchdog.stop()


def test_sockets_for_another_process_are_left_alone() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"}

    assert systemd.passed_sockets(environment) == []
    assert environment == {}


CONFIG = """
[receiver]
listen = "[::1]:9000"
username = "backtrace"
password = { credential = "webhook-password" }
[store]
url = "sqlite:syncd.db"
[trackers.game]
kind = "github"
repository = "acme/game"
token = { credential = "github-token" }
[trackers.mobile]
kind = "github"
repository = "acme/mobile"
token = { file = "/etc/syncd/token" }
[[routes]]
tracker = "game"
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Config:
    (tmp_path / "config.toml").write_text(CONFIG)
    return configuration.load(tmp_path / "config.toml")


def test_each_part_loads_its_own_credentials_and_no_others(loaded: Config) -> None:
    def credentials(part: str) -> set[str]:
        lines = units.service(loaded, ["/opt/syncd"], part).splitlines()
        return {line.partition(":")[0].removeprefix("LoadCredential=") for line in lines if "LoadCredential" in line}

    assert credentials("all") == {"webhook-password", "github-token"}
    assert credentials("receiver") == {"webhook-password"}
    assert credentials("worker") == {"github-token"}


def test_the_command_is_quoted_as_systemd_reads_it(loaded: Config) -> None:
    unit = units.service(loaded, ["/opt/my tools/syncd", "run", "--config", "/etc/100%/$x.toml"])

    assert 'ExecStart="/opt/my tools/syncd" run --config /etc/100%%/$$x.toml\n' in unit


def test_the_socket_is_where_the_configuration_says(loaded: Config) -> None:
    assert "ListenStream=[::1]:9000\n" in units.activation(loaded)


def test_a_receiver_with_a_server_for_a_store_keeps_its_network(loaded: Config) -> None:
    on_file = units.service(loaded, ["/opt/syncd"], "receiver")
    loaded.store.__dict__["url"] = "postgresql://db/syncd"

    assert "PrivateNetwork=yes" in on_file
    assert "PrivateNetwork" not in units.service(loaded, ["/opt/syncd"], "receiver")


def test_a_worker_does_not_wait_for_a_socket(loaded: Config) -> None:
    assert "syncd.socket" not in units.service(loaded, ["/opt/syncd"], "worker")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that ProtectHome=yes hides."""
    (tmp_path / "home/venv/bin").mkdir(parents=True)
    (tmp_path / "opt").mkdir()
    monkeypatch.setattr(units, "_HIDDEN", {"ProtectHome=yes": (str(tmp_path / "home"),)})
    return tmp_path / "home"


def by_interpreter(home: Path, opt: Path) -> None:
    (opt / "syncd").write_text(f"#!{home}/venv/bin/python\nimport syncd\n")


def by_long_interpreter(home: Path, opt: Path) -> None:
    (opt / "syncd").write_text(f"#!/bin/sh\n'''exec' \"{home}/my venv/bin/python\" \"$0\" \"$@\"\n' '''\n")


def by_link(home: Path, opt: Path) -> None:
    (home / "venv/bin/syncd").write_text("#!/usr/bin/python3\n")
    (opt / "syncd").symlink_to("../home/venv/bin/syncd")


def by_linked_folder(home: Path, opt: Path) -> None:
    (home / "venv/syncd").write_text("#!/usr/bin/python3\n")
    opt.rmdir()
    opt.symlink_to(home / "venv")


def by_environment(home: Path, opt: Path) -> None:
    """A virtual environment whose Python is a copy, as with `python3 -m venv --copies`."""
    (opt / "venv/bin").mkdir(parents=True)
    (opt / "venv/bin/python").write_bytes(b"\x7fELF")
    (opt / "venv/pyvenv.cfg").write_text(f"home = {home}/pyenv/bin\nversion = 3.11\n")
    (opt / "syncd").write_text(f"#!{opt}/venv/bin/python -sP\nimport syncd\n")


@pytest.mark.parametrize("install", [by_interpreter, by_long_interpreter, by_link, by_linked_folder, by_environment])
def test_a_program_or_python_that_the_sandbox_hides_is_refused(
    install: Callable[[Path, Path], None], home: Path, tmp_path: Path
) -> None:
    opt = tmp_path / "opt"
    install(home, opt)
    needed = list(units._program(opt / "syncd"))

    refused = units.hidden(units.service(None, ["syncd"]), needed)
    assert (str(home) in refused[0], "python3 -m venv /opt/syncd" in refused[-1]) == (True, True), refused
    assert units.hidden("[Service]\n", needed) == [], "this unit hides nothing"


def test_a_program_in_a_folder_of_the_system_is_accepted(home: Path, tmp_path: Path) -> None:
    (tmp_path / "opt/syncd").write_text("#!/usr/bin/python3\n")

    assert units.hidden(units.service(None, ["syncd"]), list(units._program(tmp_path / "opt/syncd"))) == []


FILES = """
[receiver]
username = "backtrace"
password = {{ file = "{folder}/webhook-password" }}
[store]
url = "sqlite://{folder}/syncd.db"
[trackers.files]
kind = "local"
folder = "{folder}/issues"
[trackers.game]
kind = "github"
repository = "acme/game"
token = {{ credential = "github-token" }}
ca_file = "{folder}/ca.pem"
[[routes]]
tracker = "game"
templates = "{folder}/templates"
"""
EVERY_PART = {"the configuration", "store.url"}
RECEIVER = {"receiver.password"}
WORKER = {"trackers.files.folder", "trackers.game.ca_file", "routes[0].templates"}


@pytest.mark.parametrize(("part", "keys"), [("all", RECEIVER | WORKER), ("receiver", RECEIVER), ("worker", WORKER)])
def test_each_path_of_the_configuration_that_is_hidden_is_refused_by_its_key(
    part: str, keys: set[str], home: Path
) -> None:
    path = home / "config.toml"
    path.write_text(FILES.format(folder=home))
    needed = list(units._configuration(path, configuration.load(path), part))

    refused = units.hidden(units.service(None, ["syncd"]), needed)
    named = {line.removeprefix("the service cannot use ").partition(", ")[0] for line in refused if line[0] != "→"}
    assert named == EVERY_PART | keys


def test_certificates_of_the_server_are_paths_of_the_configuration_too(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[store]\nurl = "postgresql://syncd@db/syncd?sslmode=verify-full&sslrootcert=/root/ca.pem"\n')
    needed = list(units._configuration(Path("/etc/syncd/config.toml"), configuration.load(path), "all"))

    assert [line for line in units.hidden(units.service(None, ["syncd"]), needed) if "/root/ca.pem" in line]


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_what_the_user_of_the_service_cannot_use_is_a_warning(public: Path) -> None:
    path, secret = public / "config.toml", public / "webhook-password"
    path.write_text(FILES.format(folder=public))
    path.chmod(0o640)
    secret.write_text("secret")
    secret.chmod(0o600)

    warned = "\n".join(units.inaccessible(list(units._configuration(path, configuration.load(path), "all"))))
    assert f"cannot read {path} (mode 0640) and needs the configuration; chmod o+r {path}" in warned
    credential = 'write { credential = "NAME" } and put the secret into /etc/syncd/credentials/NAME'
    assert f"cannot read {secret} (mode 0600) and needs receiver.password; {credential}" in warned
    assert f"may write only in /var/lib/syncd, and store.url is {public}/syncd.db" in warned
    assert f"may write only in /var/lib/syncd, and trackers.files.folder is {public}/issues" in warned


def test_what_does_not_exist_is_a_warning() -> None:
    (warned,) = units.inaccessible([units._Needed("the configuration", Path("/etc/syncd/conifg.toml"), "move it")])
    assert warned == "the configuration, /etc/syncd/conifg.toml, does not exist yet"


def test_a_folder_that_no_other_user_can_enter_is_a_warning(public: Path) -> None:
    (public / "opt").mkdir(0o700)
    (public / "opt/config.toml").write_text("")

    (warned,) = units.inaccessible([units._Needed("the configuration", public / "opt/config.toml", "move it")])
    assert f"cannot enter {public}/opt (mode 0700) and needs the configuration; chmod o+x {public}/opt" in warned


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is missing: `make tools` as root installs it")
@pytest.mark.parametrize(("part", "threshold"), [("all", 11), ("worker", 11), ("receiver", 3)])
def test_the_sandbox_is_as_tight_as_promised(part: str, threshold: int, loaded: Config, tmp_path: Path) -> None:
    program = tmp_path / "syncd-program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "syncd.service").write_text(units.service(loaded, [str(program)], part))
    (tmp_path / "syncd.socket").write_text(units.activation(loaded))

    judged = subprocess.run(
        [str(ANALYZE), "security", "--offline=yes", f"--threshold={threshold}", str(tmp_path / "syncd.service")],
        capture_output=True,
        text=True,
    )
    assert judged.returncode == 0, judged.stdout.splitlines()[-1]
    verified = subprocess.run(
        [str(ANALYZE), "verify", str(tmp_path / "syncd.service"), str(tmp_path / "syncd.socket")],
        capture_output=True,
        text=True,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
