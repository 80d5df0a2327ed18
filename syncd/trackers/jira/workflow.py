"""Reopening and closing an issue by a transition of its workflow.

Transitions are each team's own: their ids and names differ by workflow and by present status. The category of the status that a
transition leads to tells what it does.
"""

from typing import Any, NamedTuple

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


class _Transition(NamedTuple):
    """A way out of the present status. `resolution` is the one to send, empty where none is required."""

    id: str
    status: str
    category: str
    resolution: str


def move(connection: Connection, settings: JiraSettings, issue: Issue, *, closed: bool) -> str:
    """Close or reopen an issue: three requests, or one where nothing is to do. Empty after the transition; else the reason why this
    one issue cannot take it."""
    if look(connection, settings, issue).condition.closed is closed:
        return ""
    verb, way, key = ("close", "way to done", "close_status") if closed else ("reopen", "way back", "reopen_status")
    wanted, categories = (settings.close_status, ()) if closed else (settings.reopen_status, _OPEN_CATEGORIES)
    ranked = sorted(
        (each for each in _transitions(connection, settings, issue) if (each.category == "done") is closed),
        key=lambda each: (
            each.status != wanted,
            *(each.category != category for category in categories),
            # By the id as a number; last of all where it is none.
            int(each.id) if each.id.isascii() and each.id.isdigit() and len(each.id) < 10 else 10**10,
        ),
    )
    if not ranked:
        return f"the workflow of {issue.key} has no {way} for the account that syncd uses; {verb} it by hand"
    payload: dict[str, Any] = {"transition": {"id": ranked[0].id}}
    if ranked[0].resolution:
        payload["fields"] = {"resolution": {"name": ranked[0].resolution}}
    answer = connection.send_idempotent("POST", f"{path(issue)}/transitions", payload)
    if answer.ok:
        return ""
    if answer.status == 400:
        reason = message(answer) or " Jira refused it"
        return f"{issue.key} could not be moved to {ranked[0].status}:{reason}; {verb} it by hand, or set {key}"
    raise refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)


def _transitions(connection: Connection, settings: JiraSettings, issue: Issue) -> list[_Transition]:
    parameters = {"expand": "transitions.fields"}
    answer = connection.send_idempotent("GET", f"{path(issue)}/transitions", parameters=parameters)
    if answer.status in (403, 404):
        raise refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)
    transitions = []
    for row in rows(answer, "transitions"):
        target = row["to"] if isinstance(row.get("to"), dict) else {}
        category = target["statusCategory"] if isinstance(target.get("statusCategory"), dict) else {}
        status = str(target.get("name", "another status"))
        field = row["fields"].get("resolution") if isinstance(row.get("fields"), dict) else None
        resolution = ""
        if isinstance(field, dict) and field.get("required") and not field.get("hasDefaultValue"):
            allowed = field["allowedValues"] if isinstance(field.get("allowedValues"), list) else []
            names = [str(each.get("name")) for each in allowed if isinstance(each, dict)]
            resolution = next((name for name in names if name.casefold() in _DONE), names[0] if names else "")
        transitions.append(_Transition(str(row.get("id", "")), status, str(category.get("key", "")), resolution))
    return transitions
