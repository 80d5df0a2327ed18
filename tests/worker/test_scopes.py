"""A refusal is charged to its group or to its project, by what the tracker does with other groups."""

import pytest

from syncd.config import Route
from syncd.errors import Gone, Misconfigured, OutOfReach, Refused
from syncd.store.dead_letters import DeadLetter
from syncd.worker.routing import Routing
from tests.scene import Scene

SENTENCE = "3 groups in a row were refused, and none was taken between them; the last answer: unknown words"


def refused(scene: Scene, *names: str, operation: str = "create", **facts: int) -> None:
    """Each of these groups is refused a call."""
    for name in names:
        scene.tell(fingerprint=name, **facts)
        scene.fail(operation, Refused("unknown words"))
        assert scene.sync()


def dead(scene: Scene) -> list[DeadLetter]:
    return scene.store.dead_letters.all()


def state(scene: Scene) -> tuple[str, str | None]:
    standing = scene.store.report.trackers({}, scene.clock.wall()).get("here")
    return ("ok", None) if standing is None else (standing.state, standing.reason)


def filed(scene: Scene) -> list[str]:
    return [draft.group.identity.fingerprint for draft in scene.tracker.issues]


def test_groups_that_are_refused_in_a_row_rest_their_tracker_and_are_no_dead_letters(scene: Scene) -> None:
    refused(scene, "f1", "f2")
    assert (state(scene), len(dead(scene))) == (("ok", None), 2)
    refused(scene, "f3")

    assert state(scene) == ("paused", SENTENCE)
    assert dead(scene) == []
    assert not scene.sync()


def test_what_a_project_refused_is_filed_by_itself_once_it_takes_issues(scene: Scene) -> None:
    refused(scene, "f1", "f2", "f3")
    scene.clock.advance(63)
    while scene.sync():
        pass

    assert sorted(filed(scene)) == ["f1", "f2", "f3"]
    assert state(scene) == ("ok", None)


def test_a_rest_for_refusals_grows_while_the_project_refuses_every_trial(scene: Scene) -> None:
    refused(scene, "f1", "f2", "f3")
    for seconds in (60.0, 120.0, 240.0):
        assert scene.opens_in() == pytest.approx(seconds, abs=3)
        scene.clock.advance(seconds + 3)
        scene.fail("create", Refused("unknown words"))
        assert scene.sync()
        assert not scene.sync(), "one trial"

    assert dead(scene) == []


def test_a_group_between_them_that_is_filed_leaves_each_refusal_to_its_own_group(scene: Scene) -> None:
    refused(scene, "f1", "f2")
    scene.tell(fingerprint="fine")
    scene.sync()
    refused(scene, "f3", "f4")

    assert state(scene) == ("ok", None)
    assert len(dead(scene)) == 4


def test_groups_that_alone_are_refused_again_after_the_rest_are_dead_letters_for_good(scene: Scene) -> None:
    refused(scene, "f1", "f2", "f3")
    scene.tell(fingerprint="fine")
    scene.clock.advance(63)
    scene.sync()
    for _ in range(3):
        scene.fail("create", Refused("unknown words"))
        assert scene.sync()

    assert filed(scene) == ["fine"]
    assert (state(scene), len(dead(scene))) == (("ok", None), 3)
    assert not scene.sync()


def test_an_update_says_nothing_about_creates_that_are_refused(scene: Scene) -> None:
    scene.tell(fingerprint="linked")
    scene.sync()
    refused(scene, "f1", "f2")
    scene.tell(fingerprint="linked", occurrences=9)
    scene.sync()
    refused(scene, "f3")

    assert state(scene)[0] == "paused"
    assert dead(scene) == []


def test_an_issue_that_is_refused_for_ever_holds_up_nobody(scene: Scene) -> None:
    scene.tell(fingerprint="full")
    scene.sync()
    for number in range(10):
        refused(scene, "full", operation="comment", occurrences=10 + number)
        scene.tell(fingerprint=f"f{number}")
        assert scene.sync()
        assert state(scene) == ("ok", None)

    assert len(filed(scene)) == 11
    assert [letter.fingerprint for letter in dead(scene)] == ["full"]


@pytest.mark.parametrize("operation", ["create", "comment"])
def test_a_group_that_alone_makes_the_tracker_rest_is_to_blame_itself(scene: Scene, operation: str) -> None:
    """Whatever the adapter takes its refusal for: the calls of other groups contradict it."""
    if operation == "comment":
        scene.tell(fingerprint="odd")
        scene.sync()
    rests = 0
    for number in range(6):
        scene.tell(fingerprint="odd", occurrences=10 + number)
        scene.fail(operation, Misconfigured("a rule of the workflow"))
        scene.sync()
        rests += state(scene)[0] == "paused"
        scene.tell(fingerprint=f"fine{number}")
        scene.clock.advance(61)
        scene.tracker.fail_before.clear()
        scene.sync()
        assert state(scene) == ("ok", None)
        scene.clock.advance(3)

    assert rests == 1
    assert [letter.fingerprint for letter in dead(scene)] == ["odd"]
    assert "a rule of the workflow; the tracker takes the calls of other groups" in dead(scene)[0].reason


