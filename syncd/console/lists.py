"""The list of groups: its filters, its tabs with their counts, and its rows."""

from urllib.parse import urlencode

from syncd.console.bulk import choice_of
from syncd.console.page import PAGE, NotFound, Page, PageRequest, key_of, link, text_of
from syncd.core import overview
from syncd.core.quantities import DAY
from syncd.operate import search, shapes
from syncd.store.filters import TABS, Sort, State, Wanted
from syncd.store.listing import LOOKED, Listed, Tally

DAYS = 14
SORTS = (
    (Sort.LAST_SEEN, "last seen"), (Sort.FIRST_SEEN, "first seen"), (Sort.OCCURRENCES, "occurrences"), (Sort.USERS, "users"),
    (Sort.LAST_DAY, "last 24 hours"), (Sort.GROWTH, "growth"),
)  # fmt: skip


def wanted(request: PageRequest, **changes: str | None) -> Wanted:
    """The filter in the address, with `changes` of it. Raises NotFound."""
    try:
        return search.wanted(request.config, dict(request.query) | changes, request.now)
    except search.BadFilter as error:
        raise NotFound(str(error)) from None


def sort(request: PageRequest) -> Sort:
    """The order in the address. Raises NotFound."""
    try:
        return search.choice(Sort, request.get("sort")) or Sort.LAST_SEEN
    except search.BadFilter as error:
        raise NotFound(str(error)) from None


def groups(request: PageRequest) -> Page:
    """A list of groups, filtered and sorted."""
    store, now, order = request.store, request.now, sort(request)
    filters = wanted(request)
    listing = search.page(store, filters, order, key_of(request.get("after")), PAGE, now)
    tally = search.tally(store, wanted(request, state=None), now)
    following = text_of(listing.next)
    keep = {name: request.get(name) for name in (*search.FILTERS, "text")}
    rows = [row(listed, now) for listed in listing.groups]
    shape = {
        "groups": [
            {"id": listed.id} | shapes.group(listed.standing) | {"last_day": last_day, "days": list(days)}
            for listed, last_day, days in rows
        ],
        "next": following,
        "total": tally.everything,
        "tabs": {str(tab): count for tab, count in tally.tabs.items()},
        "at_least": tally.lower,
    }
    facts = {
        "rows": rows,
        "wanted": filters,
        "sort": order,
        "sorts": SORTS,
        "following": following,
        "cut": listing.cut,
        "looked": LOOKED,
        "projects": store.report.projects(),
        "releases": _releases(request, filters),
        "states": list(State),
        "tabs": _tabs(tally),
        "keep": keep,
        # Filters without a control of their own.
        "chips": [name for name in ("application", "since", "first", "returned") if keep[name]],
        "views": request.config.console.views,
        "here": urlencode({name: value for name, value in request.query.items() if name not in ("flash", "live")}),
        "choice_of": choice_of,
        "numbers": ",".join(map(choice_of, listing.groups)),
        "back": link("/groups", **keep, sort=request.get("sort"), after=request.get("after")),
    }
    return Page("groups.html", "Groups", shape, facts)


def row(listed: Listed, now: float) -> tuple[Listed, int, tuple[int | None, ...]]:
    """A group, its occurrences in the last 24 hours, and those of the last DAYS days."""
    group = listed.standing.group
    last_day = overview.added(group.trail, group.first_seen, now - DAY)
    return listed, last_day, overview.last_days(group, now, DAYS)


def _tabs(tally: Tally) -> list[tuple[str, str, str]]:
    """Each tab as (state, heading, count)."""
    plus = "+" if tally.lower else ""
    tabs = [("", "All", f"{tally.everything:,}{plus}")]
    for tab in TABS:
        more = plus or ("+" if tally.lower_muted and tab is State.MUTED else "")
        tabs.append((str(tab), str(tab).capitalize(), f"{tally.tabs[tab]:,}{more}"))
    return tabs


def _releases(request: PageRequest, filters: Wanted) -> list[str]:
    """The releases of the project, the latest first, to choose from."""
    if filters.project is None:
        return []
    noticed = request.store.report.noticed(filters.project)
    return sorted(noticed, key=lambda release: (-noticed[release], release))[:100]
