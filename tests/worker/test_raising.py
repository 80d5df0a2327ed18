"""What rules set on a linked issue when its crash grows, and what people's changes keep."""

from syncd.errors import Unavailable
from syncd.model import Place, PresentSettings, Settings
from tests.scene import Scene
from tests.worker.test_keeping import closed, routed, seen_again, work_off


def raising(scene: Scene) -> None:
    routed(
        scene,
        set=[
            {"when": {"min_users": 100}, "priority": "High", "labels": ["many"], "component": "Core"},
            {"when": {"min_users": 10}, "priority": "Medium"},
        ],
    )


def crashed_for(scene: Scene, users: int) -> None:
    """A notification of so many users in all, at a time when the issue may be looked at."""
    scene.clock.advance(1000)
    scene.tell(occurrences=users * 2, guids=users, timestamp=[1000, int(scene.clock.wall()) + 60])
    work_off(scene)


def stands(scene: Scene, priority: str, *touched: str, labels: tuple[str, ...] = ()) -> None:
    """The issue has this now, and others than syncd touched that."""
    present = Settings(priority=priority, labels=labels)
    order = ("High", "Medium", "Low")
    scene.tracker.standings["K-1"] = PresentSettings(settings=present, priorities=order, touched=frozenset(touched))


def test_an_issue_is_raised_when_its_crash_reaches_what_a_rule_asks_for(scene: Scene) -> None:
    raising(scene)
    crashed_for(scene, 5)
    stands(scene, "Low")
    crashed_for(scene, 9)
    assert "read_settings" not in scene.tracker.calls

    crashed_for(scene, 20)
    assert scene.tracker.raised == [Settings(priority="Medium")]
    stands(scene, "Medium")
    crashed_for(scene, 150)
    assert scene.tracker.raised[1:] == [Settings(priority="High", labels=("many",), components=("Core",))]
    reason = "by the rules of its route, the priority is raised from Medium to High, the label many is added and the component Core is added"
    (listed,) = scene.store.lists.by_fingerprint("f1")
    assert (reason, "raised") in [(entry.reason, entry.rule) for entry in scene.store.report.history(listed.id)]

    reads = scene.tracker.calls.count("read_settings")
    crashed_for(scene, 200)
    assert scene.tracker.calls.count("read_settings") == reads
    assert len(scene.tracker.raised) == 2


def test_a_person_s_priority_stays_and_is_not_asked_for_again(scene: Scene) -> None:
    raising(scene)
    crashed_for(scene, 20)
    assert scene.tracker.issues[0].priority == "Medium"
    stands(scene, "Low", "priority", "labels many")
    for users in (150, 160):
        crashed_for(scene, users)

    assert scene.tracker.raised == [Settings(components=("Core",))]
    assert scene.tracker.calls.count("read_settings") == 1


def test_a_raise_whose_answer_was_lost_is_made_again_and_one_that_is_forbidden_is_not(scene: Scene) -> None:
    raising(scene)
    crashed_for(scene, 20)
    stands(scene, "Medium")
    scene.fail("raise_settings", Unavailable("no answer"))
    crashed_for(scene, 150)
    scene.clock.advance(600)
    work_off(scene)
    assert len(scene.tracker.raised) == 1

    scene.tracker.unable = "the account may not edit issues"
    routed(scene, set=[{"priority": "High", "labels": ["later"]}])
    crashed_for(scene, 170)
    crashed_for(scene, 180)
    assert len(scene.tracker.raised) == 2
    (listed,) = scene.store.lists.by_fingerprint("f1")
    outcomes = [entry.outcome for entry in scene.store.report.history(listed.id) if entry.rule == "raised"]
    assert "the account may not edit issues" in outcomes


def test_a_closed_issue_is_not_raised_and_one_that_people_filed_only_by_what_comes_later(scene: Scene) -> None:
    raising(scene)
    crashed_for(scene, 20)
    stands(scene, "Medium")
    closed(scene)
    crashed_for(scene, 150)
    assert scene.tracker.raised == []


def test_an_issue_that_a_person_filed_keeps_what_it_has_until_the_crash_grows(scene: Scene) -> None:
    raising(scene)
    crashed_for(scene, 20)
    place = Place(remote_id="2", key="K-2", url="https://example.com/K-2")
    closed(scene, "duplicate", duplicate_of=place)
    crashed_for(scene, 30)
    scene.tracker.standings["K-2"] = PresentSettings(
        settings=Settings(priority="Low"), priorities=("High", "Medium", "Low"), touched=frozenset()
    )
    for users in (40, 50):
        crashed_for(scene, users)
    assert scene.tracker.raised == []

    crashed_for(scene, 150)
    assert scene.tracker.raised == [Settings(priority="High", labels=("many",), components=("Core",))]


def test_what_is_new_in_the_last_releases_is_asked_of_the_whole_project(scene: Scene) -> None:
    routed(scene, set=[{"when": {"new_in_last": 2}, "priority": "High"}, {"priority": "Low"}])
    seen_again(scene, {"1.0": 2, "1.1": 2, "1.2": 2}, "f2")
    seen_again(scene, {"1.0": 3})
    seen_again(scene, {"1.1": 3}, "f3")
    work_off(scene)

    assert [draft.priority for draft in scene.tracker.issues] == ["Low", "Low", "High"]
