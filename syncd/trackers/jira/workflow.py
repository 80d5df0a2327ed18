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

    @property
    def order(self) -> int:
        """The id as a number; the last of all where it is none."""
        return int(self.id) if self.id.isascii() and self.id.isdigit() and len(self.id) < 10 else 10**10


def reopen(connection: Connection, settings: JiraSettings, issue: Issue) -> str:
    """Three requests, or one where it is open."""
    if not look(connection, settings, issue).condition.closed:
        return ""
    ranked = sorted(
        (each for each in _transitions(connection, settings, issue) if each.category != "done"),
        key=lambda each: (
            each.status != settings.reopen_status,
            *(each.category != category for category in _OPEN_CATEGORIES),
            each.order,
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
        (each for each in _transitions(connection, settings, issue) if each.category == "done"),
        key=lambda each: (each.status != settings.close_status, each.order),
    )
    if not ranked:
        return f"the workflow of {issue.key} has no way to done for the account that syncd uses; close it by hand"
    return _apply(connection, settings, issue, ranked[0], "close it by hand, or set close_status")


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


def _apply(connection: Connection, settings: JiraSettings, issue: Issue, transition: _Transition, remedy: str) -> str:
    """Empty after the transition; else Jira's reason why this one issue cannot take it."""
    payload: dict[str, Any] = {"transition": {"id": transition.id}}
    if transition.resolution:
        payload["fields"] = {"resolution": {"name": transition.resolution}}
    answer = connection.send_idempotent("POST", f"{path(issue)}/transitions", payload)
    if answer.ok:
        return ""
    if answer.status == 400:
        reason = message(answer) or " Jira refused it"
        return f"{issue.key} could not be moved to {transition.status}:{reason}; {remedy}"
    raise refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)
