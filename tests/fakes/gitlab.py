"""GitLab on loopback: projects, issues and notes with their rules, as docs.gitlab.com describes the REST API v4.

No registry has GitLab's API description, so no judge but these rules reads the requests: a key that the documentation of an operation does
not name is refused.
"""

import itertools
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from syncd.plugin.conformance import Answer, Denied, Recorded, Routes, ServerBase

TOKEN = "glpat-aB3dE6gH9jK2mN5pQ8sT"
GUEST, PLANNER, REPORTER, DEVELOPER = 10, 15, 20, 30
ISSUE_TYPES = ("issue", "incident", "test_case", "task")
# docs.gitlab.com/api/issues, "Create an issue" and "Update an issue", without what syncd has no use for.
_CREATED = {"title", "description", "labels", "issue_type", "confidential", "assignee_ids", "milestone_id"}
_UPDATED = {"state_event", "add_labels", "assignee_ids", "milestone_id"}
_LISTED = {"iids[]", "state", "order_by", "sort", "per_page", "page"}
# A code block as the extractor of quick actions recognises it.
_CODE = re.compile(r"^```.+?\n```$", re.MULTILINE | re.DOTALL)


@dataclass
class User:
    """An account."""

    id: int
    username: str

    def shape(self) -> dict[str, object]:
        return {"id": self.id, "username": self.username, "name": self.username.title(), "state": "active"}


@dataclass
class FakeNote:
    """A comment. `system`: GitLab wrote it."""

    id: int
    author: User
    body: str
    system: bool = False

    def shape(self) -> dict[str, object]:
        return {
            "id": self.id,
            "body": self.body,
            "author": self.author.shape(),
            "system": self.system,
            "noteable_type": "Issue",
        }


@dataclass
class FakeIssue:
    """An issue at one place: a move closes it and leaves it there, and makes another one."""

    id: int
    iid: int
    project: "FakeProject"
    author: User
    title: str
    description: str
    at: float
    labels: list[str] = field(default_factory=list)
    issue_type: str = "issue"
    confidential: bool = False
    state: str = "opened"
    closed_at: float | None = None
    changed_at: float = 0.0
    assignees: list[User] = field(default_factory=list)
    milestone: str | None = None
    notes: list[FakeNote] = field(default_factory=list)
    moved_to: "FakeIssue | None" = None
    duplicate_of: "FakeIssue | None" = None
    deleted: bool = False
    written: float = field(default_factory=time.monotonic)


@dataclass
class FakeProject:
    """A project. `role` is that of every token; `barred` are the numbers of issues whose state nobody can change."""

    id: int
    path: str
    visibility: str = "private"
    role: int | None = DEVELOPER
    archived: bool = False
    issues_enabled: bool = True
    hidden: bool = False
    issues: dict[int, FakeIssue] = field(default_factory=dict)
    milestones: list[str] = field(default_factory=list)
    barred: set[int] = field(default_factory=set)

    def shape(self) -> dict[str, object]:
        access = None if self.role is None else {"access_level": self.role, "notification_level": 3}
        return {
            "id": self.id,
            "path_with_namespace": self.path,
            "visibility": self.visibility,
            "archived": self.archived,
            "issues_enabled": self.issues_enabled,
            "issues_access_level": "enabled" if self.issues_enabled else "disabled",
            "permissions": {"project_access": access, "group_access": None},
        }


