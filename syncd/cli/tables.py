"""Tables for people, on stdout. Everything a crash brought is printed as text, never as markup."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncd.model import Issue, Standing
from syncd.render.report import title
from syncd.render.text import one_line, utc
from syncd.store.report import Past, Quarantined

BARS = "▁▂▃▄▅▆▇█"


def console() -> Console:
    """Plain when stdout is no terminal or NO_COLOR is set; wide enough then for a table to be read by programs."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=160)


def plain(text: object, limit: int = 200, style: str = "") -> Text:
    """Untrusted text on one line: no markup, no control sequences."""
    return Text(one_line(str(text), limit) if text not in (None, "") else "–", style=style)


def number(value: int | None, approximate: bool = False) -> str:
    """12,345; ≥ before what is only a lower bound."""
    return "–" if value is None else f"{'≥' if approximate else ''}{value:,}"


# Name, width, and how wide a terminal must be for the column to be shown. The crash takes what is left.
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


def groups(standings: Sequence[Standing], total: int) -> None:
    """One line for each group."""
    out = console()
    shown = [(name, width) for name, width, least in COLUMNS if out.width >= least]
    table = _table()
    table.expand = True
    for name, width in shown:
        number_like = name in ("Occurrences", "Users")
        table.add_column(
            name,
            width=width if name != "Issue" or out.width < 140 else 32,
            ratio=1 if width is None else None,
            justify="right" if number_like else "left",
            no_wrap=True,
            overflow="ellipsis",
            style="cyan" if name == "Group" else "",
        )
    for standing in standings:
        cells = _cells(standing)
        table.add_row(*(cells[name] for name, _ in shown))
    out.print(table)
    if total > len(standings):
        out.print(f"… and {total - len(standings):,} more (--limit, --json)", style="dim")
    if not standings:
        out.print("No crash group yet. `syncd send-test` sends one.", style="dim")


def _cells(standing: Standing) -> dict[str, Text | str]:
    group = standing.group
    return {
        "Group": plain(group.identity.fingerprint, 12),
        "Project": plain(group.identity.project),
        "Crash": plain(title(group).removeprefix("Crash in ")),
        "Occurrences": number(group.occurrences, group.approximate),
        "Users": number(group.users),
        "Releases": plain(", ".join(entry.release for entry in group.releases[-3:])),
        "Last seen": utc(group.last_seen),
        "Issue": _where(standing),
    }


def _table() -> Table:
    return Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))


def _where(standing: Standing) -> Text:
    issue = standing.issue
    if issue is not None and issue.key:
        return plain(issue.key, style="green")
    return plain(f"{standing.decision}: {standing.reason}", style="yellow")


def status(shape: Mapping[str, Any]) -> None:
    """The shape of `status --json`, for people; what needs a person comes first."""
    out = console()
    wrong = [
        (shape["dead"], "dead letters: a tracker refused them for good: `syncd dead list`"),
        (shape["issues"]["parked"], "parked: a person must decide: `syncd dead list`"),
        (shape["issues"]["in_doubt"], "in doubt: a create was sent and its answer was lost; it is being looked for"),
        (shape["issues"]["doubles"], "have more than one live issue: `syncd groups --json`, key `doubles`"),
        (shape["quarantined"], "in quarantine: `syncd quarantine list`"),
    ]
    paused = {name: tracker for name, tracker in shape["trackers"].items() if tracker["state"] != "ok"}
    for count, words in wrong:
        if count:
            out.print(Text(f"! {count:,} {words}", style="red"))
    for name, tracker in paused.items():
        until = f" until {utc(tracker['until'])}" if tracker["until"] else ""
        out.print(Text(f"! tracker {name} {tracker['state']}{until}: {tracker['reason']}", style="red"))
    if not paused and not any(count for count, _ in wrong):
        out.print(Text("✓ all is well", style="green"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_row("inbox", f"{shape['inbox']['waiting']:,} waiting")
    table.add_row("outbox", f"{shape['outbox']['due']:,} due, {shape['outbox']['waiting']:,} later")
    table.add_row("issues", f"{shape['issues']['linked']:,} linked")
    table.add_row("held", f"{shape['held']:,} groups not filed, on purpose")
    for name, tracker in shape["trackers"].items():
        table.add_row("tracker", f"{name}: {tracker['state']}")
    out.print(table)


def show(standing: Standing, history: Sequence[Past]) -> None:
    """One group, whole."""
    group, out = standing.group, console()
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("fingerprint", group.identity.fingerprint),
        ("project", f"{group.identity.universe} / {group.identity.project}"),
        ("application", group.application),
        ("classifiers", ", ".join(group.classifiers)),
        (
            "occurrences",
            f"{number(group.occurrences, group.approximate)} in {number(group.notifications)} notifications",
        ),
        ("machines, users", f"{number(group.hosts)}, {number(group.users)}"),
        ("seen", f"{utc(group.first_seen)} … {utc(group.last_seen)}"),
        ("issue", _issue(standing.issue)),
        ("decision", f"{standing.decision}: {standing.reason}"),
    ):
        facts.add_row(Text(name, style="bold"), plain(value, 300))
    out.print(Panel(facts, title=plain(title(group), 100), title_align="left"))
    if group.releases:
        out.print(_ledger(standing))
    if group.callstack:
        out.print(Text("Call stack", style="bold"))
        for frame in group.callstack[:20]:
            out.print(Text("  ").append_text(plain(frame, 140)))
        if len(group.callstack) > 20:
            out.print(Text(f"  … {len(group.callstack) - 20} more frames", style="dim"))
    if history:
        out.print(Text("History", style="bold"))
        for past in reversed(history):
            out.print(
                Text(f"  {utc(int(past.at))}  {past.action}: ").append_text(plain(past.reason)),
                _outcome(past),
            )


def _issue(issue: Issue | None) -> str:
    if issue is None:
        return "none"
    return f"{issue.key}  {issue.url}" if issue.key else issue.state.value.replace("_", " ")


def _outcome(past: Past) -> Text:
    return Text("→ ").append_text(plain(past.outcome)) if past.outcome else Text("")


def _ledger(standing: Standing) -> Table:
    table = _table()
    for name in ("Release", "Occurrences", "", "First seen", "Last seen"):
        table.add_column(name, justify="right" if name == "Occurrences" else "left", no_wrap=True)
    most = max(entry.occurrences for entry in standing.group.releases) or 1
    for entry in standing.group.releases:
        bar = BARS[min(len(BARS) - 1, entry.occurrences * len(BARS) // (most + 1))]
        table.add_row(
            plain(entry.release, 40),
            number(entry.occurrences, entry.approximate),
            Text(bar, style="cyan"),
            utc(entry.first_seen),
            utc(entry.last_seen),
        )
    return table


def quarantine(kept: Sequence[Quarantined]) -> None:
    """One line for each."""
    out = console()
    if not kept:
        out.print("The quarantine is empty.", style="dim")
        return
    table = _table()
    for name in ("Number", "Received", "Why", "Body"):
        table.add_column(name, no_wrap=name != "Why")
    for one in kept:
        age = utc(int(min(one.received_at, time.time())))
        table.add_row(str(one.id), age, plain(one.reason), plain(one.body.decode("utf-8", "replace"), 60))
    out.print(table)
