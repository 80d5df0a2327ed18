"""Findings of `check` about addresses."""

import pytest

from syncd.cli.check import _routes
from syncd.config import Config


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
