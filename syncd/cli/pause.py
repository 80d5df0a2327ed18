"""`pause` and `resume`: an operator's word about a tracker."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import FAILED, NOT_FOUND, USAGE, ConfigOption, JsonOption, app, stop
from syncd.cli.dead import DryRunOption
from syncd.cli.lookups import opened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncd.config import Config
    from syncd.store import Store
    from syncd.store.report import TrackerStanding

NO_CREDENTIAL = ""  # nothing was ever silenced under it
SERVICES = {"github": "GitHub", "jira": "Jira"}

TrackerArgument = Annotated[
    str | None, typer.Argument(metavar="TRACKER", help="Its name, as the configuration has it.", show_default=False)
]
RouteOption = Annotated[
    str | None, typer.Option("--route", metavar="NAME", help="A route instead of a tracker.", show_default=False)
]


@app.command()
def pause(
    tracker: TrackerArgument = None,
    route: RouteOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks at the status.")] = "",
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send nothing more to a tracker, or by a route, until `resume`. Notifications go on being taken and counted."""
    from syncd.render.text import one_line, utc

    tracker = _one_of_both(tracker, route)
    if route is not None:
        _pause_route(config, route, one_line(reason, 500, "no reason given"), dry_run, as_json)
        return
    with opened(config) as (loaded, store):
        _require_known(tracker, loaded.trackers)
        why = f"{one_line(reason, 500, 'no reason given')} (since {utc(time.time())})"
        if not dry_run:
            store.limits.pause_by_hand(tracker, why)
    if as_json:
        shape = {"tracker": tracker, "state": "paused", "cause": "operator", "reason": why, "dry_run": dry_run}
        print(json.dumps(shape, indent=2))
        return
    if dry_run:
        print(f"{tracker} would be paused: {why}")
        return
    print(f"{tracker} is paused: {why}")
    print("Nothing more is sent to it from the next call on; what is in hand is finished.")
    print(f"Notifications go on being taken and counted, and wait for `syncd resume {tracker}`.")


@app.command()
def resume(
    tracker: TrackerArgument = None,
    route: RouteOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where the tracker itself asked for silence until a time.")
    ] = False,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send to a tracker, or by a route, again at once: forgets an operator's pause, and what a tracker rests for."""
    tracker = _one_of_both(tracker, route)
    if route is not None:
        _resume_route(config, route, dry_run, as_json)
        return
    with opened(config) as (loaded, store):
        now = time.time()
        known = store.report.trackers({}, now) | store.report.left_behind(loaded.trackers)
        # One that is not configured any more may have groups that wait for it.
        _require_known(tracker, {*loaded.trackers, *known})
        rest = known[tracker] if tracker in known and known[tracker].state == "paused" else None
        silence = _silence(store, loaded, tracker, now)
        if silence is not None and rest is None and not force:
            stop(FAILED, *_warning(loaded, tracker, silence))
        credential = loaded.credentials.get(tracker, NO_CREDENTIAL)
        kept = silence is not None and not force
        if not dry_run:
            store.limits.resume_by_hand(tracker, NO_CREDENTIAL if kept else credential)
    if as_json:
        print(json.dumps(_shape(tracker, rest, silence, kept, dry_run), indent=2))
        return
    for line in _said(tracker, rest, silence, kept, dry_run):
        print(line)
    if silence is not None and kept:
        for line in _warning(loaded, tracker, silence):
            print(f"! {line}")


def _one_of_both(tracker: str | None, route: str | None) -> str:
    """The tracker's name; empty where a route was named."""
    if (tracker is None) == (route is None):
        stop(USAGE, "name a tracker, or a route with --route")
    return tracker or ""


def _pause_route(config: ConfigOption, route: str, reason: str, dry_run: bool, as_json: bool) -> None:
    with opened(config) as (loaded, store):
        _require_known(route, [one.name for one in loaded.all_routes], "route")
        if not dry_run:
            store.routes.pause(route, reason, time.time())
    if as_json:
        print(json.dumps({"route": route, "state": "paused", "reason": reason, "dry_run": dry_run}, indent=2))
        return
    print(f"route {route} {'would be' if dry_run else 'is'} paused: {reason}")
    print(f"Nothing is filed or written by it; its groups are counted, and wait for `syncd resume --route {route}`.")


