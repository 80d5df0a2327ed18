"""Reopening and closing an issue by a transition of its workflow.

Transitions are each team's own: their ids and names differ by workflow and by present status. The category of the status that a
transition leads to tells what it does.
"""

from typing import Any, NamedTuple

from syncd.config import JiraSettings
from syncd.errors import OutcomeUnknown, Refused, TrackerError, Unavailable
from syncd.model import Issue
from syncd.trackers.jira.answers import message, refuses, rows
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.look import look, path, refusal
from syncd.trackers.transport import Sent

_DONE = ("done", "fixed", "resolved")  # the preferred resolutions where a transition requires one
_ATTEMPTS = 3
_OPEN_CATEGORIES = (
    "new",
    "indeterminate",
)  # to do, in progress; preferred in this order to a status without a category


class _Transition(NamedTuple):
    """A way out of the present status. `fields` are those to send; `asks` are the names of the required fields that syncd cannot fill."""

    id: str
    status: str
    category: str
    fields: dict[str, Any]
    asks: tuple[str, ...]


def move(connection: Connection, settings: JiraSettings, issue: Issue, *, closed: bool) -> str:
    """Close or reopen an issue: three requests, or one where nothing is to do. Empty after the transition; else the reason why this
    one issue cannot take it.

    Looks at the issue before every attempt: a transition whose answer was lost may be done. Takes the next best way after a refusal.
    """
    verb, way, key = ("close", "way to done", "close_status") if closed else ("reopen", "way back", "reopen_status")
    wanted, categories = (settings.close_status, ()) if closed else (settings.reopen_status, _OPEN_CATEGORIES)
    note = f"the workflow of {issue.key} has no {way} for the account that syncd uses; {verb} it by hand"
    refused: set[str] = set()
    failed: TrackerError | None = None
    for _ in range(_ATTEMPTS):
        if look(connection, settings, issue).condition.closed is closed:
            return ""
        ranked = sorted(
            (
                each
                for each in _transitions(connection, settings, issue)
                if (each.category == "done") is closed and each.id not in refused
            ),
            key=lambda each: (
                bool(each.asks),
                each.status != wanted,
                *(each.category != category for category in categories),
                # By the id as a number; last of all where it is none.
                int(each.id) if each.id.isascii() and each.id.isdigit() and len(each.id) < 10 else 10**10,
            ),
        )
        if not ranked:
            return note
        best = ranked[0]
        payload: dict[str, Any] = {"transition": {"id": best.id}}
        if best.fields:
            payload["fields"] = best.fields
        try:
            answer = connection.send_write("POST", f"{path(issue)}/transitions", payload)
        except (OutcomeUnknown, Unavailable) as error:
            failed = error
            continue
        if answer.status == 204 or (answer.ok and isinstance(answer.json, dict)):
            return ""
        failed = refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)
        if isinstance(failed, Refused):
            refused.add(best.id)
            remedy = f"or set transition_fields for {', '.join(best.asks)}" if best.asks else f"or set {key}"
            reason = message(answer) or " Jira refused it"
            note, failed = (
                f"{issue.key} could not be moved to {best.status}:{reason}; {verb} it by hand, {remedy}",
                None,
            )
        elif not isinstance(failed, Unavailable):
            raise failed
    if failed is not None:
        raise Unavailable(failed.reason, getattr(failed, "retry_after", None))
    return note


def _transitions(connection: Connection, settings: JiraSettings, issue: Issue) -> list[_Transition]:
    parameters = {"expand": "transitions.fields"}
    answer = connection.send_idempotent("GET", f"{path(issue)}/transitions", parameters=parameters)
    if refuses(answer):
        error = refusal(connection, settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)
        raise Unavailable(error.reason) if isinstance(error, Refused) else error
    transitions = []
    for row in rows(answer, "transitions"):
        target = row["to"] if isinstance(row.get("to"), dict) else {}
        category = target["statusCategory"] if isinstance(target.get("statusCategory"), dict) else {}
        status = str(target.get("name", "another status"))
        fields = row["fields"] if isinstance(row.get("fields"), dict) else {}
        required = {
            name: field
            for name, field in fields.items()
            if isinstance(field, dict) and field.get("required") and not field.get("hasDefaultValue")
        }
        filled = {name: value for name, value in settings.transition_fields.items() if name in fields}
        if "resolution" in required and "resolution" not in filled:
            allowed = required["resolution"].get("allowedValues")
            names = (
                [str(each.get("name")) for each in allowed if isinstance(each, dict)]
                if isinstance(allowed, list)
                else []
            )
            if names:
                filled["resolution"] = {"name": next((name for name in names if name.casefold() in _DONE), names[0])}
        asks = tuple(name for name in required if name not in filled)
        transitions.append(_Transition(str(row.get("id", "")), status, str(category.get("key", "")), filled, asks))
    return transitions
