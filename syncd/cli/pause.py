"""`pause` and `resume`: whether syncd calls a tracker, and files by a route."""

import json
from collections.abc import Iterable
from functools import partial
from typing import Annotated

import typer

from syncd.cli import FAILED, NOT_FOUND, USAGE, stop
from syncd.cli.arguments import ConfigOption, DryRunOption, JsonOption, ReasonOption, open_store
from syncd.config import Config
from syncd.config.values import did_you_mean
from syncd.core import budget
from syncd.core.budget import Allowance
from syncd.operate import actions, explain, shapes
from syncd.operate.needs import tracker_state
from syncd.platform.clock import Clock
from syncd.render.text import one_line, utc
from syncd.store import Store, limits
from syncd.store.report import TrackerStanding, left_behind

app = typer.Typer(add_completion=False)

NO_CREDENTIAL = ""  # no tracker ever asked for silence under it
SERVICES = {"github": "GitHub", "jira": "Jira"}

TrackerArgument = Annotated[
    str | None, typer.Argument(metavar="TRACKER", help="A tracker's name in the configuration.", show_default=False)
]
RouteOption = Annotated[
    str | None, typer.Option("--route", metavar="NAME", help="A route instead of a tracker.", show_default=False)
]


@app.command()
def pause(
    tracker: TrackerArgument = None,
    route: RouteOption = None,
    reason: ReasonOption = "",
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop sending to a tracker, or by a route, until `resume`.

    syncd still accepts and counts notifications.
    """
    if (tracker is None) == (route is None):
        stop(USAGE, "give either a tracker or --route NAME")
    now, why = Clock().wall(), one_line(reason, 500, "no reason given")
    with open_store(config) as (loaded, store):
        if tracker is not None:
            _require_name(tracker, loaded.trackers, "tracker")
            why = f"{why} (since {utc(now)})"
            if not dry_run:
                store.limits.pause_by_hand(tracker, why, now)
        elif route is not None:
            _require_name(route, [each.name for each in loaded.all_routes], "route")
            if not dry_run:
                store.limits.pause_route(route, why, now)
    verb = "would be" if dry_run else "is"
    if as_json:
        shape = {"tracker": tracker, "state": "paused", "cause": "operator"} if tracker else {"route": route}
        print(json.dumps(shape | {"state": "paused", "reason": why, "dry_run": dry_run}, indent=2))
    elif tracker is not None:
        print(f"{tracker} {verb} paused: {why}")
        if not dry_run:
            print("syncd finishes the call in progress and makes no further call.")
            print(f"It still accepts and counts notifications. `syncd resume {tracker}` ends the pause.")
    else:
        print(f"route {route} {verb} paused: {why}")
        print(f"syncd counts its groups and files nothing. `syncd resume --route {route}` ends the pause.")


@app.command()
def resume(
    tracker: TrackerArgument = None,
    route: RouteOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also end a wait that the tracker itself asked for (Retry-After).")
    ] = False,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Resume a tracker or route now.

    Clears a manual pause and any misconfiguration back-off.
    """
    if (tracker is None) == (route is None):
        stop(USAGE, "give either a tracker or --route NAME")
    now = Clock().wall()
    with open_store(config) as (loaded, store):
        if route is not None:
            _resume_route(loaded, store, route, now, dry_run, as_json)
        elif tracker is not None:
            _resume_tracker(loaded, store, tracker, now, force, dry_run, as_json)


def _resume_route(config: Config, store: Store, route: str, now: float, dry_run: bool, as_json: bool) -> None:
    paused = {pause.route: pause for pause in store.limits.route_pauses()}
    # A route may be paused that the configuration no longer has.
    _require_name(route, {*(each.name for each in config.all_routes), *paused}, "route")
    if not dry_run:
        actions.resume_route(store, explain.rules(config), route, now)
    reason = paused[route].reason if route in paused else None
    if as_json:
        shape = {"route": route, "resumed": reason is not None, "reason": reason, "dry_run": dry_run}
        print(json.dumps(shape, indent=2))
    elif reason is None:
        print(f"route {route} was not paused: nothing to do.")
    else:
        print(f"route {route} was paused: {reason}")
        print("→ it would be resumed" if dry_run else "→ resumed")


def _resume_tracker(
    config: Config, store: Store, tracker: str, now: float, force: bool, dry_run: bool, as_json: bool
) -> None:
    standings = store.report.trackers({}, now) | left_behind(store.report.owed(now), config.trackers)
    # Groups may wait for a tracker that the configuration no longer has.
    _require_name(tracker, {*config.trackers, *standings}, "tracker")
    rest = (
        standings[tracker] if tracker in standings and standings[tracker].state in ("paused", "unreachable") else None
    )
    silence = _silence(store, config, tracker, now)
    warning = [] if silence is None or force else _warning(config, tracker, silence)
    if warning and rest is None:
        stop(FAILED, *warning)
    if not dry_run:
        credential = NO_CREDENTIAL if warning else config.credentials.get(tracker, NO_CREDENTIAL)
        store.limits.resume_by_hand(tracker, credential, now)
    ended = [standing for standing in (rest, None if warning else silence) if standing is not None]
    if as_json:
        shape = {
            "tracker": tracker,
            "resumed": bool(ended),
            "rested": None if rest is None else shapes.tracker(rest),
            "silence": None if silence is None else shapes.tracker(silence) | {"broken": not warning},
            "dry_run": dry_run,
        }
        print(json.dumps(shape, indent=2))
        return
    for standing in ended:
        print(f"{tracker} {tracker_state(shapes.tracker(standing), now)}")
    if ended:
        print("→ it would be resumed" if dry_run else "→ resumed")
    else:
        print(f"{tracker} was not paused: nothing to do.")
    for line in warning:
        print(f"! {line}")


def _require_name(name: str, names: Iterable[str], kind: str) -> None:
    existing = sorted(names)
    if name not in existing:
        stop(NOT_FOUND, f"there is no {kind} {name!r}{did_you_mean(name, existing)}")


def _silence(store: Store, config: Config, tracker: str, now: float) -> TrackerStanding | None:
    """The wait that the tracker itself asked for, in force at `now`."""
    credential = config.credentials.get(tracker)
    if credential is None:
        return None
    # No tracker is named like a credential, so this returns only what the credential has to wait for.
    opens = budget.opens(
        store.read(partial(limits.standing, tracker=credential, credential=credential)),
        Allowance(credential=credential),
        now,
    ).values()
    if max(opens) <= now:
        return None
    standing = store.report.trackers(config.credentials, now).get(tracker)
    return TrackerStanding(
        state="paused" if min(opens) > now else "slowed",
        reason=standing.reason if standing is not None and standing.cause == "throttled" else None,
        until=max(opens),
        cause="throttled",
    )


def _warning(config: Config, tracker: str, silence: TrackerStanding) -> list[str]:
    """Why to respect the wait, and how to end it all the same."""
    service = SERVICES.get(config.trackers[tracker].kind, tracker)
    reason = f": {one_line(silence.reason, 300)}" if silence.reason else ""
    sharing = [
        name
        for name, credential in config.credentials.items()
        if credential == config.credentials[tracker] and name != tracker
    ]
    also = f" (as do {', '.join(sharing)}, which share its credential)" if sharing else ""
    return [
        f"{service} asked syncd to wait until {utc(silence.until)}{reason}",
        f"{tracker} resumes by itself then{also}. Calling it earlier may prolong the wait; "
        f"`syncd resume {tracker} --force` calls it now.",
    ]
