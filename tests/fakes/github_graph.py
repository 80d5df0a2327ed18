"""The part of GitHub's GraphQL that reads issues and pull requests of one repository by number."""

import re
from typing import Any

from tests.fakes.github_records import FakeIssue, FakeRepository, Shapes

_WANTED = re.compile(r"(\w+):issueOrPullRequest\(number:(\d+)\)")


def query(
    shapes: Shapes,
    repository: FakeRepository | None,
    text: str,
    faults: dict[int, str],
    fault: str | None,
    number: int = 0,
) -> dict[str, Any]:
    """The body of a 200. `faults` are the kinds of errors for single numbers, `fault` is one for all; `number` is what the
    variables ask for."""
    if fault is not None:
        return {"data": {"repository": None}, "errors": [_error(fault, ["repository"], fault)]}
    if "duplicateOf" in text:
        return {"data": {"repository": _duplicate(shapes, repository, number)}}
    if repository is None:
        words = "Could not resolve to a Repository with the name."
        return {"data": {"repository": None}, "errors": [_error("NOT_FOUND", ["repository"], words)]}
    fields: dict[str, Any] = {"databaseId": repository.id, "hasIssuesEnabled": repository.has_issues}
    errors = []
    for alias, digits in _WANTED.findall(text):
        issue = repository.issues.get(int(digits))
        kind = faults.get(int(digits), "NOT_FOUND")
        readable = issue is not None and issue.here and (repository.has_issues or issue.pull_request)
        if issue is not None and readable and int(digits) not in faults:
            fields[alias] = _shown(shapes, repository, issue)
            continue
        fields[alias] = None
        words = f"Could not resolve to an issue or pull request with the number of {digits}."
        errors.append(_error(kind, ["repository", alias], words))
    return {"data": {"repository": fields}, **({"errors": errors} if errors else {})}


def _duplicate(shapes: Shapes, repository: FakeRepository | None, number: int) -> dict[str, Any] | None:
    """Of which issue another one is a duplicate."""
    if repository is None:
        return None
    issue = repository.issues.get(number)
    other = None if issue is None or issue.duplicate_of is None else issue.duplicate_of
    shown = None
    if other is not None:
        home, original = other
        shown = {
            "number": original.number,
            "url": shapes.issue(home, original)["html_url"],
            "repository": {"databaseId": home.id, "nameWithOwner": home.full_name},
        }
    return {"databaseId": repository.id, "issue": None if issue is None else {"duplicateOf": shown}}


def _shown(shapes: Shapes, repository: FakeRepository, issue: FakeIssue) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "__typename": "PullRequest" if issue.pull_request else "Issue",
        "number": issue.number,
        "createdAt": issue.created_at,
        "url": shapes.issue(repository, issue)["html_url"],
        "repository": {"databaseId": repository.id},
    }
    if not issue.pull_request:
        author = issue.author
        shown["body"] = issue.body or ""
        # Here bots go by their bare names.
        shown["author"] = {
            "__typename": "Bot" if author.app else "User",
            "login": author.login.removesuffix("[bot]"),
            "databaseId": author.id,
        }
    return shown


def _error(kind: str, path: list[str], words: str) -> dict[str, Any]:
    return {"type": kind, "path": path, "locations": [{"line": 1, "column": 1}], "message": words}
