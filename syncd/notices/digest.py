"""The daily digest: read from the store, written down as facts, and shown as a notice."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

from syncd.config import Config
from syncd.core import digest as core
from syncd.core.digest import Entry
from syncd.core.notices import Event
from syncd.core.quantities import counted
from syncd.model import Facts, GroupKind
from syncd.operate.status import status
from syncd.render.notices import Notice, issue_of, text_of
from syncd.render.text import Block, Heading, Link, Paragraph, Table, Value, one_line, utc
from syncd.store import Store, notices
from syncd.worker.presentation import Presentation

LONGEST_TITLE, LONGEST_DETAIL = 160, 160
MOST_NEEDS = 8
_HEADINGS = {
    "new": "New",
    "came_back": "Came back",
    "growing": "Growing",
    "worst": "Most users",
    "closed": "Closed, and still crashing",
}


def facts(config: Config, store: Store, presentation: Presentation, channel: str, since: float, now: float) -> Facts:
    """What happened since a time in the routes of a channel, redacted. Raises StoreUnavailable."""
    routes = [route for route, names in config.listeners.items() if channel in names]
    views, returns = store.read(partial(notices.active_groups, routes=routes, since=since))
    crashes = {number: view for number, view in views.items() if view.group.kind is GroupKind.CRASH}
    composed = core.digest(crashes, returns, since, now)
    sections = []
    for name in _HEADINGS:
        section: core.Section = getattr(composed, name)
        rows = [_row(presentation, name, entry) for entry in section.entries]
        sections.append({"name": name, "total": section.total, "rows": rows})
    shape = status(config, store, now)
    needs = [one_line(need["what"], 300) for need in shape["needs"] if need["alarm"]]
    schedule = config.channels[channel].schedule
    return {
        "day": day(now, UTC if schedule is None else schedule.zone),
        "since": since,
        "now": now,
        "active": composed.active,
        "sections": json.dumps(sections, ensure_ascii=False),
        "needs": json.dumps([presentation.redactor.text(need) for need in needs], ensure_ascii=False),
    }


def day(now: float, zone: tzinfo) -> str:
    """The day by the clocks of a zone, such as `Monday, 30 November`."""
    local = datetime.fromtimestamp(now, zone)
    return f"{local:%A}, {local.day} {local:%B}"


def _row(presentation: Presentation, section: str, entry: Entry) -> dict[str, str]:
    group, issue = entry.view.group, entry.view.issue
    presented = presentation.present(group, None)
    phrases = [counted(entry.users, "user")] if entry.users else []
    phrases.append(f"{entry.added:,} more" if section != "new" else f"{counted(entry.added, 'occurrence')}")
    if section == "growing":
        phrases[-1] += f", after {entry.before:,}"
    if section == "came_back" and entry.release:
        phrases.insert(0, f"in {presentation.redactor.text(entry.release, presented.versions)}")
    if section == "closed" and issue is not None and issue.condition is not None:
        resolution = issue.condition.resolution.replace("_", " ").lower()
        phrases.insert(0, f"closed as {resolution}" if resolution else "closed")
    place = {"key": "", "url": ""} if issue is None else {"key": issue.key or "", "url": issue.url or ""}
    link = issue_of(place)
    return {
        "title": one_line(presented.title(), LONGEST_TITLE),
        "detail": one_line(" · ".join(phrases), LONGEST_DETAIL),
        "fingerprint": presented.group.identity.fingerprint,
        "project": presented.group.identity.project,
        "key": place["key"],
        "url": link.url if isinstance(link, Link) else "",
    }


def notice(facts: Facts, console: str) -> Notice:
    """The digest as a notice."""
    sections: list[dict[str, Any]] = json.loads(str(facts["sections"]))
    needs: list[str] = json.loads(str(facts["needs"]))
    blocks: list[Block] = []
    for section in sections:
        if section["total"]:
            rows = tuple(
                (Value(row["title"]), issue_of(row) or "no issue", Value(row["detail"])) for row in section["rows"]
            )
            blocks.append(Heading(f"{_HEADINGS[section['name']]} ({section['total']:,})"))
            blocks.append(Table(("Crash", "Issue", ""), rows, more=section["total"] - len(rows)))
    if needs:
        blocks.append(Heading(f"Needs a person ({len(needs):,})"))
        rows_of_needs = tuple((text_of(need),) for need in needs[:MOST_NEEDS])
        blocks.append(Table(("",), rows_of_needs, more=len(needs[MOST_NEEDS:])))
    totals = {section["name"]: section["total"] for section in sections}
    headline = ", ".join(_headline(totals, len(needs))) or "nothing new"
    since, active = utc(float(facts["since"])), counted(int(facts["active"]), "crash group")
    blocks.append(Paragraph((f"Since {since}; {active} occurred.",)))
    return Notice(
        event=Event.DIGEST,
        label=str(facts["day"]),
        headline=headline,
        document=tuple(blocks),
        links=[Link("Open syncd", console)] if console else [],
        data={
            "since": facts["since"],
            "until": facts["now"],
            "sections": {
                section["name"]: {"total": section["total"], "groups": section["rows"]} for section in sections
            },
            "needs": needs,
        },
        thread="digest",
    )


def _headline(totals: Mapping[str, int], needs: int) -> Iterator[str]:
    for name, phrase in (
        ("new", "new"),
        ("came_back", "came back"),
        ("growing", "growing"),
        ("closed", "closed but still crashing"),
    ):
        if totals.get(name):
            yield f"{totals[name]:,} {phrase}"
    if needs:
        yield f"{counted(needs, 'thing')} {'needs' if needs == 1 else 'need'} a person"
