"""`adopt`: take over issues that exist before syncd hears of their crash."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from syncd.cli import FAILED, LATER, USAGE, stop
from syncd.cli.arguments import ConfigOption, DryRunOption, JsonOption, open_store
from syncd.cli.tables import console, plain, plain_table
from syncd.config.values import did_you_mean
from syncd.core import adoption
from syncd.core.quantities import counted
from syncd.operate.adopt import SHORT, Adopter, Interrupted
from syncd.operate.candidates import Candidate, Outcome, Row, from_file, from_texts
from syncd.platform import access
from syncd.store import adoptions

app = typer.Typer(add_completion=False)

MOST_BYTES = 100 * 2**20


@app.command()
def adopt(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            readable=False,
            help="CSV with a header, or JSON lines (.jsonl): fingerprint and issue; also universe, project, tracker.",
            show_default=False,
        ),
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Read the tracker's issues for the fingerprints that they name.")
    ] = False,
    label: Annotated[
        str | None, typer.Option("--label", help="Only issues with this label.", show_default=False)
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query", help="Only issues that match: JQL on Jira, else a text of title or body.", show_default=False
        ),
    ] = None,
    tracker: Annotated[
        str | None,
        typer.Option(
            "--tracker", metavar="NAME", help="The issues' tracker. \\[default: the only one]", show_default=False
        ),
    ] = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take over issues that exist already, before their crash is filed again.

    An issue whose crash is not in the store waits for its first notification. An interrupted run goes on with the next one, and a
    further run changes nothing. syncd writes nothing to the issues but its status comment, when the numbers change. Without FILE and
    --search: list the issues that wait.
    """
    if file is not None and search:
        stop(USAGE, "give a FILE or --search, not both")
    if not search and (label is not None or query is not None):
        stop(USAGE, "--label and --query need --search")
    if file is None and not search:
        _list(config, as_json)
        return
    rows: list[Row] = []
    nameless, interrupted = 0, None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        open_store(config) as (loaded, store),
        Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as progress,
    ):
        names = sorted(loaded.trackers)
        if tracker is not None and tracker not in names:
            stop(USAGE, f"there is no tracker {tracker!r}{did_you_mean(tracker, names)}")
        task = progress.add_task("starting", total=None)

        def show(step: str, done: int, total: int | None) -> None:
            progress.update(task, description=step, completed=done, total=total)

        with Adopter(loaded, store, show, dry_run=dry_run) as adopter:
            try:
                candidates: Sequence[Candidate]
                if file is not None:
                    entries, faults = adoption.read_file(_text(file), as_json=file.suffix in (".jsonl", ".ndjson"))
                    candidates, rows = from_file(loaded, entries, tracker)
                    rows += [_unread(fault) for fault in faults]
                else:
                    if tracker is None and len(names) != 1:
                        stop(USAGE, f"name the tracker to search: --tracker {'|'.join(names)}")
                    name = tracker or names[0]
                    texts = adopter.search(name, label, query)
                    narrowed = label is not None or query is not None
                    candidates, rows, nameless = from_texts(name, texts, narrowed=narrowed)
                for row in adopter.adopt(candidates):
                    rows.append(row)
            except Interrupted as error:
                interrupted = error
    _print(rows, nameless, dry_run=dry_run, as_json=as_json)
    if interrupted is not None:
        stop(LATER if interrupted.later else FAILED, f"{interrupted}; run this again to go on")
    if any(row.outcome is Outcome.LEFT for row in rows):
        raise typer.Exit(FAILED)


def _text(file: Path) -> str:
    """What the file says. Exits with USAGE where it cannot be read."""
    try:
        if file.stat().st_size > MOST_BYTES:
            stop(USAGE, f"{file} has more than {MOST_BYTES // 2**20} MB")
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        stop(USAGE, f"{file} is no text in UTF-8; save it as CSV UTF-8")
    except OSError as error:
        stop(USAGE, access.explain(error, named=True))


def _unread(fault: adoption.Fault) -> Row:
    source = f"line {fault.line}"
    return Row(source=source, fingerprint="", tracker="", issue="", outcome=Outcome.LEFT, reason=fault.reason)


def _print(rows: Sequence[Row], nameless: int, *, dry_run: bool, as_json: bool) -> None:
    """Print each issue of a dry run, else those that are left out, and how many there are of each kind."""
    counts = Counter(row.outcome for row in rows)
    if as_json:
        shape = {"dry_run": dry_run, "issues": [asdict(row) for row in rows], "without_fingerprint": nameless}
        print(json.dumps(shape | {"counts": {outcome.value: counts[outcome] for outcome in Outcome}}, indent=2))
        return
    visible = [row for row in rows if dry_run or row.outcome is Outcome.LEFT]
    if visible:
        table = plain_table(("Issue", "Fingerprint", "Tracker", "Result", "Reason"))
        for row in visible:
            where = row.issue if row.issue == row.source or not row.source else f"{row.issue or '–'} ({row.source})"
            table.add_row(
                plain(where, 60),
                plain(row.fingerprint, SHORT),
                plain(row.tracker, 20),
                plain(row.outcome),
                plain(row.reason, 300),
            )
        console().print(table, soft_wrap=True)
    if nameless and not any("names no fingerprint" in row.reason for row in rows):
        print(f"{counted(nameless, 'issue')} {'names' if nameless == 1 else 'name'} no fingerprint.")
    would = "would be " if dry_run else ""
    print(
        f"{counted(len(rows), 'issue')}: {counts[Outcome.LINKED]:,} {would}linked, {counts[Outcome.WAITS]:,} "
        f"{'would wait' if dry_run else 'wait'} for the first notification of their crash, {counts[Outcome.BEFORE]:,} adopted "
        f"before, {counts[Outcome.LEFT]:,} left out."
    )


def _list(config: Path | None, as_json: bool) -> None:
    """Print the adopted issues whose crash is not in the store yet."""
    with open_store(config) as (_, store):
        waiting = store.read(adoptions.every)
    if as_json:
        print(json.dumps([asdict(entry) for entry in waiting], indent=2))
        return
    table = plain_table(("Issue", "Fingerprint", "Tracker", "Universe", "Project"))
    for entry in waiting:
        names = (entry.tracker, entry.universe or "any", entry.project or "any")
        table.add_row(
            plain(entry.place.key, 60), plain(entry.fingerprint_key, SHORT), *(plain(name, 30) for name in names)
        )
    if waiting:
        console().print(table)
    waits = "waits" if len(waiting) == 1 else "wait"
    print(f"{counted(len(waiting), 'adopted issue')} {waits} for the first notification of their crash.")
