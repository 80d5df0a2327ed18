"""The pages about releases: groups by release, and what one release brought."""

from collections.abc import Sequence

from syncd.console.page import PAGE, NotFound, Page, PageRequest, key_of, text_of
from syncd.core import overview
from syncd.core.fold import OTHER_RELEASES
from syncd.core.releases import ordered
from syncd.model import GroupView
from syncd.operate import shapes
from syncd.store.filters import Sort, Wanted

COLUMNS = 12  # releases in the matrix

Cell = tuple[int, str]


def releases(request: PageRequest) -> Page:
    """A project's groups by release; without a project all projects; with a release, what it brought."""
    store = request.store
    project, release = request.get("project"), request.get("release")
    projects = store.report.projects()
    if project is None and len(projects) == 1:
        project = projects[0]
    if project is None:
        return Page("projects.html", "Releases", {"projects": projects}, {"projects": projects})
    if project not in projects:
        raise NotFound(f"no group has the project {project!r}")
    ledgers = {ledger.release: ledger for ledger in store.lists.releases(project) if ledger.release != OTHER_RELEASES}
    order = ordered(ledgers)
    if release is not None:
        return _release(request, project, release, order)
    listing = store.lists.groups(Wanted(project=project), Sort.USERS, key_of(request.get("after")), PAGE)
    returned = {(each.fingerprint, each.release) for each in store.report.returns(project)}
    columns = order[:COLUMNS]
    rows = [
        (listed, {name: cell for name in columns if (cell := _cell(listed.standing, name, order, returned))})
        for listed in listing.groups
    ]
    following = text_of(listing.next)
    keys = ("groups", "occurrences", "first_seen", "last_seen")
    shape = {
        "project": project,
        "releases": [{"release": name} | {key: getattr(ledgers[name], key) for key in keys} for name in order],
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
        "ledgers": ledgers,
        "rows": rows,
        "following": following,
    }
    return Page("releases.html", f"Releases of {project}", shape, facts)


def _cell(standing: GroupView, release: str, order: Sequence[str], returned: set[tuple[str, str]]) -> Cell | None:
    """A group's occurrences in a release, and whether it is new in it, returned in it, or gone since the release before."""
    counts = {entry.release: entry.occurrences for entry in standing.group.releases if entry.release != OTHER_RELEASES}
    count, at = counts.get(release, 0), order.index(release)
    if not count:
        before = order[at + 1] if at + 1 < len(order) else None
        later = any(counts.get(each) for each in order[:at])
        return (0, "gone") if before is not None and counts.get(before) and not later else None
    if (standing.group.identity.fingerprint, release) in returned:
        return count, "regressed"
    oldest = [each for each in order if counts.get(each)][-1]
    return count, "new" if oldest == release else "still"


def _release(request: PageRequest, project: str, release: str, order: Sequence[str]) -> Page:
    store = request.store
    if not any(overview.same(release, each) for each in order):
        raise NotFound(f"no group of {project} was seen in {release!r}")
    before = overview.previous(order, release)
    spellings = [
        each for each in order if overview.same(each, release) or (before is not None and overview.same(each, before))
    ]
    groups = [listed.standing for listed in store.lists.seen_in(project, spellings)]
    view = overview.overview(groups, store.report.returns(project), release)
    # The groups that were read may not have seen all older releases, so `before` comes from all releases of the project.
    shape = {"project": project} | shapes.overview(view) | {"before": before}
    facts = {"project": project, "release": release, "before": before, "view": view}
    return Page("release.html", f"{project} {release}", shape, facts)
