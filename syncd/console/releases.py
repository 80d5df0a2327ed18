"""The pages about releases: groups by release, and what one release brought."""

from collections.abc import Container, Sequence
from dataclasses import replace

from syncd.console.page import PAGE, NotFound, Page, PageRequest, key_of, text_of
from syncd.core import matrix, overview
from syncd.core.fold import OTHER_RELEASES
from syncd.core.releases import Order, compare, ordered
from syncd.model import GroupView
from syncd.operate import shapes
from syncd.store import Store
from syncd.store.filters import Sort, Wanted
from syncd.store.listing import Ledger

COLUMNS = 12  # releases in the matrix
LINES = 40  # releases in the list
PROJECTS = 100  # with numbers

Cell = tuple[int, str]


def releases(request: PageRequest) -> Page:
    """A project's groups by release; without a project all projects; with a release, what it brought."""
    store = request.store
    project, release = request.get("project"), request.get("release")
    projects = store.report.projects()
    if project is None and len(projects) == 1:
        project = projects[0]
    if project is None:
        return _projects(store, projects)
    if project not in projects:
        raise NotFound(f"no group has the project {project!r}")
    ledgers = {ledger.release: ledger for ledger in store.lists.releases(project) if ledger.release != OTHER_RELEASES}
    order = ordered(ledgers)
    if release is not None:
        return _release(request, project, release, order, list(ledgers.values()))
    listing = store.lists.groups(Wanted(project=project), Sort.USERS, key_of(request.get("after")), PAGE)
    returned = {(each.fingerprint, each.release) for each in store.report.returns(project)}
    columns, lines = order[:COLUMNS], order[:LINES]
    changes = matrix.changes(store.lists.histories(project), order, lines)
    back = {name: len({each for each, there in returned if overview.same(there, name)}) for name in lines}
    early = {
        name
        for name in lines
        if changes[name].before is not None
        and matrix.is_early(name, changes[name].before, ledgers.values(), request.now)
    }
    rows = [
        (listed, {name: cell for name in columns if (cell := _cell(listed.standing, name, order, returned, early))})
        for listed in listing.groups
    ]
    following = text_of(listing.next)
    unknown = ("new", "regressed", "gone", "too_early")  # of the oldest ones
    numbers: dict[str, dict[str, int | bool | None]] = {
        name: {
            "new": changes[name].new,
            "regressed": back[name],
            "gone": None if name in early else changes[name].gone,
            "too_early": name in early,
        }
        for name in lines
    }
    keys = ("groups", "occurrences", "first_seen", "last_seen")
    shape = {
        "project": project,
        "releases": [
            {"release": name}
            | {key: getattr(ledgers[name], key) for key in keys}
            | numbers.get(name, dict.fromkeys(unknown))
            for name in order
        ],
        "groups": [
            {
                "id": listed.id,
                "fingerprint": listed.standing.group.identity.fingerprint,
                "releases": {name: {"occurrences": count, "is": state} for name, (count, state) in cells.items()},
            }
            for listed, cells in rows
        ],
        "next": following,
    }
    facts = {
        "project": project,
        "projects": projects,
        "order": order,
        "columns": columns,
        "lines": lines,
        "changes": changes,
        "back": back,
        "early": early,
        "ledgers": ledgers,
        "rows": rows,
        "following": following,
    }
    return Page("releases.html", f"Releases of {project}", shape, facts)


def _projects(store: Store, projects: Sequence[str]) -> Page:
    """All projects, each with its newest release."""
    latest = {}
    for project in projects[:PROJECTS]:
        ledgers = {each.release: each for each in store.lists.releases(project) if each.release != OTHER_RELEASES}
        names = ordered(ledgers)
        latest[project] = (len(names), ledgers[names[0]] if names else None)
    shape = {
        "projects": list(projects),
        "newest": {project: None if row is None else row.release for project, (_, row) in latest.items()},
    }
    return Page("projects.html", "Releases", shape, {"projects": projects, "latest": latest})


def _cell(
    standing: GroupView, release: str, order: Sequence[str], returned: set[tuple[str, str]], early: Container[str]
) -> Cell | None:
    """A group's occurrences in a release, and whether it is new in it, returned in it, or gone since the release before, unless that is too
    early to say."""
    counts = {entry.release: entry.occurrences for entry in standing.group.releases if entry.release != OTHER_RELEASES}
    count, at = counts.get(release, 0), order.index(release)
    if not count:
        before = order[at + 1] if at + 1 < len(order) else None
        later = any(counts.get(each) for each in order[:at])
        absence = "early" if release in early else "gone"
        return (0, absence) if before is not None and counts.get(before) and not later else None
    if (standing.group.identity.fingerprint, release) in returned:
        return count, "regressed"
    oldest = [each for each in order if counts.get(each)][-1]
    return count, "new" if oldest == release else "still"


def _release(request: PageRequest, project: str, release: str, order: Sequence[str], ledgers: Sequence[Ledger]) -> Page:
    """What one release brought."""
    store = request.store
    if not any(overview.same(release, each) for each in order):
        raise NotFound(f"no group of {project} was seen in {release!r}")
    before = overview.previous(order, release)
    spellings = [
        each for each in order if overview.same(each, release) or (before is not None and overview.same(each, before))
    ]
    groups = [listed.standing for listed in store.lists.seen_in(project, spellings)]
    # The groups that were read may not have seen all older releases, so `before` comes from all releases of the project.
    view = replace(overview.overview(groups, store.report.returns(project), release), before=before)
    view = matrix.cautious(view, ledgers, request.now)
    own = [each for each in ledgers if overview.same(each.release, release)]
    shape = {"project": project} | shapes.overview(view)
    facts = {
        "project": project,
        "release": release,
        "before": before,
        "after": next((each for each in reversed(order) if compare(each, release) is Order.NEWER), None),
        "view": view,
        "since": min((each.first_seen for each in own if each.first_seen is not None), default=None),
        "occurrences": sum(each.occurrences for each in own),
    }
    return Page("release.html", f"{project} {release}", shape, facts)
