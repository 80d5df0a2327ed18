"""Mapped fields are typed by the project's own create screen, by name."""

from typing import Any

import pytest

from syncd.errors import Misconfigured, Refused, Unavailable
from tests.fakes.jira import FakeJira, FakeJiraCloud
from tests.fakes.server import Fault
from tests.fakes.specs import check_traffic
from tests.trackers.clock import AdapterClock
from tests.trackers.jira.parts import Open, a_draft, a_group, linked

_TYPES = "com.atlassian.jira.plugin.system.customfieldtypes:"
TEAMS = [{"id": "101", "value": "Engine"}, {"id": "102", "value": "Audio"}]
AREAS = [
    {"id": "301", "value": "Client", "children": [{"id": "311", "value": "Renderer"}, {"id": "312", "value": "Input"}]},
    {"id": "302", "value": "Server", "children": [{"id": "321", "value": "Input"}]},
]


def a_row(name: str, kind: str, custom: str = "", items: str = "", allowed: list[Any] | None = None) -> dict[str, Any]:
    schema = {"type": kind, "custom": custom if ":" in custom else f"{_TYPES}{custom or 'any'}", "customId": 1}
    values = {} if allowed is None else {"allowedValues": allowed}
    return {"name": name, "schema": {**schema, "items": items} if items else schema, **values}


ROWS = {
    "customfield_1": a_row("Team", "option", "select", allowed=TEAMS),
    "customfield_2": a_row("Areas", "array", "multiselect", "option", allowed=TEAMS),
    "customfield_3": a_row("Place", "option-with-child", "cascadingselect", allowed=AREAS),
    "customfield_4": a_row("Reviewer", "user", "userpicker"),
    "customfield_5": a_row("Watchers", "array", "multiuserpicker", "user"),
    "customfield_6": a_row("Story Points", "number", "float"),
    "customfield_7": a_row("Due", "date", "datepicker"),
    "customfield_8": a_row("Sprint", "array", "com.pyxis.greenhopper.jira:gh-sprint", "json"),
    "customfield_9": a_row("Tags", "array", "labels", "string"),
    "customfield_10": a_row("Text", "string", "textarea"),
    "customfield_11": a_row("Release", "version", "version", allowed=[{"id": "1", "name": "2.4.0"}]),
    "customfield_12": a_row(
        "Twins", "option", "select", allowed=[{"id": "1", "value": "X"}, {"id": "2", "value": "X"}]
    ),
    "customfield_13": a_row("Since", "datetime", "datetime"),
    "security": a_row("Security Level", "securitylevel", allowed=[{"id": "10", "name": "Internal"}]),
    "parent": a_row("Parent", "issuelink"),
}


