"""`groups` and `show`: crash groups in the store."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncd.cli import USAGE, stop
from syncd.cli.arguments import ConfigOption, GroupName, JsonOption, duration_option, find_group, open_store
from syncd.cli.tables import console, issue_cell, number, occurrences, plain, plain_table
from syncd.config.values import did_you_mean
from syncd.core.plan import NEVER_LINKED
from syncd.core.quantities import BARS, bars, counted
from syncd.core.releases import ordered
from syncd.model import Group, GroupView, Issue, IssueState, Point
from syncd.operate import search, shapes
from syncd.platform.clock import Clock
from syncd.render.addresses import group_page
from syncd.render.report import title
from syncd.render.text import utc
from syncd.store import Store
from syncd.store.filters import UNASSIGNED, Sort, State, Wanted
from syncd.store.report import EVERYTHING, Past

app = typer.Typer(add_completion=False)

# Name, width (None: what the others leave), and the least width of the terminal.
COLUMNS = (
    ("Group", 12, 0),
    ("Project", 14, 120),
    ("Crash", None, 0),
    ("Occurrences", 11, 0),
    ("Users", 7, 110),
    ("Releases", 20, 150),
    ("Last seen", 20, 100),
    ("Issue", 18, 0),
)
FRAMES = 20
PAGE = 500


def _named(help: str) -> Any:
    """An option for a name that narrows the list."""
    return typer.Option(metavar="NAME", help=help, show_default=False)


@app.command()
def groups(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    project: Annotated[str | None, _named("Only groups of this project.")] = None,
    application: Annotated[str | None, _named("Only groups of this application.")] = None,
    release: Annotated[str | None, _named("Only groups that occurred in this release.")] = None,
    state: Annotated[
        State | None,
        typer.Option(
            metavar="STATE",
            help=f"Only groups in this state: {', '.join(State)}.",
            show_choices=False,
            show_default=False,
        ),
    ] = None,
    classifier: Annotated[str | None, _named("Only groups with this classifier.")] = None,
    owner: Annotated[
        str | None, _named(f"Only groups whose issue is assigned to this person; {UNASSIGNED} for nobody.")
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Only groups with all these words in fingerprint, stack, project, application, classifiers or issue key; "
            "NAME:VALUE also fits an attribute.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        float | None,
        duration_option(help="Only groups that crashed in the last 30m, 2h, 7d …"),
    ] = None,
    sort: Annotated[
        Sort | None,
        typer.Option(
            metavar="ORDER",
            help=f"The order, the latest or largest first: {', '.join(Sort)}. \\[default: last_seen]",
            show_default=False,
        ),
    ] = None,
    held: Annotated[
        bool, typer.Option("--held", help="Only held groups with their reasons, the largest group first.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=2**31, metavar="NUMBER", help="Maximum number of groups. \\[default: 50 in a table, all in JSON]"
        ),
    ] = None,
) -> None:
    """List crash groups with counts and issues, the latest crash first.

    Options narrow the list together: a group is listed if it fits all of them.
    """
    if held and state not in (None, State.HELD):
        stop(USAGE, "--held and --state contradict each other; give one of them")
    given = {
        "project": project,
        "application": application,
        "release": release,
        "state": State.HELD if held else state,
        "classifier": classifier,
        "owner": owner,
        "text": text,
        "since": None if since is None else f"{since:f}s",
    }
    with open_store(config) as (settings, store):
        now = Clock().wall()
        try:
            wanted = search.wanted(settings, given, now)
        except search.BadFilter as error:
            stop(USAGE, str(error))
        size = limit or (EVERYTHING if as_json else 50)
        total: int | None = None
        if held and sort is None and replace(wanted, state=None).everything:
            standings = store.report.groups(size, held=True)  # of equal users, the one with the most occurrences first
            total = store.report.counts(now).held
        else:
            standings, is_cut = _listed(store, wanted, sort or (Sort.USERS if held else Sort.LAST_SEEN), size, now)
            total = len(standings) if not is_cut else store.report.how_many() if wanted.everything else None
        if as_json:
            print(json.dumps([shapes.group(standing) for standing in standings], indent=2))
            return
        if not standings and not wanted.everything:
            projects = store.report.projects()
            hint = "" if project is None or project in projects else _unknown(project, projects)
            console().print(plain(f"No group fits.{hint}", 500, style="dim"), soft_wrap=True)
            return
    print_groups(standings, total)


def _unknown(project: str, projects: list[str]) -> str:
    return f" There is no project {project!r}{did_you_mean(project, projects)}."


def _listed(store: Store, wanted: Wanted, sort: Sort, size: int, now: float) -> tuple[list[GroupView], bool]:
    """Up to `size` groups, and whether there may be more: the console's list, page by page."""
    standings: list[GroupView] = []
    after = None
    while True:
        page = search.page(store, wanted, sort, after, min(PAGE, size - len(standings)), now)
        standings += [listed.standing for listed in page.groups]
        after = page.next
        if after is None or len(standings) >= size:
            return standings, after is not None or page.cut


