"""Every kind of answer GitHub, or something before it, gives: what it means for a create and otherwise."""

import json
from typing import Any

import pytest

from syncd.errors import (
    Deferred,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    SyncdError,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.trackers.github.answers import Comment, Filed, Target, created, failure, message, redirected
from syncd.trackers.transport import Answer, Sent

UNICORN = b"<!DOCTYPE html><html><title>Unicorn! &middot; GitHub</title></html>"
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
ABUSE = "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."


def answer(status: int, content: Any = None, **headers: str) -> Answer:
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def refusal(status: int, message: str, *errors: Any, **headers: str) -> Answer:
    return answer(status, {"message": message, "errors": list(errors)} if errors else {"message": message}, **headers)


def invalid(resource: str, field: str, message: str | None) -> Answer:
    fault = {"resource": resource, "code": "custom", "field": field} | ({"message": message} if message else {})
    return refusal(422, "Validation Failed", fault)


DATE = "Tue, 24 Nov 2026 03:50:00 GMT"  # 1795492200
API = "https://api.github.com"
GHES = "https://github.example/api/v3"
TOO_LONG = "body is too long (maximum is 65536 characters)"


@pytest.mark.parametrize(
    ("given", "create", "otherwise"),
    [
        (answer(100), OutcomeUnknown, Unavailable),
        (answer(103), OutcomeUnknown, Unavailable),
        (answer(199, UNICORN), OutcomeUnknown, Unavailable),
        (answer(200, {"number": 1}), OutcomeUnknown, Unavailable),
        (answer(201), OutcomeUnknown, Unavailable),
        (answer(201, UNICORN), OutcomeUnknown, Unavailable),
        (answer(201, b'{"number": 1, "ti'), OutcomeUnknown, Unavailable),
        (answer(202, {}), OutcomeUnknown, Unavailable),
        (answer(204), OutcomeUnknown, Unavailable),
        (refusal(301, "Moved Permanently"), Misconfigured, Misconfigured),
        (answer(302), Misconfigured, Misconfigured),
        (refusal(307, "Temporary Redirect"), Misconfigured, Misconfigured),
        (answer(308), Misconfigured, Misconfigured),
        (refusal(400, "Problems parsing JSON"), Refused, Refused),
        (refusal(401, "Bad credentials"), Misconfigured, Misconfigured),
        (refusal(403, "Resource not accessible by integration"), Misconfigured, Misconfigured),
        (refusal(403, "Repository was archived so is read-only."), Misconfigured, Misconfigured),
        (refusal(403, "Unable to create comment because issue is locked."), Misconfigured, Misconfigured),
        (refusal(403, SECONDARY), Throttled, Throttled),
        (refusal(403, ABUSE), Throttled, Throttled),
        (refusal(403, "API rate limit exceeded for user ID 1."), Throttled, Throttled),
        (refusal(403, SECONDARY, retry_after="30"), Throttled, Throttled),
        (refusal(403, "Forbidden", retry_after="30"), Throttled, Throttled),
        (refusal(403, "Forbidden", x_ratelimit_remaining="0"), Throttled, Throttled),
        (refusal(403, "Forbidden", x_ratelimit_remaining="1"), Misconfigured, Misconfigured),
        (answer(403, UNICORN), Misconfigured, Misconfigured),
        (refusal(404, "Not Found"), Misconfigured, Misconfigured),
        (answer(407), Misconfigured, Misconfigured),
        (answer(408), OutcomeUnknown, Unavailable),
        (refusal(409, "Conflict"), Deferred, Deferred),
        (refusal(410, "Issues are disabled for this repo"), Misconfigured, Misconfigured),
        (refusal(410, "This issue was deleted"), Misconfigured, Misconfigured),  # but see test_scopes
        (answer(413, UNICORN), Refused, Refused),
        (answer(421), Deferred, Deferred),
        (invalid("Issue", "body", TOO_LONG), Refused, Refused),
        (
            refusal(422, "Validation Failed", {"resource": "Issue", "code": "missing_field", "field": "title"}),
            Refused,
            Refused,
        ),
        (invalid("IssueComment", "body", "was submitted too quickly"), Throttled, Throttled),
        (answer(429), Throttled, Throttled),
        (answer(429, UNICORN, retry_after="5"), Throttled, Throttled),
        (refusal(451, "Repository access blocked"), Misconfigured, Misconfigured),
        (refusal(500, "Server Error"), OutcomeUnknown, Unavailable),
        (answer(502, UNICORN), OutcomeUnknown, Unavailable),
        (refusal(503, "Service unavailable", retry_after="7"), OutcomeUnknown, Unavailable),
        (answer(504), OutcomeUnknown, Unavailable),
        (answer(599), OutcomeUnknown, Unavailable),
    ],
)
def test_an_answer_alone_means_one_thing(
    given: Answer, create: type[TrackerError], otherwise: type[TrackerError]
) -> None:
    assert type(failure(given, Sent.ONCE)) is create
    assert type(failure(given, Sent.AGAIN)) is otherwise


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "7200"}, 7200),
        ({"retry-after": "86401"}, 86400),
        ({"retry-after": "-5"}, 60),
        ({"retry-after": "nan"}, 60),
        ({"retry-after": "1" * 400}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795492500", "date": DATE}, 301),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795492100", "date": DATE}, 1),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999", "date": DATE}, 86400),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795492500", "date": "yesterday"}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795492500"}, 60),
        ({"x-ratelimit-remaining": "0", "date": DATE}, 60),
        (
            {
                "retry-after": "9",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": "1795492500",
                "date": DATE,
            },
            9,
        ),
        ({}, 60),
    ],
)
def test_a_limit_tells_how_long_to_be_silent(headers: dict[str, str], seconds: float) -> None:
    error = failure(Answer(429, headers), Sent.ONCE)

    assert isinstance(error, Throttled)
    assert error.seconds == seconds


