"""The Jira adapter against stateful fakes of Cloud and Data Center."""

import json
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jira as library
import pytest

from syncd.config import JiraSettings
from syncd.errors import Misconfigured, Missing, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Group, Identity, Issue, IssueState, Release
from syncd.render.document import Code, Document, Heading, Paragraph, Value
from syncd.trackers import Draft
from syncd.trackers.jira import Jira
from tests.fakes.jira import EMAIL, TOKEN, FakeJira, FakeJiraCloud, FakeJiraDataCenter
from tests.fakes.notebook import Memory
from tests.fakes.server import Fault, How
from tests.fakes.specs import check_traffic

MARKER = "syncd:1:K7Q2ZJ4M5N6P7R2S3T4U5V6W7X"
TAG = "syncd-2c5f5f03a09748fc"
DEPLOYMENTS = {"cloud": FakeJiraCloud, "datacenter": FakeJiraDataCenter}


@dataclass
class Clock:
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=sorted(DEPLOYMENTS))
def fake(request: pytest.FixtureRequest) -> Iterator[FakeJira]:
    with DEPLOYMENTS[request.param]() as server:
        yield server
        assert server.problems == []


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


Open = Callable[..., Jira]


@pytest.fixture
def opened(fake: FakeJira, token_file: Path, clock: Clock) -> Iterator[Open]:
    """Opens adapters on the fake, with further settings, and closes them."""
    adapters: list[Jira] = []

    def open_one(**settings: Any) -> Jira:
        cloud = isinstance(fake, FakeJiraCloud)
        known = {
            "kind": "jira",
            "deployment": "cloud" if cloud else "datacenter",
            "url": fake.url,
            "project": fake.project,
            "token": {"file": str(token_file)},
            "timeout": 5.0,
        } | ({"email": EMAIL} if cloud else {})
        parsed = JiraSettings.model_validate({**known, **settings})
        adapters.append(Jira("mobile", parsed, Memory(), clock=clock, sleep=clock.slept.append))
        return adapters[-1]

    yield open_one
    for adapter in adapters:
        adapter.close()


def a_group(**facts: Any) -> Group:
    return Group(identity=Identity("acme", "game", "ab" * 32), **facts)


def a_draft(group: Group | None = None, **parts: Any) -> Draft:
    body = (Heading("Callstack"), Code(("main", "crash")))
    return Draft(
        **{"marker": MARKER, "title": "SIGSEGV in crash", "body": body, "group": group or a_group(), **parts}
    )


def linked(adapter: Jira) -> Issue:
    made = adapter.create(a_draft())
    return Issue(
        tracker="mobile",
        state=IssueState.LINKED,
        marker=MARKER,
        remote_id=made.remote_id,
        key=made.key,
        url=made.url,
    )


def status(text: str) -> Document:
    return (Paragraph(("Occurrences: ", Value(text))),)


def test_opening_sends_nothing(fake: FakeJira, opened: Open) -> None:
    opened().close()

    assert fake.requests == []


def test_a_new_issue_is_one_request_and_carries_its_marker(fake: FakeJira, opened: Open) -> None:
    made = opened(labels=["crash", "auto"], components=["client"], priority="Highest").create(a_draft())

    issue = fake.issues["CRASH-1"]
    assert len(fake.requests) == 1
    assert made.remote_id == issue.id
    assert made.number == 1
    assert made.url == f"{fake.url}/browse/CRASH-1"
    assert made.notes == ()
    assert issue.labels == ["crash", "auto", TAG]
    assert issue.fields["summary"] == "SIGSEGV in crash"
    assert issue.fields["components"] == [{"name": "client"}]
    assert issue.fields["priority"] == {"name": "Highest"}
    if isinstance(fake, FakeJiraCloud):
        assert issue.properties == {"syncd": {"v": 1, "m": MARKER}}
        assert issue.fields["description"]["type"] == "doc"
    else:
        assert issue.properties == {}
        assert issue.fields["description"].splitlines()[-1] == f"syncd issue · {TAG.removeprefix('syncd-')}"
    check_traffic(fake)


