"""Findings and remedies of `check` in a project."""

from collections.abc import Callable

import pytest

from syncd.trackers import Finding, clock_finding
from tests.factories import make_policy
from tests.fakes.jira import FakeJira
from tests.fakes.server import Fault
from tests.fakes.specs import check_traffic
from tests.trackers.jira.parts import Open


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


def test_a_check_that_is_refused_says_why(fake: FakeJira, opened: Open) -> None:
    fake.inject(Fault(how="status", method="GET", path="/issuetypes", status=403))
    wrong = [finding for finding in opened().check() if not finding.ok]

    assert len(wrong) == 1
    assert "does not let the account do this" in wrong[0].what
    assert "trackers.mobile" in wrong[0].remedy


@pytest.mark.parametrize("path", ["/myself$", "/mypermissions$", "/issuetypes$"])
def test_a_login_page_instead_of_the_api_is_named_by_check(fake: FakeJira, opened: Open, path: str) -> None:
    page = b"<!DOCTYPE html><title>Log in</title>"
    fake.inject(Fault(how="status", method="GET", path=path, status=200, body=page, times=9))
    (wrong,) = [finding for finding in opened().check() if not finding.ok]

    assert "a web page came instead of the Jira API's answer (200), perhaps the login page" in wrong.what
    assert fake.url in wrong.remedy


def spoiled_login(fake: FakeJira) -> None:
    fake.token = "another"


def spoiled_project(fake: FakeJira) -> None:
    fake.project = "OTHER"


def spoiled_type(fake: FakeJira) -> None:
    fake.issue_types = ["Incident"]


def spoiled_labels(fake: FakeJira) -> None:
    fake.off_screen = {"labels"}


def spoiled_description(fake: FakeJira) -> None:
    fake.off_screen = {"description"}


def spoiled_archive(fake: FakeJira) -> None:
    fake.archived = True


def spoiled_create(fake: FakeJira) -> None:
    fake.permissions.remove("CREATE_ISSUES")


def spoiled_reopening(fake: FakeJira) -> None:
    fake.permissions.remove("TRANSITION_ISSUES")


def spoiled_component(fake: FakeJira) -> None:
    fake.off_screen = {"components"}


def spoiled_mapping(fake: FakeJira) -> None:
    fake.custom_fields = {
        "customfield_1": {"name": "Severity", "schema": {"type": "date"}},
    }


def spoiled_requirement(fake: FakeJira) -> None:
    fake.custom_fields["customfield_9"] = "string"
    fake.required.add("customfield_9")


def spoiled_permission(fake: FakeJira) -> None:
    fake.permissions.remove("EDIT_OWN_COMMENTS")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (spoiled_login, "login"),
        (spoiled_project, "project"),
        (spoiled_type, "Incident"),
        (spoiled_labels, "create screen of CRASH"),
        (spoiled_description, "add description to the create screen of CRASH"),
        (spoiled_archive, "archived"),
        (spoiled_create, "CREATE_ISSUES"),
        (spoiled_reopening, "TRANSITION_ISSUES"),
        (spoiled_component, "components"),
        (spoiled_mapping, "takes a date"),
        (spoiled_requirement, "customfield_9"),
        (spoiled_permission, "EDIT_OWN_COMMENTS"),
    ],
)
def test_check_names_what_is_wrong_and_a_remedy(
    fake: FakeJira, opened: Open, spoil: Callable[[FakeJira], None], text: str
) -> None:
    fake.custom_fields = {"customfield_1": "number"}
    adapter = opened(fields={"customfield_1": "{{ group.occurrences }}"}, components=["client"])
    spoil(fake)
    wrong = [finding for finding in adapter.check() if not finding.ok]

    assert len(wrong) == 1
    assert wrong[0].remedy
    assert text in f"{wrong[0].what} {wrong[0].remedy}"


def test_check_names_the_statuses_that_a_closed_issue_can_be_reopened_to(opened: Open) -> None:
    text = [finding.what for finding in opened().check() if finding.ok]
    assert "a closed issue can be reopened to To Do, In Progress" in text


def test_check_knows_a_status_that_there_is_not(opened: Open) -> None:
    wrong = [finding for finding in opened(reopen_status="Todo", close_status="Done").check() if not finding.ok]
    assert [finding.what for finding in wrong] == ["issues of type Bug have no status 'Todo'"]
    assert "To Do, In Progress, Done" in wrong[0].remedy


def test_check_says_that_nothing_can_be_reopened(fake: FakeJira, opened: Open) -> None:
    fake.statuses = {"31": ("Done", "done")}
    (wrong,) = [finding for finding in opened().check() if not finding.ok]
    assert "nothing can be reopened" in wrong.what


def test_check_compares_the_clocks(opened: Open) -> None:
    assert any("tell the same time" in finding.what for finding in opened().check())

    (wrong,) = clock_finding(1000.0, 4600.0)
    assert not wrong.ok
    assert "clock is +3,600 seconds off" in wrong.what
    assert "time service" in wrong.remedy
    assert clock_finding(None, 1000.0) == []


def of_routes(opened: Open, *releases: str, **route: object) -> list[Finding]:
    """What is found on the routes, behind what is found on the project."""
    adapter = opened()
    return adapter.check([make_policy("main", **route)], releases)[len(adapter.check()) :]


