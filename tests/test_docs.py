"""The documents agree with the program."""

import ast
import configparser
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd import config as configuration
from syncd.config import (
    AppSettings,
    BacktraceProject,
    BacktraceSettings,
    ChannelSettings,
    Config,
    GitHubSettings,
    HookSettings,
    JiraSettings,
    LocalSettings,
    MailSettings,
    Match,
    OAuthSettings,
    PluginSettings,
    Route,
    SlackSettings,
    Source,
    SourceMap,
    TeamsSettings,
    WebhookSettings,
)
from syncd.plugins.gitlab.settings import GitLabSettings
from tests import documents

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONFIGURE = (ROOT / "docs/configure.md").read_text()
OPERATE = (ROOT / "docs/operate.md").read_text()
SETUP = (ROOT / "docs/setup.md").read_text()
SECURITY = (ROOT / "docs/security.md").read_text()
MESSAGES = "## Messages to Slack, Teams and mail"
EXAMPLE = (ROOT / "config.toml.example").read_text()
SECTIONS: list[Any] = [
    *(
        field.annotation
        for name, field in Config.model_fields.items()
        if name not in ("sources", "channels", "trackers", "hooks", "routes", "backtrace") and field.annotation
    ),
    BacktraceSettings,
    BacktraceProject,
    Source,
    SourceMap,
    GitHubSettings,
    AppSettings,
    OAuthSettings,
    JiraSettings,
    LocalSettings,
    HookSettings,
    PluginSettings,
    GitLabSettings,
    ChannelSettings,
    SlackSettings,
    TeamsSettings,
    WebhookSettings,
    MailSettings,
    Match,
    Route,
]


def keys() -> Iterator[str]:
    for section in SECTIONS:
        yield from own_keys(section)


def own_keys(section: Any) -> Iterator[str]:
    """The keys of a section; those that every channel has are in one table."""
    inherited = ChannelSettings.model_fields if ChannelSettings in section.__mro__[1:] else {}
    return (key for key in section.model_fields if key not in inherited)


@pytest.mark.parametrize("key", sorted(set(keys())))
def test_every_key_is_in_the_example_and_explained(key: str) -> None:
    assert re.search(rf"\b{key}\b", EXAMPLE)
    assert re.search(rf"`{key}`|\b{key} = ", CONFIGURE)


def test_the_tables_of_keys_are_those_of_the_model() -> None:
    assert documents.configure(CONFIGURE) == CONFIGURE, "`make docs` writes them anew"


def test_every_key_has_its_place_in_a_table() -> None:
    there = {(section.__name__, key) for section in SECTIONS if section is not Match for key in own_keys(section)}
    assert documents.documented(CONFIGURE) == there


def test_the_example_as_it_stands_is_a_configuration_that_runs_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(EXAMPLE)

    loaded = configuration.load(path)
    assert loaded.receiver.address == ("127.0.0.1", 8080)
    assert [settings.kind for settings in loaded.trackers.values()] == ["local"]


def test_a_default_in_the_example_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(re.sub(r"^#(?=\w+ = )", "", EXAMPLE, flags=re.MULTILINE))

    loaded = configuration.load(path)
    assert loaded == configuration.load(_written(tmp_path, EXAMPLE))


def _written(folder: Path, text: str) -> Path:
    path = folder / "other.toml"
    path.write_text(text)
    return path


def test_everything_in_the_example_can_be_switched_on_at_once(tmp_path: Path) -> None:
    uncommented = re.sub(r"^#\s?(?=\w+ = |\[)", "", EXAMPLE, flags=re.MULTILINE)

    loaded = configuration.load(_written(tmp_path, uncommented))
    assert {settings.kind for settings in loaded.trackers.values()} == {"local", "github", "jira", "gitlab"}
    assert loaded.receiver.username == "backtrace"


@pytest.mark.parametrize("text", [README, CONFIGURE, OPERATE, SETUP], ids=["README", "configure", "operate", "setup"])
def test_every_toml_block_in_the_documents_is_toml(text: str) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)

    assert blocks
    for block in blocks:
        # The block about secrets shows several ways to say the same.
        tomllib.loads(re.sub(r"^token = \{ credential.*", "", block, flags=re.MULTILINE))


def test_the_configuration_in_the_readme_is_complete(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)

    loaded = configuration.load(_written(tmp_path, block))
    assert [route.tracker for route in loaded.routes] == ["game", "mobile"]


@pytest.mark.slow
def test_the_readme_names_every_command_and_nothing_else() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "syncd", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = set(re.findall(r"^[│|] ([a-z][a-z-]+)  ", printed, re.MULTILINE))
    table = README[README.index("## Commands") : README.index("Exit codes")]
    named = set(re.findall(r"`(?:syncd )?([a-z-]+)[^`]*`", table)) - {"discard", "make"}

    assert commands == {name for name in named if not name.startswith("--")}


