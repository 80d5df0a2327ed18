"""`python -m bench [NAME …]`: run measurements, print their ratios, and write them into docs/performance.md."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping

from bench import absorb, accept, calls, files, filing, growth, memory, million, plans, server, sharing, starting
from bench.finding import Finding
from bench.page import write

Measure = Callable[[], Iterable[Finding | str]]
MEASURES: Mapping[str, tuple[str, Measure]] = {
    "accept": ("Accepting", accept.measure),
    "server": ("Accepting into PostgreSQL", server.measure),
    "absorb": ("Folding, and accepting at the same time", absorb.measure),
    "cpu": ("CPU time of folding", absorb.cpu),
    "filing": ("From a notification to its issue", filing.measure),
    "files": ("Filing into files on a slow disk", files.measure),
    "calls": ("Tracker calls", calls.measure),
    "fold": ("Folding into a million groups", million.fold),
    "claim": ("Claiming among a million groups", million.claim),
    "lists": ("The console's lists of a million groups", million.lists),
    "growth": ("Storage", growth.measure),
    "memory": ("Memory", memory.measure),
    "start": ("Starting", starting.start),
    "commands": ("Commands", starting.commands),
}
# These run only by name: they take long or print more than ratios.
MORE: Mapping[str, tuple[str, Measure]] = {
    "memory-million": ("Memory after a million notifications", memory.million),
    "memory-refused": ("Memory after refused bodies", memory.refused),
    "memory-filed": ("Memory after filed issues", files.memory),
    "sharing": ("Several machines on one PostgreSQL", sharing.measure),
    "plans": ("Plans of PostgreSQL", plans.measure),
}
PRINTED_ONLY = ("sharing", "plans")


def main() -> int:
    """Return 1 if a measurement failed, 2 if a name is unknown, else 0."""
    available = {**MEASURES, **MORE}
    names, failed = sys.argv[1:] or list(MEASURES), 0
    if unknown := [name for name in names if name not in available]:
        print(f"unknown: {', '.join(unknown)}; available: {', '.join(available)}")
        return 2
    for name in names:
        title, measure = available[name]
        print(f"\n{title}", flush=True)
        start_time, findings = time.monotonic(), []
        try:
            for line in measure():
                print(line, flush=True)
                findings.append(line)
        except (RuntimeError, TimeoutError) as error:  # the other measurements do not depend on this one
            print(f"not measured: {error}", file=sys.stderr, flush=True)
            failed = 1
            continue
        if name not in PRINTED_ONLY:
            write(title, f"make bench ONLY={name}", findings, time.monotonic() - start_time)
    return failed


if __name__ == "__main__":
    sys.exit(main())
