"""A daemon whose rests are short, so that an hour of them takes seconds: `python -m tests.system.hurried run --config FILE`."""

import sys

from syncd.core import plan


def main(arguments: list[str]) -> None:
    """Shorten the rests and run syncd."""
    plan.pause = lambda attempts: min(0.5 * 2.0**attempts, 2.0)
    from syncd.cli import main as syncd

    sys.argv = ["syncd", *arguments]
    syncd()


if __name__ == "__main__":
    main(sys.argv[1:])