class FakeGitLab(ServerBase):
    """One account with one token, and the project acme/game."""

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(9001)
        self.account = User(7, "project_42_bot")
        self.person = User(8, "ada")
        self.users = [self.account, self.person, User(9, "grace")]
        self.tokens = {TOKEN: self.account}
        self.scopes = ["api"]
        self.graphql = True
        self.projects: list[FakeProject] = []
        self.project = self.add_project("acme/game")

    def add_project(self, path: str) -> FakeProject:
        project = FakeProject(42 + len(self.projects), path)
        self.projects.append(project)
        return project

    # What people do.

    def file(self, project: FakeProject, author: User, title: str, description: str, **more: Any) -> FakeIssue:
        """An issue with the next number of the project."""
        with self.lock:
            number = max(project.issues, default=0) + 1
            at = self.now()
            issue = FakeIssue(next(self._ids), number, project, author, title, description, at, changed_at=at, **more)
            project.issues[number] = issue
            self._act(issue, description)
            return issue

    def set_state(self, issue: FakeIssue, state: str) -> None:
        issue.state, issue.changed_at = state, self.now()
        issue.closed_at = self.now() if state == "closed" else None

    def remark(self, issue: FakeIssue, author: User, body: str) -> FakeNote:
        with self.lock:
            note = FakeNote(next(self._ids), author, body)
            issue.notes.append(note)
            self._act(issue, body)
            return note

    def move(self, issue: FakeIssue, target: FakeProject) -> FakeIssue:
        """Close the issue, and open one like it, with its author and its notes, in another project."""
        with self.lock:
            moved = self.file(target, issue.author, issue.title, issue.description, labels=[*issue.labels])
            moved.notes = [FakeNote(next(self._ids), note.author, note.body) for note in issue.notes]
            self.set_state(issue, "closed")
            issue.moved_to = moved
            issue.notes.append(
                FakeNote(next(self._ids), self.person, f"moved to {target.path}#{moved.iid}", system=True)
            )
            return moved

    def _act(self, issue: FakeIssue, text: str) -> None:
        """Carry out the quick action `/close` of a text, outside of what looks like a code block."""
        if re.search(r"^\s*/close\s*$", _CODE.sub("", text), re.MULTILINE):
            self.set_state(issue, "closed")

    # The API.

    def routes(self) -> Routes:
        project = r"/api/v4/projects/(?P<project>\d+|[a-z]\w*(?:/\w+)+?)"
        issue = project + r"/issues/(?P<iid>\d+)"
        return [
            ("GET", "/api/v4/version", lambda _: (200, {}, {"version": "18.5.0", "revision": "0"})),
            ("GET", "/api/v4/user", lambda request: (200, {}, self._account(request).shape())),
            ("GET", "/api/v4/users", self._find_users),
            ("GET", "/api/v4/personal_access_tokens/self", self._token),
            ("POST", "/api/graphql", self._query),
            ("GET", project + "/issues", self._list),
            ("POST", project + "/issues", self._create),
            ("GET", issue, lambda request: (200, {}, self._shape(self._issue(request)))),
            ("PUT", issue, self._update),
            ("GET", issue + "/notes", self._notes),
            ("POST", issue + "/notes", self._add_note),
            ("GET", issue + r"/notes/(?P<note>\d+)", lambda request: (200, {}, self._note(request).shape())),
            ("PUT", issue + r"/notes/(?P<note>\d+)", self._edit_note),
            ("GET", project + "/milestones", self._milestones),
            ("GET", project, lambda request: (200, {}, self._project(request).shape())),
        ]

    def unknown(self, request: Recorded) -> Answer:
        return 404, {}, {"error": "404 Not Found"}

    def admit(self, request: Recorded) -> Answer | None:
        lets_in = request.headers.get("private-token") in self.tokens
        return None if lets_in else (401, {}, {"message": "401 Unauthorized"})

    def _account(self, request: Recorded) -> User:
        return self.tokens[request.headers["private-token"]]

    def _find_users(self, request: Recorded) -> Answer:
        name = request.query["username"][0].lower()
        return 200, {}, [user.shape() for user in self.users if user.username.lower() == name]

    def _token(self, request: Recorded) -> Answer:
        return 200, {}, {"id": 3, "name": "syncd", "scopes": self.scopes, "expires_at": "2027-01-31", "active": True}

    def _project(self, request: Recorded) -> FakeProject:
        name = request.groups["project"]
        for project in self.projects:
            if name in (str(project.id), project.path) and not project.hidden:
                return project
        raise Denied((404, {}, {"message": "404 Project Not Found"}))

    def _visible(self, request: Recorded, project: FakeProject, issue: FakeIssue) -> bool:
        reads = (project.role or DEVELOPER) >= PLANNER or issue.author is self._account(request)
        return not issue.deleted and (reads or not issue.confidential)

    def _issue(self, request: Recorded) -> FakeIssue:
        project = self._project(request)
        issue = project.issues.get(int(request.groups["iid"]))
        if issue is None or not project.issues_enabled or not self._visible(request, project, issue):
            raise Denied((404, {}, {"message": "404 Not found"}))
        return issue

    def _require_write(self, project: FakeProject, role: int = GUEST) -> None:
        if project.archived or (project.role or DEVELOPER) < role:
            raise Denied((403, {}, {"message": "403 Forbidden"}))

    def _list(self, request: Recorded) -> Answer:
        project, query = self._project(request), {key: values[0] for key, values in request.query.items()}
        if not project.issues_enabled:
            return 403, {}, {"message": "403 Forbidden"}
        self._require_keys(request.query, _LISTED)
        numbers = {int(each) for each in request.query.get("iids[]", [])}
        issues = [
            issue
            for number, issue in project.issues.items()
            if (not numbers or number in numbers) and self._visible(request, project, issue)
            if self.settled(issue.written, self.lag_seconds)
        ]
        issues.sort(key=lambda issue: (issue.at, issue.iid), reverse=query.get("sort", "desc") == "desc")
        return 200, {}, [self._shape(issue) for issue in _page(query, issues)]

    def _create(self, request: Recorded) -> Answer:
        project, body = self._project(request), request.body
        self._require_write(project)
        self._require_keys(body, _CREATED)
        if not project.issues_enabled:
            return 403, {}, {"message": "403 Forbidden"}
        if not body["title"] or len(body["title"]) > 255:
            return 400, {}, {"message": {"title": ["is too long (maximum is 255 characters)"]}}
        if body.get("issue_type", "issue") not in ISSUE_TYPES:
            return 400, {}, {"error": "issue_type does not have a valid value"}
        sets = (project.role or DEVELOPER) >= PLANNER
        issue = self.file(
            project,
            self._account(request),
            body["title"].strip(),
            body.get("description", ""),
            labels=_names(body.get("labels", "")) if sets else [],
            issue_type=body.get("issue_type", "issue"),
            confidential=body.get("confidential", False),
            assignees=[user for user in self.users if user.id in body.get("assignee_ids", [])] if sets else [],
            milestone=self._milestone(project, body),
        )
        return 201, {}, self._shape(issue)

    def _milestone(self, project: FakeProject, body: dict[str, Any]) -> str | None:
        return project.milestones[body["milestone_id"] - 1] if "milestone_id" in body else None

    def _update(self, request: Recorded) -> Answer:
        issue, body = self._issue(request), request.body
        project = issue.project
        self._require_write(project, GUEST if issue.author is self._account(request) else PLANNER)
        self._require_keys(body, _UPDATED)
        if "state_event" in body:
            if issue.iid in project.barred:
                return 403, {}, {"message": "403 Forbidden"}
            self.set_state(issue, {"close": "closed", "reopen": "opened"}[body["state_event"]])
        issue.labels += [each for each in _names(body.get("add_labels", "")) if each not in issue.labels]
        if "assignee_ids" in body:
            issue.assignees = [user for user in self.users if user.id in body["assignee_ids"]]
        issue.milestone = self._milestone(project, body) or issue.milestone
        return 200, {}, self._shape(issue)

    def _notes(self, request: Recorded) -> Answer:
        issue, query = self._issue(request), {key: values[0] for key, values in request.query.items()}
        self._require_keys(request.query, {"order_by", "sort", "per_page", "page"})
        notes = issue.notes if query.get("sort", "desc") == "asc" else issue.notes[::-1]
        return 200, {}, [note.shape() for note in _page(query, notes)]

    def _add_note(self, request: Recorded) -> Answer:
        issue = self._issue(request)
        self._require_write(issue.project)
        self._require_keys(request.body, {"body"})
        return 201, {}, self.remark(issue, self._account(request), request.body["body"]).shape()

    def _note(self, request: Recorded) -> FakeNote:
        for note in self._issue(request).notes:
            if note.id == int(request.groups["note"]):
                return note
        raise Denied((404, {}, {"message": "404 Not found"}))

    def _edit_note(self, request: Recorded) -> Answer:
        note = self._note(request)
        self._require_write(self._project(request))
        if note.author is not self._account(request):
            return 403, {}, {"message": "403 Forbidden"}
        self._require_keys(request.body, {"body"})
        note.body = request.body["body"]
        return 200, {}, note.shape()

    def _milestones(self, request: Recorded) -> Answer:
        titles = self._project(request).milestones
        wanted = request.query.get("title")
        listed = [
            {"id": number, "title": title, "state": "active"}
            for number, title in enumerate(titles, start=1)
            if not wanted or title == wanted[0]
        ]
        return 200, {}, _page({key: values[0] for key, values in request.query.items()}, listed)

    def _query(self, request: Recorded) -> Answer:
        """The one query that syncd sends: an issue by its global id."""
        if not self.graphql:
            return 403, {}, {"errors": [{"message": "API not accessible for user"}]}
        wanted = request.body["variables"]["id"]
        for project in self.projects:
            for issue in project.issues.values():
                if wanted == f"gid://gitlab/Issue/{issue.id}" and not project.hidden and not issue.deleted:
                    return 200, {}, {"data": {"issue": {"iid": str(issue.iid), "projectId": project.id}}}
        return 200, {}, {"data": {"issue": None}}

    def _require_keys(self, given: Any, described: set[str]) -> None:
        if unknown := set(given) - described:
            raise Denied((400, {}, {"error": f"{', '.join(sorted(unknown))} is no parameter"}))

    def _shape(self, issue: FakeIssue) -> dict[str, object]:
        path = issue.project.path
        original = issue.duplicate_of
        return {
            "id": issue.id,
            "iid": issue.iid,
            "project_id": issue.project.id,
            "title": issue.title,
            "description": issue.description,
            "state": issue.state,
            "author": issue.author.shape(),
            "labels": issue.labels,
            "milestone": None if issue.milestone is None else {"id": 1, "title": issue.milestone, "state": "active"},
            "assignees": [user.shape() for user in issue.assignees],
            "created_at": _iso(issue.at),
            "updated_at": _iso(issue.changed_at),
            "closed_at": None if issue.closed_at is None else _iso(issue.closed_at),
            "moved_to_id": None if issue.moved_to is None else issue.moved_to.id,
            "confidential": issue.confidential,
            "discussion_locked": None,
            "issue_type": issue.issue_type,
            "web_url": f"{self.url}/{path}/-/issues/{issue.iid}",
            "references": {"short": f"#{issue.iid}", "relative": f"#{issue.iid}", "full": f"{path}#{issue.iid}"},
            "_links": {
                "closed_as_duplicate_of": original
                and f"{self.url}/api/v4/projects/{original.project.id}/issues/{original.iid}"
            },
        }


def _page(query: dict[str, str], rows: list[Any]) -> list[Any]:
    size = min(int(query.get("per_page", "20")), 100)
    start = (int(query.get("page", "1")) - 1) * size
    return rows[start : start + size]


def _names(labels: str) -> list[str]:
    return list(dict.fromkeys(each.strip() for each in labels.split(",") if each.strip()))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
