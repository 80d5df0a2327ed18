"""Issues in one project of a Jira Cloud or Jira Data Center site.

Cloud takes Atlassian documents by REST v3, Data Center wiki markup by REST v2. The marker of an issue is a label made from it, on
Cloud also the entity property `syncd`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from syncd.config import JiraSettings
from syncd.core.doubt import Evidence
from syncd.core.policy import Policy
from syncd.errors import Misconfigured, Missing, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Created, Group, Issue, Observation, PresentSettings, Settings
from syncd.platform.clock import Clock
from syncd.render.text import Document
from syncd.trackers import Draft, Finding, IssueText, Notebook, Survey, Sweep
from syncd.trackers.jira.answers import created, expect, failure, more_after, refused_fields, refuses, rows
from syncd.trackers.jira.check import account, check, create_refusal, language
from syncd.trackers.jira.check_routes import check_routes
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.fields import (
    FieldValues,
    Refusals,
    comment_body,
    digest,
    last_lines,
    marker_line,
    optional,
    refreshable,
    required,
    varying,
)
from syncd.trackers.jira.look import look, path, refusal, survey, texts
from syncd.trackers.jira.probe import Probe, search
from syncd.trackers.jira.raising import account_of, raising_payload, standing
from syncd.trackers.jira.screens import Screens
from syncd.trackers.jira.typed import Screen, Unfit
from syncd.trackers.jira.workflow import move
from syncd.trackers.transport import Answer, Sent

_REMEMBERED_ISSUES = 10_000
_COMMENTS_PER_PAGE = 100
_DAY_SECONDS = 86400.0

_VERSIONS_SECONDS = 3600.0
_VERSIONS_RETRY_SECONDS = 300.0
_VERSIONS_READ_SECONDS = 5.0  # a create does not wait longer for an optional field


class Jira:
    """`kind = "jira"`."""

    def __init__(
        self,
        name: str,
        settings: JiraSettings,
        notebook: Notebook,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._name = name
        self._settings = settings
        self._notebook = notebook
        self._clock = clock
        self._connection = Connection(name, settings, notebook, clock, sleep)
        self._url = settings.url.rstrip("/")
        self._is_home_checked = False
        self._screens = Screens(self._connection, settings, clock)
        self._refused_on_create = Refusals(clock)
        self._refused_on_edit = Refusals(clock)
        self._versions: frozenset[str] = frozenset()
        self._versions_until: float | None = None  # monotonic
        self._account: str | None = None  # of the login with this number
        self._account_login = 0
        self._language = ""
        self._sent: dict[str, FieldValues] = {}  # by remote id, the mapped fields as this client last sent them

    def newest(self) -> int:
        """One search. Its index may lag behind."""
        self._require_home()
        _, issues = search(
            self._connection, self._settings, f'project = "{self._settings.project}" ORDER BY key DESC', 1
        )
        return issues[0].number if issues else 0

    def _require_home(self) -> None:
        """Raise Misconfigured on another site than the one that holds the issues so far: ids there belong to strangers."""
        if self._is_home_checked:
            return
        home = self._notebook.recall("home")
        if home is not None and home != self._url:
            raise Misconfigured(f"the issues so far are on {home}; configure {self._url} as a tracker of another name")
        if home is None:
            self._notebook.note("home", self._url)
        self._is_home_checked = True

    def sweep(self, floor: int, since: float) -> Sweep:
        """As `probe`, with a search for what is older than `since` instead of that for a label."""
        self._require_home()
        self._own_account()
        floor = max(floor, self._newest_before(since))
        return Probe(self._connection, self._settings, floor, self._is_own, self._clock).sweep()

    def _newest_before(self, since: float) -> int:
        """The highest number of an issue that was created before a time; days are those of the account's time zone."""
        day = time.strftime("%Y-%m-%d", time.gmtime(since - _DAY_SECONDS))
        jql = f'project = "{self._settings.project}" AND created < "{day}" ORDER BY key DESC'
        _, issues = search(self._connection, self._settings, jql, 1)
        return issues[0].number if issues else 0

    def reference(self, marker: str) -> str:
        """The digest in the label and in the last line of a description."""
        return digest(marker)

    def ping(self) -> None:
        """One GET of the account."""
        self._connection.ping("myself", lambda answer: account(answer.json) is not None)

    def create(self, draft: Draft) -> Created:
        """One POST, and a second without the optional fields that Jira refused: a refusal has created nothing. Four control reads after
        the last refusal.

        Before, one GET for the account of a new login, and at most once an hour one of the project's versions and the reads of the create
        screen that the fields need. Raises what `Tracker` names.
        """
        self._require_home()
        self._own_account()
        notes: list[str] = []
        screen = Screen()
        if self._settings.fields or draft.fields or draft.assignee:
            screen = self._screens.screen(draft.issue_type or self._settings.issue_type)
        versions = self._project_versions(draft.group, notes)
        wanted, unfit = optional(self._settings, draft, versions, screen, self._clock.wall())
        notes += unfit
        values = self._refused_on_create.without(wanted)
        answer = self._file(draft, values)
        refused = {name for name in refused_fields(answer).keys() & values.keys() if not screen.requires(name)}
        if refuses(answer):
            self._screens.forget()
        if refused:
            self._refused_on_create.add(refused)
            values = self._refused_on_create.without(values)
            answer = self._file(draft, values)
        if refuses(answer):
            raise create_refusal(self._connection, self._settings, answer, draft, self._clock)
        if answer.status >= 300:
            raise failure(answer, Sent.ONCE)
        notes += [f"{field} was left out: Jira refused it" for field in wanted if field not in values]
        issue = created(answer, self._url, tuple(notes))
        moving = refreshable(self._settings.fields, draft.group, screen, self._clock.wall())
        self._remember(issue.remote_id, {name: values[name] for name in moving if name in values})
        return issue

    def _project_versions(self, group: Group, notes: list[str]) -> frozenset[str]:
        """The project's versions that are not archived, read once an hour. None where they are not wanted, or, with a note, cannot
        be read."""
        if not self._settings.affects_versions or not group.releases:
            return frozenset()
        now = self._clock.monotonic()
        if self._versions_until is None or now >= self._versions_until:
            path = f"project/{self._settings.project}/versions"
            try:
                page = rows(self._connection.send_once("GET", path, read_seconds=_VERSIONS_READ_SECONDS))
            except Throttled:
                raise  # else the create would be sent during the silence that Jira asked for
            except TrackerError as error:
                self._versions, self._versions_until = frozenset(), now + _VERSIONS_RETRY_SECONDS
                notes.append(f"versions was left out: {error.reason}")
            else:
                self._versions = frozenset(str(row.get("name")) for row in page if not row.get("archived"))
                self._versions_until = now + _VERSIONS_SECONDS
        return self._versions

    def _file(self, draft: Draft, values: FieldValues) -> Answer:
        """The answer to the POST that creates the issue."""
        fixed = required(self._settings, draft)
        payload: dict[str, object] = {"fields": {**values, **fixed}}
        if self._settings.deployment == "cloud":
            # People neither see nor copy an entity property, unlike a label.
            payload["properties"] = [{"key": "syncd", "value": {"v": 1, "m": draft.marker}}]
        return self._connection.send_write("POST", "issue", payload, draft.require_fresh)

    def _remember(self, remote_id: str, values: FieldValues) -> None:
        self._sent.pop(remote_id, None)
        while len(self._sent) >= _REMEMBERED_ISSUES:
            del self._sent[next(iter(self._sent))]
        self._sent[remote_id] = values

    def probe(self, issue: Issue) -> Evidence:
        """One GET for each key from the floor on, or a bulk fetch for each hundred; at first one GET for the own account."""
        self._require_home()
        self._own_account()
        return Probe(self._connection, self._settings, issue.floor, self._is_own, self._clock).evidence(issue)

    def _note_account(self, name: str | None) -> None:
        """Remember an account that syncd writes with: another one may be behind the token tomorrow."""
        if name is not None and self._notebook.recall(f"account {name}") is None:
            self._notebook.note(f"account {name}", "")

    def _is_own(self, name: str | None) -> bool:
        """True for the account of the token, and for one that syncd wrote with before."""
        return name is not None and (name == self._account or self._notebook.recall(f"account {name}") is not None)

    def _own_account(self) -> str:
        """The token's account. It is remembered before anything is written: where the answer to a write is lost, nothing else names the
        author once another token is configured."""
        if self._account is None or self._account_login != self._connection.logins:
            answer = self._connection.send_idempotent("GET", "myself")
            if not answer.ok:
                raise failure(answer, Sent.READ)
            self._account, self._account_login = account(answer.json), self._connection.logins
            self._language = language(answer.json)
            self._note_account(self._account)
        if self._account is None:
            raise Unavailable("Jira does not say which account syncd uses")
        return self._account

    def _translates(self) -> bool:
        self._own_account()
        return self._language not in ("", "en")

    def look(self, issue: Issue) -> Observation:
        """One GET, up to four where the issue is not there; at first one for the account, where its language matters."""
        self._require_home()
        return look(self._connection, self._settings, issue, self._translates)

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        """One request for each hundred issues, at most fifty: up to 4,000 active issues, and up to 1,000 of the dormant ones."""
        self._require_home()
        return survey(self._connection, self._settings, issues, bookmark, self._clock.wall(), self._translates)

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        """One request for each hundred issues, after one GET for the account of a new login: to nobody's eyes a project may be empty. `query` is
        JQL."""
        self._require_home()
        self._own_account()
        return texts(self._connection, self._settings, label, query)

    def reopen(self, issue: Issue) -> str:
        """Three requests, or one where it is open."""
        self._require_home()
        return move(self._connection, self._settings, issue, closed=False)

    def close_issue(self, issue: Issue) -> str:
        """Three requests, or one where it is closed."""
        self._require_home()
        return move(self._connection, self._settings, issue, closed=True)

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        """One POST, after one GET for the account of a new login."""
        self._require_home()
        self._own_account()
        body = comment_body(self._settings, document, marker)
        answer = self._connection.send_write("POST", f"{path(issue)}/comment", {"body": body})
        if answer.status >= 300:
            raise refusal(self._connection, self._settings, issue, answer, "ADD_COMMENTS", Sent.ONCE)
        content = answer.json
        comment_id = content.get("id") if isinstance(content, dict) else None
        if not isinstance(comment_id, str) or not comment_id:
            raise OutcomeUnknown(f"Jira's answer ({answer.status}) does not name a comment")
        self._note_account(account(content.get("author")))
        return comment_id

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        """Our oldest comment that ends with the marker's line, that of an earlier account only where this one has none: one GET for each
        hundred comments."""
        self._require_home()
        own_account, line = self._own_account(), marker_line(marker, "status")
        start, earlier = 0, None
        while True:
            parameters: dict[str, str | int] = {
                "startAt": start,
                "maxResults": _COMMENTS_PER_PAGE,
                "orderBy": "created",
            }
            answer = self._connection.send_idempotent("GET", f"{path(issue)}/comment", parameters=parameters)
            if not answer.ok:
                error = refusal(self._connection, self._settings, issue, answer, "BROWSE_PROJECTS", Sent.AGAIN)
                raise Unavailable(error.reason) if isinstance(error, Refused) else error
            page = rows(answer, "comments")
            for comment in page:
                author = account(comment.get("author"))
                if self._is_own(author) and last_lines(comment.get("body")) == [line]:
                    if author == own_account:
                        return str(comment.get("id"))
                    earlier = earlier or str(comment.get("id"))
            start += len(page)
            if not page or not more_after(answer, start):
                return earlier

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        """One PUT. After a refusal one GET of the comment, and a look at the issue."""
        self._require_home()
        place = f"{path(issue)}/comment/{quote(comment_id, safe='')}"
        # Jira mails every watcher about an edited comment. Cloud can be asked not to; Data Center cannot.
        quiet = {"notifyUsers": "false"} if self._settings.deployment == "cloud" else None
        payload = {"body": comment_body(self._settings, document, marker)}
        answer = self._connection.send_idempotent("PUT", place, payload, quiet)
        if refuses(answer):
            comment = self._connection.send_idempotent("GET", place)
            if comment.ok and account(expect(comment, dict[str, Any]).get("author")) != self._own_account():
                reason = f"an earlier account wrote the status comment of {issue.key}, and this one may not change it"
                raise Missing(reason, foreign=True)
            if comment.status in (404, 410):
                look(self._connection, self._settings, issue)  # raises where the issue is not there either
                raise Missing(f"the status comment of {issue.key} is gone")
        if not answer.ok or not isinstance(answer.json, dict):
            raise refusal(self._connection, self._settings, issue, answer, "EDIT_OWN_COMMENTS", Sent.AGAIN)

    def refresh(self, issue: Issue, group: Group) -> None:
        """One PUT with the mapped fields that changed since this client last sent them; none without a change. Before, at most once an hour
        the reads of the create screen.

        Leaves out for an hour the fields that Jira refuses.
        """
        self._require_home()
        if not any(map(varying, self._settings.fields.values())):
            return
        screen, now = self._screens.screen(self._settings.issue_type), self._clock.wall()
        wanted = self._refused_on_edit.without(refreshable(self._settings.fields, group, screen, now))
        before = self._sent.get(str(issue.remote_id), {})
        changed = {name: value for name, value in wanted.items() if before.get(name) != value}
        while changed:
            answer = self._connection.send_idempotent("PUT", path(issue), {"fields": changed})
            if answer.status == 204 or (answer.ok and isinstance(answer.json, dict)):
                self._remember(str(issue.remote_id), {**before, **changed})
                return
            refused = refused_fields(answer)
            if not refused or not refused.keys() <= changed.keys():
                raise refusal(self._connection, self._settings, issue, answer, "EDIT_ISSUES", Sent.AGAIN)
            self._refused_on_edit.add(refused)
            changed = self._refused_on_edit.without(changed)

    def read_settings(self, issue: Issue) -> PresentSettings:
        """One GET of the issue with its history, one for each further hundred changes on Cloud, and at most once an hour the reads of the create
        screen; at first one GET for the own account."""
        self._require_home()
        self._own_account()
        return standing(self._connection, self._settings, issue, self._priorities(), self._is_own)

    def _priorities(self) -> dict[str, str]:
        """The ids of the project's priorities by name, the most important first."""
        row = self._screens.screen(self._settings.issue_type).rows.get("priority", {})
        listed = row.get("allowedValues") or rows(self._connection.send_idempotent("GET", "priority"))
        return {str(each["name"]): str(each["id"]) for each in listed if each.get("name") and each.get("id")}

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        """One PUT, and a second without the fields that Jira refused. Before, the reads of the create screen where it needs them."""
        self._require_home()
        priorities = self._priorities() if changes.priority else {}
        payload = raising_payload(changes, priorities)
        notes: list[str] = []
        if changes.assignee is not None:
            try:
                screen = self._screens.screen(self._settings.issue_type)
                person = screen.value("assignee", changes.assignee, self._clock.wall()) if screen.rows else None
                payload["fields"]["assignee"] = person or account_of(self._settings, changes.assignee)
            except Unfit as error:
                notes.append(f"assignee: {error}")
        while any(payload.values()):
            answer = self._connection.send_idempotent("PUT", path(issue), payload)
            if answer.status == 204 or (answer.ok and isinstance(answer.json, dict)):
                break
            refused = refused_fields(answer)
            sent = {name for part in payload.values() for name in part}
            if refused and refused.keys() <= sent:
                notes += [f"{name}: {text}" for name, text in refused.items()]
                payload = {
                    key: {name: value for name, value in part.items() if name not in refused}
                    for key, part in payload.items()
                }
                continue
            meaning = refusal(self._connection, self._settings, issue, answer, "EDIT_ISSUES", Sent.AGAIN)
            # An account that may not edit issues may do everything else.
            if not refuses(answer) or not isinstance(meaning, Refused | Misconfigured):
                raise meaning
            notes.append(meaning.reason)
            break
        return "; ".join(notes)

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        """Login, project, issue type, required and mapped fields, permissions, resolutions, fix versions. Creates nothing."""
        findings = check(self._connection, self._settings, self._name, self._clock)
        if all(finding.ok for finding in findings) and routes:
            findings += check_routes(self._connection, self._settings, routes, releases, self._translates, self._clock)
        return findings

    def close(self) -> None:
        """Release the connections; a later call opens new ones."""
        self._connection.close()
