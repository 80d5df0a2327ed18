"""Notifications in over real HTTP, issues out over real HTTP: one per group, every count right."""

from pathlib import Path

import pytest

from tests.system import reference
from tests.system.daemon import Daemon
from tests.system.kinds import GITHUB_EMULATOR, GITLAB, KINDS, opened

FREE = "writes = []\n"  # budgets have tests of their own


@pytest.mark.parametrize("name", [*KINDS, GITHUB_EMULATOR, GITLAB])
def test_a_thousand_shuffled_notifications_become_fifty_issues_with_the_right_counts(name: str, tmp_path: Path) -> None:
    notifications = reference.story(groups=50, size=1000, seed=20261124)
    with opened(name, tmp_path) as kind, Daemon(tmp_path, kind.toml(FREE)) as daemon:
        accepted = daemon.send_all(notifications, clients=8)
        status = daemon.drain()
        groups = daemon.groups()
        code = daemon.stop()

        expected = reference.counts(accepted)
        assert code == 0
        assert status["issues"] == {
            "linked": 50,
            **dict.fromkeys(("being_filed", "in_doubt", "parked", "dropped", "doubles", "by_hand"), 0),
        }
        assert reference.differences(groups, expected) == {}
        texts = kind.texts()
        assert len(texts) == 50
        for fingerprint, group in groups.items():
            (issue,) = [text for text in texts if fingerprint in text]
            assert f"{group['occurrences']:,}" in issue
        assert max(kind.comments()) <= 1


@pytest.mark.parametrize("name", [*KINDS, GITLAB])
def test_a_redelivered_notification_changes_nothing_but_the_number_of_notifications(name: str, tmp_path: Path) -> None:
    notification = reference.story(groups=1, size=11, seed=1)[0]
    with opened(name, tmp_path) as kind, Daemon(tmp_path, kind.toml(FREE)) as daemon:
        daemon.send(notification)
        daemon.drain()
        before, requests = kind.texts(), len(kind.fake.requests) if kind.fake else 0

        daemon.send(notification)
        daemon.drain()

        (group,) = daemon.groups().values()
        assert group["notifications"] == 2
        assert group["occurrences"] == notification["occurrences"]
        assert kind.texts() == before
        assert kind.fake is None or len(kind.fake.requests) == requests


# Probe early after a kill: these fakes do not lag.
SOON = FREE + 'timeout = "1s"\nprobe_after = ["2s", "3s", "4s"]\n'


@pytest.mark.parametrize("name", ["github", GITLAB])
def test_stopped_and_killed_ten_times_everything_acknowledged_has_its_one_issue(name: str, tmp_path: Path) -> None:
    notifications = reference.story(groups=50, size=1000, seed=7)
    accepted = []
    with opened(name, tmp_path) as kind:
        daemon = Daemon(tmp_path, kind.toml(SOON))
        for number in range(10):
            daemon.start()
            accepted += daemon.send_all(notifications[number * 100 : (number + 1) * 100])
            if number % 2:
                daemon.kill()
            else:
                assert daemon.stop() == 0
        with daemon:
            status = daemon.drain()
            groups = daemon.groups()

        expected = reference.counts(accepted)
        assert reference.differences(groups, expected) == {}
        assert status["issues"]["linked"] == 50
        issues = kind.texts()
        assert len(issues) == 50
        assert all(any(fingerprint in text for text in issues) for fingerprint in expected)
