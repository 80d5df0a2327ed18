"""Short histories of two actors, each of which violated an invariant once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.operate import actions
from syncd.store.outbox import Claim
from syncd.worker import breaker
from syncd.worker.absorb import absorb
from syncd.worker.sync import sync
from tests.simulation.history import History, Setup
from tests.simulation.operators import ROUTE, TRACKER, group_id
from tests.simulation.process import Process
from tests.simulation.scheduler import Task
from tests.simulation.tracker import Client
from tests.simulation.world import World


class Stage:
    """A world without schedule: a test says who goes next, and to which point."""

    def __init__(self, folder: Path, setup: Setup | None = None) -> None:
        self.world = World(History(0, setup or Setup(), ()), folder)
        self.world.processes.append(
            Process(
                self.world.scheduler,
                self.world.database,
                self.world.site,
                self.world.routing,
                name="p1",
                syncers=0,
                surveys=False,
            )
        )
        self.process = self.world.processes[0]
        self.store = self.process.store

    @property
    def now(self) -> float:
        return self.world.scheduler.now

    def notify(self, fingerprint: str, occurrences: int = 1, *, fold: bool = True, **facts: object) -> None:
        """Deliver a notification and fold it."""
        body = {
            "universe": "acme",
            "project": "game",
            "fingerprint": fingerprint,
            "occurrences": occurrences,
            "timestamp": [1, 1 + occurrences],
        } | facts
        self.world.deliver(json.dumps(body).encode())
        if fold:
            absorb(self.store, self.process.routing, self.now)

    def claim(self) -> Claim | None:
        """Claim the group that is due, after a read where the last call failed."""
        client = Client(self.world.site, self.process.clock)
        breaker.step(self.store, client, TRACKER, self.process.routing, self.process.clock)
        return self.store.outbox.claim(TRACKER, f"p1/{self.now}", self.now)

    def begin_sync(self, claim: Claim | None = None, until: str = "load: read") -> Task:
        """Claim the group that is due, load its facts, and go on to a point."""
        claim = claim or self.claim()
        assert claim is not None
        client = Client(self.world.site, self.process.clock)

        def body() -> None:
            sync(self.store, client, claim, self.process.routing, self.process.clock)

        task = self.world.scheduler.spawn(self.process, "syncer", body)
        self.world.scheduler.run_task(task, until)
        return task

    def sync_all(self) -> None:
        """Sync until nothing is due, as a daemon does: a tracker that left a call without an answer is read before."""
        client = Client(self.world.site, self.process.clock)
        breaker.step(self.store, client, TRACKER, self.process.routing, self.process.clock)
        while (claim := self.claim()) is not None:
            sync(self.store, client, claim, self.process.routing, self.process.clock)

    @property
    def titles(self) -> list[str]:
        return [item.title for item in self.world.site.items]

    def group(self, fingerprint: str) -> int:
        number = group_id(self.world, fingerprint)
        assert number is not None
        return number


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.world.close()


def test_a_route_resumed_while_a_group_is_decided_files_the_group(stage: Stage) -> None:
    stage.notify("f1")
    stage.store.limits.pause_route(ROUTE, "maintenance", stage.now)
    task = stage.begin_sync()
    actions.resume_route(stage.store, stage.process.routing, ROUTE, stage.now)
    stage.world.scheduler.run_task(task)
    stage.sync_all()

    assert stage.titles == ["f1"]


def test_an_alias_added_between_load_and_intent_gets_no_issue_of_its_own(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    stage.notify("f2")
    task = stage.begin_sync()
    actions.add_alias(
        stage.store, stage.process.routing, stage.group("f2"), stage.group("f1"), "the same crash", stage.now
    )
    stage.world.scheduler.run_task(task)
    stage.sync_all()

    assert stage.titles == ["f1"]


def test_a_hold_between_load_and_intent_is_respected(stage: Stage) -> None:
    stage.notify("f1")
    task = stage.begin_sync()
    actions.hold(stage.store, stage.group("f1"), "a person looks at it", stage.now)
    stage.world.scheduler.run_task(task)
    stage.sync_all()

    assert stage.titles == []
