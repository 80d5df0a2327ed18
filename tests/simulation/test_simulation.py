"""The simulation finds what it is made for, always the same way, and nothing in the program as it is."""

from pathlib import Path

import pytest

from tests.simulation.__main__ import run
from tests.simulation.controls import CONTROLS, Control
from tests.simulation.history import generate
from tests.simulation.world import World

pytestmark = pytest.mark.slow

SEEDS = 150


def test_no_interleaving_of_these_seeds_violates_an_invariant(tmp_path: Path) -> None:
    violations = [violation for seed in range(SEEDS) if (violation := run(generate(seed), tmp_path)[0])]

    assert [str(violation) for violation in violations] == []


def test_a_seed_gives_the_same_run_each_time(tmp_path: Path) -> None:
    first, second = World(generate(7), tmp_path), World(generate(7), tmp_path)
    first.run()
    second.run()

    assert [(step.at, step.event) for step in first.scheduler.steps] == [
        (step.at, step.event) for step in second.scheduler.steps
    ]


@pytest.mark.parametrize("control", [pytest.param(control, id=control.guard) for control in CONTROLS])
def test_a_guard_that_is_taken_away_is_missed(control: Control, tmp_path: Path) -> None:
    with control.applied():
        assert any(run(generate(seed), tmp_path)[0] for seed in range(control.seeds))
