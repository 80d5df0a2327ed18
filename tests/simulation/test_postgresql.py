"""The same histories on a real PostgreSQL server, where transactions run beside each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Databases
from tests.simulation.__main__ import run
from tests.simulation.controls import Control
from tests.simulation.history import generate
from tests.simulation.postgresql import Server, crowd
from tests.simulation.server_controls import CONTROLS
from tests.simulation.world import World

pytestmark = pytest.mark.slow

SEEDS = 40


@pytest.fixture(scope="module")
def server(servers: Databases) -> Iterator[Server]:
    server = Server(servers.new())
    yield server
    server.close()


def test_no_interleaving_of_statements_in_these_seeds_violates_an_invariant(server: Server, tmp_path: Path) -> None:
    violations = [violation for seed in range(SEEDS) if (violation := run(crowd(generate(seed)), tmp_path, server)[0])]

    assert [str(violation) for violation in violations] == []


@pytest.mark.parametrize("seed", [3, 7, 24])
def test_a_seed_gives_the_same_run_each_time(seed: int, server: Server, tmp_path: Path) -> None:
    runs = []
    for _ in range(2):
        world = World(crowd(generate(seed)), tmp_path, server)
        world.run()
        world.close()
        runs.append([(step.at, step.actor, step.event) for step in world.scheduler.steps])

    assert runs[0] == runs[1]


@pytest.mark.parametrize("control", [pytest.param(control, id=control.guard) for control in CONTROLS])
def test_a_guard_that_is_taken_away_is_missed(control: Control, server: Server, tmp_path: Path) -> None:
    with control.applied():
        assert any(run(crowd(generate(seed)), tmp_path, server)[0] for seed in range(control.seeds))
