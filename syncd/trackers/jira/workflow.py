"""Reopening and closing an issue by a transition of its workflow.

Transitions are each team's own: their ids and names differ by workflow and by present status. The category of the status that a
transition leads to tells what it does.
"""

from typing import Any

from syncd.config import JiraSettings
from syncd.model import Issue
from syncd.trackers.jira.answers import message, rows
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.look import look, path, refusal
from syncd.trackers.transport import Sent

_DONE = ("done", "fixed", "resolved")  # the preferred resolutions where a transition requires one
_OPEN_CATEGORIES = (
    "new",
    "indeterminate",
)  # to do, in progress; preferred in this order to a status without a category


def reopen(connection: Connection, settings: JiraSettings, issue: Issue) -> str:
    """Three requests, or one where it is open."""
    if not look(connection, settings, issue).condition.closed:
        return ""
    ranked = sorted(
        (each for each in _transitions(connection, settings, issue) if _category(each) != "done"),
        key=lambda each: (
            _status(each) != settings.reopen_status,
            *(_category(each) != category for category in _OPEN_CATEGORIES),
            _number(each),
        ),
    )
    if not ranked:
        return f"the workflow of {issue.key} has no way back for the account that syncd uses; reopen it by hand"
    return _apply(connection, settings, issue, ranked[0], "reopen it by hand, or set reopen_status")


def close_issue(connection: Connection, settings: JiraSettings, issue: Issue) -> str:
    """Three requests, or one where it is closed."""
    if look(connection, settings, issue).condition.closed:
        return ""
    ranked = sorted(
        (each for each in _transitions(connection, settings, issue) if _category(each) == "done"),
        key=lambda each: (_status(each) != settings.close_status, _number(each)),
    )
    if not ranked:
        return f"the workflow of {issue.key} has no way to done for the account that syncd uses; close it by hand"
    return _apply(connection, settings, issue, ranked[0], "close it by hand, or set close_status")


def _transitions(connection: Connection, settings: JiraSettings, issue: Issue) -> list[dict[str, Any]]:
    parameters = {"expand": "transitions.fields"}
    answer = connection.send_idempotent("GET", f"{path(issue)}/transitions", parameters=parameters)
    if answer.status in (403, 404):
        raise refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)
    return rows(answer, "transitions")


def _apply(
    connection: Connection, settings: JiraSettings, issue: Issue, transition: dict[str, Any], remedy: str
) -> str:
    """Empty after the transition; else Jira's reason why this one issue cannot take it."""
    payload: dict[str, Any] = {"transition": {"id": str(transition.get("id"))}}
    if resolution := _required_resolution(transition):
        payload["fields"] = {"resolution": {"name": resolution}}
    answer = connection.send_idempotent("POST", f"{path(issue)}/transitions", payload)
    if answer.ok:
        return ""
    if answer.status == 400:
        reason = message(answer) or " Jira refused it"
        return f"{issue.key} could not be moved to {_status(transition)}:{reason}; {remedy}"
    raise refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)


def _required_resolution(transition: dict[str, Any]) -> str:
    """The resolution for a transition whose screen requires one, preferably one that means done; empty where it does not."""
    screen = transition.get("fields")
    field = screen.get("resolution") if isinstance(screen, dict) else None
    if not isinstance(field, dict) or not field.get("required") or field.get("hasDefaultValue"):
        return ""
    allowed = field.get("allowedValues")
    names = [str(each.get("name")) for each in allowed if isinstance(each, dict)] if isinstance(allowed, list) else []
    return next((name for name in names if name.casefold() in _DONE), names[0] if names else "")


def _target(transition: dict[str, Any]) -> dict[str, Any]:
    target = transition.get("to")
    return target if isinstance(target, dict) else {}


def _status(transition: dict[str, Any]) -> str:
    return str(_target(transition).get("name", "another status"))


def _category(transition: dict[str, Any]) -> str:
    category = _target(transition).get("statusCategory")
    return str(category.get("key")) if isinstance(category, dict) else ""


def _number(transition: dict[str, Any]) -> int:
    text = str(transition.get("id", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 10**10
