"""`python -m bench [NAME …]`: measure, print ratios, and write them into docs/performance.md."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping

from bench import absorb, accept, calls, filing, growth, memory, million, plans, server, sharing, starting
from bench.finding import Finding
from bench.page import write
from bench.peers import compared

Measure = Callable[[], Iterable[Finding | str]]
MEASURES: Mapping[str, tuple[str, Measure]] = {
    "accept": ("Accepting", accept.measure),
    "peers": ("Accepting, beside what people use instead", compared.measure),
    "server": ("Accepting into PostgreSQL", server.measure),
    "absorb": ("Folding, and accepting meanwhile", absorb.measure),
    "filing": ("From a notification to its issue", filing.measure),
    "calls": ("Calls of the tracker", calls.measure),
    "fold": ("Folding into a million groups", million.fold),
    "claim": ("Claiming among a million groups", million.claim),
    "lists": ("The console's lists of a million groups", million.lists),
    "growth": ("Room in the store", growth.measure),
    "memory": ("Memory", memory.measure),
    "start": ("Starting", starting.start),
    "commands": ("Commands", starting.commands),
}
# By name only: they take long, or print more than ratios.
MORE: Mapping[str, tuple[str, Measure]] = {
    "memory-million": ("Memory after a million notifications", memory.million),
    "sharing": ("Several machines on one PostgreSQL", sharing.measure),
    "plans": ("Plans of PostgreSQL", plans.measure),
}
PRINTED_ONLY = ("sharing", "plans")


def main() -> int:
    """1 where something could not be measured, 2 where a name is unknown."""
    known = {**MEASURES, **MORE}
    names, failed = sys.argv[1:] or list(MEASURES), 0
    if unknown := [name for name in names if name not in known]:
        print(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
        return 2
    for name in names:
        title, measure = known[name]
        print(f"\n{title}", flush=True)
        began, found = time.monotonic(), []
        try:
            for line in measure():
                print(line, flush=True)
                found.append(line)
        except (RuntimeError, TimeoutError) as error:  # the others can be measured all the same
            print(f"not measured: {error}", file=sys.stderr, flush=True)
            failed = 1
            continue
        if name not in PRINTED_ONLY:
            write(title, f"make bench ONLY={name}", found, time.monotonic() - began)
    return failed


if __name__ == "__main__":
    sys.exit(main())
