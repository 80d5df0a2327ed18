"""Aliases: a group always gets back the issue that it gave up, and no crash is left without an issue."""

import random
from typing import Any

import pytest

from syncd.errors import OutcomeUnknown
from syncd.model import Condition, Issue, IssueState, Place
from syncd.operate import actions
from syncd.render import markdown
from tests.scene import Scene
from tests.worker.test_keeping import comments, routed, seen_again, work_off


def ids(scene: Scene) -> dict[str, int]:
    return {listed.standing.group.identity.fingerprint: listed.id for listed in scene.store.lists.by_fingerprint("f")}


def issue(scene: Scene, fingerprint: str) -> Issue | None:
    return next(view.issue for view in scene.store.report.groups() if view.group.identity.fingerprint == fingerprint)


def key(scene: Scene, fingerprint: str) -> str | None:
    live = issue(scene, fingerprint)
    return None if live is None else live.key


def join(scene: Scene, alias: str, target: str) -> actions.AliasChange:
    number = ids(scene)
    change = actions.add_alias(scene.store, scene.rules, number[alias], number[target], "", scene.clock.wall())
    work_off(scene)
    return change


def part(scene: Scene, alias: str) -> actions.AliasChange | None:
    change = actions.remove_alias(scene.store, scene.rules, ids(scene)[alias], scene.clock.wall())
    work_off(scene)
    return change


@pytest.fixture
def two(scene: Scene) -> Scene:
    """f1 with K-1, f2 with K-2."""
    routed(scene)
    for fingerprint in ("f1", "f2"):
        seen_again(scene, {"1.0": 5}, fingerprint)
        work_off(scene)
    return scene


def test_a_group_gets_its_own_issue_back(two: Scene) -> None:
    assert join(two, "f2", "f1") == actions.AliasChange("K-2")
    assert (key(two, "f1"), key(two, "f2")) == ("K-1", None)
    seen_again(two, {"1.0": 9}, "f2")
    work_off(two)

    assert part(two, "f2") == actions.AliasChange("K-2")
    assert (key(two, "f1"), key(two, "f2")) == ("K-1", "K-2")
    assert len(two.tracker.issues) == 2
    assert "Seen 9 times" in comments(two)[-1] or any("Seen 9 times" in text for text in comments(two))
    assert part(two, "f2") is None


def test_a_group_gets_back_the_issue_that_was_moved_meanwhile(two: Scene) -> None:
    join(two, "f2", "f1")
    two.tracker.moved_to = "NEW-2"
    two.tracker.conditions["NEW-2"] = Condition()
    part(two, "f2")

    assert key(two, "f2") == "NEW-2"
    assert len(two.tracker.issues) == 2


def test_an_issue_that_a_person_linked_to_another_group_stays_there_and_nothing_false_is_said(two: Scene) -> None:
    join(two, "f2", "f1")
    place = Place(remote_id="2", key="K-2", url="https://example.com/2")
    actions.link(two.store, two.rules, ids(two)["f1"], "here", place, two.rules.instance_key, two.clock.wall())
    work_off(two)
    assert part(two, "f2") == actions.AliasChange(None)

    assert (key(two, "f1"), key(two, "f2")) == ("K-2", "K-3")
    assert "came back" not in markdown.write(two.tracker.issues[2].body, 60_000)


@pytest.mark.parametrize("route", [{"min_occurrences": 15}, {"min_users": 7}])
def test_a_target_that_is_held_gets_the_issue_of_its_alias_until_that_is_removed(
    scene: Scene, route: dict[str, Any]
) -> None:
    routed(scene)
    seen_again(scene, {"1.0": 5}, "f1")
    work_off(scene)
    routed(scene, **route)
    seen_again(scene, {"1.0": 3}, "f2")
    work_off(scene)
    assert (key(scene, "f1"), key(scene, "f2")) == ("K-1", None)

    assert join(scene, "f1", "f2") == actions.AliasChange("K-1", shared=True)
    assert (key(scene, "f1"), key(scene, "f2")) == (None, "K-1")
    assert len(scene.tracker.comments) == 1
    assert any("Seen 8 times" in text for text in comments(scene))

    assert part(scene, "f1") == actions.AliasChange("K-1")
    assert (key(scene, "f1"), key(scene, "f2")) == ("K-1", None)
    assert len(scene.tracker.issues) == 1


