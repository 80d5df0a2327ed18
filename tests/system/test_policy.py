"""A real daemon: a dry run sends nothing and loses nothing; a survey learns of a closing; a crash comes back; a flood is one storm."""

import json
import time
from pathlib import Path

import pytest

from tests.fakes.github import FakeGitHub
from tests.system.daemon import Daemon
from tests.system.kinds import ROUTE, opened

SOON = 'survey_interval = "1s"\n'


def crash(frame: str, releases: dict[str, int], users: int = 1) -> dict[str, object]:
    return {
        "universe": "acme",
        "project": "game",
        "fingerprint": f"fingerprint of {frame}",
        "application": "game",
        "callstack": [frame, "main"],
        "occurrences": sum(releases.values()),
        "timestamp": [1000, int(time.time()) + 30],
        "guids": users,
        "attributes": {"version": [[release, count] for release, count in releases.items()]},
    }


def test_a_dry_run_takes_everything_and_sends_nothing_and_the_next_start_files_it(tmp_path: Path) -> None:
    with opened("github", tmp_path) as github:
        assert isinstance(github.fake, FakeGitHub)
        daemon = Daemon(tmp_path, github.toml())
        daemon.options = ["--dry-run"]
        with daemon:
            assert daemon.send(crash("draw", {"1.0": 3})).status == 200
            daemon.wait_for(lambda: "call_withheld" in daemon.log.read_text() or None, "the plan to be told")
            (group,) = daemon.groups().values()
            assert group["issue"] is None
            assert group["decision"]["action"] == "create"
            assert daemon.stop() == 0
            assert github.fake.requests == []
            daemon.options = []
            daemon.start()
            issues = github.fake.repository.issues
            daemon.wait_for(lambda: len(issues) or None, "the issue")
            daemon.drain()
        assert len(issues) == 1


def test_a_closing_is_known_before_the_next_crash_and_a_regression_reopens(tmp_path: Path) -> None:
    with opened("github", tmp_path) as github:
        fake = github.fake
        assert isinstance(fake, FakeGitHub)
        with Daemon(tmp_path, github.toml(SOON)) as daemon:
            daemon.send(crash("draw", {"1.0": 3}))
            daemon.wait_for(lambda: len(fake.repository.issues) or None, "the issue")
            daemon.drain()
            issue = fake.repository.issues[1]
            time.sleep(1.1)  # GitHub tells times in whole seconds: the closing must lie after what was known
            fake.close_issue(issue, milestone="1.1")

            def closed() -> bool | None:
                group = json.loads(daemon.syncd("show", "fingerprint", "--json"))
                condition = group["issue"] and group["issue"]["condition"]
                return True if condition and condition["closed"] and condition["fixed_in"] == ["1.1"] else None

            daemon.wait_for(closed, "the survey")
            daemon.drain()
            assert issue.comments == {}  # a closing is nothing to write about
            daemon.send(crash("draw", {"1.0": 9}))
            daemon.wait_for(lambda: True if len(issue.comments) == 1 else None, "the status comment")
            assert issue.state == "closed"
            assert "new occurrences in 1.0, older than that" in next(iter(issue.comments.values())).body
            daemon.send(crash("draw", {"1.0": 9, "1.2": 2}))
            daemon.wait_for(lambda: True if len(issue.comments) == 2 else None, "the regression")
            daemon.drain()
        assert issue.state == "open"
        assert ["Came back" in comment.body for comment in issue.comments.values()].count(True) == 1


@pytest.mark.parametrize("kind", ["github", "jira-cloud"])
def test_a_flood_is_one_storm_and_nothing_is_lost(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as tracker:
        capped = ROUTE.replace("max_new_issues = []", 'max_new_issues = ["5/1h"]\ngather = "0s"')
        with Daemon(tmp_path, tracker.toml().replace(ROUTE, capped)) as daemon:
            daemon.send_all([crash(f"Level{number}::load", {"1.0": 3}, users=number) for number in range(40)])

            def held() -> bool | None:
                status = daemon.status()
                return True if status["held"] == 35 and status["storms"] and status["outbox"]["due"] == 0 else None

            daemon.wait_for(held, "35 groups to be held")
            daemon.wait_for(lambda: True if len(tracker.texts()) == 6 else None, "the storm's issue")
            assert daemon.status()["storms"][0]["held"] == 35
            listed = json.loads(daemon.syncd("groups", "--held", "--json"))
            users = [group["users"] for group in listed]
            assert users == sorted(users, reverse=True)
        assert len([text for text in tracker.texts() if "Crash storm" in text]) == 1
        assert len(tracker.texts()) == 6
