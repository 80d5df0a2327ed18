"""Notifications to systemd, sockets from it, and the printed units."""

import os
import shutil
import socket
import subprocess
import threading
import time
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
