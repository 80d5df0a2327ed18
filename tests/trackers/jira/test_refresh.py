"""Mapped fields follow their group; what people decide does not."""

from tests.fakes.jira import FakeJira
from tests.fakes.specs import check_traffic
from tests.trackers.jira.parts import Open, a_group, linked


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
