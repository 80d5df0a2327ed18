"""The console's actions. Each does what the command of its name does, and returns a sentence about the result."""

from collections.abc import Callable, Container, Iterator

from syncd.console.page import NotFound, PageRequest
from syncd.core.quantities import counted
from syncd.errors import RejectedDelivery
from syncd.intake.opening import open_sources
from syncd.intake.sources.source import reread
from syncd.operate import actions, explain, search
from syncd.render.text import one_line, utc
from syncd.store import audit
from syncd.store.audit import Subject
from syncd.store.dead_letters import DeadLetter, Kind
from syncd.store.hints import INBOX, of_tracker
from syncd.store.report import left_behind

Action = Callable[[PageRequest], str]


def sync(request: PageRequest) -> str:
    """Bring the group's issue up to date now."""
    tracker = actions.sync_now(request.store, explain.rules(request.config), request.group, request.now)
    if tracker is None:
        return "This group needs nothing now; the reason is below."
    request.store.hints.send(of_tracker(tracker))
    return f"This group is due now, for {tracker}."


def file(request: PageRequest) -> str:
    """File the group now, past thresholds and limits."""
    routing = explain.rules(request.config)
    try:
        tracker = actions.file_now(request.store, routing, request.group, _reason(request), request.now)
    except ValueError as error:
        return f"Nothing changed: {error}."
    request.store.hints.send(of_tracker(tracker))
    return f"This group is filed next, in {tracker}."


def hold(request: PageRequest) -> str:
    """File nothing for the group and write nothing to its issue."""
    actions.hold(request.store, request.group, _reason(request), request.now)
    return "This group is held: syncd files nothing for it and writes nothing. A call in progress is finished."


def end_hold(request: PageRequest) -> str:
    """Let the group's route decide again."""
    ended = actions.end_hold(request.store, explain.rules(request.config), request.group, request.now)
    return "This group is held no longer." if ended else "No operator held this group."


def alias(request: PageRequest) -> str:
    """Show the group's occurrences on another group's issue."""
    text = request.form.get("target", "")
    fits = search.matches(request.store, text)
    if not fits:
        return f"Nothing changed: {search.absence(text)}."
    if len(fits) > 1:
        return f"Nothing changed: {text!r} fits {counted(len(fits), 'group')}; give more of the fingerprint."
    target = fits[0]
    try:
        routing = explain.rules(request.config)
        change = actions.add_alias(request.store, routing, request.group, target.id, _reason(request), request.now)
    except ValueError as error:
        return f"Nothing changed: {error}."
    name = one_line(target.standing.group.identity.fingerprint, 16)
    return f"The issue of {name} shows the occurrences of this group from now on. {change.sentence}".strip()


def end_alias(request: PageRequest) -> str:
    """Give the group an issue of its own again."""
    removed = actions.remove_alias(request.store, explain.rules(request.config), request.group, request.now)
    if removed is None:
        return "This group was no alias."
    return f"This group follows no other group any more.{f' {removed.own} is its issue again.' if removed.own else ''}"


def relink(request: PageRequest) -> str:
    """Link the group to an issue that exists already."""
    tracker, issue = request.form.get("tracker") or None, request.form.get("issue", "")
    try:
        link = actions.relink(request.config, request.store, request.group, tracker, issue, request.now)
    except actions.NotLinked as error:
        return f"Nothing changed: {error}."
    return f"This group is linked to {link.place.key} from now on.{_abandoned(link.before)}"


def retry(request: PageRequest) -> str:
    """Retry a dead letter or a parked group; with `absent`, create the issue of a parked group."""
    absent = request.form.get("absent") == "yes"
    letter = _letter(request)
    if absent and letter.kind is not Kind.PARKED:
        return "Nothing changed: this group is not parked; use Retry."
    if not request.store.dead_letters.retry(letter, request.now, absent=absent):
        return "Nothing changed: this group is no longer stuck."
    request.store.hints.send(of_tracker(letter.tracker))
    return "syncd creates the issue anew." if absent else "syncd tries this group again."


def discard(request: PageRequest) -> str:
    """Drop a dead letter or a parked group: stop trying, and stop listing it."""
    done = request.store.dead_letters.discard(_letter(request), request.now)
    return "This group is dropped." if done else "Nothing changed: this group is dropped already or no longer stuck."


