"""The pages about releases: the matrix of groups by release, and what one release brought."""

from collections.abc import Sequence

from syncd.console.page import PAGE, Asked, NotThere, Page, key_of, text_of
from syncd.core import overview
from syncd.core.fold import OTHERS
from syncd.core.releases import ordered
from syncd.model import GroupView
from syncd.operate import shapes
from syncd.store.listing import Sort, Wanted

RELEASES_SHOWN = 12


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
    after = key_of(asked.get("after"))
    listing = store.lists.groups(Wanted(project=project), Sort.USERS, after, PAGE)
    returned = {(one.fingerprint, one.release) for one in store.report.returns(project)}
    shown = order[:RELEASES_SHOWN]
    rows = [(one, [_cell(one.standing, release, order, returned) for release in shown]) for one in listing.groups]
    following = text_of(listing.next)
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


def _cell(standing: GroupView, release: str, order: Sequence[str], returned: set[tuple[str, str]]) -> Cell:
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
    found = overview.overview([one.standing for one in listed], store.report.returns(project), release)
    # Judged by those that were read, which may not have seen all older releases.
    shape = {"project": project} | shapes.overview(found) | {"before": before}
    facts = {"project": project, "release": release, "before": before, "found": found}
    return Page("release.html", f"{project} {release}", shape, facts)
