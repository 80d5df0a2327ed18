"""Tables for people, on stdout. Everything a crash brought is printed as text, never as markup."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncd.cli.charts import BARS, sparkline
from syncd.core.plan import NEVER_LINKED
from syncd.core.releases import ordered
from syncd.model import Group, GroupView, Issue, IssueState
from syncd.operate import attention
from syncd.render.report import title
from syncd.render.text import one_line, utc
from syncd.store.dead_letters import DeadLetter, Kind
from syncd.store.report import Past, Quarantined


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


def groups(standings: Sequence[GroupView], total: int) -> None:
    """One line for each group."""
    out = console()
    shown = [(name, width) for name, width, least in COLUMNS if out.width >= least]
    table = plain_table()
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


def _cells(standing: GroupView) -> dict[str, Text | str]:
    group = standing.group
    return {
        "Group": plain(group.identity.fingerprint, 12),
        "Project": plain(group.identity.project),
        "Crash": plain(title(group).removeprefix("Crash in ")),
        "Occurrences": number(group.occurrences, group.approximate),
        "Users": number(group.users),
        "Releases": plain(", ".join(entry.release for entry in group.releases[-3:])),
        "Last seen": utc(group.last_seen),
        "Issue": where(standing),
    }


def plain_table() -> Table:
    """A table without lines."""
    return Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))


def where(standing: GroupView) -> Text:
    """The issue of a group, or why it has none."""
    issue = standing.issue
    if issue is not None and issue.key:
        return plain(issue.key, style="green")
    return plain(f"{standing.decision}: {standing.reason}", style="yellow")


_PARTS = {"all": "receiver and worker", "receiver": "receiver", "worker": "worker"}


def _instances(table: Table, running: Sequence[Mapping[str, Any]]) -> None:
    for one in running:
        beat = f"silent since {utc(one['beat_at'])}" if one["silent"] else "alive"
        table.add_row("running", plain(f"{one['instance']}: {_PARTS[one['part']]}, syncd {one['version']}, {beat}"))
    if not running:
        table.add_row("running", "nothing")


def status(shape: Mapping[str, Any], at_once: Mapping[str, int]) -> None:
    """The shape of `status --json`, for people; what needs a person comes first. `at_once` says how many writes each budget
    allows at once when it is full."""
    out = console()
    wrong = attention.counts(shape)
    for need in wrong:
        out.print(Text(f"! {need.what}" + (f": `syncd {need.command}`" if need.command else ""), style="red"))
    waiting = {name: tracker for name, tracker in shape["trackers"].items() if tracker["state"] != "ok"}
    for name, tracker in waiting.items():
        # What an operator wants, or what is over at a known time, is no alarm.
        calm = tracker["cause"] in ("operator", "throttled")
        out.print(Text(f"! tracker {name} ", style="yellow" if calm else "red").append_text(standing_of(tracker)))
    if not waiting and not wrong:
        out.print(Text("✓ all is well", style="green"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    issues = [f"{shape['issues']['linked']:,} linked"]
    for name, words in (("dropped", "dropped: `syncd dead list --dropped`"), ("doubles", "with doubles")):
        if shape["issues"][name]:
            issues.append(f"{shape['issues'][name]:,} {words}")
    table.add_row("inbox", f"{shape['inbox']['waiting']:,} waiting")
    table.add_row("outbox", f"{shape['outbox']['due']:,} due, {shape['outbox']['waiting']:,} later")
    table.add_row("issues", ", ".join(issues))
    table.add_row("held", f"{shape['held']:,} groups not filed, on purpose")
    for held in shape.get("held_by", []):
        by = f"{held['rule']}, route {held['route']}" if held["route"] else held["rule"]
        table.add_row("", plain(f"{held['groups']:,} by {by}"))
    for storm in shape.get("storms", []):
        table.add_row(
            "storm", plain(f"route {storm['route']} holds {storm['held']:,} back, since {utc(storm['since'])}")
        )
    for pause in shape.get("paused_routes", []):
        table.add_row("paused", plain(f"route {pause['route']}, since {utc(pause['since'])}: {pause['reason']}", 300))
    for name, tracker in shape["trackers"].items():
        left = tracker["writes_left"]
        spent = left is not None and left < at_once.get(name, 0)
        table.add_row(
            "tracker", f"{name}: {tracker['state']}" + (f"; budget: {left:,} writes left now" if spent else "")
        )
    _instances(table, shape.get("instances", []))
    out.print(table)


def standing_of(tracker: Mapping[str, Any]) -> Text:
    """How a tracker that does not take every call now is, after its name."""
    how = {"operator": "is paused by an operator", "misconfigured": "rests", "throttled": "is silent"}
    words = how.get(tracker["cause"], f"is {tracker['state']}")
    if tracker["state"] == "slowed":
        words = "takes no calls of one kind"
    if tracker["until"] is not None:
        due = tracker["until"] <= time.time()
        words += ", and is tried again now" if due else f" until {utc(tracker['until'])}"
    return Text(f"{words}: ").append_text(plain(tracker["reason"], 300)) if tracker["reason"] else Text(words)


def letters(shown: Sequence[DeadLetter], unshown: int, dropped: int) -> None:
    """One line for each; `unshown` more are like these, `dropped` more need nobody."""
    out = console()
    if shown:
        out.print(_letters(shown, out.width))
        if unshown:
            out.print(f"… and {unshown:,} more (--limit, --json)", style="dim")
        ways = ["`syncd dead retry FINGERPRINT` tries again, `syncd dead discard FINGERPRINT` leaves it alone."]
        if any(letter.cause == "doubt" for letter in shown):
            ways.append(
                "In doubt: `syncd show` says what to look for; if there is none, `dead retry --no-issue-exists`."
            )
        for way in ways:
            out.print(way, style="dim", soft_wrap=True)
    else:
        out.print(Text("✓ ", style="green").append("no group needs a person", style="default"))
    if dropped:
        out.print(f"{dropped:,} dropped, which need nobody: `syncd dead list --dropped`", style="dim")


def _letters(shown: Sequence[DeadLetter], width: int) -> Table:
    table = plain_table()
    table.expand = True
    wide = width >= 120
    table.add_column("Group", width=12, no_wrap=True, style="cyan")
    if wide:
        table.add_column("Project", max_width=20, no_wrap=True)
    table.add_column("Kind", no_wrap=True)
    table.add_column("Tracker", max_width=20, no_wrap=True)
    table.add_column("Since", no_wrap=True)
    if any(letter.issue for letter in shown):
        table.add_column("Issue", max_width=24 if wide else 14, no_wrap=True, style="green")
    table.add_column("Why", ratio=1, min_width=24, overflow="fold")
    for letter in shown:
        style = {Kind.DEAD: "red", Kind.PARKED: "yellow"}.get(letter.kind, "dim")
        cells: list[Text | str] = [plain(letter.fingerprint, 12)]
        cells += [plain(letter.project)] if wide else []
        cells += [Text(letter.kind, style=style), plain(letter.tracker), utc(letter.since)]
        if any(other.issue for other in shown):
            cells.append(plain(letter.issue.key if letter.issue else None))
        table.add_row(*cells, plain(letter.reason, 300))
    return table


def show(standing: GroupView, history: Sequence[Past]) -> None:
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
        *_of_issue(standing.issue),
        *_of_growth(group),
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


def _of_issue(issue: Issue | None) -> Iterator[tuple[str, str]]:
    """What a person has to know who looks for a group's issue in the tracker."""
    if issue is None:
        return
    condition = issue.condition
    if condition is not None and condition.closed:
        fixed = f", fixed in {', '.join(condition.fixed_in)}" if condition.fixed_in else ""
        yield "closed", f"as {condition.resolution or 'done'}{fixed}, {utc(condition.closed_at)}"
    if issue.doubles:
        yield "doubles", f"also live in the tracker: {issue.doubles} — close one by hand"
    if issue.state is IssueState.WANTED or issue.remote_id is not None:
        return
    yield "sent", f"{utc(issue.sent_at)} to {issue.tracker}, and not answered"
    if issue.state in NEVER_LINKED:
        looked = "once" if issue.probes == 1 else f"{issue.probes} times" if issue.probes else "not yet"
        due = "" if issue.probe_at is None else f"; again from {utc(issue.probe_at)} on"
        yield "looked for", f"{looked}{due}"
    yield "marker", f"{issue.marker} (search {issue.tracker} for it)"


