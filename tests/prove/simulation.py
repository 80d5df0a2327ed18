"""Every order of events that a seed can choose: histories run one task at a time, and the guards that must not be missing."""

import logging
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import structlog

from tests.prove.report import Row
from tests.simulation import distribution
from tests.simulation.__main__ import run as run_history
from tests.simulation.controls import CONTROLS
from tests.simulation.history import generate

PART = 500  # seeds that a worker runs before it reports
FEW = 20_000  # seeds with fewer of which a kind of event may be missing


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """Run `size` seeds, and then each control until a seed finds it. The seeds begin at 0: `seed` is of no use here."""
    counts, violations = Counter[str](), list[str]()
    parts = [(folder, first, min(first + PART, size)) for first in range(0, size, PART)]
    with multiprocessing.get_context("spawn").Pool(2, _be_quiet, maxtasksperchild=10) as pool:
        for happened, broken in pool.imap_unordered(_run_part, parts):
            counts.update(happened)
            violations += broken
        missed = [name for name, number in distribution.table(counts) if not number and size >= FEW]
        events = ", ".join(f"{name} {number:,}" for name, number in distribution.table(counts))
        yield Row(
            action="senders, people, operators, the tracker, the store and the machines act in every order that a seed can choose, with every "
            "clock and every sleep simulated",
            scale=f"{size:,} seeds ({events})",
            result="; ".join([*violations[:3], *(f"never happened: {name}" for name in missed)])
            or f"{len(violations)} violations of an invariant",
            ok=not violations and not missed,
        )
        for index, needed in enumerate(pool.imap(_find, [(folder, index) for index in range(len(CONTROLS))])):
            control = CONTROLS[index]
            yield Row(
                action=f"without this guard: {control.guard}",
                scale=f"at most {control.seeds} seeds",
                result="not missed by any seed" if needed is None else f"missed by seed {needed}",
                ok=needed is not None,
            )


def _be_quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _run_part(part: tuple[Path, int, int]) -> tuple[Counter[str], list[str]]:
    """Run seeds. Return what happened, and each violation as a line."""
    folder, first, end = part
    counts, violations = Counter[str](), []
    for seed in range(first, end):
        violation, happened = run_history(generate(seed), _place(folder))
        counts.update(happened)
        if violation is not None:
            violations.append(f"seed {seed}: {violation.invariant}: {violation.detail}")
    return counts, violations


def _find(place: tuple[Path, int]) -> int | None:
    """Return the first seed that misses the guard of a control."""
    folder, index = place
    control = CONTROLS[index]
    with control.applied():
        return next((seed for seed in range(control.seeds) if run_history(generate(seed), _place(folder))[0]), None)


def _place(folder: Path) -> Path:
    """Return this process's folder: each makes its own template of the schema."""
    own = folder / str(multiprocessing.current_process().pid)
    own.mkdir(exist_ok=True)
    return own
