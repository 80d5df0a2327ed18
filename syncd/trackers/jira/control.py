"""The control questions after a refusal: whether the project is open to the account, whatever the refusal says."""

from syncd.config import JiraSettings
from syncd.errors import Misconfigured
from syncd.trackers.jira.answers import failure, message
from syncd.trackers.jira.connection import Connection
from syncd.trackers.transport import Answer, Sent

NEEDED = ("BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "TRANSITION_ISSUES")


def read(connection: Connection, path: str, parameters: dict[str, str | int] | None = None) -> Answer:
    """The answer to a GET. Raises what any answer without a result means."""
    answer = connection.send_idempotent("GET", path, parameters=parameters)
    if not answer.ok:
        raise failure(answer, Sent.READ)
    return answer


def permissions(connection: Connection, settings: JiraSettings) -> set[str]:
    """The account's permissions in the project. Raises Misconfigured when it does not see the project at all."""
    parameters: dict[str, str | int] = {"projectKey": settings.project}
    if settings.deployment == "cloud":
        parameters["permissions"] = ",".join((*NEEDED, "EDIT_ISSUES"))
    answer = read(connection, "mypermissions", parameters)
    content = answer.json
    entries = content.get("permissions") if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        # This is not an account without permissions.
        raise failure(answer, Sent.READ)
    return {name for name, entry in entries.items() if isinstance(entry, dict) and entry.get("havePermission") is True}


def require(connection: Connection, settings: JiraSettings, *names: str, refused: Answer | None = None) -> str:
    """The control question after a refusal: return the project's present key.

    Raises Misconfigured where the account lacks one of these permissions in the project, where the project is archived, and where a
    server before Jira refuses all that syncd writes: `refused` is the answer to a write, and where it is not in Jira's own form, a
    POST that changes nothing must get another one.
    """
    lacking = sorted({*names} - permissions(connection, settings))
    if lacking:
        raise Misconfigured(f"the account lacks {', '.join(lacking)} in {settings.project}; grant it in Jira")
    answer = read(connection, f"project/{settings.project}")
    content = answer.json
    if not isinstance(content, dict) or not isinstance(content.get("key"), str):
        raise failure(answer, Sent.READ)
    if content.get("archived") is True:
        raise Misconfigured(f"project {settings.project} is archived in Jira; restore it, or configure another project")
    if refused is not None and not isinstance(refused.json, dict):
        if settings.deployment == "cloud":
            payload: dict[str, object] = {"issueIdsOrKeys": [f"{settings.project}-1"], "fields": ["created"]}
            answer = connection.send_idempotent("POST", "issue/bulkfetch", payload)
        else:
            payload = {"jql": f'project = "{settings.project}"', "maxResults": 1, "fields": ["created"]}
            answer = connection.send_idempotent("POST", "search", payload)
        if answer.status == refused.status and not isinstance(answer.json, dict):
            raise Misconfigured(
                f"Jira, or a server before it, refuses every request that could write ({answer.status}{message(answer)}); "
                "correct url, or what stands between syncd and Jira"
            )
    return str(content["key"])
