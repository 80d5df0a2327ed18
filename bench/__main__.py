"""`python -m bench [NAME …]`: measure, and print ratios."""

import sys
from collections.abc import Callable, Iterable, Mapping

from bench import absorb, accept, calls, filing, growth, memory, million, plans, sharing, starting
from bench.peers import compared

MEASURES: Mapping[str, Callable[[], Iterable[object]]] = {
    "accept": accept.measure,
    "absorb": absorb.measure,
    "filing": filing.measure,
    "calls": calls.measure,
    "memory": memory.measure,
    "memory-million": memory.million,
    "start": starting.start,
    "commands": starting.commands,
    "fold": million.fold,
    "claim": million.claim,
    "lists": million.lists,
    "peers": compared.measure,
    "sharing": sharing.measure,
    "plans": plans.measure,
    "growth": growth.measure,
}


def main() -> int:
    """2 where a name is unknown."""
    names = sys.argv[1:] or list(MEASURES)
    if unknown := [name for name in names if name not in MEASURES]:
        print(f"there is no {', '.join(unknown)}; there are {', '.join(MEASURES)}")
        return 2
    for name in names:
        for line in MEASURES[name]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
