"""The simulation finds what it is made for, always the same way, and nothing in the program as it is."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests import documents
from tests.prove import mutants
from tests.simulation import server_controls
from tests.simulation.__main__ import run
from tests.simulation.controls import CONTROLS, Control, QueryControl
from tests.simulation.history import HOOKS, generate, generate_short
from tests.simulation.world import World

pytestmark = pytest.mark.slow

SEEDS = 500
PART = 50
QUICK = 50  # a control that needs more seeds is left to the proof
PAGE = Path(__file__).parents[2] / "docs/states.md"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Without the lines that a daemon logs: they take longer than a run."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_no_interleaving_of_these_seeds_violates_an_invariant(first: int, tmp_path: Path) -> None:
    violations = [violation for seed in range(first, first + PART) if (violation := run(generate(seed), tmp_path)[0])]

    assert [str(violation) for violation in violations] == []


@pytest.mark.parametrize("first", range(0, 100, PART))
def test_no_interleaving_of_reports_and_looks_violates_an_invariant(first: int, tmp_path: Path) -> None:
    worlds = [World(generate(seed, HOOKS), tmp_path) for seed in range(first, first + PART)]
    violations = [violation for world in worlds if (violation := world.run())]

    assert [str(violation) for violation in violations] == []
    assert sum(world.counts["reports"] for world in worlds) > PART


def test_no_interleaving_of_these_short_histories_violates_an_invariant(tmp_path: Path) -> None:
    violations = [violation for seed in range(SEEDS) if (violation := run(generate_short(seed), tmp_path)[0])]

    assert [str(violation) for violation in violations] == []


def test_a_seed_gives_the_same_run_each_time(tmp_path: Path) -> None:
    first, second = World(generate(7), tmp_path), World(generate(7), tmp_path)
    first.run()
    second.run()

    assert [(step.at, step.event) for step in first.scheduler.steps] == [
        (step.at, step.event) for step in second.scheduler.steps
    ]


@pytest.mark.parametrize(
    "control", [pytest.param(control, id=control.guard) for control in CONTROLS if control.seeds <= QUICK]
)
def test_a_guard_that_is_taken_away_is_missed(control: Control | QueryControl, tmp_path: Path) -> None:
    with control.applied():
        assert any(run(generate(seed, control.profile), tmp_path)[0] for seed in range(control.seeds))


def test_the_page_names_each_control_with_its_seeds() -> None:
    page = PAGE.read_text()

    assert documents.guarded(page) == page, "`make docs` writes it anew"
    assert "<!-- controls -->" in page


@pytest.mark.parametrize("control", [*CONTROLS, *server_controls.CONTROLS], ids=lambda control: control.guard)
def test_the_guard_that_a_control_removes_is_there(control: Control | QueryControl) -> None:
    present = control.present
    with control.applied():
        assert control.present != present
    assert control.present == present


def test_the_lines_of_equivalent_mutants_are_there() -> None:
    mutants.require_current_equivalents()
