"""The first page: what a person has to do, and then what a lead asks in the morning."""

from syncd.console.lists import row
from syncd.console.page import NotFound, Page, PageRequest, link
from syncd.operate import shapes, today
from syncd.operate.status import status

MOST_PROJECTS = 8  # of which the newest release is displayed


def home(request: PageRequest) -> Page:
    """What needs a person, and which crashes are new, came back, grow, go on after their closing, hit most users, or are nobody's."""
    store, now = request.store, request.now
    projects = store.report.projects()
    project = request.get("project")
    if project is not None and project not in projects:
        raise NotFound(f"no group has the project {project!r}")
    chosen = projects[:MOST_PROJECTS] if project is None else [project]
    newest = today.newest_releases(store, chosen)
    period = request.get("since") or "24h"
    since = _since(period, newest, len(chosen) == 1, now)
    sections = today.sections(request.config, store, project, max(1, round(now - since)), now)
    state = status(request.config, store, now)
    shape = {
        "well": state["well"],
        "sentence": state["sentence"],
        "needs": state["needs"],
        "project": project,
        "since": since,
        "releases": [
            {"project": each.project, "release": each.release, "noticed_at": each.noticed_at} for each in newest
        ],
        "sections": [
            {
                "name": section.name,
                "groups_in_all": section.count,
                "at_least": section.at_least,
                "groups": [shapes.group(listed.standing) for listed in section.groups],
            }
            for section in sections
        ],
    }
    facts = {
        "projects": projects,
        "newest": newest,
        "periods": today.PERIODS,
        "period": period,
        "since": since,
        "sections": [
            (section, link("/groups", **section.query), [row(listed, now) for listed in section.groups])
            for section in sections
        ],
    }
    return Page("today.html", "Today", shape, facts)


def _since(period: str, newest: list[today.Newest], is_one: bool, now: float) -> float:
    """The time at which a period began. Raises NotFound."""
    if period in today.PERIODS:
        unit = {"h": 3600, "d": 86400}[period[-1]]
        return now - int(period[:-1]) * unit
    if period != today.RELEASE:
        raise NotFound(f"there is no period {period!r}; there are {', '.join([*today.PERIODS, today.RELEASE])}")
    if not is_one or not newest:
        raise NotFound("since=release needs a project that has a release; choose one by project=NAME")
    return min(newest[0].noticed_at, now)
