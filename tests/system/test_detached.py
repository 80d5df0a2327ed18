"""Copies of a store in a test environment: they read the tracker of their store and write nothing to it."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.github import FakeGitHub
from tests.prove.crashes import crash
from tests.system.daemon import Daemon
from tests.system.kinds import opened

SOON = 'survey_interval = "1s"\n'
WRITES = {"POST", "PATCH", "PUT", "DELETE"}


def writes(fake: FakeGitHub) -> list[str]:
    return [each.path for each in fake.requests if each.method in WRITES and not each.path.endswith("/graphql")]


def is_closed(group: dict[str, Any]) -> bool:
    condition = (group["issue"] or {}).get("condition") or {}
    return bool(condition.get("closed"))


@pytest.mark.parametrize("option", ["--detached", None])
def test_a_detached_copy_reads_the_tracker_and_writes_nothing_to_it(tmp_path: Path, option: str | None) -> None:
    copy = tmp_path / "copy.db"
    with opened("github", tmp_path) as github:
        fake = github.fake
        assert isinstance(fake, FakeGitHub)
        with Daemon(tmp_path, github.toml(SOON)) as original:
            original.send_all([crash(number) for number in range(2)])
            original.drain()
            original.syncd("backup", str(copy), *([option] if option else []))
        place = tmp_path / "elsewhere"
        place.mkdir()
        clone = Daemon(place, github.toml(SOON))
        printed = clone.syncd("restore", str(copy))
        if option is None:
            clone.syncd("detach", code=2)
            clone.syncd("detach", "--yes")
        else:
            assert "detached copy" in printed
        before = len(writes(fake))
        with clone:
            fake.close_issue(fake.repository.issues[1])
            clone.send_all([crash(number, 5) for number in range(4)])
            log = clone.log
            clone.wait_for(lambda: log.read_text().count("call_withheld") >= 3 or None, "the withheld calls")
            clone.wait_for(lambda: any(map(is_closed, clone.groups().values())) or None, "the closing to be read")
            status = clone.status()
            explained = clone.syncd("explain", crash(3)["fingerprint"])
            clone.syncd("detach", "--yes", code=78)  # a daemon runs on it
        assert len(writes(fake)) == before
        assert len(fake.repository.issues) == 2
        assert status["well"]
        assert "detached" in [need["state"] for need in status["needs"]]
        assert "detached copy" in explained
        # Without the mark the copy files what its store has never seen.
        ordinary = tmp_path / "attached"
        ordinary.mkdir()
        attached = Daemon(ordinary, github.toml(SOON))
        attached.syncd("restore", str(tmp_path / "syncd.db"))
        with attached:
            attached.send(crash(3))
            attached.drain()
        assert len(fake.repository.issues) == 3
