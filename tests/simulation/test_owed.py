"""Short histories in which a group was made due while a worker had it in hand, and nobody remembered it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from syncd.core.plan import DueCall
from syncd.model import Call, Condition, IssueState, Observation
from syncd.operate import actions
from syncd.store import issues, outbox
from syncd.trackers import Survey
from syncd.worker import surveys
from tests.simulation.operators import ROUTE, TRACKER
from tests.simulation.test_races import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.world.close()


def owed(stage: Stage) -> list[dict[str, object]]:
    return stage.world.database.rows("SELECT * FROM outbox")


def park(stage: Stage, state: IssueState) -> None:
    """Park the group's create in doubt, or its linked issue, as a worker does that finds no proof or no access."""
    group, cause = stage.group("f1"), "doubt" if state is IssueState.IN_DOUBT else "out of reach"
    stage.store.write(partial(issues.park, group_id=group, note="a person must decide", cause=cause))


def in_doubt(stage: Stage) -> None:
    stage.notify("f1")
    stage.world.site.weather.lose_before = 1
    stage.world.scheduler.run_task(stage.begin_sync())


@pytest.mark.parametrize("absent", [False, True])
def test_a_retry_of_a_parked_create_that_a_worker_has_in_hand_is_owed(stage: Stage, absent: bool) -> None:
    in_doubt(stage)
    park(stage, IssueState.IN_DOUBT)
    stage.world.scheduler.now += 3600.0
    task = stage.begin_sync()
    (letter,) = stage.store.dead_letters.all()
    assert stage.store.dead_letters.retry(letter, stage.now, absent=absent)
    stage.world.scheduler.run_task(task)

    (row,) = owed(stage)
    assert (row["state"], row["rank"]) == ("waiting", Call.CREATE if absent else Call.PROBE)


def test_a_retry_of_a_parked_issue_that_a_worker_has_in_hand_is_owed(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    stage.notify("f1", occurrences=2)
    park(stage, IssueState.LINKED)
    stage.world.scheduler.now += 3600.0
    task = stage.begin_sync()
    (letter,) = stage.store.dead_letters.all()
    assert stage.store.dead_letters.retry(letter, stage.now)
    stage.world.scheduler.run_task(task)
    stage.sync_all()

    assert [note.text for note in stage.world.site.items[0].comments] != []


def test_a_hold_that_ends_while_its_group_is_in_hand_files_the_group(stage: Stage) -> None:
    stage.notify("f1")
    claim = stage.claim()
    actions.hold(stage.store, stage.group("f1"), "a person looks at it", stage.now)
    task = stage.begin_sync(claim)
    actions.end_hold(stage.store, stage.process.routing, stage.group("f1"), stage.now)
    stage.world.scheduler.run_task(task)
    stage.sync_all()

    assert stage.titles == ["f1"]


def test_a_hold_that_ends_while_its_linked_group_is_in_hand_shows_the_newest_numbers(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    stage.world.scheduler.now += 3600.0
    stage.notify("f1", occurrences=7)
    claim = stage.claim()
    actions.hold(stage.store, stage.group("f1"), "a person looks at it", stage.now)
    task = stage.begin_sync(claim)
    actions.end_hold(stage.store, stage.process.routing, stage.group("f1"), stage.now)
    stage.world.scheduler.run_task(task)
    stage.sync_all()

    assert [note.text for note in stage.world.site.items[0].comments if "7" in note.text] != []


def survey(stage: Stage, condition: Condition) -> None:
    place = stage.world.site.place(stage.world.site.items[-1])
    answer = Survey(observations={place.remote_id: Observation(place=place, condition=condition)})
    linked = {
        str(issue.remote_id): issue for _, issue in stage.store.read(partial(issues.linked, tracker=TRACKER, after=0))
    }
    surveys.save(stage.store, TRACKER, linked, answer, stage.now)


def test_what_a_survey_puts_down_while_the_group_is_settled_is_followed(stage: Stage) -> None:
    for name in ("f1", "f2"):
        stage.notify(name)
        stage.sync_all()
    stage.world.scheduler.now += 3600.0
    stage.notify("f2", occurrences=2)
    task = stage.begin_sync(until="comment: before")
    target = stage.world.site.place(stage.world.site.items[0])
    item = stage.world.site.items[-1]
    item.closed, item.resolution, item.duplicate_of = True, "duplicate", 1
    survey(stage, Condition(closed=True, resolution="duplicate", duplicate_of=target))
    stage.world.scheduler.run_task(task)
    stage.world.scheduler.now += 1.0
    stage.sync_all()

    assert stage.world.database.rows("SELECT group_id FROM aliases") == [{"group_id": stage.group("f2")}]


def test_a_route_resumed_while_a_linked_group_is_put_off_updates_it_at_once(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    stage.world.scheduler.now += 3600.0
    stage.notify("f1", occurrences=7)
    stage.store.limits.pause_route(ROUTE, "maintenance", stage.now)
    task = stage.begin_sync()
    actions.resume_route(stage.store, stage.process.routing, ROUTE, stage.now)
    stage.world.scheduler.run_task(task)

    (row,) = owed(stage)
    assert float(str(row["due_at"])) <= stage.now


def test_a_dead_letter_that_was_made_due_while_it_was_refused_is_tried_again(stage: Stage) -> None:
    stage.notify("f1")
    claim = stage.claim()
    assert claim is not None
    actions.sync_now(stage.store, stage.process.routing, stage.group("f1"), stage.now)

    def write(transaction: object) -> bool:
        return outbox.bury(transaction, claim, 99, "refused", "content", stage.now)  # type: ignore[arg-type]

    assert not stage.store.write(write)


def test_a_new_route_of_a_claimed_group_is_not_forgotten(stage: Stage) -> None:
    stage.notify("f1")
    claim = stage.claim()
    assert claim is not None
    due = DueCall(tracker="elsewhere", due_at=stage.now)
    stage.store.write(lambda transaction: outbox.owe(transaction, {claim.group_id: due}))
    stage.store.write(lambda transaction: outbox.settle(transaction, claim, 1, stage.now))

    assert [row["tracker"] for row in owed(stage)] == ["elsewhere"]
