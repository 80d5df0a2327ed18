"""`replay`: deliveries that are still kept, to be read once more."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import USAGE, ConfigOption, JsonOption, app, stop
from syncd.cli.dead import DryRunOption, one_named
from syncd.cli.lookups import opened

if TYPE_CHECKING:
    from rich.progress import Progress

    from syncd.config import Config
    from syncd.store import Store
    from syncd.store.dead_letters import Kept
    from syncd.worker.routing import Routing

BITE = 500  # deliveries put back in one transaction; more would make the receiver wait for the writer


@dataclass
class _Survey:
    """What was found among the deliveries that are kept."""

    deliveries: int = 0
    groups: set[tuple[str, str, str]] = field(default_factory=set)
    first: float | None = None
    last: float | None = None
    unreadable: Counter[str] = field(default_factory=Counter)


def duration(text: str) -> float:
    """Seconds out of 30m, 2h, 7d. Raises BadParameter."""
    from pydantic import TypeAdapter, ValidationError

    from syncd.config import Seconds

    try:
        return float(TypeAdapter(Seconds).validate_python(text))
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from None


@app.command()
def replay(
    fingerprint: Annotated[
        str | None,
        typer.Argument(
            metavar="FINGERPRINT",
            help="Only what was said of this group: its fingerprint or its beginning.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        float | None,
        typer.Option(
            parser=duration,
            metavar="DURATION",
            help="Only deliveries of the last 30m, 2h, 7d …",
            show_default=False,
        ),
    ] = None,
    all_kept: Annotated[bool, typer.Option("--all-kept", help="Every delivery that is still kept.")] = False,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Have deliveries read once more by this version of syncd. Those that say the same change nothing."""
    if fingerprint is None and since is None and not all_kept:
        stop(
            USAGE,
            "say what to replay: a FINGERPRINT, --since DURATION (such as 2h or 7d), or --all-kept; try --dry-run",
        )
    if all_kept and since is not None:
        stop(USAGE, "--since and --all-kept contradict each other; give one of them")
    now = time.time()
    with opened(config) as (loaded, store):
        group_id = None if fingerprint is None else _group(store, fingerprint)
        survey = _replayed(store, loaded, 0.0 if since is None else now - since, now, group_id, dry_run)
    if as_json:
        print(json.dumps(_shape(survey, dry_run), indent=2))
    else:
        _print(survey, loaded, dry_run)


def _group(store: "Store", name: str) -> int:
    """The number of the one group that `name` begins."""
    # A fingerprint may have a / in it as well as stand behind one.
    tails = [name, *("/".join(name.split("/")[parts:]) for parts in (1, 2))]
    found = {
        listed.id: listed.standing.group.identity
        for tail in tails
        if tail
        for listed in store.lists.by_fingerprint(tail, 1000)
    }
    only = one_named(list(found.values()), name, "no group has a fingerprint that begins with")
    return next(number for number, one in found.items() if one is only)


def _replayed(
    store: "Store", config: "Config", since: float, now: float, group_id: int | None, dry_run: bool
) -> _Survey:
    """Read every such delivery as the worker would and, unless it is a dry run, put it back into the inbox."""
    from syncd.worker.routing import Routing

    rules, survey = Routing(config=config, instance_key=""), _Survey()
    with _progress() as progress:
        task = progress.add_task("looking at" if dry_run else "putting back", total=None, put="")
        for bite in _bites(store, since, group_id):
            for kept in bite:
                _look(survey, rules, kept)
            if not dry_run:
                store.dead_letters.replay([kept.id for kept in bite], now)
            # How many there are is not known beforehand, but from when to when.
            began = survey.first or 0.0
            progress.update(
                task,
                total=max(now - began, 1.0),
                completed=bite[-1].received_at - began,
                put=f"{survey.deliveries:,} deliveries",
            )
    return survey


def _bites(store: "Store", since: float, group_id: int | None) -> "Iterator[list[Kept]]":
    """What is kept, in the order in which it came."""
    after = 0
    while bite := store.dead_letters.replayable(after, since, group_id, BITE):
        yield bite
        after = bite[-1].id


def _look(survey: _Survey, rules: "Routing", kept: "Kept") -> None:
    from syncd.errors import RejectedDelivery
    from syncd.store.inbox import Delivery

    survey.deliveries += 1
    survey.first = kept.received_at if survey.first is None else min(survey.first, kept.received_at)
    survey.last = kept.received_at if survey.last is None else max(survey.last, kept.received_at)
    said = rules.parse(Delivery(kept.id, kept.received_at, kept.body))
    if isinstance(said, RejectedDelivery):
        survey.unreadable[said.message] += 1
        return
    identity = said.identity
    survey.groups.add((identity.universe, identity.project, identity.fingerprint_key))


def _progress() -> "Progress":
    """A bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    out = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(40), TextColumn("{task.fields[put]}"), TimeElapsedColumn())
    return Progress(*columns, console=out, transient=True, disable=not out.is_terminal)


def _shape(survey: _Survey, dry_run: bool) -> dict[str, object]:
    return {
        "deliveries": survey.deliveries,
        "groups": len(survey.groups),
        "first_received": survey.first,
        "last_received": survey.last,
        "unreadable": [{"reason": reason, "deliveries": count} for reason, count in survey.unreadable.most_common()],
        "dry_run": dry_run,
    }


def _print(survey: _Survey, config: "Config", dry_run: bool) -> None:
    from syncd.cli import tables
    from syncd.render.text import utc

    out = tables.console()
    if not survey.deliveries:
        days = f"{config.store.retention / 86400:g} days"
        out.print(f"Nothing to replay: no such delivery is kept. The store keeps them for {days} (store.retention).")
        return
    first, last = utc(survey.first), utc(survey.last)
    out.print(
        f"{_counted(survey.deliveries, 'delivery', 'deliveries')} of {_counted(len(survey.groups), 'group', 'groups')}, "
        f"received {first if first == last else f'{first} … {last}'}, "
        + ("would go back into the inbox." if dry_run else "went back into the inbox."),
        soft_wrap=True,
    )
    if survey.unreadable:
        goes = "would go" if dry_run else "go"
        out.print(
            tables.plain(
                f"! {survey.unreadable.total():,} of them cannot be read any more and {goes} to the quarantine:",
                style="yellow",
            )
        )
        for reason, count in survey.unreadable.most_common(10):
            out.print(tables.plain(f"{count:,} × {reason}", 300))
    if not dry_run:
        out.print("A running daemon reads them now, else the next one that starts.", style="dim")


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
