"""What a lead asks in the morning, about all projects or one, since some time or since the newest release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.config import Config
from syncd.core import overview
from syncd.core.quantities import DAY
from syncd.core.releases import newest
from syncd.operate import search
from syncd.store import Store
from syncd.store.filters import UNASSIGNED, Sort, State, Wanted
from syncd.store.listing import Listed

FIRST = 5  # groups of a section
PERIODS = {"24h": "the last 24 hours", "3d": "the last 3 days", "7d": "the last 7 days"}
RELEASE = "release"  # the period since the newest release of a project

# By name, the filters of its list, in which an empty text is the period.
SECTIONS: Mapping[str, Mapping[str, str]] = {
    "new": {"first": "", "sort": Sort.USERS},
    "came back": {"returned": "", "sort": Sort.USERS},
    "growing": {"sort": Sort.GROWTH},
    "closed, and still crashing": {"state": State.CRASHING, "since": "", "sort": Sort.USERS},
    "worst by users": {"since": "", "sort": Sort.USERS},
    "unassigned": {"state": State.OPEN, "owner": UNASSIGNED, "since": "", "sort": Sort.USERS},
}


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest release of a project, and when syncd first received its name."""

    project: str
    release: str
    noticed_at: float


@dataclass(frozen=True, slots=True)
class Section:
    """One question: the number of groups that answer it, the FIRST of them, and the filters and order of the list that has them all.
    `at_least`: only the groups seen last were examined, and there are more."""

    name: str
    query: Mapping[str, str]
    count: int
    at_least: bool
    groups: Sequence[Listed]


def newest_releases(store: Store, projects: Sequence[str]) -> list[Newest]:
    """The newest release of each project that has one. Of several that are not comparable, the one that was reported last."""
    result = []
    for project in projects:
        noticed = store.report.noticed(project)
        if release := max(newest(noticed), key=lambda name: (noticed[name], name), default=None):
            result.append(Newest(project, release, noticed[release]))
    return result


def sections(config: Config, store: Store, project: str | None, seconds: int, now: float) -> list[Section]:
    """All sections, of the last so many seconds."""
    result = []
    for name, filters in SECTIONS.items():
        query = {"project": project or ""} | {key: value or f"{seconds}s" for key, value in filters.items()}
        wanted = search.wanted(config, query, now)
        if query["sort"] == Sort.GROWTH:
            result.append(_growing(store, name, query, wanted, now))
            continue
        listing = search.page(store, wanted, Sort(query["sort"]), None, FIRST, now)
        count, at_least = store.lists.count(wanted)
        result.append(Section(name, query, count, at_least, listing.groups))
    return result


def _growing(store: Store, name: str, query: Mapping[str, str], wanted: Wanted, now: float) -> Section:
    """Groups that are older than a day, and of which syncd received more occurrences in the last 24 hours than in the 24 hours before."""
    trails, is_cut = store.lists.trails(wanted)
    growing = [
        (growth, trail.id)
        for trail in trails
        if trail.first_seen is not None and trail.first_seen < now - DAY
        if (growth := overview.acceleration(trail.points, trail.first_seen, now)) > 0
    ]
    growing.sort(reverse=True)
    groups = store.lists.of_numbers([number for _, number in growing[:FIRST]])
    return Section(name, query, len(growing), is_cut, groups)
