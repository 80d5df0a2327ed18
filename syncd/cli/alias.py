"""`alias`: several fingerprints, one issue."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import FAILED, NOT_FOUND, USAGE, ConfigOption, JsonOption, app, stop
from syncd.cli.dead import DryRunOption
from syncd.cli.group import Fingerprint, only
from syncd.cli.lookups import opened

if TYPE_CHECKING:
    from syncd.store import Store

alias = typer.Typer(
    no_args_is_help=True, help="Groups whose occurrences are shown on another one's issue: add, remove, list."
)
app.add_typer(alias, name="alias")


@alias.command("add")
def alias_add(
    fingerprint: Fingerprint,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The fingerprint of the group that is followed.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks at it.")] = "",
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a group's occurrences on the issue of another one. What it had itself stays as it is in its tracker."""
    from syncd.render.text import one_line

    with opened(config) as (_, store):
        one, named = only(store, fingerprint)
        other, followed = only(store, target)
        if one == other:
            stop(USAGE, f"{fingerprint!r} and {target!r} are the same group")
        given_up = _key(store, named)
        if not dry_run:
            why = one_line(reason, 500, "an operator said so")
            try:
                store.aliases.add(one, other, why, time.time())
            except ValueError as error:
                stop(FAILED, f"{named} cannot follow {followed}: {error}")
    if as_json:
        shape = {"fingerprint": named, "target": followed, "given_up": given_up, "dry_run": dry_run}
        print(json.dumps(shape, indent=2))
        return
    print(f"{named} {'would follow' if dry_run else 'follows'} {followed}: its occurrences are shown there.")
    if given_up:
        print(f"Its own issue {given_up} is not written to any more; close it by hand as a duplicate.")


@alias.command("remove")
def alias_remove(
    fingerprint: Fingerprint,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a group stand for itself again. It gets an issue of its own, as its route says."""
    from syncd.operate import explain

    with opened(config) as (loaded, store):
        group_id, named = only(store, fingerprint)
        if all(one.group_id != group_id for one in store.aliases.all()):
            stop(NOT_FOUND, f"{named} is no alias")
        if not dry_run:
            store.aliases.remove(group_id, explain.rules(loaded).next_call, time.time())
    if as_json:
        print(json.dumps({"fingerprint": named, "dry_run": dry_run}, indent=2))
        return
    print(f"{named} {'would stand' if dry_run else 'stands'} for itself again.")


@alias.command("list")
def alias_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """All aliases, the newest first, and why."""
    from syncd.render.text import one_line, utc

    with opened(config) as (_, store):
        known = store.aliases.all()
    if as_json:
        shape = [
            {
                "fingerprint": one.fingerprint,
                "project": one.project,
                "target": one.target,
                "reason": one.reason,
                "at": one.at,
            }
            for one in known
        ]
        print(json.dumps(shape, indent=2))
        return
    for one in known:
        names = f"{one_line(one.fingerprint, 64)} → {one_line(one.target, 64)}"
        print(f"{names}  {one_line(one.project, 40)}  since {utc(one.at)}: {one_line(one.reason, 200)}")
    if not known:
        print("No alias. `syncd alias add FINGERPRINT TARGET` makes one.")


def _key(store: "Store", fingerprint: str) -> str | None:
    """The issue that a group has itself."""
    issues = [
        listed.standing.issue
        for listed in store.lists.by_fingerprint(fingerprint)
        if listed.standing.group.identity.fingerprint == fingerprint
    ]
    return next((issue.key for issue in issues if issue is not None and issue.key), None)
