"""What a lead asks in the morning, on both databases."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest

from syncd.model import Condition
from syncd.operate import search, today
from syncd.operate.today import Section
from syncd.store import issues, listing
from syncd.store.filters import Sort
from tests.scene import Scene

HOUR, DAY = 3600, 86400


def crash(scene: Scene, name: str, ago: float, users: int, occurrences: int = 3, release: str = "1.0") -> None:
    """A notification of a group that crashed for the first time so long before it, and the update of its issue."""
    now = int(scene.clock.wall())
    ledger = {"version": [["1.0", 3], ["2.0", occurrences - 3]] if release == "2.0" else [["1.0", occurrences]]}
    scene.tell(name, timestamp=[int(now - ago), now], guids=users, occurrences=occurrences, attributes=ledger)
    while scene.sync():
        pass


@pytest.fixture
def morning(scene: Scene) -> Scene:
    """A week of a project: one crash grows, one shrinks, one came back, one goes on after its closing, one was closed after its last crash,
    one has an owner, and one is new."""
    for number, name in enumerate(("grows", "shrinks", "back", "closed", "fixed", "owned"), start=1):
        crash(scene, name, 30 * DAY, users=number)
    conditions = scene.tracker.conditions
    scene.clock.advance(3 * DAY)
    crash(scene, "shrinks", 33 * DAY, users=2, occurrences=3000)
    scene.clock.advance(12 * HOUR)
    crash(scene, "fixed", 34 * DAY, users=5, occurrences=10)
    at = scene.clock.wall()
    conditions["K-3"] = Condition(closed=True, resolution="completed", closed_at=at, fixed_in=("2.0",))
    conditions["K-4"] = Condition(closed=True, resolution="not_planned", closed_at=at)
    conditions["K-5"] = Condition(closed=True, resolution="not_planned", closed_at=at + 60)
    crash(scene, "fixed", 34 * DAY, users=5, occurrences=11)
    scene.clock.advance(12 * HOUR)
    crash(scene, "grows", 34 * DAY, users=1, occurrences=500)
    crash(scene, "shrinks", 34 * DAY, users=2, occurrences=3001)
    crash(scene, "back", 34 * DAY, users=3, occurrences=30, release="2.0")
    crash(scene, "closed", 34 * DAY, users=4, occurrences=20)
    crash(scene, "owned", 34 * DAY, users=6, occurrences=4)
    crash(scene, "new", HOUR, users=7)
    owners = {"grows": (), "back": (), "new": (), "closed": (), "owned": ("Ada",)}
    for name, owner in owners.items():
        issue = scene.store.lists.by_fingerprint(name)[0].standing.issue
        assert issue is not None
        readings = {str(issue.remote_id): replace(scene.tracker.look(issue), owners=owner)}
        scene.store.write(partial(issues.assign, tracker="here", readings=readings))
    return scene


def answers(scene: Scene, seconds: int = DAY, project: str | None = None) -> Mapping[str, Section]:
    config = scene.rules.config
    return {
        section.name: section for section in today.sections(config, scene.store, project, seconds, scene.clock.wall())
    }


def names(section: Section) -> list[str]:
    return [listed.standing.group.identity.fingerprint for listed in section.groups]


def test_each_question_has_its_groups_those_with_most_users_first(morning: Scene) -> None:
    sections = answers(morning)
    assert {name: names(section) for name, section in sections.items()} == {
        "new": ["new"],
        "came back": ["back"],
        "growing": ["grows", "back", "closed", "fixed", "owned"],
        "closed, and still crashing": ["closed"],
        "worst by users": ["new", "owned", "fixed", "closed", "back"],
        "unassigned": ["new", "back", "grows"],
    }
    assert {name: section.count for name, section in sections.items()} == {
        "new": 1, "came back": 1, "growing": 5, "closed, and still crashing": 1, "worst by users": 7, "unassigned": 3,
    }  # fmt: skip
    assert not any(section.at_least for section in sections.values())


def test_a_count_is_that_of_the_list_to_which_it_leads(morning: Scene) -> None:
    now = morning.clock.wall()
    for name, section in answers(morning).items():
        wanted = search.wanted(morning.rules.config, section.query, now)
        order = Sort(section.query["sort"])
        listed = search.page(morning.store, wanted, order, None, 50, now).groups
        if name != "growing":  # its list has new groups too, and goes on with those that shrink
            assert [group.id for group in listed[:5]] == [group.id for group in section.groups], name
            assert len(listed) == section.count, name


def test_sections_are_of_a_project_and_of_a_period(morning: Scene) -> None:
    assert all(section.count == 0 for section in answers(morning, project="elsewhere").values())
    morning.clock.advance(3 * DAY)
    assert {name: section.count for name, section in answers(morning).items() if section.count} == {}
    assert names(answers(morning, 4 * DAY)["new"]) == ["new"]
    assert names(answers(morning, 4 * DAY)["came back"]) == ["back"]


def test_a_count_that_is_cut_is_a_least_one(morning: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LOOKED", 3)
    section = answers(morning)["worst by users"]
    assert (section.count, section.at_least) == (3, True)
    assert answers(morning)["new"].at_least is False


def test_the_newest_release_is_that_which_was_reported_last_if_several_cannot_be_compared(morning: Scene) -> None:
    (newest,) = today.newest_releases(morning.store, ["game", "elsewhere"])
    assert (newest.project, newest.release) == ("game", "2.0")
    morning.clock.advance(DAY)
    morning.tell("new", occurrences=90, attributes={"version": [["1.0", 3], ["main-4f3a9c1", 50]]})
    (newest,) = today.newest_releases(morning.store, ["game"])
    assert newest.release == "main-4f3a9c1"
    assert newest.noticed_at == morning.clock.wall()
