"""GitLab, as the conformance suite orders it about."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from syncd.plugin import Draft, Secret, issue_line
from syncd.plugin.conformance import Event, Fault, Item, World
from syncd.plugins.gitlab.settings import GitLabSettings
from tests.fakes.gitlab import TOKEN, FakeGitLab, FakeIssue, FakeProject, User

_PATHS = {"create": "/issues$", "comment": "/notes$"}


class GitLabWorld(World):
    """The project acme/game; issues move to acme/other."""

    impossible: ClassVar[Mapping[Event, str]] = {"priorities": "an issue of GitLab has no priority"}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fake = self.stack.enter_context(FakeGitLab())
        self.elsewhere = self.fake.add_project("acme/other")
        (folder / "token").write_text(TOKEN)

    @property
    def settings(self) -> GitLabSettings:
        token = Secret(file=str(self.folder / "token"))
        return GitLabSettings(kind="gitlab", project="acme/game", token=token, url=self.fake.url, timeout=10.0)

    def items(self) -> list[Item]:
        return [
            Item(
                remote_id=f"{project.id}/{issue.iid}" if project is self.elsewhere else str(issue.iid),
                title=issue.title,
                body=issue.description,
                closed=issue.state == "closed",
                comments=tuple(note.body for note in issue.notes if not note.system),
                labels=tuple(issue.labels),
            )
            for project in (self.fake.project, self.elsewhere)
            for issue in project.issues.values()
            if not issue.deleted and issue.moved_to is None
        ]

    def issue(self, remote_id: str) -> FakeIssue:
        home, _, number = remote_id.rpartition("/")
        project: FakeProject = self.elsewhere if home else self.fake.project
        return project.issues[int(number)]

    def imitation(self, marker: str) -> str:
        return issue_line(marker)

    def file(self, title: str) -> str:
        return str(self.fake.file(self.fake.project, self.fake.person, title, "It broke.").iid)

    def copy(self, remote_id: str) -> None:
        issue = self.issue(remote_id)
        self.fake.file(issue.project, self.fake.person, issue.title, issue.description)

    def edit(self, remote_id: str, text: str) -> None:
        issue = self.issue(remote_id)
        issue.description = f"{text}\r\n\r\n{issue.description}\r\n\r\n{text}"

    def close(self, remote_id: str) -> None:
        self.fake.set_state(self.issue(remote_id), "closed")

    def reopen(self, remote_id: str) -> None:
        self.fake.set_state(self.issue(remote_id), "opened")

    def delete(self, remote_id: str) -> None:
        self.issue(remote_id).deleted = True

    def move(self, remote_id: str) -> None:
        self.fake.move(self.issue(remote_id), self.elsewhere)

    def move_away(self, remote_id: str) -> None:
        self.move(remote_id)
        self.elsewhere.archived = True

    def unlabel(self, remote_id: str, label: str) -> None:
        self.issue(remote_id).labels.remove(label)

    def assign(self, remote_id: str, name: str | None) -> None:
        self.issue(remote_id).assignees = [] if name is None else [User(99, name)]

    def comment(self, remote_id: str, text: str) -> None:
        self.fake.remark(self.issue(remote_id), self.fake.person, text)

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        issue = self.issue(remote_id)
        issue.notes = [note for note in issue.notes if str(note.id) != comment_id]

    def bar_reopening(self, remote_id: str) -> None:
        self.fake.project.barred.add(int(remote_id))

    bar_closing = bar_reopening

    def lose(self, call: Literal["create", "comment"], when: Literal["before", "after"]) -> None:
        self.fake.inject(Fault(how="reset_before" if when == "before" else "reset_after", path=_PATHS[call]))

    def lag(self) -> None:
        self.fake.lag_seconds = 3600.0

    def throttle(self) -> None:
        headers = {"Retry-After": "17", "Content-Type": "text/plain"}
        self.fake.inject(Fault(how="status", path=_PATHS["create"], status=429, headers=headers, body=b"Retry later\n"))

    def refuse(self, draft: Draft) -> None:
        body = {"message": {"description": ["is not valid"]}}
        self.fake.inject(Fault(how="status", path=_PATHS["create"], status=400, body=body))

    def revoke(self) -> None:
        self.fake.tokens.clear()

    def shut(self) -> None:
        self.fake.close()
