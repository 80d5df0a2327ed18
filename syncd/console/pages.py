"""What each page shows. Reads only; no tracker is asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from syncd import explaining, needs, overview, shapes
from syncd.config import Config, Secret
from syncd.console.page import Asked, NotThere, Page
from syncd.fold import OTHERS
from syncd.model import Standing
from syncd.presentation import present
from syncd.releases import ordered
from syncd.shapes import instances
from syncd.store import Store
from syncd.store.limits import Allowance
from syncd.store.listing import Delivered, Key, Listed, Sort, State, Wanted
from syncd.store.report import Past

PAGE = 50
HOUR = 3600.0
DONE = {"filed": ("create",), "updated": ("update", "close"), "reopened": ("reopen", "comment", "renew")}
RELEASES_SHOWN = 12
HISTOGRAM = 6


def status(config: Config, store: Store, now: float) -> dict[str, Any]:
    """What `syncd status --json` prints."""
    counts = store.report.counts(now)
    trackers = store.report.trackers(config.credentials, now) | store.report.left_behind(config.trackers)
    left = {
        name: store.limits.left(Allowance(credential=config.credentials[name], limits=settings.writes), now)
        for name, settings in config.trackers.items()
    }
    rest = shapes.holding(store.report.held(), store.report.storms(), store.routes.pauses())
    return shapes.status(counts, trackers, left) | rest | {"instances": instances(store.running(), now)}


def home(asked: Asked) -> Page:
    """Whether it is well, and what waits, is held, or needs a person."""
    store, now = asked.desk.store, asked.now
    shape = status(asked.desk.config, store, now)
    found = needs.counts(shape) + needs.silent(shape)
    well, sentence = needs.sentence(found, store.fault)
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
    ends = [until - span * (spans - at - 1) for at in range(spans)]
    facts = {
        "needs": sorted(found, key=lambda need: need.calm),
        "days": days,
        "series": series,
        "labels": [_clock(end - span) for end in ends],
        "latest": latest,
    }
    return Page("home.html", "Overview", shape, facts)


def _clock(at: float) -> str:
    from syncd.render.text import utc

    return utc(at)


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
    listing = store.lists.groups(wanted, sort, _key(asked.get("after")), PAGE)
    following = None if listing.next is None else f"{listing.next.place}.{listing.next.id}"
    shape = {"groups": [numbered(one) for one in listing.groups], "next": following}
    facts = {
        "listed": listing.groups,
        "wanted": wanted,
        "sort": sort,
        "following": following,
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


def _key(text: str | None) -> Key | None:
    if text is None:
        return None
    place, _, number = text.partition(".")
    if not (place.isdigit() and number.isdigit()) or len(text) > 40:
        raise NotThere("that page does not begin anywhere; go back to the first one")
    return Key(int(place), int(number))


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
    plan = explaining.plan_now(config, store, standing, now)
    routing = list(explaining.routing(config, standing))
    shape = (
        {"id": number, "owed_at": listed.owed_at, "on_hold": standing.group.on_hold}
        | shapes.whole(standing, history)
        | {
            "now": {"action": plan.action.value, "reason": plan.reason, "rule": plan.rule, "inputs": dict(plan.inputs)},
            "routes": routing,
            "deliveries": [_delivery(one) for one in delivered],
            "histograms": {name: dict(values) for name, values in _histograms(store, delivered).items()},
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
        "histograms": _histograms(store, delivered),
        "deliveries": delivered,
        "letter": store.letters.of(number),
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


def releases(asked: Asked) -> Page:
    """The groups of a project by release; or all projects, or one release."""
    store = asked.desk.store
    project, release = asked.get("project"), asked.get("release")
    projects = store.report.projects()
    if project is None and len(projects) == 1:
        project = projects[0]
    if project is None:
        return Page("projects.html", "Releases", {"projects": projects}, {"projects": projects})
    if project not in projects:
        raise NotThere(f"no group has the project {project!r}")
    ledgers = {one.release: one for one in store.lists.releases(project) if one.release != OTHERS}
    order = ordered(ledgers)
    if release is not None:
        return _release(asked, project, release, order)
    after = _key(asked.get("after"))
    listing = store.lists.groups(Wanted(project=project), Sort.USERS, after, PAGE)
    returned = {(one.fingerprint, one.release) for one in store.report.returns(project)}
    shown = order[:RELEASES_SHOWN]
    rows = [(one, [_cell(one.standing, release, order, returned) for release in shown]) for one in listing.groups]
    following = None if listing.next is None else f"{listing.next.place}.{listing.next.id}"
    shape = {
        "project": project,
        "releases": [
            {"release": name, "groups": ledgers[name].groups, "occurrences": ledgers[name].occurrences,
             "first_seen": ledgers[name].first_seen, "last_seen": ledgers[name].last_seen}
            for name in order
        ],
        "groups": [
            {"id": one.id, "fingerprint": one.standing.group.identity.fingerprint,
             "releases": {name: {"occurrences": cell[0], "is": cell[1]} for name, cell in zip(shown, cells, strict=True) if cell}}
            for one, cells in rows
        ],
        "next": following,
    }  # fmt: skip
    facts = {
        "project": project,
        "projects": projects,
        "order": order,
        "shown": shown,
        "ledgers": ledgers,
        "rows": rows,
        "following": following,
    }
    return Page("releases.html", f"Releases of {project}", shape, facts)


Cell = tuple[int, str] | None


def _cell(standing: Standing, release: str, order: Sequence[str], returned: set[tuple[str, str]]) -> Cell:
    """How often a group was seen in a release, and whether it is new in it, came back in it, or is gone since the one before."""
    seen = {one.release: one.occurrences for one in standing.group.releases if one.release != OTHERS}
    known = [one for one in order if seen.get(one)]
    count = seen.get(release, 0)
    at = order.index(release)
    if not count:
        before = order[at + 1] if at + 1 < len(order) else None
        later = any(seen.get(one) for one in order[:at])
        return (0, "gone") if before is not None and seen.get(before) and not later else None
    if (standing.group.identity.fingerprint, release) in returned:
        return count, "regressed"
    return count, "new" if known[-1] == release else "still"


def _release(asked: Asked, project: str, release: str, order: Sequence[str]) -> Page:
    """What one release brought."""
    store = asked.desk.store
    if not any(overview.same(release, one) for one in order):
        raise NotThere(f"no group of {project} was seen in {release!r}")
    before = overview.previous(order, release)
    spellings = [
        one for one in order if overview.same(one, release) or (before is not None and overview.same(one, before))
    ]
    listed = store.lists.seen_in(project, spellings)
    numbers = {id(one.standing): one.id for one in listed}
    found = overview.overview([one.standing for one in listed], store.report.returns(project), release)
    # Judged by those that were read, which may not have seen all older releases.
    shape = {"project": project} | shapes.overview(found) | {"before": before}
    facts = {"project": project, "release": release, "before": before, "found": found, "order": order, "numbers": numbers,
             "read": len(listed)}  # fmt: skip
    return Page("release.html", f"{project} {release}", shape, facts)


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
    body = present(asked.desk.config).scrubber.text(body) if scrubbed else body
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
    letters = asked.desk.store.letters.all(500)
    needy = [one for one in letters if one.kind.value != "dropped"]
    dropped = [one for one in letters if one.kind.value == "dropped"]
    shape = [shapes.letter(one) for one in letters]
    return Page("dead.html", "Dead letters", shape, {"needy": needy, "dropped": dropped})


def trackers(asked: Asked) -> Page:
    """Each tracker and route, whether it is called, and the processes that share the store."""
    config, store, now = asked.desk.config, asked.desk.store, asked.now
    shape = status(config, store, now)
    told = {name: shape["trackers"][name] for name in shape["trackers"]}
    paused = {one["route"]: one for one in shape["paused_routes"]}
    routes = [
        {"route": route.name, "tracker": route.tracker, "paused": paused.get(route.name)} for route in config.all_routes
    ]
    facts = {"trackers": told, "kinds": {name: one.kind for name, one in config.trackers.items()}, "routes": routes,
             "instances": shape["instances"], "waiting": store.report.owed(), "silent": store.report.trackers({}, now)}  # fmt: skip
    shown = {"trackers": told, "routes": routes, "instances": shape["instances"]}
    return Page("trackers.html", "Trackers", shown, facts)


def configuration(asked: Asked) -> Page:
    """What is in force, key by key: what was written and what is default. Of a secret only where it is kept."""
    config = asked.desk.config
    rows = list(_keys("", config, Config()))
    shape = {"version": config.version, "keys": {key: value for key, value, _ in rows}}
    return Page("configuration.html", "Configuration", shape, {"rows": rows, "digest": config.version})


def _keys(prefix: str, value: Any, default: Any) -> list[tuple[str, Any, bool]]:
    """(key, value, whether it is the default) of everything below."""
    if isinstance(value, Secret):
        return [(prefix, f"•••••• ({value.place})", False)]
    fields: Mapping[str, Any] | None = None
    if hasattr(type(value), "model_fields") and not hasattr(value, "seconds"):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        plain = default if type(default) is type(value) else _plain(type(value))
    elif isinstance(value, dict) and value and all(hasattr(type(one), "model_fields") for one in value.values()):
        fields, plain = value, None
    elif (
        isinstance(value, list)
        and value
        and all(hasattr(type(one), "model_fields") for one in value)
        and prefix == "routes"
    ):
        fields, plain = {f"[{number}]": one for number, one in enumerate(value)}, None
    if fields is None:
        return [(prefix, _written(value), value == default)]
    rows = []
    for name, inner in fields.items():
        key = f"{prefix}{name}" if name.startswith("[") or not prefix else f"{prefix}.{name}"
        rows += _keys(key, inner, getattr(plain, name, None))
    return rows


def _plain(section: Any) -> Any:
    """What such a section is where nothing is written but what must be."""
    required = {name: None for name, one in section.model_fields.items() if one.is_required()}
    return section.model_construct(**required)


def _written(value: Any) -> Any:
    """As JSON has it."""
    if hasattr(value, "model_dump"):
        return value.model_dump()
    return [_written(one) for one in value] if isinstance(value, list) else value


def find(asked: Asked) -> list[Listed]:
    """The groups that what was typed in names by their fingerprints."""
    text = asked.get("text")
    return asked.desk.store.lists.by_fingerprint(text, 2) if text and len(text) >= 4 else []
