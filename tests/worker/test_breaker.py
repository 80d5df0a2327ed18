"""A tracker whose API does not answer is read, one time for each step of the back-off, and no group is called for before it answers."""

import pytest

from syncd.errors import (
    Deferred,
    Misconfigured,
    OutcomeUnknown,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.store.report import TrackerStanding
from syncd.worker.sync import sync
from tests.scene import Scene

DEAD = Unavailable("no connection to tracker.example:443: connection refused")
LOST = OutcomeUnknown("the connection broke before its answer was whole")
STEPS = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def standing(scene: Scene) -> TrackerStanding:
    return scene.store.report.trackers({}, scene.clock.wall())["here"]


def age(scene: Scene) -> float | None:
    since = scene.store.lists.oldest(scene.clock.wall()).owed_since
    return None if since is None else scene.clock.wall() - since


def fail_often(scene: Scene, error: TrackerError, times: int) -> list[float]:
    """Let so many reads fail, and return the pauses after them."""
    pauses = []
    for _ in range(times):
        scene.fail("ping", error)
        pauses.append(scene.read())
        assert scene.store.outbox.claim("here", f"early/{len(pauses)}", scene.clock.wall()) is None
        scene.clock.advance(pauses[-1])
    return pauses


def settle(scene: Scene, seconds: int = 600) -> None:
    """Sync whatever is due, by the clocks of this machine and of the tracker."""
    for _ in range(seconds):
        while scene.sync():
            pass
        scene.clock.advance(1.0)
        scene.tracker.clock += 1.0


@pytest.mark.parametrize("error", [DEAD, LOST])
def test_a_dead_tracker_is_read_instead_of_called_for_each_group(scene: Scene, error: TrackerError) -> None:
    for number in range(20):
        scene.tell(f"f{number}")
    began = scene.clock.wall()
    scene.fail("create", error)
    scene.sync()
    assert standing(scene).state == "ok"

    assert fail_often(scene, DEAD, 6) == pytest.approx(STEPS)
    assert (scene.tracker.calls, scene.tracker.pings) == (["create"], 6)
    now = standing(scene)
    assert (now.state, now.reason, now.since, now.calls) == ("unreachable", DEAD.reason, began, 7)
    assert now.until == pytest.approx(scene.clock.wall())

    settle(scene)
    assert len(scene.tracker.issues) == 20
    assert standing(scene).state == "ok"
    assert scene.store.report.counts(scene.clock.wall()).dead == 0


def test_where_only_writes_stay_unanswered_a_probe_comes_before_another_create(scene: Scene) -> None:
    for number in range(6):
        scene.tell(f"f{number}")
    for _ in range(4):
        scene.fail("create", LOST)
        scene.sync()
        scene.read()
    assert scene.tracker.calls == ["create"] * 4
    scene.clock.advance(60.0)

    for _ in range(2):
        scene.sync()
    assert scene.tracker.calls[4:] == ["probe", "probe"]


def test_the_age_of_a_group_that_waits_counts_from_when_it_first_owed_its_call(scene: Scene) -> None:
    scene.tell()
    for _ in range(8):
        scene.fail("create", DEAD)
        scene.sync()
        scene.wait()
    waited = scene.clock.wall() - scene.store.report.groups()[0].group.trail[0].at

    assert age(scene) == pytest.approx(waited)
    assert waited > 200
    scene.sync()
    assert age(scene) is None
    # What is put off on purpose is owed from then on.
    scene.clock.advance(3600)
    scene.tell(occurrences=99)
    assert age(scene) == pytest.approx(0, abs=5)


def test_a_call_that_waits_for_something_else_says_nothing_about_the_way_to_the_tracker(scene: Scene) -> None:
    scene.tell("f1")
    scene.fail("create", Deferred("the issue was read as it was before"))
    scene.sync()
    scene.tell("f2")

    assert scene.tracker.pings == 0
    assert standing(scene).calls == 0
    assert scene.sync()
    assert len(scene.tracker.issues) == 1


def test_a_group_whose_calls_fail_alone_holds_up_nobody(scene: Scene) -> None:
    scene.tell("bad")
    for _ in range(10):
        scene.fail("create", DEAD)
        scene.wait()
        scene.sync()
        scene.read()
        assert standing(scene).state == "ok"

    scene.tell("good")
    assert scene.sync()
    assert len(scene.tracker.issues) == 1


def test_where_only_reads_are_answered_one_group_is_called_for_after_each(scene: Scene) -> None:
    groups = 30
    for number in range(groups):
        scene.tell(f"f{number}")
    for _ in range(3):
        scene.fail("create", LOST)
        scene.sync()
    scene.read()
    assert standing(scene).state == "unreachable"
    began, before = scene.clock.wall(), len(scene.tracker.calls)
    while scene.clock.wall() < began + 600:
        scene.fail("create", LOST)
        scene.fail("probe", DEAD)
        scene.sync()
        scene.clock.advance(1.0)

    # At once, and then 1, 3, 7, 15, 31, 63, 123, 183 … seconds later.
    assert len(scene.tracker.calls) - before <= 17
    assert standing(scene).state == "unreachable"
    scene.tracker.fail_before.clear()
    settle(scene)
    assert len({draft.marker for draft in scene.tracker.issues}) == groups
    assert standing(scene).state == "ok"


@pytest.mark.parametrize("answer", [Misconfigured("401: the token is not accepted"), Throttled("slowly", 30.0)])
def test_any_answer_of_the_api_ends_the_outage(scene: Scene, answer: TrackerError) -> None:
    scene.tell()
    scene.fail("create", DEAD)
    scene.sync()
    fail_often(scene, DEAD, 4)
    scene.fail("ping", answer)
    scene.read()

    assert standing(scene).state == "ok"
    assert scene.opens_in() == pytest.approx(30.0 if isinstance(answer, Throttled) else 0.0)


def test_a_read_waits_as_long_as_the_server_asks_for(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", DEAD)
    scene.sync()
    scene.fail("ping", Unavailable("503: maintenance", retry_after=900.0))

    assert scene.read() == pytest.approx(900.0)


def test_a_pause_by_an_operator_stands_and_its_end_forgets_the_outage(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", DEAD)
    scene.sync()
    fail_often(scene, DEAD, 4)
    scene.store.limits.pause_by_hand("here", "moving", scene.clock.wall())
    assert scene.read() == float("inf")
    assert standing(scene).cause == "operator"

    scene.store.limits.resume_by_hand("here", "", scene.clock.wall())
    assert standing(scene).state == "ok"
    scene.wait()
    assert scene.sync()
    assert len(scene.tracker.issues) == 1


def test_a_call_that_was_under_way_and_succeeds_ends_the_outage(scene: Scene) -> None:
    scene.tell("f1")
    scene.tell("f2")
    late = scene.claimed()
    scene.fail("create", DEAD)
    scene.sync()
    fail_often(scene, DEAD, 3)
    assert standing(scene).state == "unreachable"
    sync(scene.store, scene.tracker, late, scene.rules, scene.clock)

    assert standing(scene).state == "ok"


def test_an_idle_tracker_is_unreachable_once_its_survey_fails(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.clock.advance(7200)
    scene.fail("survey", DEAD)
    scene.survey()
    fail_often(scene, DEAD, 2)

    assert standing(scene).state == "unreachable"
    scene.read()
    assert standing(scene).state == "ok"


def test_a_process_that_dies_while_it_reads_leaves_the_read_to_another(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", DEAD)
    scene.sync()
    scene.fail("ping", KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        scene.read()

    assert scene.read() == pytest.approx(60.0)
    scene.clock.advance(60.0)
    assert scene.read() == 0
    scene.wait()
    assert scene.sync()
