"""Short histories about who owns a group, and what an owner that lost it may leave behind."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from syncd.config import Config, LocalSettings, Route
from syncd.daemon import threads
from syncd.errors import LeaseLost
from syncd.operate import actions
from syncd.store import operator
from syncd.store.instances import Registration
from syncd.store.outbox import LEASE_SECONDS
from syncd.worker import reconcile
from syncd.worker.routing import Routing, digest
from syncd.worker.surveys import Surveyor
from syncd.worker.sync import sync
from tests.simulation.history import Setup
from tests.simulation.operators import ROUTE, TRACKER
from tests.simulation.process import Process
from tests.simulation.scheduler import Task
from tests.simulation.test_races import Stage
from tests.simulation.tracker import Client


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.world.close()


def start_syncer(stage: Stage, process: Process | None = None) -> Task:
    """Begin the loop of one syncing thread of a process."""
    process = process or stage.process
    (syncer,) = process.syncers
    return stage.world.scheduler.spawn(process, f"{process.name} syncer", syncer.run)


def with_syncer(stage: Stage, name: str = "p2") -> Process:
    """Start a process that syncs with one thread."""
    world = stage.world
    process = Process(world.scheduler, world.database, world.site, world.routing, name=name, syncers=1, surveys=False)
    world.processes.append(process)
    return process


def owners(stage: Stage) -> list[object]:
    return [row["owner"] for row in stage.world.database.rows("SELECT owner FROM outbox WHERE owner IS NOT NULL")]


def test_a_claim_whose_commit_was_reported_failed_is_given_back_at_once(stage: Stage) -> None:
    stage.notify("f1")
    world, process = stage.world, with_syncer(stage)
    task = start_syncer(stage, process)
    world.scheduler.run_task(task, "Outbox.claim: before")
    world.database.fail_after = 1
    began = stage.now
    world.scheduler.run_task(task, "idle")
    assert owners(stage) != []

    world.scheduler.run(began + 3 * threads.FAULT_SECONDS)
    assert stage.titles == ["f1"]


def test_a_trial_whose_claim_was_reported_failed_does_not_prolong_the_rest(stage: Stage) -> None:
    stage.notify("f1")
    world, process = stage.world, with_syncer(stage)
    world.site.weather.login_refused = True
    task = start_syncer(stage, process)
    world.scheduler.run_task(task, "idle")
    world.site.weather.login_refused = False
    world.scheduler.now += 61.0
    world.scheduler.run_task(task, "Outbox.claim: before")
    world.database.fail_after = 1
    began = stage.now
    world.scheduler.run_task(task, "idle")

    world.scheduler.run(began + 3 * threads.FAULT_SECONDS)
    assert stage.titles == ["f1"]


def relink(stage: Stage, fingerprint: str, number: int) -> None:
    """An operator links a group to an issue of ours."""
    (item,) = [item for item in stage.world.site.items if item.number == number]
    place = stage.world.site.place(item)
    group = stage.group(fingerprint)
    actions.link(stage.store, stage.process.routing, group, TRACKER, place, stage.world.instance_key, stage.now)


def standing(stage: Stage, fingerprint: str) -> tuple[str, object]:
    """The decision about a group, and the group that it follows."""
    query = (
        "SELECT decision, (SELECT target_id FROM aliases WHERE group_id = groups.id) AS target FROM groups WHERE id = ?"
    )
    (row,) = stage.world.database.rows(query, stage.group(fingerprint))
    return str(row["decision"]), row["target"]


def test_a_group_follows_the_one_to_which_a_person_linked_the_issue_of_its_unanswered_create(stage: Stage) -> None:
    stage.notify("f1")
    stage.world.site.weather.lose_after = 1
    task = stage.begin_sync()
    stage.world.scheduler.run_task(task)
    stage.notify("f2")
    relink(stage, "f2", 1)
    for _ in range(3):
        stage.world.scheduler.now += 60.0
        stage.sync_all()

    assert standing(stage, "f1") == ("nothing", stage.group("f2"))
    assert stage.titles == ["f1"]
    assert stage.world.database.rows("SELECT * FROM outbox") == []


@pytest.mark.parametrize("late", [False, True])
def test_a_group_follows_the_one_to_which_a_person_linked_its_issue_before_the_answer_came(
    stage: Stage, late: bool
) -> None:
    stage.notify("f1")
    task = stage.begin_sync()
    stage.world.scheduler.run_task(task, "create: after")
    stage.notify("f2")
    relink(stage, "f2", 1)
    if late:
        stage.world.scheduler.now += 200.0
        assert stage.claim() is not None
    with suppress(LeaseLost):
        stage.world.scheduler.run_task(task)
    stage.world.scheduler.now += 200.0
    stage.sync_all()

    assert standing(stage, "f1") == ("nothing", stage.group("f2"))
    assert stage.titles == ["f1"]
    assert stage.world.database.rows("SELECT * FROM outbox") == []


@pytest.mark.parametrize("by_survey", [False, True])
def test_a_group_follows_the_one_to_which_a_person_linked_the_new_place_of_its_issue(
    stage: Stage, by_survey: bool
) -> None:
    stage.notify("f1")
    stage.sync_all()
    stage.notify("f2")
    (item,) = stage.world.site.items
    item.moved_to = "X-9"
    place = stage.world.site.place(item)
    group, now = stage.group("f2"), stage.now
    actions.link(stage.store, stage.process.routing, group, TRACKER, place, stage.world.instance_key, now)
    if by_survey:
        client = Client(stage.world.site, stage.process.clock)
        surveyor = Surveyor(stage.store, client, TRACKER, stage.process.routing, stage.process.clock)
        for _ in range(4):
            surveyor.step()
    else:
        stage.world.scheduler.now += 1000.0
        actions.sync_now(stage.store, stage.process.routing, stage.group("f1"), stage.now)
    for _ in range(3):
        stage.world.scheduler.now += 1000.0
        stage.sync_all()

    assert standing(stage, "f1") == ("nothing", stage.group("f2"))
    assert stage.world.database.rows("SELECT * FROM outbox") == []


@pytest.mark.parametrize("stopped", ["slept", "paused"])
def test_a_machine_that_stood_still_before_its_create_does_not_send_it(stage: Stage, stopped: str) -> None:
    """Another machine proves meanwhile that nothing was created, and files the group."""
    stage.notify("f1")
    task = stage.begin_sync()
    world = stage.world
    world.scheduler.run_task(task, "create: before")
    setattr(stage.process.clock, stopped, 1000.0)
    neighbour = with_syncer(stage)
    for _ in range(6):
        world.scheduler.now += 200.0
        while (claim := neighbour.store.outbox.claim(TRACKER, f"p2/{stage.now}", stage.now)) is not None:
            client = Client(world.site, neighbour.clock)
            sync(neighbour.store, client, claim, neighbour.routing, neighbour.clock)
    assert stage.titles == ["f1"]
    with suppress(LeaseLost):
        world.scheduler.run_task(task)

    assert stage.titles == ["f1"]


@pytest.mark.parametrize("stopped", ["slept", "paused"])
def test_a_machine_that_stood_still_before_its_comment_does_not_send_it(stage: Stage, stopped: str) -> None:
    stage.notify("f1")
    stage.sync_all()
    actions.sync_now(stage.store, stage.process.routing, stage.group("f1"), stage.now)
    operator_bump(stage, "f1")
    task = stage.begin_sync()
    world = stage.world
    world.scheduler.run_task(task, "SyncContext.commit: after")
    world.scheduler.run_task(task, "SyncContext.commit: after")
    setattr(stage.process.clock, stopped, 1000.0)
    neighbour = with_syncer(stage)
    for _ in range(6):
        world.scheduler.now += 200.0
        while (claim := neighbour.store.outbox.claim(TRACKER, f"p2/{stage.now}", stage.now)) is not None:
            client = Client(world.site, neighbour.clock)
            sync(neighbour.store, client, claim, neighbour.routing, neighbour.clock)
    with suppress(LeaseLost):
        world.scheduler.run_task(task)

    (item,) = world.site.items
    assert len(item.comments) == 1


@pytest.mark.parametrize("seconds", [60.0, 300.0])
def test_a_machine_that_stood_still_after_its_look_writes_only_what_the_look_still_proves(
    stage: Stage, seconds: float
) -> None:
    stage.notify("f1")
    stage.sync_all()
    operator_bump(stage, "f1")
    actions.sync_now(stage.store, stage.process.routing, stage.group("f1"), stage.now)
    task = stage.begin_sync(until="look: after")
    stage.world.scheduler.now += seconds
    stage.world.scheduler.run_task(task)

    (item,) = stage.world.site.items
    assert len(item.comments) == (1 if seconds < LEASE_SECONDS else 0)


def operator_bump(stage: Stage, fingerprint: str) -> None:
    """Give the issue of a group something new to show."""
    stage.store.write(lambda transaction: operator.bump(transaction, stage.group(fingerprint)))


def standing_text(stage: Stage) -> tuple[bool, bool]:
    """Whether the status comment has the newest count, and whether the store knows its text."""
    (item,) = stage.world.site.items
    (note,) = item.comments
    (row,) = stage.world.database.rows("SELECT comment_text FROM issues WHERE state = 'linked'")
    return "300" in note.text, hashlib.sha256(note.text.encode()).hexdigest()[:32] == row["comment_text"]


def with_status_comment(stage: Stage) -> None:
    stage.notify("f1", 100)
    stage.sync_all()
    stage.world.scheduler.now += 1000.0
    stage.notify("f1", 150)
    stage.sync_all()
    stage.world.scheduler.now += 1000.0


def test_an_edit_that_outlives_its_lease_is_overwritten_by_the_newer_text(stage: Stage) -> None:
    with_status_comment(stage)
    stage.notify("f1", 200)
    stage.world.site.weather.slow = [400.0]
    task = stage.begin_sync(until="edit comment: on its way")
    stage.world.scheduler.now += 250.0
    stage.notify("f1", 300)
    stage.sync_all()
    assert standing_text(stage)[0]
    with suppress(LeaseLost):
        stage.world.scheduler.run_task(task)
    for _ in range(3):
        stage.world.scheduler.now += 1000.0
        stage.sync_all()

    assert standing_text(stage) == (True, True)


def test_an_edit_that_arrives_while_its_successor_is_about_to_settle_is_overwritten(stage: Stage) -> None:
    with_status_comment(stage)
    stage.notify("f1", 200)
    stage.world.site.weather.slow = [400.0]
    task = stage.begin_sync(until="edit comment: on its way")
    stage.world.scheduler.now += 250.0
    stage.notify("f1", 300)
    successor = stage.begin_sync(until="edit comment: after")
    with suppress(LeaseLost):
        stage.world.scheduler.run_task(task)
    stage.world.scheduler.failure = None
    stage.world.scheduler.run_task(successor)
    for _ in range(3):
        stage.world.scheduler.now += 1000.0
        stage.sync_all()

    assert standing_text(stage) == (True, True)


def test_a_late_edit_of_a_sender_that_died_is_overwritten(stage: Stage) -> None:
    with_status_comment(stage)
    stage.notify("f1", 200)
    stage.world.site.weather.late = 1
    stage.begin_sync(until="edit comment: no answer")
    stage.notify("f1", 300)
    stage.world.scheduler.kill(stage.process)
    neighbour = with_syncer(stage)
    neighbour.store.outbox.take_over(lambda _: lambda owner: owner.startswith("p1/"), stage.now)

    def sync_all() -> None:
        while (claim := neighbour.store.outbox.claim(TRACKER, f"p2/{stage.now}", stage.now)) is not None:
            client = Client(stage.world.site, neighbour.clock)
            sync(neighbour.store, client, claim, neighbour.routing, neighbour.clock)

    sync_all()
    assert standing_text(stage)[0]
    stage.world.scheduler.run(stage.now + 60.0)
    assert not standing_text(stage)[0], "the edit of the dead process has arrived"
    for _ in range(3):
        stage.world.scheduler.now += 1000.0
        sync_all()

    assert standing_text(stage) == (True, True)


RENAMED = Config(
    trackers={"there": LocalSettings(kind="local", folder="unused")}, routes=[Route(name=ROUTE, tracker="there")]
)


def owed(stage: Stage) -> dict[str, str]:
    """The trackers for which the groups wait."""
    query = "SELECT fingerprint, tracker FROM outbox JOIN groups ON groups.id = outbox.group_id WHERE state = 'waiting'"
    return {str(row["fingerprint"]): str(row["tracker"]) for row in stage.world.database.rows(query)}


def start_renamed(stage: Stage) -> tuple[Registration, Callable[[bool], int]]:
    """Start a process that knows the tracker by another name beside the first one. Return the registration of the first one, and what
    the new one does at its start and every few seconds."""
    old = stage.store.join("all", stage.now, digest(stage.process.routing.config))
    stage.store.join("all", stage.now, digest(RENAMED))
    renamed = Routing(config=RENAMED, instance_key=stage.world.instance_key)

    def reroute(starts: bool) -> int:
        return reconcile.reroute(stage.store, renamed, digest(RENAMED), stage.now, starts=starts)

    reroute(True)
    return old, reroute


def test_a_group_in_hand_while_its_tracker_is_renamed_goes_to_the_new_name(stage: Stage) -> None:
    stage.notify("f1")
    task = stage.begin_sync()
    old, reroute = start_renamed(stage)
    stage.world.site.weather.away = True
    stage.world.scheduler.run_task(task)
    old.close()
    reroute(False)

    assert owed(stage) == {"f1": "there"}


def test_a_group_whose_owner_died_while_its_tracker_was_renamed_goes_to_the_new_name(stage: Stage) -> None:
    stage.notify("f1")
    claim = stage.claim()
    assert claim is not None
    old, reroute = start_renamed(stage)
    stage.store.outbox.take_over(lambda _: lambda owner: owner in (claim.owner, old.owner), stage.now)
    reroute(False)

    assert owed(stage) == {"f1": "there"}


def test_what_a_process_with_earlier_routes_absorbs_is_judged_anew_after_its_end(tmp_path: Path) -> None:
    """It waits for the old name, or is held by a threshold that the new routes do not have."""
    stage = Stage(tmp_path, Setup(route=(("min_occurrences", 50),)))
    old, reroute = start_renamed(stage)
    stage.notify("f1", 60)
    stage.notify("f2", 10)
    assert (owed(stage), reroute(False)) == ({"f1": TRACKER}, 0)
    old.close()
    reroute(False)

    assert owed(stage) == {"f1": "there", "f2": "there"}
    stage.world.close()


def test_the_earlier_routes_judge_anew_when_they_come_back(stage: Stage) -> None:
    stage.notify("f1")
    old, _ = start_renamed(stage)
    reconcile.reroute(stage.store, stage.process.routing, digest(stage.process.routing.config), stage.now)
    assert owed(stage) == {"f1": TRACKER}
    old.close()


def test_a_dead_letter_that_is_sent_again_goes_to_the_new_name(stage: Stage) -> None:
    stage.world.site.weather.refuses.add("f1")
    stage.notify("f1")
    stage.sync_all()
    old, reroute = start_renamed(stage)
    old.close()
    reroute(False)
    (letter,) = stage.store.dead_letters.all()
    stage.store.dead_letters.retry(letter, stage.now)

    assert owed(stage) == {"f1": "there"}


def test_a_held_group_that_is_linked_by_hand_is_still_explained_by_its_hold(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    actions.hold(stage.store, stage.group("f1"), "an operator holds it", stage.now)
    place = stage.world.site.place(stage.world.site.add("", "a person's issue", "person"))
    key, routing = stage.world.instance_key, stage.process.routing
    actions.link(stage.store, routing, stage.group("f1"), TRACKER, place, key, stage.now)

    assert stage.world.database.rows("SELECT decision_rule FROM groups")[0]["decision_rule"] == "on-hold"
