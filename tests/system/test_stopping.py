"""A stop: work in progress is finished, no request is broken, and it ends in bounded time."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.fakes.server import Fault
from tests.prove.crashes import until
from tests.system import reference
from tests.system.daemon import Daemon
from tests.system.kinds import opened


def test_a_create_that_is_in_hand_is_finished_before_the_daemon_ends(tmp_path: Path) -> None:
    with opened("github", tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        assert kind.fake is not None
        held = kind.fake.inject(Fault(how="hang_after", path="/issues$"))
        daemon.send(reference.story(groups=1, size=11, seed=1)[0])
        kind.fake.wait_for("POST", "/issues$")

        threading.Timer(0.5, held.released.set).start()
        code = daemon.stop()

        (group,) = daemon.groups().values()
        assert code == 0
        assert group["issue"]["state"] == "linked"
        assert len(kind.texts()) == 1


def test_a_hangup_ends_it_as_orderly_and_the_log_names_the_signal(tmp_path: Path) -> None:
    with opened("local", tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        daemon.send(reference.story(groups=1, size=11, seed=1)[0])
        daemon.send_signal(signal.SIGHUP)

        assert daemon.wait_dead(60) == 0
        stopping = next(
            line for line in map(json.loads, daemon.log.read_text().splitlines()) if line["event"] == "stopping"
        )
        assert stopping["signal"] == "SIGHUP"


def test_a_hangup_is_ignored_by_a_daemon_that_nohup_started(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[receiver]\nlisten = "127.0.0.1:0"\n[console]\nlisten = "off"\n[trackers.here]\nkind = "local"\nfolder = "issues"\n'
    )
    command = ["nohup", sys.executable, "-m", "syncd", "run", "--config", "config.toml"]
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=tmp_path) as process,
    ):
        try:
            until(lambda: b"listening" in log.read_bytes(), "the daemon to listen", 60)
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert b"SIGHUP" not in log.read_bytes()


def test_a_second_signal_changes_nothing(tmp_path: Path) -> None:
    with opened("github", tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        assert kind.fake is not None
        held = kind.fake.inject(Fault(how="hang_after", path="/issues$"))
        daemon.send(reference.story(groups=1, size=11, seed=1)[0])
        kind.fake.wait_for("POST", "/issues$")
        os.kill(daemon.pid, signal.SIGINT)
        daemon.wait_for(lambda: '"stopping"' in daemon.log.read_text(), "the worker to be asked to stop")
        threading.Timer(0.5, held.released.set).start()

        assert daemon.stop() == 0
        (group,) = daemon.groups().values()
        assert group["issue"]["state"] == "linked"


def test_no_request_is_broken_by_a_stop_under_load(tmp_path: Path) -> None:
    notifications = reference.story(groups=20, size=400, seed=4)
    accepted: list[int] = []
    broken: list[str] = []
    with opened("local", tmp_path) as kind:
        daemon = Daemon(tmp_path, kind.toml()).start()

        def send_until_refused(number: int) -> None:
            for notification in notifications[number::4] * 50:
                sender = daemon.sender()
                try:
                    answer = sender.send(notification)
                    assert answer.status == 200
                    accepted.append(int(json.loads(answer.body)["delivery"]))
                except ConnectionRefusedError:
                    return
                except (OSError, http.client.HTTPException) as error:
                    broken.append(f"{type(error).__name__}: {error}")
                    return
                finally:
                    sender.close()

        senders = [threading.Thread(target=send_until_refused, args=(number,)) for number in range(4)]
        for thread in senders:
            thread.start()
        daemon.wait_for(lambda: len(accepted) > 100, "a load")
        code = daemon.stop()
        for thread in senders:
            thread.join()

        assert code == 0
        # Without a listener of systemd's, who connects in the very moment in which the socket closes is reset unread.
        assert all("reset" in error for error in broken)
        assert len(broken) <= 4
        with daemon:
            daemon.drain()
            assert sum(group["notifications"] for group in daemon.groups().values()) >= len(accepted)
