"""`sync`, `hold`, `relink`, `alias`: an operator's decisions about one group."""

import json
from typing import Annotated

import typer

from syncd.cli import COMMANDS, FAILED, NOT_FOUND, USAGE, stop
from syncd.cli.arguments import (
    ConfigOption,
    DryRunOption,
    GroupName,
    JsonOption,
    ReasonOption,
    find_group,
    open_store,
)
from syncd.operate import actions, explain
from syncd.platform.clock import Clock
from syncd.render.text import one_line, utc

app = typer.Typer(add_completion=False)
alias = typer.Typer(no_args_is_help=True, help=COMMANDS["alias"].help)
app.add_typer(alias, name="alias")


@app.command()
def sync(
    text: GroupName,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a group's issue up to date now.

    The daemon reads the issue and writes to it immediately, even if its next update was due later.
    """
    with open_store(config) as (loaded, store):
        group = find_group(store, text)
        name = group.standing.group.identity.fingerprint
        tracker = None
        if not dry_run:
            tracker = actions.sync_now(store, explain.rules(loaded), group.id, Clock().wall())
    if as_json:
        print(json.dumps({"fingerprint": name, "tracker": tracker, "dry_run": dry_run}, indent=2))
    elif dry_run:
        print(f"{name} would be due now.")
    elif tracker is None:
        print(f"{name} needs nothing now; `syncd explain {name[:12]}` explains why.")
    else:
        print(f"{name} is due now, for {tracker}.")


@app.command()
def file(
    text: GroupName,
    reason: ReasonOption = "",
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """File a held group now, past the route's thresholds and its limit of new issues.

    The history names the reason. A paused route or tracker still waits for `syncd resume`.
    """
    with open_store(config) as (loaded, store):
        group = find_group(store, text)
        name, why = group.standing.group.identity.fingerprint, one_line(reason, 500, "no reason given")
        try:
            tracker = actions.file_now(store, explain.rules(loaded), group.id, why, Clock().wall(), dry_run=dry_run)
        except ValueError as error:
            stop(FAILED, f"{name} is not filed: {error}")
    if as_json:
        print(json.dumps({"fingerprint": name, "tracker": tracker, "dry_run": dry_run}, indent=2))
    else:
        print(f"{name} {'would be' if dry_run else 'is'} filed next, in {tracker}.")


@app.command()
def hold(
    text: GroupName,
    reason: ReasonOption = "",
    end: Annotated[bool, typer.Option("--end", help="End the hold; the group's route decides again.")] = False,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Hold a group: file nothing and write nothing to its issue, until --end.

    syncd still counts its occurrences.
    """
    with open_store(config) as (loaded, store):
        group, now = find_group(store, text), Clock().wall()
        name = group.standing.group.identity.fingerprint
        if end:
            if not dry_run and not actions.end_hold(store, explain.rules(loaded), group.id, now):
                stop(FAILED, f"no operator holds {name}; `syncd explain {name[:12]}` explains its state")
        elif not dry_run:
            actions.hold(store, group.id, one_line(reason, 500, "no reason given"), now)
    if as_json:
        print(json.dumps({"fingerprint": name, "on_hold": not end, "dry_run": dry_run}, indent=2))
    elif end:
        print(f"{name} {'would be' if dry_run else 'is'} held no longer.")
    else:
        print(f"{name} {'would be' if dry_run else 'is'} held. `syncd hold … --end` ends the hold.")


@app.command()
def relink(
    text: GroupName,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="The issue's number, key or URL.")],
    tracker: Annotated[
        str | None,
        typer.Option(
            "--tracker",
            metavar="NAME",
            help="The issue's tracker. \\[default: the group's]",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Link a group to an issue that exists already.

    syncd leaves the group's previous issue as it is in its tracker.
    """
    with open_store(config) as (loaded, store):
        group = find_group(store, text)
        name = group.standing.group.identity.fingerprint
        try:
            link = actions.relink(loaded, store, group.id, tracker, issue, Clock().wall(), dry_run=dry_run)
        except actions.NotLinked as error:
            stop(FAILED, f"{name}: {error}")
    if as_json:
        shape = {"fingerprint": name, "issue": link.place.key, "url": link.place.url, "before": link.before}
        print(json.dumps(shape | {"dry_run": dry_run}, indent=2))
        return
    print(f"{name} {'would be' if dry_run else 'is'} linked to {link.place.key}: {link.place.url}")
    if link.before:
        print(f"syncd no longer writes to {link.before}; close it by hand as a duplicate.")


@alias.command("add")
def alias_add(
    text: GroupName,
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="The group whose issue shows the occurrences, named in the same ways."),
    ],
    reason: ReasonOption = "",
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a group's occurrences on the issue of the group TARGET.

    syncd leaves the group's own issue as it is in its tracker. If TARGET has no issue, the group's own one shows
    the occurrences of both.
    """
    with open_store(config) as (loaded, store):
        group, followed = find_group(store, text), find_group(store, target)
        name, target_name = (each.standing.group.identity.fingerprint for each in (group, followed))
        if group.id == followed.id:
            stop(USAGE, f"{text!r} and {target!r} are the same group")
        issue = group.standing.issue
        change = actions.AliasChange(issue.key if issue is not None else None, followed.standing.issue is None)
        if not dry_run:
            try:
                why = one_line(reason, 500, "no reason given")
                change = actions.add_alias(store, explain.rules(loaded), group.id, followed.id, why, Clock().wall())
            except ValueError as error:
                stop(FAILED, f"{name} cannot follow {target_name}: {error}")
    if as_json:
        given_up = None if change.shared else change.own
        shape = {"fingerprint": name, "target": target_name, "given_up": given_up, "dry_run": dry_run}
        print(json.dumps(shape, indent=2))
        return
    print(f"{name} {'would follow' if dry_run else 'follows'} {target_name}, whose issue shows its occurrences.")
    if change.sentence:
        print(change.sentence)


@alias.command("remove")
def alias_remove(
    text: GroupName,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove an alias: the group gets the issue back that it had.

    A group that had none gets an issue of its own, as its route decides.
    """
    with open_store(config) as (loaded, store):
        group = find_group(store, text)
        name = group.standing.group.identity.fingerprint
        if all(entry.group_id != group.id for entry in store.report.aliases()):
            stop(NOT_FOUND, f"{name} is no alias")
        change = None
        if not dry_run:
            change = actions.remove_alias(store, explain.rules(loaded), group.id, Clock().wall())
    issue = None if change is None else change.own
    if as_json:
        print(json.dumps({"fingerprint": name, "issue": issue, "dry_run": dry_run}, indent=2))
        return
    print(f"{name} {'would follow' if dry_run else 'follows'} no group any more.")
    if issue:
        print(f"{issue} is its issue again.")


@alias.command("list")
def alias_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List all aliases with their reasons, the newest first."""
    with open_store(config) as (_, store):
        aliases = store.report.aliases()
    if as_json:
        keys = ("fingerprint", "project", "target", "reason", "at")
        print(json.dumps([{key: getattr(entry, key) for key in keys} for entry in aliases], indent=2))
        return
    for entry in aliases:
        names = f"{one_line(entry.fingerprint, 64)} → {one_line(entry.target, 64)}"
        print(f"{names}  {one_line(entry.project, 40)}  since {utc(entry.at)}: {one_line(entry.reason, 200)}")
    if not aliases:
        print("No alias. `syncd alias add FINGERPRINT TARGET` adds one.")
