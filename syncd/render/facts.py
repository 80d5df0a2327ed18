"""What templates may say of a group, by name. Pure."""

from collections.abc import Mapping

from syncd.core import frames
from syncd.core.releases import ordered
from syncd.model import Announcement, Group
from syncd.render.report import ReportExtras
from syncd.render.text import utc


def facts(group: Group, extras: ReportExtras, owed: Announcement | None = None) -> dict[str, object]:
    """The names that docs/templates.md lists. Values are texts, numbers, lists of these, and mappings."""
    known = {entry.release: entry for entry in group.releases}
    said: dict[str, object] = {
        "universe": group.identity.universe,
        "project": group.identity.project,
        "fingerprint": group.identity.fingerprint,
        "application": group.application or "",
        "classifiers": list(group.classifiers),
        "frames": list(group.callstack),
        "top_frame": frames.meaningful(group.callstack) or "",
        "occurrences": group.occurrences,
        "users": group.users or 0,
        "machines": group.hosts or 0,
        "first_seen": utc(group.first_seen),
        "last_seen": utc(group.last_seen),
        "attributes": {name: ", ".join(values) for name, values in group.attributes},
        "releases": [_release(known[name].occurrences, name) for name in ordered(known)],
        "aliases": list(group.aliases),
        "url": group.group_url or "",
        "previous": "" if extras.previous is None else extras.previous.key,
        "note": extras.note,
    }
    occasion: Mapping[str, object] = {} if owed is None else {"occasion": owed.occasion.value, **owed.facts}
    return said | {"said": dict(occasion)}


def _release(occurrences: int, name: str) -> dict[str, object]:
    return {"release": name, "occurrences": occurrences}
