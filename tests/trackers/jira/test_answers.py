"""Every row of what Jira's answers mean."""

import json
from typing import Any

import pytest

from syncd.errors import Deferred, Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.trackers.jira.answers import (
    created,
    failure,
    message,
    moment,
    more_after,
    refused_fields,
    refuses,
    rows,
)
from syncd.trackers.transport import Answer, Sent

DATE = {"date": "Fri, 15 Jan 2027 08:00:00 GMT"}
NO_ISSUE = "Issue does not exist or you do not have permission to see it."
CAPTCHA = {"x-authentication-denied-reason": "CAPTCHA_CHALLENGE; login-url=https://jira.example/login.jsp"}


def answer(status: int, content: Any = None, **headers: str) -> Answer:
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    return Answer(status, DATE | {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("status", "once", "again"),
    [
        (200, OutcomeUnknown, Unavailable),
        (201, OutcomeUnknown, Unavailable),
        (204, OutcomeUnknown, Unavailable),
        (301, Misconfigured, Misconfigured),
        (302, Misconfigured, Misconfigured),
        (307, Misconfigured, Misconfigured),
        (400, Refused, Refused),
        (401, Misconfigured, Misconfigured),
        (403, Misconfigured, Misconfigured),
        (404, Misconfigured, Misconfigured),
        (405, Misconfigured, Misconfigured),
        (408, OutcomeUnknown, Unavailable),
        (409, Deferred, Deferred),
        (410, Misconfigured, Misconfigured),
        (413, Refused, Refused),
        (414, Refused, Refused),
        (422, Refused, Refused),
        (431, Refused, Refused),
        (421, Deferred, Deferred),
        (425, Deferred, Deferred),
        (429, Throttled, Throttled),
        (500, OutcomeUnknown, Unavailable),
        (502, OutcomeUnknown, Unavailable),
        (503, OutcomeUnknown, Unavailable),
        (504, OutcomeUnknown, Unavailable),
    ],
)
def test_each_status_has_one_meaning(status: int, once: type[TrackerError], again: type[TrackerError]) -> None:
    assert type(failure(answer(status), Sent.ONCE)) is once
    assert type(failure(answer(status), Sent.AGAIN)) is again


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "3601"}, 3601),
        ({"retry_after": "99999999"}, 86400),
        ({"retry_after": "-5"}, 60),
        ({"retry_after": "1e999"}, 60),
        ({"retry_after": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30),
        ({"x_ratelimit_reset": "2027-01-15T08:02Z"}, 120),
        ({"x_ratelimit_reset": "2027-01-15T08:02:00.000"}, 120),
        ({"x_ratelimit_reset": "2027-01-15T07:00Z"}, 1),
        ({"x_ratelimit_reset": "soon"}, 60),
        ({"retry_after": "soon", "x_ratelimit_reset": "2027-01-15T08:02Z"}, 120),
        ({"x_ratelimit_reset": "2027-01-15T11:30Z"}, 12600),
        ({"x_ratelimit_reset": "2027-01-15T08:02Z", "date": ""}, 60),
        ({"x_ratelimit_reset": "2027-01-15T08:02Z", "date": "Fri, 15 Jan 2027 08:00:00 -0000"}, 120),
        ({"retry_after": "7", "x_ratelimit_reset": "2027-01-15T08:02Z"}, 7),
    ],
)
def test_a_429_says_for_how_long_in_any_of_jiras_ways(headers: dict[str, str], seconds: float) -> None:
    error = failure(answer(429, **headers), Sent.ONCE)

    assert isinstance(error, Throttled)
    assert error.seconds == seconds


