"""A daemon that reads nothing above the highest number that it knows: `python -m tests.prove.unswept run --config FILE`.

This is the negative control of the proof of restores.
"""

import sys

from syncd.store.limits import Floor
from syncd.worker import sweeps
from syncd.worker.context import SyncContext


def replace_sweep() -> None:
    """Let creates of this process trust the highest number that the tracker lists."""

    def sweep(context: SyncContext, floor: Floor) -> int:
        return context.tracker.newest()

    sweeps.sweep = sweep


def main(arguments: list[str]) -> None:
    """Replace the sweep and run syncd."""
    replace_sweep()
    from syncd.cli import main as syncd

    sys.argv = ["syncd", *arguments]
    syncd()


if __name__ == "__main__":
    main(sys.argv[1:])
