"""The log of a daemon: one line for each delivery and each call of a tracker, and none of their contents."""

import http.client
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from syncd import __version__
from tests import leaks
from tests.factories import notification_json
from tests.leaks import leaked
from tests.system.daemon import PASSWORD, Daemon

MARK = "zebra-crossing-5f1e"  # in every body, and nowhere else


def lines(daemon: Daemon) -> list[dict[str, Any]]:
    return [json.loads(line) for line in daemon.log.read_text().splitlines()]


def post(daemon: Daemon, body: bytes, login: str = f"backtrace:{PASSWORD}", **headers: str) -> int:
    connection = http.client.HTTPConnection(*daemon.address, timeout=30)
    sent = {
        "Authorization": f"Basic {b64encode(login.encode()).decode()}",
        "Content-Type": "application/json",
    } | headers
    connection.request("POST", "/webhooks/backtrace", body, sent)
    status = connection.getresponse().status
    connection.close()
    return status


def test_each_delivery_and_each_call_is_one_line_with_its_group(tmp_path: Path) -> None:
    with Daemon(tmp_path, f'[trackers.files]\nkind = "local"\nfolder = "{tmp_path}/issues"\n') as daemon:
        accepted = daemon.send(notification_json(fingerprint="f1"))
        daemon.drain()
        delivery = json.loads(accepted.body)["delivery"]
    lines_ = lines(daemon)

    (taken,) = [line for line in lines_ if line["event"] == "delivery_accepted"]
    assert (str(taken["delivery"]), taken["fingerprint"]) == (delivery, "f1")
    (called,) = [line for line in lines_ if line["event"] == "tracker_call" and line["operation"] == "create"]
    (synced,) = [line for line in lines_ if line["event"] == "issue_synced"]
    assert {line["fingerprint"] for line in (called, synced)} == {"f1"}
    assert called["issue"] == synced["issue"] != ""
    assert (called["tracker"], called["outcome"], called["group"]) == ("files", "ok", synced["group"])
    assert called["ms"] > 0


def test_nothing_that_was_sent_is_logged(tmp_path: Path) -> None:
    with Daemon(tmp_path, f'[trackers.files]\nkind = "local"\nfolder = "{tmp_path}/issues"\n') as daemon:
        whole = notification_json(
            fingerprint=f"password={MARK}",
            callstack=[MARK],
            application=MARK,
            classifiers=[MARK],
            attributes={MARK: [[MARK, 1]]},
        )
        statuses = [
            post(daemon, json.dumps(whole).encode()),
            post(daemon, json.dumps({"hello": MARK}).encode()),
            post(daemon, f'{{"{MARK}'.encode()),
            post(daemon, MARK.encode() * 100_000),
            post(daemon, json.dumps(whole).encode(), login=f"backtrace:{MARK}"),
            post(daemon, json.dumps(whole).encode(), **{"Content-Encoding": MARK}),
            post(daemon, json.dumps(whole | {"project": {"x": MARK}}).encode()),
        ]
        daemon.drain()
        assert daemon.stop() == 0
    assert statuses == [200, 422, 400, 413, 401, 415, 422]
    text = daemon.log.read_text()
    # The title of a local issue is its file's name, and so its key.
    assert [line for line in text.splitlines() if MARK in line and "crash-in-" not in line] == []


def test_the_watch_over_the_whole_suite_sees_a_leak(tmp_path: Path) -> None:
    (tmp_path / "daemon.log").write_text(f"token {leaks.TOKENS[0]}")

    assert len(leaks.in_logs(tmp_path)) == 1
    (tmp_path / "daemon.log").write_text(f"syncd {__version__}")
    assert leaks.in_logs(tmp_path) == []
    assert leaked(f"Authorization: Basic {leaks.LOGINS[0]}") != []
