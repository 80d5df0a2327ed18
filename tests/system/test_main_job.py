"""Notifications in over real HTTP, issues out over real HTTP: one per group, every count right."""

from pathlib import Path

import pytest

from tests.system import reference
from tests.system.daemon import Daemon
from tests.system.kinds import GITHUB_EMULATOR, KINDS, opened


@pytest.mark.parametrize("name", [*KINDS, GITHUB_EMULATOR])
def test_a_thousand_shuffled_notifications_become_fifty_issues_with_the_right_counts(name: str, tmp_path: Path) -> None:
    told = reference.story(groups=50, size=1000, seed=20261124)
    with opened(name, tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        accepted = daemon.send_all(told, clients=8)
        status = daemon.drain()
        groups = daemon.groups()
        code = daemon.stop()

        expected = reference.counts(accepted)
        assert code == 0
        assert status["issues"] == {"linked": 50, "in_doubt": 0, "parked": 0, "dropped": 0, "doubles": 0}
        assert {name: reference.shown(group) for name, group in groups.items()} == {
            name: reference.expected(group) for name, group in expected.items()
        }
        texts = kind.texts()
        assert len(texts) == 50
        for fingerprint, group in expected.items():
            (issue,) = [text for text in texts if fingerprint in text]
            assert f"{group['total'][0]:,}" in issue
        assert max(kind.comments()) <= 1


@pytest.mark.parametrize("name", KINDS)
def test_a_redelivered_notification_changes_nothing_but_the_number_of_notifications(name: str, tmp_path: Path) -> None:
    told = reference.story(groups=1, size=11, seed=1)[0]
    with opened(name, tmp_path) as kind, Daemon(tmp_path, kind.toml()) as daemon:
        daemon.send(told)
        daemon.drain()
        before, requests = kind.texts(), len(kind.fake.requests) if kind.fake else 0

        daemon.send(told)
        daemon.drain()

        (group,) = daemon.groups().values()
        assert group["notifications"] == 2
        assert group["occurrences"] == told["occurrences"]
        assert kind.texts() == before
        assert kind.fake is None or len(kind.fake.requests) == requests


@pytest.mark.parametrize("name", KINDS)
def test_stopped_and_killed_ten_times_nothing_acknowledged_is_missing(name: str, tmp_path: Path) -> None:
    told = reference.story(groups=50, size=1000, seed=7)
    accepted = []
    with opened(name, tmp_path) as kind:
        daemon = Daemon(tmp_path, kind.toml())
        for number in range(10):
            daemon.start()
            accepted += daemon.send_all(told[number * 100 : (number + 1) * 100])
            if number % 2:
                daemon.kill()
            else:
                assert daemon.stop() == 0
        with daemon:
            status = daemon.drain()
            groups = daemon.groups()

        expected = reference.counts(accepted)
        assert {name: reference.shown(group) for name, group in groups.items()} == {
            name: reference.expected(group) for name, group in expected.items()
        }
        issues = kind.texts()
        found = {fingerprint: [text for text in issues if fingerprint in text] for fingerprint in expected}
        assert all(len(texts) <= 1 for texts in found.values())
        # A kill in the middle of a create leaves its group in doubt: it may have its issue, and it is shown.
        assert status["issues"]["linked"] + status["issues"]["in_doubt"] == 50
        doubtful = {name for name, group in groups.items() if group["issue"]["state"] == "in_doubt"}
        assert all(found[fingerprint] for fingerprint in expected.keys() - doubtful)
