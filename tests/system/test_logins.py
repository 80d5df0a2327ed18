"""A GitHub App and the gateway of Jira Cloud behind a whole daemon: one issue for each crash, and no secret in what it writes."""

import threading
from pathlib import Path

import pytest

from tests.fakes.github import FakeGitHub
from tests.fakes.github_app import private_key
from tests.fakes.jira import TOKEN
from tests.prove.crashes import crash, fingerprint, tally
from tests.system.daemon import Daemon
from tests.system.kinds import GITHUB_APP, JIRA_GATEWAY, opened

CRASHES = 24
TOKENS_END_SECONDS = 1.0  # one that ends before its first use, twice in a row, is a refused login


@pytest.mark.parametrize("name", [GITHUB_APP, JIRA_GATEWAY])
def test_each_crash_has_one_issue_whatever_the_login_and_though_its_tokens_end(tmp_path: Path, name: str) -> None:
    with opened(name, tmp_path) as tracker:
        ended = threading.Event()

        def end_tokens() -> None:
            while not ended.wait(TOKENS_END_SECONDS):
                if isinstance(tracker.fake, FakeGitHub):
                    tracker.fake.app.expire()

        threading.Thread(target=end_tokens, daemon=True).start()
        daemon = Daemon(tmp_path, tracker.toml("concurrency = 4\nwrites = []\n"))
        daemon.start()
        daemon.send_all([crash(number) for number in range(CRASHES)])
        daemon.kill()
        daemon.start()
        daemon.send_all([crash(number, 3) for number in range(CRASHES)])
        status = daemon.drain()
        ended.set()
        report = daemon.syncd("check")
        daemon.stop()
        counted = tally(map(fingerprint, range(CRASHES)), tracker.texts())

    assert counted.exact, counted
    assert (status["issues"]["linked"], status["issues"]["in_doubt"], status["issues"]["parked"]) == (CRASHES, 0, 0)
    secrets = [TOKEN, private_key().splitlines()[1]]
    if isinstance(tracker.fake, FakeGitHub):
        secrets += tracker.fake.app.grants
    assert not [secret for secret in secrets if secret in daemon.log.read_text() or secret in report]