@app.command()
def show(text: GroupName, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one crash group: counts, releases, stack, issue, decisions."""
    with open_store(config) as (settings, store):
        listed = find_group(store, text)
        history = store.report.history(listed.id)
    if as_json:
        print(json.dumps(shapes.whole(listed.standing, history, settings.console.url), indent=2))
    else:
        _print_group(listed.standing, history, settings.console.url)


def print_groups(standings: Sequence[GroupView], total: int | None) -> None:
    """Print one line per group; `total` groups exist, None for an unknown number beyond these."""
    out = console()
    columns = [(name, width) for name, width, least in COLUMNS if out.width >= least]
    table = plain_table()
    table.expand = True
    for name, width in columns:
        table.add_column(
            name,
            width=32 if name == "Issue" and out.width >= 140 else width,
            ratio=1 if width is None else None,
            justify="right" if name in ("Occurrences", "Users") else "left",
            no_wrap=True,
            overflow="ellipsis",
            style="cyan" if name == "Group" else "",
        )
    for standing in standings:
        group = standing.group
        cells: dict[str, Text | str] = {
            "Group": plain(group.identity.fingerprint, 12),
            "Project": plain(group.identity.project),
            "Crash": plain(title(group).removeprefix("Crash in ")),
            "Occurrences": occurrences(group),
            "Users": number(group.users),
            "Releases": plain(", ".join(entry.release for entry in group.releases[-3:])),
            "Last seen": utc(group.last_seen),
            "Issue": issue_cell(standing),
        }
        table.add_row(*(cells[name] for name, _ in columns))
    out.print(table)
    if total is None:
        out.print("… and more (--limit, --json)", style="dim")
    elif total > len(standings):
        out.print(f"… and {total - len(standings):,} more (--limit, --json)", style="dim")
    if not standings:
        out.print("No crash group yet. `syncd send-test` sends one.", style="dim")


def _print_group(standing: GroupView, history: Sequence[Past], console_url: str) -> None:
    group, out = standing.group, console()
    facts = Table.grid(padding=(0, 2))
    notifications = "–" if group.notifications is None else counted(group.notifications, "notification")
    for name, value in (
        ("fingerprint", group.identity.fingerprint),
        ("project", f"{group.identity.universe} / {group.identity.project}"),
        ("application", group.application),
        ("classifiers", ", ".join(group.classifiers)),
        ("occurrences", f"{occurrences(group)} in {notifications}"),
        ("hosts, users", f"{number(group.hosts)}, {number(group.users)}"),
        ("time", f"{utc(group.first_seen)} … {utc(group.last_seen)}"),
        *_issue_facts(standing.issue),
        *_growth_facts(group),
        ("decision", f"{standing.decision}: {standing.reason}"),
        *((("reported at", group.group_url),) if group.group_url else ()),
        *((("page", f"{console_url}{group_page(group.identity)}"),) if console_url else ()),
    ):
        facts.add_row(Text(name, style="bold"), plain(value, 300))
    out.print(Panel(facts, title=plain(title(group), 100), title_align="left"))
    if group.releases:
        out.print(_releases(group))
    if group.callstack:
        out.print(Text("Call stack", style="bold"))
        for frame in group.callstack[:FRAMES]:
            out.print(Text("  ").append_text(plain(frame, 140)))
        if len(group.callstack) > FRAMES:
            out.print(Text(f"  … {len(group.callstack) - FRAMES} more frames", style="dim"))
    if history:
        out.print(Text("History", style="bold"))
    for past in reversed(history):
        line = Text(f"  {utc(int(past.at))}  {past.action}: ").append_text(plain(past.reason))
        if past.actor is not None:
            line.append(" (by ").append_text(plain(past.actor)).append(")")
        out.print(line, Text("→ ").append_text(plain(past.outcome)) if past.outcome else Text(""))


def _issue_facts(issue: Issue | None) -> Iterator[tuple[str, str]]:
    """The group's issue, and what a person must know to look for it in the tracker."""
    if issue is None:
        yield "issue", "none"
        return
    yield "issue", f"{issue.key}  {issue.url}" if issue.key else issue.state.value.replace("_", " ")
    if issue.owners is not None:
        yield "owner", ", ".join(issue.owners) or UNASSIGNED
    condition = issue.condition
    if condition is not None and condition.closed:
        fixed = f", fixed in {', '.join(condition.fixed_in)}" if condition.fixed_in else ""
        yield "closed", f"as {condition.resolution or 'done'}{fixed}, {utc(condition.closed_at)}"
    if issue.doubles:
        yield "doubles", f"{issue.doubles} — also live in the tracker; close one by hand"
    if issue.state is IssueState.WANTED or issue.remote_id is not None:
        return
    yield "create", f"sent {utc(issue.sent_at)} to {issue.tracker}, without an answer"
    if issue.state in NEVER_LINKED:
        probes = {0: "none yet", 1: "one"}.get(issue.probes, f"{issue.probes}")
        due = "" if issue.probe_at is None else f"; the next from {utc(issue.probe_at)} on"
        yield "probes", f"{probes}{due}"
    yield "marker", f"{issue.marker} (search {issue.tracker} for it)"


def _growth_facts(group: Group) -> Iterator[tuple[str, str]]:
    """Attributes, aliases, and occurrences over time."""
    if group.attributes:
        yield "attributes", ", ".join(f"{name}={'|'.join(values[:3])}" for name, values in group.attributes)
    if group.aliases:
        yield "aliases", ", ".join(group.aliases)
    if group.follows:
        yield "follows", f"{group.follows}, whose issue shows the occurrences of this group"
    if len(group.trail) > 1:
        first, last = group.trail[0].at, group.trail[-1].at
        yield "growth", f"{sparkline(group.trail)}  {utc(first)} … {utc(last)}, as notifications came"


def sparkline(trail: Sequence[Point], width: int = 24) -> str:
    """The occurrences in each of `width` equal spans of time, as bars of one character."""
    first, last = trail[0].at, trail[-1].at
    span = (last - first) / width or 1.0
    totals = [0] * width
    before = 0
    for point in trail:
        totals[min(width - 1, int((point.at - first) / span))] += point.occurrences - before
        before = point.occurrences
    return bars(totals)


def _releases(group: Group) -> Table:
    """The group's occurrences by release, the newest release first."""
    table = plain_table(
        ("Release", "Occurrences", "", "Share", "First seen", "Last seen"), right=("Occurrences", "Share")
    )
    releases = {entry.release: entry for entry in group.releases}
    newest_first = [releases[release] for release in ordered(releases)]
    shapes = bars([entry.occurrences for entry in newest_first], empty=BARS[0])
    total = max(group.occurrences, sum(entry.occurrences for entry in releases.values())) or 1
    for entry, bar in zip(newest_first, shapes, strict=True):
        table.add_row(
            plain(entry.release, 40),
            occurrences(entry),
            Text(bar, style="cyan"),
            f"{100 * entry.occurrences / total:.0f}%",
            utc(entry.first_seen),
            utc(entry.last_seen),
        )
    return table
