"""What each page shows. Reads only; no tracker is asked."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from syncd.console.page import PAGE, Asked, NotThere, Page, crash, key_of, text_of
from syncd.core.fold import OTHERS
from syncd.core.releases import ordered
from syncd.operate import attention, explain, shapes
from syncd.operate.status import status
from syncd.render.text import utc
from syncd.store import Store
from syncd.store.listing import LOOKED, Delivered, Listed, Sort, State, Wanted
from syncd.store.report import Past
from syncd.worker.presentation import Presentation

HOUR = 3600.0
DONE = {"filed": ("create",), "updated": ("update", "close"), "reopened": ("reopen", "comment", "renew")}
HISTOGRAM = 6


def home(asked: Asked) -> Page:
    """Whether it is well, and what waits, is held, or needs a person."""
    store, now = asked.desk.store, asked.now
    shape = status(asked.desk.config, store, now)
    found = attention.counts(shape) + attention.interruptions(shape)
    well, sentence = attention.sentence(found, store.fault)
    days = 7 if asked.get("days") == "7" else 1
    span, spans = (HOUR, 24) if days == 1 else (6 * HOUR, 28)
    until = (now // span + 1) * span
    done = store.lists.done(until - span * spans, span, spans)
    series = {
        name: [sum(done.get(action, [0] * spans)[at] for action in actions) for at in range(spans)]
        for name, actions in DONE.items()
    }
    oldest, room = store.lists.oldest(now), store.room()
    latest = store.lists.groups(Wanted(), Sort.FIRST_SEEN, None, 6).groups
    shape |= {
        "well": well,
        "sentence": sentence,
        "oldest": {"received_at": oldest.received_at, "due_at": oldest.due_at},
        "done": {"since": until - span * spans, "span": span, **series},
        "groups": store.report.how_many(),
        "store": {"place": store.connection.place, "taken": room.taken, "free": room.free},
    }
    facts = {
        "needs": sorted(found, key=lambda need: not need.alarm),
        "days": days,
        "series": series,
        "labels": [utc(until - span * (spans - at)) for at in range(spans)],
        "latest": latest,
    }
    return Page("home.html", "Overview", shape, facts)


def groups(asked: Asked) -> Page:
    """A list of groups, as it was narrowed down and sorted."""
    store = asked.desk.store
    wanted = Wanted(
        project=asked.get("project"),
        release=asked.get("release"),
        state=_one_of(State, asked.get("state")),
        text=asked.get("text"),
    )
    sort = _one_of(Sort, asked.get("sort")) or Sort.LAST_SEEN
    listing = store.lists.groups(wanted, sort, key_of(asked.get("after")), PAGE)
    following = text_of(listing.next)
    shape = {"groups": [numbered(one) for one in listing.groups], "next": following}
    facts = {
        "listed": listing.groups,
        "wanted": wanted,
        "sort": sort,
        "following": following,
        "cut": listing.cut,
        "looked": LOOKED,
        "projects": store.report.projects(),
        "states": list(State),
        "total": store.report.how_many(),
        "keep": {"project": wanted.project, "release": wanted.release, "state": wanted.state, "text": wanted.text},
    }
    return Page("groups.html", "Groups", shape, facts)


def numbered(one: Listed) -> dict[str, object]:
    """A group as `groups --json` has it, under the number that its page has."""
    return {"id": one.id} | shapes.group(one.standing)


def _one_of(kind: Any, word: str | None) -> Any:
    try:
        return None if word is None else kind(word)
    except ValueError:
        raise NotThere(f"there is no {kind.__name__.lower()} {word!r}; there are {', '.join(kind)}") from None


def group(asked: Asked) -> Page:
    """Everything about one group."""
    config, store, now = asked.desk.config, asked.desk.store, asked.now
    number = cast(int, asked.path["number"])
    found = store.lists.group(number)
    if found is None:
        raise NotThere(f"there is no group number {number}")
    listed, history = found
    standing = listed.standing
    delivered = store.lists.deliveries(None, 20, number)
    histograms = _histograms(store, delivered)
    plan = explain.plan_now(config, store, standing, now)
    routing = list(explain.routing(config, standing))
    shape = (
        {"id": number, "owed_at": listed.owed_at, "on_hold": standing.group.on_hold}
        | shapes.whole(standing, history)
        | {
            "now": shapes.planned(plan),
            "routes": routing,
            "deliveries": [_delivery(one) for one in delivered],
            "histograms": {name: dict(values) for name, values in histograms.items()},
        }
    )
    releases = [one for one in standing.group.releases if one.release != OTHERS]
    order = ordered(one.release for one in releases)
    facts = {
        "listed": listed,
        "standing": standing,
        "group": standing.group,
        "issue": standing.issue,
        "plan": plan,
        "routing": routing,
        "releases": sorted(standing.group.releases, key=lambda one: _place(order, one.release)),
        "timeline": _timeline(history, delivered),
        "histograms": histograms,
        "deliveries": delivered,
        "letter": store.dead_letters.of(number),
        "trackers": list(config.trackers),
        "returns": [
            one
            for one in store.report.returns(standing.group.identity.project)
            if one.fingerprint == standing.group.identity.fingerprint
        ],
    }
    return Page("group.html", "Group", shape, facts)


def _place(order: Sequence[str], release: str) -> int:
    return order.index(release) if release in order else len(order)


def _timeline(history: Sequence[Past], delivered: Sequence[Delivered]) -> list[tuple[float, Past | Delivered]]:
    """Notifications, decisions and what trackers answered, the latest first."""
    events: list[tuple[float, Past | Delivered]] = [(one.at, one) for one in history]
    events += [(one.received_at, one) for one in delivered]
    return sorted(events, key=lambda event: event[0], reverse=True)


def _histograms(store: Store, delivered: Sequence[Delivered]) -> dict[str, list[tuple[str, int]]]:
    """How often each value of each attribute was there, in the latest delivery of the group that is kept."""
    kept = None if not delivered else store.lists.delivery(delivered[0].id)
    if kept is None:
        return {}
    try:
        said = msgspec.json.decode(kept.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    attributes = said.get("attributes") if isinstance(said, dict) else None
    if not isinstance(attributes, dict):
        return {}
    found = {str(name): _counted(values) for name, values in attributes.items()}
    return {name: values[:HISTOGRAM] for name, values in sorted(found.items()) if values}


def _counted(values: object) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for pair in values if isinstance(values, list) else []:
        match pair:
            case [value, int(count)] if isinstance(value, str | int | float) and count > 0:
                counts[str(value)] += count
    return counts.most_common()


def deliveries(asked: Asked) -> Page:
    """What was sent and is still kept, the newest first."""
    before = asked.get("before")
    kept = asked.desk.store.lists.deliveries(int(before) if before and before.isdigit() else None, PAGE)
    following = kept[-1].id if len(kept) == PAGE else None
    shape = {"deliveries": [_delivery(one) for one in kept], "next": following}
    return Page("deliveries.html", "Deliveries", shape, {"deliveries": kept, "following": following,
                                                         "retention": asked.desk.config.store.retention})  # fmt: skip


def _delivery(one: Delivered) -> dict[str, object]:
    return {
        "id": one.id,
        "received_at": one.received_at,
        "state": one.state,
        "size": one.size,
        "group": one.group_id,
        "fingerprint": one.fingerprint,
        "project": one.project,
    }


def delivery(asked: Asked) -> Page:
    """One delivery as it was sent; scrubbed where that is asked for."""
    number = cast(int, asked.path["number"])
    kept = asked.desk.store.lists.delivery(number)
    if kept is None:
        raise NotThere(f"delivery {number} is not kept, or never was; they are kept for store.retention")
    scrubbed = asked.get("scrubbed") is not None
    body = kept.body.decode("utf-8", "replace")
    body = Presentation.from_config(asked.desk.config).scrubber.text(body) if scrubbed else body
    facts = {"delivery": kept, "body": _indented(body), "scrubbed": scrubbed}
    return Page("delivery.html", f"Delivery {number}", _delivery(kept) | {"body": body, "scrubbed": scrubbed}, facts)


def _indented(body: str) -> str:
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return body


def quarantine(asked: Asked) -> Page:
    """What was authentic JSON but no notification, and why."""
    kept = asked.desk.store.report.quarantine(200)
    bodies = {one.id: one.body.decode("utf-8", "replace")[:4000] for one in kept}
    shape = [
        {"id": one.id, "received_at": one.received_at, "code": one.code, "reason": one.reason, "field": one.field,
         "body": bodies[one.id]}
        for one in kept
    ]  # fmt: skip
    return Page("quarantine.html", "Quarantine", shape, {"kept": kept, "bodies": bodies})


def dead(asked: Asked) -> Page:
    """What does not go on by itself, and the ways out."""
    letters = asked.desk.store.dead_letters.all(500)
    needy = [one for one in letters if one.kind.value != "dropped"]
    dropped = [one for one in letters if one.kind.value == "dropped"]
    found = {one.group_id: asked.desk.store.lists.group(one.group_id) for one in needy[:PAGE]}
    crashes = {number: crash(known[0].standing) for number, known in found.items() if known is not None}
    facts = {"needy": needy[:PAGE], "all": len(needy), "dropped": dropped, "crashes": crashes}
    return Page("dead.html", "Dead letters", [shapes.letter(one) for one in letters], facts)


def trackers(asked: Asked) -> Page:
    """Each tracker and route, whether it is called, and the processes that share the store."""
    config, store, now = asked.desk.config, asked.desk.store, asked.now
    shape = status(config, store, now)
    told = shape["trackers"]
    paused = {one["route"]: one for one in shape["paused_routes"]}
    routes = [
        {"route": route.name, "tracker": route.tracker, "paused": paused.get(route.name)} for route in config.all_routes
    ]
    facts = {"trackers": told, "kinds": {name: one.kind for name, one in config.trackers.items()}, "routes": routes,
             "instances": shape["instances"], "waiting": store.report.owed()}  # fmt: skip
    shown = {"trackers": told, "routes": routes, "instances": shape["instances"]}
    return Page("trackers.html", "Trackers", shown, facts)


def find(asked: Asked) -> list[Listed]:
    """The groups that what was typed in names by their fingerprints."""
    text = asked.get("text")
    return asked.desk.store.lists.by_fingerprint(text, 2) if text and len(text) >= 4 else []
