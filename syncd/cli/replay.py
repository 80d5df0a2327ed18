"""`replay`: reads stored deliveries again."""

import json
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from syncd.cli import USAGE, stop
from syncd.cli.arguments import ConfigOption, DryRunOption, JsonOption, duration_option, find_group, open_store
from syncd.cli.tables import console, plain
from syncd.config import Config
from syncd.errors import RejectedDelivery
from syncd.operate import explain
from syncd.platform.clock import Clock
from syncd.render.text import utc
from syncd.store import Store
from syncd.store.audit import Kind, Subject
from syncd.store.dead_letters import BATCH, Kept
from syncd.store.inbox import Delivery
from syncd.store.listing import Listed
from syncd.worker.routing import Routing

app = typer.Typer(add_completion=False)


@dataclass
class _Survey:
    """Counts of the deliveries that were read, and when the first and the last arrived."""

    deliveries: int = 0
    groups: set[tuple[str, str, str]] = field(default_factory=set)
    first: float | None = None
    last: float | None = None
    unreadable: Counter[str] = field(default_factory=Counter)


@app.command()
def replay(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="GROUP",
            help="Only the deliveries of this group: its fingerprint or the beginning of it, or the key or URL of its issue.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        float | None,
        duration_option(help="Only the deliveries of the last 30m, 2h, 7d …"),
    ] = None,
    all_kept: Annotated[bool, typer.Option("--all-kept", help="Every delivery in the store.")] = False,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read stored deliveries again with this version of syncd.

    Deliveries that this version reads as before change nothing.
    """
    if text is None and since is None and not all_kept:
        stop(USAGE, "give a GROUP, --since DURATION (such as 2h or 7d), or --all-kept; try --dry-run first")
    if all_kept and since is not None:
        stop(USAGE, "--since and --all-kept contradict each other; give one of them")
    now = Clock().wall()
    with open_store(config) as (loaded, store):
        group = None if text is None else find_group(store, text)
        survey = _replay(store, loaded, 0.0 if since is None else now - since, now, group, dry_run)
    if as_json:
        unreadable = [{"reason": reason, "deliveries": count} for reason, count in survey.unreadable.most_common()]
        shape = {
            "deliveries": survey.deliveries,
            "groups": len(survey.groups),
            "first_received": survey.first,
            "last_received": survey.last,
            "unreadable": unreadable,
            "dry_run": dry_run,
        }
        print(json.dumps(shape, indent=2))
    else:
        _print(survey, loaded, dry_run)


def _replay(store: Store, config: Config, since: float, now: float, group: Listed | None, dry_run: bool) -> _Survey:
    """Read each delivery as the worker would, and return it to the inbox unless this is a dry run."""
    routing, survey = explain.rules(config), _Survey()
    out = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(40), TextColumn("{task.fields[done]}"), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("reading" if dry_run else "returning to the inbox", total=None, done="")

        def numbers() -> Iterator[int]:
            after = 0
            while batch := store.dead_letters.replayable(after, since, None if group is None else group.id, BATCH):
                for stored in batch:
                    _count(survey, routing, stored)
                    yield stored.id
                after = batch[-1].id
                # The bar shows time covered: the number of deliveries is not known beforehand.
                start = survey.first or 0.0
                total, done = max(now - start, 1.0), f"{survey.deliveries:,} deliveries"
                progress.update(task, total=total, completed=batch[-1].received_at - start, done=done)

        if dry_run:
            deque(numbers(), maxlen=0)
        elif group is None:
            store.dead_letters.replay(numbers(), now)
        else:
            fingerprint = group.standing.group.identity.fingerprint
            store.dead_letters.replay(numbers(), now, Subject(Kind.GROUP, fingerprint, group.id))
    return survey


def _count(survey: _Survey, routing: Routing, stored: Kept) -> None:
    """Add one delivery to the survey."""
    survey.deliveries += 1
    survey.first = stored.received_at if survey.first is None else min(survey.first, stored.received_at)
    survey.last = stored.received_at if survey.last is None else max(survey.last, stored.received_at)
    notification = routing.parse(Delivery(stored.id, stored.received_at, stored.body, source=stored.source))
    if isinstance(notification, RejectedDelivery):
        survey.unreadable[notification.message] += 1
        return
    identity = notification.identity
    survey.groups.add((identity.universe, identity.project, identity.fingerprint_key))


def _print(survey: _Survey, config: Config, dry_run: bool) -> None:
    out = console()
    if not survey.deliveries:
        days = f"{config.store.retention / 86400:g} days"
        out.print(f"Nothing to replay: the store has no such delivery. It keeps them for {days} (store.retention).")
        return
    first, last = utc(survey.first), utc(survey.last)
    deliveries = f"{survey.deliveries:,} {'delivery' if survey.deliveries == 1 else 'deliveries'}"
    groups = f"{len(survey.groups):,} {'group' if len(survey.groups) == 1 else 'groups'}"
    time = first if first == last else f"{first} … {last}"
    verb = "would return" if dry_run else "returned"
    out.print(f"{deliveries} of {groups}, received {time}, {verb} to the inbox.", soft_wrap=True)
    if survey.unreadable:
        verb = "would go" if dry_run else "go"
        warning = f"! This version cannot read {survey.unreadable.total():,} of them, which {verb} to the quarantine:"
        out.print(plain(warning, style="yellow"))
        for reason, count in survey.unreadable.most_common(10):
            out.print(plain(f"{count:,} × {reason}", 300))
    if not dry_run:
        out.print("The daemon reads them now, or as soon as it starts.", style="dim")
