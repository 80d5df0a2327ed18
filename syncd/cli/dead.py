"""`dead`: groups that are stuck until a person decides, and the ways out."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from syncd.cli import COMMANDS, NOT_FOUND, USAGE, stop
from syncd.cli.arguments import ConfigOption, DryRunOption, JsonOption, only, open_store
from syncd.cli.tables import console, plain, plain_table
from syncd.config import Config
from syncd.config.values import no_tracker
from syncd.model import Identity
from syncd.operate import search, shapes
from syncd.operate.needs import tracker_state
from syncd.platform.clock import Clock
from syncd.render.text import one_line, utc
from syncd.store import Store
from syncd.store.dead_letters import DeadLetter, Kind

app = typer.Typer(add_completion=False, no_args_is_help=True, help=COMMANDS["dead"].help)

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="GROUP",
        help="Fingerprints or their beginnings, or keys or URLs of issues; PROJECT/FINGERPRINT if several projects share one.",
        show_default=False,
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="All dead letters and parked groups.")]
TrackerOption = Annotated[
    str | None,
    typer.Option("--tracker", metavar="NAME", help="With --all: only those of this tracker.", show_default=False),
]


@app.command("list")
def dead_list(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    dropped: Annotated[bool, typer.Option("--dropped", help="Also list dropped groups (JSON always does).")] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=2**31, metavar="NUMBER", help="Maximum number of lines in the table.")
    ] = 50,
) -> None:
    """List stuck groups with the tracker's reasons, the newest first."""
    with open_store(config) as (_, store):
        letters = store.dead_letters.all()
    if as_json:
        print(json.dumps([shapes.letter(letter) for letter in letters], indent=2))
        return
    stuck = [letter for letter in letters if letter.kind is not Kind.DROPPED]
    rest = [letter for letter in letters if letter.kind is Kind.DROPPED]
    listed = stuck + rest if dropped else stuck
    out = console()
    if listed:
        out.print(_table(listed[:limit], out.width))
        if len(listed) > limit:
            out.print(f"… and {len(listed) - limit:,} more (--limit, --json)", style="dim")
        ways = ["`syncd dead retry FINGERPRINT` tries again; `syncd dead discard FINGERPRINT` stops listing the group."]
        if any(letter.cause == "doubt" for letter in listed[:limit]):
            ways.append(
                "In doubt: `syncd show` prints the marker to search for. If no issue has it: `dead retry --no-issue-exists`."
            )
        if any(letter.cause == "out of reach" for letter in listed[:limit]):
            ways.append(
                "Out of reach: a survey notices when the issue can be read again. If it does not exist: `dead retry --no-issue-exists`."
            )
        for way in ways:
            out.print(way, style="dim", soft_wrap=True)
    else:
        out.print(Text("✓ ", style="green").append("no group needs a person", style="default"))
    if rest and not dropped:
        out.print(f"{len(rest):,} dropped, which need nobody: `syncd dead list --dropped`", style="dim")


def _table(letters: Sequence[DeadLetter], width: int) -> Table:
    table = plain_table()
    table.expand = True
    wide, any_issue = width >= 120, any(letter.issue for letter in letters)
    table.add_column("Group", width=12, no_wrap=True, style="cyan")
    if wide:
        table.add_column("Project", max_width=20, no_wrap=True)
    table.add_column("Kind", no_wrap=True)
    table.add_column("Tracker", max_width=20, no_wrap=True)
    table.add_column("Since", no_wrap=True)
    if any_issue:
        table.add_column("Issue", max_width=24 if wide else 14, no_wrap=True, style="green")
    table.add_column("Reason", ratio=1, min_width=24, overflow="fold")
    for letter in letters:
        style = {Kind.DEAD: "red", Kind.PARKED: "yellow"}.get(letter.kind, "dim")
        cells: list[Text | str] = [plain(letter.fingerprint, 12)]
        cells += [plain(letter.project)] if wide else []
        cells += [Text(letter.kind, style=style), plain(letter.tracker), utc(letter.since)]
        cells += [plain(letter.issue.key if letter.issue else None)] if any_issue else []
        table.add_row(*cells, plain(letter.reason, 300))
    return table


