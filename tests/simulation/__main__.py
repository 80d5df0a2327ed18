"""`python -m tests.simulation`: run seeds, and print the first violation as a story."""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import structlog

from tests.simulation.distribution import table
from tests.simulation.history import History, generate, generate_short, shrink
from tests.simulation.postgresql import Server, crowd, server
from tests.simulation.world import Violation, World


def run(history: History, folder: Path, server: Server | None = None) -> tuple[Violation | None, Counter[str]]:
    """Run one history, on the server if there is one. Return its violation, and what happened."""
    world = World(history, folder, server)
    try:
        violation = world.run()
    finally:
        world.close()
    return violation, world.counts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", default="0:100", help="FIRST:AFTER_LAST, or one seed")
    parser.add_argument("--postgresql", action="store_true", help="keep the store on a real PostgreSQL server")
    parser.add_argument("--short", action="store_true", help="run short histories: two deliveries and one actor")
    parser.add_argument("--whole", action="store_true", help="print the history as it is, not shrunk")
    parser.add_argument("--keep-going", action="store_true", help="count violations instead of stopping at the first")
    parser.add_argument("--counters", action="store_true", help="print every counter, not only the table")
    options = parser.parse_args()
    first, _, last = options.seeds.partition(":")
    seeds = range(int(first), int(last) if last else int(first) + 1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    counts, violations = Counter[str](), Counter[str]()
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(server()) if options.postgresql else None
        for seed in seeds:
            history = generate_short(seed) if options.short else generate(seed)
            history = crowd(history) if database else history
            violation, happened = run(history, folder, database)
            counts.update(happened)
            if violation is None:
                continue
            violations[violation.invariant] += 1
            if options.keep_going:
                print(f"seed {seed}: {violation.invariant}: {violation.detail}")
                continue
            if not options.whole:
                invariant = violation.invariant

                def repeats(candidate: History, invariant: str = invariant) -> bool:
                    result, _ = run(candidate, folder, database)
                    return result is not None and result.invariant == invariant

                violation = run(shrink(history, repeats), folder, database)[0] or violation
            print(f"seed {seed}\n{violation}")
            return 1
    seconds = time.perf_counter() - began
    print(
        f"{len(seeds)} seeds in {seconds:.1f} s, {len(seeds) / seconds:.0f} a second; {sum(violations.values())} violations"
    )
    for name, number in sorted(counts.items()) if options.counters else table(counts):
        print(f"  {number:8,} {name}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
