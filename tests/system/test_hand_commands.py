"""`sync`, `hold`, `relink`, `purge`, beside a daemon."""

import json
from pathlib import Path

from syncd.config import StoreSettings
from tests.factories import notification_json
from tests.store.raw import change
from tests.system.daemon import Daemon


def made(folder: Path, interval: str = "1d") -> Daemon:
    return Daemon(
        folder,
        f'[trackers.files]\nkind = "local"\nfolder = "{folder}/issues"\n[[routes]]\ntracker = "files"\nstatus_interval = "{interval}"\n',
    )


def test_sync_updates_the_issue_at_once(tmp_path: Path) -> None:
    with made(tmp_path) as daemon:
        daemon.send(notification_json(fingerprint="f1", occurrences=1))
        daemon.wait_for_issue("f1")
        daemon.send(notification_json(fingerprint="f1", occurrences=777))
        daemon.wait_for_count("f1", 777)
        assert "would be due now" in daemon.syncd("sync", "f1", "--dry-run")
        assert "is due now, for files" in daemon.syncd("sync", "f1")
        (issue,) = (tmp_path / "issues").glob("*.md")
        daemon.wait_for(lambda: "777" in issue.read_text(), "the issue")
        assert json.loads(daemon.syncd("sync", "f1", "--json"))["tracker"] == "files"
        daemon.syncd("sync", "nothing", code=4)


def test_hold_and_its_end(tmp_path: Path) -> None:
    with made(tmp_path) as daemon:
        daemon.syncd("pause", "files")
        daemon.send(notification_json(fingerprint="f1"))
        daemon.wait_for(lambda: "f1" in daemon.groups(), "the group")
        assert "would be held" in daemon.syncd("hold", "f1", "--dry-run")
        assert "is held." in daemon.syncd("hold", "f1", "--reason", "known")
        daemon.syncd("resume", "files")
        held = daemon.groups()["f1"]["decision"]
        assert (held["rule"], held["reason"]) == ("on-hold", "an operator holds it: known")
        assert "known" in daemon.syncd("explain", "f1")
        assert "held no longer" in daemon.syncd("hold", "f1", "--end")
        daemon.wait_for_issue("f1")
        daemon.syncd("hold", "f1", "--end", code=1)


def test_relink_to_an_existing_issue(tmp_path: Path) -> None:
    with made(tmp_path) as daemon:
        daemon.send(notification_json(fingerprint="f1"))
        daemon.wait_for_issue("f1")
        (tmp_path / "issues/by-hand.md").write_text("# By hand\n")
        daemon.syncd("relink", "f1", "../secret", code=1)
        daemon.syncd("relink", "f1", "nowhere", code=1)
        daemon.syncd("relink", "f1", "by-hand", "--tracker", "fils", code=1)
        assert "would be linked to by-hand" in daemon.syncd("relink", "f1", "by-hand", "--dry-run")
        assert "by-hand" in daemon.syncd("relink", "f1", "by-hand")
        assert daemon.groups()["f1"]["issue"]["key"] == "by-hand"
        daemon.wait_for(lambda: "ccurrences" in (tmp_path / "issues/by-hand.md").read_text(), "its numbers")
        assert len(list((tmp_path / "issues").glob("*.md"))) == 2


def test_purge_deletes_old_deliveries(tmp_path: Path) -> None:
    with made(tmp_path) as daemon:
        for number in range(3):
            daemon.send(notification_json(fingerprint=f"f{number}"))
        daemon.wait_for(lambda: daemon.status()["inbox"]["waiting"] == 0, "all to be folded")
        settings = StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")
        change(settings, "UPDATE deliveries SET received_at = received_at - 90000 WHERE id < 3")

        assert json.loads(daemon.syncd("purge", "--older-than", "1d", "--dry-run", "--json"))["deliveries"] == 2
        purged = json.loads(daemon.syncd("purge", "--older-than", "1d", "--json"))
        assert (purged["deliveries"], purged["decisions"]) == (2, 0)
        assert "0 deliveries" in daemon.syncd("purge", "--older-than", "1d")
        assert set(daemon.groups()) == {"f0", "f1", "f2"}
        daemon.syncd("purge", "--older-than", "soon", code=2)
