"""Jira Cloud and Jira Data Center, as the conformance suite orders them about."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from syncd.config import JiraSettings
from syncd.plugin.conformance.world import Event, Item, World
from syncd.trackers import Draft
from syncd.trackers.jira.fields import marker_line
from tests.fakes.jira import EMAIL, TOKEN, FakeJira, FakeJiraCloud, FakeJiraDataCenter, FakeJiraGateway
from tests.fakes.jira_oauth import CLIENT_ID, FakeJiraDataCenterOAuth, FakeJiraGatewayOAuth, OAuthSite
from tests.fakes.jira_rules import FakeIssue
from tests.fakes.server import Fault
from tests.fakes.specs import check_traffic

_PATHS = {"create": "/issue$", "comment": "/comment$"}


class JiraWorld(World):
    """The project CRASH; issues move to TRIAGE, or out of sight to SECRET."""

    impossible: ClassVar[Mapping[Event, str]] = {}
    deployment: ClassVar[type[FakeJira]]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fake = self.stack.enter_context(self.deployment())
        self.stack.callback(check_traffic, self.fake)
        (folder / "token").write_text(TOKEN)

    @property
    def settings(self) -> JiraSettings:
        cloud = issubclass(self.deployment, FakeJiraCloud)
        gateway = {"cloud_id": "auto", "gateway": self.fake.url} if issubclass(self.deployment, FakeJiraGateway) else {}
        return JiraSettings.model_validate(
            {
                "kind": "jira",
                "deployment": "cloud" if cloud else "datacenter",
                "url": self.fake.url,
                "project": "CRASH",
                "timeout": 10.0,
                **self.login(cloud),
                **gateway,
            }
        )

    def login(self, cloud: bool) -> dict[str, Any]:
        """The keys of the login."""
        return {"token": {"file": str(self.folder / "token")}, "email": EMAIL if cloud else None}

    def items(self) -> list[Item]:
        return [
            Item(
                remote_id=issue.id,
                title=issue.fields["summary"],
                body=_text(issue.fields["description"]),
                closed=issue.fields["status"]["statusCategory"]["key"] == "done",
                comments=tuple(_text(comment.body) for comment in issue.comments.values()),
                labels=tuple(issue.labels),
                priority=(issue.fields.get("priority") or {}).get("name", ""),
            )
            for issue in self.fake.issues.values()
        ]

    def _issue(self, remote_id: str) -> FakeIssue:
        issue = self.fake.by_name(remote_id)
        assert issue is not None
        return issue

    def imitation(self, marker: str) -> str:
        return marker_line(marker, "issue")

    def file(self, title: str) -> str:
        return self.fake.file(title).id

    def copy(self, remote_id: str) -> None:
        self.fake.clone(self._issue(remote_id).key)

    def edit(self, remote_id: str, text: str) -> None:
        issue = self._issue(remote_id)
        before = issue.fields["description"]
        if isinstance(before, str):
            after: Any = f"{text}\n\n{before}"
        else:
            after = {**before, "content": [*before["content"], _paragraph(text)]}
        self.fake.edit_issue(issue.key, description=after)

    def close(self, remote_id: str) -> None:
        self.fake.close_issue(self._issue(remote_id).key)

    def reopen(self, remote_id: str) -> None:
        self.fake.reopen_issue(self._issue(remote_id).key)

    def delete(self, remote_id: str) -> None:
        self.fake.delete(self._issue(remote_id).key)

    def move(self, remote_id: str) -> None:
        self.fake.move(self._issue(remote_id).key, "TRIAGE")

    def move_away(self, remote_id: str) -> None:
        self.fake.move(self._issue(remote_id).key, "SECRET")
        self.fake.elsewhere["SECRET"] = {"BROWSE_PROJECTS"}

    def unlabel(self, remote_id: str, label: str) -> None:
        issue = self._issue(remote_id)
        self.fake.edit_issue(issue.key, labels=[each for each in issue.labels if each != label])

    def assign(self, remote_id: str, name: str | None) -> None:
        account = None if name is None else self.fake.user(name) | {"emailAddress": f"{name}@example.com"}
        self.fake.edit_issue(self._issue(remote_id).key, assignee=account)

    def prioritise(self, remote_id: str, priority: str) -> None:
        self.fake.edit_issue(self._issue(remote_id).key, priority=self.fake.priority(priority))

    def comment(self, remote_id: str, text: str) -> None:
        body = text if issubclass(self.deployment, FakeJiraDataCenter) else _document(text)
        self.fake.add_comment(self._issue(remote_id).key, "ada", body)

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        issue = self._issue(remote_id)
        self.fake.erase(issue.key, issue.comments[comment_id])

    def bar_reopening(self, remote_id: str) -> None:
        self.fake.ways = {"Done": []}

    def bar_closing(self, remote_id: str) -> None:
        self.fake.ways = {"To Do": []}

    def lose(self, call: Literal["create", "comment"], when: Literal["before", "after"]) -> None:
        self.fake.inject(Fault(how="reset_before" if when == "before" else "reset_after", path=_PATHS[call]))

    def lag(self) -> None:
        self.fake.lag_seconds = 3600.0

    def throttle(self) -> None:
        self.fake.inject(Fault(how="status", path=_PATHS["create"], status=429, headers={"Retry-After": "17"}))

    def refuse(self, draft: Draft) -> None:
        body = {"errorMessages": [], "errors": {"summary": "The summary is invalid."}}
        self.fake.inject(Fault(how="status", path=_PATHS["create"], status=400, body=body))

    def revoke(self) -> None:
        self.fake.token = "another-token"

    def shut(self) -> None:
        self.fake.close()


class CloudWorld(JiraWorld):
    """Jira Cloud."""

    deployment = FakeJiraCloud


class GatewayWorld(CloudWorld):
    """Jira Cloud with a token that only the gateway takes."""

    deployment = FakeJiraGateway


class DataCenterWorld(JiraWorld):
    """Jira Data Center."""

    deployment = FakeJiraDataCenter


class OAuthWorld(JiraWorld):
    """A deployment with the OAuth client of a service account."""

    fake: OAuthSite

    def login(self, cloud: bool) -> dict[str, Any]:
        (self.folder / "secret").write_text(self.fake.client_secret)
        client = {"id": CLIENT_ID, "secret": {"file": str(self.folder / "secret")}}
        return {"oauth": client | ({"url": f"{self.fake.url}/oauth/token"} if cloud else {})}

    def revoke(self) -> None:
        self.fake.client_secret = "another-secret"
        self.fake.expire()


class CloudOAuthWorld(OAuthWorld):
    """Jira Cloud."""

    deployment = FakeJiraGatewayOAuth


class DataCenterOAuthWorld(OAuthWorld):
    """Jira Data Center."""

    deployment = FakeJiraDataCenterOAuth


def _paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": [{"type": "text", "text": text}]}


def _document(text: str) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": [_paragraph(text)]}


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
