"""A daemon with channels: what arrives of a killed one, and what a channel that hangs or refuses holds up."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.channels import SECRET, Chats, mails
from tests.fakes.server import Fault
from tests.prove.crashes import crash, fingerprint
from tests.system.daemon import Daemon

TRACKER = '[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n[[routes]]\ntracker = "here"\nmax_new_issues = []\ngather = "0s"\n'
SLACK = '[channels.team]\nkind = "slack"\nurl = {{ file = "{folder}/slack" }}\nmax = "1000/1h"\n'
SLACK_PATH = "/services/T0/B0/slacksecret"


@contextmanager
def daemon_with(folder: Path, chats: Chats, channels: str) -> Iterator[Daemon]:
    """A daemon with a tracker and channels; the addresses of the channels are in files."""
    for name, path in {"slack": SLACK_PATH, "teams": "/workflows/abc?sig=teamssecret", "hook": "/hook"}.items():
        (folder / name).write_text(chats.url + path)
    (folder / "secret").write_text(SECRET)
    for name in ("slack", "teams", "hook", "secret"):
        (folder / name).chmod(0o600)
    with Daemon(folder, (channels + TRACKER).format(folder=folder)) as daemon:
        yield daemon


def arrived(chats: Chats) -> Counter[str]:
    """How often each message arrived, taken or not."""
    return Counter(str(request.body["text"]) for request in chats.requests)


def kill_amid(daemon: Daemon, chats: Chats, *, hangs: bool) -> None:
    """Kill the daemon while it sends; if it `hangs`, while it waits for the answer to a message that was taken."""
    if hangs:
        fault = chats.inject(Fault(how="hang_after", seconds=30))
        daemon.wait_for(lambda: fault.times == 0, "a message to hang")
    else:
        chats.wait_for("POST", count=len(chats.requests) + 3, timeout=60)
    daemon.kill()


def test_a_daemon_that_is_killed_amid_its_messages_sends_each_at_most_once(tmp_path: Path) -> None:
    groups, kills = 60, 6
    with Chats() as chats, daemon_with(tmp_path, chats, SLACK) as daemon:
        chats.latency = 0.02
        daemon.send_all([crash(number) for number in range(groups)])
        for place in range(kills):
            kill_amid(daemon, chats, hangs=place % 2 == 1)
            daemon.start()
        daemon.wait_for(
            lambda: daemon.status()["channels"]["team"]["waiting"] == 0 and not daemon.status()["outbox"]["due"],
            "all messages to be sent",
        )
        stayed = daemon.status()

    counts = arrived(chats)
    assert max(counts.values()) == 1
    assert groups - kills <= len(counts) <= groups
    assert groups - kills <= stayed["channels"]["team"]["sent"] <= len(counts)


def test_channels_that_hang_and_refuse_delay_no_issue_and_no_other_channel(tmp_path: Path) -> None:
    teams = '[channels.desk]\nkind = "teams"\nurl = {{ file = "{folder}/teams" }}\n'
    hook = '[channels.hook]\nkind = "webhook"\nurl = {{ file = "{folder}/hook" }}\nsecret = {{ file = "{folder}/secret" }}\n'
    with Chats() as chats, daemon_with(tmp_path, chats, SLACK + 'timeout = "60s"\n' + teams + hook) as daemon:
        hanging = chats.inject(Fault(how="hang_before", path=SLACK_PATH, times=1000, seconds=600))
        chats.inject(Fault(how="status", status=410, path="/workflows", times=1000))
        daemon.send(crash(0))
        chats.wait_for("POST", SLACK_PATH, timeout=60)
        began = time.monotonic()
        daemon.send_all([crash(number) for number in range(1, 15)])
        daemon.drain()
        assert time.monotonic() - began < 45
        assert len(list((tmp_path / "issues").glob("*.md"))) == 15
        daemon.wait_for(lambda: len(chats.taken) == 15, "the healthy channel to get all")
        status = daemon.status()
        hanging.released.set()

    assert {name: channel["state"] for name, channel in status["channels"].items()} == {
        "team": "ok",
        "desk": "rests",
        "hook": "ok",
    }
    assert {body["data"]["group"]["fingerprint"] for body in chats.taken if "data" in body} == {
        fingerprint(number) for number in range(15)
    }


def test_no_log_command_or_message_has_a_secret(tmp_path: Path) -> None:
    with Chats() as chats, daemon_with(tmp_path, chats, SLACK) as daemon:
        for fault in (
            Fault(how="reset_before"),
            Fault(how="status", status=404, body=f"nothing at {chats.url}{SLACK_PATH}".encode()),
        ):
            chats.inject(fault)
            daemon.send(crash(len(chats.requests)))
            daemon.wait_for(lambda: "notice_failed" in daemon.log.read_text(), "the message to fail")
        printed = [daemon.syncd("status", code=0), daemon.syncd("check"), json.dumps(daemon.status())]
        log = daemon.log.read_text()

    assert "notice_failed" in log
    assert "slacksecret" not in log + "".join(printed)


def test_a_mail_arrives_from_a_daemon(tmp_path: Path) -> None:
    with Chats() as chats, mails() as server:
        section = f'[channels.mail]\nkind = "mail"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
        section += 'sender = "syncd@example.com"\nto = ["lead@example.com"]\n'
        with daemon_with(tmp_path, chats, section) as daemon:
            daemon.send(crash(1))
            daemon.wait_for(lambda: server.taken, "the mail")
            assert daemon.stop() == 0

    content = server.taken[0].content
    assert isinstance(content, bytes)
    assert b"Subject: [syncd] New: " in content
