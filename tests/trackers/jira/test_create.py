"""The content of a new issue, and the fields that Jira refuses."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from syncd.errors import Misconfigured, OutcomeUnknown, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Release
from syncd.render.text import Code, Heading
from tests.fakes.jira import FakeJira, FakeJiraCloud
from tests.fakes.server import Fault, How
from tests.fakes.specs import check_traffic
from tests.trackers.clock import AdapterClock
from tests.trackers.jira.parts import MARKER, TAG, Open, a_draft, a_group


def test_opening_sends_nothing(fake: FakeJira, opened: Open) -> None:
    opened().close()

    assert fake.requests == []


def test_a_new_issue_is_one_request_and_carries_its_marker(fake: FakeJira, opened: Open) -> None:
    made = opened(labels=["crash", "auto"], components=["client"], priority="Highest").create(a_draft())

    issue = fake.issues["CRASH-1"]
    assert len(fake.requests) == 2, "the account and the create"
    assert made.remote_id == issue.id
    assert made.number == 1
    assert made.url == f"{fake.url}/browse/CRASH-1"
    assert made.notes == ()
    assert issue.labels == ["crash", "auto", TAG]
    assert issue.fields["summary"] == "SIGSEGV in crash"
    assert issue.fields["components"] == [{"name": "client"}]
    assert issue.fields["priority"]["name"] == "Highest"
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


def test_affected_versions_are_those_the_project_has(fake: FakeJira, opened: Open, clock: AdapterClock) -> None:
    fake.archived_versions = {"1.1.0"}
    adapter = opened()
    releases = tuple(Release(release=name, occurrences=1) for name in ("1.0.0", "1.1.0", "9.9.9"))
    adapter.create(a_draft(a_group(releases=releases)))
    adapter.create(a_draft(a_group(releases=releases)))

    assert fake.issues["CRASH-2"].fields["versions"] == [{"name": "1.0.0"}]
    assert len(fake.sent("GET", "/versions$")) == 1, "the versions are read once"

    fake.versions.append("9.9.9")
    clock.uptime += 3601
    adapter.create(a_draft(a_group(releases=releases)))

    assert {"name": "9.9.9"} in fake.issues["CRASH-3"].fields["versions"]
    check_traffic(fake)


@pytest.mark.parametrize("how", ["status", "reset_before", "garbage_after"])
def test_versions_that_cannot_be_read_do_not_stop_a_create(
    fake: FakeJira, opened: Open, clock: AdapterClock, how: How
) -> None:
    fake.inject(Fault(how=how, method="GET", path="/versions$"))
    adapter = opened()
    group = a_group(releases=(Release(release="1.0.0", occurrences=1),))
    made = adapter.create(a_draft(group))
    adapter.create(a_draft(group))

    assert "versions" not in fake.issues["CRASH-1"].fields
    assert made.notes[0].startswith("versions was left out")
    assert len(fake.sent("GET", "/versions$")) == 1, "nor does every further create wait for them"

    clock.uptime += 301
    adapter.create(a_draft(group))

    assert fake.issues["CRASH-3"].fields["versions"] == [{"name": "1.0.0"}]

    clock.uptime += 3601
    fake.inject(Fault(how=how, method="GET", path="/versions$"))
    adapter.create(a_draft(group))

    assert "versions" not in fake.issues["CRASH-4"].fields, "what was read an hour ago may be gone"


def test_versions_are_not_asked_for_where_they_are_not_wanted(fake: FakeJira, opened: Open) -> None:
    opened(affects_versions=False).create(a_draft(a_group(releases=(Release(release="1.0.0", occurrences=1),))))

    assert fake.sent("GET", "/versions$") == []


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
    opened(fields=templates).create(a_draft(a_group(occurrences=7, first_seen=1_800_000_000, releases=releases)))

    fields = fake.issues["CRASH-1"].fields
    assert fields["customfield_1"] == 7
    assert fields["customfield_2"] == "7 in game"
    assert fields["customfield_3"] == "2027-01-15T08:00:00.000+0000"
    assert fields["customfield_5"] == "1.0 to 2.0"
    assert "customfield_4" not in fields
    assert "customfield_6" not in fields
    assert fields["summary"] == "SIGSEGV in crash"


def test_refused_optional_fields_are_left_out_and_remembered(fake: FakeJira, opened: Open, clock: AdapterClock) -> None:
    fake.off_screen = {"priority"}
    adapter = opened(components=["no such"], priority="Highest", fields={"customfield_1": "constant"})
    made = adapter.create(a_draft())

    assert len(fake.sent("POST")) == 2
    assert list(fake.issues) == ["CRASH-2"], "the refused create has used up a number"
    assert [note.split()[0] for note in made.notes] == ["customfield_1", "components", "priority"]

    adapter.create(a_draft())

    assert len(fake.sent("POST")) == 3, "what was refused is not tried again"

    fake.components.append("no such")
    clock.uptime += 3601
    adapter.create(a_draft())

    assert len(fake.sent("POST")) == 5, "after an hour it is"
    assert fake.issues["CRASH-5"].fields["components"] == [{"name": "no such"}]
    check_traffic(fake)


def test_a_second_refusal_is_not_tried_again(fake: FakeJira, opened: Open) -> None:
    body = {"errorMessages": [], "errors": {"priority": "The priority selected is invalid."}}
    fake.inject(Fault(how="status", status=400, body=body, times=9))
    with pytest.raises(TrackerError):
        opened(priority="Highest").create(a_draft())

    assert len(fake.sent("POST")) == 2
    assert len(fake.sent("GET")) == 5, (
        "the account, the project, its permissions, its issue types, and the create screen"
    )


def test_a_lost_answer_after_a_refusal_is_a_doubt(fake: FakeJira, opened: Open) -> None:
    body = {"errorMessages": [], "errors": {"priority": "The priority selected is invalid."}}
    fake.inject(Fault(how="status", status=400, body=body))
    fake.inject(Fault(how="reset_after"))
    with pytest.raises(OutcomeUnknown):
        opened(priority="Highest").create(a_draft())

    assert len(fake.issues) == 1


def test_an_issue_is_never_created_without_its_label(fake: FakeJira, opened: Open) -> None:
    fake.off_screen = {"labels"}
    with pytest.raises(Misconfigured, match="add labels to the create screen of CRASH"):
        opened().create(a_draft())

    assert fake.issues == {}


def test_a_required_field_that_is_not_mapped_is_named(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"customfield_7": "string"}
    fake.required.add("customfield_7")
    with pytest.raises(Misconfigured, match="customfield_7"):
        opened().create(a_draft())


def no_permission(fake: FakeJira) -> None:
    fake.permissions.remove("CREATE_ISSUES")


def archived(fake: FakeJira) -> None:
    fake.archived = True


def no_description(fake: FakeJira) -> None:
    fake.off_screen = {"description"}


def no_such_type(fake: FakeJira) -> None:
    fake.issue_types = ["Incident"]


def requirement(fake: FakeJira) -> None:
    fake.custom_fields["customfield_7"] = "string"
    fake.required.add("customfield_7")


def nothing_wrong(fake: FakeJira) -> None:
    """The project takes new issues."""


MESSAGES: dict[str, Any] = {
    "Jira's own words for a field": {"errorMessages": [], "errors": {"description": "Field cannot be set."}},
    "general words": {"errorMessages": ["You do not have permission to create issues in this project."], "errors": {}},
    "another language": {"errorMessages": ["Dieses Projekt nimmt keine Vorgänge an."]},
    "null": {"errorMessages": None, "errors": None},
    "a list": ["no"],
    "a page": b"<html>Bad Request</html>",
    "cut off": b'{"errorMessages": ["Yo',
    "nothing": None,
}


@pytest.mark.parametrize(
    "codes", [(400, 404), pytest.param((403, 405, 410, 413, 418, 422, 451), marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        (no_permission, Misconfigured),
        (archived, Misconfigured),
        (no_description, Misconfigured),
        (no_such_type, Misconfigured),
        (requirement, Misconfigured),
        (nothing_wrong, Refused),
    ],
)
def test_the_project_and_not_the_words_says_whom_a_refused_create_concerns(
    fake: FakeJira,
    opened: Open,
    state: Callable[[FakeJira], None],
    meaning: type[TrackerError],
    codes: tuple[int, ...],
) -> None:
    state(fake)
    adapter = opened()
    for code in codes:
        for body in MESSAGES.values():
            fake.inject(Fault(how="status", path="/issue$", status=code, body=body))
            with pytest.raises(meaning):
                adapter.create(a_draft())


def test_what_can_be_left_out_is_left_out_before_the_group_is_judged(fake: FakeJira, opened: Open) -> None:
    errors = {"priority": "The priority selected is invalid.", "description": "Der Text ist zu lang."}
    fake.inject(Fault(how="status", path="/issue$", status=400, body={"errorMessages": [], "errors": errors}))
    made = opened(priority="Highest").create(a_draft())

    assert made.notes == ("priority was left out: Jira refused it",)


@pytest.mark.parametrize(
    ("errors", "meaning"),
    [
        ({"project": "valid project is required"}, Misconfigured),
        ({"issuetype": "The issue type selected is invalid."}, Misconfigured),
        ({"reporter": "Reporter is required."}, Misconfigured),
        ({"customfield_1": "It is constant."}, Misconfigured),
        ({"customfield_2": "It is made from the group."}, Refused),
        ({"summary": "Summary can't exceed 255 characters."}, Refused),
        ({"summary": "too long", "customfield_7": "Team is required."}, Misconfigured),
        ({"description": "Der Text ist zu lang."}, Refused),
        ({"labels": "The label is too long."}, Refused),
    ],
)
def test_a_field_that_is_the_same_for_every_group_concerns_every_group(
    fake: FakeJira, opened: Open, errors: dict[str, str], meaning: type[TrackerError]
) -> None:
    fake.custom_fields = {"customfield_1": "string", "customfield_2": "string"}
    fields = {"customfield_1": "constant", "customfield_2": "{{ group.first_release }}"}
    fake.inject(Fault(how="status", path="/issue$", status=400, body={"errorMessages": [], "errors": errors}, times=2))
    with pytest.raises(TrackerError) as caught:
        opened(fields=fields).create(a_draft())

    assert type(caught.value) is meaning


@pytest.mark.parametrize(
    ("code", "meaning"), [(401, Misconfigured), (429, Throttled), (500, Unavailable), (200, Unavailable)]
)
def test_a_control_question_without_an_answer_leaves_no_doubt(
    fake: FakeJira, opened: Open, code: int, meaning: type[TrackerError]
) -> None:
    fake.inject(Fault(how="status", path="/issue$", status=400, body=None))
    fake.inject(Fault(how="status", method="GET", path="/mypermissions$", status=code, body=b"<html>", times=3))
    with pytest.raises(meaning):
        opened().create(a_draft())


@pytest.mark.parametrize("body", [b"XSRF check failed", b"<html>Forbidden</html>", None])
def test_a_filter_that_lets_no_write_through_concerns_the_tracker(
    fake: FakeJira, opened: Open, body: bytes | None
) -> None:
    fake.weather = lambda request: Fault(how="status", status=403, body=body) if request.method == "POST" else None
    with pytest.raises(Misconfigured, match="refuses every request that could write"):
        opened().create(a_draft())


def test_two_clients_in_two_threads_create_one_issue_each(fake: FakeJira, opened: Open) -> None:
    adapters = [opened(), opened()]
    threads = [threading.Thread(target=adapter.create, args=(a_draft(),)) for adapter in adapters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(fake.issues) == ["CRASH-1", "CRASH-2"]