def test_two_held_groups_that_meet_the_threshold_together_are_filed(scene: Scene) -> None:
    routed(scene, min_occurrences=15)
    for fingerprint in ("f1", "f2"):
        seen_again(scene, {"1.0": 10}, fingerprint)
    work_off(scene)
    assert not scene.tracker.issues
    join(scene, "f2", "f1")
    assert key(scene, "f1") == "K-1"


def test_a_group_that_was_closed_as_a_duplicate_does_not_follow_again_after_its_alias_is_removed(two: Scene) -> None:
    two.tracker.conditions["K-2"] = Condition(
        closed=True,
        resolution="duplicate",
        closed_at=two.clock.wall(),
        duplicate_of=Place(remote_id="1", key="K-1", url="u"),
    )
    seen_again(two, {"1.0": 6}, "f2")
    work_off(two)
    assert key(two, "f2") is None
    part(two, "f2")
    two.clock.advance(5000)
    work_off(two)
    assert key(two, "f2") == "K-2"
    assert not two.store.report.aliases()


def test_an_issue_closed_while_its_group_was_an_alias_is_not_reopened_by_what_came_meanwhile(two: Scene) -> None:
    join(two, "f2", "f1")
    two.clock.advance(100)
    seen_again(two, {"1.0": 5, "2.0": 7}, "f2")
    work_off(two)
    two.clock.advance(100)
    two.tracker.conditions["K-2"] = Condition(closed=True, resolution="completed", closed_at=two.clock.wall())
    part(two, "f2")
    two.clock.advance(5000)
    work_off(two)
    assert "reopen" not in two.tracker.calls


def test_a_target_whose_create_is_in_doubt_takes_no_issue(two: Scene) -> None:
    seen_again(two, {"1.0": 5}, "f3")
    two.fail("create", OutcomeUnknown("no answer"))
    two.sync()
    with pytest.raises(ValueError, match="no answer"):
        join(two, "f2", "f3")
    assert key(two, "f2") == "K-2"


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.slow
def test_whatever_is_joined_and_parted_each_filed_group_ends_with_its_own_issue(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    steps = [(chance.choice(("join", "join", "part")), chance.choice("1234"), chance.choice("1234")) for _ in range(12)]
    routed(scene)
    for fingerprint in ("f1", "f2", "f3"):
        seen_again(scene, {"1.0": 5}, fingerprint)
        work_off(scene)
    routed(scene, min_occurrences=100)
    seen_again(scene, {"1.0": 5}, "f4")
    for step, alias, target in steps:
        scene.clock.advance(10)
        if step == "part":
            part(scene, f"f{alias}")
        elif alias != target:
            follows = {entry.fingerprint: entry.target for entry in scene.store.report.aliases()}
            if follows.get(f"f{target}", f"f{target}") != f"f{alias}":
                join(scene, f"f{alias}", f"f{target}")
        live = [view.issue for view in scene.store.report.groups() if view.issue is not None]
        followers = {entry.fingerprint for entry in scene.store.report.aliases()}
        for view in scene.store.report.groups():
            fingerprint = view.group.identity.fingerprint
            if view.group.follows is None and (fingerprint != "f4" or view.group.aliases):
                assert view.issue is not None, (fingerprint, followers)
                assert view.issue.state is IssueState.LINKED
            else:
                assert view.issue is None
        assert len({entry.remote_id for entry in live}) == len(live)
    for alias in ("f1", "f2", "f3", "f4"):
        part(scene, alias)
    assert [key(scene, name) for name in ("f1", "f2", "f3", "f4")] == ["K-1", "K-2", "K-3", None]
    assert len(scene.tracker.issues) == 3
