"""`dead`: what does not go on by itself, and the ways out."""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from syncd.cli import NOT_FOUND, USAGE, ConfigOption, JsonOption, app, stop
from syncd.cli.lookups import opened

if TYPE_CHECKING:
    from syncd.config import Config
    from syncd.store import Store
    from syncd.store.dead_letters import DeadLetter

dead = typer.Typer(
    no_args_is_help=True,
    help="Groups that do not go on by themselves (dead letters, parked, dropped): list, retry, discard.",
)
app.add_typer(dead, name="dead")

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FINGERPRINT",
        help="Fingerprints or their beginnings; PROJECT/FINGERPRINT where several projects have the same one.",
        show_default=False,
    ),
]
EveryOption = Annotated[bool, typer.Option("--all", help="All that need a person: dead letters and parked groups.")]
TrackerOption = Annotated[
    str | None,
    typer.Option("--tracker", metavar="NAME", help="With --all: only those of this tracker.", show_default=False),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]


@dead.command("list")
def dead_list(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    dropped: Annotated[bool, typer.Option("--dropped", help="Also those left alone for good (JSON has them).")] = False,
    limit: Annotated[int, typer.Option(min=1, max=2**31, help="At most so many in a table.")] = 50,
) -> None:
    """What does not go on by itself, newest first, and why: in the tracker's own words."""
    from syncd.operate import shapes
    from syncd.store.dead_letters import Kind

    with opened(config) as (_, store):
        letters = store.dead_letters.all()
    if as_json:
        print(json.dumps([shapes.letter(letter) for letter in letters], indent=2))
        return
    from syncd.cli import tables

    needy = [letter for letter in letters if letter.kind is not Kind.DROPPED]
    rest = [letter for letter in letters if letter.kind is Kind.DROPPED]
    shown = needy + rest if dropped else needy
    tables.letters(shown[:limit], len(shown[limit:]), 0 if dropped else len(rest))


