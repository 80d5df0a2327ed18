"""Short histories about who owns a group, and what an owner that lost it may leave behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.daemon import threads
from tests.simulation.process import Process
from tests.simulation.scheduler import Task
from tests.simulation.test_races import Stage


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

    world.scheduler.run(began + 2 * threads.FAULT_SECONDS)
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

    world.scheduler.run(began + 2 * threads.FAULT_SECONDS)
    assert stage.titles == ["f1"]
