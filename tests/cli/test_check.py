"""Findings of `check` about addresses and hooks."""

import re
import time
from contextlib import closing
from pathlib import Path

import pytest

from syncd import config as configuration
from syncd.cli import check_hooks
from syncd.cli.check import _routes
from syncd.cli.check_receiver import Obstacle
from syncd.config import Config, StoreSettings
from syncd.store import hooks as saved
from syncd.store import open_store
from syncd.store.hooks import Heard
from syncd.trackers import Finding


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://jira.example.com", True),
        ("http://192.0.2.7:8080", True),
        ("https://jira.example.com", False),
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
        ("http://localhost", False),
    ],
)
def test_plain_http_beyond_this_machine_is_a_warning_with_a_remedy(url: str, warned: bool) -> None:
    tracker = {"kind": "jira", "url": url, "project": "GAME", "deployment": "datacenter", "token": {"env": "T"}}
    config = Config.model_validate({"trackers": {"board": tracker}})

    warnings = [finding for finding in _routes(config) if "plain http" in finding.what]

    assert [bool(finding.remedy) for finding in warnings] == ([True] if warned else [])


def of_hooks(folder: Path, hook: str) -> list[Finding]:
    """The findings of the hook `game`, whose GitHub refuses connections."""
    text = f'[store]\nurl = "sqlite:{folder}/syncd.db"\n[trackers.crashes]\nkind = "github"\nrepository = "acme/game"\n'
    text += f'api_url = "http://127.0.0.1:1"\ntoken = {{ env = "NONE" }}\n[hooks.game]\ntracker = "crashes"\n{hook}\n'
    (folder / "config.toml").write_text(text)
    (folder / "hook").write_text("a secret")
    return [finding for _, finding in check_hooks.findings(configuration.load(folder / "config.toml"))]


def test_a_hook_whose_secret_cannot_be_read_keeps_syncd_from_starting(tmp_path: Path) -> None:
    (fault,) = of_hooks(tmp_path, f'secret = {{ file = "{tmp_path}/none" }}')

    assert isinstance(fault, Obstacle)
    assert "hooks.game.secret" in fault.remedy


def test_a_hook_is_displayed_with_its_address_and_when_it_was_heard(tmp_path: Path, migrated: Path) -> None:
    secret = f'secret = {{ file = "{tmp_path}/hook" }}'
    address, tracker = of_hooks(tmp_path, secret)
    assert address.what == "it listens on http://127.0.0.1:8080/hooks/game, and was never heard"
    assert tracker.ok, "a tracker that does not answer keeps nobody from filing: its own check says what is wrong"

    (tmp_path / "syncd.db").write_bytes(migrated.read_bytes())
    with closing(open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))) as store:
        heard = Heard(name="game", tracker="crashes", heard_at=time.time() - 590, reported_at=None)
        store.write(lambda transaction: saved.hear(transaction, [heard]), exclusive=False)
    assert re.search(r", and was last heard (590s|591s|10m|11m) ago$", of_hooks(tmp_path, secret)[0].what)
