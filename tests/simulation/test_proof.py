"""What may not be taken for the proof that an issue does not exist, and what may not be taken for the issue."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import Config, LocalSettings, Route
from syncd.worker.routing import Routing
from syncd.worker.sync import sync
from tests.simulation.operators import ROUTE, TRACKER
from tests.simulation.test_races import Stage
from tests.simulation.tracker import Client, Site
from tests.simulation.world import PROBE_AFTER

ELSEWHERE = "elsewhere"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.world.close()


def pass_time(stage: Stage, seconds: float) -> None:
    stage.world.scheduler.now += seconds


def lose(stage: Stage, fingerprint: str = "f1") -> None:
    """Let the site file the issue of a group, and lose its answer."""
    stage.world.site.weather.lose_after += 1
    stage.notify(fingerprint)
    stage.sync_all()


def settle(stage: Stage) -> None:
    """Sync for an hour."""
    for _ in range(360):
        pass_time(stage, 10)
        stage.sync_all()


def parked(stage: Stage, fingerprint: str) -> str | None:
    """The reason why a group is parked."""
    rows = stage.world.database.rows(
        "SELECT note FROM issues JOIN groups ON groups.id = group_id WHERE state = 'parked' AND fingerprint = ?",
        fingerprint,
    )
    return str(rows[0]["note"]) if rows else None


def route_elsewhere(stage: Stage) -> Site:
    """Let the route lead to a second tracker from now on."""
    config = stage.process.routing.config
    there = Config(
        trackers={**config.trackers, ELSEWHERE: LocalSettings(kind="local", folder="y", probe_after=PROBE_AFTER)},
        routes=[Route(name=ROUTE, tracker=ELSEWHERE, on_deleted="recreate")],
    )
    stage.process.routing = Routing(config=there, instance_key=stage.world.instance_key)
    return Site(stage.world.scheduler, ELSEWHERE)


def sync_everywhere(stage: Stage, elsewhere: Site) -> None:
    for name, site in ((TRACKER, stage.world.site), (ELSEWHERE, elsewhere)) * 3:
        while (claim := stage.store.outbox.claim(name, f"p1/{stage.now}", stage.now)) is not None:
            sync(stage.store, Client(site, stage.process.clock), claim, stage.process.routing, stage.process.clock)


def test_an_issue_that_replaces_a_deleted_one_is_filed_where_the_route_leads_now(stage: Stage) -> None:
    stage.notify("f1")
    stage.sync_all()
    there = route_elsewhere(stage)
    stage.world.site.items[0].deleted = True
    stage.notify("f1", 2)
    pass_time(stage, 1000)
    sync_everywhere(stage, there)

    assert len(stage.world.site.items) == 1
    assert [item.title for item in there.items] == ["f1"]


def test_a_create_that_is_proved_absent_is_sent_where_the_route_leads_now(stage: Stage) -> None:
    stage.world.site.weather.lose_before += 1
    stage.notify("f1")
    stage.sync_all()
    there = route_elsewhere(stage)
    for _ in range(30):
        pass_time(stage, 10)
        sync_everywhere(stage, there)

    assert stage.world.site.items == []
    assert [item.title for item in there.items] == ["f1"]
