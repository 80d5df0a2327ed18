"""Issues in one project of a Jira Cloud or Jira Data Center site.

Cloud is spoken to in REST v3 with Atlassian documents, Data Center in REST v2 with wiki markup. An issue is
known again by a label made from its marker, on Cloud also by the entity property `syncd`.
"""

import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

from syncd.config import JiraSettings
from syncd.errors import Misconfigured, Missing, OutcomeUnknown, Refused, TrackerError, Unavailable
from syncd.model import Created, Evidence, Group, Issue, Observation, Survey
from syncd.render.document import Document
from syncd.trackers import Draft, Finding, Notebook
from syncd.trackers.answer import Answer, Sent
from syncd.trackers.jira.answers import content, create_failure, created, more_after, refused_fields, rows, unanswered
from syncd.trackers.jira.check import account, check
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.fields import (
    FieldValues,
    Refusals,
    carries,
    comment_body,
    optional,
    properties,
    refreshable,
    required,
)
from syncd.trackers.jira.look import look, path, refusal
from syncd.trackers.jira.probe import Probe, newest
from syncd.trackers.jira.survey import survey
from syncd.trackers.jira.versions import Versions
from syncd.trackers.jira.workflow import close_issue, reopen

_REMEMBERED_ISSUES = 10_000
_COMMENTS_PER_PAGE = 100