@pytest.mark.parametrize(
    ("mapping", "field", "sent"),
    [
        ({"Team": "Engine"}, "customfield_1", {"value": "Engine"}),
        ({"team": "engine"}, "customfield_1", {"value": "Engine"}),
        ({"Team": "102"}, "customfield_1", {"value": "Audio"}),
        ({"customfield_1": {"id": "101"}}, "customfield_1", {"id": "101"}),
        ({"Team": "{{ group.application }}"}, "customfield_1", {"value": "Audio"}),
        ({"Team": "{{ group.attributes.squad.name }}"}, "customfield_1", {"value": "Engine"}),
        ({"Areas": ["Audio", "engine"]}, "customfield_2", [{"value": "Audio"}, {"value": "Engine"}]),
        ({"Areas": "Audio"}, "customfield_2", [{"value": "Audio"}]),
        ({"Place": "Client > Input"}, "customfield_3", {"value": "Client", "child": {"value": "Input"}}),
        ({"Place": ["server", "input"]}, "customfield_3", {"value": "Server", "child": {"value": "Input"}}),
        ({"Place": "Server"}, "customfield_3", {"value": "Server"}),
        ({"Story Points": 3}, "customfield_6", 3),
        ({"Story Points": "2.5"}, "customfield_6", 2.5),
        ({"Story Points": "{{ group.occurrences }}"}, "customfield_6", 7),
        ({"Due": "2027-01-31"}, "customfield_7", "2027-01-31"),
        ({"Due": "{{ group.first_seen }}"}, "customfield_7", "2027-01-15"),
        ({"Since": "2027-01-15T09:00:00+01:00"}, "customfield_13", "2027-01-15T08:00:00.000+0000"),
        ({"Sprint": 37}, "customfield_8", 37),
        ({"Sprint": "sprint 13"}, "customfield_8", 38),
        ({"Tags": ["two words", "b"]}, "customfield_9", ["two-words", "b"]),
        ({"Release": "2.4.0"}, "customfield_11", {"name": "2.4.0"}),
        ({"Twins": "X"}, "customfield_12", {"id": "1"}),
        ({"Security Level": "internal"}, "security", {"id": "10"}),
        ({"parent": "CRASH-1"}, "parent", {"key": "CRASH-1"}),
        ({"Priority": "highest"}, "priority", {"name": "highest", "id": "1"}),
    ],
)
def test_a_value_by_name_is_sent_as_jira_takes_it(
    fake: FakeJira, opened: Open, mapping: dict[str, Any], field: str, sent: Any
) -> None:
    fake.custom_fields, fake.priorities = dict(ROWS), ["highest"]
    fake.file("an epic")
    attributes = (("squad.name", ("Engine",)),)
    group = a_group(application="Audio", occurrences=7, first_seen=1_800_000_000, attributes=attributes)
    made = opened(fields=mapping).create(a_draft(group))

    assert made.notes == ()
    assert fake.issues[made.key].fields[field] == sent
    check_traffic(fake)


def test_people_are_resolved_by_name_and_address(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = dict(ROWS)
    made = opened(fields={"Reviewer": "Grace", "Watchers": ["ada", "grace@example.com"]}).create(a_draft())

    key = "accountId" if isinstance(fake, FakeJiraCloud) else "name"
    ada, grace = ({key: fake.user(name)[key]} for name in ("ada", "grace"))
    assert fake.issues[made.key].fields["customfield_4"] == grace
    assert fake.issues[made.key].fields["customfield_5"] == [ada, grace]
    opened(fields={"Reviewer": "grace"}).create(a_draft(assignee="ada"))
    assert fake.issues["CRASH-2"].fields["assignee"] == ada


def test_a_paragraph_is_a_document_on_cloud(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = dict(ROWS)
    opened(fields={"Text": "in {{ group.project }}"}).create(a_draft())

    sent = fake.issues["CRASH-1"].fields["customfield_10"]
    assert sent["type"] == "doc" if isinstance(fake, FakeJiraCloud) else sent == "in game"


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ({"Team": "Engin"}, "'Engin' is none of its values: Engine, Audio"),
        ({"Taem": "Engine"}, "did you mean 'Team'?"),
        ({"Place": "Client > Audio"}, "'Audio' is none of its values: Renderer, Input"),
        ({"Story Points": "many"}, "it takes a number"),
        ({"Due": "soon"}, "it takes a date"),
        ({"Reviewer": "nobody"}, "'nobody' is no user"),
        ({"Sprint": "Sprint"}, "is no sprint"),
        ({"Text": ["a", "b"]}, "no list"),
        ({"Summary": "mine"}, "filled by syncd itself"),
    ],
)
def test_a_value_that_fits_no_field_is_left_out_and_check_says_why(
    fake: FakeJira, opened: Open, mapping: dict[str, Any], text: str
) -> None:
    fake.custom_fields = dict(ROWS)
    adapter = opened(fields=mapping)
    (wrong,) = [finding for finding in adapter.check() if not finding.ok]
    assert text in wrong.what
    made = adapter.create(a_draft())
    assert len(fake.sent("POST")) == 1, "a value that Jira would refuse is not sent"
    assert "Summary" in mapping or (len(made.notes) == 1 and text.partition(":")[0] in made.notes[0])


