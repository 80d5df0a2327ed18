"""`make man`: the pages of the manual in deploy/man, made from the help of the commands. A test compares them with the program."""

import enum
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from syncd import cli

FOLDER = Path(__file__).parents[1] / "deploy/man"
Command = TyperCommand | TyperGroup

EXIT_CODES = (
    (0, "success; of status and check: all is well"),
    (cli.FAILED, "failure, whose reason is printed"),
    (cli.USAGE, "wrong usage, or a name that fits several groups"),
    (cli.UNHEALTHY, "status: something needs a person, or no daemon runs"),
    (cli.NOT_FOUND, "nothing has the name that was given"),
    (cli.LATER, "try again later: no daemon answers, or the store cannot be read"),
    (cli.BAD_CONFIG, "the configuration, or a right to a file, must be changed first"),
)
FILES = (
    ("/etc/syncd/config.toml", "the configuration, unless --config, $SYNCD_CONFIG or ./config.toml names another"),
    ("/etc/syncd/credentials/NAME", 'a secret written as { credential = "NAME" }, as systemd loads it'),
    ("/var/lib/syncd", "the store of the packaged service"),
)


def pages() -> dict[str, str]:
    """Every page by its file name: syncd.1, and one for each command."""
    commands = {name: command(name) for name in cli.COMMANDS}
    return {"syncd.1": _overview(commands)} | {
        f"syncd-{name}.1": "\n".join(_page(name, each)) + "\n" for name, each in commands.items()
    }


def command(name: str) -> Command:
    """The real command behind the entry of the list."""
    group = typer.main.get_command(cli.app)
    assert isinstance(group, cli.Commands)
    _, resolved, _ = group.resolve_command(None, [name])
    assert isinstance(resolved, Command)
    return resolved


def _overview(commands: dict[str, Command]) -> str:
    lines = [*_head("syncd", str(cli.app.info.help)), ".SH SYNOPSIS", ".B syncd", ".I COMMAND", "[\\fIOPTION\\fR]..."]
    lines += [".SH DESCRIPTION", text("Each command has a page of its own: `man syncd-status`."), ".SH COMMANDS"]
    panel = ""
    for name in commands:
        entry = cli.COMMANDS[name]
        if entry.panel != panel:
            panel = entry.panel
            lines.append(f".SS {text(panel)}")
        lines += [".TP", f".BR syncd\\-{text(name)} (1)", text(entry.help)]
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXIT_CODES:
        lines += [".TP", f".B {code}", text(meaning)]
    lines.append(".SH FILES")
    for file, meaning in FILES:
        lines += [".TP", f".I {text(file)}", text(meaning)]
    return "\n".join(lines) + "\n"


def _page(name: str, command: Command) -> Iterator[str]:
    yield from _head(f"syncd-{name}", cli.COMMANDS[name].help)
    yield ".SH SYNOPSIS"
    inner = sorted(command.commands.items()) if isinstance(command, TyperGroup) else []
    if not inner:
        yield from _synopsis(f"syncd {name}", command)
    for number, (verb, each) in enumerate(inner):
        yield from [".br"] if number else []
        yield from _synopsis(f"syncd {name} {verb}", each)
    if not inner:
        yield ".SH DESCRIPTION"
        yield from _paragraphs(command.help or "")
        yield ".SH OPTIONS"
        yield from _parameters(command)
    for verb, each in inner:
        yield f".SH {text(f'{name} {verb}'.upper())}"
        yield from _paragraphs(each.help or "")
        yield from _parameters(each)
    yield ".SH SEE ALSO"
    yield ".BR syncd (1)"


def _head(name: str, purpose: str) -> Iterator[str]:
    yield '.\\" Made by `make man` from the help of the command.'
    yield f'.TH "{name.upper()}" "1" "" "syncd" "syncd"'
    yield ".SH NAME"
    yield f"{text(name)} \\- {text(purpose.rstrip('.'))}"


def _synopsis(name: str, command: Any) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    yield f".B {text(name)}"
    yield "[\\fIOPTION\\fR]..."
    for argument in arguments:
        metavar = f"\\fI{text(argument.metavar or str(argument.name).upper())}\\fR"
        repeated = "..." if argument.nargs == -1 else ""
        yield metavar + repeated if argument.required else f"[{metavar}]{repeated}"


def _paragraphs(help_text: str) -> Iterator[str]:
    for number, paragraph in enumerate(help_text.split("\n\n")):
        yield from [".PP"] if number else []
        yield text(" ".join(paragraph.split()))


def _parameters(command: Any) -> Iterator[str]:
    for parameter in command.params:
        help_text = getattr(parameter, "help", None) or ""
        if parameter.param_type_name == "argument":
            name = f"\\fI{text(parameter.metavar or str(parameter.name).upper())}\\fR"
        else:
            name = ", ".join(f"\\fB{text(option)}\\fR" for option in parameter.opts)
            name += "" if parameter.is_flag else f" \\fI{text(parameter.metavar or 'VALUE')}\\fR"
        default = parameter.default
        if getattr(parameter, "show_default", False) and default not in (None, False, "") and not callable(default):
            value = default.value if isinstance(default, enum.Enum) else default
            help_text += f" [default: {value}]"
        yield from (".TP", name, text(help_text))


def text(plain: str) -> str:
    """Text as roff takes it: no sign of it is a request, and hyphens stay those that a person types."""
    escaped = (
        plain.replace("\\[", "[").replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("→", "\\(->")
    )
    quoted = escaped.replace("'", "\\(aq").replace("`", "\\(aq")
    return f"\\&{quoted}" if quoted.startswith(".") else quoted


def main() -> None:
    """Write them, and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.1"):
        path.unlink()
    for name, page in pages().items():
        (FOLDER / name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
