"""What rules raise in Jira: who changed what by the issue's history, and the one edit."""

import pytest

from syncd.core.raising import raised
from syncd.errors import Misconfigured
from syncd.model import Settings
from tests.fakes.jira import FakeJira, FakeJiraCloud
from tests.fakes.server import Fault
from tests.fakes.specs import check_traffic
from tests.trackers.jira.parts import Open, linked

HIGH = Settings(priority="High")


def test_a_priority_that_jira_chose_is_raised_and_one_that_a_person_chose_is_not(fake: FakeJira, opened: Open) -> None:
    fake.default_priority = "Medium"
    adapter = opened()
    issue = linked(adapter)
    standing = adapter.read_settings(issue)
    assert standing.settings.priority == "Medium"
    assert standing.priorities == ("Highest", "High", "Medium", "Low")
    assert raised(HIGH, issue, standing).changes == HIGH

    fake.edit_issue("CRASH-1", priority=fake.priority("Low"))
    fake.edit_issue("CRASH-1", priority=fake.priority("Medium"))
    assert raised(HIGH, issue, adapter.read_settings(issue)).changes == Settings()
    check_traffic(fake)


def test_everything_is_one_edit_that_adds_to_lists(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    fake.edit_issue("CRASH-1", labels=["theirs"], components=[{"name": "server"}])
    fake.changes.clear()

    changes = Settings(priority="High", labels=("many",), components=("client",), assignee="ada")
    assert adapter.raise_settings(issue, changes) == ""
    fields = fake.issues["CRASH-1"].fields
    assert (fields["labels"], fields["components"]) == (["theirs", "many"], [{"name": "server"}, {"name": "client"}])
    assert fields["priority"]["name"] == "High"
    assert len(fake.sent("PUT")) == 1
    assert adapter.read_settings(issue).touched == frozenset({"labels crash", f"labels {issue_tag(fake)}"})
    check_traffic(fake)


def issue_tag(fake: FakeJira) -> str:
    """The label by which syncd knows the issue, which the test's person removed."""
    items = fake.issues["CRASH-1"].history[0]["items"]
    return str(items[0]["fromString"]).split()[-1]


@pytest.mark.parametrize("key", ["labels", "components", "assignee"])
def test_what_people_removed_or_chose_is_told_by_the_history(fake: FakeJira, opened: Open, key: str) -> None:
    adapter = opened(labels=["hang"], components=["client"])
    issue = linked(adapter)
    if key == "assignee":
        fake.edit_issue("CRASH-1", assignee=fake.user("grace"))
        fake.edit_issue("CRASH-1", assignee=None)
    else:
        fake.edit_issue("CRASH-1", "ada", **{key: list[object]()})
    wanted = Settings(labels=("hang",), components=("client",), assignee="ada")

    changes = raised(wanted, issue, adapter.read_settings(issue)).changes
    assert not getattr(changes, key)


def test_a_long_history_is_read_whole_where_jira_gives_it_in_parts(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    fake.edit_issue("CRASH-1", priority=fake.priority("Low"))
    for number in range(230):
        fake.edit_issue("CRASH-1", summary=f"Another title {number}")

    touched = adapter.read_settings(issue).touched
    if isinstance(fake, FakeJiraCloud):
        assert touched == frozenset({"priority"})
    else:
        # It has no other way to read a history, and syncd compares with what it set.
        assert touched is None


def test_what_jira_refuses_is_left_out_with_a_note(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    fake.off_screen = {"components"}
    note = adapter.raise_settings(issue, Settings(labels=("many",), components=("client",)))
    assert note.startswith("components: ")
    assert "many" in fake.issues["CRASH-1"].labels

    fake.permissions.remove("EDIT_ISSUES")
    note = adapter.raise_settings(issue, Settings(labels=("more",)))
    assert "EDIT_ISSUES" in note
    assert "nobody" in adapter.raise_settings(issue, Settings(assignee="nobody"))


def test_a_refused_login_is_no_note(fake: FakeJira, opened: Open) -> None:
    adapter = opened()
    issue = linked(adapter)
    fake.inject(Fault(how="status", method="PUT", path="/issue/", status=401, times=9))
    with pytest.raises(Misconfigured):
        adapter.raise_settings(issue, Settings(labels=("many",)))