class Jira:
    """`kind = "jira"`. `clock` counts seconds and never goes back; `sleep` passes those between tries."""

    def __init__(
        self,
        name: str,
        settings: JiraSettings,
        notebook: Notebook,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._settings = settings
        self._notebook = notebook
        self._at_home = False
        self._clock = clock
        self._connection = Connection(name, settings, clock, sleep)
        self._url = settings.url.rstrip("/")
        self._refused_on_create = Refusals(clock)
        self._refused_on_edit = Refusals(clock)
        self._versions = Versions(self._connection, settings, clock)
        self._account: str | None = None
        self._sent: dict[str, FieldValues] = {}

    def newest(self) -> int:
        """One search. Its index may lag behind."""
        self._require_home()
        return newest(self._connection, self._settings)

    def _require_home(self) -> None:
        """Raise Misconfigured on another site than the one that holds the issues so far: ids there belong to strangers."""
        if self._at_home:
            return
        home = self._notebook.recall("home")
        if home is not None and home != self._url:
            raise Misconfigured(f"the issues so far are on {home}; configure {self._url} as a tracker of another name")
        if home is None:
            self._notebook.note("home", self._url)
        self._at_home = True

    def create(self, draft: Draft) -> Created:
        """One POST, and a second without the optional fields that Jira refused: a 400 has created nothing.

        Before the first of an hour, one GET of the project's versions. Raises what `Tracker` names.
        """
        self._require_home()
        notes: list[str] = []
        wanted = optional(self._settings, draft, self._versions.affected(draft.group, notes))
        kept = self._refused_on_create.spare(wanted)
        answer = self._post_issue(draft, kept)
        refused = refused_fields(answer)
        if refused and refused.keys() <= kept.keys():
            self._refused_on_create.add(refused)
            kept = self._refused_on_create.spare(kept)
            answer = self._post_issue(draft, kept)
        if answer.status >= 300:
            raise create_failure(answer, self._settings.project)
        notes += [f"{field} was left out: Jira refused it" for field in wanted if field not in kept]
        issue = created(answer, self._url, tuple(notes))
        self._remember(issue.remote_id, {name: kept[name] for name in self._settings.fields if name in kept})
        return issue

    def _post_issue(self, draft: Draft, kept: FieldValues) -> Answer:
        ours = required(self._settings, draft.marker, draft.title, draft.body, draft.labels)
        payload: dict[str, object] = {"fields": {**kept, **ours}}
        if marks := properties(self._settings, draft.marker):
            payload["properties"] = marks
        draft.require_fresh()
        return self._connection.once("POST", "issue", payload)

    def _remember(self, remote_id: str, values: FieldValues) -> None:
        self._sent.pop(remote_id, None)
        while len(self._sent) >= _REMEMBERED_ISSUES:
            del self._sent[next(iter(self._sent))]
        self._sent[remote_id] = values

    def probe(self, issue: Issue) -> Evidence:
        """One GET or bulk fetch for each key above the floor, and at first one for who we are."""
        self._require_home()
        ours = self._our_account()
        return Probe(self._connection, self._settings, issue.floor, ours, self._clock).evidence(issue)

    def _our_account(self) -> str:
        if self._account is None:
            answer = self._connection.again("GET", "myself")
            if not answer.ok:
                raise unanswered(answer)
            self._account = account(content(answer))
        if self._account is None:
            raise Unavailable("Jira does not say which account syncd uses")
        return self._account

    def look(self, issue: Issue) -> Observation:
        """One GET, up to four where the issue is not there."""
        self._require_home()
        return look(self._connection, self._settings, issue)

    def survey(self, issues: Sequence[Issue], since: float | None) -> Survey:  # noqa: ARG002 - Jira is asked for all
        """One request for each hundred issues."""
        self._require_home()
        return survey(self._connection, self._settings, issues)

    def reopen(self, issue: Issue) -> str:
        """Three requests, or one where it is open."""
        self._require_home()
        return reopen(self._connection, self._settings, issue)

    def close_issue(self, issue: Issue) -> str:
        """Three requests, or one where it is closed."""
        self._require_home()
        return close_issue(self._connection, self._settings, issue)

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """One POST."""
        self._require_home()
        body = comment_body(self._settings, document, marker)
        answer = self._connection.once("POST", f"{path(issue)}/comment", {"body": body})
        if answer.status >= 300:
            raise self._about(issue, answer, "ADD_COMMENTS", Sent.ONCE)
        told = content(answer)
        comment_id = told.get("id") if isinstance(told, dict) else None
        if not isinstance(comment_id, str) or not comment_id:
            raise OutcomeUnknown(f"Jira's answer ({answer.status}) does not name a comment")
        return comment_id

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """Our oldest comment that ends with the marker's line: one GET for each hundred comments."""
        self._require_home()
        ours = self._our_account()
        start = 0
        while True:
            parameters: dict[str, str | int] = {
                "startAt": start,
                "maxResults": _COMMENTS_PER_PAGE,
                "orderBy": "created",
            }
            answer = self._connection.again("GET", f"{path(issue)}/comment", parameters=parameters)
            if not answer.ok:
                error = self._about(issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)
                raise Unavailable(error.reason) if isinstance(error, Refused) else error
            page = rows(answer, "comments")
            for comment in page:
                if account(comment.get("author")) == ours and carries(comment.get("body"), marker):
                    return str(comment.get("id"))
            start += len(page)
            if not page or not more_after(answer, start):
                return None

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """One PUT, at most twice repeated. Raises Missing when the comment is gone."""
        self._require_home()
        place = f"{path(issue)}/comment/{quote(comment_id, safe='')}"
        # Editing a comment mails everybody who watches, unless told otherwise; Data Center cannot be told.
        quiet = {"notifyUsers": "false"} if self._settings.deployment == "cloud" else None
        payload = {"body": comment_body(self._settings, document, marker)}
        answer = self._connection.again("PUT", place, payload, quiet)
        if answer.ok:
            return
        if answer.status == 404:
            answer = self._connection.again("GET", path(issue), parameters={"fields": "updated"})
            if answer.ok:
                raise Missing(f"the status comment of {issue.key} is gone")
        raise self._about(issue, answer, "EDIT_OWN_COMMENTS", Sent.AGAIN)

    def refresh(self, issue: Issue, group: Group) -> None:
        """One PUT with the mapped fields that changed since this client last sent them; none where none did.

        Fields that Jira refuses are left out for an hour.
        """
        self._require_home()
        wanted = self._refused_on_edit.spare(refreshable(self._settings.fields, group))
        before = self._sent.get(str(issue.remote_id), {})
        changed = {name: value for name, value in wanted.items() if before.get(name) != value}
        while changed:
            answer = self._connection.again("PUT", path(issue), {"fields": changed})
            if answer.ok:
                self._remember(str(issue.remote_id), {**before, **changed})
                return
            refused = refused_fields(answer)
            if not refused or not refused.keys() <= changed.keys():
                raise self._about(issue, answer, "EDIT_ISSUES", Sent.AGAIN)
            self._refused_on_edit.add(refused)
            changed = self._refused_on_edit.spare(changed)

    def _about(self, issue: Issue, answer: Answer, permission: str, sent: Sent) -> TrackerError:
        return refusal(self._connection, self._settings, issue, answer, permission, sent)

    def check(self) -> list[Finding]:
        """Login, project, issue type, required and mapped fields, permissions. Creates nothing."""
        return check(self._connection, self._settings, self._name)

    def close(self) -> None:
        """Give back connections; a later call opens new ones."""
        self._connection.close()