@dead.command("retry")
def dead_retry(
    names: Names = None,
    config: ConfigOption = None,
    every: EveryOption = False,
    tracker: TrackerOption = None,
    absent: Annotated[
        bool,
        typer.Option(
            "--no-issue-exists",
            help="I have looked in the tracker for the issue of this parked create: there is none; create it.",
        ),
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Try again: what was refused is sent again, a create in doubt is looked for again from the beginning."""
    with opened(config) as (loaded, store):
        chosen = _chosen(store, loaded, names, every, tracker)
        if absent:
            _require_doubt(chosen, every)
        told = []
        for letter in chosen:
            done = dry_run or store.dead_letters.retry(letter, time.time(), absent=absent)
            told.append((letter, f"be {_retried(letter, absent)}", done))
        notes = _waits(store, loaded, {letter.tracker for letter in chosen})
    _tell(told, notes, dry_run, as_json)


@dead.command("discard")
def dead_discard(
    names: Names = None,
    config: ConfigOption = None,
    every: EveryOption = False,
    tracker: TrackerOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Leave alone: it is no longer listed as needing anybody. Notifications are still counted."""
    from syncd.store.dead_letters import Kind

    with opened(config) as (loaded, store):
        told = []
        for letter in _chosen(store, loaded, names, every, tracker):
            what = "be left alone for good"
            if letter.kind is Kind.DEAD:
                what = f"be left alone until its {'content changes' if letter.issue is None else 'next change'}"
            done = letter.kind is not Kind.DROPPED and (dry_run or store.dead_letters.discard(letter, time.time()))
            told.append((letter, what, done))
    kept = any(done and letter.kind is Kind.PARKED for letter, _, done in told)
    notes = ["What was parked can still be taken up: `syncd dead list --dropped`, `syncd dead retry`."] if kept else []
    _tell(told, notes, dry_run, as_json)


def _chosen(
    store: "Store", config: "Config", names: list[str] | None, every: bool, tracker: str | None
) -> "list[DeadLetter]":
    """The letters asked for, each once, or the end: nothing is done when one of the names is no letter's."""
    from syncd.config.values import did_you_mean
    from syncd.store.dead_letters import Kind

    letters = store.dead_letters.all()
    if every == bool(names):
        stop(
            USAGE, "name the groups by their fingerprints, or say --all for all that need a person (`syncd dead list`)"
        )
    if tracker is not None and not every:
        stop(USAGE, "--tracker narrows --all; a group that is named needs none")
    if not every:
        nothing = "nothing in `syncd dead list --dropped` has a fingerprint that begins with"
        named = [one_named(letters, name, nothing) for name in names or ()]
        return list({letter.group_id: letter for letter in named}.values())
    trackers = {*config.trackers, *(letter.tracker for letter in letters)}
    if tracker is not None and tracker not in trackers:
        stop(NOT_FOUND, f"there is no tracker {tracker!r}{did_you_mean(tracker, sorted(trackers))}")
    return [letter for letter in letters if letter.kind is not Kind.DROPPED and tracker in (None, letter.tracker)]


class _Named(Protocol):
    """A group, as far as it is told from others."""

    @property
    def universe(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


N = TypeVar("N", bound=_Named)


def one_named(known: "Sequence[N]", name: str, nothing: str) -> N:
    """The only one that `name` begins, or is whole; or the end."""
    from syncd.render.text import one_line

    said = name.lower()
    found = [one for one in known if any(_begins(said, where, one) for where in _places(one))]
    found = [one for one in found if said in (where + one.fingerprint.lower() for where in _places(one))] or found
    if not found:
        stop(NOT_FOUND, f"{nothing} {name!r}")
    if len(found) > 1:
        candidates = [f"  {one_line(f'{one.universe}/{one.project}/{one.fingerprint}', 250)}" for one in found[:20]]
        more = [f"  … and {len(found) - 20:,} more"] if len(found) > 20 else []
        stop(USAGE, f"{name!r} names {len(found):,} groups; say more of one of these:", *candidates, *more)
    return found[0]


def _places(one: _Named) -> tuple[str, str, str]:
    """What may stand before a fingerprint, in lower case: nothing, its project, or its universe as well."""
    project = f"{one.project.lower()}/"
    return "", project, f"{one.universe.lower()}/{project}"


def _begins(said: str, where: str, one: _Named) -> bool:
    """Whether something of the fingerprint itself was said, and fits: a project alone names no group."""
    return len(said) > len(where) and (where + one.fingerprint.lower()).startswith(said)


def _require_doubt(chosen: "Sequence[DeadLetter]", every: bool) -> None:
    """The end, where a person cannot have looked or there is nothing to look for."""
    from syncd.render.text import one_line
    from syncd.store.dead_letters import Kind

    if every:
        stop(USAGE, "--no-issue-exists is your word for a group you have looked for in the tracker: name it")
    for letter in chosen:
        why = ""
        if letter.kind is Kind.DEAD:
            why = "its tracker refused it, so there is no doubt about it; retry it without --no-issue-exists"
        elif letter.issue is not None:
            why = f"its issue is known: {letter.issue.key}; retry it without --no-issue-exists"
        if why:
            stop(USAGE, f"{one_line(letter.fingerprint, 12)} is no create in doubt: {why}")


def _waits(store: "Store", config: "Config", trackers: set[str]) -> list[str]:
    """For each of these trackers that takes no calls now: why another try has to wait."""
    from syncd.cli import tables
    from syncd.operate import shapes

    known = store.report.trackers(config.credentials, time.time())
    waits = []
    for name in sorted(trackers):
        if name not in config.trackers:
            waits.append(f"{name} is not configured any more: it waits until it is")
        elif name in known and known[name].state != "ok":
            waits.append(f"{name} {tables.standing_of(shapes.tracker(known[name])).plain}")
    return waits


def _retried(letter: "DeadLetter", absent: bool) -> str:
    """What another try does, as `DeadLetters.retry` decides it."""
    from syncd.store.dead_letters import Kind

    if letter.issue is not None and letter.cause != "deleted":
        return f"brought up to date ({letter.issue.key})"
    if letter.issue is not None or absent:
        return "created anew"
    return "sent again" if letter.kind is Kind.DEAD else "looked for again from the beginning"


def _tell(told: "Sequence[tuple[DeadLetter, str, bool]]", notes: Sequence[str], dry_run: bool, as_json: bool) -> None:
    """Each letter and what it will be; False where nothing was done."""
    from syncd.operate import shapes

    if as_json:
        shape = [
            shapes.letter(letter) | {"done": done and not dry_run, "will": what if done else None, "dry_run": dry_run}
            for letter, what, done in told
        ]
        print(json.dumps(shape, indent=2))
        return
    from syncd.cli import tables

    out = tables.console()
    for letter, what, done in told:
        said = f"{'would' if dry_run else 'will'} {what}" if done else _untouched(letter)
        line = tables.plain(letter.fingerprint, 12, style="cyan")
        out.print(line.append(f"  {letter.kind:<8}{said}", style="default"), soft_wrap=True)
    for note in notes:
        out.print(tables.plain(note, 400, style="yellow"), soft_wrap=True)
    if not told:
        out.print("No group needs a person: nothing to do.", style="dim")


def _untouched(letter: "DeadLetter") -> str:
    from syncd.store.dead_letters import Kind

    if letter.kind is Kind.DROPPED:
        return "is left alone already"
    return "went on by itself meanwhile; nothing was done"