def test_a_project_that_takes_nothing_makes_no_dead_letter_of_the_group_that_met_it(scene: Scene) -> None:
    for number in range(4):
        scene.tell(fingerprint=f"f{number}")
    for _ in range(8):
        scene.fail("create", Misconfigured("archived"))
        assert scene.sync()
        assert state(scene)[0] == "paused"
        assert not scene.sync(), "one trial"
        scene.clock.advance(scene.opens_in() + 3)
    scene.tracker.fail_before.clear()
    while scene.sync():
        pass

    assert (len(filed(scene)), dead(scene), state(scene)) == (4, [], ("ok", None))


def test_a_login_that_is_refused_is_nobodys_own_fault(scene: Scene) -> None:
    for number in range(4):
        scene.tell(fingerprint="unlucky", occurrences=10 + number)
        scene.fail("create", Misconfigured("401", login=True))
        scene.sync()
        assert state(scene)[0] == "paused"
        scene.tell(fingerprint=f"fine{number}")
        scene.clock.advance(61)
        scene.tracker.fail_before.clear()
        scene.sync()
        scene.clock.advance(3)

    assert dead(scene) == []


def test_what_a_group_was_blamed_for_is_over_with_its_next_success(scene: Scene) -> None:
    scene.tell(fingerprint="odd")
    scene.fail("create", Misconfigured("archived"))
    scene.sync()
    scene.tell(fingerprint="fine")
    scene.clock.advance(61)
    scene.sync()
    scene.clock.advance(3)
    scene.sync()
    scene.tell(fingerprint="odd", occurrences=99)
    scene.fail("comment", Misconfigured("archived"))
    scene.sync()

    assert state(scene)[0] == "paused"
    assert dead(scene) == []


def test_other_contents_of_a_group_that_alone_was_refused_are_weighed_anew(scene: Scene) -> None:
    refused(scene, "f1")
    scene.tell(fingerprint="fine")
    scene.sync()
    scene.tell(fingerprint="f1", callstack=["another"], timestamp=[1000, 3000])
    scene.fail("create", Refused("unknown words"))
    scene.sync()
    refused(scene, "f2", "f3")

    assert state(scene)[0] == "paused"
    assert dead(scene) == []


def recreating(scene: Scene) -> None:
    route = Route(tracker="here", status_interval=1.0, on_deleted="recreate")
    config = scene.rules.config.model_copy(update={"routes": [route]})
    scene.rules = Routing(config=config, instance_key=scene.rules.instance_key)


def vanish(scene: Scene, occurrences: int) -> None:
    """The next look at the issue of the group meets nothing."""
    scene.tell(occurrences=occurrences)
    scene.fail("look", Gone("K is not there"))
    assert scene.sync()


def read(scene: Scene, occurrences: int) -> None:
    scene.tell(occurrences=occurrences)
    assert scene.sync()


@pytest.mark.parametrize("on_deleted", ["drop", "recreate"])
def test_an_issue_that_was_never_read_is_not_taken_for_deleted(scene: Scene, on_deleted: str) -> None:
    if on_deleted == "recreate":
        recreating(scene)
    scene.tell()
    scene.sync()
    vanish(scene, 9)

    (letter,) = dead(scene)
    assert (letter.kind, letter.cause, len(scene.tracker.issues)) == ("parked", "out of reach", 1)
    assert "hidden from the account" in letter.reason
    assert not scene.sync()


def test_an_issue_that_a_survey_met_can_be_deleted(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.survey()
    vanish(scene, 9)

    assert [letter.kind for letter in dead(scene)] == ["dropped"]


def test_an_issue_that_a_probe_met_can_be_deleted(scene: Scene) -> None:
    scene.doubt(after=True)
    scene.probe()
    vanish(scene, 9)

    assert [letter.kind for letter in dead(scene)] == ["dropped"]


def test_one_more_issue_is_filed_for_a_deletion_and_no_third_one(scene: Scene) -> None:
    recreating(scene)
    scene.tell()
    scene.sync()
    for round_ in range(3):
        read(scene, 9 + 2 * round_) if round_ < 2 else None
        if not dead(scene):
            vanish(scene, 10 + 2 * round_)
        scene.sync()

    (letter,) = dead(scene)
    assert (letter.kind, len(scene.tracker.issues)) == ("parked", 2)
    assert "like K-1 before it" in letter.reason


def test_a_person_who_says_that_it_does_not_exist_gets_another_issue(scene: Scene) -> None:
    recreating(scene)
    scene.tell()
    scene.sync()
    vanish(scene, 9)
    (letter,) = dead(scene)
    scene.store.dead_letters.retry(letter, scene.clock.wall(), absent=True)
    scene.sync()

    assert len(scene.tracker.issues) == 2
    read(scene, 20)
    vanish(scene, 21)
    scene.sync()
    assert len(scene.tracker.issues) == 3, "the decision of a person begins anew"


def test_an_issue_that_was_out_of_reach_goes_on_once_a_survey_meets_it(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    read(scene, 9)
    scene.tell(occurrences=10)
    scene.fail("look", OutOfReach("hidden"))
    scene.sync()
    assert scene.state == "parked"
    scene.clock.advance(7200)
    scene.survey()
    scene.sync()

    assert scene.state == "linked"
    assert dead(scene) == []
    assert not scene.sync()
