"""A stateful GitHub on loopback: its limits, refusals, redirects and silences, where syncd can meet them."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from tests.fakes import reports
from tests.fakes.github_app import FakeApp, Grant
from tests.fakes.github_graph import query
from tests.fakes.github_records import Account, FakeComment, FakeIssue, FakeRepository, Shapes
from tests.fakes.github_rules import github_now, invalid, refusal, require_fit, require_writable
from tests.fakes.reports import Sender
from tests.fakes.server import Answer, Denied, Fault, Recorded, Routes, ServerBase

TOKEN = "fake-token-0123456789"
PERSON = Account("person", 77)
_API = r"(?:/api/v3)?"  # where an Enterprise Server has it
_STARTS = (_API + r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)", _API + r"/repositories/(?P<id>\d+)")
_FILTERS = {"labels", "creator", "assignee", "mentioned", "since", "milestone", "type"}


def secondary_limit(retry_after: int | None = None) -> Fault:
    """An order to answer the next POST with GitHub's secondary limit."""
    return Fault(
        how="status",
        status=403,
        headers={} if retry_after is None else {"Retry-After": str(retry_after)},
        body={
            "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            "documentation_url": "https://docs.github.com/rest",
        },
    )


class FakeGitHub(ServerBase):
    """GitHub with the token TOKEN and the repository `acme/game`; others by `add_repository`.

    `lag_seconds` hides new issues from unfiltered lists, `filtered_lag_seconds` from filtered ones; reading
    by number never lags. `remaining` is what is left of the primary limit. Without `graphql` that is answered with
    `graphql_status`; `graphql_faults` are the kinds of errors for single numbers, `query_fault` is one for all of a query.
    """

    description = "github"

    def __init__(self) -> None:
        super().__init__()
        self.account = Account("syncd-bot", 501)
        self.accounts = {TOKEN: self.account}
        self.filtered_lag_seconds = 0.0
        self.remaining = 5000
        self.graphql = True
        self.graphql_status = 404
        self.graphql_faults: dict[int, str] = {}
        self.query_fault: str | None = None
        self.reset_at = int(time.time()) + 1800
        self.changes: list[tuple[str, int, str]] = []  # who changed what of which issue
        self.hook: Sender | None = None  # which reports every change of an issue
        self.webhooks_readable = True  # for our token
        self._granted: Grant | None = None  # of the request that runs
        self._last_id = 1000
        self._shapes = Shapes(self.url)
        self._repositories: dict[int, FakeRepository] = {}
        self._former_names: dict[str, int] = {}
        self.repository = self.add_repository("acme/game")
        self.app = FakeApp(self.url, self.repository, lambda: self.now())

    def add_repository(self, full_name: str, **settings: Any) -> FakeRepository:
        """A new, empty repository; it takes over the name of one that was renamed or removed."""
        owner, _, name = full_name.partition("/")
        repository = FakeRepository(self._next_id(), owner, name, **settings)
        self._repositories[repository.id] = repository
        self._former_names.pop(full_name.lower(), None)
        return repository

    def remove(self, repository: FakeRepository) -> None:
        """Delete a repository."""
        del self._repositories[repository.id]

    def rename(self, repository: FakeRepository, name: str) -> None:
        """Rename a repository; its former name redirects from now on."""
        self._former_names[repository.full_name.lower()] = repository.id
        changes = {"repository": {"name": {"from": repository.name}}}
        repository.name = name
        self._report("repository", "renamed", repository, PERSON, changes=changes)

    def transfer(self, repository: FakeRepository, number: int, to: FakeRepository) -> FakeIssue:
        """Move an issue to another repository, where its comments have other ids."""
        with self.lock:
            former = repository.issues[number]
            issue = self.file(to, former.title, former.body, former.author, [])
            issue.created_at = former.created_at
            for comment in former.comments.values():
                self.remark(issue, comment.body, comment.author)
            former.moved_to = f"repositories/{to.id}/issues/{issue.number}"
            shapes = self._shapes
            new = {"new_issue": shapes.issue(to, issue), "new_repository": shapes.repository(to, PERSON)}
            self._report("issues", "transferred", repository, PERSON, former, changes=new)
            old = {
                "old_issue": shapes.issue(repository, former),
                "old_repository": shapes.repository(repository, PERSON),
            }
            self._report("issues", "opened", to, PERSON, issue, changes=old)
        return issue

    def delete_issue(self, issue: FakeIssue) -> None:
        """A person deletes an issue for good."""
        with self.lock:
            issue.deleted = True
            self._report("issues", "deleted", self._home_of(issue), PERSON, issue)

    def file(
        self, repository: FakeRepository, title: str, body: str | None, author: Account, labels: list[str]
    ) -> FakeIssue:
        """An issue as if filed by `author`, with the next number."""
        with self.lock:
            repository.last_number += 1
            issue = FakeIssue(
                self._next_id(), repository.last_number, title, body, author, labels, time.monotonic(), github_now()
            )
            repository.issues[issue.number] = issue
        return issue

    def remark(self, issue: FakeIssue, body: str, author: Account) -> FakeComment:
        """A comment as if written by `author`."""
        with self.lock:
            comment = FakeComment(self._next_id(), body, author)
            issue.comments[comment.id] = comment
            self._touch(issue, author, "comment")
        return comment

    def _touch(self, issue: FakeIssue, who: Account, what: str) -> None:
        """Put down that somebody changed something of an issue."""
        issue.updated_at = github_now()
        self.changes.append((who.login, issue.number, what))
        if what == "comment":
            self._report("issue_comment", "edited", self._home_of(issue), who, issue)
        elif action := self._action(issue, what):
            self._report("issues", action, self._home_of(issue), who, issue)

    def _action(self, issue: FakeIssue, what: str) -> str:
        """The action by which a report calls a change."""
        if what == "state":
            return "closed" if issue.state == "closed" else "reopened"
        if what == "locked":
            return "locked" if issue.locked else "unlocked"
        return {"labels": "labeled", "title": "edited", "body": "edited", "assignees": "assigned"}.get(what, "")

    def _home_of(self, issue: FakeIssue) -> FakeRepository:
        homes = (each for each in self._repositories.values() if each.issues.get(issue.number) is issue)
        return next(homes, self.repository)

    def _report(
        self,
        event: str,
        action: str,
        repository: FakeRepository,
        who: Account,
        issue: FakeIssue | None = None,
        **more: object,
    ) -> None:
        """Report a change to the hook, if there is one."""
        if self.hook is None:
            return
        payload: dict[str, Any] = {"action": action, "repository": self._shapes.repository(repository, who), **more}
        if issue is not None:
            payload["issue"] = self._shapes.issue(repository, issue)
        self.hook.report(event, {**payload, "sender": self._shapes.account(who)})

    def close_issue(
        self,
        issue: FakeIssue,
        reason: str = "completed",
        milestone: str | None = None,
        duplicate_of: FakeIssue | None = None,
        who: Account = PERSON,
    ) -> None:
        """A person closes an issue, and may say in which release it is fixed, or of which one it is a duplicate."""
        with self.lock:
            issue.state, issue.state_reason, issue.closed_at = "closed", reason, github_now()
            issue.milestone = milestone or issue.milestone
            issue.duplicate_of = None if duplicate_of is None else (self.repository, duplicate_of)
            self._touch(issue, who, "state")

    def reopen_issue(self, issue: FakeIssue, who: Account = PERSON) -> None:
        """A person opens an issue again."""
        with self.lock:
            issue.state, issue.state_reason, issue.closed_at = "open", "reopened", None
            self._touch(issue, who, "state")

    def edit_issue(self, issue: FakeIssue, who: Account = PERSON, **fields: Any) -> None:
        """A person changes title, body, labels, assignees, or locks the conversation."""
        with self.lock:
            for name, value in fields.items():
                setattr(issue, name, value)
                self._touch(issue, who, name)

    def erase(self, issue: FakeIssue, comment: FakeComment, who: Account = PERSON) -> None:
        """A person deletes a comment."""
        with self.lock:
            del issue.comments[comment.id]
            self._touch(issue, who, "comment")

    def routes(self) -> Routes:
        inside: list[tuple[str, str, Callable[[FakeRepository, Recorded], Answer]]] = [
            ("GET", r"", self._read_repository),
            ("GET", r"/issues", self._list_issues),
            ("POST", r"/issues", self._create_issue),
            ("GET", r"/milestones", self._list_milestones),
            ("GET", r"/hooks", self._list_hooks),
            ("GET", r"/hooks/1/deliveries", self._list_deliveries),
            ("GET", r"/assignees/(?P<login>[^/]+)", self._read_assignee),
            ("GET", r"/issues/(?P<number>\d+)", self._read_issue),
            ("PATCH", r"/issues/(?P<number>\d+)", self._edit_issue),
            ("POST", r"/issues/(?P<number>\d+)/labels", self._add_labels),
            ("POST", r"/issues/(?P<number>\d+)/assignees", self._add_assignees),
            ("GET", r"/issues/(?P<number>\d+)/comments", self._list_comments),
            ("POST", r"/issues/(?P<number>\d+)/comments", self._create_comment),
            ("GET", r"/issues/comments/(?P<comment>\d+)", self._read_comment),
            ("PATCH", r"/issues/comments/(?P<comment>\d+)", self._edit_comment),
            ("DELETE", r"/issues/comments/(?P<comment>\d+)", self._delete_comment),
        ]
        within = [(method, start + rest, self._within(answer)) for method, rest, answer in inside for start in _STARTS]
        installed = [("GET", start + r"/installation", self._within(self._read_installation)) for start in _STARTS]
        own = [
            ("GET", _API + r"/user", self._read_user),
            ("GET", _API + r"/users/(?P<login>[^/]+)", self._read_account),
            ("POST", r"(?:/api)?/graphql", self._query),
            ("GET", _API + r"/app", lambda _request: self.app.read()),
            ("GET", _API + r"/app/hook/config", self._read_hook_of_app),
            ("GET", _API + r"/app/hook/deliveries", lambda _request: self._deliveries()),
            ("GET", _API + r"/(?P<kind>orgs|users)/(?P<owner>[^/]+)/installation", self._read_installation_of_owner),
            ("POST", _API + r"/app/installations/(?P<installation>\d+)/access_tokens", self._grant),
        ]
        return [*own, *installed, *within]

    def _list_hooks(self, repository: FakeRepository, request: Recorded) -> Answer:
        """Whoever may not read webhooks sees none."""
        if not self.webhooks_readable or self._granted is not None:
            return self.unknown(request)
        elsewhere = {
            "id": 2,
            "active": True,
            "events": ["push"],
            "config": {"url": "https://ci.example/hooks/ci", "content_type": "json"},
        }
        return 200, {}, [elsewhere, *([] if self.hook is None else [reports.listed_on_github(self.hook)])]

    def _list_deliveries(self, repository: FakeRepository, request: Recorded) -> Answer:
        return self._deliveries()

    def _deliveries(self) -> Answer:
        return 200, {}, [] if self.hook is None else reports.deliveries_on_github(self.hook)

    def _read_hook_of_app(self, request: Recorded) -> Answer:
        if self.hook is None:
            return self.unknown(request)
        webhook = reports.listed_on_github(self.hook)
        self.app.events = webhook["events"]
        return 200, {}, webhook["config"]

    def described_path(self, request: Recorded) -> str | None:
        path = re.sub(rf"^{_API}", "", request.path)
        undescribed = re.search(
            r"^/users?\b|^/app\b|^/orgs/|/(graphql|assignees/.*|installation|assignees|hooks|deliveries)$", path
        )
        return None if undescribed else re.sub(r"^/repositories/\d+", "/repos/acme/game", path)

    def unknown(self, request: Recorded) -> Answer:
        return refusal(404, "Not Found")

    def admit(self, request: Recorded) -> Answer | None:
        self._granted = None
        if re.fullmatch(_API + r"(/app(/.*)?|.*/installation)", request.path):
            self.app.require_signature(request)
        elif _token(request) not in self.accounts:
            self._granted = self.app.admit(_token(request), request)
            if self._granted is None:
                return refusal(401, "Bad credentials")
        if self.remaining <= 0:
            return refusal(403, "API rate limit exceeded for user ID 501.")
        self.remaining -= 1
        return None

    def common_headers(self) -> Mapping[str, str]:
        return {
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": str(max(self.remaining, 0)),
            "X-RateLimit-Reset": str(self.reset_at),
            "X-RateLimit-Resource": "core",
        }

    def _author(self, request: Recorded) -> Account:
        return self.accounts.get(_token(request), self.app.account)

    def _read_account(self, request: Recorded) -> Answer:
        accounts = {each.login: each for each in (*self.accounts.values(), self.app.account)}
        account = accounts.get(request.groups["login"])
        return self.unknown(request) if account is None else (200, {}, self._shapes.account(account))

    def _read_installation(self, repository: FakeRepository, _request: Recorded) -> Answer:
        return self.app.find(next((each for each in self.app.installations if each.has(repository)), None))

    def _read_installation_of_owner(self, request: Recorded) -> Answer:
        groups = request.groups
        fits = next((each for each in self.app.installations if each.owner == groups["owner"]), None)
        return self.app.find(fits if groups["kind"] == "orgs" else None)

    def _grant(self, request: Recorded) -> Answer:
        return self.app.grant(request, list(self._repositories.values()))

    def _read_user(self, request: Recorded) -> Answer:
        account = self._author(request)
        if account.app:
            return refusal(403, "Resource not accessible by integration")
        return 200, self._scopes(request), self._shapes.account(account)

    def _scopes(self, request: Recorded) -> dict[str, str]:
        scopes = self._author(request).scopes
        return {} if scopes is None else {"X-OAuth-Scopes": scopes}

    def _within(self, answer: Callable[[FakeRepository, Recorded], Answer]) -> Callable[[Recorded], Answer]:
        """`answer` for the repository of the path, or GitHub's words where that moved or never was."""

        def permitted(repository: FakeRepository, request: Recorded) -> Answer:
            if self._granted is not None:
                inside = "/issues" in request.path or "/milestones" in request.path or "/assignees" in request.path
                permission, level = "issues" if inside else "metadata", "read" if request.method == "GET" else "write"
                self.app.require(self._granted, repository, permission, level)
            return answer(repository, request)

        def answered(request: Recorded) -> Answer:
            groups = request.groups
            if "id" in groups:
                repository = self._repositories.get(int(groups["id"]))
                return permitted(repository, request) if repository and not repository.hidden else self.unknown(request)
            full_name = f"{groups['owner']}/{groups['name']}".lower()
            repository = self._named(full_name)
            if repository is not None:
                return permitted(repository, request)
            if full_name in self._former_names:
                rest = request.path.split("/", 4)[4:]
                return self._moved(request, "/".join(["repositories", str(self._former_names[full_name]), *rest]))
            return self.unknown(request)

        return answered

    def _named(self, full_name: str) -> FakeRepository | None:
        present = (each for each in self._repositories.values() if not each.hidden)
        return next((each for each in present if each.full_name.lower() == full_name.lower()), None)

    def _query(self, request: Recorded) -> Answer:
        if not self.graphql:
            return refusal(self.graphql_status, "Resource not accessible by personal access token")
        variables = request.body["variables"]
        repository = self._named(f"{variables['owner']}/{variables['name']}")
        number = int(variables.get("number", 0))
        if self._granted is not None and (repository is None or repository.id not in self._granted.repositories):
            repository = None
        answered = query(self._shapes, repository, request.body["query"], self.graphql_faults, self.query_fault, number)
        return 200, {"X-RateLimit-Resource": "graphql"}, answered

    def _moved(self, request: Recorded, path: str) -> Answer:
        # GitHub redirects reads with 301 and writes with 307.
        status, message = (301, "Moved Permanently") if request.method == "GET" else (307, "Temporary Redirect")
        base = "/api/v3" if request.path.startswith("/api/v3/") else ""
        url = f"{self.url}{base}/{path}"
        return status, {"Location": url}, {"message": message, "url": url}

    def _read_repository(self, repository: FakeRepository, request: Recorded) -> Answer:
        return 200, self._scopes(request), self._shapes.repository(repository, self._author(request))

    def _list_issues(self, repository: FakeRepository, request: Recorded) -> Answer:
        if not repository.can_read_issues:
            return refusal(403, "Resource not accessible by personal access token")
        query = {name: values[-1] for name, values in request.query.items()}
        lag = self.filtered_lag_seconds if _FILTERS & query.keys() else self.lag_seconds
        labels = set(filter(None, query.get("labels", "").split(",")))
        rows = [
            issue
            for issue in repository.issues.values()
            if issue.here
            and (repository.has_issues or issue.pull_request)  # GitHub describes no 410 for the list
            and self.settled(issue.written, lag)
            and query.get("state", "open") in ("all", issue.state)
            and labels <= set(issue.labels)
            and query.get("creator", issue.author.login) == issue.author.login
            and (issue.updated_at or issue.created_at) >= query.get("since", "")
        ]
        updated = query.get("sort") == "updated"
        rows.sort(
            key=lambda issue: (issue.updated_at or issue.created_at if updated else "", issue.number),
            reverse=query.get("direction", "desc") == "desc",
        )
        answer = self._page(request, [self._shapes.issue(repository, issue) for issue in rows])
        etag = f'W/"{hashlib.sha256(repr(answer).encode()).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            self.remaining += 1  # it costs nothing
            return 304, {"ETag": etag}, None
        return answer[0], {**answer[1], "ETag": etag}, answer[2]

    def _page(self, request: Recorded, everything: list[Any]) -> Answer:
        size = min(int(request.query.get("per_page", ["30"])[-1]), 100)
        page = int(request.query.get("page", ["1"])[-1])
        rows = everything[(page - 1) * size : page * size]
        if page * size >= len(everything):
            return 200, {}, rows
        following = urlencode({**request.query, "page": [page + 1]}, doseq=True)
        return 200, {"Link": f'<{self.url}{request.path}?{following}>; rel="next"'}, rows

    def _create_issue(self, repository: FakeRepository, request: Recorded) -> Answer:
        require_writable(repository)
        require_fit(request.body, "Issue", needed="title")
        if not repository.has_issues:
            return refusal(410, "Issues are disabled for this repo")
        labels = [str(label) for label in request.body.get("labels", [])] if repository.push else []
        title, body = request.body["title"], request.body.get("body")
        assignees = [str(login) for login in request.body.get("assignees", [])]
        unknown = [login for login in assignees if login not in repository.assignable]
        if unknown and not repository.drops_assignees:
            return invalid({"resource": "Issue", "code": "invalid", "field": "assignees", "value": unknown[0]})
        number = request.body.get("milestone")
        if number is not None and not 1 <= number <= len(repository.milestones):
            return invalid({"resource": "Issue", "code": "invalid", "field": "milestone", "value": str(number)})
        issue = self.file(repository, title, body, self._author(request), labels)
        issue.milestone = repository.milestones[number - 1] if number is not None and repository.push else None
        issue.assignees = [login for login in assignees if login in repository.assignable] if repository.push else []
        self._report("issues", "opened", repository, issue.author, issue)
        content = self._shapes.issue(repository, issue)
        return 201, {"Location": content["url"]}, content

    def _read_assignee(self, repository: FakeRepository, request: Recorded) -> Answer:
        return (204, {}, None) if request.groups["login"] in repository.assignable else refusal(404, "Not Found")

    def _list_milestones(self, repository: FakeRepository, request: Recorded) -> Answer:
        size, page = (
            int(request.query.get(name, [default])[0]) for name, default in (("per_page", "30"), ("page", "1"))
        )
        titles = repository.milestones[(page - 1) * size : page * size]
        return 200, {}, [self._shapes.milestone(repository, title) for title in titles]

    def _issue(self, repository: FakeRepository, request: Recorded) -> FakeIssue:
        """The issue of the path. Raises Denied where GitHub has none to give."""
        issue = repository.issues.get(int(request.groups["number"]))
        if not repository.has_issues:
            raise Denied(refusal(410, "Issues are disabled for this repo"))
        if issue is None or issue.discussion or not repository.can_read_issues:
            raise Denied(self.unknown(request))
        if issue.deleted:
            message = "This issue was deleted" if issue.deleted_status == 410 else "Not Found"
            raise Denied(refusal(issue.deleted_status, message))
        if issue.moved_to is not None:
            # GitHub redirects the issue itself, but nothing below it.
            itself = request.path.endswith(f"/issues/{issue.number}")
            raise Denied(self._moved(request, issue.moved_to) if itself else self.unknown(request))
        return issue

    def _read_issue(self, repository: FakeRepository, request: Recorded) -> Answer:
        return 200, {}, self._shapes.issue(repository, self._issue(repository, request))

    def _edit_issue(self, repository: FakeRepository, request: Recorded) -> Answer:
        issue = self._issue(repository, request)
        require_writable(repository)
        require_fit(request.body, "Issue")
        author = self._author(request)
        for name in {"title", "body", "labels"} & request.body.keys():
            setattr(issue, name, request.body[name])
            self._touch(issue, author, name)
        if (number := request.body.get("milestone")) is not None:
            if not 1 <= number <= len(repository.milestones):
                return invalid({"resource": "Issue", "code": "invalid", "field": "milestone", "value": str(number)})
            issue.milestone = repository.milestones[number - 1]
        if request.body.get("state", issue.state) != issue.state:
            if request.body["state"] == "open":
                self.reopen_issue(issue, author)
            else:
                self.close_issue(issue, request.body.get("state_reason", "completed"), who=author)
        return 200, {}, self._shapes.issue(repository, issue)

    def _add_labels(self, repository: FakeRepository, request: Recorded) -> Answer:
        issue = self._issue(repository, request)
        require_writable(repository)
        if not repository.push:
            return self.unknown(request)
        fresh = [label for label in request.body["labels"] if label not in issue.labels]
        issue.labels += fresh
        for _ in fresh:
            self._report("issues", "labeled", repository, self._author(request), issue)
        return 200, {}, [self._shapes.label(repository, label) for label in issue.labels]

    def _add_assignees(self, repository: FakeRepository, request: Recorded) -> Answer:
        issue = self._issue(repository, request)
        require_writable(repository)
        fitting = [login for login in request.body["assignees"] if login in repository.assignable and repository.push]
        issue.assignees += [login for login in fitting if login not in issue.assignees]
        return 201, {}, self._shapes.issue(repository, issue)

    def _list_comments(self, repository: FakeRepository, request: Recorded) -> Answer:
        issue = self._issue(repository, request)
        rows = [self._shapes.comment(repository, issue, comment) for comment in issue.comments.values()]
        return self._page(request, rows)

    def _create_comment(self, repository: FakeRepository, request: Recorded) -> Answer:
        issue = self._issue(repository, request)
        require_writable(repository)
        require_fit(request.body, "IssueComment", needed="body")
        if issue.locked and not repository.push:
            return refusal(403, "Unable to create comment because issue is locked.")
        comment = self.remark(issue, request.body["body"], self._author(request))
        content = self._shapes.comment(repository, issue, comment)
        return 201, {"Location": content["url"]}, content

    def _comment(self, repository: FakeRepository, request: Recorded) -> tuple[FakeIssue, FakeComment]:
        """The comment of the path and its issue. Raises Denied where it is not there."""
        for issue in repository.issues.values():
            comment = issue.comments.get(int(request.groups["comment"]))
            if comment is not None and issue.here and repository.can_read_issues:
                return issue, comment
        raise Denied(self.unknown(request))

    def _read_comment(self, repository: FakeRepository, request: Recorded) -> Answer:
        return 200, {}, self._shapes.comment(repository, *self._comment(repository, request))

    def _edit_comment(self, repository: FakeRepository, request: Recorded) -> Answer:
        issue, comment = self._comment(repository, request)
        require_writable(repository)
        require_fit(request.body, "IssueComment", needed="body")
        comment.body = request.body["body"]
        self._touch(issue, self._author(request), "comment")
        return 200, {}, self._shapes.comment(repository, issue, comment)

    def _delete_comment(self, repository: FakeRepository, request: Recorded) -> Answer:
        issue, comment = self._comment(repository, request)
        require_writable(repository)
        self.erase(issue, comment, self._author(request))
        return 204, {}, None

    def _next_id(self) -> int:
        with self.lock:
            self._last_id += 1
            return self._last_id


def _token(request: Recorded) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() in ("token", "bearer") else ""
