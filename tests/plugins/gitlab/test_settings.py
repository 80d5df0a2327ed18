"""`[trackers.NAME]` with `kind = "gitlab"`, and how people name issues."""

import sys
from pathlib import Path

import pytest

from syncd import config
from syncd.config.plugins import UnusableSettings
from syncd.errors import ConfigError
from syncd.plugins.gitlab.settings import GitLabSettings

SECTION = '[trackers.game]\nkind = "gitlab"\nproject = "acme/engine/game"\ntoken = {{ file = "token" }}\n{}'


def load(folder: Path, more: str = "") -> GitLabSettings:
    path = folder / "config.toml"
    path.write_text(SECTION.format(more))
    settings = config.load(path).trackers["game"]
    assert isinstance(settings, GitLabSettings)
    return settings


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            'url = "https://gitlab.com/api/v4"',
            'is a place inside the site; write the address of the site, "https://gitlab.com"',
        ),
        ('issue_type = "epic"', "trackers.game.issue_type: must be 'issue', 'incident' or 'task'"),
        ("confidental = true", "trackers.game.confidental: there is no such key (did you mean 'confidential'?)"),
        ('labels = ["a,b"]', "trackers.game.labels[0]"),
        (
            'timeout = "60s"\nprobe_after = ["30s", "60s"]',
            "trackers.game.probe_after: the first delay (30s) is not longer than timeout",
        ),
    ],
)
def test_a_wrong_key_is_reported_with_its_remedy(more: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, more)
    assert problem in "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    "project",
    ["game", "https://gitlab.com/acme/game", "git@gitlab.com:acme/game.git", "https://gitlab.com/acme/game/-/issues"],
)
def test_a_project_that_is_none_is_refused_and_the_right_one_written(project: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(SECTION.format("").replace("acme/engine/game", project))

    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert 'write "acme/game"' in str(caught.value) or 'write "group/project"' in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "12", "#12", "acme/engine/game#12", "ACME/Engine/Game#12", "https://gitlab.com/acme/engine/game/-/issues/12",
        "https://gitlab.com/acme/engine/game/-/work_items/12#note_3", "https://gitlab.com/acme/engine/game/issues/12?x=1",
    ],
)  # fmt: skip
def test_an_issue_is_named_by_number_key_or_address(text: str, tmp_path: Path) -> None:
    assert load(tmp_path).name_issue(text) == ("12", "acme/engine/game#12")


@pytest.mark.parametrize(
    "text",
    ["", "acme/other#12", "https://gitlab.example.com/acme/engine/game/-/issues/12", "#12x", "https://gitlab.com/acme"],
)
def test_a_text_that_names_no_issue_of_the_project_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"names no issue|and not in acme/engine/game"):
        load(tmp_path).name_issue(text)


def test_without_its_library_the_tracker_rests_and_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("syncd.plugins.gitlab")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gitlab", None)
    (tmp_path / "config.toml").write_text(SECTION.format(""))

    settings = config.load(tmp_path / "config.toml").trackers["game"]
    assert isinstance(settings, UnusableSettings)
    assert "syncd[gitlab] cannot be imported (ModuleNotFoundError" in settings.reason
    assert settings.remedy.startswith("`pip install 'syncd[gitlab]'`")
