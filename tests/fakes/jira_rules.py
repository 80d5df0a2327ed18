"""The parts of Jira's issues, and Jira's messages for a refused value."""

import re
import time
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.server import Answer, Recorded

TEXT_LIMIT = 32_767
SYSTEM_FIELDS = {
    "project": "project",
    "issuetype": "issuetype",
    "summary": "string",
    "description": "string",
    "labels": "array",
    "components": "array",
    "versions": "array",
    "priority": "priority",
    "reporter": "user",
    "assignee": "user",
}
# Beside those that are done by resolving.
RESOLUTIONS = ["Done", "Fixed", "Won't Do", "Duplicate"]
STATUSES = {"11": ("To Do", "new"), "21": ("In Progress", "indeterminate"), "31": ("Done", "done")}
PERMISSIONS = {
    "BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "EDIT_ISSUES", "TRANSITION_ISSUES",
}  # fmt: skip

JQL = re.compile(
    r'(?:project = "?(?P<project>\w+)"?)?(?: AND )?(?:labels = "?(?P<label>[\w-]+)"?)?(?:id in \((?P<ids>[\d, ]+)\))?'
    r'(?:created < "(?P<before>\d{4}-\d\d-\d\d)")?'
    r"(?: ORDER BY (?P<field>created|key) (?P<order>ASC|DESC))?"
)


@dataclass(kw_only=True)
class FakeComment:
    id: str
    author: str
    body: Any
    edits: int = 0


@dataclass(kw_only=True)
class FakeIssue:
    id: str
    key: str
    fields: dict[str, Any]
    properties: dict[str, Any]
    written: float
    comments: dict[str, FakeComment] = field(default_factory=dict)
    old_keys: set[str] = field(default_factory=set)
    history: list[dict[str, Any]] = field(default_factory=list)  # of changes since the issue was filed
    _latest: tuple[str, str] = ("", "")

    def updated(self) -> str:
        """The time of the latest change, as the first read after it meets it."""
        content = repr((self.key, self.fields, self.comments))
        if self._latest[0] != content:
            self._latest = (content, jira_now())
        return self._latest[1]

    @property
    def project(self) -> str:
        return self.key.rpartition("-")[0]

    @property
    def number(self) -> int:
        return int(self.key.rpartition("-")[2])

    @property
    def names(self) -> set[str]:
        """All by which it can be read."""
        return {self.id, self.key, *self.old_keys}

    @property
    def labels(self) -> list[str]:
        return list(self.fields.get("labels", []))


def fault(status: int, *general: str, **errors: str) -> Answer:
    """An error as Jira words it."""
    return status, {}, {"errorMessages": list(general), "errors": errors}


def page_of(request: Recorded, name: str, rows: list[Any], most: int = 1000) -> dict[str, Any]:
    start = int(request.query.get("startAt", ["0"])[0])
    size = min(int(request.query.get("maxResults", ["50"])[0]), most)
    return {name: rows[start : start + size], "startAt": start, "maxResults": size, "total": len(rows)}


def summary_problem(summary: str) -> str | None:
    if "\n" in summary or "\r" in summary:
        return "The summary is invalid because it contains newline characters."
    if len(summary.encode("utf-16-le", "surrogatepass")) // 2 > 255:
        return "Summary can't exceed 255 characters."
    return None


def field_schema(kind: str) -> dict[str, Any]:
    """Jira's description of a type. A paragraph differs from a line only in `custom`."""
    if kind == "paragraph":
        return {"type": "string", "custom": "com.atlassian.jira.plugin.system.customfieldtypes:textarea"}
    return {"type": kind}


def custom_problem(kind: str, value: Any) -> str | None:
    fits = isinstance(value, int) if kind == "number" else isinstance(value, str)
    if kind == "datetime" and fits:
        fits = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", value) is not None
    return None if fits else f"Operation value must be a {kind}"


def row_problem(
    row: Mapping[str, Any],
    value: Any,
    *,
    people: Sequence[Mapping[str, Any]],
    issues: Container[str],
    document_problem: Callable[[Any], str | None],
) -> str | None:
    """Jira's objection to a value of a field with this row."""
    kind, custom = row["schema"]["type"], row["schema"].get("custom", "")
    again: dict[str, Any] = {"people": people, "issues": issues, "document_problem": document_problem}
    match kind:
        case "array" if custom.endswith(":gh-sprint"):
            return None if type(value) is int else "Number value expected as the Sprint id."
        case "array":
            if not isinstance(value, list):
                return "data was not an array"
            each_row = {**row, "schema": {**row["schema"], "type": row["schema"]["items"]}}
            return next((text for each in value if (text := row_problem(each_row, each, **again))), None)
        case "option" | "option-with-child" | "priority" | "securitylevel" | "version" | "component":
            return _choice_problem(row.get("allowedValues", []), value)
        case "user":
            fits = isinstance(value, dict) and value and any(value.items() <= person.items() for person in people)
            return None if fits else "The user does not exist."
        case "issuelink":
            return (
                None if isinstance(value, dict) and value.get("key") in issues else "Could not find issue by id or key."
            )
        case "number":
            return None if type(value) in (int, float) else "Operation value must be a number"
        case "date":
            fits = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None
            return None if fits else 'Error parsing date string. Enter the date as "yyyy-MM-dd".'
        case "string" if custom.endswith(":textarea"):
            return document_problem(value)
        case "string" if custom.endswith(":labels"):
            return None if isinstance(value, str) and not re.search(r"\s", value) else "The label contains spaces."
    return custom_problem(kind, value)


def _choice_problem(choices: Sequence[Mapping[str, Any]], value: Any) -> str | None:
    """An option is named by its value or its id, in this spelling; a child only below its own parent."""
    if not isinstance(value, dict):
        return "data was not an object"
    names = {key: value[key] for key in ("id", "value", "name") if key in value}
    if not names:
        return "Specify a valid 'id' or 'name'"
    choice = next((each for each in choices if names.items() <= each.items()), None)
    if choice is None:
        return f"Option {names} is not valid"
    return _choice_problem(choice.get("children", []), value["child"]) if "child" in value else None


def change_of(name: str, before: Any, after: Any) -> list[dict[str, Any]]:
    """The items of a history for one changed field."""
    if name == "components":
        names = [{each["name"] for each in value or []} for value in (before, after)]
        gone = [{"fromString": each, "toString": None} for each in sorted(names[0] - names[1])]
        come = [{"fromString": None, "toString": each} for each in sorted(names[1] - names[0])]
        return [{"field": "Component", "fieldtype": "jira", **each} for each in (*gone, *come)]
    texts = [
        " ".join(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else value
        for value in (before, after)
    ]
    names_of = [value.get("name") or value.get("displayName") if isinstance(value, dict) else value for value in texts]
    return [{"field": name, "fieldtype": "jira", "fromString": names_of[0], "toString": names_of[1]}]


def status_of(transition: str) -> dict[str, Any]:
    name, category = STATUSES[transition]
    return {"name": name, "statusCategory": {"key": category}}


def jira_now() -> str:
    # Not datetime.now(): tests in which months pass put another clock into `time`.
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def no_issue() -> Answer:
    return fault(404, "Issue does not exist or you do not have permission to see it.")


def no_comment(request: Recorded) -> Answer:
    return fault(404, f"Can not find a comment for the id: {request.groups['comment']}.")
