"""New groups that come at once: the worst first also while they arrive, and no delay for a single one."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.operate import actions
from syncd.worker import storms
from tests.simulation.history import Setup
from tests.simulation.operators import ROUTE
from tests.simulation.process import Process
from tests.simulation.test_races import Stage

CAP, GROUPS = 20, 100
MakeStage = Callable[..., Stage]


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[MakeStage]:
    stages: list[Stage] = []

    def make(**route: float) -> Stage:
        route = {"cap": CAP, "cap_seconds": 3600.0, "gather": 60.0, "reserve_percent": 0} | route
        stages.append(Stage(tmp_path, Setup(route=tuple(sorted(route.items())))))
        return stages[-1]

    yield make
    for stage in stages:
        stage.world.close()


def step(stage: Stage, seconds: float = 5.0) -> None:
    """Drain and sync as a daemon does every few seconds."""
    storms.drain(stage.store, stage.process.routing, stage.now)
    stage.sync_all()
    stage.world.scheduler.now += seconds


def arrive(stage: Stage, users: int) -> None:
    """A new group with so many users; its title is their number."""
    stage.notify(str(users), occurrences=1, guids=users)


def filed(stage: Stage) -> list[int]:
    """The users of the groups with an issue, in the order of their filing."""
    return [int(title) for title in stage.titles if title.isdigit()]


def reason(stage: Stage, users: int) -> str:
    (row,) = stage.world.database.rows("SELECT decision_reason FROM groups WHERE fingerprint = ?", str(users))
    return str(row["decision_reason"])


@pytest.mark.parametrize(("gather", "worst"), [(60.0, range(15, CAP + 1)), (0.0, range(10))])
@pytest.mark.slow
def test_the_worst_are_filed_first_also_while_they_arrive(make_stage: MakeStage, gather: float, worst: range) -> None:
    stage = make_stage(gather=gather)
    order = list(range(1, GROUPS + 1))
    random.Random(21).shuffle(order)
    for number, users in enumerate(order):  # a storm of ten minutes
        arrive(stage, users)
        step(stage, 6.0 if number < GROUPS - 1 else 300.0)
    step(stage)

    assert len(filed(stage)) == CAP
    assert sum(users > GROUPS - CAP for users in filed(stage)) in worst
    assert len([title for title in stage.titles if title.startswith("storm")]) == 1


def test_a_single_new_group_does_not_wait(make_stage: MakeStage) -> None:
    stage = make_stage()
    for users in range(1, CAP + 1):  # down to the last of the cap
        arrive(stage, users)
        stage.sync_all()
        stage.world.scheduler.now += 61.0

    assert filed(stage) == [*range(1, CAP + 1)]


def test_a_burst_that_fits_into_the_cap_waits_once_and_no_issue_reports_it(make_stage: MakeStage) -> None:
    stage = make_stage()
    for users in (3, 9, 1, 8, 2, 7, 5, 6, 4, 10):
        stage.notify(str(users), guids=users, fold=users == 10)
    step(stage)
    assert filed(stage) == []
    assert reason(stage, 9) == (
        "max_new_issues of route all is 20 in 1h, and more new groups than a fifth of what it leaves came within 1m; it "
        "is number 1 in line, those with the most users first, and its turn is at about 2026-09-21 14:14 UTC"
    )

    for _ in range(13):
        step(stage)
    assert sorted(filed(stage)) == [*range(1, 11)]
    assert min(filed(stage)[:6]) > max(filed(stage)[6:])
    step(stage)
    assert stage.world.database.rows("SELECT route FROM storms") == []
    assert len(stage.titles) == 10


def test_a_restart_goes_on_gathering(make_stage: MakeStage) -> None:
    stage = make_stage()
    for users in range(1, 11):
        stage.notify(str(users), guids=users, fold=users == 10)
    step(stage, 30.0)
    world = stage.world
    stage.process = Process(
        world.scheduler, world.database, world.site, world.routing, name="p2", syncers=0, surveys=False
    )
    stage.store = stage.process.store
    step(stage, 31.0)
    assert filed(stage) == []

    step(stage)
    step(stage)
    assert sorted(filed(stage)) == [*range(1, 11)]


def test_a_crash_with_many_users_overtakes_within_the_reserve(make_stage: MakeStage) -> None:
    stage = make_stage(cap=10, gather=0.0, reserve_percent=20, reserve_min_users=100)
    for users in range(1, 13):
        arrive(stage, users)
        step(stage)
    assert len(filed(stage)) == 8
    assert "20 % of it for groups with 100 users or more" in reason(stage, 12)

    for users in (99, 100, 5000, 400):
        arrive(stage, users)
        step(stage)
    step(stage)
    assert filed(stage)[8:] == [100, 5000]


def test_a_paused_route_releases_nothing_that_it_gathered(make_stage: MakeStage) -> None:
    stage = make_stage()
    for users in range(1, 11):
        stage.notify(str(users), guids=users, fold=users == 10)
    step(stage)
    stage.store.limits.pause_route(ROUTE, "maintenance", stage.now)
    for _ in range(20):
        step(stage, 10.0)
    assert filed(stage) == []

    actions.resume_route(stage.store, stage.process.routing, ROUTE, stage.now)
    step(stage)
    assert len(filed(stage)) == 10
