"""What a linked issue has now of the properties that rules raise, who changed them, and the edit that raises them."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from syncd.config import JiraSettings
from syncd.model import Issue, PresentSettings, Settings
from syncd.trackers.jira.answers import expect, refuses, rows
from syncd.trackers.jira.check import account
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.look import Snapshot, absence, path
from syncd.trackers.transport import Parameters

_FIELDS = ("priority", "assignee", "labels", "components")
_PAGE_SIZE, _MOST_PAGES = 100, 20
# Old histories name fields without an id.
_IDS = {"component": "components", "priority": "priority", "assignee": "assignee", "labels": "labels"}


class _History(Snapshot, kw_only=True):
    """An issue with its latest changes."""

    changelog: dict[str, Any] = msgspec.field(default_factory=dict)


def standing(
    connection: Connection,
    settings: JiraSettings,
    issue: Issue,
    priorities: Mapping[str, str],
    is_own: Callable[[str | None], bool],
) -> PresentSettings:
    """Read the issue and its history. Raises TrackerError."""
    parameters: Parameters = {"fields": ",".join(_FIELDS), "expand": "changelog"}
    answer = connection.send_idempotent("GET", path(issue), parameters=parameters)
    if refuses(answer):
        raise absence(connection, settings, issue, answer)
    snapshot = expect(answer, _History)
    histories = _listed(snapshot.changelog.get("histories"))
    total = snapshot.changelog.get("total")
    whole: bool = isinstance(total, int) and len(histories) >= total
    if not whole and settings.deployment == "cloud" and isinstance(total, int):
        histories, whole = _pages(connection, issue, total)
    fields = snapshot.fields
    has = Settings(
        priority=_name(fields.get("priority")),
        assignee=account(fields.get("assignee")),
        labels=tuple(label for label in _listed_any(fields.get("labels")) if isinstance(label, str)),
        components=tuple(name for each in _listed_any(fields.get("components")) if (name := _name(each))),
    )
    touched = frozenset(name for entry in histories for name in _touched(entry, is_own)) if whole else None
    return PresentSettings(settings=has, priorities=tuple(priorities), touched=touched)


def _pages(connection: Connection, issue: Issue, total: int) -> tuple[list[dict[str, Any]], bool]:
    """The history of an issue with many changes, as far as _MOST_PAGES reach, and whether it is whole."""
    histories: list[dict[str, Any]] = []
    while len(histories) < total and len(histories) < _PAGE_SIZE * _MOST_PAGES:
        parameters: Parameters = {"startAt": len(histories), "maxResults": _PAGE_SIZE}
        page = rows(connection.send_idempotent("GET", f"{path(issue)}/changelog", parameters=parameters), "values")
        if not page:
            break
        histories += page
    return histories, len(histories) >= total


def _touched(entry: Mapping[str, Any], is_own: Callable[[str | None], bool]) -> list[str]:
    """What a change of somebody else touched, as `PresentSettings.touched` names it."""
    if is_own(account(entry.get("author"))):
        return []
    touched = []
    for item in _listed(entry.get("items")):
        key = _IDS.get(str(item.get("fieldId") or item.get("field")).casefold(), str(item.get("fieldId")))
        before, after = str(item.get("fromString") or ""), str(item.get("toString") or "")
        if key in ("priority", "assignee"):
            touched.append(key)
        elif key == "labels":
            touched += [f"labels {label}".casefold() for label in set(before.split()) - set(after.split())]
        elif key == "components" and before and not after:
            touched.append(f"components {before}".casefold())
    return touched


def raising_payload(changes: Settings, priorities: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The edit that sets these properties, except for the assignee: lists are added to, and a priority is named by its id, since its
    name is translated."""
    by_name = {name.casefold(): number for name, number in priorities.items()}
    fields: dict[str, Any] = {}
    if changes.priority is not None:
        number = by_name.get(changes.priority.casefold())
        fields["priority"] = {"name": changes.priority} if number is None else {"id": number}
    update: dict[str, Any] = {}
    if changes.labels:
        update["labels"] = [{"add": "-".join(label.split())} for label in changes.labels]
    if changes.components:
        update["components"] = [{"add": {"name": name}} for name in changes.components]
    return {"fields": fields, "update": update}


def account_of(settings: JiraSettings, name: str) -> dict[str, str]:
    """A person as the deployment names people, where no screen describes the field."""
    return {"accountId" if settings.deployment == "cloud" else "name": name}


def _name(value: object) -> str | None:
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) else None


def _listed(value: object) -> list[dict[str, Any]]:
    return [each for each in _listed_any(value) if isinstance(each, dict)]


def _listed_any(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
