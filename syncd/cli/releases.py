"""`releases`: what is new in a release, what came back, what is still there, what is gone."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import NOT_FOUND, ConfigOption, JsonOption, app, stop
from syncd.cli.lookups import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from syncd.core.overview import Entry, Line, Overview


@app.command()
def releases(
    project: Annotated[str, typer.Argument(help="A project, as its notifications name it.")],
    release: Annotated[str | None, typer.Argument(help="A release. Left out: the newest, and a line for each.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, to paste into release notes.")
    ] = False,
) -> None:
    """What a release brought: crashes new in it, regressed in it, still seen in it, and gone since the one before."""
    from syncd.config.values import did_you_mean
    from syncd.core import overview
    from syncd.operate import shapes

    with opened(config) as (_, store):
        standings, returns = store.report.project(project), store.report.returns(project)
        if not standings:
            stop(NOT_FOUND, f"no group has the project {project!r}{did_you_mean(project, store.report.projects())}")
    known = overview.releases(standings)
    chosen = release or overview.latest(standings)
    if chosen is None:
        stop(NOT_FOUND, f"no notification of {project} named a release; see release_attributes in the configuration")
    if release is not None and not any(overview.same(release, one) for one in known):
        stop(NOT_FOUND, f"no group of {project} was seen in {release!r}{did_you_mean(release, known)}")
    found = overview.overview(standings, returns, chosen)
    lines = [] if release is not None else overview.lines(standings, returns)
    if as_json:
        shape = shapes.overview(found) | ({"releases": [shapes.line(line) for line in lines]} if lines else {})
        print(json.dumps({"project": project} | shape, indent=2))
    elif as_markdown:
        print(_markdown(project, found))
    else:
        _tables(project, found, lines)


SECTIONS = (
    ("new", "New in {release}"),
    ("regressed", "Regressed in {release}"),
    ("still", "Still seen in {release}"),
    ("gone", "Gone since {before}"),
)


def _sections(found: "Overview") -> "list[tuple[str, tuple[Entry, ...]]]":
    return [
        (words.format(release=found.release, before=found.before), getattr(found, name))
        for name, words in SECTIONS
        if name != "gone" or found.before is not None
    ]


def _markdown(project: str, found: "Overview") -> str:
    from syncd.render.markdown import literal
    from syncd.render.text import one_line

    shown = f"## Crashes of {literal(one_line(project, 100))} in {literal(one_line(found.release, 100))}"
    parts = [shown]
    for name, words in SECTIONS:
        entries = getattr(found, name)
        if not entries:
            continue
        other = literal(one_line(found.before or "", 100))
        parts.append(f"### {words.format(release=literal(one_line(found.release, 100)), before=other)}")
        parts.append("\n".join(_item(entry) for entry in entries))
    if len(parts) == 1:
        parts.append("None.")
    return "\n\n".join(parts)


def _item(entry: "Entry") -> str:
    from syncd.core.quantities import counted
    from syncd.render.markdown import literal
    from syncd.render.report import title
    from syncd.render.text import one_line

    issue, group = entry.standing.issue, entry.standing.group
    named = literal(one_line(title(group), 160))
    linked = "" if issue is None or not issue.key else f" ([{issue.key}]({issue.url}))"
    users = f", {counted(group.users, 'user')}" if group.users else ""
    return f"- {named}{linked}: {counted(entry.occurrences, 'occurrence')}{users}"


def _tables(project: str, found: "Overview", lines: "list[Line]") -> None:
    from rich.text import Text

    from syncd.cli import tables

    out = tables.console()
    if lines:
        out.print(_lines(lines))
        out.print()
    out.print(Text(f"{project} {found.release}", style="bold"), soft_wrap=True)
    for words, entries in _sections(found):
        out.print(Text(f"{words}: {len(entries)}", style="bold" if entries else "dim"), soft_wrap=True)
        if entries:
            out.print(_entries(entries))


def _lines(lines: "Sequence[Line]") -> "Table":
    """One line for each release of a project."""
    from syncd.cli.tables import number, plain, plain_table
    from syncd.render.text import utc

    table = plain_table()
    for name in ("Release", "Groups", "New", "Regressed", "Occurrences", "First seen", "Last seen"):
        table.add_column(
            name, justify="left" if name in ("Release", "First seen", "Last seen") else "right", no_wrap=True
        )
    for line in lines:
        counts = (number(count) for count in (line.groups, line.new, line.regressed, line.occurrences))
        table.add_row(plain(line.release, 40), *counts, utc(line.first_seen), utc(line.last_seen))
    return table


def _entries(found: "Sequence[Entry]") -> "Table":
    """The crashes of one section."""
    from syncd.cli.tables import number, plain, plain_table, where
    from syncd.render.report import title
    from syncd.render.text import utc

    table = plain_table()
    for name, width in (
        ("Group", 12),
        ("Crash", 52),
        ("In it", 7),
        ("In all", 8),
        ("Users", 6),
        ("Last seen", 20),
        ("Issue", 34),
    ):
        number_like = name in ("In it", "In all", "Users")
        table.add_column(name, width=width, justify="right" if number_like else "left", no_wrap=True)
    for entry in found:
        group = entry.standing.group
        table.add_row(
            plain(group.identity.fingerprint, 12, "cyan"),
            plain(title(group).removeprefix("Crash in "), 60),
            number(entry.occurrences),
            number(group.occurrences, group.approximate),
            number(group.users),
            utc(group.last_seen),
            where(entry.standing),
        )
    return table
