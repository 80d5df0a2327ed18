"""Every order of events that a seed can choose: histories run one task at a time, and the guards that must not be missed."""

import logging
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import structlog

from tests.prove.report import Row
from tests.simulation import controls, distribution, server_controls
from tests.simulation.__main__ import run as run_history
from tests.simulation.history import History, generate, generate_short
from tests.simulation.postgresql import crowd, server

WORKERS = 2
PART = 500  # seeds that a worker runs before it reports
SHARE = 20  # one of so many seeds runs on PostgreSQL, too
FEW = 20_000  # in fewer seeds a kind of event may be missing


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """Run the first `size` seeds, as short histories too, a share of them on PostgreSQL as well, and then each control until a seed misses
    its guard."""
    with multiprocessing.get_context("spawn").Pool(WORKERS, _be_quiet, maxtasksperchild=4) as pool:
        for make, shared, seeds in (
            (generate_short, False, size),
            (generate, False, size),
            (generate, True, size // SHARE),
        ):
            counts, violations = Counter[str](), list[str]()
            parts = [range(first, min(first + PART, seeds)) for first in range(0, seeds, PART)]
            for happened, broken in pool.imap_unordered(partial(_run_part, folder, make, shared), parts):
                counts.update(happened)
                violations += broken
            table = dict(distribution.table(counts))
            short = make is generate_short
            idle = [name for name, number in table.items() if not number and seeds >= FEW and not short]
            place = "a real PostgreSQL server, where transactions run beside each other" if shared else "SQLite"
            yield Row(
                action="senders, people, operators, the tracker, the store and the machines act in every order that a seed can choose; every "
                f"clock and every sleep is simulated, and the store is on {place}",
                scale=f"{seeds:,} {'short histories' if short else 'seeds'} ({', '.join(f'{name} {number:,}' for name, number in table.items())})",
                result="; ".join([*violations[:3], *(f"never happened: {name}" for name in idle)])
                or "no invariant was violated",
                ok=not violations and not idle,
            )
        for shared, several in ((False, controls.CONTROLS), (True, server_controls.CONTROLS)):
            seeds_needed = pool.map(partial(_find, folder, shared), range(len(several)), chunksize=1)
            for control, needed in zip(several, seeds_needed, strict=True):
                yield Row(
                    action=f"without this guard: {control.guard}{' (PostgreSQL)' if shared else ''}",
                    scale=f"at most {control.seeds:,} seeds{f' ({control.profile})' if control.profile else ''}",
                    result="no seed misses it" if needed is None else f"seed {needed} misses it",
                    ok=needed is not None,
                )


def _be_quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _run_part(
    folder: Path, make: Callable[[int], History], shared: bool, seeds: range
) -> tuple[Counter[str], list[str]]:
    """Run the histories of seeds, on a server if it is `shared`. Return what happened, and each violation as a line."""
    counts, violations = Counter[str](), list[str]()
    with ExitStack() as stack:
        database = stack.enter_context(server()) if shared else None
        for seed in seeds:
            history = crowd(make(seed)) if shared else make(seed)
            violation, happened = run_history(history, _place(folder), database)
            counts.update(happened)
            if violation is not None:
                violations.append(f"seed {seed}: {violation.invariant}: {violation.detail}")
    return counts, violations


def _find(folder: Path, shared: bool, index: int) -> int | None:
    """Return the first seed that misses the guard of a control."""
    control = (server_controls.CONTROLS if shared else controls.CONTROLS)[index]
    with control.applied(), ExitStack() as stack:
        database = stack.enter_context(server()) if shared else None
        for seed in range(control.seeds):
            history = crowd(generate(seed)) if shared else generate(seed, control.profile)
            if run_history(history, _place(folder), database)[0] is not None:
                return seed
    return None


def _place(folder: Path) -> Path:
    """Return this process's folder: each makes its own template of the schema."""
    own = folder / str(multiprocessing.current_process().pid)
    own.mkdir(exist_ok=True)
    return own
