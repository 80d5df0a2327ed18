"""GitHub, as the conformance suite orders it about."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from syncd.config import AppSettings, GitHubSettings, Secret
from syncd.plugin.conformance.world import Event, Item, World
from syncd.render.markers import issue_line
from syncd.trackers import Draft
from tests.fakes.github import PERSON, TOKEN, FakeGitHub, secondary_limit
from tests.fakes.github_app import CLIENT_ID, private_key
from tests.fakes.github_records import FakeIssue, FakeRepository
from tests.fakes.server import Fault
from tests.fakes.specs import check_traffic

_PATHS = {"create": "/issues$", "comment": "/comments$"}


class GitHubWorld(World):
    """The repository acme/game; issues move to acme/other."""

    impossible: ClassVar[Mapping[Event, str]] = {"priorities": "an issue of GitHub has no priority"}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fake = self.stack.enter_context(FakeGitHub())
        self.stack.callback(check_traffic, self.fake)
        self.elsewhere = self.fake.add_repository("acme/other")
        (folder / "token").write_text(TOKEN)

    @property
    def settings(self) -> GitHubSettings:
        token = Secret(file=str(self.folder / "token"))
        return GitHubSettings(kind="github", repository="acme/game", token=token, api_url=self.fake.url, timeout=10.0)

    def items(self) -> list[Item]:
        return [
            Item(
                remote_id=f"{repository.id}/{issue.number}" if repository is self.elsewhere else str(issue.number),
                title=issue.title,
                body=issue.body or "",
                closed=issue.state == "closed",
                comments=tuple(comment.body for comment in issue.comments.values()),
                labels=tuple(issue.labels),
            )
            for repository in (self.fake.repository, self.elsewhere)
            for issue in repository.issues.values()
            if issue.here
        ]

    def _place(self, remote_id: str) -> tuple[FakeRepository, FakeIssue]:
        home, _, number = remote_id.rpartition("/")
        repository = self.elsewhere if home else self.fake.repository
        return repository, repository.issues[int(number)]

    def imitation(self, marker: str) -> str:
        return issue_line(marker)

    def file(self, title: str) -> str:
        return str(self.fake.file(self.fake.repository, title, "It broke.", PERSON, []).number)

    def copy(self, remote_id: str) -> None:
        repository, issue = self._place(remote_id)
        self.fake.file(repository, issue.title, issue.body, PERSON, issue.labels)

    def edit(self, remote_id: str, text: str) -> None:
        _, issue = self._place(remote_id)
        self.fake.edit_issue(issue, body=f"{text}\r\n\r\n{issue.body}\r\n\r\n{text}")

    def close(self, remote_id: str) -> None:
        self.fake.close_issue(self._place(remote_id)[1])

    def reopen(self, remote_id: str) -> None:
        self.fake.reopen_issue(self._place(remote_id)[1])

    def delete(self, remote_id: str) -> None:
        self.fake.delete_issue(self._place(remote_id)[1])

    def move(self, remote_id: str) -> None:
        repository, issue = self._place(remote_id)
        self.fake.transfer(repository, issue.number, self.elsewhere)

    def move_away(self, remote_id: str) -> None:
        self.move(remote_id)
        self.elsewhere.can_file = False

    def unlabel(self, remote_id: str, label: str) -> None:
        issue = self._place(remote_id)[1]
        self.fake.edit_issue(issue, labels=[each for each in issue.labels if each != label])

    def assign(self, remote_id: str, name: str | None) -> None:
        self.fake.edit_issue(self._place(remote_id)[1], assignees=[] if name is None else [name])

    def comment(self, remote_id: str, text: str) -> None:
        self.fake.remark(self._place(remote_id)[1], text, PERSON)

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        _, issue = self._place(remote_id)
        self.fake.erase(issue, issue.comments[int(comment_id)])

    def bar_reopening(self, remote_id: str) -> None:
        body = {"message": "Validation Failed", "errors": [{"field": "state", "code": "invalid"}]}
        self.fake.inject(Fault(how="status", method="PATCH", path=f"/issues/{remote_id}$", status=422, body=body))

    bar_closing = bar_reopening

    def lose(self, call: Literal["create", "comment"], when: Literal["before", "after"]) -> None:
        self.fake.inject(Fault(how="reset_before" if when == "before" else "reset_after", path=_PATHS[call]))

    def lag(self) -> None:
        self.fake.lag_seconds = self.fake.filtered_lag_seconds = 3600.0

    def throttle(self) -> None:
        self.fake.inject(secondary_limit(17))

    def refuse(self, draft: Draft) -> None:
        body = {"message": "Validation Failed", "errors": [{"field": "title", "code": "invalid"}]}
        self.fake.inject(Fault(how="status", path=_PATHS["create"], status=422, body=body))

    def revoke(self) -> None:
        self.fake.accounts.clear()

    def shut(self) -> None:
        self.fake.close()


class GitHubAppWorld(GitHubWorld):
    """The same for a GitHub App, each of whose tokens ends after five requests."""

    impossible: ClassVar[Mapping[Event, str]] = {
        **GitHubWorld.impossible,
        "move": "a token of the App reaches no repository but its own",
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fake.app.uses = 5
        (folder / "key").write_text(private_key())

    @property
    def settings(self) -> GitHubSettings:
        app = AppSettings(id=CLIENT_ID, key=Secret(file=str(self.folder / "key")))
        return GitHubSettings(kind="github", repository="acme/game", app=app, api_url=self.fake.url, timeout=10.0)

    def lose(self, call: Literal["create", "comment"], when: Literal["before", "after"]) -> None:
        # A refused request is not carried out: the one that is lost has a token that lasts.
        for grant in self.fake.app.grants.values():
            grant.uses = None
        super().lose(call, when)

    def revoke(self) -> None:
        self.fake.app.keys.clear()
        self.fake.app.expire()
