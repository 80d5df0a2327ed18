"""A body that ends the daemon ends it twice, and not for ever."""

import http.client
from contextlib import suppress
from pathlib import Path

import pytest

from tests.store.filled import crash_notification
from tests.system.daemon import Daemon
from tests.system.kinds import ROUTE

DEADLY = ("-m", "tests.system.deadly")

pytestmark = pytest.mark.slow


def test_a_body_that_ends_the_daemon_goes_to_the_quarantine(tmp_path: Path) -> None:
    first, second = crash_notification("f1"), crash_notification("f2")
    daemon = Daemon(tmp_path, f'[trackers.here]\nkind = "local"\nfolder = "{tmp_path}/issues"\n{ROUTE}')
    try:
        daemon.spawn(DEADLY)
        daemon.wait_for(daemon.listens, "the daemon to listen")
        with suppress(http.client.HTTPException, OSError):  # it may die before it has answered
            daemon.send(first | {"application": "poison"})
        assert daemon.wait_dead(30) == 139
        daemon.spawn(DEADLY)
        assert daemon.wait_dead(30) == 139
        daemon.spawn(DEADLY)
        daemon.wait_for(daemon.listens, "the daemon to listen")
        assert daemon.send(second).status == 200

        daemon.wait_for(lambda: any((tmp_path / "issues").glob("*.md")), "the issue of the other crash")
        assert "ended 2 times" in daemon.syncd("quarantine", "list")
    finally:
        if daemon.alive:
            daemon.kill()
