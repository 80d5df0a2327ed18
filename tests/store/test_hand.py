"""An operator's word about one group, with the daemon going on beside it."""

import pytest

from syncd.errors import OutcomeUnknown
from syncd.model import Created, Place
from syncd.operate import actions
from syncd.trackers import Draft
from syncd.worker.sync import sync
from tests.scene import Scene
from tests.store import steps

FIRST = Place(remote_id="1", key="K-1", url="https://example.com/1")
ELSEWHERE = Place(remote_id="77", key="K-77", url="https://example.com/77")


def number(scene: Scene, fingerprint: str = "f1") -> int:
    (listed,) = scene.store.lists.by_fingerprint(fingerprint)
    return listed.id


def drain(scene: Scene) -> None:
    """Sync until nothing is due, which is soon."""
    for _ in range(10):
        scene.wait()
        if not scene.sync():
            return
    raise AssertionError("it is due again and again")


def settled(scene: Scene) -> None:
    """A group whose issue shows all there is."""
    scene.tell()
    drain(scene)


def test_sync_now_does_not_wait_for_the_interval(scene: Scene) -> None:
    settled(scene)
    scene.between = 0.0  # the last update was just now
    scene.tell(occurrences=9)
    assert scene.due_in is not None
    assert scene.due_in > 0.5

    assert actions.sync_now(scene.store, scene.rules, number(scene), scene.clock.wall()) == "here"
    before = len(scene.tracker.calls)
    assert scene.sync()
    assert "edit_comment" in scene.tracker.calls[before:] or "comment" in scene.tracker.calls[before:]


def test_sync_now_of_an_issue_that_shows_everything_looks_and_writes_nothing_new(scene: Scene) -> None:
    settled(scene)
    actions.sync_now(scene.store, scene.rules, number(scene), scene.clock.wall())
    assert scene.sync()  # it had no status comment yet
    actions.sync_now(scene.store, scene.rules, number(scene), scene.clock.wall())
    before = len(scene.tracker.calls)

    assert scene.sync()
    assert scene.tracker.calls[before:] == ["look"]


def test_a_group_without_an_issue_that_is_held_is_neither_filed_nor_forgotten(scene: Scene) -> None:
    scene.tell()
    actions.hold(scene.store, number(scene), "known, wait for the fix", scene.clock.wall())
    scene.tell(occurrences=50)

    assert not scene.sync()
    standing = scene.store.report.groups()[0]
    assert (standing.decision, standing.rule, standing.group.occurrences) == ("hold", "on-hold", 50)
    assert "known, wait for the fix" in standing.reason

    assert actions.end_hold(scene.store, scene.rules, number(scene), scene.clock.wall())
    assert scene.sync()
    assert len(scene.tracker.issues) == 1
    assert not actions.end_hold(scene.store, scene.rules, number(scene), scene.clock.wall())


def test_an_issue_that_is_held_is_not_written_to_and_catches_up_afterwards(scene: Scene) -> None:
    settled(scene)
    actions.hold(scene.store, number(scene), "", scene.clock.wall())
    before = len(scene.tracker.calls)
    scene.tell(occurrences=50)
    drain(scene)
    assert scene.tracker.calls[before:] == []

    actions.end_hold(scene.store, scene.rules, number(scene), scene.clock.wall())
    assert scene.sync()
    assert {"comment", "edit_comment"} & set(scene.tracker.calls[before:])


def test_a_hold_that_meets_a_claim_wins_after_what_is_in_hand(scene: Scene) -> None:
    scene.tell()
    claim = scene.claimed()
    actions.hold(scene.store, number(scene), "", scene.clock.wall())
    group, issue = steps.load(scene.store, claim)
    assert (group.on_hold, issue) == ("", None)

    scene.wait()
    assert scene.sync()
    assert (scene.tracker.issues, scene.reason) == ([], "an operator holds it: ")


def test_a_hold_that_comes_during_a_create_is_what_is_decided_in_the_end(scene: Scene) -> None:
    scene.tell()
    create = scene.tracker.create

    def held_meanwhile(draft: Draft) -> Created:
        actions.hold(scene.store, number(scene), "too many", scene.clock.wall())
        return create(draft)

    scene.tracker.create = held_meanwhile  # type: ignore[method-assign]
    drain(scene)

    standing = scene.store.report.groups()[0]
    assert (len(scene.tracker.issues), standing.rule) == (1, "on-hold")


def test_an_update_whose_group_is_held_ends_and_is_made_up_for(scene: Scene) -> None:
    settled(scene)
    scene.tell(occurrences=50)
    claim = scene.claimed()
    actions.hold(scene.store, number(scene), "", scene.clock.wall())
    before = len(scene.tracker.calls)
    sync(scene.store, scene.tracker, claim, scene.rules, scene.clock)
    assert (scene.tracker.calls[before:], scene.due_in) == (["look"], None)

    actions.end_hold(scene.store, scene.rules, number(scene), scene.clock.wall())
    assert scene.sync()
    assert {"comment", "edit_comment"} & set(scene.tracker.calls[before:])


def test_a_create_in_doubt_is_looked_for_while_its_group_is_held(scene: Scene) -> None:
    scene.doubt(after=True)
    actions.hold(scene.store, number(scene), "", scene.clock.wall())
    scene.probe()

    assert scene.state == "linked"
    assert len(scene.tracker.issues) == 1


def test_an_issue_that_people_name_stands_for_the_group(scene: Scene) -> None:
    settled(scene)
    before = actions.link(
        scene.store, scene.rules, number(scene), "here", ELSEWHERE, scene.store.instance_key(), scene.clock.wall()
    )

    assert before == "K-1"
    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert (issue.key, issue.comment_id) == ("K-77", None)
    comments = len(scene.tracker.comments)
    assert scene.sync()
    assert len(scene.tracker.comments) == comments + 1, "the new one has no status comment yet"
    scene.tell(occurrences=99)
    drain(scene)
    assert len(scene.tracker.issues) == 1, "nothing else was filed"


def test_a_group_that_was_never_filed_takes_an_issue_that_people_made(scene: Scene) -> None:
    scene.tell()
    assert (
        actions.link(
            scene.store, scene.rules, number(scene), "here", ELSEWHERE, scene.store.instance_key(), scene.clock.wall()
        )
        is None
    )
    scene.sync()
    assert scene.tracker.issues == []
    assert scene.store.report.groups()[0].issue is not None


def test_one_issue_does_not_stand_for_two_groups_by_a_link(scene: Scene) -> None:
    settled(scene)
    scene.tell("f2")
    with pytest.raises(ValueError, match="group f1"):
        actions.link(scene.store, scene.rules, number(scene, "f2"), "here", FIRST, "00" * 32, scene.clock.wall())
    with pytest.raises(ValueError, match="already"):
        actions.link(scene.store, scene.rules, number(scene), "here", FIRST, "00" * 32, scene.clock.wall())


def test_a_create_in_doubt_is_not_linked_away(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", OutcomeUnknown("no answer"))
    scene.sync()
    with pytest.raises(ValueError, match="no answer yet"):
        actions.link(scene.store, scene.rules, number(scene), "here", ELSEWHERE, "00" * 32, scene.clock.wall())
