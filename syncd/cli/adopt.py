"""`adopt`: take over issues that exist before syncd hears of their crash."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from syncd.cli import FAILED, LATER, NOT_FOUND, USAGE, stop
from syncd.cli.arguments import ConfigOption, DryRunOption, JsonOption, open_store
from syncd.cli.bar import bar
from syncd.cli.tables import console, plain, plain_table
from syncd.config import Config
from syncd.config.values import no_tracker
from syncd.core import adoption
from syncd.core.quantities import counted
from syncd.operate.adopt import SHORT, Adopter, Interrupted, forget
from syncd.operate.candidates import Candidate, Outcome, Row, from_file, from_texts
from syncd.platform import access
from syncd.platform.clock import Clock
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
        str | None, typer.Option("--label", metavar="LABEL", help="Only issues with this label.", show_default=False)
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query",
            metavar="QUERY",
            help="Only issues that match: JQL on Jira, else a text of title or body.",
            show_default=False,
        ),
    ] = None,
    tracker: Annotated[
        str | None,
        typer.Option(
            "--tracker", metavar="NAME", help="The issues' tracker. \\[default: the only one]", show_default=False
        ),
    ] = None,
    drop: Annotated[
        str | None,
        typer.Option(
            "--drop",
            metavar="ISSUE",
            help="Let this issue, by key or URL, wait no more for its crash.",
            show_default=False,
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
    selects = label is not None or query is not None
    if drop is not None:
        if file is not None or search or selects or dry_run or as_json:
            stop(USAGE, "--drop goes without FILE and without other options")
        _drop(config, drop)
    elif file is None and not search and not selects:
        _list(config, as_json)
    elif search is (file is not None):
        stop(USAGE, "give a FILE or --search, one of them")
    elif selects and not search:
        stop(USAGE, "--label and --query need --search")
    else:
        _adopt(config, tracker, file, Selection(label, query), dry_run=dry_run, as_json=as_json)


class Selection(NamedTuple):
    """The issues that a search reads: those with a label, those that match a query."""

    label: str | None
    query: str | None


def _adopt(
    config: Path | None, tracker: str | None, file: Path | None, selection: Selection, *, dry_run: bool, as_json: bool
) -> None:
    """Adopt the issues of a file, or without one those of a search, and print what became of them."""
    rows, nameless, interrupted = list[Row](), 0, None
    with open_store(config) as (loaded, store), bar() as show:
        name = _tracker(loaded, tracker)
        with Adopter(loaded, store, show, dry_run=dry_run) as adopter:
            try:
                if file is not None:
                    candidates, rows = _of_file(loaded, file, name)
                else:
                    if name is None:
                        stop(USAGE, f"name the tracker to search: --tracker {'|'.join(sorted(loaded.trackers))}")
                    texts = adopter.search(name, *selection)
                    candidates, rows, nameless = from_texts(name, texts, narrowed=any(selection))
                for row in adopter.adopt(candidates):
                    rows.append(row)
            except Interrupted as error:
                interrupted = error
    if file is not None:
        rows.sort(key=lambda row: int(row.source.removeprefix("line ")))
    _print(rows, nameless, dry_run=dry_run, as_json=as_json)
    if interrupted is not None:
        stop(LATER if interrupted.later else FAILED, f"{interrupted}; run this again to go on")
    if any(row.outcome is Outcome.LEFT for row in rows):
        raise typer.Exit(FAILED)


def _tracker(config: Config, name: str | None) -> str | None:
    """The tracker of this name, by default the only one; None where there are several. Exits with USAGE if there is none of the name."""
    names = sorted(config.trackers)
    if name is not None and name not in names:
        stop(USAGE, no_tracker(name, names))
    return names[0] if name is None and len(names) == 1 else name


def _of_file(config: Config, file: Path, tracker: str | None) -> tuple[list[Candidate], list[Row]]:
    """The issues that the file names, and the lines that cannot be used."""
    entries, faults = adoption.read_file(_text(file), as_json=file.suffix in (".jsonl", ".ndjson"))
    candidates, rows = from_file(config, entries, tracker)
    for fault in faults:
        line = f"line {fault.line}"
        rows.append(Row(source=line, fingerprint="", tracker="", issue="", outcome=Outcome.LEFT, reason=fault.reason))
    return candidates, rows


def _text(file: Path) -> str:
    """What the file says. Exits with USAGE where it cannot be read."""
    try:
        if file.stat().st_size > MOST_BYTES:
            stop(USAGE, f"{file} has more than {MOST_BYTES // 2**20} MB")
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        stop(USAGE, f"{file} is no text in UTF-8; save it as CSV UTF-8")
    except OSError as error:
        stop(USAGE, f"{file} cannot be read: {access.explain(error)}")


def _print(rows: Sequence[Row], nameless: int, *, dry_run: bool, as_json: bool) -> None:
    """Print each issue of a dry run, else those that are left out, and how many there are of each kind."""
    counts = Counter(row.outcome for row in rows)
    if as_json:
        shape = {"dry_run": dry_run, "issues": [asdict(row) for row in rows], "without_fingerprint": nameless}
        print(json.dumps(shape | {"counts": {outcome.value: counts[outcome] for outcome in Outcome}}, indent=2))
        return
    visible = [row for row in rows if dry_run or row.outcome is Outcome.LEFT]
    if visible:
        table = plain_table()
        widths = {
            "Issue": max(len(row.issue) + len(row.source) + 3 for row in visible),
            "Fingerprint": SHORT,
            "Project": max(len(row.project or "any") for row in visible),
            "Tracker": max(len(row.tracker) for row in visible),
            "Result": len(Outcome.BEFORE),
        }
        for name, width in widths.items():
            table.add_column(name, no_wrap=True, width=min(40, max(len(name), width)))
        table.add_column("Reason", overflow="fold")
        for row in visible:
            where = row.issue if row.issue == row.source else f"{row.issue or '–'} ({row.source})"
            table.add_row(
                plain(where, 60),
                plain(row.fingerprint, SHORT),
                plain(row.project or "any", 40),
                plain(row.tracker, 20),
                plain(row.outcome),
                plain(row.reason, 300),
            )
        console().print(table)
    if nameless and not any("names no fingerprint" in row.reason for row in rows):
        print(f"{counted(nameless, 'issue')} {'names' if nameless == 1 else 'name'} no fingerprint.")
    would = "would be " if dry_run else ""
    print(
        f"{counted(len(rows), 'issue')}: {counts[Outcome.LINKED]:,} {would}linked, {counts[Outcome.WAITS]:,} "
        f"{'would wait' if dry_run else 'wait'} for the first notification of their crash, {counts[Outcome.BEFORE]:,} adopted "
        f"before, {counts[Outcome.LEFT]:,} left out."
    )


def _drop(config: Path | None, issue: str) -> None:
    """Forget an adopted issue that waits. Exits with NOT_FOUND if none of the name waits."""
    with open_store(config) as (_, store):
        entry = forget(store, issue, Clock().wall())
    if entry is None:
        stop(NOT_FOUND, f"no adopted issue {issue!r} waits for its crash; `syncd adopt` lists those that do")
    print(f"{entry.place.key} waits no more for {entry.fingerprint_key[:SHORT]}: its crash gets an issue of its own.")


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
