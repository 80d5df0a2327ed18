"""People who change and read issues, for each kind of tracker with its fake."""

import json
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.github import FakeGitHub
from tests.fakes.github_records import FakeIssue as GitHubIssue
from tests.fakes.jira import FakeJira
from tests.fakes.jira_rules import FakeIssue as JiraIssue
from tests.system.kinds import Kind

STATUS = "syncd keeps these numbers current"  # in every status comment of a crash


@dataclass(frozen=True, slots=True)
class Observation:
    """An issue as people see it: open or not, all comments, and what is theirs to change."""

    title: str
    open: bool
    comments: tuple[str, ...]
    theirs: tuple[Any, ...]


class People(ABC):
    """Everybody but syncd. Issues are named by their first title."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # by first title, what the fake knows the issue by

    @abstractmethod
    def issues(self) -> list[Observation]:
        """All issues, in no order that matters."""

    @abstractmethod
    def close(
        self, title: str, why: str = "done", fixed_in: Sequence[str] = (), duplicate_of: str | None = None
    ) -> None:
        """Close an issue: `done`, `rejected` or `duplicate`."""

    @abstractmethod
    def edit(self, title: str, what: str, value: str) -> None:
        """Change `title`, `body`, `labels` or `assignee`, as far as this kind has it."""

    @abstractmethod
    def erase_status(self, title: str) -> None:
        """Delete the status comment, where there is one."""


class OnGitHub(People):
    REASONS = {"done": "completed", "rejected": "not_planned", "duplicate": "duplicate"}  # noqa: RUF012

    def __init__(self, fake: FakeGitHub) -> None:
        super().__init__()
        self._fake = fake

    def _issue(self, title: str) -> GitHubIssue:
        for issue in self._fake.repository.issues.values():
            self.names.setdefault(issue.title, str(issue.number))
        return self._fake.repository.issues[int(self.names[title])]

    def issues(self) -> list[Observation]:
        return [
            Observation(
                issue.title,
                issue.state == "open",
                tuple(comment.body for comment in issue.comments.values()),
                (issue.title, issue.body, tuple(issue.labels), tuple(issue.assignees)),
            )
            for issue in self._fake.repository.issues.values()
        ]

    def close(
        self, title: str, why: str = "done", fixed_in: Sequence[str] = (), duplicate_of: str | None = None
    ) -> None:
        original = None if duplicate_of is None else self._issue(duplicate_of)
        self._fake.close_issue(self._issue(title), self.REASONS[why], next(iter(fixed_in), None), original)

    def edit(self, title: str, what: str, value: str) -> None:
        issue = self._issue(title)
        match what:
            case "labels":
                self._fake.edit_issue(issue, labels=[*issue.labels, value])
            case "assignee":
                self._fake.edit_issue(issue, assignees=[value])
            case _:
                changes: dict[str, Any] = {what: value}
                self._fake.edit_issue(issue, **changes)

    def erase_status(self, title: str) -> None:
        issue = self._issue(title)
        for comment in list(issue.comments.values()):
            if STATUS in comment.body:
                self._fake.erase(issue, comment)


class OnJira(People):
    RESOLUTIONS = {"done": "Fixed", "rejected": "Won't Do", "duplicate": "Duplicate"}  # noqa: RUF012

    def __init__(self, fake: FakeJira) -> None:
        super().__init__()
        self._fake = fake

    def _issue(self, title: str) -> JiraIssue:
        for issue in self._fake.issues.values():
            self.names.setdefault(issue.fields["summary"], issue.key)
        return self._fake.issues[self.names[title]]

    def issues(self) -> list[Observation]:
        return [
            Observation(
                issue.fields["summary"],
                issue.fields["status"]["statusCategory"]["key"] != "done",
                tuple(_text(comment.body) for comment in issue.comments.values()),
                tuple(json.dumps(issue.fields.get(name)) for name in ("summary", "description", "labels", "assignee")),
            )
            for issue in self._fake.issues.values()
        ]

    def close(
        self, title: str, why: str = "done", fixed_in: Sequence[str] = (), duplicate_of: str | None = None
    ) -> None:
        original = None if duplicate_of is None else self._issue(duplicate_of).key
        self._fake.close_issue(self._issue(title).key, self.RESOLUTIONS[why], fixed_in, original)

    def edit(self, title: str, what: str, value: str) -> None:
        issue = self._issue(title)
        named = {"title": "summary", "body": "description"}.get(what, what)
        new: Any = value
        if what == "labels":
            new = [*issue.labels, value.replace(" ", "-")]
        elif what == "assignee":
            new = self._fake.user(value)
        self._fake.edit_issue(issue.key, **{named: new})

    def erase_status(self, title: str) -> None:
        issue = self._issue(title)
        for comment in list(issue.comments.values()):
            if STATUS in _text(comment.body):
                self._fake.erase(issue.key, comment)


class OnFiles(People):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def _path(self, title: str) -> Path:
        for path in self._folder.glob("*.md"):
            self.names.setdefault(_title(path.read_text()), path.name)
        return self._folder / self.names[title]

    def issues(self) -> list[Observation]:
        observations = []
        for path in sorted(self._folder.glob("*.md")):
            text = path.read_text()
            sections = re.findall(r"<!-- status of \w+ -->(.*?)<!-- end of status of \w+ -->", text, re.DOTALL)
            theirs = re.sub(r"\n?<!-- status of \w+ -->.*?<!-- end of status of \w+ -->\n?", "", text, flags=re.DOTALL)
            is_open = re.search(r"(?m)^- Status: open", text) is not None
            # The status is ours to change as well.
            theirs = re.sub(r"(?m)^- Status: .*$", "", theirs)
            observations.append(Observation(_title(text), is_open, tuple(sections), (theirs.strip(),)))
        return observations

    def close(
        self, title: str, why: str = "done", fixed_in: Sequence[str] = (), duplicate_of: str | None = None
    ) -> None:
        resolution = {"done": "done", "rejected": "won't fix", "duplicate": "duplicate"}[why]
        more = f"\n- Fixed in: {', '.join(fixed_in)}" if fixed_in else ""
        more += "" if duplicate_of is None else f"\n- Duplicate of: {self._path(duplicate_of).stem}"
        path = self._path(title)
        text = re.sub(r"\n- (?:Fixed in|Duplicate of): .*", "", path.read_text())
        path.write_text(re.sub(r"(?m)^- Status: .*$", f"- Status: closed ({resolution}){more}", text, count=1))
        # The file system has a clock of its own.
        os.utime(path, (time.time(), time.time()))

    def edit(self, title: str, what: str, value: str) -> None:
        path = self._path(title)
        text = path.read_text()
        match what:
            case "title":
                text = re.sub(r"\A# .*", f"# {value}", text)
            case "labels" | "assignee":
                text = text.replace("- Status:", f"- {what.title()}: {value}\n- Status:", 1)
            case _:
                text = text.replace("### Stack", f"{value}\n\n### Stack", 1)
        path.write_text(text)

    def erase_status(self, title: str) -> None:
        path = self._path(title)
        pattern = r"\n?<!-- status of (\w+) -->\n\n.*?<!-- end of status of \1 -->\n?"
        path.write_text(re.sub(pattern, "", path.read_text(), flags=re.DOTALL))


def _title(text: str) -> str:
    return text.splitlines()[0].removeprefix("# ").strip("`")


def _text(body: Any) -> str:
    """The readable text of wiki markup or of an Atlassian document."""
    if isinstance(body, str):
        # Values are written as character entities.
        return re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), body)
    if isinstance(body, dict):
        inner = "".join(map(_text, body.get("content", []))) or body.get("text", "")
        return f"{inner}\n" if body.get("type") in ("paragraph", "heading", "tableRow") else inner
    return ""


def people(kind: Kind, folder: Path) -> People:
    """The people at this tracker."""
    if isinstance(kind.fake, FakeGitHub):
        return OnGitHub(kind.fake)
    if isinstance(kind.fake, FakeJira):
        return OnJira(kind.fake)
    return OnFiles(folder / "issues")
