"""The part of GitHub's GraphQL that reads issues and pull requests of one repository by number."""

import re
from typing import Any

from tests.fakes.github_records import FakeIssue, FakeRepository, Shapes

_TALKED = re.compile(r"(\w+):discussion\(number:(\d+)\)")
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
        message = "Could not resolve to a Repository with the name."
        return {"data": {"repository": None}, "errors": [_error("NOT_FOUND", ["repository"], message)]}
    fields: dict[str, Any] = {"databaseId": repository.id, "hasIssuesEnabled": repository.has_issues}
    errors = []
    for alias, digits in _WANTED.findall(text):
        issue = repository.issues.get(int(digits))
        kind = faults.get(int(digits), "NOT_FOUND")
        readable = issue is not None and issue.here and (repository.has_issues or issue.pull_request)
        if issue is not None and readable and int(digits) not in faults:
            fields[alias] = _node(shapes, repository, issue)
            continue
        fields[alias] = None
        message = f"Could not resolve to an issue or pull request with the number of {digits}."
        errors.append(_error(kind, ["repository", alias], message))
    for alias, digits in _TALKED.findall(text):
        talk = repository.issues.get(int(digits))
        if talk is not None and talk.discussion and repository.tells_discussions:
            fields[alias] = _node(shapes, repository, talk)
            continue
        fields[alias] = None
        message = f"Could not resolve to a Discussion with the number of {digits}."
        errors.append(
            _error("NOT_FOUND" if repository.tells_discussions else "FORBIDDEN", ["repository", alias], message)
        )
    return {"data": {"repository": fields}, **({"errors": errors} if errors else {})}


def _duplicate(shapes: Shapes, repository: FakeRepository | None, number: int) -> dict[str, Any] | None:
    """The answer to a query for the original of a duplicate."""
    if repository is None:
        return None
    issue = repository.issues.get(number)
    node = None
    if issue is not None and issue.duplicate_of is not None:
        home, original = issue.duplicate_of
        node = {
            "number": original.number,
            "url": shapes.issue(home, original)["html_url"],
            "repository": {"databaseId": home.id, "nameWithOwner": home.full_name},
        }
    return {"databaseId": repository.id, "issue": None if issue is None else {"duplicateOf": node}}


def _node(shapes: Shapes, repository: FakeRepository, issue: FakeIssue) -> dict[str, Any]:
    author = issue.author
    node: dict[str, Any] = {
        "__typename": "Discussion" if issue.discussion else "PullRequest" if issue.pull_request else "Issue",
        "number": issue.number,
        "createdAt": issue.created_at,
        "url": shapes.issue(repository, issue)["html_url"],
        "repository": {"databaseId": repository.id},
    }
    node["body"] = issue.body or ""
    # Here bots go by their bare names.
    node["author"] = {
        "__typename": "Bot" if author.app else "User",
        "login": author.login.removesuffix("[bot]"),
        "databaseId": author.id,
    }
    return node


def _error(kind: str, path: list[str], message: str) -> dict[str, Any]:
    return {"type": kind, "path": path, "locations": [{"line": 1, "column": 1}], "message": message}
