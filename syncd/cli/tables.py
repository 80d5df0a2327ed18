"""Shared parts of the commands' tables. Text from crashes and trackers is printed as text, never as markup."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from syncd.core.quantities import figure
from syncd.model import Group, GroupView, Release
from syncd.render.text import one_line


def console() -> Console:
    """A console on stdout. Without a terminal it is 160 columns wide, so that programs can read its tables."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=160)


def plain(text: object, limit: int = 200, style: str = "") -> Text:
    """Untrusted text on one line, without markup or control sequences."""
    return Text(one_line(str(text), limit) if text not in (None, "") else "–", style=style)


def number(value: int | None) -> str:
    """12,345, or a dash."""
    return "–" if value is None else f"{value:,}"


def occurrences(entry: Group | Release) -> str:
    """The count of a group or a release, or its bounds."""
    return figure(entry.occurrences, entry.approximate, entry.at_most)


def plain_table(columns: Iterable[str] = (), right: Iterable[str] = ()) -> Table:
    """A table without lines, with these columns; those in `right` are aligned to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=True)
    return table


def issue_cell(standing: GroupView) -> Text:
    """A group's issue, or why it has none."""
    issue = standing.issue
    if issue is not None and issue.key:
        return plain(issue.key, style="green")
    return plain(f"{standing.decision}: {standing.reason}", style="yellow")
