"""What needs a person, out of what a status says; and whether all is well, in one sentence. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.core.quantities import counted, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionItem:
    """One thing a person should look at: what, the command that shows it, and the console's page. `calm`: it is known or passes by
    itself, and is no alarm."""

    what: str
    command: str = ""
    page: str = ""
    calm: bool = False


# Where in a status it is counted, what it is, and where to look.
_COUNTED = (
    (("dead",), "dead letters: refused by a tracker for good", "dead list", "/dead"),
    (("issues", "parked"), "parked: a person must decide", "dead list", "/dead"),
    (
        ("issues", "in_doubt"),
        "in doubt: a create was sent and its answer was lost; it is being looked for",
        "",
        "/groups?state=doubt",
    ),
    (("issues", "doubles"), "with more than one live issue", "groups --json", "/groups"),
    (("quarantined",), "in quarantine", "quarantine list", "/quarantine"),
)


def counts(status: Mapping[str, Any]) -> list[AttentionItem]:
    """What the numbers of a status say."""
    found = []
    for path, words, command, page in _COUNTED:
        count: Any = status
        for part in path:
            count = count[part]
        if count:
            said = f"{count:,} {words}" if count > 1 else f"1 {words.replace('letters', 'letter')}"
            found.append(AttentionItem(what=said, command=command, page=page, calm=path[-1] == "in_doubt"))
    return found


def silent(status: Mapping[str, Any]) -> list[AttentionItem]:
    """Processes that do not show that they live, trackers that are not called, routes that are paused or in a storm."""
    found = [
        AttentionItem(what=f"tracker {name} is {tracker['state']}: {tracker['reason'] or 'no reason given'}", page="/trackers",
             calm=tracker["cause"] in ("operator", "throttled"))
        for name, tracker in status["trackers"].items()
        if tracker["state"] != "ok"
    ]  # fmt: skip
    found += [
        AttentionItem(what=f"route {one['route']} is paused: {one['reason']}", page="/trackers", calm=True)
        for one in status.get("paused_routes", [])
    ]
    found += [
        AttentionItem(what=f"route {one['route']} is in a storm and holds {counted(one['held'], 'group')} back",
             page="/groups?state=held&sort=users", calm=True)
        for one in status.get("storms", [])
    ]  # fmt: skip
    found += [
        AttentionItem(what=f"{one['instance']} ({one['part']}) does not show that it lives", page="/trackers")
        for one in status.get("instances", [])
        if one["silent"]
    ]
    return found


def sentence(needs: Sequence[AttentionItem], fault: str | None) -> tuple[bool, str]:
    """Whether all is well, and in one sentence how it is."""
    if fault is not None:
        return False, f"Notifications cannot be stored: {fault}"
    alarms = [need for need in needs if not need.calm]
    if alarms:
        return False, f"{counted(len(alarms), 'thing')} {'needs' if len(alarms) == 1 else 'need'} a person."
    if needs:
        return True, f"All is well; {listed([need.what.split(':')[0] for need in needs], 2)}."
    return True, "All is well."
