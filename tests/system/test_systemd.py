"""The daemon under a service manager: what it tells, and the socket that it is handed."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.cli.sender import Sender
from tests.prove.crashes import crash
from tests.system.daemon import PASSWORD, Daemon, run_syncd
from tests.system.kinds import opened


def handed(listening: socket.socket, count: int, config: Path) -> list[str]:
    """A command that is handed a socket as systemd does it: from descriptor 3 on, and LISTEN_PID is that of the program itself."""
    program = [sys.executable, "-m", "syncd", "run", "--config", str(config)]
    begin = (
        f"import os; [os.dup2({listening.fileno()}, 3 + n) for n in range({count})];"
        f"os.environ |= {{'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '{count}'}}; os.execv({program[0]!r}, {program!r})"
    )
    return [sys.executable, "-c", begin]


def test_it_tells_when_it_is_ready_how_it_is_and_that_it_stops(manager: socket.socket, tmp_path: Path) -> None:
    """With a socket that is already open: who connects before the daemon runs waits, and is answered."""
    with opened("local", tmp_path) as tracker, socket.create_server(("127.0.0.1", 0)) as listening:
        daemon = Daemon(tmp_path, tracker.toml())
        waiting = Sender("127.0.0.1", listening.getsockname()[1], ("backtrace", PASSWORD))
        environment = os.environ | {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "4000000",
            "LISTEN_FDS": "1",
        }
        with daemon.log.open("wb") as log:
            process = subprocess.Popen(
                handed(listening, 1, daemon.config),
                env=environment,
                stderr=log,
                pass_fds=[listening.fileno()],
                cwd=tmp_path,
            )
        assert manager.recv(4096) == b"READY=1"
        listening.close()
        assert waiting.send(crash(1)).status == 200
        waiting.close()
        heard = {manager.recv(4096).decode() for _ in range(3)}
        assert heard == {"WATCHDOG=1", "STATUS=0 in the inbox, 0 due in the outbox"}
        process.send_signal(signal.SIGTERM)
        while (said := manager.recv(4096)) != b"STOPPING=1":
            assert said.startswith((b"WATCHDOG", b"STATUS"))
        assert process.wait(30) == 0


def test_more_than_one_socket_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[trackers.here]\nkind = "local"\nfolder = "issues"\n')
    with socket.create_server(("127.0.0.1", 0)) as one:
        done = subprocess.run(
            handed(one, 2, tmp_path / "config.toml"), capture_output=True, text=True, pass_fds=[one.fileno()]
        )

    assert (done.returncode, "2 sockets were handed over" in done.stderr) == (78, True), done.stderr


def test_lines_for_the_journal_have_their_priority(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("wb") as journal:
        found = os.fstat(journal.fileno())
        (tmp_path / "config.toml").write_text(
            '[trackers.here]\nkind = "local"\nfolder = "issues"\n[receiver]\nlisten = "127.0.0.1:0"\n'
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "syncd", "run", "--config", "config.toml"],
            stderr=journal,
            cwd=tmp_path,
            env=os.environ | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"},
        )
        daemon = tmp_path / "journal"
        while b"listening" not in daemon.read_bytes():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    lines = daemon.read_text().splitlines()
    assert all(line.startswith("<6>{") for line in lines), lines
    assert [json.loads(line[3:])["event"] for line in lines][-1] == "stopped"


def test_the_unit_that_is_printed_runs_this_syncd(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[trackers.here]\nkind = "local"\nfolder = "issues"\n')
    printed = run_syncd("systemd-unit", "--config", str(tmp_path / "config.toml"), folder=tmp_path).stdout

    command = next(line for line in printed.splitlines() if line.startswith("ExecStart=")).removeprefix("ExecStart=")
    program = command.split()[0]
    assert subprocess.run([program, "--version"], capture_output=True, text=True).stdout.startswith("syncd ")
    assert command.endswith(f"run --config {tmp_path}/config.toml")


@pytest.mark.parametrize("options", [["--receiver-only", "--worker-only"], ["--socket", "--worker-only"]])
def test_units_that_make_no_sense_are_refused(options: list[str], tmp_path: Path) -> None:
    assert run_syncd("systemd-unit", *options, folder=tmp_path).returncode == 2
