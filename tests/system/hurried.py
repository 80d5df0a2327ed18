"""A daemon whose rests are short, so that an hour of them takes seconds: `python -m tests.system.hurried run --config FILE`."""

import sys

from syncd.core import plan

LONGEST_SECONDS = 2.0


def hurried(attempts: int, *, reads: bool = False) -> float:
    """Seconds that a tracker rests, in place of `plan.pause`."""
    return min((0.25 if reads else 0.5) * 2.0**attempts, LONGEST_SECONDS)


def main(arguments: list[str]) -> None:
    """Shorten the rests and run syncd."""
    plan.pause = hurried
    from syncd.cli import main as syncd

    sys.argv = ["syncd", *arguments]
    syncd()


if __name__ == "__main__":
    main(sys.argv[1:])