@pytest.mark.parametrize(
    ("headers", "narrow"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-resource": "core"}, False),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-resource": "graphql"}, True),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-resource": "search"}, True),
        ({"x-ratelimit-remaining": "0"}, False),
        ({"x-ratelimit-remaining": "4000", "x-ratelimit-resource": "graphql", "retry-after": "30"}, False),
        ({}, False),
    ],
)
def test_a_limit_stops_one_kind_of_request_only_where_that_kind_has_used_up_its_share(
    headers: dict[str, str], narrow: bool
) -> None:
    error = failure(Answer(403, headers, json.dumps({"message": SECONDARY}).encode()), Sent.AGAIN)

    assert isinstance(error, Throttled)
    assert error.narrow is narrow


@pytest.mark.parametrize("status", [400, 422, 431])
def test_a_question_is_never_refused_for_its_content(status: int) -> None:
    refused = refusal(status, "Validation Failed, or the endpoint has been spammed.")
    assert type(failure(refused, Sent.READ)) is Unavailable


@pytest.mark.parametrize(
    ("api_url", "location", "target"),
    [
        (API, f"{API}/repositories/5/issues/7", Target(7, repository_id="5")),
        (API, f"{API}:443/repositories/5/issues/7/comments", Target(7, repository_id="5")),
        (API, "/repositories/5/issues/7", Target(7, repository_id="5")),
        (API, f"{API}/repos/acme/other/issues/7", Target(7, repository="acme/other")),
        (f"{GHES}/", f"{GHES}/repositories/5/issues/7", Target(7, repository_id="5")),
        (API, f"{API}/repositories/5", Target(None, repository_id="5")),
        (API, f"{API}/repos/acme/other", Target(None, repository="acme/other")),
    ],
)
def test_a_redirect_to_an_issue_or_a_repository_is_understood(api_url: str, location: str, target: Target) -> None:
    assert redirected(answer(301, None, location=location), api_url) == target