def test_the_longest_report_and_title_stay_within_jiras_limits(fake: FakeJira, opened: Open) -> None:
    frames = Code(tuple(f"frame_{number}_\U0001f4a5é" * 10 for number in range(3000)))
    opened().create(a_draft(title="\U0001f4a5" * 400, body=(Heading("Callstack"), frames)))

    issue = fake.issues["CRASH-1"]
    assert len(issue.fields["summary"]) > 100
    assert len(json.dumps(issue.fields["description"])) > 15_000
    check_traffic(fake)


def test_a_status_comment_of_any_length_still_ends_with_its_line(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    comment_id = adapter.comment(issue, (Code(("x" * 200,) * 3000),), MARKER)

    assert adapter.find_comment(issue, MARKER) == comment_id


LOST: list[How] = ["reset_before", "reset_after", "half_after", "garbage_after", "empty_after"]


@pytest.mark.parametrize("how", LOST)
def test_a_lost_answer_leaves_one_post_and_a_doubt(fake: FakeJira, opened: Open, how: How) -> None:
    adapter = opened()
    fake.inject(Fault(how=how, path="/issue$"))
    with pytest.raises(OutcomeUnknown):
        adapter.create(a_draft())

    assert len(fake.sent("POST")) == 1
    assert len(fake.issues) == (0 if how == "reset_before" else 1)


def test_an_answer_that_comes_too_late_leaves_one_post_and_a_doubt(fake: FakeJira, opened: Open) -> None:
    adapter = opened(timeout=1.0)
    fault = fake.inject(Fault(how="hang_before", path="/issue$"))
    with pytest.raises(OutcomeUnknown):
        adapter.create(a_draft())
    fault.released.set()

    assert len(fake.sent("POST")) == 1


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_error_leaves_a_create_in_doubt(fake: FakeJira, opened: Open, code: int) -> None:
    fake.inject(Fault(how="status_after", status=code, headers={"Retry-After": "1"}))
    with pytest.raises(OutcomeUnknown):
        opened().create(a_draft())

    assert len(fake.sent("POST")) == 1


def test_the_librarys_own_retries_would_create_more_than_one_issue(
    fake: FakeJira, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what `max_retries=0` and the raw request protect from."""
    monkeypatch.setattr("jira.resilientsession.time", SimpleNamespace(sleep=lambda seconds: None))
    fake.inject(Fault(how="reset_after", path="/issue$", times=2))
    login: dict[str, Any] = {"basic_auth": (EMAIL, TOKEN)}
    if isinstance(fake, FakeJiraDataCenter):
        login = {"token_auth": TOKEN}
    client = library.JIRA(
        fake.url,
        options={"rest_api_version": fake.api[-1]},
        get_server_info=False,
        max_retries=2,
        timeout=5,
        **login,
    )
    text = {"version": 1, "type": "doc", "content": []} if isinstance(fake, FakeJiraCloud) else "text"
    client.create_issue(
        {"project": {"key": "CRASH"}, "issuetype": {"name": "Bug"}, "summary": "x", "description": text},
        prefetch=False,
    )
    client.close()  # type: ignore[no-untyped-call]

    assert len(fake.issues) == 3


def test_what_was_never_sent_is_not_in_doubt(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    fake.close()
    with pytest.raises(Unavailable):
        adapter.create(a_draft())


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_not_done(fake: FakeJira, opened: Open, code: int) -> None:
    place = f"{fake.url}/elsewhere?session=hush"
    fake.inject(Fault(how="status", status=code, headers={"Location": place}))
    with pytest.raises(Misconfigured) as caught:
        opened().create(a_draft())

    assert len(fake.requests) == 1
    assert "/elsewhere" in caught.value.reason
    assert "hush" not in caught.value.reason


@pytest.mark.parametrize("place", ["http://[", "http://x:y:z", "\x00", "//", "http://" + "a" * 70_000])
def test_an_absurd_redirect_is_still_a_tracker_error(fake: FakeJira, opened: Open, place: str) -> None:
    fake.inject(Fault(how="status", status=302, headers={"Location": place}))
    with pytest.raises(TrackerError):
        opened().create(a_draft())


def test_affected_versions_are_those_the_project_has(fake: FakeJira, opened: Open, clock: Clock) -> None:
    fake.archived_versions = {"1.1.0"}
    adapter = opened()
    releases = tuple(Release(release=name, occurrences=1) for name in ("1.0.0", "1.1.0", "9.9.9"))
    adapter.create(a_draft(a_group(releases=releases)))
    adapter.create(a_draft(a_group(releases=releases)))

    assert fake.issues["CRASH-2"].fields["versions"] == [{"name": "1.0.0"}]
    assert len(fake.requests) == 3, "the versions are read once"

    fake.versions.append("9.9.9")
    clock.now += 3601
    adapter.create(a_draft(a_group(releases=releases)))

    assert {"name": "9.9.9"} in fake.issues["CRASH-3"].fields["versions"]
    check_traffic(fake)


@pytest.mark.parametrize("how", ["status", "reset_before", "garbage_after"])
def test_versions_that_cannot_be_read_do_not_stop_a_create(fake: FakeJira, opened: Open, how: How) -> None:
    fake.inject(Fault(how=how, method="GET", path="/versions$"))
    adapter = opened()
    group = a_group(releases=(Release(release="1.0.0", occurrences=1),))
    made = adapter.create(a_draft(group))
    adapter.create(a_draft(group))

    assert "versions" not in fake.issues["CRASH-1"].fields
    assert made.notes[0].startswith("versions was left out")
    assert len(fake.sent("GET")) == 1, "nor does every further create wait for them"


def test_versions_are_not_asked_for_where_they_are_not_wanted(fake: FakeJira, opened: Open) -> None:
    opened(affects_versions=False).create(
        a_draft(a_group(releases=(Release(release="1.0.0", occurrences=1),)))
    )

    assert len(fake.requests) == 1


def test_mapped_fields_keep_the_type_of_a_single_placeholder(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {
        "customfield_1": "number",
        "customfield_2": "string",
        "customfield_3": "datetime",
        "customfield_4": "string",
        "customfield_5": "string",
        "customfield_6": "string",
    }
    templates = {
        "customfield_1": "{{ group.occurrences }}",
        "customfield_2": "{{group.occurrences}} in {{ group.project }}",
        "customfield_3": "{{ group.first_seen }}",
        "customfield_4": "{{ group.hosts }}",
        "customfield_5": "{{ group.first_release }} to {{ group.last_release }}",
        "customfield_6": "hosts: {{ group.hosts }}",
        "summary": "mapped",
    }
    releases = (
        Release(release="2.0", occurrences=1, first_seen=20, last_seen=40),
        Release(release="1.0", occurrences=1, first_seen=10, last_seen=30),
    )
    opened(fields=templates).create(
        a_draft(a_group(occurrences=7, first_seen=1_800_000_000, releases=releases))
    )

    fields = fake.issues["CRASH-1"].fields
    assert fields["customfield_1"] == 7
    assert fields["customfield_2"] == "7 in game"
    assert fields["customfield_3"] == "2027-01-15T08:00:00.000+0000"
    assert fields["customfield_5"] == "1.0 to 2.0"
    assert "customfield_4" not in fields
    assert "customfield_6" not in fields
    assert fields["summary"] == "SIGSEGV in crash"


def test_refused_optional_fields_are_left_out_and_remembered(
    fake: FakeJira, opened: Open, clock: Clock
) -> None:
    fake.off_screen = {"priority"}
    adapter = opened(components=["no such"], priority="Highest", fields={"customfield_1": "constant"})
    made = adapter.create(a_draft())

    assert len(fake.sent("POST")) == 2
    assert list(fake.issues) == ["CRASH-2"], "the refused create has used up a number"
    assert [note.split()[0] for note in made.notes] == ["customfield_1", "components", "priority"]

    adapter.create(a_draft())

    assert len(fake.sent("POST")) == 3, "what was refused is not tried again"

    fake.components.append("no such")
    clock.now += 3601
    adapter.create(a_draft())

    assert len(fake.sent("POST")) == 5, "after an hour it is"
    assert fake.issues["CRASH-5"].fields["components"] == [{"name": "no such"}]
    check_traffic(fake)


def test_a_second_refusal_is_not_tried_again(fake: FakeJira, opened: Open) -> None:
    body = {"errorMessages": [], "errors": {"priority": "The priority selected is invalid."}}
    fake.inject(Fault(how="status", status=400, body=body, times=9))
    with pytest.raises(TrackerError):
        opened(priority="Highest").create(a_draft())

    assert len(fake.requests) == 2


def test_a_lost_answer_after_a_refusal_is_a_doubt(fake: FakeJira, opened: Open) -> None:
    body = {"errorMessages": [], "errors": {"priority": "The priority selected is invalid."}}
    fake.inject(Fault(how="status", status=400, body=body))
    fake.inject(Fault(how="reset_after"))
    with pytest.raises(OutcomeUnknown):
        opened(priority="Highest").create(a_draft())

    assert len(fake.issues) == 1


def test_an_issue_is_never_created_without_its_label(fake: FakeJira, opened: Open) -> None:
    fake.off_screen = {"labels"}
    with pytest.raises(Misconfigured, match="add the field Labels to the create screen of CRASH"):
        opened().create(a_draft())

    assert fake.issues == {}


def test_a_required_field_that_is_not_mapped_is_named(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_7": "string"}
    fake.required.add("customfield_7")
    with pytest.raises(Misconfigured, match="customfield_7"):
        opened().create(a_draft())


def test_a_lost_permission_stops_the_tracker_and_not_the_group(fake: FakeJira, opened: Open) -> None:
    fake.permissions.remove("CREATE_ISSUES")
    with pytest.raises(Misconfigured):
        opened().create(a_draft())


def test_too_many_requests_say_for_how_long(fake: FakeJira, opened: Open) -> None:
    fake.inject(Fault(how="status", status=429, headers={"Retry-After": "17"}))
    with pytest.raises(Throttled) as caught:
        opened().create(a_draft())

    assert caught.value.seconds == 17
    assert len(fake.requests) == 1


def test_a_replaced_token_is_read_anew_after_a_refused_login(
    fake: FakeJira, opened: Open, token_file: Path
) -> None:
    adapter = opened()
    fake.token = "the-new-token"
    with pytest.raises(Misconfigured, match="login"):
        adapter.create(a_draft())
    token_file.write_text("the-new-token")
    adapter.create(a_draft())

    assert len(fake.issues) == 1


@pytest.mark.parametrize("token", ["", "two\nlines", "schlüssel", "\x7f"])
def test_an_unusable_token_is_a_matter_of_configuration(
    fake: FakeJira, opened: Open, token_file: Path, token: str
) -> None:
    token_file.write_text(token)
    with pytest.raises(Misconfigured, match=r"trackers\.mobile\.token") as caught:
        opened().create(a_draft())

    assert not token or token not in caught.value.reason
    assert fake.requests == []


def test_a_ca_file_without_certificates_is_a_matter_of_configuration(
    fake: FakeJira, opened: Open, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(Misconfigured, match=name):
            opened(ca_file=str(tmp_path / name)).create(a_draft())

    assert fake.requests == []


def test_no_error_tells_a_secret_or_the_payload(fake: FakeJira, opened: Open) -> None:
    for code in (302, 400, 401, 403, 404, 409, 422, 429, 500, 503):
        fake.inject(
            Fault(how="status", status=code, headers={"Set-Cookie": "JSESSIONID=hush"}, body=b"<b>hush</b>")
        )
        with pytest.raises(TrackerError) as caught:
            opened().create(a_draft(title="hush-title"))
        told = "".join(traceback.format_exception(caught.value, chain=True))
        assert "hush" not in told
        assert TOKEN not in told


def test_the_status_comment_is_added_found_and_edited_with_one_request_each(
    fake: FakeJira, opened: Open
) -> None:
    adapter = opened()
    issue = linked(adapter)
    before = len(fake.requests)
    comment_id = adapter.comment(issue, status("1"), MARKER)

    assert len(fake.requests) == before + 1

    adapter.edit_comment(issue, comment_id, status("2"), MARKER)

    comment = fake.issues["CRASH-1"].comments[comment_id]
    assert len(fake.requests) == before + 2
    assert comment.edits == 1
    assert "2" in json.dumps(comment.body)
    assert adapter.find_comment(issue, MARKER) == comment_id
    assert len(fake.requests) == before + 4, "the account and one page of comments"
    assert adapter.find_comment(issue, "another marker") is None
    assert len(fake.requests) == before + 5, "the account is known"
    if isinstance(fake, FakeJiraCloud):
        assert fake.sent("PUT")[0].query == {"notifyUsers": ["false"]}
    check_traffic(fake)


def test_somebody_elses_copy_of_the_status_comment_is_not_ours(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    ours = adapter.comment(issue, status("1"), MARKER)
    body = fake.issues["CRASH-1"].comments.pop(ours).body
    fake.add_comment("CRASH-1", "ada", body)

    assert adapter.find_comment(issue, MARKER) is None

    again = adapter.comment(issue, status("1"), MARKER)

    assert adapter.find_comment(issue, MARKER) == again


def test_our_comment_is_found_on_a_later_page(fake: FakeJira, opened: Open) -> None:
    fake.page_size = 5
    adapter = opened()
    issue = linked(adapter)
    for _ in range(12):
        fake.add_comment("CRASH-1", "ada", "me too")
    ours = adapter.comment(issue, status("1"), MARKER)

    assert adapter.find_comment(issue, MARKER) == ours
    assert len(fake.sent("GET", "/comment$")) == 3


def test_the_line_within_a_comment_does_not_make_it_ours(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    adapter.comment(issue, (*status(f"syncd status · {TAG[6:]}"), Paragraph(("more",))), "another marker")

    assert adapter.find_comment(issue, MARKER) is None


@pytest.mark.parametrize("how", LOST)
def test_a_lost_comment_is_sent_once_and_in_doubt(fake: FakeJira, opened: Open, how: How) -> None:
    adapter = opened()
    issue = linked(adapter)
    fake.inject(Fault(how=how, path="/comment$"))
    with pytest.raises(OutcomeUnknown):
        adapter.comment(issue, status("1"), MARKER)

    assert len(fake.sent("POST", "/comment$")) == 1


def test_an_unreadable_list_of_comments_is_not_taken_for_an_empty_one(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    ours = adapter.comment(issue, status("1"), MARKER)
    fake.inject(Fault(how="garbage_after", method="GET", path="/comment$", times=2))

    assert adapter.find_comment(issue, MARKER) == ours

    fake.inject(Fault(how="garbage_after", method="GET", path="/comment$", times=3))
    with pytest.raises(Unavailable):
        adapter.find_comment(issue, MARKER)


def test_an_edit_is_tried_three_times_and_then_given_back(fake: FakeJira, opened: Open, clock: Clock) -> None:
    adapter = opened()
    issue = linked(adapter)
    comment_id = adapter.comment(issue, status("1"), MARKER)
    fake.inject(Fault(how="reset_after", method="PUT", times=2))
    adapter.edit_comment(issue, comment_id, status("2"), MARKER)

    assert len(fake.sent("PUT")) == 3
    assert len(clock.slept) == 2

    fake.inject(Fault(how="status", method="PUT", status=500, times=9))
    with pytest.raises(Unavailable):
        adapter.edit_comment(issue, comment_id, status("3"), MARKER)

    assert len(fake.sent("PUT")) == 6


def test_a_wait_that_jira_asks_for_is_not_spent_in_the_thread(
    fake: FakeJira, opened: Open, clock: Clock
) -> None:
    adapter = opened()
    issue = linked(adapter)
    comment_id = adapter.comment(issue, status("1"), MARKER)
    fake.inject(Fault(how="status", method="PUT", status=503, headers={"Retry-After": "40"}))
    with pytest.raises(Unavailable) as caught:
        adapter.edit_comment(issue, comment_id, status("2"), MARKER)

    assert caught.value.retry_after == 40
    assert clock.slept == []


def test_a_deleted_comment_and_a_deleted_issue_are_missing(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_1": "number"}
    adapter = opened(fields={"customfield_1": "{{ group.occurrences }}"})
    issue = linked(adapter)
    comment_id = adapter.comment(issue, status("1"), MARKER)
    del fake.issues["CRASH-1"].comments[comment_id]
    with pytest.raises(Missing, match="comment"):
        adapter.edit_comment(issue, comment_id, status("2"), MARKER)
    del fake.issues["CRASH-1"]
    calls: list[Callable[[], object]] = [
        lambda: adapter.edit_comment(issue, comment_id, status("2"), MARKER),
        lambda: adapter.comment(issue, status("2"), MARKER),
        lambda: adapter.find_comment(issue, MARKER),
        lambda: adapter.refresh(issue, a_group(occurrences=9)),
    ]
    for call in calls:
        with pytest.raises(Missing, match="CRASH-1 is gone"):
            call()
    check_traffic(fake)


def test_a_lost_permission_is_not_taken_for_deleted_issues(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    comment_id = adapter.comment(issue, status("1"), MARKER)
    fake.permissions.remove("BROWSE_PROJECTS")
    with pytest.raises(Misconfigured):
        adapter.edit_comment(issue, comment_id, status("2"), MARKER)
    with pytest.raises(Misconfigured):
        adapter.comment(issue, status("2"), MARKER)


def test_a_refusal_on_one_issue_stops_the_tracker_only_where_the_permission_is_lost(
    fake: FakeJira, opened: Open
) -> None:
    adapter = opened()
    issue = linked(adapter)
    for code in (400, 403):
        fake.inject(Fault(how="status", status=code, body={"errorMessages": ["The issue is archived."]}))
        with pytest.raises(Refused, match="archived"):
            adapter.comment(issue, status("1"), MARKER)
    fake.permissions.remove("ADD_COMMENTS")
    fake.inject(Fault(how="status", status=400, body={"errorMessages": ["You may not comment."]}))
    for _ in (400, 403):
        with pytest.raises(Misconfigured, match="ADD_COMMENTS"):
            adapter.comment(issue, status("1"), MARKER)


def test_a_locked_login_is_not_asked_again(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    sent = len(fake.requests)
    denied = {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=x"}
    fake.inject(Fault(how="status", status=403, headers=denied))
    with pytest.raises(Misconfigured, match="CAPTCHA"):
        adapter.comment(issue, status("1"), MARKER)

    assert len(fake.requests) == sent + 1


def test_only_mapped_fields_that_changed_are_refreshed(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_1": "number", "customfield_2": "string", "customfield_3": "string"}
    templates = {
        "customfield_1": "{{ group.occurrences }}",
        "customfield_2": "{{ group.application }}",
        "customfield_3": "a constant",
        "assignee": "{{ group.application }}",
        "summary": "{{ group.application }}",
    }
    adapter = opened(fields=templates)
    fake.off_screen = {"assignee"}
    issue = linked(adapter)
    adapter.refresh(issue, a_group(occurrences=5, application="game"))
    adapter.refresh(issue, a_group(occurrences=5, application="game"))
    adapter.refresh(issue, a_group(occurrences=6, application="game"))

    puts = fake.sent("PUT")
    assert [put.body for put in puts] == [
        {"fields": {"customfield_1": 5, "customfield_2": "game"}},
        {"fields": {"customfield_1": 6}},
    ]

    opened(fields=templates).refresh(issue, a_group(occurrences=6, application="game"))

    latest = {"fields": {"customfield_1": 6, "customfield_2": "game"}}
    assert fake.sent("PUT")[-1].body == latest, "a restart forgets what was sent, yet constants are people's"
    check_traffic(fake)


def test_nothing_is_refreshed_where_nothing_is_mapped(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    adapter.refresh(issue, a_group(occurrences=5))

    assert fake.sent("PUT") == []


def test_what_was_sent_at_creation_is_not_sent_again(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_1": "number"}
    adapter = opened(fields={"customfield_1": "{{ group.occurrences }}"})
    issue = linked(adapter)
    adapter.refresh(issue, a_group(occurrences=0))

    assert fake.sent("PUT") == []


def test_refused_fields_are_left_out_of_a_refresh(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_1": "number", "customfield_2": "number"}
    adapter = opened(fields=dict.fromkeys(fake.custom_fields, "{{ group.occurrences }}"))
    issue = linked(adapter)
    fake.off_screen = {"customfield_1"}
    adapter.refresh(issue, a_group(occurrences=5))

    assert fake.issues["CRASH-1"].fields["customfield_2"] == 5
    assert len(fake.sent("PUT")) == 2

    adapter.refresh(issue, a_group(occurrences=6))

    assert len(fake.sent("PUT")) == 3


def test_a_project_in_good_order_has_no_remedies(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_1": "number"}
    fake.page_size = 3
    fake.issue_types = ["Task", "Story", "Epic", "Bug"]
    findings = opened(fields={"customfield_1": "{{ group.occurrences }}"}, components=["client"]).check()

    assert [finding.what for finding in findings if not finding.ok] == []
    assert any("logged in" in finding.what for finding in findings)
    assert fake.sent("POST") == []
    assert fake.sent("PUT") == []
    check_traffic(fake)


def test_cloud_takes_no_text_in_a_paragraph_field(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_1": "paragraph"}
    wrong = [one.what for one in opened(fields={"customfield_1": "constant"}).check() if not one.ok]

    assert wrong == (
        ["customfield_1 is of type paragraph, which no text fits"] if isinstance(fake, FakeJiraCloud) else []
    )


def spoiled_login(fake: FakeJira) -> None:
    fake.token = "another"


def spoiled_project(fake: FakeJira) -> None:
    fake.project = "OTHER"


def spoiled_type(fake: FakeJira) -> None:
    fake.issue_types = ["Incident"]


def spoiled_labels(fake: FakeJira) -> None:
    fake.off_screen = {"labels"}


def spoiled_component(fake: FakeJira) -> None:
    fake.off_screen = {"components"}


def spoiled_mapping(fake: FakeJira) -> None:
    fake.custom_fields = {"customfield_1": "option"}


def spoiled_requirement(fake: FakeJira) -> None:
    fake.custom_fields["customfield_9"] = "string"
    fake.required.add("customfield_9")


def spoiled_permission(fake: FakeJira) -> None:
    fake.permissions.remove("EDIT_OWN_COMMENTS")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoiled_login, "login"),
        (spoiled_project, "project"),
        (spoiled_type, "Incident"),
        (spoiled_labels, "create screen of CRASH"),
        (spoiled_component, "components"),
        (spoiled_mapping, "option"),
        (spoiled_requirement, "customfield_9"),
        (spoiled_permission, "EDIT_OWN_COMMENTS"),
    ],
)
def test_check_names_what_is_wrong_and_a_remedy(
    fake: FakeJira, opened: Open, spoil: Callable[[FakeJira], None], said: str
) -> None:
    fake.custom_fields = {"customfield_1": "number"}
    adapter = opened(fields={"customfield_1": "{{ group.occurrences }}"}, components=["client"])
    spoil(fake)
    wrong = [finding for finding in adapter.check() if not finding.ok]

    assert len(wrong) == 1
    assert wrong[0].remedy
    assert said in f"{wrong[0].what} {wrong[0].remedy}"


def test_a_create_is_never_sent_over_a_connection_that_was_long_silent(
    fake: FakeJira, opened: Open, clock: Clock
) -> None:
    adapter = opened()
    adapter.create(a_draft())
    adapter.create(a_draft())

    assert fake.connections == 1

    clock.now += 31
    adapter.create(a_draft())

    assert fake.connections == 2


def test_a_long_run_does_not_remember_every_issue(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_1": "number"}
    adapter = opened(fields={"customfield_1": "{{ group.occurrences }}"})
    issue = linked(adapter)
    for _ in range(REMEMBERED_ISSUES):
        adapter.create(a_draft())
    adapter.refresh(issue, a_group(occurrences=0))

    assert len(fake.sent("PUT")) == 1, "sent again, since it was forgotten"


def test_two_clients_in_two_threads_create_one_issue_each(fake: FakeJira, opened: Open) -> None:
    adapters = [opened(), opened()]
    threads = [threading.Thread(target=adapter.create, args=(a_draft(),)) for adapter in adapters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(fake.issues) == ["CRASH-1", "CRASH-2"]