def _of_growth(group: Group) -> Iterator[tuple[str, str]]:
    """What else is told of a group: attributes, aliases, and how it grew."""
    if group.attributes:
        shown = (f"{name}={'|'.join(values[:3])}" for name, values in group.attributes)
        yield "attributes", ", ".join(shown)
    if group.aliases:
        yield "aliases", ", ".join(group.aliases)
    if group.follows:
        yield "follows", f"{group.follows}, whose issue shows its occurrences"
    if len(group.trail) > 1:
        first, last = group.trail[0].at, group.trail[-1].at
        yield "growth", f"{sparkline(group.trail)}  {utc(first)} … {utc(last)}"


def _outcome(past: Past) -> Text:
    return Text("→ ").append_text(plain(past.outcome)) if past.outcome else Text("")


def _ledger(standing: GroupView) -> Table:
    table = plain_table()
    for name in ("Release", "Occurrences", "", "Share", "First seen", "Last seen"):
        table.add_column(name, justify="right" if name in ("Occurrences", "Share") else "left", no_wrap=True)
    known = {entry.release: entry for entry in standing.group.releases}
    most = max(entry.occurrences for entry in known.values()) or 1
    whole = max(standing.group.occurrences, sum(entry.occurrences for entry in known.values())) or 1
    for entry in (known[release] for release in ordered(known)):
        bar = BARS[min(len(BARS) - 1, entry.occurrences * len(BARS) // (most + 1))]
        table.add_row(
            plain(entry.release, 40),
            number(entry.occurrences, entry.approximate),
            Text(bar, style="cyan"),
            f"{100 * entry.occurrences / whole:.0f}%",
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
    table = plain_table()
    for name in ("Number", "Received", "Why", "Body"):
        table.add_column(name, no_wrap=name != "Why")
    for one in kept:
        age = utc(int(min(one.received_at, time.time())))
        table.add_row(str(one.id), age, plain(one.reason), plain(one.body.decode("utf-8", "replace"), 60))
    out.print(table)
