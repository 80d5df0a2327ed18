"""Judges traffic by the API descriptions that vendors publish.

GitHub's and Atlassian's document schema come from npm, in the versions of descriptions/package-lock.json, and are fetched at
first use. Jira's are in no registry: they are read from ../shared/specs where that folder is beside the checkout.
"""

import json
import re
import shutil
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from openapi_core import OpenAPI
from openapi_core.configurations import Config
from openapi_core.testing import MockRequest, MockResponse

from tests.fakes import npm
from tests.fakes.server import Recorded, ServerBase

_PACKAGE = Path(__file__).parent / "descriptions"
_SHARED = Path(__file__).parents[3] / "shared" / "specs"
_JIRA = {"jira-cloud": "jira-cloud-v3-slice.json", "jira-dc": "jira-dc-10.3-slice.json"}
_GITHUB = {"github": "api.github.com.json", "ghes": "ghes-3.19.json"}
# A fake is judged by each of these.
_JUDGES = {"github": ("github", "ghes"), "jira-cloud": ("jira-cloud",), "jira-dc": ("jira-dc",)}
# The descriptions accept every positive number of an issue or comment.
_NUMBERED = re.compile(r"/(issues?|comments?)/[1-9][0-9]{0,8}(?=/|$)")
# Nor does it matter to them which time it is.
_TIME = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
# No description names them, and they differ from fake to fake and from body to body.
_UNJUDGED = ("host", "content-length")
# Of a thousand paths those that syncd uses: openapi-core compares each request with every path there is.
_GITHUB_PATHS = (
    "/rate_limit",
    "/repos/{owner}/{repo}",
    "/repos/{owner}/{repo}/issues",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}",
    "/repos/{owner}/{repo}/issues/{issue_number}",
    "/repos/{owner}/{repo}/issues/{issue_number}/comments",
    "/repos/{owner}/{repo}/issues/{issue_number}/labels",
    "/repos/{owner}/{repo}/issues/{issue_number}/timeline",
    "/repos/{owner}/{repo}/labels",
    "/repos/{owner}/{repo}/milestones",
    "/search/issues",
)


def missing(name: str) -> str:
    """Why there is no description `name`: a reason to skip a test, with the way out. Empty if there is one."""
    if name in _JIRA:
        place = f"../shared/specs/{_JIRA[name]}"
        return "" if (_SHARED / _JIRA[name]).is_file() else f"no registry has Jira's description: copy it to {place}"
    return _fetched()[1]


def path(name: str) -> Path:
    """The file of the description `name`: github, ghes, jira-cloud, jira-dc, adf."""
    if name in _JIRA:
        return _SHARED / _JIRA[name]
    return _fetched()[0] / f"{name}.json"


@cache
def _fetched() -> tuple[Path, str]:
    """Where the descriptions from npm are, and why they are not."""
    try:
        return npm.installed(_PACKAGE, _reduce, Path(__file__).read_bytes()), ""
    except npm.NotInstalled as error:
        return Path(), str(error)


def _reduce(folder: Path) -> None:
    """Keep of half a gigabyte what is read."""
    for name, file in _GITHUB.items():
        text = (folder / "node_modules/@octokit/openapi/generated" / file).read_text(encoding="utf-8")
        (folder / f"{name}.json").write_text(json.dumps(_cut(json.loads(text))), encoding="utf-8")
    shutil.copy(folder / "node_modules/@atlaskit/adf-schema/dist/json-schema/v1/full.json", folder / "adf.json")
    shutil.rmtree(folder / "node_modules")


def _cut(description: dict[str, Any]) -> dict[str, Any]:
    """The paths of _GITHUB_PATHS, and of the components those that they refer to."""
    paths = {name: description["paths"][name] for name in _GITHUB_PATHS}
    components: dict[str, dict[str, Any]] = {}
    waiting = list(_references(paths))
    while waiting:
        _, _, kind, name = waiting.pop().split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = description["components"][kind][name]
            waiting += _references(components[kind][name])
    return {**description, "paths": paths, "components": components, "webhooks": {}, "x-webhooks": {}}


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield reference
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


class Validator:
    """One vendor's description: `github`, `ghes`, `jira-cloud` or `jira-dc`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._server, self._api = _load(name)

    def problems(self, recorded: Recorded, path: str | None = None) -> list[str]:
        """What is wrong with a request; empty when nothing is. `path` stands in for the recorded one."""
        request = _Request(
            method=recorded.method,
            path=_NUMBERED.sub(r"/\1/1", path or recorded.path),
            query=tuple(
                (key, tuple("2026-01-01T00:00:00Z" if _TIME.fullmatch(value) else value for value in values))
                for key, values in recorded.query.items()
            ),
            headers=tuple((key, value) for key, value in recorded.headers.items() if key not in _UNJUDGED),
            raw=recorded.raw,
        )
        return list(_judge(self._name, request))

    def answer_problems(self, recorded: Recorded, path: str | None = None) -> list[str]:
        """What is wrong with the JSON answer that a fake gave."""
        response = MockResponse(json.dumps(recorded.answer).encode(), recorded.status or 0)
        request = MockRequest(self._server, recorded.method, path or recorded.path, args=recorded.query)
        return _sentences(self._api.iter_response_errors(request, response))


@dataclass(frozen=True)
class _Request:
    """All of a request that a description says anything about."""

    method: str
    path: str
    query: tuple[tuple[str, tuple[str, ...]], ...]
    headers: tuple[tuple[str, str], ...]
    raw: bytes


@cache
def _judge(name: str, request: _Request) -> tuple[str, ...]:
    """What is wrong with a request. Cached: a judgement takes longer than an answer, and most tests send the same requests."""
    server, api = _load(name)
    headers = dict(request.headers)
    judged = MockRequest(
        server,
        request.method,
        request.path,
        args={key: list(values) for key, values in request.query},
        headers=headers,
        data=request.raw,
        content_type=headers.get("content-type", "application/json").lower(),
    )
    with warnings.catch_warnings():
        # Logins by OAuth are judged by the fakes alone.
        warnings.filterwarnings("ignore", "Unsupported scheme type")
        return tuple(_sentences(api.iter_request_errors(judged)))


def check_traffic(fake: ServerBase) -> None:
    """Assert that the vendor describes every request `fake` took.

    Nothing is judged by a description that is missing; tests/fakes/test_specs.py is skipped then, and says why.
    """
    assert fake.description, "the fake names no description"
    problems = [
        f"{name}: {request.method} {request.path}: {problem}"
        for name in _JUDGES[fake.description]
        if not missing(name)
        for request in fake.requests
        if (described := fake.described_path(request)) is not None
        for problem in Validator(name).problems(request, described)
    ]
    assert not problems, "\n".join(problems)


@cache
def _load(name: str) -> tuple[str, OpenAPI]:
    description: dict[str, Any] = json.loads(path(name).read_text(encoding="utf-8"))
    _allow_null_in_enumerations(description)
    if name == "ghes":
        description["servers"] = [{"url": "https://github.example"}]  # `described_path` leaves out /api/v3
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
