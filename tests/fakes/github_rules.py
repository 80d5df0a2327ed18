"""The limits and refusals of GitHub, in its own words."""

import time
from datetime import UTC, datetime
from typing import Any

from tests.fakes.github_records import FakeRepository
from tests.fakes.server import Answer, Denied


def require_writable(repository: FakeRepository) -> None:
    """Raise Denied for a repository that takes no writes."""
    if repository.archived:
        raise Denied(refusal(403, "Repository was archived so is read-only."))
    if not repository.can_file:
        raise Denied(refusal(403, "Resource not accessible by personal access token"))


def require_fit(content: Any, resource: str, needed: str | None = None) -> None:
    """Raise Denied, in GitHub's words, for a body it would not take."""
    if not isinstance(content, dict):
        raise Denied(refusal(400, "Problems parsing JSON"))
    if needed is not None and not content.get(needed):
        raise Denied(invalid({"resource": resource, "code": "missing_field", "field": needed}))
    for name, limit in (("title", 256), ("body", 65536)):
        if len(content.get(name) or "") > limit:
            message = f"{name} is too long (maximum is {limit} characters)"
            raise Denied(invalid({"resource": resource, "code": "custom", "field": name, "message": message}))


def invalid(fault: dict[str, str]) -> Answer:
    """The 422 that names one field."""
    status, headers, content = refusal(422, "Validation Failed")
    return status, headers, {**content, "errors": [fault]}


def refusal(status: int, message: str) -> Answer:
    """An error as GitHub words it."""
    return (
        status,
        {},
        {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)},
    )


def github_now() -> str:
    """The present time in GitHub's form."""
    # Not datetime.now(): tests in which months pass put another clock into `time`.
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
