"""The page of one group, at an address that its identity makes, and the shorter names that lead there."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from syncd.config import Config
from syncd.console.lists import row
from syncd.console.page import Elsewhere, NotFound, Page, PageRequest
from syncd.core import titles
from syncd.core.fold import OTHER_RELEASES
from syncd.core.overview import latest_growth, newest_alone
from syncd.core.releases import ordered
from syncd.core.trend import trend
from syncd.errors import RejectedDelivery
from syncd.intake.sources import backtrace
from syncd.model import Action, GroupView
from syncd.operate import explain, search, shapes
from syncd.render import addresses, parts, report
from syncd.render.parts import ReportExtras
from syncd.render.stack import runs
from syncd.store import Store
from syncd.store.listing import Delivered
from syncd.store.report import Past

HISTOGRAM = 6
FEWEST_FOLDED = 3  # routine events in a row

Event = tuple[float, Past | Delivered]


def named(request: PageRequest) -> Page:
    """Lead from PROJECT/FINGERPRINT, a fingerprint, the beginning of either, or an issue's key to the page of the only group that it fits."""
    return _choice(request, "/".join(map(addresses.text_of, request.path["name"].split("/"))))


def _choice(request: PageRequest, name: str) -> Page:
    """The groups that a name fits, for a person to choose. Raises Elsewhere if it is one, NotFound if it is none."""
    groups = search.matches(request.store, name)
    if not groups:
        raise NotFound(search.absence(name))
    if len(groups) == 1:
        raise Elsewhere(addresses.group_page(groups[0].standing.group.identity))
    shape = {"groups": [shapes.group(listed.standing) for listed in groups]}
    return Page(
        "choice.html", "Which group", shape, {"name": name, "rows": [row(listed, request.now) for listed in groups]}
    )


def group(request: PageRequest) -> Page:
    """Everything about one group."""
    config, store = request.config, request.store
    number = store.lists.of_identity(request.identity)
    entry = None if number is None else store.lists.group(number)
    if number is None or entry is None:
        return _choice(request, "/".join(request.path[part] for part in ("universe", "project", "fingerprint")))
    listed, history = entry
    standing = listed.standing
    group, identity = standing.group, standing.group.identity
    delivered = store.lists.deliveries(None, 20, number)
    histograms = _histograms(store, delivered)
    route = next((route for route in config.all_routes if route.name == _route_of(config, standing)), None)
    rules = config.titles.rules()
    rules = rules if route is None else rules.extended(route.titles)
    columns, newest = trend(group, request.now), newest_alone(group)
    explanation = explain.explain(config, store, listed, history, request.now)
    shape = (
        {"id": number, "owed_at": listed.owed_at, "on_hold": group.on_hold}
        | shapes.whole(standing, history)
        | shapes.steps(explanation)
        | {
            "routes": list(explanation.routes),
            "deliveries": [shapes.delivery(delivery) for delivery in delivered],
            "histograms": {name: dict(counts.most_common(HISTOGRAM)) for name, counts in histograms.items()},
            "trend": None
            if columns is None
            else {"since": columns.since, "span": columns.span, "occurrences": list(columns.counts)},
        }
    )
    order = {
        release: at
        for at, release in enumerate(ordered(e.release for e in group.releases if e.release != OTHER_RELEASES))
    }
    timeline: list[Event] = [(past.at, past) for past in history]
    timeline += [(delivery.received_at, delivery) for delivery in delivered]
    heading = report.title(group, rules)
    facts = {
        "listed": listed,
        "standing": standing,
        "group": group,
        "issue": standing.issue,
        "explanation": explanation,
        "heading": heading,
        "links": [link for links in parts.links(group, ReportExtras(link_hosts=config.links.hosts)) for link in links],
        "growth": latest_growth(group),
        "newest": newest,
        "newest_share": None if newest is None else parts.percentage(newest.occurrences, group.occurrences),
        "trend": columns,
        "runs": list(runs(group.callstack, titles.ranks(group.callstack, group.application, rules))),
        "releases": sorted(group.releases, key=lambda entry: order.get(entry.release, len(order))),
        "timeline": _folded(sorted(timeline, key=lambda event: event[0], reverse=True)),
        "order": order,
        "histograms": {
            name: [
                (value, count, parts.percentage(count, counts.total()))
                for value, count in counts.most_common(HISTOGRAM)
            ]
            for name, counts in histograms.items()
        },
        "deliveries": delivered,
        "letter": store.dead_letters.of(number),
        "trackers": list(config.trackers),
        "returns": [
            each for each in store.report.returns(identity.project) if each.fingerprint == identity.fingerprint
        ],
    }
    return Page("group.html", heading, shape, facts)


def _route_of(config: Config, standing: GroupView) -> str | None:
    """The name of the route that filed the group's issue, or takes the group."""
    if standing.issue is not None and standing.issue.route is not None:
        return standing.issue.route
    policy = explain.rules(config).route(standing.group)
    return None if policy is None else policy.name


def _folded(timeline: Sequence[Event]) -> list[list[Event]]:
    """The events in runs: what is routine is one run with its neighbours if they are several, and every other event is a run of its own."""
    folded: list[list[Event]] = []
    for is_routine, run in groupby(timeline, key=lambda event: _is_routine(event[1])):
        events = list(run)
        folded += [events] if is_routine and len(events) >= FEWEST_FOLDED else [[event] for event in events]
    return folded


def _is_routine(event: Past | Delivered) -> bool:
    """True for a notification that was folded, and for an update of the numbers that succeeded."""
    if isinstance(event, Delivered):
        return event.state == "absorbed"
    return event.action == Action.UPDATE and event.rule == "older-state" and event.outcome is not None


def _histograms(store: Store, delivered: Sequence[Delivered]) -> dict[str, Counter[str]]:
    """By attribute, how often each value occurs in the group's latest stored delivery. None for a body of any other form."""
    delivery = store.lists.delivery(delivered[0].id) if delivered else None
    try:
        is_backtrace = delivery is not None and delivery.source is None
        body = backtrace.decode(delivery.body).value if delivery is not None and is_backtrace else None
    except RejectedDelivery:
        return {}
    attributes = body.get("attributes") if isinstance(body, dict) else None
    histograms = {}
    for name, values in sorted(attributes.items()) if isinstance(attributes, dict) else ():
        counts: Counter[str] = Counter()
        for pair in values if isinstance(values, list) else []:
            match pair:
                case [value, int(count)] if isinstance(value, str | int | float) and count > 0:
                    counts[str(value)] += count
        if counts:
            histograms[str(name)] = counts
    return histograms
