"""The console of a daemon in a process of its own."""

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.factories import FINGERPRINT, notification_json
from tests.system.daemon import Daemon, run_syncd

FREE = "127.0.0.1:0"


def get(daemon: Daemon, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(*daemon.console_address, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def local(folder: Path) -> str:
    return f'[trackers.files]\nkind = "local"\nfolder = "{folder}/issues"\n[[routes]]\nname = "all"\ntracker = "files"\nstatus_interval = "1s"\n'


def test_a_daemon_shows_its_state_and_its_calls(tmp_path: Path) -> None:
    with Daemon(tmp_path, local(tmp_path), console=FREE) as daemon:
        daemon.send(notification_json(fingerprint="f1"))
        daemon.send(notification_json(fingerprint="f1"), password="wrong")
        daemon.drain()
        status, page = get(daemon, "/")
        shape = json.loads(get(daemon, "/overview.json")[1])
        assert (status, shape["well"], shape["sentence"] in page) == (200, True, True)
        assert (shape["issues"]["linked"], sum(shape["done"]["filed"])) == (1, 1)
        assert [instance["part"] for instance in shape["instances"]] == ["all"]
        metrics = get(daemon, "/metrics")[1]
        for line in (
            'syncd_deliveries_total{outcome="accepted"} 1.0',
            'syncd_deliveries_total{outcome="unauthorized"} 1.0',
            'syncd_issue_actions_total{action="create",tracker="files"} 1.0',
            'syncd_tracker_calls_total{operation="create",outcome="ok",tracker="files"} 1.0',
            'syncd_issues{state="linked"} 1.0',
            'syncd_instances{part="all"} 1.0',
        ):
            assert line in metrics.splitlines()
        assert daemon.stop() == 0


def test_what_a_button_asks_for_the_daemon_does(tmp_path: Path) -> None:
    with Daemon(tmp_path, local(tmp_path).replace('"1s"', '"1d"'), console=FREE) as daemon:
        daemon.send(notification_json(fingerprint="f1", occurrences=1))
        daemon.wait_for_issue("f1")
        daemon.send(notification_json(fingerprint="f1", occurrences=777))
        daemon.wait_for_count("f1", 777)
        (issue,) = (tmp_path / "issues").glob("*.md")
        assert "777" not in issue.read_text()

        connection = http.client.HTTPConnection(*daemon.console_address, timeout=30)
        connection.request("POST", "/groups/acme/game/f1/sync", "", {"Sec-Fetch-Site": "same-origin"})
        assert connection.getresponse().status == 303
        connection.close()
        daemon.wait_for(lambda: "777" in issue.read_text(), "the issue to show it a day early")


def test_an_address_in_use_disables_only_the_console(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        taken = f"127.0.0.1:{occupied.getsockname()[1]}"
        with Daemon(tmp_path, local(tmp_path), console=taken) as daemon:
            assert daemon.send(notification_json()).status == 200
            daemon.drain()
            assert '"console_disabled"' in daemon.log.read_text()
            assert "cannot listen" in daemon.syncd("check", code=1)
            assert f"{taken} cannot be used: it is in use" in daemon.syncd("status", code=3)
            assert [need["state"] for need in daemon.status()["needs"]] == ["no_console"]
            assert daemon.stop() == 0


def test_a_check_recognises_the_console_of_the_running_daemon(tmp_path: Path) -> None:
    with Daemon(tmp_path, local(tmp_path), console=FREE) as daemon:
        host, port = daemon.console_address
        daemon.config.write_text(daemon.config.read_text().replace(f'"{FREE}"', f'"{host}:{port}"'))
        assert f"http://{host}:{port}/ without a password" in daemon.syncd("check")


def test_a_few_threads_answer_many_readers_at_once(tmp_path: Path) -> None:
    with Daemon(tmp_path, local(tmp_path), console=FREE) as daemon:
        daemon.send(notification_json())
        daemon.drain()
        before = threads(daemon)
        with ThreadPoolExecutor(40) as pool:
            answers = [
                pool.submit(get, daemon, path)
                for path in ("/", "/groups", "/metrics", f"/groups/acme/game/{FINGERPRINT}") * 50
            ]
            most = max(threads(daemon) for _ in iter(lambda: all(answer.done() for answer in answers), True))
        assert {answer.result()[0] for answer in answers} == {200}
        assert most <= before + 8
        assert daemon.send(notification_json()).status == 200


def threads(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    return int(status.partition("Threads:")[2].split()[0])


@pytest.mark.parametrize("part", ["receiver", "worker"])
def test_receiver_and_worker_each_have_a_console(part: str, tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, local(tmp_path), console=FREE)
    daemon.options = ["--only", part]
    daemon.spawn()
    try:
        daemon.wait_for(
            lambda: '"event":"console_listening"' in daemon.log.read_text() or not daemon.alive, "the console"
        )
        assert json.loads(get(daemon, "/overview.json")[1])["instances"][0]["part"] == part
        assert get(daemon, "/readyz")[0] == 200
        assert daemon.stop() == 0
    finally:
        if daemon.alive:
            daemon.kill()


def test_a_console_password_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, local(tmp_path))
    text = daemon.config.read_text().replace(
        'listen = "off"', f'listen = "{FREE}"\npassword = {{ file = "{tmp_path}/none" }}'
    )
    daemon.config.write_text(text)
    ran = run_syncd("run", "--config", str(daemon.config), folder=tmp_path)

    assert ran.returncode == 78
    assert "cannot be read" in ran.stderr
