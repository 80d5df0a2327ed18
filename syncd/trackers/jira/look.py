"""Place and condition of linked issues: of one issue, or of a hundred in one request.

An issue keeps its id when it is moved to another project, and gets another key. It is closed if the category of its status says
so: names of statuses are each team's own, and translated.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec

from syncd.config import JiraSettings
from syncd.core import readings, resolutions
from syncd.core.readings import Cursor
from syncd.errors import Deferred, Gone, Misconfigured, OutOfReach, Refused, TrackerError, Unavailable
from syncd.model import Condition, Issue, Observation, Place
from syncd.trackers import IssueText, Survey
from syncd.trackers.assignees import owners
from syncd.trackers.jira.answers import (
    Named,
    Unread,
    browse,
    expect,
    failure,
    message,
    moment,
    more_after,
    refused_fields,
    refuses,
)
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.control import require
from syncd.trackers.jira.probe import search
from syncd.trackers.transport import Answer, Parameters, Sent, bookmark_of

# True if Jira answers this account in another language than English. May raise TrackerError.
Translates = Callable[[], bool]

_BATCH = 100
# Cloud translates names into the account's language, unless it is told to take the language of the request.
ENGLISH = {"Accept-Language": "en", "X-Force-Accept-Language": "true"}
# The ids that Jira gave to its own resolutions, and keeps when they are renamed. Data Center always answers in the account's language.
STANDARD = {"2": "won't fix", "3": "duplicate", "4": "incomplete", "5": "cannot reproduce"}
_FIELDS = ("status", "resolution", "resolutiondate", "labels", "issuelinks", "created", "updated", "assignee")


class Snapshot(Named, kw_only=True):
    """An issue with the fields that were asked for."""

    fields: dict[str, Any] = msgspec.field(default_factory=dict)


class _Page(msgspec.Struct):
    """The answer to a bulk fetch or a search. Jira could not read the `issueErrors` this time."""

    issues: list[Snapshot]
    issueErrors: list[Unread] = []
    nextPageToken: str | None = None


def path(issue: Issue) -> str:
    """The path of a linked issue."""
    if issue.remote_id is None:
        raise Unavailable("the group has no issue yet")
    return f"issue/{quote(issue.remote_id, safe='')}"


def look(
    connection: Connection, settings: JiraSettings, issue: Issue, translates: Translates = lambda: False
) -> Observation:
    """One GET, and up to five more where Jira does not show the issue. Raises Gone and OutOfReach."""
    parameters: Parameters = {"fields": ",".join(_fields(settings))}
    answer = connection.send_idempotent("GET", path(issue), parameters=parameters, headers=ENGLISH)
    if refuses(answer):
        raise absence(connection, settings, issue, answer)
    return _observation(settings, expect(answer, Snapshot), translates)


def survey(
    connection: Connection,
    settings: JiraSettings,
    issues: Sequence[Issue],
    bookmark: str | None,
    now: float,
    translates: Translates,
) -> Iterator[Survey]:
    """A part for each hundred issues of this survey's portion. Those that Jira does not show although the project can be seen are
    missing, and those of a request that failed alone."""
    chosen, cursor = readings.portion(issues, bookmark_of(bookmark, Cursor()), now)
    ids = [str(issue.remote_id) for issue in chosen]
    failed: tuple[str, ...] = ()
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        try:
            part = _read(connection, settings, batch, translates)
            if part.missing:
                # Jira answers as if there were no issue where the account may not see one.
                require(connection, settings, "BROWSE_PROJECTS")
        except (Refused, Unavailable):
            # One issue can spoil the answer for its whole batch; a second failure in a row is one of the server.
            if failed or len(ids) <= _BATCH:
                raise
            failed = tuple(batch)
            continue
        yield replace(part, missing=part.missing + failed)
        failed = ()
    yield Survey(observations={}, missing=failed, bookmark=msgspec.json.encode(cursor).decode())


def _read(
    connection: Connection, settings: JiraSettings, batch: list[str], translates: Translates = lambda: False
) -> Survey:
    """What Jira shows of up to a hundred issues, by one request."""
    if settings.deployment == "cloud":
        payload = {"issueIdsOrKeys": batch, "fields": _fields(settings)}
        answer = connection.send_idempotent("POST", "issue/bulkfetch", payload, headers=ENGLISH)
    else:
        parameters: Parameters = {
            "jql": f"id in ({', '.join(batch)})",
            "maxResults": _BATCH,
            "fields": ",".join(_fields(settings)),
            # With validation, an id that is gone is an error.
            "validateQuery": "false",
        }
        answer = connection.send_idempotent("GET", "search", parameters=parameters, headers=ENGLISH)
    page = expect(answer, _Page)
    observations = {snapshot.id: _observation(settings, snapshot, translates) for snapshot in page.issues}
    unread = {error.id for error in page.issueErrors}
    absent = tuple(remote_id for remote_id in batch if remote_id not in observations and remote_id not in unread)
    return Survey(observations=observations, missing=absent)


def texts(
    connection: Connection, settings: JiraSettings, label: str | None, query: str | None
) -> Iterator[Sequence[IssueText]]:
    """The issues of the project with their texts, one request for each hundred. The index of a search may lag behind the latest changes."""
    quoted = None if label is None else label.replace("\\", "\\\\").replace('"', '\\"')
    conditions = [
        f'project = "{settings.project}"',
        *([] if quoted is None else [f'labels = "{quoted}"']),
        *([] if query is None else [f"({query})"]),
    ]
    cloud = settings.deployment == "cloud"
    parameters: dict[str, str | int] = {
        "jql": f"{' AND '.join(conditions)} ORDER BY key ASC",
        "maxResults": _BATCH,
        "fields": ",".join([*_fields(settings), "summary", "description"]),
    }
    start = 0
    while True:
        answer = connection.send_idempotent(
            "GET", "search/jql" if cloud else "search", parameters=parameters, headers=ENGLISH
        )
        if refuses(answer):
            # Only afterwards is it the query: a project that the account may not see is refused in the same way.
            require(connection, settings, "BROWSE_PROJECTS")
            raise Misconfigured(
                f"Jira does not take this search ({answer.status}{message(answer)}): {parameters['jql']}"
            )
        page = expect(answer, _Page)
        start += len(page.issues)
        yield [
            IssueText(
                observation=_observation(settings, snapshot, lambda: False),
                title=str(snapshot.fields.get("summary") or ""),
                body=_plain(snapshot.fields.get("description")),
            )
            for snapshot in page.issues
        ]
        if not page.issues or (page.nextPageToken is None if cloud else not more_after(answer, start)):
            return
        parameters["nextPageToken" if cloud else "startAt"] = page.nextPageToken or start


def _plain(description: object) -> str:
    """The texts and the targets of links of a description: wiki markup, or an Atlassian document, of which each block is a line, and the cells
    of a row are separated by tabs."""
    if isinstance(description, str):
        return description
    if isinstance(description, list):
        return "".join(map(_plain, description))
    if not isinstance(description, dict):
        return ""
    # Links are in the attributes of marks and of cards.
    links = "".join(f" {value} " for name, value in (description.get("attrs") or {}).items() if name in ("href", "url"))
    text = description.get("text")
    inner = (text if isinstance(text, str) else "") + "".join(
        _plain(description.get(part)) for part in ("content", "marks")
    )
    kind = description.get("type")
    if kind in ("tableCell", "tableHeader"):
        return inner.strip("\n") + "\t"
    ends = kind in ("paragraph", "heading", "codeBlock", "tableRow", "listItem", "blockCard", "hardBreak")
    return inner + links + ("\n" if ends else "")


def absence(connection: Connection, settings: JiraSettings, issue: Issue, answer: Answer) -> TrackerError:
    """The meaning of an `answer` that does not show an issue.

    Jira says 404 for what is deleted and for what the account may not see. Deleted is only what another way of reading does not show
    either, while project and permissions are fine and a neighbour can be read in the same way.
    """
    key, remote_id, detail = issue.key, str(issue.remote_id), f"({answer.status}{message(answer)})"
    require(connection, settings, "BROWSE_PROJECTS")
    part = _read(connection, settings, [remote_id])
    if remote_id in part.observations:
        return Deferred(f"Jira shows {key} in a list, but not by itself {detail}")
    if not part.missing or answer.status == 403:
        return OutOfReach(f"{key} exists, but the account that syncd uses may not see it {detail}")
    if answer.status not in (404, 410):
        return Deferred(f"Jira does not show {key} {detail}")
    _, newest = search(connection, settings, f'project = "{settings.project}" ORDER BY key DESC', 2)
    # The index may still hold the issue itself.
    for neighbour in [each for each in newest if each.id != remote_id][:1]:
        control = connection.send_idempotent("GET", f"issue/{neighbour.id}", parameters={"fields": "created"})
        if refuses(control):
            return Deferred(f"neither {key} nor {neighbour.key} can be read at this moment")
        expect(control, Named)
    # Nothing in Jira tells these from each other.
    return Gone(f"{key} was deleted, or moved or hidden where the account that syncd uses may not see it")


def refusal(
    connection: Connection, settings: JiraSettings, issue: Issue, answer: Answer, permission: str, sent: Sent
) -> TrackerError:
    """The meaning of a failed request on a linked issue.

    The control questions decide, and no words: the issue itself, then the project and the account's permissions there. Where all of
    them are fine the refusal is about this issue.
    """
    if not refuses(answer):
        return failure(answer, sent)
    reason = f"({answer.status}{message(answer)})"
    try:
        key = look(connection, settings, issue).place.key
        home = require(connection, settings, "BROWSE_PROJECTS", permission, refused=answer)
    except TrackerError as error:
        # Jira did nothing in any case, so a lost control answer leaves nothing in doubt.
        return error
    if key.rpartition("-")[0] != home and not refused_fields(answer):
        return OutOfReach(f"{key} was moved to where the account that syncd uses may not do this {reason}")
    return Refused(f"Jira does not take this for {key} {reason}")


def _fields(settings: JiraSettings) -> list[str]:
    # Where a workflow sets no resolution, only Cloud gives the time since when the status has its category.
    own = ["statuscategorychangedate"] if settings.deployment == "cloud" else []
    return [*_FIELDS, *own, settings.fixed_in_field]


def standard(resolution: object, translates: Translates) -> str:
    """The English name of a resolution of Jira's own whose name is in a language that syncd has no words for; empty for any other."""
    number, name = (resolution.get("id"), _name(resolution)) if isinstance(resolution, dict) else (None, None)
    own = STANDARD.get(number, "") if isinstance(number, str) else ""
    # In English, another name is one that people gave it, with a meaning of their own.
    return own if own and not resolutions.english(name or "") and translates() else ""