@pytest.mark.parametrize(
    "location",
    [
        "",
        f"{API}:8443/repositories/5/issues/7",
        "http://api.github.com/repositories/5/issues/7",
        "https://api.github.com.evil.example/repositories/5/issues/7",
        "https://user@evil.example/repositories/5/issues/7",
        "//evil.example/repositories/5/issues/7",
        "https://[/repositories/5/issues/7",
        f"{API}:port/repositories/5/issues/7",
        f"{API}/repositories/5/pulls/7",
        f"{API}/repositories/5/",
        f"{API}/repositories/../issues/7",
    ],
)
def test_a_redirect_to_any_other_place_is_a_fault_of_the_configuration(location: str) -> None:
    with pytest.raises(Misconfigured, match="redirects"):
        redirected(answer(301, None, location=location), API)


def test_a_server_that_is_down_may_tell_when_to_come_back() -> None:
    error = failure(refusal(503, "Service unavailable", retry_after="7"), Sent.AGAIN)

    assert isinstance(error, Unavailable)
    assert error.retry_after == 7


def test_a_reason_quotes_github_and_names_the_fields() -> None:
    assert f"422 Validation Failed; {TOO_LONG}" in failure(invalid("Issue", "body", TOO_LONG), Sent.ONCE).reason
    assert "422 Validation Failed; title custom" in failure(invalid("Issue", "title", None), Sent.ONCE).reason
    assert "Validation Failed; as words" in message(refusal(422, "Validation Failed", "as words"))


@pytest.mark.parametrize(
    "content",
    [
        None,
        UNICORN,
        b"[" * 100_000,
        b"\xff",
        "text",
        [],
        {"message": 5},
        {"message": {"a": "b"}},
        {"errors": {}},
    ],
)
def test_where_github_says_nothing_readable_nothing_is_quoted(content: Any) -> None:
    assert message(answer(422, content)) == ""


def test_a_quotation_is_short_on_one_line_and_without_what_was_sent() -> None:
    fault = {"resource": "Issue", "field": "title", "code": "invalid", "value": "private words"}
    quoted = message(refusal(422, "one\nline\u202e" + "x" * 300, fault))

    assert len(quoted) <= 201
    assert "\n" not in quoted
    assert "\u202e" not in quoted
    assert "private" not in message(refusal(422, "Validation Failed", fault))


def test_an_answer_shows_nothing_private_of_itself() -> None:
    assert "private" not in repr(Answer(200, {"set-cookie": "private"}, b"private"))


def test_a_201_with_a_number_is_an_issue() -> None:
    made = created(
        answer(
            201,
            {"number": 7, "html_url": "https://github.com/acme/game/issues/7", "labels": [{"name": "crash"}]},
        ),
        "acme/game",
        ["Crash"],
    )

    assert (made.remote_id, made.key, made.number) == ("7", "acme/game#7", 7)
    assert made.url == "https://github.com/acme/game/issues/7"
    assert made.notes == ()


def test_labels_that_were_dropped_are_told() -> None:
    made = created(answer(201, {"number": 7, "labels": [{"name": "a"}]}), "acme/game", ["a", "b", "c"])

    assert made.notes == ("GitHub dropped the labels b, c: the token may not set labels in acme/game",)


@pytest.mark.parametrize(
    "content",
    [
        None, UNICORN, b'{"number": 1', [], {}, {"number": None}, {"number": "7"}, {"number": True},
        {"number": 7.5}, {"number": 0}, {"number": -1}, b"[" * 100_000, b"\xff\xfe", "null",
    ],
)  # fmt: skip
def test_a_201_without_a_number_leaves_the_create_in_doubt(content: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        created(answer(201, content), "acme/game", [])


def test_an_address_that_is_not_of_the_web_is_left_out() -> None:
    made = created(answer(201, {"number": 7, "html_url": "javascript:alert(1)"}), "acme/game", [])

    assert made.url == ""


def test_only_a_201_creates() -> None:
    with pytest.raises(SyncdError):
        created(answer(200, {"number": 7, "labels": []}), "acme/game", [])


def test_a_comment_without_author_or_text_can_be_read() -> None:
    assert answer(200, {"id": 5, "body": None, "user": None}).read(Comment) == Comment(id=5)
    assert answer(200, {"id": "5"}).read(Comment) is None
    assert answer(200, {"number": 5, "labels": "crash"}).read(Filed) is None
