"""What `check` asks a Jira, and what a person can do about each answer."""

from typing import Any

from syncd.config import JiraSettings
from syncd.errors import Misconfigured, TrackerError
from syncd.trackers import Finding
from syncd.trackers.answer import Answer
from syncd.trackers.clocks import compared
from syncd.trackers.jira.answers import clock, content, more_after, rows, unanswered
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.fields import optional_names

_PAGE_SIZE = 200
_NEEDED = ("BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS")

# Always sent, or set by Jira itself: some versions report no default for the reporter, yet it has one.
_SET_BY_JIRA = {"project", "issuetype", "summary", "description", "reporter"}

# What a mapped field's text or number can be stored in.
_PLAIN_TYPES = {"string", "number", "date", "datetime", "any"}


def check(connection: Connection, settings: JiraSettings, name: str) -> list[Finding]:
    """All findings, up to the first that makes the others meaningless."""
    findings: list[Finding] = []
    try:
        login = connection.again("GET", "myself")
        findings.append(_login(login))
        findings += compared(clock(login))
        findings.append(_project(connection, settings))
        findings.append(_permissions(connection, settings))
        findings += _issue_type(connection, settings, name)
        findings += _statuses(connection, settings, name)
    except TrackerError as error:
        findings.append(Finding(ok=False, what=error.reason, remedy=f"see trackers.{name} in the configuration"))
    return findings


def _login(answer: Answer) -> Finding:
    myself = content(_found(answer))
    return Finding(ok=True, what=f"logged in as {account(myself)}")


def _found(answer: Answer) -> Answer:
    if not answer.ok:
        raise unanswered(answer)
    return answer


def account(user: object) -> str | None:
    """What tells one account from another: Cloud gives only accountId, Data Center key and name."""
    if not isinstance(user, dict):
        return None
    found = user.get("accountId") or user.get("key") or user.get("name")
    return found if isinstance(found, str) else None


def _project(connection: Connection, settings: JiraSettings) -> Finding:
    _found(connection.again("GET", f"project/{settings.project}"))
    return Finding(ok=True, what=f"project {settings.project} can be read")


def _permissions(connection: Connection, settings: JiraSettings) -> Finding:
    needed = (*_NEEDED, "EDIT_ISSUES") if settings.fields else _NEEDED
    held = permissions(connection, settings)
    lacking = [name for name in needed if name not in held]
    if lacking:
        return Finding(
            ok=False,
            what=f"the account lacks {', '.join(lacking)} in {settings.project}",
            remedy="grant it in the project's permission scheme",
        )
    return Finding(ok=True, what=f"the account holds {', '.join(needed)}")


def permissions(connection: Connection, settings: JiraSettings) -> set[str]:
    """The project permissions the account holds. Raises Misconfigured when the project is not seen at all."""
    parameters = {"projectKey": settings.project}
    if settings.deployment == "cloud":
        parameters["permissions"] = ",".join((*_NEEDED, "EDIT_ISSUES"))
    answer = _found(connection.again("GET", "mypermissions", parameters=parameters))
    told = content(answer)
    held = told.get("permissions") if isinstance(told, dict) else None
    if not isinstance(held, dict):
        # Not to be taken for an account that holds none.
        raise unanswered(answer)
    entries = held.items()
    return {name for name, entry in entries if isinstance(entry, dict) and entry.get("havePermission") is True}


def require(connection: Connection, settings: JiraSettings, *names: str) -> None:
    """Raise Misconfigured where the account lacks one of these permissions in the project."""
    lacking = sorted({*names} - permissions(connection, settings))
    if lacking:
        raise Misconfigured(f"the account lacks {', '.join(lacking)} in {settings.project}; grant it in Jira")


def _issue_type(connection: Connection, settings: JiraSettings, name: str) -> list[Finding]:
    path = f"issue/createmeta/{settings.project}/issuetypes"
    types = {str(kind.get("name")): kind for kind in _all_rows(connection, path, "issueTypes")}
    kind = types.get(settings.issue_type)
    if kind is None:
        remedy = f"set trackers.{name}.issue_type to one of: {', '.join(sorted(types)) or 'none can be seen'}"
        return [Finding(ok=False, what=f"{settings.project} has no issue type {settings.issue_type!r}", remedy=remedy)]
    fields = {_field_id(row): row for row in _all_rows(connection, f"{path}/{kind.get('id')}", "fields")}
    found = Finding(ok=True, what=f"issues of type {settings.issue_type} can be created")
    return [
        found,
        _labels(fields, settings),
        *_sent_fields(fields, settings, name),
        *_required(fields, settings, name),
    ]


