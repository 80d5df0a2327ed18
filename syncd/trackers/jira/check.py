"""Real questions to a Jira, with a remedy for each bad answer; and the permissions that the account has."""

from typing import Any

from syncd.config import JiraSettings
from syncd.errors import Misconfigured, TrackerError
from syncd.platform.clock import Clock
from syncd.trackers import Finding, clock_finding
from syncd.trackers.jira.answers import failure, more_after, rows
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.fields import optional_names
from syncd.trackers.transport import Answer, Sent

_PAGE_SIZE = 200
_NEEDED = ("BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS")

# Always sent, or set by Jira itself: some versions report no default for the reporter, yet it has one.
_SET_BY_JIRA = {"project", "issuetype", "summary", "description", "reporter"}

# The types of field that can store a mapped text or number.
_PLAIN_TYPES = {"string", "number", "date", "datetime", "any"}

_Row = dict[str, Any]


def check(connection: Connection, settings: JiraSettings, name: str, clock: Clock) -> list[Finding]:
    """All findings, up to the first failure that makes the others meaningless. Creates nothing."""
    findings: list[Finding] = []
    try:
        login = _get(connection, "myself")
        findings.append(Finding(ok=True, what=f"logged in as {account(login.json)}"))
        findings += clock_finding(login.date, clock.wall())
        _get(connection, f"project/{settings.project}")
        findings.append(Finding(ok=True, what=f"project {settings.project} can be read"))
        needed = (*_NEEDED, "EDIT_ISSUES") if settings.fields else _NEEDED
        granted = permissions(connection, settings)
        if lacking := [permission for permission in needed if permission not in granted]:
            what = f"the account lacks {', '.join(lacking)} in {settings.project}"
            findings.append(Finding(ok=False, what=what, remedy="grant it in the project's permission scheme"))
        else:
            findings.append(Finding(ok=True, what=f"the account holds {', '.join(needed)}"))
        findings += _issue_type(connection, settings, name)
        findings += _statuses(connection, settings, name)
    except TrackerError as error:
        findings.append(Finding(ok=False, what=error.reason, remedy=f"see trackers.{name} in the configuration"))
    return findings


def _get(connection: Connection, path: str, parameters: dict[str, str | int] | None = None) -> Answer:
    answer = connection.send_idempotent("GET", path, parameters=parameters)
    if not answer.ok:
        raise failure(answer, Sent.READ)
    return answer


def account(user: object) -> str | None:
    """The id that tells one account from another: Cloud gives only accountId, Data Center key and name."""
    if not isinstance(user, dict):
        return None
    name = user.get("accountId") or user.get("key") or user.get("name")
    return name if isinstance(name, str) else None


def permissions(connection: Connection, settings: JiraSettings) -> set[str]:
    """The account's permissions in the project. Raises Misconfigured when it does not see the project at all."""
    parameters: dict[str, str | int] = {"projectKey": settings.project}
    if settings.deployment == "cloud":
        parameters["permissions"] = ",".join((*_NEEDED, "EDIT_ISSUES"))
    answer = _get(connection, "mypermissions", parameters)
    content = answer.json
    entries = content.get("permissions") if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        # This is not an account without permissions.
        raise failure(answer, Sent.READ)
    return {name for name, entry in entries.items() if isinstance(entry, dict) and entry.get("havePermission") is True}


def require(connection: Connection, settings: JiraSettings, *names: str) -> None:
    """Raise Misconfigured where the account lacks one of these permissions in the project."""
    lacking = sorted({*names} - permissions(connection, settings))
    if lacking:
        raise Misconfigured(f"the account lacks {', '.join(lacking)} in {settings.project}; grant it in Jira")


def _issue_type(connection: Connection, settings: JiraSettings, name: str) -> list[Finding]:
    path = f"issue/createmeta/{settings.project}/issuetypes"
    kinds = {str(row.get("name")): row for row in _all_rows(connection, path, "issueTypes")}
    kind = kinds.get(settings.issue_type)
    if kind is None:
        remedy = f"set trackers.{name}.issue_type to one of: {', '.join(sorted(kinds)) or 'none can be seen'}"
        return [Finding(ok=False, what=f"{settings.project} has no issue type {settings.issue_type!r}", remedy=remedy)]
    fields = {
        str(row.get("fieldId") or row.get("key")): row
        for row in _all_rows(connection, f"{path}/{kind.get('id')}", "fields")
    }
    findings = [Finding(ok=True, what=f"issues of type {settings.issue_type} can be created")]
    if "labels" in fields:
        findings.append(Finding(ok=True, what="labels can be set on new issues"))
    else:
        what = f"labels cannot be set on new issues of type {settings.issue_type}"
        remedy = f"add Labels to the create screen of {settings.project}; syncd knows its issues by a label"
        findings.append(Finding(ok=False, what=what, remedy=remedy))
    return [*findings, *_fields(fields, settings, name)]


