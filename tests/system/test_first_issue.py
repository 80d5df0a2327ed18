"""One notification and its issue, through real programs: what each set of versions of the libraries must do at least."""

import json
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from tests.factories import notification_json
from tests.system import processes
from tests.system.daemon import Daemon


def test_a_daemon_files_an_issue(settings: StoreSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PREPARED", False)
    tracker = f'[trackers.here]\nkind = "local"\nfolder = "{tmp_path}/issues"\n[[routes]]\ntracker = "here"\n'

    with Daemon(tmp_path, tracker, store=settings.url, console="127.0.0.1:0") as daemon:
        answer = daemon.send(notification_json())
        daemon.drain()
        code = daemon.stop()

    (issue,) = (tmp_path / "issues").glob("*.md")
    assert (answer.status, code) == (200, 0), json.loads(answer.body)
    assert "Occurrences" in issue.read_text()
