"""Derives from a status which things need a person, and the sentence that sums it up. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.core.quantities import counted, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionItem:
    """One thing a person should look at, with the command and the console page that show it. It is no `alarm` if somebody wanted it
    or if it passes by itself."""

    what: str
    command: str = ""
    page: str = ""
    alarm: bool = True


# Path in the status, singular, plural, command, page.
_COUNTED = (
    (("dead",), "dead letter: the tracker refused it for good", "dead letters: the tracker refused them for good",
     "dead list", "/dead"),
    (("issues", "parked"), "group is parked: a person must decide", "groups are parked: a person must decide",
     "dead list", "/dead"),
    (("issues", "in_doubt"), "create is in doubt: its answer was lost, and syncd is looking for the issue",
     "creates are in doubt: their answers were lost, and syncd is looking for the issues", "", "/groups?state=doubt"),
    (("issues", "doubles"), "group has more than one live issue", "groups have more than one live issue",
     "groups --json", "/groups"),
    (("quarantined",), "delivery is in quarantine", "deliveries are in quarantine", "quarantine list", "/quarantine"),
)  # fmt: skip


def counts(status: Mapping[str, Any]) -> list[AttentionItem]:
    """Items for the counts of a status (`operate.status`) that are not zero."""
    items = []
    for path, singular, plural, command, page in _COUNTED:
        count: Any = status
        for key in path:
            count = count[key]
        if count:
            what = f"{count:,} {singular if count == 1 else plural}"
            items.append(AttentionItem(what=what, command=command, page=page, alarm=path[-1] != "in_doubt"))
    return items


def interruptions(status: Mapping[str, Any]) -> list[AttentionItem]:
    """Items for trackers that are not called, routes that are paused or in a storm, and processes without a heartbeat."""
    items = [
        AttentionItem(
            what=f"tracker {name} is {tracker['state']}: {tracker['reason'] or 'no reason given'}",
            page="/trackers",
            alarm=tracker["cause"] not in ("operator", "throttled"),
        )
        for name, tracker in status["trackers"].items()
        if tracker["state"] != "ok"
    ]
    for pause in status.get("paused_routes", []):
        what = f"route {pause['route']} is paused: {pause['reason']}"
        items.append(AttentionItem(what=what, page="/trackers", alarm=False))
    for storm in status.get("storms", []):
        what = f"route {storm['route']} is in a storm and holds back {counted(storm['held'], 'group')}"
        items.append(AttentionItem(what=what, page="/groups?state=held&sort=users", alarm=False))
    for process in status.get("instances", []):
        if process["silent"]:
            what = f"{process['instance']} ({process['part']}) sends no heartbeat"
            items.append(AttentionItem(what=what, page="/trackers"))
    return items


def sentence(items: Sequence[AttentionItem], fault: str | None) -> tuple[bool, str]:
    """Return whether all is well, and the sentence for the top of the overview. `fault` is why the store takes nothing."""
    if fault is not None:
        return False, f"Notifications cannot be stored: {fault}"
    alarms = sum(item.alarm for item in items)
    if alarms:
        return False, f"{counted(alarms, 'thing')} {'needs' if alarms == 1 else 'need'} attention."
    if items:
        return True, f"All is well; {listed([item.what.split(':')[0] for item in items], 2)}."
    return True, "All is well."