def _all_rows(connection: Connection, path: str, cloud_name: str) -> list[_Row]:
    """Every page. Cloud names its lists after their content; Data Center says `values`."""
    everything: list[_Row] = []
    while True:
        parameters: dict[str, str | int] = {"startAt": len(everything), "maxResults": _PAGE_SIZE}
        answer = connection.send_idempotent("GET", path, parameters=parameters)
        page = rows(answer, cloud_name, "values")
        everything += page
        if not page or not more_after(answer, len(everything)):
            return everything


def _fields(fields: dict[str, _Row], settings: JiraSettings, name: str) -> list[Finding]:
    """Optional fields that Jira would refuse in every create, and required fields that syncd does not send."""
    findings = []
    names = optional_names(settings)
    for field in names:
        if field not in fields:
            remedy = f"add it to the create screen of {settings.project}, or remove it from trackers.{name}"
            findings.append(Finding(ok=False, what=f"{field} cannot be set on new issues", remedy=remedy))
            continue
        schema = fields[field]["schema"] if isinstance(fields[field].get("schema"), dict) else {}
        kind = str(schema.get("type", "any"))
        if settings.deployment == "cloud" and str(schema.get("custom", "")).endswith(":textarea"):
            kind = "paragraph"  # takes an Atlassian document and no text, though its type is string
        if field in settings.fields and kind not in _PLAIN_TYPES:
            remedy = f"map a field of plain text or numbers under trackers.{name}.fields"
            findings.append(Finding(ok=False, what=f"{field} is of type {kind}, which no text fits", remedy=remedy))
    sent = {*names, *_SET_BY_JIRA, "labels"}
    missing = [
        f"{field} ({row.get('name')})"
        for field, row in fields.items()
        if row.get("required") and not row.get("hasDefaultValue") and field not in sent
    ]
    if missing:
        what = f"new issues of type {settings.issue_type} require {', '.join(missing)}"
        remedy = f"map it under trackers.{name}.fields, or make it optional or give it a default in Jira"
        findings.append(Finding(ok=False, what=what, remedy=remedy))
    return findings


def _statuses(connection: Connection, settings: JiraSettings, name: str) -> list[Finding]:
    """Findings about reopening closed issues, from the statuses alone: Jira lists transitions of a single issue only."""
    kind_name = settings.issue_type
    answer = connection.send_idempotent("GET", f"project/{settings.project}/statuses")
    content = answer.json if answer.ok else None
    kinds = [kind for kind in content if isinstance(kind, dict)] if isinstance(content, list) else []
    listed = next((kind.get("statuses") for kind in kinds if kind.get("name") == kind_name), None)
    statuses = [status for status in listed if isinstance(status, dict)] if isinstance(listed, list) else []
    names = [str(status.get("name")) for status in statuses]
    wrong = [
        Finding(
            ok=False,
            what=f"issues of type {kind_name} have no status {wanted!r}",
            remedy=f"set trackers.{name}.{key} to one of: {', '.join(names)}",
        )
        for key, wanted in (("reopen_status", settings.reopen_status), ("close_status", settings.close_status))
        if statuses and wanted is not None and wanted not in names
    ]
    if not statuses or wrong:
        return wrong
    categories = [status.get("statusCategory") for status in statuses]
    reopened = [
        status_name
        for status_name, category in zip(names, categories, strict=True)
        if not isinstance(category, dict) or category.get("key") != "done"
    ]
    if reopened:
        return [Finding(ok=True, what=f"a closed issue can be reopened to {', '.join(reopened)}")]
    what = f"no status of {kind_name} is open: nothing can be reopened"
    remedy = "add a status that is to do or in progress to its workflow; regressions are told in a comment until then"
    return [Finding(ok=False, what=what, remedy=remedy)]