def retry_all(request: PageRequest) -> str:
    """Retry all dead letters and parked groups."""
    stuck = [letter for letter in request.store.dead_letters.all() if letter.kind is not Kind.DROPPED]
    retried = sum(request.store.dead_letters.retry(letter, request.now) for letter in stuck)
    request.store.hints.send(*(of_tracker(letter.tracker) for letter in stuck))
    return f"syncd tries {counted(retried, 'group')} again."


def replay_delivery(request: PageRequest) -> str:
    """Read a stored delivery again."""
    subject = Subject(audit.Kind.DELIVERY, str(request.number))
    return _replayed(request, request.store.dead_letters.replay([request.number], request.now, subject))


def replay_group(request: PageRequest) -> str:
    """Read all stored deliveries of a group again."""
    letters, number = request.store.dead_letters, request.group

    def numbers() -> Iterator[int]:
        after = 0
        while batch := letters.replayable(after, 0.0, number):
            yield from (stored.id for stored in batch)
            after = batch[-1].id

    subject = Subject(audit.Kind.GROUP, request.identity.fingerprint, number)
    return _replayed(request, letters.replay(numbers(), request.now, subject))


def release(request: PageRequest) -> str:
    """Return a quarantined delivery to the inbox if this version can read it."""
    entry = request.store.quarantine.entry(request.number)
    if entry is None:
        return "The quarantine no longer has this delivery."
    body, source = entry
    try:
        prepared = reread(open_sources(request.config), source, body)
    except RejectedDelivery as error:
        return f"This delivery is still no notification: {error.message}"
    request.store.quarantine.release(request.number, request.now, prepared.note, [part for part, _ in prepared.parts])
    request.store.hints.send(INBOX)
    return "The delivery returned to the inbox."


def drop(request: PageRequest) -> str:
    """Delete a quarantined delivery."""
    deleted = request.store.quarantine.discard(request.number, request.now)
    return "The delivery is deleted." if deleted else "The quarantine no longer has this delivery."


def pause_tracker(request: PageRequest) -> str:
    """Stop sending to a tracker."""
    name = _require_name(request, "tracker", request.config.trackers)
    request.store.limits.pause_by_hand(name, f"{_reason(request)} (since {utc(request.now)})", request.now)
    return f"{name} is paused: syncd sends nothing to it, and still counts notifications."


def resume_tracker(request: PageRequest) -> str:
    """Clear a manual pause and any misconfiguration back-off; with `force` also a wait that the tracker asked for."""
    config, store = request.config, request.store
    waiting = left_behind(store.report.owed(request.now), config.trackers)
    name = _require_name(request, "tracker", {*config.trackers, *store.report.trackers({}, request.now), *waiting})
    forced = request.form.get("force") == "yes"
    resumed = store.limits.resume_by_hand(name, config.credentials.get(name, "") if forced else "", request.now)
    store.hints.send(of_tracker(name))
    return f"{name} is resumed." if resumed else f"{name} was not paused. A wait that it asked for ends by itself."


def pause_route(request: PageRequest) -> str:
    """Stop filing and writing by a route."""
    name = _require_name(request, "route", [route.name for route in request.config.all_routes])
    request.store.limits.pause_route(name, _reason(request), request.now)
    return f"Route {name} is paused: syncd files nothing by it, and still counts its groups."


def resume_route(request: PageRequest) -> str:
    """Resume a route, and decide again about the groups that it held."""
    names = {route.name for route in request.config.all_routes}
    name = _require_name(request, "route", names | {pause.route for pause in request.store.limits.route_pauses()})
    resumed = actions.resume_route(request.store, explain.rules(request.config), name, request.now)
    return f"Route {name} is resumed." if resumed else f"Route {name} was not paused."


def _reason(request: PageRequest) -> str:
    return request.reason


def _require_name(request: PageRequest, kind: str, names: Container[str]) -> str:
    name = str(request.path["name"])
    if name not in names:
        raise NotFound(f"there is no {kind} {name!r}")
    return name


def _letter(request: PageRequest) -> DeadLetter:
    letter = request.store.dead_letters.of(request.group)
    if letter is None:
        raise NotFound("this group is not stuck: there is nothing to retry or to discard")
    return letter


def _abandoned(issue: str | None) -> str:
    return f" syncd no longer writes to {issue}; close it by hand as a duplicate." if issue else ""


def _replayed(request: PageRequest, count: int) -> str:
    request.store.hints.send(INBOX)
    if not count:
        return "The store has no such delivery any more."
    deliveries = "1 delivery" if count == 1 else f"{count:,} deliveries"
    return f"syncd reads {deliveries} again. Deliveries that it reads as before change nothing."
