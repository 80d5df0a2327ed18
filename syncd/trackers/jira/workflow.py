"""Opening and closing an issue, by the way its workflow has for that.

Transitions are each team's own: their ids and names differ by workflow and by the present status. What they lead to is told by
the category of the target status.
"""

from collections.abc import Iterator
from typing import Any

from syncd.config import JiraSettings
from syncd.model import Issue
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.jira.answers import rows, words
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.look import look, path, refusal

_DONE = ("done", "fixed", "resolved")  # resolutions that are taken first where one is asked for


def reopen(connection: Connection, settings: JiraSettings, issue: Issue) -> str:
    """Three requests, or one where it is open."""
    if not look(connection, settings, issue).condition.closed:
        return ""
    ways = _ways(connection, settings, issue)
    wanted = settings.reopen_status
    # What is to do comes before what is in progress, and that before what nobody has put into a category.
    ranked = sorted(
        (way for way in ways if _category(way) != "done"),
        key=lambda way: (
            _status(way) != wanted,
            _category(way) != "new",
            _category(way) != "indeterminate",
            _number(way),
        ),
    )
    if not ranked:
        return f"the workflow of {issue.key} has no way back for the account that syncd uses; reopen it by hand"
    return _go(connection, settings, issue, ranked[0], "reopen it by hand, or set reopen_status")


def close_issue(connection: Connection, settings: JiraSettings, issue: Issue) -> str:
    """Three requests, or one where it is closed."""
    if look(connection, settings, issue).condition.closed:
        return ""
    ways = _ways(connection, settings, issue)
    ranked = sorted(
        (way for way in ways if _category(way) == "done"),
        key=lambda way: (_status(way) != settings.close_status, _number(way)),
    )
    if not ranked:
        return f"the workflow of {issue.key} has no way to done for the account that syncd uses; close it by hand"
    return _go(connection, settings, issue, ranked[0], "close it by hand, or set close_status")


def _ways(connection: Connection, settings: JiraSettings, issue: Issue) -> list[dict[str, Any]]:
    place = f"{path(issue)}/transitions"
    answer = connection.again("GET", place, parameters={"expand": "transitions.fields"})
    if answer.status in (403, 404):
        raise refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)
    return rows(answer, "transitions")


def _go(connection: Connection, settings: JiraSettings, issue: Issue, way: dict[str, Any], remedy: str) -> str:
    """Empty where it was done; else Jira's words for why this one issue cannot go that way."""
    payload: dict[str, Any] = {"transition": {"id": str(way.get("id"))}}
    if fields := dict(_required(way)):
        payload["fields"] = fields
    answer = connection.again("POST", f"{path(issue)}/transitions", payload)
    if answer.ok:
        return ""
    if answer.status == 400:
        return _refused(issue, way, answer, remedy)
    raise refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)


def _refused(issue: Issue, way: dict[str, Any], answer: Answer, remedy: str) -> str:
    return f"{issue.key} could not be moved to {_status(way)}:{words(answer) or ' Jira refused it'}; {remedy}"


def _required(way: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """What the way's screen asks for, as far as it goes without saying: that the issue is done."""
    screen = way.get("fields")
    resolution = screen.get("resolution") if isinstance(screen, dict) else None
    if isinstance(resolution, dict) and resolution.get("required") and not resolution.get("hasDefaultValue"):
        offered = resolution.get("allowedValues")
        names = [str(one.get("name")) for one in offered if isinstance(one, dict)] if isinstance(offered, list) else []
        if names:
            yield "resolution", {"name": next(filter(_means_done, names), names[0])}


def _means_done(name: str) -> bool:
    return name.casefold() in _DONE


def _target(way: dict[str, Any]) -> dict[str, Any]:
    target = way.get("to")
    return target if isinstance(target, dict) else {}


def _status(way: dict[str, Any]) -> str:
    return str(_target(way).get("name", "another status"))


def _category(way: dict[str, Any]) -> str:
    category = _target(way).get("statusCategory")
    return str(category.get("key")) if isinstance(category, dict) else ""


def _number(way: dict[str, Any]) -> int:
    text = str(way.get("id", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 10**10
