"""The issues of both fakes of Jira, and what people do to them in the browser."""

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.jira_rules import JQL, PERMISSIONS, FakeComment, FakeIssue, change_of, jira_now, status_of
from tests.fakes.reports import Sender
from tests.fakes.server import ServerBase


class JiraProject(ServerBase):
    """One project of its own, and those that issues are moved to."""

    def __init__(self, project: str) -> None:
        super().__init__()
        self.project = project
        self.former_keys: set[str] = set()  # of the project
        self.me = "syncd"
        self.resolutions: dict[str, str] = {}  # by id
        self.issues: dict[str, FakeIssue] = {}
        self.permissions = set(PERMISSIONS)
        self.elsewhere: dict[str, set[str]] = {}  # other projects, and what our account may do there
        self.archived = False  # everything can be read and nothing written
        self.hidden: set[str] = set()  # ids of issues whose security level our account does not have
        self.changes: list[tuple[str, str, str]] = []  # who changed what of which issue
        self.hook: Sender | None = None  # which reports every change of an issue
        self.administrator = True  # our account
        self.counts_deliveries = False  # as Data Center does from version 10 on
        self._last_numbers: dict[str, int] = {}
        self._last_id = 10_000

    @abstractmethod
    def user(self, name: str) -> dict[str, Any]:
        """An account as this deployment shows it."""

    def _next_key(self, project: str) -> str:
        self._last_numbers[project] = self._last_numbers.get(project, 0) + 1
        return f"{project}-{self._last_numbers[project]}"

    def _file(self, key: str, fields: Mapping[str, Any], creator: str, properties: Mapping[str, Any]) -> FakeIssue:
        self._last_id += 1
        issue = FakeIssue(
            id=str(self._last_id),
            key=key,
            written=time.monotonic(),
            fields={**fields, "status": status_of("11"), "creator": self.user(creator), "created": jira_now()},
            properties=dict(properties),
        )
        self.issues[key] = issue
        self._report("jira:issue_created", issue, creator)
        return issue

    def _report(self, event: str, issue: FakeIssue, who: str, **more: object) -> None:
        """Report a change to the hook, if there is one. A comment comes with few fields of its issue."""
        if self.hook is None:
            return
        names = ("summary", "status", "project") if event.startswith("comment_") else tuple(issue.fields)
        fields = {name: issue.fields.get(name) for name in names} | {"updated": issue.updated()}
        shape = {"id": issue.id, "key": issue.key, "self": f"{self.url}/rest/api/2/issue/{issue.id}", "fields": fields}
        payload = {"timestamp": int(self.now() * 1000), "webhookEvent": event, "user": self.user(who), "issue": shape}
        self.hook.report(event, {**payload, **more})

    def _changed(self, issue: FakeIssue, who: str, *items: object) -> None:
        """Report that fields have changed."""
        self._report("jira:issue_updated", issue, who, changelog={"id": "1", "items": list(items)})

    def file(self, summary: str, creator: str = "ada", labels: Sequence[str] = ()) -> FakeIssue:
        """An issue as `creator` writes it in the browser."""
        fields = {
            "project": {"key": self.project},
            "issuetype": {"name": "Bug"},
            "summary": summary,
            "description": None,
        }
        with self.lock:
            return self._file(self._next_key(self.project), {**fields, "labels": list(labels)}, creator, {})

    def burn(self, numbers: int) -> None:
        """Use up numbers, as refused creates do."""
        for _ in range(numbers):
            self._next_key(self.project)

    def clone(self, key: str, creator: str = "ada") -> FakeIssue:
        """A clone as Jira makes it: labels and description go along, entity properties do not."""
        with self.lock:
            return self._file(self._next_key(self.project), self.issues[key].fields, creator, {})

    def delete(self, key: str) -> None:
        """Delete an issue; its number is not given again."""
        with self.lock:
            self._report("jira:issue_deleted", self.issues.pop(key), "ada")

    def move(self, key: str, project: str) -> FakeIssue:
        """Move an issue to another project: its key changes, its id stays, and the old key still leads to it."""
        with self.lock:
            if project != self.project:
                self.elsewhere.setdefault(project, set(PERMISSIONS))
            issue = self.issues.pop(key)
            issue.old_keys.add(key)
            issue.key = self._next_key(project)
            issue.fields["project"] = {"key": project}
            self.issues[issue.key] = issue
            self._changed(issue, "ada", {"field": "Key", "fromString": key, "toString": issue.key})
            return issue

    def rename(self, project: str) -> None:
        """Give the project and all its issues another key; the former keys still lead to them."""
        with self.lock:
            before, self.project = self.project, project
            self.former_keys.add(before)
            self._last_numbers[project] = self._last_numbers.pop(before, 0)
            for issue in [each for each in self.issues.values() if each.project == before]:
                del self.issues[issue.key]
                issue.old_keys.add(issue.key)
                issue.key = f"{project}-{issue.number}"
                self.issues[issue.key] = issue

    def add_comment(self, key: str, author: str, body: Any) -> FakeComment:
        """A comment as `author` writes it in the browser."""
        self._last_id += 1
        comment = FakeComment(id=str(self._last_id), author=author, body=body)
        self.issues[key].comments[comment.id] = comment
        self.changes.append((author, key, "comment"))
        self._report("comment_created", self.issues[key], author, comment={"id": comment.id})
        return comment

    def close_issue(
        self,
        key: str,
        resolution: str | None = "Fixed",
        fix_versions: Sequence[str] = (),
        duplicate_of: str | None = None,
        who: str = "ada",
    ) -> None:
        """A person resolves an issue, and may say in which versions it is fixed, or of which one it is a duplicate."""
        with self.lock:
            fields = self.issues[key].fields
            fields["fixVersions"] = [{"name": version} for version in fix_versions]
            if duplicate_of is not None:
                original = self.issues[duplicate_of]
                kind = {"name": "Duplicate", "inward": "is duplicated by", "outward": "duplicates"}
                fields["issuelinks"] = [{"type": kind, "outwardIssue": {"id": original.id, "key": original.key}}]
                original.fields["issuelinks"] = [{"type": kind, "inwardIssue": {"id": self.issues[key].id, "key": key}}]
            self.enter(self.issues[key], "31", resolution, who)

    def reopen_issue(self, key: str, who: str = "ada") -> None:
        """A person opens an issue again."""
        with self.lock:
            self.enter(self.issues[key], "11", None, who)

    def enter(self, issue: FakeIssue, transition: str, resolution: str | None, who: str) -> None:
        """An issue takes a status. A status that is done brings a resolution, any other removes it."""
        issue.fields["status"] = status_of(transition)
        number = next((each for each, name in self.resolutions.items() if name == resolution), "10900")
        issue.fields["resolution"] = None if resolution is None else {"id": number, "name": resolution}
        issue.fields["resolutiondate"] = None if resolution is None else jira_now()
        issue.fields["statuscategorychangedate"] = jira_now()
        self.changes.append((who, issue.key, "status"))
        self._changed(issue, who, {"field": "status", "toString": issue.fields["status"]["name"]})

    def edit_issue(self, key: str, who: str = "ada", **fields: Any) -> None:
        """A person changes fields."""
        with self.lock:
            for name, value in fields.items():
                self.change(self.issues[key], name, value, who)
                self.changes.append((who, key, name))

    def change(self, issue: FakeIssue, name: str, value: Any, who: str) -> None:
        """Change one field, with an entry in the issue's history."""
        items = change_of(name, issue.fields.get(name), value)
        issue.history.append(
            {"id": str(len(issue.history) + 1), "author": self.user(who), "created": jira_now(), "items": items}
        )
        issue.fields[name] = value
        self._changed(issue, who, *items)

    def erase(self, key: str, comment: FakeComment, who: str = "ada") -> None:
        """A person deletes a comment."""
        with self.lock:
            del self.issues[key].comments[comment.id]
            self.changes.append((who, key, "comment"))

    def by_name(self, name: str) -> FakeIssue | None:
        return next((issue for issue in self.issues.values() if name in issue.names), None)

    def sees(self, issue: FakeIssue) -> bool:
        return self._may(issue, "BROWSE_PROJECTS") and issue.id not in self.hidden

    def _may(self, issue: FakeIssue, permission: str) -> bool:
        return permission in (self.permissions if issue.project == self.project else self.elsewhere[issue.project])

    def _sees_project(self, key: str) -> bool:
        return key in {self.project, *self.former_keys} and "BROWSE_PROJECTS" in self.permissions

    def indexed(self, jql: str) -> list[FakeIssue] | None:
        """The issues a search finds; None for JQL beyond `project = X AND labels = "y" ORDER BY key`, without any condition, or
        about a project that cannot be seen."""
        query = JQL.fullmatch(jql)
        if query is None or not (query["project"] or query["label"] or query["ids"]):
            return None
        ids = set((query["ids"] or "").split(", "))
        if query["project"] and not self._sees_project(query["project"]):
            return None
        matches = [
            issue
            for issue in self.issues.values()
            if (query["project"] is None or issue.project == self.project)
            and (query["label"] is None or query["label"] in issue.labels)
            and (query["ids"] is None or issue.id in ids)
            and (query["before"] is None or str(issue.fields["created"]) < query["before"])
            and self.settled(issue.written, self.lag_seconds)
            and self.sees(issue)
        ]
        by_key = query["field"] == "key"
        return sorted(
            matches,
            key=lambda issue: (issue.project, issue.number) if by_key else ("", int(issue.id)),
            reverse=query["order"] == "DESC",
        )
