"""What rules raise after the filing, and what people's changes keep."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core import raising
from syncd.core.policy import SetRule, When
from syncd.model import Issue, PresentSettings, ProjectRelease, Release, Settings
from tests.factories import make_group, make_issue

PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")
HIGH = Settings(priority="High")


def issue(**given: Any) -> Issue:
    return make_issue(settings=Settings(**given))


def standing(*touched: str, traced: bool = True, **has: Any) -> PresentSettings:
    return PresentSettings(
        settings=Settings(**has), priorities=PRIORITIES, touched=frozenset(touched) if traced or touched else None
    )


@pytest.mark.parametrize(
    ("present", "target", "rises"),
    [
        ("Medium", "High", True),
        ("medium", "HIGH", True),
        (None, "Low", True),
        ("High", "High", False),
        ("Highest", "High", False),
        ("Medium", "Low", False),
        ("Urgent", "High", False),
        ("Medium", "Urgent", False),
        (None, "Urgent", False),
    ],
)
def test_a_priority_only_rises_in_the_trackers_order(present: str | None, target: str, rises: bool) -> None:
    result = raising.raised(Settings(priority=target), issue(priority=present), standing(priority=present))

    assert result.changes == (Settings(priority=target) if rises else Settings())
    assert bool(result.reason) is rises


@pytest.mark.parametrize(
    ("before", "now", "rises"),
    [
        (issue(priority="Medium"), standing(priority="Medium", traced=False), True),
        (issue(priority="Medium"), standing(priority="Low", traced=False), False),
        (issue(), standing(priority="Medium", traced=False), False),
        (issue(), standing(traced=False), True),
        (issue(), standing(priority="Medium"), True),
        (issue(), standing("priority", priority="Medium"), False),
        (issue(priority="Medium"), standing("priority", priority="Medium"), False),
        # Its answer was lost: the tracker's history says that syncd raised it.
        (issue(priority="Low"), standing(priority="Medium"), True),
        (issue(priority="Low"), standing(priority="Medium", traced=False), False),
    ],
)
def test_a_priority_that_a_person_chose_stays(before: Issue, now: PresentSettings, rises: bool) -> None:
    assert (raising.raised(HIGH, before, now).changes == HIGH) is rises


@pytest.mark.parametrize(
    ("target", "before", "now", "after"),
    [
        pytest.param("High", "Low", standing(priority="Medium"), "High", id="it is raised"),
        pytest.param("Low", "Lowest", standing(priority="Medium"), "Medium", id="the tracker chose a higher one"),
        pytest.param(None, "Low", standing(priority="Medium"), "Low", id="the rules ask for none"),
        pytest.param("High", "Low", standing("priority", priority="Medium"), "Low", id="a person chose it"),
        pytest.param("Lowest", "Low", standing(priority="Medium", traced=False), "Low", id="nobody knows who chose it"),
    ],
)
def test_what_syncd_has_set_is_the_priority_that_no_person_chose(
    target: str | None, before: str, now: PresentSettings, after: str
) -> None:
    assert raising.raised(Settings(priority=target), issue(priority=before), now).after.priority == after


@pytest.mark.parametrize(
    ("present", "reason"),
    [("Medium", "the priority is raised from Medium to High"), (None, "the priority is raised to High")],
)
def test_the_reason_of_a_higher_priority_names_both(present: str | None, reason: str) -> None:
    assert raising.raised(HIGH, issue(priority=present), standing(priority=present)).reason == reason


def test_a_label_and_a_component_are_added_once() -> None:
    wanted = Settings(labels=("hang", "many"), components=("Audio",))
    first = raising.raised(wanted, issue(labels=("crash",)), standing(labels=("crash", "Many")))
    assert first.changes == Settings(labels=("hang",), components=("Audio",))
    assert first.after == Settings(labels=("crash", "hang", "many"), components=("Audio",))
    assert first.reason == "the label hang is added and the component Audio is added"

    later = replace(make_issue(), settings=first.after)
    assert raising.raised(wanted, later, standing()).changes == Settings()
    removed = standing("labels hang", "components audio")
    assert raising.raised(wanted, issue(), removed).changes == Settings(labels=("many",))


def test_an_assignee_and_a_milestone_are_set_where_there_was_never_one() -> None:
    wanted = Settings(assignee="ada", milestone="2.4")
    assert raising.raised(wanted, issue(), standing()).changes == wanted
    assert raising.raised(wanted, issue(), standing(assignee="bob", milestone="2.5")).changes == Settings()
    assert raising.raised(wanted, issue(assignee="bob", milestone="2.5"), standing()).changes == Settings()
    assert raising.raised(wanted, issue(), standing("assignee")).changes == Settings(milestone="2.4")


def test_only_another_demand_of_the_rules_is_a_reason_to_read_the_issue() -> None:
    assert not raising.is_due(make_issue(settings=Settings(), judged=HIGH), HIGH)
    assert raising.is_due(make_issue(settings=HIGH, judged=Settings()), HIGH)
    assert not raising.is_due(make_issue(settings=HIGH, judged=HIGH), Settings())


names = st.sampled_from(["hang", "many", "new"])
settings = st.builds(
    Settings,
    priority=st.none() | st.sampled_from(PRIORITIES),
    assignee=st.none() | st.just("ada"),
    milestone=st.none() | st.just("2.4"),
    labels=st.lists(names, unique=True).map(tuple),
    components=st.lists(names, unique=True).map(tuple),
)
acts = st.one_of(
    st.tuples(st.just("rule"), settings),
    st.tuples(st.just("priority"), st.sampled_from(PRIORITIES)),
    st.tuples(st.just("unlabel"), names),
    st.tuples(st.just("assign"), st.none() | st.just("bob")),
)


@given(settings, st.lists(acts, max_size=12), st.booleans())
def test_whatever_rules_and_people_do_in_turn_nothing_falls_and_no_change_of_theirs_is_undone(
    first: Settings, history: list[tuple[str, Any]], traced: bool
) -> None:
    now, current = first, replace(make_issue(), settings=first)
    touched, removed = set[str](), set[str]()
    for act, value in history:
        if act == "priority":
            if value != now.priority:
                touched.add("priority")
            now = replace(now, priority=value)
        elif act == "unlabel":
            removed |= {value} & set(now.labels)
            touched |= {f"labels {value}"} if value in now.labels else set()
            now = replace(now, labels=tuple(each for each in now.labels if each != value))
        elif act == "assign":
            touched |= {"assignee"} if value != now.assignee else set()
            now = replace(now, assignee=value)
        else:
            present = PresentSettings(
                settings=now, priorities=PRIORITIES, touched=frozenset(touched) if traced else None
            )
            step = raising.raised(value, current, present)
            change = step.changes
            if change.priority is not None:
                assert not traced or "priority" not in touched
                assert now.priority is None or PRIORITIES.index(change.priority) < PRIORITIES.index(now.priority)
            assert not set(change.labels) & removed or not traced
            assert not set(change.labels) & set(current.settings.labels if current.settings else ())
            assert change.assignee is None or (now.assignee is None and not (traced and "assignee" in touched))
            now = replace(
                now,
                priority=change.priority or now.priority,
                assignee=change.assignee or now.assignee,
                milestone=change.milestone or now.milestone,
                labels=(*now.labels, *change.labels),
                components=(*now.components, *change.components),
            )
            current = replace(current, settings=step.after)


PROJECT = [
    ProjectRelease(name, float(at), name != "99.0")
    for at, name in enumerate(["2.1", "2.2", "2.3", "2.3.0", "2.4", "99.0"])
]


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [
        ("2.4", 1, True),
        ("2.3", 1, False),
        ("2.3", 2, True),
        ("2.2", 2, False),
        ("2.2", 3, True),
        ("2.1", 3, False),
        ("2.1", 4, True),
        ("2.5", 1, True),
        (None, 4, False),
    ],
)
def test_a_rule_may_be_for_what_is_new_in_the_last_releases(first: str | None, last: int, fits: bool) -> None:
    """2.3 and 2.3.0 are one release, and a single report of 99.0 is none."""
    rows = () if first is None else (Release(release=first, occurrences=2, noticed_at=1.0),)
    later = Release(release="2.4", occurrences=1, noticed_at=9.0)
    group = make_group(releases=(*rows, later) if first else ())
    rules = [SetRule(when=When(new_in_last=last), priority="High")]

    assert raising.wanted(group, rules, PROJECT) == (HIGH if fits else Settings())
