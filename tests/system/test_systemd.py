"""The daemon under a service manager: its notifications, the socket that it gets, and a restart under load."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from syncd.cli.sender import Sender
from tests.prove.crashes import crash
from tests.system.daemon import PASSWORD, Daemon, run_syncd
from tests.system.kinds import opened


def with_sockets(listening: socket.socket, count: int, config: Path) -> list[str]:
    """A command that gets sockets as systemd passes them: from descriptor 3 on, and LISTEN_PID is that of the program itself."""
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
                with_sockets(listening, 1, daemon.config),
                env=environment,
                stderr=log,
                pass_fds=[listening.fileno()],
                cwd=tmp_path,
            )
        received: list[str] = []  # on a busy machine a start takes longer than the watchdog's interval
        while "READY=1" not in received:
            received.append(manager.recv(4096).decode())
        listening.close()
        assert waiting.send(crash(1)).status == 200
        waiting.close()
        while "WATCHDOG=1" not in received or not any(message.startswith("STATUS=") for message in received):
            received.append(manager.recv(4096).decode())
        assert {message.partition("=")[0] for message in received} == {"READY", "WATCHDOG", "STATUS"}
        assert re.search(r"^STATUS=.*\d in the inbox, \d due in the outbox", "\n".join(received), re.MULTILINE)
        process.send_signal(signal.SIGTERM)
        while (message := manager.recv(4096)) != b"STOPPING=1":
            assert message.startswith((b"WATCHDOG", b"STATUS"))
        assert process.wait(30) == 0


def test_a_restart_under_load_refuses_no_connection_and_applies_the_configuration(tmp_path: Path) -> None:
    """`systemctl restart` with the socket unit: the service manager keeps the socket, so connections wait meanwhile."""
    statuses: list[int] = []
    ended = threading.Event()
    with opened("local", tmp_path) as tracker, socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
        daemon = Daemon(tmp_path, tracker.toml())
        port = listening.getsockname()[1]

        def start() -> "subprocess.Popen[bytes]":
            with daemon.log.open("ab") as log:
                return subprocess.Popen(
                    with_sockets(listening, 1, daemon.config), stderr=log, pass_fds=[listening.fileno()], cwd=tmp_path
                )

        def post(notification: dict[str, object]) -> int:
            sender = Sender("127.0.0.1", port, ("backtrace", PASSWORD))
            try:
                return sender.send(notification).status
            finally:
                sender.close()

        def load(number: int) -> None:
            count = 0
            while not ended.is_set():
                count += 1
                statuses.append(post(crash(number, total=count)))

        process = start()
        assert post({"not": "a notification"}) == 422
        senders = [threading.Thread(target=load, args=(number,)) for number in range(4)]
        for sender in senders:
            sender.start()
        for _ in range(3):
            answered = len(statuses)
            daemon.wait_for(lambda: len(statuses) > answered + 20, "some load")  # noqa: B023 - called in this round
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            text = daemon.config.read_text().replace("\naccept_unrecognised = true", "")
            daemon.config.write_text(text.replace("[receiver]", "[receiver]\naccept_unrecognised = true"))
            process = start()
        ended.set()
        for sender in senders:
            sender.join()
        assert post({"not": "a notification"}) == 200, "the new configuration is not in force"

        assert set(statuses) == {200}
        assert daemon.drain()["inbox"]["waiting"] == 0
        assert sum(group["notifications"] for group in daemon.groups().values()) == len(statuses)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_more_than_one_socket_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[trackers.here]\nkind = "local"\nfolder = "issues"\n')
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = subprocess.run(
            with_sockets(listening, 2, tmp_path / "config.toml"),
            capture_output=True,
            text=True,
            pass_fds=[listening.fileno()],
        )

    assert (done.returncode, "passed 2 sockets" in done.stderr) == (78, True), done.stderr


def test_lines_for_the_journal_have_their_priority(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("wb") as journal:
        stream = os.fstat(journal.fileno())
        (tmp_path / "config.toml").write_text(
            '[trackers.here]\nkind = "local"\nfolder = "issues"\n[receiver]\nlisten = "127.0.0.1:0"\n[console]\nlisten = "off"\n'
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "syncd", "run", "--config", "config.toml"],
            stderr=journal,
            cwd=tmp_path,
            env=os.environ | {"JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"},
        )
        daemon = tmp_path / "journal"
        while b"listening" not in daemon.read_bytes():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    lines = daemon.read_text().splitlines()
    assert all(line.startswith("<6>{") for line in lines), lines
    assert [json.loads(line[3:])["event"] for line in lines][-1] == "stopped"


def test_the_unit_that_is_printed_runs_the_named_syncd(tmp_path: Path) -> None:
    printed = run_syncd("systemd-unit", "--program", "/usr/bin/true", folder=tmp_path)

    assert (printed.returncode, printed.stderr.count("does not exist yet")) == (0, 1), printed.stderr
    command = next(line for line in printed.stdout.splitlines() if line.startswith("ExecStart="))
    assert command == "ExecStart=/usr/bin/true run --config /etc/syncd/config.toml"
    refused = run_syncd("systemd-unit", "--config", str(tmp_path / "config.toml"), folder=tmp_path)
    assert (refused.returncode, refused.stdout) == (78, ""), "PrivateTmp=yes hides the configuration"
    assert "/tmp" in refused.stderr
    assert "→ the configuration: move it to /etc/syncd/config.toml" in refused.stderr


@pytest.mark.parametrize("options", [["--receiver-only", "--worker-only"], ["--socket", "--worker-only"]])
def test_units_that_make_no_sense_are_refused(options: list[str], tmp_path: Path) -> None:
    assert run_syncd("systemd-unit", *options, folder=tmp_path).returncode == 2
