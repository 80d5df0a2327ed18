"""A tracker that is misconfigured rests, says so everywhere, loses nothing, and goes on when it works again."""

from pathlib import Path

import pytest

from tests.prove.daemons import ready
from tests.system import reference
from tests.system.daemon import Daemon
from tests.system.kinds import opened

FREE = "writes = []\n"


def resting(daemon: Daemon) -> dict[str, str]:
    """The resting trackers that `/readyz` lists, with their reasons; the daemon stays ready."""
    status, answer = ready(daemon)
    assert status == 200
    paused: dict[str, str] = answer["paused_trackers"]
    return paused


def test_a_wrong_token_is_named_in_readyz_status_and_log_and_a_new_one_in_its_file_is_tried_at_once(
    tmp_path: Path,
) -> None:
    notifications = reference.story(groups=10, size=110, seed=6)
    with opened("github", tmp_path) as kind:
        right = (tmp_path / "github-token").read_text()
        (tmp_path / "github-token").write_text("wrong")
        with Daemon(tmp_path, kind.toml(FREE)) as daemon:
            accepted = daemon.send_all(notifications)
            paused = daemon.wait_for(lambda: resting(daemon), "the tracker to rest")
            standing = daemon.status()["trackers"]["here"]
            fake = kind.fake
            assert fake is not None
            requests = len(fake.requests)

            assert "does not accept the token (401 Bad credentials)" in paused["here"]
            assert f"trackers.here.token comes from the file {tmp_path}/github-token" in paused["here"]
            assert (standing["state"], standing["cause"]) == ("paused", "misconfigured")
            assert "tracker_paused" in daemon.log.read_text()

            daemon.syncd("resume", "here")
            daemon.wait_for(lambda: len(fake.requests) > requests, "one try")
            paused = daemon.wait_for(lambda: resting(daemon), "it to rest again")
            assert len(fake.requests) == requests + 1, "one try for all ten groups"

            (tmp_path / "github-token").write_text(right)
            status = daemon.drain()

            assert status["trackers"]["here"]["state"] == "ok"
            assert resting(daemon) == {}
            assert len(kind.texts()) == len(reference.counts(accepted)) == 10


@pytest.mark.parametrize("name", ["jira-cloud", "jira-datacenter"])
def test_a_new_token_in_its_file_ends_the_rest_without_a_command(name: str, tmp_path: Path) -> None:
    with opened(name, tmp_path) as kind:
        (file,) = tmp_path.glob("*-token")
        right = file.read_text()
        file.write_text("wrong")
        with Daemon(tmp_path, kind.toml(FREE)) as daemon:
            daemon.send(reference.story(groups=1, size=11, seed=6)[0])
            paused = daemon.wait_for(lambda: resting(daemon), "the tracker to rest")
            assert f"trackers.here.token comes from the file {file}" in paused["here"]

            file.write_text(right)
            daemon.drain()
            assert len(kind.texts()) == 1
        assert '"event":"token_changed"' in daemon.log.read_text()


def test_a_new_start_tries_at_once_what_rested(tmp_path: Path) -> None:
    with opened("github", tmp_path) as kind:
        right = (tmp_path / "github-token").read_text()
        (tmp_path / "github-token").write_text("wrong")
        with Daemon(tmp_path, kind.toml(FREE)) as daemon:
            daemon.send(reference.story(groups=1, size=11, seed=6)[0])
            daemon.wait_for(lambda: resting(daemon), "the tracker to rest")
            daemon.stop()
            (tmp_path / "github-token").write_text(right)
            daemon.start()
            daemon.drain()

            assert len(kind.texts()) == 1
            assert resting(daemon) == {}
            assert "tracker_resumed" in daemon.log.read_text()
