"""What a stored notice says: the group as it is now, redacted as for its issue, and the facts of the event."""

import re
from collections.abc import Mapping
from functools import partial

from syncd.config import ChannelSettings, Config
from syncd.core.budget import limits_text
from syncd.core.notices import Event
from syncd.core.quantities import counted
from syncd.model import Announcement, Group, Occasion
from syncd.notices import digest
from syncd.render import notices as render
from syncd.render.notices import Notice, Subject
from syncd.render.text import Link, Value, one_line
from syncd.store import Store, outbox
from syncd.store.notices import Stored, Summed
from syncd.worker.presentation import Presentation, Presented

_OWN = (
    "key",
    "url",
    "tracker",
    "route",
    "rule",
    "answer",
    "cause",
)  # facts that are syncd's own, or the tracker's names


def compose(config: Config, presentation: Presentation, store: Store, stored: Stored) -> Notice:
    """The notice of one event. Raises StoreUnavailable."""
    if stored.event is Event.DIGEST:
        return digest.notice(stored.facts, config.console.url)
    if stored.event is Event.REST or stored.group_id is None:
        return render.rest(_scrubbed(presentation, stored.facts, ()), config.console.url)
    group, _ = store.read(partial(outbox.load, group_id=stored.group_id))
    return of_group(presentation, stored.event, group, stored.facts)


def of_group(presentation: Presentation, event: Event, group: Group, facts: Mapping[str, str | int | float]) -> Notice:
    """The notice of an event of a group."""
    presented = presentation.present(group, str(facts.get("route") or "") or None)
    facts = _scrubbed(presentation, facts, presented.versions)
    subject, issue = _subject(presented), render.issue_of(facts)
    match event:
        case Event.REGRESSION:
            regression = Announcement(id=0, occasion=Occasion.REGRESSION, subject="", facts=facts, marker="")
            return render.came_back(subject, presented.announcement(regression), facts, issue)
        case Event.PARKED:
            return render.stuck(subject, facts, issue)
        case Event.STORM:
            return render.storm(subject, presented.status(), facts, issue)
        case _:
            return render.filed(subject, facts, issue)


def summary(presentation: Presentation, store: Store, summed: Summed, settings: ChannelSettings) -> Notice:
    """One message for many notices. Raises StoreUnavailable."""
    rows: list[tuple[str, Link | Value | None, str]] = []
    for stored in summed.notices:
        if stored.group_id is None:
            rows.append((one_line(f"tracker {stored.facts.get('tracker')}", 100), None, ""))
            continue
        group, _ = store.read(partial(outbox.load, group_id=stored.group_id))
        presented = presentation.present(group, str(stored.facts.get("route") or "") or None)
        users = counted(group.users, "user") if group.users else ""
        rows.append((presented.title(), render.issue_of(stored.facts), users))
    return render.summed(summed.counts, rows, limits_text([settings.max]))


def _subject(presented: Presented) -> Subject:
    group = presented.group
    identity = group.identity
    title = presented.title()
    data = {
        "universe": identity.universe,
        "project": identity.project,
        "fingerprint": identity.fingerprint,
        "title": title,
        "application": group.application,
        "occurrences": group.occurrences,
        "approximate": group.approximate,
        "users": group.users,
        "hosts": group.hosts,
        "first_seen": group.first_seen,
        "last_seen": group.last_seen,
        "releases": [row.release for row in group.releases],
    }
    thread = re.sub(r"[^0-9A-Za-z]", "", identity.fingerprint)[:40]
    return Subject(
        title=title,
        summary=presented.summary(),
        frames=group.callstack,
        links=presented.links(),
        data=data,
        thread=f"group-{thread}" if thread else "",
    )


def _scrubbed(
    presentation: Presentation, facts: Mapping[str, str | int | float], versions: tuple[str, ...] | object
) -> dict[str, str | int | float]:
    """The facts with each text scrubbed that a crash or a tracker may have written."""
    spared = versions if isinstance(versions, tuple) else ()
    scrub = presentation.redactor.text
    return {
        name: scrub(fact, spared) if isinstance(fact, str) and name not in _OWN else fact
        for name, fact in facts.items()
    }
