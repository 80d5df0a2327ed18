"""What the hooks of GitHub and Jira report, and whose signatures count: by the reports that vendors publish, and by hostile ones."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.trackers import hooks
from syncd.trackers.hooks import Report, reader
from tests.fakes import npm, reports
from tests.fakes.github import PERSON, FakeGitHub
from tests.fakes.jira import FakeJiraCloud, FakeJiraDataCenter
from tests.fakes.reports import Sender

GITHUB, JIRA = reader("github"), reader("jira")
# GitHub's documentation "Validating webhook deliveries" has the first pair of text and signature.
SECRET = b"It's a Secret to Everybody"
SIGNED = {
    b"Hello, World!": b"757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    b"Hello World!": b"a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9",
}


def issues(event: str, payload: object) -> Report:
    """What a GitHub hook reports."""
    report = GITHUB.read({b"x-github-event": event.encode()}, json.dumps(payload).encode())
    assert report is not None
    return report


def of_jira(payload: object) -> Report:
    report = JIRA.read({}, json.dumps(payload).encode())
    assert report is not None
    return report


@pytest.mark.parametrize("body", SIGNED)
def test_a_signature_counts_as_the_documentation_computes_it(body: bytes) -> None:
    assert hooks.is_signed(SIGNED[body], body, [b"another", SECRET])
    assert hooks.is_signed(SIGNED[body].upper(), body, [SECRET])
    assert not hooks.is_signed(SIGNED[body], body + b" ", [SECRET])
    assert not hooks.is_signed(SIGNED[body], body, [b"another"])
    assert not hooks.is_signed(SIGNED[body], body, [])
    assert not hooks.is_signed(SIGNED[body][:-1], body, [SECRET])
    assert not hooks.is_signed(b"", body, [SECRET])
    assert not hooks.is_signed("ä".encode(), body, [SECRET])


def test_only_a_sha256_is_a_signature() -> None:
    digest = SIGNED[b"Hello, World!"]
    assert GITHUB.signature({b"x-hub-signature-256": b"sha256=" + digest}) == digest
    assert GITHUB.signature({b"x-hub-signature": b"sha1=" + digest[:40]}) == b""
    assert GITHUB.signature({b"x-hub-signature": b"sha256=" + digest}) == b"", "GitHub's old header is a SHA-1"
    assert GITHUB.signature({b"x-hub-signature-256": b"sha1=" + digest[:40]}) == b""
    assert GITHUB.signature({b"x-hub-signature-256": digest}) == b""
    assert JIRA.signature({b"x-hub-signature": b"sha256=" + digest}) == digest
    assert JIRA.signature({b"x-hub-signature": b"md5=" + digest}) == b""


def published() -> list[tuple[str, dict[str, Any]]]:
    try:
        return list(reports.examples())
    except npm.NotInstalled as error:
        pytest.skip(str(error))


# The changes of an issue that syncd reads: where it is, whether it is open, its labels, its lock, its milestone, whose it is.
LOOKED_AT = {
    "closed", "reopened", "deleted", "transferred", "edited", "labeled", "unlabeled", "locked", "unlocked", "milestoned", "demilestoned",
    "assigned", "unassigned",
}  # fmt: skip
WHOLE = {"repository", "public", "milestone", "label", "installation", "installation_repositories"}


def test_of_all_reports_that_github_publishes_those_of_issues_name_them_and_no_others_do() -> None:
    looked_at = set()
    for event, payload in published():
        report = issues(event, payload)
        if event == "issues" and payload["action"] in LOOKED_AT:
            assert report.issues == (f"{payload['repository']['id']}/{payload['issue']['number']}",)
            assert report.changed_at is not None
            looked_at.add(payload["action"])
        elif "old_issue" in payload.get("changes", {}):
            old = payload["changes"]
            assert report == Report(issues=(f"{old['old_repository']['id']}/{old['old_issue']['number']}",))
        elif event in WHOLE:
            home = str(payload["repository"]["id"]) if "repository" in payload else ""
            assert report == Report(whole=True, home=home), event
        else:
            assert report.silence, (event, payload.get("action"))
            assert not report.issues
            assert not report.whole
    assert looked_at == LOOKED_AT - {"closed"}, "there is no example of a closing"


def test_a_change_that_github_invents_later_is_a_reason_to_look() -> None:
    payload = {"action": "frobnicated", "issue": {"number": 7}, "repository": {"id": 12}}
    assert issues("issues", payload) == Report(issues=("12/7",))


def test_a_transfer_is_read_where_the_issue_was() -> None:
    old = {"old_issue": {"number": 3}, "old_repository": {"id": 11}}
    opened = {"action": "opened", "issue": {"number": 7}, "repository": {"id": 12}, "changes": old}
    assert issues("issues", opened) == Report(issues=("11/3",))
    del opened["changes"]
    assert issues("issues", opened).silence, "an issue of syncd's own is no news to it"


UPDATED = {
    "timestamp": 1_790_000_000_000,
    "webhookEvent": "jira:issue_updated",
    "issue_event_type_name": "issue_generic",
    "user": {"accountId": "1"},
    "issue": {"id": "10042", "key": "GAME-7", "fields": {"updated": "2026-11-30T12:00:00.000+0100", "summary": "x"}},
    "changelog": {"id": "1", "items": [{"field": "status", "fromString": "To Do", "toString": "Done"}]},
}


def test_jira_reports_issues_by_their_ids() -> None:
    assert of_jira(UPDATED) == Report(issues=("10042",), changed_at=1_796_036_400.0)
    assert of_jira({**UPDATED, "webhookEvent": "jira:issue_deleted"}).issues == ("10042",)
    assert of_jira({**UPDATED, "issue": {"id": 10042}}) == Report(issues=("10042",))
    link = {"webhookEvent": "issuelink_created", "issueLink": {"sourceIssueId": 10042, "destinationIssueId": 10043}}
    assert of_jira(link).issues == ("10042", "10043")


@pytest.mark.parametrize(
    "event", ["jira:version_released", "jira:version_deleted", "project_updated", "project_archived"]
)
def test_what_concerns_a_whole_project_of_jira_asks_for_a_survey(event: str) -> None:
    assert of_jira({"webhookEvent": event, "version": {"id": 1}}) == Report(whole=True)


@pytest.mark.parametrize("event", ["jira:issue_created", "comment_created", "comment_updated", "worklog_updated"])
def test_what_changes_no_condition_is_no_reason_to_look(event: str) -> None:
    assert of_jira({**UPDATED, "webhookEvent": event}).silence


def test_a_hook_of_jira_without_its_body_says_how_to_set_it_up() -> None:
    assert "must not leave out the body" in of_jira({"webhookEvent": "jira:issue_updated"}).silence


@pytest.mark.parametrize("id_", ["", "../10042", "1" * 19, "10042 OR 1=1", None, True, 1.5, {"id": 1}, -3])
def test_only_a_number_is_an_id_of_jira(id_: object) -> None:
    assert of_jira({**UPDATED, "issue": {"id": id_}}).issues == ()


@pytest.mark.parametrize("number", [0, -1, 2**63, 1e3, "7", None, [7], True])
def test_only_a_number_is_a_number_of_github(number: object) -> None:
    payload = {"action": "closed", "issue": {"number": number}, "repository": {"id": 12}}
    assert issues("issues", payload).issues == ()


def test_the_time_of_a_change_counts_only_if_it_is_one() -> None:
    times: list[object] = [
        "2026-11-30T12:00:00Z",
        "yesterday",
        "2026-11-30T12:00:00",
        "9" * 5000,
        1e400,
        None,
        [],
        "0001-01-01T00:00:00+23:59",
    ]
    for updated in times:
        payload = {"action": "closed", "issue": {"number": 7, "updated_at": updated}, "repository": {"id": 12}}
        report = GITHUB.read({b"x-github-event": b"issues"}, json.dumps(payload).encode())
        if updated == "2026-11-30T12:00:00Z":
            assert report == Report(issues=("12/7",), changed_at=1_796_040_000.0)
        else:
            # JSON has no infinity.
            assert report is None if updated == 1e400 else report in (Report(issues=("12/7",)), report)


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["closed", "10042"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "action",
                    "issue",
                    "number",
                    "id",
                    "repository",
                    "changes",
                    "old_issue",
                    "webhookEvent",
                    "issueLink",
                    "fields",
                    "updated",
                ]
            )
            | st.text(max_size=8),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(HOSTILE, st.sampled_from([b"issues", b"repository", b"ping", b"", b"\xff"]))
def test_no_body_breaks_a_reader_and_none_names_a_place_that_is_none(value: object, event: bytes) -> None:
    body = json.dumps(value).encode()
    for report in (GITHUB.read({b"x-github-event": event}, body), JIRA.read({}, body)):
        if report is not None:
            assert all(each.replace("/", "", 1).isdecimal() and each.isascii() for each in report.issues)
            assert report.home == "" or report.home.isdecimal()


@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_have_no_report(body: bytes) -> None:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        is_json = False
    else:
        is_json = True
    for read in (GITHUB.read({b"x-github-event": b"issues"}, body), JIRA.read({}, body)):
        assert (read is not None) is is_json or read is not None


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"issue":' * 50_000, b'{"x":"' + b"a" * 10**6, b"", b"\x00", b"null"]
)
def test_a_body_that_is_deep_long_or_cut_off_is_refused_or_names_nothing(body: bytes) -> None:
    for report in (GITHUB.read({b"x-github-event": b"issues"}, body), JIRA.read({}, body)):
        assert report is None or report.issues == ()


def test_the_fake_reports_as_github_does() -> None:
    shapes = {(event, payload.get("action")): payload for event, payload in published()}
    shapes["issues", "closed"] = shapes["issues", "reopened"]  # there is no example
    with FakeGitHub() as fake:
        fake.hook = Sender("", "secret", "github", holds=True)
        elsewhere = fake.add_repository("acme/other")
        number = fake.file(fake.repository, "A crash", "It broke.", fake.account, ["crash"]).number
        issue = fake.repository.issues[number]
        fake.close_issue(issue)
        fake.reopen_issue(issue)
        fake.edit_issue(issue, labels=[])
        fake.transfer(fake.repository, number, elsewhere)
        fake.delete_issue(elsewhere.issues[1])
        fake.remark(issue, "Thanks.", PERSON)
        sent = [(each.event, json.loads(each.body)) for each in fake.hook.waiting]

    assert [(event, payload["action"]) for event, payload in sent] == [
        ("issues", "closed"), ("issues", "reopened"), ("issues", "labeled"), ("issues", "transferred"),
        ("issues", "opened"), ("issues", "deleted"), ("issue_comment", "edited"),
    ]  # fmt: skip
    for event, payload in sent:
        shape = shapes[event, payload["action"]]
        assert payload.keys() - {"changes"} <= shape.keys()
        for name in ("issue", "repository", "sender"):
            # Octokit's examples are older than these fields.
            assert payload[name].keys() - {"state_reason", "permissions"} <= shape[name].keys()


@pytest.mark.parametrize("deployment", [FakeJiraCloud, FakeJiraDataCenter])
def test_the_fakes_of_jira_report_every_change(deployment: type[FakeJiraCloud] | type[FakeJiraDataCenter]) -> None:
    with deployment() as fake:
        fake.hook = Sender("", "secret", "jira", holds=True)
        issue = fake.file("A crash")
        fake.close_issue(issue.key)
        fake.edit_issue(issue.key, labels=["x"])
        fake.move(issue.key, "TRIAGE")
        fake.delete(issue.key)
        read = [JIRA.read({}, each.body) for each in fake.hook.waiting]

    assert [each is not None and each.issues for each in read] == [(), *[(issue.id,)] * 4]
