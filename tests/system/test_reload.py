"""SIGHUP: another configuration without a new process, and without a refused request."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.prove.crashes import crash, until
from tests.system.daemon import Daemon
from tests.system.kinds import opened


def begun(daemon: Daemon) -> int:
    return daemon.log.read_bytes().count(b'"listening"')


def test_another_configuration_is_gone_on_with_and_no_request_is_refused(tmp_path: Path) -> None:
    with opened("local", tmp_path) as tracker, Daemon(tmp_path, tracker.toml()) as daemon:
        pid, answers, ended = daemon.pid, list[int](), threading.Event()

        def send() -> None:
            number = 0
            while not ended.is_set():
                answers.append(daemon.send(crash(number)).status)  # a new connection each time
                number += 1

        sender = threading.Thread(target=send)
        sender.start()
        for round_ in range(1, 4):
            text = daemon.config.read_text()
            daemon.config.write_text(
                text.replace("[receiver]\n", f"[receiver]\nquarantine_size = {round_}\n", 1)
                if round_ == 1
                else text.replace(f"= {round_ - 1}\n", f"= {round_}\n", 1)
            )
            daemon.send_signal(signal.SIGHUP)
            until(lambda: begun(daemon) == round_ + 1, "the daemon to listen again", 30)  # noqa: B023
        ended.set()
        sender.join()

        assert set(answers) == {200}
        assert daemon.pid == pid
        assert daemon.alive
        assert daemon.log.read_text().count('"reloading"') == 3
        daemon.drain()
        assert len(tracker.texts()) == len(answers)
        assert daemon.stop() == 0


def test_a_configuration_that_cannot_be_used_is_said_and_changes_nothing(tmp_path: Path) -> None:
    with opened("local", tmp_path) as tracker, Daemon(tmp_path, tracker.toml()) as daemon:
        right = daemon.config.read_text()
        for wrong, why in (
            (right.replace("listen =", "lisen ="), "did you mean 'listen'"),
            (right.replace(f"{tmp_path}/password", f"{tmp_path}/none"), "receiver.password: the secret in"),
        ):
            daemon.config.write_text(wrong)
            daemon.send_signal(signal.SIGHUP)
            until(lambda: why in daemon.log.read_text(), why, 30)  # noqa: B023
        assert begun(daemon) == 1
        assert daemon.log.read_text().count("reload_refused") == 2
        assert daemon.send(crash(1)).status == 200
        assert daemon.stop() == 0


def test_the_manager_is_told_of_it_by_the_same_process(
    manager: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened("local", tmp_path) as tracker:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with Daemon(tmp_path, tracker.toml()) as daemon:
            heard: list[bytes] = []
            assert manager.recv(4096) == b"READY=1"
            daemon.send_signal(signal.SIGHUP)
            while heard[-1:] != [b"READY=1"]:
                heard.append(manager.recv(4096))
            assert heard[0].startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert b"STOPPING=1" not in heard
            assert daemon.stop() == 0


def test_another_address_is_listened_on_also_after_another_reload(tmp_path: Path) -> None:
    with opened("local", tmp_path) as tracker, Daemon(tmp_path, tracker.toml()) as daemon:
        daemon.send_signal(signal.SIGHUP)
        until(lambda: begun(daemon) == 2, "the daemon to listen again", 30)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        daemon.config.write_text(daemon.config.read_text().replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"'))
        daemon.send_signal(signal.SIGHUP)
        until(lambda: begun(daemon) == 3, "the daemon to listen elsewhere", 30)
        socket.create_connection(("127.0.0.1", port)).close()
        with pytest.raises(ConnectionRefusedError):
            daemon.send(crash(1))


def test_asked_to_end_while_it_reloads_it_ends(tmp_path: Path) -> None:
    with opened("github", tmp_path) as tracker, Daemon(tmp_path, tracker.toml("writes = []\n")) as daemon:
        assert tracker.fake is not None
        tracker.fake.latency = 1.0  # what is in hand takes a while
        daemon.send(crash(1))
        until(lambda: len(tracker.fake.requests) > 0, "a request", 30)  # type: ignore[union-attr]
        daemon.send_signal(signal.SIGHUP)
        until(lambda: b'"reloading"' in daemon.log.read_bytes(), "the reload to begin", 30)
        assert daemon.stop() == 0
        assert begun(daemon) == 1


def test_a_closed_terminal_ends_it(tmp_path: Path) -> None:
    """Where a person started it, the signal means what it always means."""
    (tmp_path / "config.toml").write_text(
        '[receiver]\nlisten = "127.0.0.1:0"\n[trackers.here]\nkind = "local"\nfolder = "issues"\n'
    )
    ours, theirs = os.openpty()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "syncd", "run", "--config", "config.toml"], stdin=theirs, stderr=log, cwd=tmp_path
        )
    until(lambda: b"listening" in (tmp_path / "log").read_bytes(), "the daemon to listen", 30)
    process.send_signal(signal.SIGHUP)
    assert process.wait(30) == -signal.SIGHUP
    os.close(ours)
    os.close(theirs)