def _observation(settings: JiraSettings, snapshot: Snapshot, translates: Translates) -> Observation:
    fields = snapshot.fields
    status, labels = fields.get("status"), fields.get("labels")
    category = status.get("statusCategory") if isinstance(status, dict) else None
    closed = isinstance(category, dict) and category.get("key") == "done"
    dates = (fields.get(name) for name in ("resolutiondate", "statuscategorychangedate"))
    # The date of a resolution that survives reopening is that of an earlier closing.
    closed_at = max((at for text in dates if isinstance(text, str) and (at := moment(text)) is not None), default=None)
    # A field of versions or options, single or in a list, or a text field.
    fixed_in, names = fields.get(settings.fixed_in_field), []
    for item in fixed_in if isinstance(fixed_in, list) else [fixed_in]:
        text = item if isinstance(item, str) else _name(item)
        if text is None and isinstance(item, dict) and isinstance(item.get("value"), str):
            text = item["value"]
        if text and text.strip():
            names.append(text.strip())
    condition = Condition(
        closed=closed,
        resolution=(_name(fields.get("resolution")) or _name(status) or "") if closed else "",
        standard=standard(fields.get("resolution"), translates) if closed else "",
        closed_at=closed_at if closed else None,
        fixed_in=tuple(names),
        labels=tuple(sorted(label for label in labels if isinstance(label, str))) if isinstance(labels, list) else (),
        duplicate_of=_duplicate_of(settings, fields.get("issuelinks")) if closed else None,
        created_at=moment(fields.get("created")),
    )
    place = Place(remote_id=snapshot.id, key=snapshot.key, url=browse(settings.url, snapshot.key))
    updated, assignee = fields.get("updated"), fields.get("assignee")
    # The field of a user has a display name everywhere, and a login on Data Center; Cloud's account id names nobody.
    # https://developer.atlassian.com/cloud/jira/platform/deprecation-notice-user-privacy-api-migration-guide/
    people = [[assignee.get("displayName"), assignee.get("name")]] if isinstance(assignee, dict) else []
    return Observation(
        place=place,
        condition=condition,
        changed_at=moment(updated) if isinstance(updated, str) else None,
        # A screen or a permission may keep the field from syncd.
        owners=owners(people) if "assignee" in fields else None,
    )


def _name(value: Any) -> str | None:
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) else None


def _duplicate_of(settings: JiraSettings, links: Any) -> Place | None:
    """The issue that this one duplicates. The original has the same link inwards, `is duplicated by`, and is no duplicate."""
    for link in links if isinstance(links, list) else []:
        kind, original = (link.get("type"), link.get("outwardIssue")) if isinstance(link, dict) else (None, None)
        if not isinstance(kind, dict) or not isinstance(original, dict):
            continue
        names = f"{kind.get('name', '')} {kind.get('outward', '')}".casefold()
        key, remote_id = original.get("key"), original.get("id")
        if "duplicate" in names and isinstance(key, str) and isinstance(remote_id, str):
            return Place(remote_id=remote_id, key=key, url=browse(settings.url, key))
    return None