def test_check_displays_what_it_sends(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = dict(ROWS)
    mapping = {"Team": "engine", "Story Points": "{{ group.occurrences }}", "Areas": "{{ group.application }}"}
    adapter = opened(fields=mapping, priority="Highest", components=["client"])
    lines = [finding.what for finding in adapter.check() if finding.ok]

    assert 'new issues get Team (customfield_1) = {"value": "Engine"}' in lines
    assert "new issues get Story Points (customfield_6) = 12 for a sample group" in lines
    assert 'new issues get Priority (priority) = {"name": "Highest"}' in lines
    assert 'new issues get Components (components) = [{"name": "client"}]' in lines
    assert "new issues get Areas (customfield_2) = a value of each group's own" in lines


def test_a_project_that_requires_a_select_is_served(fake: FakeJira, opened: Open, clock: AdapterClock) -> None:
    fake.custom_fields = dict(ROWS)
    fake.required |= {"customfield_1"}
    with pytest.raises(Misconfigured, match="customfield_1"):
        opened().create(a_draft())
    adapter = opened(fields={"Team": "Engine"})
    adapter.create(a_draft())
    reads = len(fake.sent("GET", "createmeta"))
    adapter.create(a_draft())
    assert len(fake.sent("GET", "createmeta")) == reads, "the screen is read once an hour"
    assert all(finding.ok for finding in adapter.check())

    fake.custom_fields["customfield_1"] = a_row("Team", "option", "select", allowed=[{"id": "9", "value": "Graphics"}])
    with pytest.raises(Misconfigured):
        adapter.create(a_draft())
    fake.custom_fields = dict(ROWS)
    adapter.create(a_draft())
    assert len(fake.issues) == 3, "a required field is tried again at once"


def test_an_unreadable_screen_delays_a_create_instead_of_spoiling_it(
    fake: FakeJira, opened: Open, clock: AdapterClock
) -> None:
    fake.custom_fields = dict(ROWS)
    adapter = opened(fields={"Team": "Engine"})
    away = Fault(how="status", status=502, body=b"")
    fake.weather = lambda request: away if "createmeta" in request.path else None
    with pytest.raises(Unavailable):
        adapter.create(a_draft())
    assert fake.sent("POST") == []
    fake.weather = lambda _: None
    adapter.create(a_draft())

    clock.uptime += 3601
    fake.weather = lambda request: away if "createmeta" in request.path else None
    adapter.create(a_draft())
    assert [issue.fields["customfield_1"] for issue in fake.issues.values()] == [{"value": "Engine"}] * 2


def test_typed_fields_that_follow_the_group_are_refreshed_by_name(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = dict(ROWS)
    adapter = opened(fields={"Story Points": "{{ group.occurrences }}", "Team": "Engine"})
    made = adapter.create(a_draft(a_group(occurrences=1)))
    issue = linked(adapter)
    adapter.refresh(issue, a_group(occurrences=5))

    assert made.key == "CRASH-1"
    assert [put.body for put in fake.sent("PUT")] == [{"fields": {"customfield_6": 5}}]


def test_settings_of_a_draft_replace_those_of_the_tracker(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = dict(ROWS)
    adapter = opened(priority="Medium", fields={"Team": "Engine", "Story Points": 1})
    adapter.create(a_draft(priority="Highest", issue_type="Task", fields={"Team": "Audio"}, milestone="none on Jira"))

    sent = fake.issues["CRASH-1"].fields
    assert (sent["priority"]["name"], sent["issuetype"]) == ("Highest", {"name": "Task"})
    assert (sent["customfield_1"], sent["customfield_6"]) == ({"value": "Audio"}, 1)


def test_an_issue_type_of_a_rule_that_there_is_not_concerns_its_groups_only(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    with pytest.raises(Refused, match="issue_type under set"):
        adapter.create(a_draft(issue_type="Incident"))
    adapter.create(a_draft())

    assert len(fake.issues) == 1


def test_check_names_a_priority_that_the_project_does_not_have(fake: FakeJira, opened: Open) -> None:
    fake.custom_fields = {"priority": a_row("Priority", "priority", allowed=[{"id": "1", "name": "High"}])}
    (wrong,) = [finding for finding in opened(priority="Hihg").check() if not finding.ok]
    assert "'Hihg' is none of its values: High" in wrong.what