@app.command("retry")
def dead_retry(
    names: Names = None,
    config: ConfigOption = None,
    all_stuck: AllOption = False,
    tracker: TrackerOption = None,
    absent: Annotated[
        bool,
        typer.Option(
            "--no-issue-exists",
            help="Create the issue of a parked group. You have searched the tracker for its marker or its issue, and there is none.",
        ),
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Retry stuck groups.

    syncd sends again what a tracker refused, and starts again to look for a create in doubt.
    """
    now = Clock().wall()
    with open_store(config) as (loaded, store):
        chosen = _chosen(store, loaded, names, all_stuck, tracker)
        if absent:
            _require_parked(chosen, all_stuck)
        results = []
        for letter in chosen:
            done = dry_run or store.dead_letters.retry(letter, now, absent=absent)
            results.append((letter, f"be {_retried(letter, absent)}", done))
        notes = _waits(store, loaded, {letter.tracker for letter in chosen}, now)
    _print(results, notes, dry_run, as_json)


@app.command("discard")
def dead_discard(
    names: Names = None,
    config: ConfigOption = None,
    all_stuck: AllOption = False,
    tracker: TrackerOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Drop stuck groups: stop trying, and stop listing them.

    syncd still counts their occurrences.
    """
    now = Clock().wall()
    with open_store(config) as (loaded, store):
        results = []
        for letter in _chosen(store, loaded, names, all_stuck, tracker):
            what = "be dropped for good"
            if letter.kind is Kind.DEAD:
                what = f"be dropped until its {'content changes' if letter.issue is None else 'next change'}"
            done = letter.kind is not Kind.DROPPED and (dry_run or store.dead_letters.discard(letter, now))
            results.append((letter, what, done))
    parked = any(done and letter.kind is Kind.PARKED for letter, _, done in results)
    notes = ["Parked groups can still be retried: `syncd dead list --dropped`, `syncd dead retry`."] if parked else []
    _print(results, notes, dry_run, as_json)


def _chosen(
    store: Store, config: Config, names: list[str] | None, all_stuck: bool, tracker: str | None
) -> list[DeadLetter]:
    """The letters that the arguments select, each once. Exits before anything changes if one name fits no letter."""
    letters = store.dead_letters.all()
    if all_stuck == bool(names):
        stop(USAGE, "give groups from `syncd dead list`, or --all for all that need a person")
    if tracker is not None and not all_stuck:
        stop(USAGE, "--tracker only narrows --all")
    if not all_stuck:
        chosen = [_letter(store, letters, name) for name in names or ()]
        return list({letter.group_id: letter for letter in chosen}.values())
    trackers = {*config.trackers, *(letter.tracker for letter in letters)}
    if tracker is not None and tracker not in trackers:
        stop(NOT_FOUND, no_tracker(tracker, trackers))
    return [letter for letter in letters if letter.kind is not Kind.DROPPED and tracker in (None, letter.tracker)]


def _letter(store: Store, letters: Sequence[DeadLetter], name: str) -> DeadLetter:
    """The only letter that `name` fits, as `find_group` compares it. Exits with NOT_FOUND or USAGE."""
    owners = {listed.id for listed in store.lists.by_issue(search.issue_name(name))}
    identities = {each.group_id: Identity(each.universe, each.project, each.fingerprint) for each in letters}
    fits = [each for each in letters if each.group_id in owners] or search.fitting(
        ((identities[each.group_id], each) for each in letters), name
    )
    candidates = [(identities[each.group_id], each.issue.key if each.issue else None, each) for each in fits]
    return only(candidates, name, f"`syncd dead list --dropped` has no fingerprint or issue like {name!r}")


def _require_parked(chosen: Sequence[DeadLetter], all_stuck: bool) -> None:
    """Exit with USAGE unless the letters are named, and creates in doubt or issues out of reach."""
    if all_stuck:
        stop(USAGE, "--no-issue-exists is for a group that you have looked for in the tracker: give that group")
    for letter in chosen:
        why = ""
        if letter.kind is Kind.DEAD:
            why = "its tracker refused it"
        elif letter.kind is Kind.DROPPED and letter.issue is not None:
            why = f"its issue is {letter.issue.key}"
        if why:
            stop(USAGE, f"{one_line(letter.fingerprint, 12)} is not parked: {why}; retry without --no-issue-exists")


def _waits(store: Store, config: Config, trackers: set[str], now: float) -> list[str]:
    """For each of these trackers that takes no calls now, why a retry must wait."""
    standings = store.report.trackers(config.credentials, now)
    waits = []
    for name in sorted(trackers):
        if name not in config.trackers:
            waits.append(f"{name} is not configured any more: its groups wait until it is")
        elif name in standings and standings[name].state != "ok":
            waits.append(f"{name} {tracker_state(shapes.tracker(standings[name]), now)}")
    return waits


def _retried(letter: DeadLetter, absent: bool) -> str:
    """The effect of a retry, as `DeadLetters.retry` decides it."""
    if letter.issue is not None and letter.cause != "deleted" and not absent:
        return f"brought up to date ({letter.issue.key})"
    if letter.issue is not None or absent:
        return "created anew"
    return "sent again" if letter.kind is Kind.DEAD else "probed again from the beginning"


def _print(results: Sequence[tuple[DeadLetter, str, bool]], notes: Sequence[str], dry_run: bool, as_json: bool) -> None:
    """Print for each letter what will happen to it, and whether anything was done."""
    if as_json:
        shape = [
            shapes.letter(letter) | {"done": done and not dry_run, "will": what if done else None, "dry_run": dry_run}
            for letter, what, done in results
        ]
        print(json.dumps(shape, indent=2))
        return
    out = console()
    for letter, what, done in results:
        if done:
            result = f"{'would' if dry_run else 'will'} {what}"
        elif letter.kind is Kind.DROPPED:
            result = "is dropped already"
        else:
            result = "is no longer stuck; nothing was done"
        line = plain(letter.fingerprint, 12, style="cyan")
        line.pad_right(12 - len(line))
        out.print(line.append(f"  {letter.kind:<7}  {result}", style="default"), soft_wrap=True)
    for note in notes:
        out.print(plain(note, 400, style="yellow"), soft_wrap=True)
    if not results:
        out.print("No group needs a person: nothing to do.", style="dim")
