"""The content of each page but those about releases and about one group. Reads only; calls no tracker."""

from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic_core import to_jsonable_python

from syncd.config import Config, Secret
from syncd.console.page import PAGE, NotFound, Page, PageRequest, crash, key_of
from syncd.errors import RejectedDelivery
from syncd.intake.sources import document
from syncd.operate import samples, shapes
from syncd.operate.status import status
from syncd.render.text import utc
from syncd.store.audit import Filter
from syncd.store.dead_letters import Kind
from syncd.worker.presentation import Presentation

HOUR = 3600.0
DONE = {"filed": ("create", "probe"), "updated": ("update", "close"), "reopened": ("reopen",)}


def overview(request: PageRequest) -> Page:
    """The state of syncd: whether all is well, what waits, what is held, what needs attention."""
    store, now = request.store, request.now
    shape = status(request.config, store, now)
    days = 7 if request.get("days") == "7" else 1
    span, spans = (HOUR, 24) if days == 1 else (6 * HOUR, 28)
    since = (now // span + 1) * span - span * spans
    done = store.lists.done(since, span, spans)
    series = {
        name: [sum(done.get(action, [0] * spans)[at] for action in actions) for at in range(spans)]
        for name, actions in DONE.items()
    }
    shape |= {"done": {"since": since, "span": span, **series}, "groups": store.report.how_many()}
    facts = {
        "days": days,
        "series": series,
        "labels": [utc(since + span * at) for at in range(spans)],
    }
    return Page("overview.html", "Operations", shape, facts)


def deliveries(request: PageRequest) -> Page:
    """The stored deliveries, the newest first."""
    before = request.get("before")
    start = key_of(before and f"0.{before}")
    delivered = request.store.lists.deliveries(None if start is None else start.id, PAGE)
    following = delivered[-1].id if len(delivered) == PAGE else None
    shape = {"deliveries": [shapes.delivery(delivery) for delivery in delivered], "next": following}
    facts = {"deliveries": delivered, "following": following, "retention": request.config.store.retention}
    return Page("deliveries.html", "Deliveries", shape, facts)


def delivery(request: PageRequest) -> Page:
    """One delivery as the source sent it, or redacted."""
    number = request.number
    delivery = request.store.lists.delivery(number)
    if delivery is None:
        raise NotFound(f"the store has no delivery {number}; it keeps deliveries for store.retention")
    scrubbed = request.get("scrubbed") is not None
    written = Presentation.from_config(request.config).redactor.scrubber.text if scrubbed else str
    body = written(document.readable(delivery.body))
    try:
        indented = msgspec.json.format(body, indent=2)
    except (msgspec.DecodeError, RecursionError):
        indented = body
    mapped, fault = [], ""
    if delivery.source in request.config.sources:
        try:
            mapped = samples.read(request.config, delivery.source, delivery.body, delivery.received_at)[1]
        except RejectedDelivery as error:
            fault = error.message
    fields = [
        {"name": field.name, "place": field.place, "value": written(field.value), "remedy": written(field.remedy)}
        for field in (mapped or [[]])[0]
    ]
    shape = shapes.delivery(delivery) | {"body": body, "scrubbed": scrubbed, "fields": fields}
    facts = {"delivery": delivery, "body": indented, "scrubbed": scrubbed, "fields": fields, "fault": fault}
    return Page("delivery.html", f"Delivery {number}", shape, facts)


def quarantine(request: PageRequest) -> Page:
    """Deliveries that cannot be read as a notification, with the reasons."""
    quarantined = request.store.report.quarantine(200)
    bodies = {delivery.id: document.readable(delivery.body) for delivery in quarantined}
    keys = ("id", "received_at", "size", "code", "reason", "field", "source")
    shape = [{key: getattr(delivery, key) for key in keys} | {"body": bodies[delivery.id]} for delivery in quarantined]
    return Page("quarantine.html", "Quarantine", shape, {"quarantined": quarantined, "bodies": bodies})


def dead(request: PageRequest) -> Page:
    """Groups that are stuck until a person decides, and the ways out."""
    lists, letters = request.store.lists, request.store.dead_letters.all(500)
    stuck = [letter for letter in letters if letter.kind is not Kind.DROPPED]
    entries = {letter.group_id: lists.group(letter.group_id) for letter in stuck[:PAGE]}
    facts = {
        "stuck": stuck[:PAGE],
        "total": len(stuck),
        "dropped": [letter for letter in letters if letter.kind is Kind.DROPPED],
        "crashes": {number: crash(entry[0].standing) for number, entry in entries.items() if entry is not None},
    }
    return Page("dead.html", "Dead letters", [shapes.letter(letter) for letter in letters], facts)


def audit(request: PageRequest) -> Page:
    """What operators changed, the newest first."""
    before = request.get("after")
    start = key_of(before and f"0.{before}")
    wanted = Filter(actor=request.get("actor"), subject=request.get("subject"))
    entries = request.store.audit.entries(wanted, PAGE + 1, None if start is None else start.id)
    following = entries[PAGE - 1].id if len(entries) > PAGE else None
    page = entries[:PAGE]
    shape = {"entries": [shapes.entry(entry) for entry in page], "next": following}
    keep = {"actor": wanted.actor, "subject": wanted.subject}
    facts = {"entries": page, "following": following, "keep": keep, "history": request.config.store.history}
    return Page("audit.html", "Audit", shape, facts)


def trackers(request: PageRequest) -> Page:
    """Each tracker and route with its state, and the processes that share the store."""
    config, store = request.config, request.store
    whole = status(config, store, request.now)
    paused = {pause["route"]: pause for pause in whole["paused_routes"]}
    shape = {
        "trackers": whole["trackers"],
        "routes": [
            {"route": route.name, "tracker": route.tracker, "paused": paused.get(route.name)}
            for route in config.all_routes
        ],
        "instances": whole["instances"],
    }
    kinds = {name: settings.kind for name, settings in config.trackers.items()}
    return Page("trackers.html", "Trackers", shape, shape | {"kinds": kinds})


def configuration(request: PageRequest) -> Page:
    """The configuration in force, key by key, with a mark on what differs from the default. Of a secret, only its place."""
    config = request.config
    rows = _rows("", config, Config())
    shape = {"version": config.version, "keys": {key: value for key, value, _ in rows}}
    return Page("configuration.html", "Configuration", shape, {"rows": rows, "digest": config.version})


def _rows(prefix: str, value: Any, default: Any) -> list[tuple[str, Any, bool]]:
    """(key, value, whether it is the default) of `value` and everything in it."""
    if isinstance(value, Secret):
        return [(prefix, f"•••••• ({value.place})", False)]
    fields: Mapping[str, Any] | None = None
    if hasattr(type(value), "model_fields"):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        if type(default) is not type(value):  # a section that has no default as a whole
            required = {name: None for name, key in type(value).model_fields.items() if key.is_required()}
            default = type(value).model_construct(**required)
    elif isinstance(value, dict) and value and all(hasattr(type(each), "model_fields") for each in value.values()):
        fields, default = value, None
    elif prefix == "routes" and value:
        fields, default = {f"[{number}]": route for number, route in enumerate(value)}, None
    if fields is None:
        return [(prefix, to_jsonable_python(value), value == default)]
    rows = []
    for name, inner in fields.items():
        key = f"{prefix}{name}" if name.startswith("[") or not prefix else f"{prefix}.{name}"
        rows += _rows(key, inner, getattr(default, name, None))
    return rows