def _all_rows(connection: Connection, path: str, cloud_name: str) -> list[dict[str, Any]]:
    """Every page. Cloud names its lists after what they hold; Data Center says `values`."""
    found: list[dict[str, Any]] = []
    while True:
        parameters = {"startAt": len(found), "maxResults": _PAGE_SIZE}
        answer = connection.again("GET", path, parameters=parameters)
        page = rows(answer, cloud_name, "values")
        found += page
        if not page or not more_after(answer, len(found)):
            return found


def _field_id(row: dict[str, Any]) -> str:
    return str(row.get("fieldId") or row.get("key"))


def _labels(fields: dict[str, dict[str, Any]], settings: JiraSettings) -> Finding:
    if "labels" in fields:
        return Finding(ok=True, what="labels can be set on new issues")
    return Finding(
        ok=False,
        what=f"labels cannot be set on new issues of type {settings.issue_type}",
        remedy=f"add Labels to the create screen of {settings.project}; syncd knows its issues by a label",
    )


def _sent_fields(fields: dict[str, dict[str, Any]], settings: JiraSettings, name: str) -> list[Finding]:
    """Optional fields that every create would be made without."""
    findings = []
    for field in optional_names(settings):
        if field not in fields:
            remedy = f"add it to the create screen of {settings.project}, or remove it from trackers.{name}"
            findings.append(Finding(ok=False, what=f"{field} cannot be set on new issues", remedy=remedy))
        elif field in settings.fields and (kind := _type(fields[field], settings)) not in _PLAIN_TYPES:
            remedy = f"map a field of plain text or numbers under trackers.{name}.fields"
            findings.append(Finding(ok=False, what=f"{field} is of type {kind}, which no text fits", remedy=remedy))
    return findings


def _type(field: dict[str, Any], settings: JiraSettings) -> str:
    schema = field.get("schema")
    schema = schema if isinstance(schema, dict) else {}
    # On Cloud a paragraph field takes an Atlassian document and no text, though its type is called string.
    if settings.deployment == "cloud" and str(schema.get("custom", "")).endswith(":textarea"):
        return "paragraph"
    return str(schema.get("type", "any"))


def _required(fields: dict[str, dict[str, Any]], settings: JiraSettings, name: str) -> list[Finding]:
    """Fields without which Jira refuses every create."""
    sent = {*optional_names(settings), *_SET_BY_JIRA, "labels"}
    missing = [
        f"{field} ({row.get('name')})"
        for field, row in fields.items()
        if row.get("required") and not row.get("hasDefaultValue") and field not in sent
    ]
    if not missing:
        return []
    return [
        Finding(
            ok=False,
            what=f"new issues of type {settings.issue_type} require {', '.join(missing)}",
            remedy=f"map it under trackers.{name}.fields, or make it optional or give it a default in Jira",
        )
    ]


def _statuses(connection: Connection, settings: JiraSettings, name: str) -> list[Finding]:
    """Whether closed issues can be reopened: to which statuses, not by which transitions, which are told of one issue only."""
    answer = connection.again("GET", f"project/{settings.project}/statuses")
    told = content(answer) if answer.ok else None
    kinds = [kind for kind in told if isinstance(kind, dict)] if isinstance(told, list) else []
    known = next((kind.get("statuses") for kind in kinds if kind.get("name") == settings.issue_type), None)
    statuses = [one for one in known if isinstance(one, dict)] if isinstance(known, list) else []
    names = [str(one.get("name")) for one in statuses]
    wrong = [
        Finding(
            ok=False,
            what=f"issues of type {settings.issue_type} have no status {wanted!r}",
            remedy=f"set trackers.{name}.{key} to one of: {', '.join(names)}",
        )
        for key, wanted in (("reopen_status", settings.reopen_status), ("close_status", settings.close_status))
        if statuses and wanted is not None and wanted not in names
    ]
    reopened = [str(one.get("name")) for one in statuses if _category_of(one) != "done"]
    if not statuses or wrong:
        return wrong
    if not reopened:
        remedy = (
            "add a status that is to do or in progress to its workflow; regressions are told in a comment until then"
        )
        return [
            Finding(
                ok=False, what=f"no status of {settings.issue_type} is open: nothing can be reopened", remedy=remedy
            )
        ]
    return [Finding(ok=True, what=f"a closed issue can be reopened to {', '.join(reopened)}")]


def _category_of(status: dict[str, Any]) -> str:
    category = status.get("statusCategory")
    return str(category.get("key")) if isinstance(category, dict) else ""