def test_check_names_the_resolutions_that_routes_recognise(fake: FakeJira, opened: Open) -> None:
    (finding,) = of_routes(opened)

    assert finding.ok
    assert not finding.remedy
    assert "stays closed as Won't Fix, Cannot Reproduce (wont_fix) or Duplicate (duplicate)" in finding.what
    assert "closed as Done, Fixed" in finding.what
    assert fake.sent("POST") == []


def test_check_warns_where_a_route_recognises_none(fake: FakeJira, opened: Open) -> None:
    fake.resolutions = {"10000": "Klaart", "10001": "Åtgärdas inte"}
    (finding,) = of_routes(opened)
    assert finding.ok
    assert "wont_fix and duplicate" in finding.remedy
    assert "Klaart, Åtgärdas inte" in finding.what

    (finding,) = of_routes(opened, wont_fix=["åtgärdas inte"], duplicate=["dubblett"])
    assert "stays closed as Åtgärdas inte (wont_fix)" in finding.what
    assert "add its name to duplicate of" in finding.remedy


def test_check_reads_the_names_in_the_accounts_language(fake: FakeJira, opened: Open) -> None:
    fake.locale = "cs_CZ"
    fake.translations = {"Won't Fix": "Nebude opraveno", "Duplicate": "Duplicita", "Fixed": "Opraveno"}
    (finding,) = of_routes(opened)

    assert not finding.remedy
    cloud = "Won't Fix, Cannot Reproduce (wont_fix) or Duplicate (duplicate)"
    datacenter = "Nebude opraveno, Cannot Reproduce (wont_fix) or Duplicita (duplicate)"
    assert (cloud if fake.description == "jira-cloud" else datacenter) in finding.what


def test_check_names_versions_that_are_comparable_with_no_release(fake: FakeJira, opened: Open) -> None:
    fake.versions = ["2.4.0", "Game 2.5", "2026-Q1", "Backlog", "1.0 old"]
    fake.archived_versions = {"1.0 old"}
    *_, finding = of_routes(opened, "2.4.0", "2.3.1")
    assert "2 of 4 versions can be compared" in finding.what
    assert "2026-Q1, Backlog cannot" in finding.what
    assert "fixed_in_pattern" in finding.remedy

    *_, finding = of_routes(opened, "2.4.0", fixed_in_pattern="^Game (.*)")
    assert "2.4.0, 2026-Q1, Backlog cannot" in finding.what
    assert len(of_routes(opened)) == 1, "without a release nothing is comparable"


def test_check_says_that_resolutions_cannot_be_read(fake: FakeJira, opened: Open) -> None:
    fake.inject(Fault(how="status", method="GET", path="/resolution", status=403))
    (finding,) = of_routes(opened)
    assert not finding.ok
    assert finding.remedy


RULES = [
    {"when": {"min_users": 100}, "priority": "high", "labels": ["many"], "component": "client"},
    {"issue_type": "Task", "assignee": "Ada", "fields": {"Severity": "Bad"}},
]


def test_check_displays_what_each_rule_sets(fake: FakeJira, opened: Open) -> None:
    options = [{"id": "1", "value": "Bad"}, {"id": "2", "value": "Worse"}]
    fake.custom_fields = {"customfield_7": {"name": "Severity", "schema": {"type": "option"}, "allowedValues": options}}
    texts = [finding.what for finding in of_routes(opened, set=RULES) if finding.ok]

    assert any(
        'set[0] sets priority = {"name": "High"}, components = [{"name": "client"}], labels = ["many"]' in text
        for text in texts
    )
    assert any("set[1] sets issues of type Task, assignee = " in text for text in texts)
    assert any('customfield_7 = {"value": "Bad"}' in text for text in texts)
    assert fake.sent("POST") == []
    assert fake.sent("PUT") == []


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"priority": "Hihg"}, "priority: 'Hihg' is none of its values: Highest, High, Medium, Low"),
        ({"component": "clinet"}, "components: 'clinet' is none of its values: client, server"),
        ({"issue_type": "Incident"}, "CRASH has no issue type 'Incident'"),
        ({"assignee": "nobody"}, "assignee: 'nobody' is no user"),
        ({"fields": {"Severity": "Bad"}}, "Severity: the create screen has no field 'Severity'"),
        ({"fields": {"duedate": "2027-01-31"}}, "duedate cannot be set on new issues"),
    ],
)
def test_check_names_a_value_of_a_rule_that_the_project_does_not_take(
    fake: FakeJira, opened: Open, rule: dict[str, object], fault: str
) -> None:
    wrong = [finding for finding in of_routes(opened, set=[RULES[0], rule]) if not finding.ok]

    assert len(wrong) == 1
    assert wrong[0].what.startswith("route main, set[1]: ")
    assert fault in wrong[0].what
    assert wrong[0].remedy


def test_check_says_that_nothing_can_be_raised_without_the_right_to_edit(fake: FakeJira, opened: Open) -> None:
    fake.permissions.remove("EDIT_ISSUES")
    warnings = [finding for finding in of_routes(opened, set=RULES[:1]) if finding.ok and finding.remedy]

    assert ["EDIT_ISSUES" in finding.what for finding in warnings] == [True]
