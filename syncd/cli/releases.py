"""`releases`: which crashes a release brought."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from syncd.cli import NOT_FOUND, stop
from syncd.cli.arguments import ConfigOption, JsonOption, open_store
from syncd.cli.tables import console, issue_cell, number, occurrences, plain, plain_table
from syncd.config.values import did_you_mean
from syncd.core import overview
from syncd.core.matrix import cautious
from syncd.core.overview import Entry, Line, Overview
from syncd.core.quantities import counted
from syncd.operate import shapes
from syncd.platform.clock import Clock
from syncd.render.markdown import literal
from syncd.render.report import title
from syncd.render.text import one_line, utc

app = typer.Typer(add_completion=False)

SECTIONS = (
    ("new", "New in {release}"),
    ("regressed", "Regressed in {release}"),
    ("still", "Still seen in {release}"),
    ("gone", "Gone since {before}"),
)
COLUMNS = (("Group", 12), ("Crash", 52), ("In it", 7), ("In all", 8), ("Users", 6), ("Last seen", 20), ("Issue", 34))
NUMBERS = ("Groups", "New", "Regressed", "Occurrences", "In it", "In all", "Users")


@app.command()
def releases(
    project: Annotated[str, typer.Argument(help="A project, as its notifications name it.")],
    release: Annotated[
        str | None, typer.Argument(help="A release. \\[default: the newest, with a line for each]")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown for release notes.")] = False,
) -> None:
    """Show which crashes are new, regressed, still seen or gone in a release."""
    with open_store(config) as (_, store):
        standings, returns = store.report.project(project), store.report.returns(project)
        if not standings:
            stop(NOT_FOUND, f"no group has the project {project!r}{did_you_mean(project, store.report.projects())}")
    all_releases = overview.releases(standings)
    chosen = release or overview.latest(standings)
    if chosen is None:
        stop(NOT_FOUND, f"no notification of {project} names a release; see release_attributes in the configuration")
    if release is not None and not any(overview.same(release, each) for each in all_releases):
        stop(NOT_FOUND, f"no group of {project} was seen in {release!r}{did_you_mean(release, all_releases)}")
    rows = [row for standing in standings for row in standing.group.releases]
    view = cautious(overview.overview(standings, returns, chosen), rows, Clock().wall())
    lines = [] if release is not None else overview.lines(standings, returns)
    if as_json:
        shape = shapes.overview(view) | ({"releases": [shapes.line(line) for line in lines]} if lines else {})
        print(json.dumps({"project": project} | shape, indent=2))
    elif as_markdown:
        print(_markdown(project, view))
    else:
        _print(project, view, lines)


def _markdown(project: str, view: Overview) -> str:
    release, before = literal(one_line(view.release, 100)), literal(one_line(view.before or "", 100))
    parts = [f"## Crashes of {literal(one_line(project, 100))} in {release}"]
    for name, heading in SECTIONS:
        items = []
        for entry in getattr(view, name):
            group, issue = entry.standing.group, entry.standing.issue
            link = "" if issue is None or not issue.key else f" ([{issue.key}]({issue.url}))"
            users = f", {counted(group.users, 'user')}" if group.users else ""
            crash = literal(one_line(title(group), 160))
            items.append(f"- {crash}{link}: {counted(entry.occurrences, 'occurrence')}{users}")
        if items:
            parts += [f"### {heading.format(release=release, before=before)}", "\n".join(items)]
    return "\n\n".join(parts if len(parts) > 1 else [*parts, "None."])


def _print(project: str, view: Overview, lines: Sequence[Line]) -> None:
    out = console()
    if lines:
        table = plain_table(
            ("Release", "Groups", "New", "Regressed", "Occurrences", "First seen", "Last seen"), right=NUMBERS
        )
        for line in lines:
            counts = (number(count) for count in (line.groups, line.new, line.regressed, line.occurrences))
            table.add_row(plain(line.release, 40), *counts, utc(line.first_seen), utc(line.last_seen))
        out.print(table)
        out.print()
    out.print(Text(f"{project} {view.release}", style="bold"), soft_wrap=True)
    for name, heading in SECTIONS:
        if name == "gone" and view.before is None:
            continue
        entries = getattr(view, name)
        amount = "too early to say" if name == "gone" and view.early else len(entries)
        text = f"{heading.format(release=view.release, before=view.before)}: {amount}"
        out.print(Text(text, style="bold" if entries else "dim"), soft_wrap=True)
        if entries:
            out.print(_entries(entries))


def _entries(entries: Sequence[Entry]) -> Table:
    table = plain_table()
    for name, width in COLUMNS:
        table.add_column(name, width=width, justify="right" if name in NUMBERS else "left", no_wrap=True)
    for entry in entries:
        group = entry.standing.group
        table.add_row(
            plain(group.identity.fingerprint, 12, "cyan"),
            plain(title(group).removeprefix("Crash in "), 60),
            number(entry.occurrences),
            occurrences(group),
            number(group.users),
            utc(group.last_seen),
            issue_cell(entry.standing),
        )
    return table
