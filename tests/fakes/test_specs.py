"""The judge of our requests must be able to say no."""

import json
from typing import Any

import pytest

from tests.fakes import specs
from tests.fakes.server import Recorded
from tests.fakes.specs import Validator


def validator(name: str) -> Validator:
    if reason := specs.missing(name):
        pytest.skip(reason)
    return Validator(name)


def request(method: str, path: str, body: Any = None, **query: list[str]) -> Recorded:
    headers = {"content-type": "application/json", "authorization": "Basic eDp5"}
    raw = b"" if body is None else json.dumps(body).encode()
    return Recorded(method=method, path=path, query=query, headers=headers, body=body, raw=raw)


VENDORS = ("github", "ghes", "jira-cloud", "jira-dc")
TAKEN = [
    (
        "github",
        request("POST", "/repos/acme/game/issues", {"title": "t", "body": "b", "labels": ["crash"]}),
    ),
    ("github", request("GET", "/repos/acme/game/issues", state=["all"], per_page=["100"])),
    ("ghes", request("POST", "/repos/acme/game/issues", {"title": "t", "body": "b", "labels": ["crash"]})),
    ("ghes", request("GET", "/repos/acme/game/issues", state=["all"], per_page=["100"])),
    ("jira-cloud", request("POST", "/rest/api/3/issue/1/transitions", {"transition": {"id": "31"}})),
    ("jira-dc", request("POST", "/rest/api/2/issue/1/transitions", {"transition": {"id": "31"}})),
    ("jira-dc", request("POST", "/rest/api/2/issue", {"fields": {"summary": "s", "labels": ["a"]}})),
    ("jira-dc", request("PUT", "/rest/api/2/issue/1/properties/syncd", {"v": 1})),
    ("jira-dc", request("GET", "/rest/api/2/search", jql=["project = A"], fields=["labels"])),
]
REFUSED = [
    (
        "github",
        request("POST", "/repos/acme/game/issues", {"body": "b"}),
        "'title' is a required property",
    ),
    ("github", request("POST", "/repos/acme/game/issues", {"title": "t", "labels": "a"}), "$.labels"),
    ("ghes", request("POST", "/repos/acme/game/issues", {"title": "t", "labels": "a"}), "$.labels"),
    ("github", request("GET", "/repos/acme/game/issues", state=["any"]), "state"),
    ("github", request("POST", "/repos/acme/game/isues", {"title": "t"}), "Path not found"),
    (
        "github",
        request("PATCH", "/repos/acme/game/issues/comments/1", {"text": "t"}),
        "'body' is a required",
    ),
    (
        "jira-cloud",
        request("POST", "/rest/api/3/issue/1/transitions", {"transition": {"id": 31}}),
        "31 is not",
    ),
    ("jira-cloud", request("POST", "/rest/api/3/isue", {"fields": {}}), "Path not found"),
    (
        "jira-dc",
        request("POST", "/rest/api/2/issue/1/transitions", {"transition": {"id": 31}}),
        "31 is not",
    ),
    ("jira-dc", request("POST", "/rest/api/2/issue/1/comment", {"body": {"version": 1}}), "$.body"),
    ("jira-dc", request("POST", "/rest/api/3/issue", {"fields": {}}), "Path not found"),
]


@pytest.mark.parametrize("name", VENDORS)
def test_a_described_request_is_taken(name: str) -> None:
    judge = validator(name)

    assert [judge.problems(taken) for vendor, taken in TAKEN if vendor == name and judge.problems(taken)] == []
    assert name in {vendor for vendor, _ in TAKEN}


@pytest.mark.parametrize("name", VENDORS)
def test_any_other_request_is_a_problem(name: str) -> None:
    judge = validator(name)
    refused = [(request, sentence) for vendor, request, sentence in REFUSED if vendor == name]

    assert refused
    for request, sentence in refused:
        assert any(sentence in problem for problem in judge.problems(request)), f"{request.path}: {sentence}"


def test_an_answer_that_lacks_what_is_described_is_a_problem() -> None:
    recorded = request("GET", "/repos/acme/game/issues/1")
    recorded.status, recorded.answer = 200, {"number": 1}

    assert any("'title' is a required property" in problem for problem in validator("github").answer_problems(recorded))