# What Jira says, and what it means for a write that must not be repeated and for one that may.
SITUATIONS: dict[str, tuple[Answer, type[TrackerError], type[TrackerError], str]] = {
    "the site has another address": (
        answer(301, location="https://new.example/rest/api/2/issue"), Misconfigured, Misconfigured, "https://new.example",
    ),
    "a redirect that keeps the method": (
        answer(307, location="https://new.example/rest/api/2/issue"), Misconfigured, Misconfigured, "correct url",
    ),
    "an issue that is not there, or hidden": (
        answer(404, {"errorMessages": [NO_ISSUE]}), Misconfigured, Misconfigured, NO_ISSUE,
    ),
    "an address that was withdrawn": (
        answer(410, {"errorMessages": ["The requested API has been removed."]}), Misconfigured, Misconfigured, "removed",
    ),
    "a read-only or archived project": (
        answer(400, {"errorMessages": ["The issue is archived."]}), Refused, Refused, "archived",
    ),
    "bad credentials": (answer(401, b"<html>Unauthorized (401)</html>"), Misconfigured, Misconfigured, "login"),
    "captcha": (Answer(403, CAPTCHA), Misconfigured, Misconfigured, "CAPTCHA"),
    "no permission": (
        answer(403, {"errorMessages": ["You do not have permission to edit issues."]}), Misconfigured, Misconfigured, "403",
    ),
    "a limit without Retry-After": (answer(429), Throttled, Throttled, "fewer"),
    "a limit with Retry-After": (answer(429, retry_after="30"), Throttled, Throttled, "fewer"),
    "a limit until its reset": (answer(429, x_ratelimit_reset="2027-01-15T08:02Z"), Throttled, Throttled, "fewer"),
    "a text that is too long": (
        answer(400, {"errors": {"description": "The entered text is too long."}}), Refused, Refused, "too long",
    ),
    "an entity that cannot be processed": (answer(422), Refused, Refused, "422"),
    "field errors": (
        answer(400, {"errors": {"priority": "The priority selected is invalid."}}), Refused, Refused, "priority: The",
    ),
    "a gateway's page": (answer(502, b"<html>Bad gateway</html>"), OutcomeUnknown, Unavailable, "502"),
    "a page under the status of success": (answer(200, b"<html>Log in</html>"), OutcomeUnknown, Unavailable, "200"),
    "a success without a body": (answer(201), OutcomeUnknown, Unavailable, "201"),
    "an answer that was cut off": (answer(201, b'{"id": "10001", "ke'), OutcomeUnknown, Unavailable, "201"),
    "a gateway that waits no longer": (answer(504, retry_after="5"), OutcomeUnknown, Unavailable, "504"),
}  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_situation_has_one_meaning(situation: str) -> None:
    refusal, once, again, words_of_it = SITUATIONS[situation]
    for error, meaning in ((failure(refusal, Sent.ONCE), once), (failure(refusal, Sent.AGAIN), again)):
        assert type(error) is meaning
        assert words_of_it in error.reason
        assert "<html>" not in error.reason


def test_a_question_is_never_refused() -> None:
    for status in (400, 413, 414, 422, 431):
        assert type(failure(answer(status), Sent.READ)) is Unavailable
    assert type(failure(answer(401), Sent.READ)) is Misconfigured


@pytest.mark.parametrize(
    ("limit", "narrow"),
    [
        ("jira-burst-based", True),
        ("jira-quota-global-based", False),
        ("jira-quota-tenant-based", False),
        ("something new", False),
        ("", False),
    ],
)
def test_only_a_limit_on_bursts_is_about_one_kind_of_request(limit: str, narrow: bool) -> None:
    error = failure(answer(429, retry_after="9", ratelimit_reason=limit), Sent.ONCE)

    assert isinstance(error, Throttled)
    assert error.narrow is narrow
    assert error.seconds == 9


def test_a_locked_login_is_left_alone_for_an_hour() -> None:
    error = failure(Answer(403, CAPTCHA), Sent.AGAIN)

    assert isinstance(error, Misconfigured)
    assert error.seconds == 3600
    assert isinstance(second := failure(answer(403), Sent.AGAIN), Misconfigured)
    assert second.seconds is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-15T08:00:00.000+0000", 1_800_000_000.0),
        ("2027-01-15T09:00:00.500+0100", 1_800_000_000.5),
        ("2027-01-14T22:30:00.000-0930", 1_800_000_000.0),
        ("2027-01-15T08:00:00.000", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_moment_has_a_zone_or_is_not_known(text: str | None, seconds: float | None) -> None:
    assert moment(text) == seconds


def test_jiras_clock_is_the_date_of_its_answer() -> None:
    assert answer(200).date == 1_800_000_000.0
    assert Answer(200, {"date": "Fri, 15 Jan 2027 08:00:00 -0000"}).date == 1_800_000_000.0
    assert Answer(200, {"date": "soon"}).date is None
    assert Answer(200).date is None


def test_the_limit_on_writes_to_one_issue_does_not_silence_the_tracker() -> None:
    limited = answer(429, retry_after="2", ratelimit_reason="jira-per-issue-on-write")
    error = failure(limited, Sent.AGAIN)

    assert isinstance(error, Unavailable)
    assert error.retry_after == 2


def test_a_503_tells_how_long_to_wait_where_repeating_is_safe() -> None:
    error = failure(answer(503, retry_after="12"), Sent.AGAIN)

    assert isinstance(error, Unavailable)
    assert error.retry_after == 12


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("headers", "locked"),
    [
        (CAPTCHA, True),
        ({"x-seraph-loginreason": "AUTHENTICATION_DENIED"}, True),
        ({"x-authentication-denied-reason": "captcha_challenge"}, True),
        ({"x-seraph-loginreason": "AUTHENTICATED_FAILED"}, False),
        ({"x-seraph-loginreason": "OUT"}, False),
        ({}, False),
    ],
)
def test_a_locked_login_has_any_of_jiras_headers(status: int, headers: dict[str, str], locked: bool) -> None:
    refused = Answer(status, headers, b'{"errorMessages": []}')
    error = failure(refused, Sent.AGAIN)

    assert isinstance(error, Misconfigured)
    assert (error.seconds == 3600) is locked
    assert refuses(refused) is (status == 403 and not locked)
    assert failure(Answer(404, headers), Sent.AGAIN).reason.startswith("what answers at this url")