def test_the_store_for_several_machines_is_a_configuration(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n([^`]*\[store\].*?)```", OPERATE, re.DOTALL)

    loaded = configuration.load(_written(tmp_path, block))
    assert loaded.store.dialect == "postgresql"


def test_the_single_sign_on_is_a_configuration(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(\[console\].*?)```", OPERATE, re.DOTALL)

    loaded = configuration.load(_written(tmp_path, block))
    assert loaded.console.trusted_header == "x-forwarded-user"


@pytest.mark.slow
def test_the_example_units_run_what_there_is(tmp_path: Path) -> None:
    units = re.findall(r"```ini\n(.*?)```", OPERATE, re.DOTALL)

    assert len(units) == 2
    for unit in units:
        parsed = configparser.ConfigParser(interpolation=None)
        parsed.read_string(unit)
        program, *options = parsed["Service"]["ExecStart"].split()
        assert program.endswith("/syncd")
        ran = subprocess.run(
            [sys.executable, "-m", "syncd", *options[:-1], str(tmp_path / "none.toml")], capture_output=True, text=True
        )
        assert (ran.returncode, "cannot be read" in ran.stderr) == (78, True), ran.stderr


def test_the_index_has_every_decision_with_its_title_date_and_status() -> None:
    pages = ROOT.glob("docs/decisions/[0-9]*.md")
    titles = {page.name: page.read_text().splitlines()[0].removeprefix("# ") for page in pages}
    index = (ROOT / "docs/decisions/README.md").read_text()

    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| \d{4}-\d{2}-\d{2} \| \w.* \|$", index, re.MULTILINE)
    assert {page: title for title, page in rows} == titles
    assert len({page[:4] for page in titles}) == len(titles)


def test_the_tree_of_the_architecture_has_every_room_from_the_lowest_layer_up() -> None:
    tree = re.findall(r"^  (\w+)/ ", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    rooms = {path.parent.name for path in (ROOT / "syncd").glob("*/__init__.py")}
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    heights = {room: -height for height, layer in enumerate(layers) for room in layer.split(" | ")}

    assert set(tree) == rooms
    assert [heights[room] for room in tree] == sorted(heights[room] for room in tree)


def logged() -> set[tuple[str, str]]:
    """Every event that the program logs, with its level."""
    events = {("tracker_call", "info")}  # a warning if the call failed
    for path in (ROOT / "syncd").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(ast.Name("write_batch"), [_, ast.Constant(value=str(event)), *_]):
                    events.add((event, "info"))
                case ast.Call(
                    ast.Attribute(attr="debug" | "info" | "warning" | "error" | "exception" as level),
                    [ast.Constant(value=str(event)), *_],
                ):
                    events.add((event, "error" if level == "exception" else level))
    return events


def test_the_documents_list_every_log_event_with_its_level_and_nothing_else() -> None:
    table = OPERATE.partition("## Log events")[2]

    assert set(re.findall(r"^\| `(\w+)` \| (\w+) \|", table, re.MULTILINE)) == logged()


def test_every_link_in_the_documents_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_make_and_ci_run_what_the_readme_says() -> None:
    makefile = (ROOT / "Makefile").read_text()
    ci = (ROOT / ".ci/run").read_text()

    for target in re.findall(r"^make ([a-z]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "make test" in ci


_BLOCKS = re.findall(r"```toml\n(.*?)```", SETUP.partition(MESSAGES)[0], re.DOTALL)
*TRACKERS_OF_SETUP, BACKTRACE_OF_SETUP = _BLOCKS[:-4]
HOOK_OF_SETUP = _BLOCKS[-1]


@pytest.mark.parametrize(
    "block",
    [*TRACKERS_OF_SETUP, HOOK_OF_SETUP],
    ids=["github", "app", "cloud", "oauth", "datacenter", "gitlab", "hook"],
)
def test_each_configuration_of_the_set_up_is_complete(block: str, tmp_path: Path) -> None:
    loaded = configuration.load(_written(tmp_path, block))

    assert loaded.receiver.password is not None
    assert len(loaded.trackers) == len(loaded.all_routes) == 1


def test_backtrace_is_added_to_a_configuration_of_the_set_up(tmp_path: Path) -> None:
    loaded = configuration.load(_written(tmp_path, f"{TRACKERS_OF_SETUP[0]}\n{BACKTRACE_OF_SETUP}"))

    assert [project.name for project in loaded.backtrace["acme"].projects] == ["game-client"]


@pytest.mark.parametrize("block", _BLOCKS[-4:-1], ids=["sentry", "alertmanager", "bugsink"])
def test_each_source_is_added_to_a_configuration_of_the_set_up(
    block: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (source,) = configuration.load(_written(tmp_path, f"{TRACKERS_OF_SETUP[0]}\n{block}")).sources.values()

    assert f"[{source.kind}]" in request.node.name
    assert source.secret is not None


@pytest.mark.parametrize(
    "block",
    re.findall(r"```toml\n(.*?)```", SETUP.partition(MESSAGES)[2], re.DOTALL),
    ids=["slack", "teams", "mail", "webhook"],
)
def test_each_channel_of_the_set_up_is_complete(block: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    loaded = configuration.load(_written(tmp_path, block + '[trackers.files]\nkind = "local"\nfolder = "issues"\n'))

    (channel,) = loaded.channels.values()
    assert channel.kind in request.node.name
    assert loaded.listeners == {"route-1": list(loaded.channels)}


@pytest.mark.parametrize("test", sorted(set(re.findall(r"`(tests/[\w/]+\.py::test_\w+)`", SECURITY))))
def test_what_security_rests_on_is_tested(test: str) -> None:
    path, _, name = test.partition("::")

    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_the_pictures_of_the_console_are_there_and_small() -> None:
    pictures = re.findall(r"docs/pictures/([\w-]+\.png)", README)

    assert pictures
    for name in pictures:
        picture = ROOT / "docs/pictures" / name
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 100_000
