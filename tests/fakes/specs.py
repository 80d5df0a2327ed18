"""Judges traffic by the API descriptions that vendors publish, where a folder with those is at hand."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_core import OpenAPI
from openapi_core.configurations import Config
from openapi_core.testing import MockRequest, MockResponse

from tests.fakes.server import Recorded, ServerBase

FOLDER = Path(__file__).parents[3] / "shared" / "specs"
REASON = "the API descriptions are not in ../shared/specs"

_FILES = {
    "github": "github-issues-slice.json",
    "jira-cloud": "jira-cloud-v3-slice.json",
    "jira-dc": "jira-dc-10.3-slice.json",
}


def available() -> bool:
    """Whether there is anything to judge by."""
    return FOLDER.is_dir()


class Validator:
    """One vendor's description: `github`, `jira-cloud` or `jira-dc`."""

    def __init__(self, name: str) -> None:
        self._server, self._api = _load(name)

    def problems(self, recorded: Recorded, path: str | None = None) -> list[str]:
        """What is wrong with a request; empty when nothing is. `path` stands in for the recorded one."""
        return _sentences(self._api.iter_request_errors(self._request(recorded, path)))

    def answer_problems(self, recorded: Recorded, path: str | None = None) -> list[str]:
        """What is wrong with the JSON answer that a fake gave."""
        response = MockResponse(json.dumps(recorded.answer).encode(), recorded.status or 0)
        return _sentences(self._api.iter_response_errors(self._request(recorded, path), response))

    def _request(self, recorded: Recorded, path: str | None) -> MockRequest:
        return MockRequest(
            self._server,
            recorded.method,
            path or recorded.path,
            args=recorded.query,
            headers=recorded.headers,
            data=recorded.raw,
            content_type=recorded.headers.get("content-type", "application/json").lower(),
        )


def check_traffic(fake: ServerBase) -> None:
    """Assert that the vendor describes every request `fake` took. Skips where no description is at hand."""
    if not available():
        pytest.skip(REASON)
    assert fake.description, "the fake names no description"
    validator = Validator(fake.description)
    problems = [
        f"{one.method} {one.path}: {problem}"
        for one in fake.requests
        if (path := fake.described_path(one)) is not None
        for problem in validator.problems(one, path)
    ]
    assert not problems, "\n".join(problems)


@cache
def _load(name: str) -> tuple[str, OpenAPI]:
    description: dict[str, Any] = json.loads((FOLDER / _FILES[name]).read_text(encoding="utf-8"))
    _allow_null_in_enumerations(description)
    if name == "jira-dc":
        _relax_data_center(description)
    # The descriptions themselves are not on trial, and to check one takes longer than all the tests.
    api = OpenAPI.from_dict(description, config=Config(spec_validator_cls=None))
    return str(description["servers"][0]["url"]), api


def _allow_null_in_enumerations(node: Any) -> None:
    """Where a value that may be null has its values listed, the descriptions forget to list null."""
    if isinstance(node, dict):
        if node.get("nullable") is True and isinstance(node.get("enum"), list):
            node["enum"] = [*node["enum"], None]
        for inner in node.values():
            _allow_null_in_enumerations(inner)
    elif isinstance(node, list):
        for inner in node:
            _allow_null_in_enumerations(inner)


def _relax_data_center(description: dict[str, Any]) -> None:
    """Data Center's description calls objects what are strings and lists too, and knows no bearer tokens."""
    schemas = description["components"]["schemas"]
    schemas["IssueUpdateBean"]["properties"]["fields"]["additionalProperties"] = {}
    schemas["IssueUpdateBean"]["properties"]["update"] = {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "object"}},
    }
    schemas["EntityPropertyBean"]["properties"]["value"] = {}
    schemas["StringList"] = {"type": "string"}
    paths = description["paths"]
    properties = paths["/rest/api/2/issue/{issueIdOrKey}/properties/{propertyKey}"]
    properties["put"]["requestBody"]["content"]["application/json"]["schema"] = {}
    for path in paths.values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)


def _sentences(errors: Iterable[Exception]) -> list[str]:
    return [f"{error}: {_details(error)}" for error in errors]


def _details(error: BaseException) -> str:
    faults = getattr(error.__cause__, "schema_errors", [])
    return "; ".join(f"{fault.json_path} {fault.message}" for fault in faults) or str(error.__cause__ or "")
