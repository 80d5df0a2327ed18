"""Issues as people name them."""

from typing import Any

import pytest

from syncd.config import GitHubSettings, JiraSettings, LocalSettings
from syncd.trackers.references import named

SECRET = {"env": "TOKEN"}
SETTINGS: dict[str, Any] = {
    "github": GitHubSettings.model_validate({"kind": "github", "repository": "acme/game", "token": SECRET}),
    "jira": JiraSettings.model_validate(
        {
            "kind": "jira",
            "deployment": "datacenter",
            "url": "https://jira.acme.example/j",
            "project": "MOB",
            "token": SECRET,
        }
    ),
    "local": LocalSettings(kind="local", folder="issues"),
}


@pytest.mark.parametrize(
    ("kind", "text", "remote_id"),
    [
        ("github", "#12", "12"),
        ("github", " 12 ", "12"),
        ("github", "Acme/Game#12", "12"),
        ("github", "https://github.com/acme/game/issues/12", "12"),
        ("jira", "mob-12", "MOB-12"),
        ("jira", "OTHER-3", "OTHER-3"),
        ("jira", "https://jira.acme.example/j/browse/MOB-12", "MOB-12"),
        ("local", "crash-in-draw-01", "crash-in-draw-01.md"),
        ("local", "crash-in-draw-01.md", "crash-in-draw-01.md"),
    ],
)
def test_it_is_understood(kind: str, text: str, remote_id: str) -> None:
    assert named("t", SETTINGS[kind], text).remote_id == remote_id


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("github", ""),
        ("github", "MOB-12"),
        ("github", "acme/other#12"),
        ("github", "https://github.com/acme/other/issues/12"),
        ("github", "https://github.com/acme/game/pull/12/files"),
        ("jira", "12"),
        ("jira", "https://elsewhere.example/browse/MOB-12"),
        ("jira", "MOB-12/../../x"),
        ("local", "../../etc/passwd"),
        ("local", ".hidden"),
        ("local", ""),
    ],
)
def test_what_names_none_of_this_tracker_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"names no|is in|is not at"):
        named("t", SETTINGS[kind], text)
