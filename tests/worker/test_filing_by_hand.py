"""`syncd file`: an operator lets one held group through, past thresholds and the limit of new issues."""

from typing import Any

import pytest

from syncd.core import budget
from syncd.operate import actions, explain
from syncd.render import markdown
from tests.scene import Scene
from tests.worker.test_aliases import ids, key
from tests.worker.test_keeping import comments, routed, seen_again, work_off


def file_now(scene: Scene, fingerprint: str, *, dry_run: bool = False) -> str:
    number, now = ids(scene)[fingerprint], scene.clock.wall()
    return actions.file_now(scene.store, scene.rules, number, "the CEO has it", now, dry_run=dry_run)


@pytest.mark.parametrize(
    "keys",
    [
        {"min_occurrences": 50},
        {"min_users": 9, "within": 60.0},
        {"min_age": 1e6},
        {"max_new_issues": ["1/1h"]},
        {"hold_unsymbolicated": True},
    ],
)
def test_a_group_that_anything_but_a_person_holds_is_filed_with_the_cause_in_its_history(
    scene: Scene, keys: dict[str, Any]
) -> None:
    routed(scene, **keys)
    stack = {"callstack": ["0x7ff6a1b2c3d4"]} if "hold_unsymbolicated" in keys else {}
    for fingerprint in ("f1", "f2"):
        scene.tell(fingerprint, occurrences=3, **stack)
    work_off(scene)
    assert key(scene, "f2") is None

    assert file_now(scene, "f2", dry_run=True) == "here"
    work_off(scene)
    assert key(scene, "f2") is None
    assert file_now(scene, "f2") == "here"
    work_off(scene)
    assert key(scene, "f2") is not None
    past = scene.store.report.history(ids(scene)["f2"])
    assert any(entry.rule == "ordered" and "the CEO has it" in entry.reason for entry in past)
    with pytest.raises(ValueError, match="its issue is K-"):
        file_now(scene, "f2")


def test_what_was_let_through_counts_within_the_limit(scene: Scene) -> None:
    routed(scene, max_new_issues=["2/1h"])
    for fingerprint in ("f1", "f2", "f3", "f4"):
        scene.tell(fingerprint, occurrences=3)
        work_off(scene)
    file_now(scene, "f4")
    work_off(scene)
    assert [key(scene, name) is not None for name in ("f1", "f2", "f3", "f4")] == [True, True, False, True]


def test_a_pause_of_the_route_is_in_force_for_a_group_that_is_let_through(scene: Scene) -> None:
    routed(scene, min_occurrences=50)
    scene.tell("f1", occurrences=3)
    scene.store.limits.pause_route("main", "audit", scene.clock.wall())
    file_now(scene, "f1")
    work_off(scene)
    assert key(scene, "f1") is None
    actions.resume_route(scene.store, scene.rules, "main", scene.clock.wall())
    work_off(scene)
    assert key(scene, "f1") == "K-1"


def test_a_group_that_a_person_holds_or_that_no_route_takes_is_not_filed(scene: Scene) -> None:
    routed(scene, min_occurrences=50, match={"project": "other"})
    scene.tell("f1", occurrences=3)
    with pytest.raises(ValueError, match="no route"):
        file_now(scene, "f1")
    actions.hold(scene.store, ids(scene)["f1"], "wait", scene.clock.wall())
    with pytest.raises(ValueError, match="--end"):
        file_now(scene, "f1")


def test_a_sync_by_hand_says_nothing_false_of_a_group_that_a_storm_holds(scene: Scene) -> None:
    routed(scene, max_new_issues=["1/1h"])
    for fingerprint in ("f1", "f2"):
        seen_again(scene, {"1.0": 3}, fingerprint)
        work_off(scene)
    assert actions.sync_now(scene.store, scene.rules, ids(scene)["f2"], scene.clock.wall()) is None


def test_a_group_that_a_storm_holds_names_its_place_in_line_and_its_turn_and_the_storm_what_they_share(
    scene: Scene,
) -> None:
    routed(scene, max_new_issues=["2/1h"])
    for number in range(1, 8):
        scene.tell(
            f"f{number}",
            occurrences=number,
            unique_user_count=number,
            application="game",
            callstack=[f"draw{number % 2}"],
            attributes={"version": [["2.4.0", number]]},
        )
        work_off(scene)
    places = {}
    for name, number in (("f7", 1), ("f3", 5)):
        (listed,) = scene.store.lists.by_fingerprint(name)
        now, *_ = explain.explain(scene.rules.config, scene.store, listed, [], scene.clock.wall()).steps
        places[name] = now.inputs["place"]
        assert now.rule == "storm"
        assert f"is number {number} in line" in now.reason
    assert places == {"f7": 1, "f3": 5}
    texts = [markdown.write(draft.body, 60_000) for draft in scene.tracker.issues] + comments(scene)
    storm = next(text for text in reversed(texts) if "Crash storm" in text)
    assert "2 in 1h" in storm
    assert "syncd file" in storm
    scene.clock.advance(2000)
    work_off(scene)
    storm = next(text for text in reversed(comments(scene)) if "Crash storm" in text)
    assert "100 % of the largest groups have in common the release `2.4.0`" in storm


@pytest.mark.parametrize(
    ("place", "issues", "due_in"),
    [(1, 0, 0), (10, 0, 0), (11, 0, 3600), (1, 10, 3600), (10, 10, 3600), (11, 10, 7200), (100, 10, 36000), (0, 10, 0)],
)
def test_the_turn_of_a_place_is_when_the_limit_has_let_so_many_through(place: int, issues: int, due_in: float) -> None:
    limits, filed = [budget.Limit(10, 3600.0)], [budget.Filed(issues, 500.0 if issues else None)]
    now = 500.0
    assert budget.storm_due_in(limits, filed, place, now) == due_in
