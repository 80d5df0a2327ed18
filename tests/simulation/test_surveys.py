"""Short histories of surveys beside people and looks, each of which lost or undid something once."""

import pytest

from syncd.core.plan import DueCall
from syncd.errors import StoreUnavailable
from syncd.model import Issue, IssueState
from syncd.operate import actions
from syncd.store import outbox
from syncd.worker.surveys import RETRY_SECONDS, Surveyor
from tests.simulation.operators import TRACKER
from tests.simulation.scheduler import Task
from tests.simulation.test_races import Stage, stage
from tests.simulation.tracker import Client, Item

__all__ = ["stage"]


def surveyor(stage: Stage) -> Surveyor:
    client = Client(stage.world.site, stage.process.clock)
    return Surveyor(stage.store, client, TRACKER, stage.process.routing, stage.process.clock)


def begin_survey(stage: Stage) -> Task:
    """Survey as far as the first page that the tracker has read, and whose answer is on its way."""
    current = surveyor(stage)

    def body() -> None:
        while not current.step():
            pass

    task = stage.world.scheduler.spawn(stage.process, "survey", body)
    stage.world.scheduler.run_task(task, "survey: after")
    return task


def close(stage: Stage, item: Item) -> None:
    """A person closes an issue in a tracker that tells no time of closing."""
    item.closed, item.resolution, item.changed_at = True, "completed", stage.world.site.now


def owe(stage: Stage) -> None:
    due = DueCall(tracker=TRACKER, due_at=stage.now)
    stage.store.write(lambda transaction: outbox.owe(transaction, {stage.group("f1"): due}))


def issue_of(stage: Stage) -> Issue:
    issue = stage.store.report.groups()[0].issue
    assert issue is not None
    return issue


def closed(stage: Stage) -> bool | None:
    condition = issue_of(stage).condition
    return None if condition is None else condition.closed


def test_a_reading_of_a_survey_does_not_undo_a_newer_look(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    task = begin_survey(stage)
    close(stage, stage.world.site.items[0])
    stage.world.scheduler.now += 100
    owe(stage)
    stage.sync_all()
    baseline = issue_of(stage).baseline
    stage.world.scheduler.run_task(task)
    stage.sync_all()

    assert closed(stage)
    assert issue_of(stage).baseline == baseline


def test_a_survey_writes_at_once_whom_people_assigned_an_issue_to(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    item = stage.world.site.items[0]
    item.owners, item.changed_at = ("ada",), stage.world.site.now
    stage.world.scheduler.run_task(begin_survey(stage))

    assert issue_of(stage).owners == ("ada",)
    assert stage.claim() is None, "no look is due for it"


def test_an_owner_that_a_survey_read_does_not_undo_a_newer_look(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    item = stage.world.site.items[0]
    item.owners, item.changed_at = ("ada",), stage.world.site.now
    task = begin_survey(stage)
    stage.world.scheduler.now += 100
    item.owners, item.changed_at = ("grace",), stage.world.site.now
    owe(stage)
    stage.sync_all()
    assert issue_of(stage).owners == ("grace",)
    stage.world.scheduler.run_task(task)

    assert issue_of(stage).owners == ("grace",)


def test_a_change_that_a_survey_met_while_its_group_was_synced_is_looked_at(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    stage.world.scheduler.now += 100
    owe(stage)
    claim = stage.claim()
    assert claim is not None
    syncing = stage.begin_sync(claim)
    stage.world.scheduler.run_task(syncing, "look: after")
    close(stage, stage.world.site.items[0])
    stage.world.scheduler.run_task(begin_survey(stage))
    stage.world.scheduler.run_task(syncing)
    stage.sync_all()

    assert closed(stage)


def test_a_survey_whose_findings_could_not_be_written_meets_them_again(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    current = surveyor(stage)
    while not current.step():
        pass
    close(stage, stage.world.site.items[0])
    stage.world.scheduler.now += 4000
    stage.world.database.fail_before = 1
    with pytest.raises(StoreUnavailable):
        current.step()
    while not current.step():
        pass
    stage.sync_all()

    assert closed(stage)


def test_a_moved_issue_shows_its_new_key_after_the_next_survey(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    item = stage.world.site.items[0]
    item.moved_to, item.changed_at = "OTHER-7", stage.world.site.now
    stage.world.scheduler.run_task(begin_survey(stage))
    stage.sync_all()

    assert issue_of(stage).key == "OTHER-7"


def test_a_survey_goes_on_soon_after_an_operator_ends_a_pause(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    stage.store.limits.pause_by_hand(TRACKER, "an operator pauses it", stage.now)

    assert surveyor(stage).step() <= RETRY_SECONDS


def test_an_issue_that_can_be_read_again_gets_what_it_lacks(stage: Stage) -> None:
    stage.notify("f1", occurrences=1)
    stage.sync_all()
    stage.world.scheduler.run_task(begin_survey(stage))
    item = stage.world.site.items[0]
    item.hidden = True
    stage.notify("f1", occurrences=500)
    stage.world.scheduler.now += 4000
    stage.sync_all()
    assert issue_of(stage).state is IssueState.PARKED
    item.hidden = False
    stage.world.scheduler.now += 4000
    stage.world.scheduler.run_task(begin_survey(stage))
    stage.sync_all()

    assert [note.text for note in item.comments if "500" in note.text]


def test_an_order_to_sync_forgets_nothing_of_when_people_had_the_issue_open(stage: Stage) -> None:
    """What came in before the issue was last read open is known at its closing, where the tracker tells no time of it."""
    stage.world.site.tells_closing = False
    stage.notify("f1", attributes={"version": [["1.0", 1]]})
    stage.sync_all()
    owe(stage)
    stage.world.scheduler.now += 100
    syncing = stage.begin_sync()
    stage.notify("f1", occurrences=2, attributes={"version": [["1.1", 1], ["1.0", 1]]})
    stage.world.scheduler.now += 1
    stage.world.scheduler.run_task(syncing)
    close(stage, stage.world.site.items[0])
    actions.sync_now(stage.store, stage.process.routing, stage.group("f1"), stage.now)
    stage.world.scheduler.now += 4000
    stage.sync_all()

    assert stage.world.site.items[0].closed
