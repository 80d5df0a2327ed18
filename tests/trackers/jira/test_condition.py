"""The condition of issues by look and by survey, and reopening and closing them."""

import time
from dataclasses import replace
from typing import Any

import pytest

from syncd.errors import Gone, Misconfigured, OutOfReach, Throttled
from syncd.model import Condition, Issue, Place
from syncd.plugin.conformance.world import whole_survey
from syncd.trackers.jira.tracker import Jira
from tests.fakes.jira import FakeJira, FakeJiraCloud
from tests.fakes.server import Fault, How
from tests.fakes.specs import check_traffic
from tests.trackers.jira.parts import TAG, Open, a_draft, a_group, linked


@pytest.fixture
def adapter(opened: Open) -> Jira:
    return opened()


@pytest.fixture
def issue(adapter: Jira) -> Issue:
    return linked(adapter)


def condition(adapter: Jira, issue: Issue) -> Condition:
    return adapter.look(issue).condition


def test_an_open_issue_says_so_with_its_labels(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    assert condition(adapter, issue) == Condition(labels=tuple(sorted(["crash", TAG])))
    check_traffic(fake)


@pytest.mark.parametrize("resolution", ["Fixed", "Won't Do"])
def test_a_resolved_issue_says_how_when_and_for_which_versions(
    adapter: Jira, fake: FakeJira, issue: Issue, resolution: str
) -> None:
    fake.close_issue("CRASH-1", resolution, fix_versions=["2.4.0", "2.3.5"])

    state = condition(adapter, issue)
    assert (state.closed, state.resolution, state.fixed_in) == (True, resolution, ("2.4.0", "2.3.5"))
    assert state.closed_at == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize(
    ("locale", "resolution", "name", "standard"),
    [
        ("en_US", "Won't Fix", "Won't Fix", ""),
        ("en_US", "Won't Fix", "Later, upstream", ""),
        ("de_DE", "Won't Fix", "Wird nicht behoben", ""),
        ("hu_HU", "Won't Fix", "Nem javítjuk", "won't fix"),
        ("hu_HU", "Duplicate", "Többszörös", "duplicate"),
        ("hu_HU", "Fixed", "Javítva", ""),
        ("hu_HU", "Shelved", "Félretéve", ""),
    ],
)
def test_a_resolution_is_told_in_english_by_the_site_or_by_its_id(
    adapter: Jira, fake: FakeJira, issue: Issue, locale: str, resolution: str, name: str, standard: str
) -> None:
    fake.locale, fake.translations = locale, {resolution: name}
    adapter.close()  # the next request logs in again
    fake.close_issue("CRASH-1", resolution)

    state = condition(adapter, issue)
    if isinstance(fake, FakeJiraCloud):
        assert state.resolution == resolution
    else:
        assert (state.resolution, state.standard) == (name, standard)
    assert whole_survey(adapter, [issue], None).observations[str(issue.remote_id)].condition == state


def test_where_the_workflow_sets_no_resolution_the_status_says_it(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    fake.close_issue("CRASH-1", None)

    state = condition(adapter, issue)
    assert (state.closed, state.resolution) == (True, "Done")
    # Data Center does not say since when then.
    assert (state.closed_at is not None) is isinstance(fake, FakeJiraCloud)


@pytest.mark.parametrize(
    ("value", "fixed_in"),
    [
        ("2.4.0", ("2.4.0",)),
        ({"value": "2.4.0"}, ("2.4.0",)),
        ([{"value": "2.4.0"}, {"name": "2.3.5"}, "2.2"], ("2.4.0", "2.3.5", "2.2")),
        (None, ()),
        ("  ", ()),
        ([None, 5, {}], ()),
    ],
)
def test_a_field_of_the_teams_own_may_say_where_it_is_fixed(
    fake: FakeJira, opened: Open, value: Any, fixed_in: tuple[str, ...]
) -> None:
    adapter = opened(fixed_in_field="customfield_10100")
    issue = linked(adapter)
    fake.issues["CRASH-1"].fields |= {"customfield_10100": value, "fixVersions": [{"name": "9.9"}]}

    assert condition(adapter, issue).fixed_in == fixed_in


def test_a_duplicate_says_of_which_issue_and_the_other_one_is_none(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    original = fake.file("The same")
    fake.close_issue("CRASH-1", "Duplicate", duplicate_of=original.key)

    place = Place(remote_id=original.id, key="CRASH-2", url=f"{fake.url}/browse/CRASH-2")
    assert condition(adapter, issue).duplicate_of == place
    fake.close_issue("CRASH-2")
    assert condition(adapter, replace(issue, remote_id=original.id)).duplicate_of is None


@pytest.mark.parametrize(
    "links", ["x", [None], [{"type": {}}], [{"type": {"name": "Blocks"}, "outwardIssue": {"id": "1", "key": "A-1"}}]]
)
def test_other_links_are_no_duplicates(adapter: Jira, fake: FakeJira, issue: Issue, links: Any) -> None:
    fake.close_issue("CRASH-1")
    fake.issues["CRASH-1"].fields["issuelinks"] = links

    assert condition(adapter, issue).duplicate_of is None


# Changed by us.


def test_reopening_changes_nothing_but_the_status(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    fake.edit_issue("CRASH-1", summary="A person's", labels=["theirs"], assignee=fake.user("grace"))
    fake.close_issue("CRASH-1", fix_versions=["2.4.0"])
    fake.changes.clear()

    assert adapter.reopen(issue) == ""
    fields = fake.issues["CRASH-1"].fields
    assert (fields["status"]["name"], fields["resolution"]) == ("To Do", None)
    assert (fields["summary"], fields["labels"], fields["fixVersions"]) == (
        "A person's",
        ["theirs"],
        [{"name": "2.4.0"}],
    )
    assert fake.changes == [(fake.me, "CRASH-1", "status")]

    requests = len(fake.requests)
    assert adapter.reopen(issue) == ""
    assert len(fake.requests) == requests + 1
    check_traffic(fake)


@pytest.mark.parametrize(
    ("ways", "reopen_status", "status"),
    [
        (["21", "11"], None, "To Do"),
        (["21", "11"], "In Progress", "In Progress"),
        (["21", "31"], None, "In Progress"),
        (["21"], "To Do", "In Progress"),
    ],
)
def test_of_several_ways_back_the_best_is_taken(
    fake: FakeJira, opened: Open, ways: list[str], reopen_status: str | None, status: str
) -> None:
    adapter = opened(reopen_status=reopen_status)
    issue = linked(adapter)
    fake.close_issue("CRASH-1")
    fake.ways["Done"] = ways

    assert adapter.reopen(issue) == ""
    assert fake.issues["CRASH-1"].fields["status"]["name"] == status


@pytest.mark.parametrize("ways", [[], ["31"]])
def test_a_workflow_without_a_way_back_is_told(adapter: Jira, fake: FakeJira, issue: Issue, ways: list[str]) -> None:
    fake.close_issue("CRASH-1")
    fake.ways["Done"] = ways

    assert "has no way back" in adapter.reopen(issue)
    assert fake.issues["CRASH-1"].fields["status"]["name"] == "Done"


def test_a_screen_that_asks_for_what_nobody_can_say_is_told_in_jiras_words(
    adapter: Jira, fake: FakeJira, issue: Issue
) -> None:
    fake.close_issue("CRASH-1")
    fake.screens |= {"11": ["customfield_1"], "21": ["customfield_1"]}

    note = adapter.reopen(issue)
    assert "CRASH-1 could not be moved to In Progress" in note
    assert "is required" in note
    assert "or set transition_fields for customfield_1" in note
    assert len(fake.sent("POST", "transitions")) == 2, "each way once"


@pytest.mark.parametrize("reopen_status", [None, "To Do"])
def test_a_way_back_that_asks_for_nothing_comes_before_one_that_does(
    fake: FakeJira, opened: Open, reopen_status: str | None
) -> None:
    adapter = opened(reopen_status=reopen_status)
    issue = linked(adapter)
    fake.close_issue("CRASH-1")
    fake.screens["11"] = ["customfield_1"]

    assert adapter.reopen(issue) == ""
    assert fake.issues["CRASH-1"].fields["status"]["name"] == "In Progress"
    assert len(fake.sent("POST", "transitions")) == 1


def test_the_configuration_fills_what_a_transition_asks_for(fake: FakeJira, opened: Open) -> None:
    adapter = opened(transition_fields={"customfield_1": {"value": "Crash"}, "customfield_2": "on no screen"})
    issue = linked(adapter)
    fake.close_issue("CRASH-1")
    fake.screens["11"] = ["customfield_1"]

    assert adapter.reopen(issue) == ""
    (sent,) = fake.sent("POST", "transitions")
    assert sent.body == {"transition": {"id": "11"}, "fields": {"customfield_1": {"value": "Crash"}}}


def test_a_refused_way_back_is_followed_by_the_next_best(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    fake.close_issue("CRASH-1")
    fake.inject(Fault(how="status", path="transitions", status=400, body={"errorMessages": ["Die Bedingung fehlt."]}))

    assert adapter.reopen(issue) == ""
    assert fake.issues["CRASH-1"].fields["status"]["name"] == "In Progress"


@pytest.mark.parametrize("how", ["reset_after", "garbage_after", "half_after", "empty_after", "status_after"])
def test_a_transition_whose_answer_was_lost_is_not_sent_again(
    adapter: Jira, fake: FakeJira, issue: Issue, how: How
) -> None:
    fake.close_issue("CRASH-1")
    fake.changes.clear()
    fake.inject(Fault(how=how, path="transitions", status=504))

    assert adapter.reopen(issue) == ""
    assert fake.changes == [(fake.me, "CRASH-1", "status")]
    assert len(fake.sent("POST", "transitions")) == 1


@pytest.mark.parametrize("code", [400, 403, 404, 409, 410, 422])
def test_a_refused_transition_of_an_archived_project_concerns_the_project(
    adapter: Jira, fake: FakeJira, issue: Issue, code: int
) -> None:
    fake.close_issue("CRASH-1")
    fake.archived = True
    fake.inject(Fault(how="status", path="transitions", status=code, body=None))

    with pytest.raises(Misconfigured, match="archived"):
        adapter.reopen(issue)


def test_an_account_that_may_not_move_issues_finds_no_way(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    fake.close_issue("CRASH-1")
    fake.permissions.remove("TRANSITION_ISSUES")

    assert "has no way back for the account" in adapter.reopen(issue)


def test_a_transition_at_the_same_time_is_tried_once_more(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    fake.close_issue("CRASH-1")
    fake.inject(Fault(how="status", path="transitions", status=409, body={"errorMessages": ["busy"]}))

    assert adapter.reopen(issue) == ""
    assert fake.issues["CRASH-1"].fields["status"]["name"] == "To Do"


def test_closing_says_that_it_is_done(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    fake.screens["31"] = ["resolution"]

    assert adapter.close_issue(issue) == ""
    fields = fake.issues["CRASH-1"].fields
    assert (fields["status"]["name"], fields["resolution"]["name"]) == ("Done", "Done")
    assert adapter.close_issue(issue) == ""
    fake.ways["To Do"] = ["21"]
    fake.reopen_issue("CRASH-1")
    assert "no way to done" in adapter.close_issue(issue)


def test_an_issue_that_is_gone_or_out_of_sight_is_not_moved(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    fake.close_issue("CRASH-1")
    fake.file("a neighbour")
    fake.hidden.add(str(issue.remote_id))

    # Cloud says of what may not be seen that it is not there.
    with pytest.raises(Gone if isinstance(fake, FakeJiraCloud) else OutOfReach):
        adapter.reopen(issue)


# All at once.


def test_a_survey_asks_for_a_hundred_issues_in_one_request(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    persons_issues = [fake.file(f"A person's issue {number}") for number in range(150)]
    fake.close_issue(persons_issues[120].key, "Won't Do")
    issues = [replace(issue, remote_id=original.id) for original in persons_issues]
    before = len(fake.requests)

    survey = whole_survey(adapter, issues, None)
    assert len(fake.requests) == before + 2
    assert len(survey.observations) == 150
    assert [each.place.key for each in survey.observations.values() if each.condition.closed] == [
        persons_issues[120].key
    ]
    assert survey.missing == ()
    check_traffic(fake)


def test_a_survey_says_what_it_was_not_shown(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    original = fake.file("A person's issue")
    fake.delete(original.key)

    survey = whole_survey(adapter, [issue, replace(issue, remote_id=original.id)], None)
    assert list(survey.observations) == [issue.remote_id]
    assert survey.missing == (original.id,)


def test_a_survey_of_a_project_that_cannot_be_seen_says_nothing_of_its_issues(
    adapter: Jira, fake: FakeJira, issue: Issue
) -> None:
    fake.permissions.remove("BROWSE_PROJECTS")

    with pytest.raises(Misconfigured):
        whole_survey(adapter, [issue], None)


def test_a_hundred_issues_that_spoil_their_request_are_looked_at_one_by_one(
    adapter: Jira, fake: FakeJira, issue: Issue
) -> None:
    issues = [replace(issue, remote_id=fake.file(f"A person's issue {number}").id) for number in range(150)]
    method = "POST" if isinstance(fake, FakeJiraCloud) else "GET"
    for _ in range(3):
        fake.inject(Fault(how="status", method=method, path="bulkfetch|search", status=500))

    survey = whole_survey(adapter, issues, None)
    assert (len(survey.observations), len(survey.missing)) == (50, 100)
    assert survey.bookmark is not None


def test_issues_closed_long_ago_are_read_in_one_of_many_surveys(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    long_ago = Condition(closed=True, closed_at=1.0)
    issues = [
        replace(issue, remote_id=fake.file(f"A person's issue {number}").id, condition=long_ago)
        for number in range(240)
    ]
    before, bookmark, read = len(fake.requests), None, set[str]()
    for _ in range(24):
        survey = whole_survey(adapter, [*issues, issue], bookmark)
        assert issue.remote_id in survey.observations
        bookmark, read = survey.bookmark, read | survey.observations.keys()

    assert len(fake.requests) == before + 24
    assert len(read) == 241


@pytest.mark.parametrize("fake", ["cloud"], indirect=True)
def test_what_a_bulk_fetch_could_not_read_is_not_missing(adapter: Jira, fake: FakeJiraCloud, issue: Issue) -> None:
    fake.unreadable.add("CRASH-1")

    survey = whole_survey(adapter, [issue], None)
    assert (survey.observations, survey.missing) == ({}, ())


def test_a_survey_that_is_throttled_says_so(adapter: Jira, fake: FakeJira, issue: Issue) -> None:
    method = "POST" if isinstance(fake, FakeJiraCloud) else "GET"
    fake.inject(Fault(how="status", method=method, path="bulkfetch|search", status=429, headers={"Retry-After": "30"}))

    with pytest.raises(Throttled):
        whole_survey(adapter, [issue], None)


# Given at creation.


def test_labels_components_and_an_assignee_are_given_at_creation(adapter: Jira, fake: FakeJira) -> None:
    person = "557058:grace" if isinstance(fake, FakeJiraCloud) else "grace"
    draft = a_draft(a_group(), labels=("memory leak", "crash"), components=("client",), assignee=person)

    created = adapter.create(draft)
    fields = fake.issues["CRASH-1"].fields
    assert fields["labels"] == ["crash", "memory-leak", TAG]
    assert fields["components"] == [{"name": "client"}]
    assert person in fields["assignee"].values()
    assert created.notes == ()
    check_traffic(fake)


def test_an_assignee_or_component_that_jira_does_not_take_is_left_out(adapter: Jira, fake: FakeJira) -> None:
    created = adapter.create(a_draft(a_group(), components=("attic",), assignee="nobody"))

    fields = fake.issues["CRASH-2"].fields  # the refused create used a number up
    assert "assignee" not in fields
    assert "components" not in fields
    assert sorted(note.partition(":")[0] for note in created.notes) == [
        "assignee was left out",
        "components was left out",
    ]
