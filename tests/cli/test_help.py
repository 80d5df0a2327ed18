"""The help of every command, and what listing the commands imports."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from syncd import cli
from tests import manual
from tests.golden import golden
from tests.manual import command


def texts(path: str, command: TyperCommand | TyperGroup) -> Iterator[tuple[str, str]]:
    """The help of a command and of each of its subcommands, without the layout of a terminal."""
    lines = [command.help or ""]
    for parameter in command.params:
        help_text = getattr(parameter, "help", None)
        if help_text and "--help" not in parameter.opts:
            lines.append(f"{', '.join(parameter.opts)}: {help_text}")
    yield path, "\n".join(lines)
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            assert isinstance(inner, TyperCommand)
            yield from texts(f"{path} {name}", inner)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_list_of_commands_has_the_first_sentence_of_each_command(name: str) -> None:
    assert (command(name).help or "").partition("\n")[0] == cli.COMMANDS[name].help


def test_the_help_of_every_command() -> None:
    for name in cli.COMMANDS:
        for path, text in texts(name, command(name)):
            golden("help", path, text)


def test_every_parameter_has_a_help_text() -> None:
    def missing(command: TyperCommand | TyperGroup) -> Iterator[str]:
        yield from (str(parameter.name) for parameter in command.params if not getattr(parameter, "help", None))
        for inner in command.commands.values() if isinstance(command, TyperGroup) else ():
            assert isinstance(inner, TyperCommand)
            yield from missing(inner)

    assert [f"{name}: {parameter}" for name in cli.COMMANDS for parameter in missing(command(name))] == []


def test_listing_the_commands_imports_none_of_them() -> None:
    program = (
        "import sys; sys.argv = ['syncd', '--help']; from syncd import cli\n"
        "try: cli.main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)\n"
    )
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr.split()

    assert "typer" in modules
    heavy = (
        "pydantic",
        "structlog",
        "starlette",
        "sqlite3",
        "pysqlite3",
        "syncd.config",
        "syncd.store",
        "syncd.cli.status",
    )
    assert [name for name in heavy if name in modules] == []


@pytest.mark.parametrize("action", ["show", "replay", "discard"])
@pytest.mark.parametrize("number", ["0", "9223372036854775808", "9" * 40])
def test_a_number_that_no_database_holds_is_a_wrong_argument(action: str, number: str) -> None:
    assert CliRunner().invoke(cli.app, ["quarantine", action, number]).exit_code == cli.USAGE


def test_the_pages_of_the_manual_have_the_help_of_the_commands() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in manual.FOLDER.iterdir()}
    assert written == manual.pages(), "`make man` writes them"


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("--json of C:\\x", "\\-\\-json of C:\\ex"),
        (".so /etc/passwd", "\\&.so /etc/passwd"),
        ("'br", "\\(aqbr"),
        ("\\[default: 50]", "[default: 50]"),
    ],
)
def test_text_is_no_request_of_roff(plain: str, escaped: str) -> None:
    assert manual.text(plain) == escaped


def test_every_option_with_a_value_names_it() -> None:
    def unnamed(command: manual.Command) -> Iterator[str]:
        for parameter in command.params:
            is_flag = getattr(parameter, "is_flag", True)  # an argument has no such thing
            if not is_flag and parameter.metavar is None:
                yield str(parameter.name)
        for inner in command.commands.values() if isinstance(command, TyperGroup) else ():
            assert isinstance(inner, TyperCommand)
            yield from unnamed(inner)

    assert [f"{name} {option}" for name in cli.COMMANDS for option in unnamed(command(name))] == []