def _resume_route(config: ConfigOption, route: str, dry_run: bool, as_json: bool) -> None:
    from syncd.operate import explain

    with opened(config) as (loaded, store):
        paused = {one.route: one for one in store.routes.pauses()}
        # One that is not configured any more may still be paused.
        _require_known(route, {*(one.name for one in loaded.all_routes), *paused}, "route")
        if not dry_run:
            store.routes.resume(route, explain.rules(loaded).next_call, time.time())
    was = paused.get(route)
    if as_json:
        reason = None if was is None else was.reason
        print(json.dumps({"route": route, "resumed": was is not None, "reason": reason, "dry_run": dry_run}, indent=2))
        return
    if was is None:
        print(f"route {route} was not paused: nothing to do.")
        return
    print(f"route {route} was paused: {was.reason}")
    print("→ it would be resumed" if dry_run else "→ resumed")


def _require_known(tracker: str, known: "Iterable[str]", kind: str = "tracker") -> None:
    from syncd.config.values import did_you_mean

    names = sorted(known)
    if tracker not in names:
        stop(NOT_FOUND, f"there is no {kind} {tracker!r}{did_you_mean(tracker, names)}")


def _silence(store: "Store", config: "Config", tracker: str, now: float) -> "TrackerStanding | None":
    """What the tracker itself asked for, whether it rests besides or not."""
    from syncd.store.limits import Allowance
    from syncd.store.report import TrackerStanding

    credential = config.credentials.get(tracker)
    if credential is None:
        return None
    # No tracker has the name of a credential, so that nothing but what was asked of it is to be waited for.
    opens = store.limits.opens(credential, Allowance(credential=credential), now).values()
    if max(opens) <= now:
        return None
    shown = store.report.trackers(config.credentials, now).get(tracker)
    return TrackerStanding(
        state="paused" if min(opens) > now else "slowed",
        reason=shown.reason if shown is not None and shown.cause == "throttled" else None,
        until=max(opens),
        cause="throttled",
    )


def _warning(config: "Config", tracker: str, silence: "TrackerStanding") -> list[str]:
    from syncd.render.text import one_line, utc

    service = SERVICES.get(config.trackers[tracker].kind, tracker)
    asked = f"{service} asked for silence until {utc(silence.until)}"
    if silence.reason:
        asked += f": {one_line(silence.reason, 300)}"
    others = [
        name
        for name, credential in config.credentials.items()
        if credential == config.credentials[tracker] and name != tracker
    ]
    shared = f" (so do {', '.join(others)}, with the same credential)" if others else ""
    return [
        asked,
        f"{tracker} goes on by itself then{shared}; forcing it may prolong the silence. "
        f"`syncd resume {tracker} --force` does it all the same.",
    ]


def _said(
    tracker: str, rest: "TrackerStanding | None", silence: "TrackerStanding | None", kept: bool, dry_run: bool
) -> list[str]:
    from syncd.cli import tables
    from syncd.operate import shapes

    ended = [one for one in (rest, None if kept else silence) if one is not None]
    if not ended:
        return [f"{tracker} was not paused: nothing to do."]
    before = [f"{tracker} {tables.standing_of(shapes.tracker(one)).plain}" for one in ended]
    return [*before, "→ it would be resumed" if dry_run else "→ resumed"]


def _shape(
    tracker: str,
    rest: "TrackerStanding | None",
    silence: "TrackerStanding | None",
    kept: bool,
    dry_run: bool,
) -> dict[str, object]:
    from syncd.operate import shapes

    return {
        "tracker": tracker,
        "resumed": rest is not None or (silence is not None and not kept),
        "rested": None if rest is None else shapes.tracker(rest),
        "silence": None if silence is None else shapes.tracker(silence) | {"broken": not kept},
        "dry_run": dry_run,
    }
