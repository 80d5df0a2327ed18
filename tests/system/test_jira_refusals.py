"""What Jira refuses concerns one issue or the whole project: the daemon asks which, and nobody else waits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.jira import FakeJira
from tests.fakes.server import Fault, Recorded
from tests.prove.daemons import ready
from tests.store.filled import crash_notification
from tests.system.daemon import Daemon
from tests.system.kinds import opened

DEPLOYMENTS = ("jira-cloud", "jira-datacenter")


def archived(fake: FakeJira, spoiled: bool) -> None:
    fake.archived = spoiled


def description_off_screen(fake: FakeJira, spoiled: bool) -> None:
    fake.off_screen = {"description"} if spoiled else set()


def crashes(groups: int) -> list[dict[str, Any]]:
    """One notification for each group."""
    return [crash_notification(f"{number:064x}", callstack=[f"frame_{number}"]) for number in range(1, groups + 1)]


@pytest.mark.parametrize("name", DEPLOYMENTS)
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (archived, "project CRASH is archived in Jira"),
        (description_off_screen, "add description to the create screen of CRASH"),
    ],
)
def test_a_project_that_takes_nothing_rests_and_buries_no_group(
    name: str, spoil: Callable[[FakeJira, bool], None], reason: str, tmp_path: Path
) -> None:
    with opened(name, tmp_path) as kind:
        fake = kind.fake
        assert isinstance(fake, FakeJira)
        spoil(fake, True)
        # Words that no program knows.
        body = {"errorMessages": ["Diese Anfrage wurde abgelehnt."], "errors": {}}
        fake.weather = lambda request: (
            Fault(how="status", status=400, body=body) if request.path.endswith("/issue") and not fake.issues else None
        )
        with Daemon(tmp_path, kind.toml("writes = []\n")) as daemon:
            daemon.send_all(crashes(12))
            paused = daemon.wait_for(lambda: ready(daemon)[1]["paused_trackers"], "the tracker to rest")
            assert reason in paused["here"]
            assert daemon.status()["dead"] == 0
            assert len(fake.sent("POST", "/issue$")) <= 8, "a try for each thread and no more"

            fake.weather = None
            spoil(fake, False)
            daemon.syncd("resume", "here")
            status = daemon.drain()
            assert (status["dead"], status["trackers"]["here"]["state"]) == (0, "ok")
            assert len(fake.issues) == 12


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_issue_that_takes_nothing_holds_up_nobody(name: str, tmp_path: Path) -> None:
    with opened(name, tmp_path) as kind:
        fake = kind.fake
        assert isinstance(fake, FakeJira)
        with Daemon(tmp_path, kind.toml("writes = []\n")) as daemon:
            first, *further = crashes(21)
            daemon.send(first)
            daemon.drain()
            (issue,) = fake.issues.values()

            def spoil(request: Recorded) -> Fault | None:
                writes = request.method in ("POST", "PUT") and f"/issue/{issue.id}" in request.path
                return Fault(how="status", status=403, body=b"<html>no</html>") if writes else None

            fake.weather = spoil
            daemon.send({**first, "occurrences": 9})
            daemon.wait_for(lambda: fake.sent("POST", "/comment$"), "a comment that is refused")
            daemon.send_all(further)
            daemon.wait_for(lambda: len(fake.issues) == 21, "the other groups to be filed")
            assert ready(daemon)[1]["paused_trackers"] == {}
            assert daemon.status()["trackers"]["here"]["state"] == "ok"
