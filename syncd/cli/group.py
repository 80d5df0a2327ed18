"""`sync`, `hold`, `relink`: an operator's word about one group."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import FAILED, NOT_FOUND, USAGE, ConfigOption, JsonOption, app, stop
from syncd.cli.dead import DryRunOption
from syncd.cli.lookups import opened

if TYPE_CHECKING:
    from syncd.store import Store

Fingerprint = Annotated[str, typer.Argument(metavar="FINGERPRINT", help="A fingerprint or its beginning.")]


def only(store: "Store", prefix: str) -> tuple[int, str]:
    """The one group that a fingerprint or its beginning names: its number and its fingerprint; or the end."""
    found = {listed.id: listed.standing.group.identity for listed in store.lists.by_fingerprint(prefix)}
    if not found:
        stop(NOT_FOUND, f"no group has a fingerprint that begins with {prefix!r}")
    if len(found) > 1:
        names = ", ".join(sorted(f"{one.project}/{one.fingerprint[:16]}" for one in found.values())[:10])
        stop(USAGE, f"{len(found)} groups have a fingerprint that begins with {prefix!r}: {names}")
    ((group_id, identity),) = found.items()
    return group_id, identity.fingerprint


@app.command()
def sync(
    fingerprint: Fingerprint,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Have the daemon look at a group's issue and bring it up to date at once, whatever that was put off for."""
    from syncd.operate import explain

    with opened(config) as (loaded, store):
        group_id, named = only(store, fingerprint)
        tracker = None if dry_run else store.operator.sync(group_id, explain.rules(loaded).next_call, time.time())
    if as_json:
        print(json.dumps({"fingerprint": named, "tracker": tracker, "dry_run": dry_run}, indent=2))
    elif dry_run:
        print(f"{named} would be due now.")
    elif tracker is None:
        print(f"{named}: nothing is to be done; `syncd explain {named[:12]}` says why.")
    else:
        print(f"{named} is due now, for {tracker}.")


@app.command()
def hold(
    fingerprint: Fingerprint,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks at it.")] = "",
    end: Annotated[bool, typer.Option("--end", help="Hold it no longer: its route decides again.")] = False,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """File nothing for a group and write nothing to its issue, until --end. Its occurrences go on being counted."""
    from syncd.operate import explain
    from syncd.render.text import one_line

    with opened(config) as (loaded, store):
        group_id, named = only(store, fingerprint)
        if end:
            if not dry_run and not store.operator.end_hold(group_id, explain.rules(loaded).next_call, time.time()):
                stop(FAILED, f"{named} is held by no operator; `syncd explain {named[:12]}` says what holds it")
        elif not dry_run:
            store.operator.hold(group_id, one_line(reason, 500, "no reason given"), time.time())
    if as_json:
        print(json.dumps({"fingerprint": named, "on_hold": not end, "dry_run": dry_run}, indent=2))
        return
    verb = ("would be" if dry_run else "is") + (" held no longer." if end else " held. `syncd hold … --end` ends it.")
    print(f"{named} {verb}")


@app.command()
def relink(
    fingerprint: Fingerprint,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="Its number, key or address.")],
    tracker: Annotated[
        str | None,
        typer.Option(
            "--tracker",
            metavar="NAME",
            help="Where it is; left out: where the group's route files.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let an issue that people name stand for a group. The one that did stays as it is in its tracker."""
    from syncd.operate import relink

    with opened(config) as (loaded, store):
        group_id, named = only(store, fingerprint)
        try:
            done = relink.relink(loaded, store, group_id, tracker, issue, time.time(), dry_run=dry_run)
        except relink.NotLinked as error:
            stop(FAILED, f"{named}: {error}")
    if as_json:
        shape = {"fingerprint": named, "issue": done.place.key, "url": done.place.url, "before": done.before}
        print(json.dumps(shape | {"dry_run": dry_run}, indent=2))
        return
    print(f"{named} {'would be' if dry_run else 'is'} {done.place.key} from now on: {done.place.url}")
    if done.before:
        print(f"{done.before} is not written to any more; close it by hand as a duplicate.")
