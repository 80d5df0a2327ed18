"""config.toml in a temporary folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from syncd import config
from syncd.config import Config
from syncd.errors import ConfigError

Load = Callable[[str], Config]
Faults = Callable[[str], list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a configuration from its text."""

    def from_text(text: str) -> Config:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return config.load(path)

    return from_text


@pytest.fixture
def faults(load: Load, tmp_path: Path) -> Faults:
    """Load a configuration that is refused; its problems without the path."""

    def of_text(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text)
        assert str(caught.value) == "\n".join(caught.value.problems)
        return [problem.removeprefix(f"{tmp_path}/config.toml: ") for problem in caught.value.problems]

    return of_text


def keys(problems: list[str]) -> list[str]:
    """The key before the colon of each problem."""
    return [problem.partition(": ")[0] for problem in problems]


PASSWORD = "correct horse battery staple"

LOCAL = '[trackers.files]\nkind = "local"\nfolder = "issues"\n'
GITHUB = '[trackers.crashes]\nkind = "github"\nrepository = "acme/game"\ntoken = { env = "TOKEN" }\n'
JIRA = '[trackers.mobile]\nkind = "jira"\nurl = "https://acme.example"\nproject = "MOB"\ntoken = { env = "TOKEN" }\n'
CLOUD = JIRA + 'deployment = "cloud"\nemail = "crashes@acme.example"\n'
DATACENTER = JIRA + 'deployment = "datacenter"\n'
EVERYTHING = "[[routes]]\ntracker = "
