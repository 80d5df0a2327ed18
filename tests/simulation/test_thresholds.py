"""What met the thresholds of its route once is filed, whatever happens between that moment and the call."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.config import Config, Route
from syncd.operate import actions
from syncd.worker import reconcile, storms
from tests.simulation.history import Setup
from tests.simulation.operators import ROUTE
from tests.simulation.test_races import Stage

HOUR = 3600.0
MakeStage = Callable[..., Stage]


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[MakeStage]:
    stages: list[Stage] = []

    def make(**route: float) -> Stage:
        route = {"min_occurrences": 50, "within": HOUR} | route
        stages.append(Stage(tmp_path, Setup(route=tuple(sorted(route.items())))))
        return stages[-1]

    yield make
    for stage in stages:
        stage.world.close()


def wait(stage: Stage, seconds: float) -> None:
    stage.world.scheduler.now += seconds


def settle(stage: Stage) -> None:
    """Sync and drain for a day, as a daemon does."""
    for _ in range(50):
        stage.sync_all()
        storms.drain(stage.store, stage.process.routing, stage.now)
        wait(stage, 1800.0)


def test_an_outage_takes_no_threshold_away(make_stage: MakeStage) -> None:
    stage = make_stage()
    stage.notify("f1", occurrences=60)
    stage.world.site.weather.away = True
    stage.sync_all()
    wait(stage, 2 * HOUR)
    stage.world.site.weather.away = False
    settle(stage)

    assert stage.titles == ["f1"]


def test_a_paused_route_takes_no_threshold_away(make_stage: MakeStage) -> None:
    stage = make_stage()
    stage.notify("f1", occurrences=60)
    stage.store.limits.pause_route(ROUTE, "maintenance", stage.now)
    stage.sync_all()
    wait(stage, 2 * HOUR)
    actions.resume_route(stage.store, stage.process.routing, ROUTE, stage.now)
    settle(stage)

    assert stage.titles == ["f1"]


def test_a_hold_takes_no_threshold_away_also_if_it_was_met_during_the_hold(make_stage: MakeStage) -> None:
    stage = make_stage()
    stage.notify("f1", occurrences=1)
    actions.hold(stage.store, stage.group("f1"), "a person looks at it", stage.now)
    stage.notify("f1", occurrences=60)
    wait(stage, 2 * HOUR)
    actions.end_hold(stage.store, stage.process.routing, stage.group("f1"), stage.now)
    settle(stage)

    assert stage.titles == ["f1"]


def test_a_storm_takes_no_threshold_away(make_stage: MakeStage) -> None:
    stage = make_stage(cap=1, cap_seconds=2 * HOUR)
    for name in ("f1", "f2"):
        stage.notify(name, occurrences=60)
        stage.sync_all()
    settle(stage)

    assert [title for title in stage.titles if not title.startswith("storm")] == ["f1", "f2"]


def test_a_backlog_of_deliveries_takes_no_threshold_away(make_stage: MakeStage) -> None:
    stage = make_stage()
    stage.notify("f1", occurrences=60, fold=False)
    wait(stage, 2 * HOUR)
    stage.notify("f1", occurrences=61)
    settle(stage)

    assert stage.titles == ["f1"]


def test_an_outage_at_the_moment_when_the_group_is_old_enough_takes_no_threshold_away(make_stage: MakeStage) -> None:
    stage = make_stage(min_age=1800.0)
    stage.notify("f1", occurrences=60)
    wait(stage, 3 * HOUR)
    settle(stage)

    assert stage.titles == ["f1"]


def test_a_group_that_was_once_too_slow_is_held_as_before(make_stage: MakeStage) -> None:
    stage = make_stage()
    for total in range(10, 200, 10):
        stage.notify("f1", occurrences=total)
        wait(stage, HOUR)
    settle(stage)

    assert stage.titles == []


@pytest.mark.parametrize(
    ("changed", "files"),
    [
        ({"min_occurrences": 50, "within": HOUR, "name": "renamed"}, True),
        ({"min_occurrences": 20, "within": HOUR}, True),
        ({"min_occurrences": 50, "within": 2 * HOUR}, True),
        ({"min_occurrences": 50}, True),
        ({"min_occurrences": 100, "within": HOUR}, False),
        ({"min_occurrences": 50, "within": 600.0}, False),
        ({"min_occurrences": 50, "min_users": 2, "within": HOUR}, False),
    ],
)
def test_thresholds_that_a_group_met_hold_for_every_route_that_asks_for_no_more(
    make_stage: MakeStage, changed: dict[str, object], files: bool
) -> None:
    stage = make_stage()
    stage.notify("f1", occurrences=60)
    wait(stage, 3 * HOUR)
    route = Route(**{"name": ROUTE, "tracker": "here"} | changed)  # type: ignore[arg-type]
    config = Config(trackers=stage.process.routing.config.trackers, routes=[route])
    stage.process.routing = type(stage.process.routing)(config=config, instance_key=stage.world.instance_key)
    reconcile.reroute(stage.store, stage.process.routing, "changed", stage.now)
    settle(stage)

    assert stage.titles == (["f1"] if files else [])
