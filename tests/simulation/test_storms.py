"""Storms that drain into outages, and budgets that two threads share: what is taken counts, and what is not used is not taken."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.core import budget, holds, plan
from syncd.operate import actions
from syncd.store import outbox
from syncd.worker import storms
from tests.simulation.history import Setup
from tests.simulation.operators import ROUTE, TRACKER
from tests.simulation.test_races import Stage

MakeStage = Callable[..., Stage]


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[MakeStage]:
    stages: list[Stage] = []

    def make(**route: float) -> Stage:
        stages.append(Stage(tmp_path, Setup(route=tuple(sorted(route.items())))))
        return stages[-1]

    yield make
    for stage in stages:
        stage.world.close()


def stormy(make_stage: MakeStage, groups: int = 6) -> Stage:
    """A route that may file two issues an hour, has filed them, and holds the other groups back; an hour later."""
    stage = make_stage(cap=2, cap_seconds=3600.0, gather=0.0)
    for number in range(groups):
        stage.notify(f"f{number}", occurrences=10 + number)
        stage.sync_all()
    stage.world.scheduler.now += 3700.0
    return stage


def drain(stage: Stage, times: int = 1, seconds: float = 5.0) -> None:
    """Drain and sync as a daemon does every few seconds."""
    for _ in range(times):
        storms.drain(stage.store, stage.process.routing, stage.now)
        stage.sync_all()
        stage.world.scheduler.now += seconds


def held(stage: Stage, rule: str = holds.STORM) -> list[str]:
    rows = stage.world.database.rows("SELECT fingerprint FROM groups WHERE decision_rule = ? ORDER BY id", rule)
    return [str(row["fingerprint"]) for row in rows]


def storm_issues(stage: Stage) -> list[str]:
    return [title for title in stage.titles if title.startswith("storm")]


def test_a_storm_that_drains_into_an_outage_releases_no_more_than_the_limit_allows(make_stage: MakeStage) -> None:
    stage = stormy(make_stage)
    stage.world.site.weather.away = True
    drain(stage, 40)

    assert held(stage) == ["f2", "f3"]

    stage.world.site.weather.away = False
    drain(stage, 100, 60.0)
    assert stage.titles[3:5] in (["f5", "f4"], ["f4", "f5"])
    assert len(storm_issues(stage)) == 1


def test_a_storm_goes_on_while_a_group_that_it_released_has_no_issue(make_stage: MakeStage) -> None:
    stage = stormy(make_stage, groups=4)
    stage.world.site.weather.away = True
    drain(stage, 40, 300.0)

    assert stage.world.database.rows("SELECT route FROM storms") == [{"route": ROUTE}]


def test_a_new_group_does_not_take_the_place_of_a_released_one(make_stage: MakeStage) -> None:
    stage = stormy(make_stage, groups=4)
    stage.world.site.weather.away = True
    drain(stage, 3)
    stage.world.site.weather.away = False
    stage.notify("f9", occurrences=1)
    claim = stage.claim()
    for number in range(4):  # the released ones may be in the hands of other workers
        if claim is not None and claim.group_id != stage.group("f9"):
            claim = stage.store.outbox.claim(TRACKER, f"p2/{number}", stage.now)
    assert claim is not None
    assert claim.group_id == stage.group("f9")
    stage.world.scheduler.run_task(stage.begin_sync(claim))

    assert held(stage) == ["f9"]


def test_a_smaller_new_group_waits_behind_those_held_back(make_stage: MakeStage) -> None:
    stage = stormy(make_stage)
    stage.notify("f9", occurrences=1)
    stage.sync_all()

    assert held(stage) == ["f2", "f3", "f4", "f5", "f9"]


def test_a_paused_route_releases_nothing_of_its_storm(make_stage: MakeStage) -> None:
    stage = stormy(make_stage)
    stage.store.limits.pause_route(ROUTE, "maintenance", stage.now)
    drain(stage, 2)
    assert len(held(stage)) == 4

    actions.resume_route(stage.store, stage.process.routing, ROUTE, stage.now)
    drain(stage)
    assert stage.titles[3:] == ["f5", "f4"]


def test_a_released_group_with_content_that_was_refused_is_a_dead_letter_and_keeps_no_place(
    make_stage: MakeStage,
) -> None:
    stage = stormy(make_stage, groups=3)
    group, _ = stage.store.read(lambda transaction: outbox.load(transaction, stage.group("f2")))
    refused = plan.content(group)
    stage.store.write(lambda transaction: transaction.run("refuse", group_id=stage.group("f2"), content=refused))
    drain(stage, 20, 600.0)

    assert [letter.fingerprint for letter in stage.store.dead_letters.all()] == ["f2"]
    assert stage.world.database.rows("SELECT route FROM storms") == []
    assert stage.world.site.items[2].closed


def tokens(stage: Stage, credential: str) -> float:
    rows = stage.world.database.rows("SELECT tokens FROM budgets WHERE credential = ?", credential)
    return float(str(rows[0]["tokens"])) if rows else budget.full(budget.Limit(10, 3600.0), 0.0).tokens


def test_a_route_gets_its_write_back_where_the_tracker_has_none(make_stage: MakeStage) -> None:
    stage = make_stage(updates=10, updates_seconds=3600.0, writes=5, writes_seconds=3600.0, status_interval=1.0)
    for name in ("f1", "f2"):
        stage.notify(name)
        stage.sync_all()
        stage.world.scheduler.now += 7200.0
    stage.notify("f1", occurrences=2)
    stage.notify("f2", occurrences=2)
    first, second = (stage.begin_sync() for _ in range(2))  # both have looked at the budget
    stage.world.scheduler.run_task(first)
    stage.world.scheduler.run_task(second)

    assert tokens(stage, f"route {ROUTE}") == 1.0
