"""Trackers of other packages: found by their entry points, checked, and kept apart from all others."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd import config
from syncd.config import Config, PluginSettings, plugins
from syncd.config.plugins import PluginError, UnusableSettings
from syncd.errors import ConfigError, Misconfigured
from syncd.trackers import open_tracker
from syncd.trackers.references import named
from tests.clock import MovableClock
from tests.fakes.notebook import Memory

GOOD = """
from typing import Literal
from syncd.plugin import *
class BoardSettings(PluginSettings):
    settable = frozenset({"labels"})
    kind: Literal["board"]
    url: Address
    team: str
    logins: dict[str, Secret] = {}
    token: Secret
    def name_issue(self, text):
        if not text.startswith(self.team + "-"):
            raise ValueError(f"{text!r} names no card; write it like {self.team}-12")
        return IssueName(text.partition("-")[2], text)
class Board:
    def __init__(self, name, settings, notebook, *, clock, sleep):
        self.settings = settings
    def close(self): pass
PLUGIN = Plugin(api_version=1, settings=BoardSettings, tracker=Board)
"""
SECTION = """
[trackers.cards]
kind = "board"
url = "https://board.example.com"
team = "ENG"
token = { file = "token" }
[trackers.files]
kind = "local"
folder = "issues"
[[routes]]
match = { project = "engine" }
tracker = "cards"
[[routes]]
tracker = "files"
"""

Install = Callable[..., None]
Load = Callable[[str], Config]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package that adds a tracker `kind` by a module of its own."""
    modules = set(sys.modules)

    def installer(source: str, package: str = "syncd-board", kind: str = "board", version: str = "1.2") -> None:
        module = package.replace("-", "_")
        folder = tmp_path / "site" / package
        metadata = folder / f"{module}-{version}.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        (metadata / "entry_points.txt").write_text(f"[syncd.trackers]\n{kind} = {module}:PLUGIN\n")
        (folder / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(str(folder))

    yield installer
    for name in set(sys.modules) - modules:
        if name.startswith("syncd_"):
            del sys.modules[name]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loader(text: str) -> Config:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return config.load(path)

    return loader


def problems(load: Load, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return "\n".join(caught.value.problems)


def test_a_plug_in_has_a_section_of_its_own(install: Install, load: Load) -> None:
    install(GOOD)
    loaded = load(SECTION)

    cards = loaded.trackers["cards"]
    assert isinstance(cards, PluginSettings)
    assert (cards.kind, cards.concurrency, cards.model_dump()["team"]) == ("board", 1, "ENG")
    assert loaded.credentials["cards"] == "board https://board.example.com file token"
    assert loaded.version != load(SECTION.replace("ENG", "OPS")).version, (
        "a key of the plug-in is part of the configuration"
    )


def test_a_wrong_key_of_a_plug_in_is_reported_as_every_other(install: Install, load: Load) -> None:
    install(GOOD)

    text = problems(load, SECTION.replace("team", "taem").replace("[trackers.files]", "[trackers.files]\nfoldr = 1"))
    assert "trackers.cards.taem: there is no such key (did you mean 'team'?)" in text
    assert "trackers.cards.team: is missing" in text
    assert "trackers.files.foldr: there is no such key (did you mean 'folder'?)" in text


def test_a_plain_secret_of_a_plug_in_is_refused_and_not_repeated(install: Install, load: Load) -> None:
    install(GOOD)

    text = problems(load, SECTION.replace('{ file = "token" }', '"glpat-hidden"'))
    assert "trackers.cards.token: a secret does not belong in this file" in text
    assert "hidden" not in text


def test_every_secret_of_a_plug_in_is_a_secret_of_the_configuration(
    install: Install, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(GOOD)
    (tmp_path / "token").write_text("glpat-hidden")
    monkeypatch.setenv("BOT", "also-hidden")
    loaded = load(SECTION.replace('"token" }', '"token" }\nlogins.bot = { env = "BOT" }'))

    assert [key for key, _ in config.secrets(loaded)] == ["trackers.cards.logins.bot", "trackers.cards.token"]
    assert "hidden" not in repr(loaded) + loaded.model_dump_json()


def test_probes_that_cannot_prove_anything_are_refused_for_a_plug_in_too(install: Install, load: Load) -> None:
    install(GOOD)

    text = problems(
        load, SECTION.replace('team = "ENG"', 'team = "ENG"\ntimeout = "50s"\nprobe_after = ["40s", "60s"]')
    )
    assert "trackers.cards.probe_after: the first delay (40s) is not longer than timeout" in text


def test_a_rule_with_a_setting_that_a_plug_in_lacks_is_a_warning(install: Install, load: Load) -> None:
    install(GOOD)
    rule = 'tracker = "cards"\nset = [{ when = {}, labels = ["x"], milestone = "2.0" }]'

    (warning,) = config.warnings(load(SECTION.replace('tracker = "cards"', rule)))
    assert warning == "routes[0].set[0].milestone: a tracker of kind board has no such setting"


def test_an_issue_is_named_as_the_plug_in_says(install: Install, load: Load) -> None:
    install(GOOD)
    settings = load(SECTION).trackers["cards"]

    assert (named("cards", settings, " ENG-12 ").remote_id, named("cards", settings, "ENG-12").key) == ("12", "ENG-12")
    with pytest.raises(ValueError, match="names no card; write it like ENG-12"):
        named("cards", settings, "OPS-1")


def test_a_kind_that_nobody_installed_is_a_fault_of_the_configuration(load: Load) -> None:
    text = problems(load, SECTION.replace('"board"', '"githib"'))

    assert "trackers.cards.kind: no tracker called 'githib' is installed (did you mean 'github'?)" in text


FAULTS = {
    "a broken import": ("import no_such_module", "the plug-in syncd-board 1.2 cannot be imported (ModuleNotFoundError: ", "pip install --upgrade syncd-board"),
    "a name that this version lacks": ("from syncd.plugin import Teleport", "cannot import name 'Teleport'", "pip install"),
    "a module that raises": ("raise SystemExit('no licence')", "(SystemExit: no licence)", "pip install"),
    "no such attribute": ("", "AttributeError", "pip install"),
    "no plug-in": ("PLUGIN = 7", "of the plug-in syncd-board 1.2 is a int and no syncd.plugin.Plugin", "docs/extend.md"),
    "a newer version": ("from syncd.plugin import Plugin\nPLUGIN = Plugin(api_version=2, teleport=True)", "syncd-board 1.2 is made for version 2 of syncd.plugin, and this syncd has version 1", "update syncd"),
    "an older version": ("from syncd.plugin import Plugin\nPLUGIN = Plugin(api_version=0)", "syncd-board 1.2 is made for version 0", "pip install --upgrade syncd-board"),
    "no tracker": ("from syncd.plugin import Plugin\nPLUGIN = Plugin(api_version=1)", "TypeError: Plugin() of API version 1 got no tracker", "pip install"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plug_in_that_cannot_be_used_makes_only_its_own_tracker_rest(
    fault: str, install: Install, load: Load
) -> None:
    source, reason, remedy = FAULTS[fault]
    install(source)

    loaded = load(SECTION)
    cards, clock = loaded.trackers["cards"], MovableClock()
    assert isinstance(cards, UnusableSettings)
    client = open_tracker("cards", cards, Memory(), clock=clock, sleep=time.sleep)
    (finding,) = client.check()
    assert (finding.ok, reason in finding.what, remedy in finding.remedy) == (False, True, True), finding
    for call in (client.newest, lambda: list(client.survey([], None)), lambda: client.sweep(0, 0.0)):
        with pytest.raises(Misconfigured, match="syncd-board"):
            call()
    with pytest.raises(ValueError, match="cannot be looked up"):
        named("cards", cards, "ENG-1")
    client.close()
    assert open_tracker("files", loaded.trackers["files"], Memory(), clock=clock, sleep=time.sleep).newest() == 0
    assert [kind for kind, _ in plugins.faults({"board", "local"})] == ["board"]


def test_a_plug_in_that_fails_to_open_concerns_its_own_tracker(install: Install, load: Load) -> None:
    install(GOOD.replace("self.settings = settings", "raise RuntimeError(settings.token.read('k').get_secret_value())"))
    settings, clock = load(SECTION).trackers["cards"], MovableClock()

    (finding,) = open_tracker("cards", settings, Memory(), clock=clock, sleep=time.sleep).check()
    assert finding.what == "the plug-in of kind 'board' cannot open cards (ConfigError)"


def test_two_packages_with_one_name_are_both_refused(install: Install) -> None:
    install(GOOD)
    install(GOOD, package="syncd-board-fork", version="3.0")

    with pytest.raises(PluginError) as caught:
        plugins.find_plugin("board")
    assert "syncd-board 1.2" in caught.value.reason
    assert "syncd-board-fork 3.0" in caught.value.reason
    assert "uninstall all but one of them" in caught.value.remedy


def test_a_package_on_two_paths_is_one_package(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(GOOD)
    (tmp_path / "link").symlink_to(tmp_path / "site" / "syncd-board")
    monkeypatch.syspath_prepend(str(tmp_path / "link"))

    assert plugins.find_plugin("board").api_version == 1


def test_a_name_of_syncds_own_is_refused_and_named(install: Install, load: Load) -> None:
    install(GOOD, package="syncd-other", kind="github")

    ((name, fault),) = plugins.faults({"local"})
    assert (name, "syncd-other 1.2" in fault.reason) == ("github", True)
    assert "uninstall" in fault.remedy
    github = '[trackers.x]\nkind = "github"\nrepository = "a/b"\ntoken = { env = "T" }\n'
    assert load(github).trackers["x"].kind == "github", "syncd's own goes on"