@pytest.mark.parametrize(
    ("body", "header", "page"),
    [
        (b"<!DOCTYPE html>", "application/json", True),
        (b"\xef\xbb\xbf\r\n <html>", "", True),
        (b"", "text/html; charset=UTF-8", True),
        (b"[]", "application/json", False),
        (b"", "", False),
        (b"plain", "text/plain", False),
    ],
)
def test_a_login_page_is_named_as_a_page_and_a_create_stays_in_doubt(body: bytes, header: str, page: bool) -> None:
    received = Answer(200, {"content-type": header}, body)

    assert ("login page" in failure(received, Sent.READ).reason) is page
    assert type(failure(received, Sent.READ)) is Unavailable
    assert type(failure(received, Sent.ONCE)) is OutcomeUnknown


def test_a_captcha_sends_a_person_to_the_browser() -> None:
    error = failure(Answer(403, CAPTCHA), Sent.ONCE)

    assert isinstance(error, Misconfigured)
    assert "browser" in error.reason


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("https://id.example/login?token=hush&continue=x#hush", "https://id.example/login"),
        ("https://user:hush@id.example/login", "https://id.example/login"),
        ("/login.jsp?os_destination=hush", "/login.jsp"),
        ("http://[hush", "an unreadable place"),
        ("", "nowhere"),
    ],
)
def test_a_redirect_is_named_without_what_may_be_secret(location: str, text: str) -> None:
    error = failure(answer(302, location=location), Sent.ONCE)

    assert f", {text})" in error.reason
    assert "hush" not in error.reason


def test_jiras_words_come_cleaned_and_short() -> None:
    text = message(answer(400, {"errorMessages": ["one\r\ntwo\x1b[31m"], "errors": {"summary": "x" * 5000}}))

    assert text.startswith(" one two")
    assert "\x1b" not in text
    assert len(text) <= 301


@pytest.mark.parametrize(
    "body",
    [
        b"<html>secret page</html>",
        b"",
        b'{"errorMessages":["half',
        b"[1]",
        b"7",
        b"null",
        b'{"errorMessages":null,"errors":null}',
        b'{"errorMessages":[1],"errors":["list"]}',
        b'{"errorMessages":{},"message":7}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_jiras_adds_no_words(body: bytes) -> None:
    refused = Answer(400, {}, body)

    assert message(refused) == ""
    assert refused_fields(refused) == {}
    assert isinstance(failure(refused, Sent.ONCE), Refused)


def test_only_a_refusal_blames_fields() -> None:
    blame = {"errors": {"versions": "Version name '9' is not valid"}}

    assert refused_fields(answer(400, blame)) == blame["errors"]
    assert refused_fields(answer(422, blame)) == blame["errors"]
    assert refused_fields(answer(500, blame)) == {}
    assert refused_fields(answer(401, blame)) == {}


def test_a_created_issue_is_named_in_full() -> None:
    issue = created(answer(201, {"id": "10007", "key": "CRASH-42"}), "https://jira.example", ("a note",))

    assert issue.remote_id == "10007"
    assert issue.key == "CRASH-42"
    assert issue.number == 42
    assert issue.url == "https://jira.example/browse/CRASH-42"
    assert issue.notes == ("a note",)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b'{"id":"10007"}',
        b'{"id":10007,"key":"CRASH-42"}',
        b'{"id":"10007","key":null}',
        b'{"id":"../1","key":"CRASH-42"}',
        b'{"id":"10007","key":"CRASH-42/../../x"}',
        b'{"id":"10007","key":"CRASH-4',
    ],
)
def test_a_success_that_names_no_issue_leaves_the_create_in_doubt(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        created(Answer(201, {}, body), "https://jira.example", ())


def test_an_unreadable_list_is_never_an_empty_one() -> None:
    assert rows(answer(200, {"comments": []}), "comments") == []
    assert rows(answer(200, {"values": [{"a": 1}]}), "fields", "values") == [{"a": 1}]
    assert rows(answer(200, [{"a": 1}])) == [{"a": 1}]
    unreadable: list[Any] = [{}, [], None, b"<html>", {"comments": None}, {"comments": [1]}]
    for content in unreadable:
        with pytest.raises(Unavailable):
            rows(answer(200, content), "comments")


def test_a_list_goes_on_until_its_total_or_where_that_is_not_told() -> None:
    assert more_after(answer(200, {"total": 3}), 2)
    assert not more_after(answer(200, {"total": 3}), 3)
    assert more_after(answer(200, {}), 3)


def test_an_answer_does_not_show_its_headers_and_body() -> None:
    assert "hush" not in repr(Answer(200, {"set-cookie": "JSESSIONID=hush"}, b"hush"))
