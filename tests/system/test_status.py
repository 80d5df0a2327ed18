"""`status`, the console's first page, /readyz and the metrics of a real daemon say the same, whatever happened to it."""

import http.client
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.store.sqlite.file import open_file
from tests.factories import notification_json
from tests.system.daemon import Daemon, run_syncd

TRACKER = '[trackers.files]\nkind = "local"\nfolder = "{folder}/issues"\n'


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon(tmp_path, TRACKER.format(folder=tmp_path), console="127.0.0.1:0")


def states(daemon: Daemon, code: int) -> list[str]:
    """The states that `status` names; it exits with `code`, and prints the same as its JSON says."""
    shape = json.loads(daemon.syncd("status", "--json", code=code))
    printed = daemon.syncd("status", code=code).splitlines()
    assert printed[0] == f"{'✓' if code == 0 else '!'} {shape['sentence']}"
    heads = [need["what"].split(";")[0].split(",")[0] for need in shape["needs"]]
    assert all(line[2:].startswith(head) for line, head in zip(printed[1:], heads, strict=False)), printed
    return [need["state"] for need in shape["needs"]]


def get(address: tuple[str, int], path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def everywhere(daemon: Daemon, code: int) -> list[str]:
    """The states that `status` names, after a comparison with what the daemon itself shows."""
    named = states(daemon, code)
    page, shape = get(daemon.console_address, "/")[1], json.loads(get(daemon.console_address, "/overview.json")[1])
    assert (shape["well"], shape["sentence"] in page) == (code == 0, True)
    assert [need["state"] for need in shape["needs"]] == named
    ready = json.loads(get(daemon.console_address, "/readyz")[1])
    assert sorted(ready["needs"]) == sorted(named)
    samples = re.findall(
        r'^syncd_needs\{state="(\w+)"\} (\S+)$', get(daemon.console_address, "/metrics")[1], re.MULTILINE
    )
    assert sorted(state for state, count in samples if float(count)) == sorted(named)
    return named


def test_a_daemon_that_is_well_killed_started_and_stopped(daemon: Daemon) -> None:
    with daemon:
        daemon.send(notification_json(fingerprint="f1"))
        daemon.drain()
        assert everywhere(daemon, code=0) == []

        daemon.kill()
        assert states(daemon, code=3) == ["no_daemon"]
        assert "killed or crashed: " in daemon.syncd("status", code=3)

        daemon.start()
        assert everywhere(daemon, code=0) == []

        assert daemon.stop() == 0
        assert states(daemon, code=3) == ["no_daemon"]
        assert "killed" not in daemon.syncd("status", code=3)


def test_a_daemon_that_ends_again_and_again_is_not_well_while_it_runs(daemon: Daemon) -> None:
    with daemon:
        for _ in range(3):
            daemon.kill()
            daemon.start()
        assert everywhere(daemon, code=3) == ["crash_loop"]


def test_a_stopped_daemon_has_not_crashed(daemon: Daemon) -> None:
    for _ in range(3):
        with daemon:
            assert daemon.stop() == 0
    with daemon:
        assert everywhere(daemon, code=0) == []


STOPPED_EARLY = """
import os, signal, sys
from syncd.worker import reconcile
number, reroute = getattr(signal, sys.argv.pop()), reconcile.reroute
def stopped(*arguments, **facts):
    os.kill(os.getpid(), number)
    return reroute(*arguments, **facts)
reconcile.reroute = stopped
from syncd.cli import main
main()
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_daemon_that_is_stopped_while_it_starts_has_not_crashed(daemon: Daemon, number: str) -> None:
    arguments = [sys.executable, "-c", STOPPED_EARLY, "run", "--config", str(daemon.config), number]
    ran = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "listening" not in ran.stderr

    assert states(daemon, code=3) == ["no_daemon"]
    assert "killed" not in daemon.syncd("status", code=3)


@pytest.mark.parametrize(("part", "state"), [("receiver", "no_worker"), ("worker", "no_receiver")])
def test_a_part_that_nobody_runs_is_missing_everywhere(daemon: Daemon, part: str, state: str) -> None:
    daemon.options = ["--only", part]
    daemon.spawn()
    with_listener = part == "receiver"
    try:
        daemon.wait_for(daemon.listens if with_listener else daemon.works, "the daemon")
        daemon.wait_for(lambda: "console_listening" in daemon.log.read_text(), "the console")
        if with_listener:
            daemon.send(notification_json(fingerprint="f1"))
        assert everywhere(daemon, code=3) == [state]
        assert ("1 waiting in the inbox" in daemon.syncd("status", code=3)) is with_listener
    finally:
        daemon.kill()


def test_a_store_that_takes_nothing_is_found_by_asking(daemon: Daemon) -> None:
    with daemon:
        database = open_file(daemon.folder / "syncd.db", "rw")
        database.execute("BEGIN IMMEDIATE")
        assert states(daemon, code=3)[0] == "store_fault"
        status, body = get(daemon.address, "/readyz")
        assert (status, json.loads(body)["needs"]["store_fault"]) == (503, 1)
        assert "keeps it locked" in body
        database.close()
        daemon.wait_for(lambda: get(daemon.address, "/readyz")[0] == 200, "the daemon to be ready again")
        assert everywhere(daemon, code=0) == []


def test_a_daemon_that_is_suspended_lives(daemon: Daemon) -> None:
    with daemon:
        daemon.send_signal(signal.SIGSTOP)
        assert states(daemon, code=0) == []
        daemon.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        (None, 3, "no daemon has run"),
        (b"garbage" * 9000, 75, "cannot tell whether all is well"),
        (b"", 75, "cannot tell"),
    ],
    ids=["missing", "damaged", "empty"],
)
def test_a_store_that_cannot_be_read_is_never_well(
    daemon: Daemon, content: bytes | None, code: int, sentence: str
) -> None:
    if content is not None:
        (daemon.folder / "syncd.db").write_bytes(content)
    ran = run_syncd("status", "--config", str(daemon.config), folder=daemon.folder)

    assert (ran.returncode, ran.stdout) == (code, "")
    assert sentence in ran.stderr
