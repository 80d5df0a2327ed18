"""The records of the fake GitHub, and their JSON."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Account:
    """The account of a token. An `app` cannot read its own account; `scopes` are those of a classic token."""

    login: str
    id: int
    app: bool = False
    scopes: str | None = None


@dataclass
class FakeComment:
    """One comment."""

    id: int
    body: str
    author: Account


@dataclass
class FakeIssue:
    """One issue or pull request. `written` is the time of its commit, by the monotonic clock."""

    id: int
    number: int
    title: str
    body: str | None
    author: Account
    labels: list[str]
    written: float
    created_at: str
    comments: dict[int, FakeComment] = field(default_factory=dict)
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    updated_at: str = ""
    milestone: str | None = None
    assignees: list[str] = field(default_factory=list)
    duplicate_of: "tuple[FakeRepository, FakeIssue] | None" = None
    locked: bool = False
    deleted: bool = False
    deleted_status: int = 410  # or 404
    moved_to: str | None = None
    pull_request: bool = False
    discussion: bool = False  # has a number of its own, and is no issue

    @property
    def here(self) -> bool:
        """True if it is an issue or pull request of this repository."""
        return not (self.deleted or self.discussion or self.moved_to)


@dataclass
class FakeRepository:
    """One repository. Without `push` it drops labels in silence; without `can_file` it takes no issues. Without
    `can_read_issues` lists of them are forbidden and each of them is hidden; when it is `hidden`, all of it is."""

    id: int
    owner: str
    name: str
    private: bool = True
    push: bool = True
    can_file: bool = True
    can_read_issues: bool = True
    hidden: bool = False
    tells_discussions: bool = True  # to the token's queries
    archived: bool = False
    disabled: bool = False
    has_issues: bool = True
    assignable: tuple[str, ...] = ("alice", "bob")
    drops_assignees: bool = False  # in silence, where they are not assignable
    milestones: list[str] = field(default_factory=list)  # the open ones, by number from 1 on
    last_number: int = 0
    issues: dict[int, FakeIssue] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


class Shapes:
    """GitHub's JSON of each record, with addresses below `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def repository(self, repository: FakeRepository, reader: Account) -> dict[str, Any]:
        """The fields that syncd uses, and some more. An app's token gets no permissions."""
        permissions = {"admin": False, "push": repository.push, "triage": repository.push, "pull": True}
        return {
            "id": repository.id,
            "node_id": f"R_{repository.id}",
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "visibility": "private" if repository.private else "public",
            "owner": self.account(Account(repository.owner, 7)),
            "html_url": f"{self._url}/{repository.full_name}",
            "url": self._api(repository),
            "archived": repository.archived,
            "disabled": repository.disabled,
            "has_issues": repository.has_issues,
            **({} if reader.app else {"permissions": permissions}),
        }

    def issue(self, repository: FakeRepository, issue: FakeIssue) -> dict[str, Any]:
        page = f"{self._url}/{repository.full_name}/issues/{issue.number}"
        url = f"{self._api(repository)}/issues/{issue.number}"
        links = {"url": page, "html_url": page, "diff_url": page, "patch_url": page}
        return {
            "id": issue.id,
            "node_id": f"I_{issue.id}",
            "number": issue.number,
            "url": url,
            "html_url": page,
            "repository_url": self._api(repository),
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "title": issue.title,
            "body": issue.body,
            "user": self.account(issue.author),
            "labels": [self.label(repository, label) for label in issue.labels],
            "state": issue.state,
            "state_reason": issue.state_reason,
            "locked": issue.locked,
            "assignee": self.account(Account(issue.assignees[0], 8)) if issue.assignees else None,
            "assignees": [self.account(Account(login, 8)) for login in issue.assignees],
            "milestone": self.milestone(repository, issue.milestone) if issue.milestone else None,
            "comments": len(issue.comments),
            "created_at": issue.created_at,
            "updated_at": issue.updated_at or issue.created_at,
            "closed_at": issue.closed_at,
            "author_association": "MEMBER",
            **({"pull_request": links} if issue.pull_request else {}),
        }

    def milestone(self, repository: FakeRepository, title: str) -> dict[str, Any]:
        number = repository.milestones.index(title) + 1 if title in repository.milestones else 1
        url = f"{self._api(repository)}/milestones/{number}"
        return {
            "url": url,
            "html_url": url,
            "labels_url": f"{url}/labels",
            "id": number,
            "node_id": f"M_{number}",
            "number": number,
            "state": "open",
            "title": title,
            "description": None,
            "creator": self.account(Account(repository.owner, 7)),
            "open_issues": 1,
            "closed_issues": 0,
            "created_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-01T00:00:00Z",
            "closed_at": None,
            "due_on": None,
        }

    def comment(self, repository: FakeRepository, issue: FakeIssue, comment: FakeComment) -> dict[str, Any]:
        page = f"{self._url}/{repository.full_name}/issues/{issue.number}"
        return {
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "url": f"{self._api(repository)}/issues/comments/{comment.id}",
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{self._api(repository)}/issues/{issue.number}",
            "body": comment.body,
            "user": self.account(comment.author),
            "created_at": issue.created_at,
            "updated_at": issue.created_at,
            "author_association": "MEMBER",
        }

    def label(self, repository: FakeRepository, label: str) -> dict[str, Any]:
        return {
            "id": 1,
            "node_id": "LA_1",
            "url": f"{self._api(repository)}/labels/{label}",
            "name": label,
            "description": None,
            "color": "ededed",
            "default": False,
        }

    def account(self, account: Account) -> dict[str, Any]:
        url = f"{self._url}/users/{account.login}"
        lists = ("followers", "following", "gists", "starred", "subscriptions", "events", "received_events")
        return {
            "login": account.login,
            "id": account.id,
            "node_id": f"U_{account.id}",
            "gravatar_id": "",
            "url": url,
            "avatar_url": f"{self._url}/avatars/{account.id}",
            "html_url": f"{self._url}/{account.login}",
            "type": "Bot" if account.app else "User",
            "site_admin": False,
            "organizations_url": f"{url}/orgs",
            "repos_url": f"{url}/repos",
            **{f"{name}_url": f"{url}/{name}" for name in lists},
        }

    def _api(self, repository: FakeRepository) -> str:
        return f"{self._url}/repos/{repository.full_name}"
