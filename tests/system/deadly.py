"""A daemon that some bodies end, as a fault of a library's C code would: `python -m tests.system.deadly run --config FILE`."""

import os
import sys
from typing import Any

from syncd.intake.sources import backtrace

_parse = backtrace.parse


def parse(body: bytes, *rest: Any, **named: Any) -> Any:
    """The notification in a body, unless it kills."""
    if b"poison" in body:
        os._exit(139)
    return _parse(body, *rest, **named)


def main(arguments: list[str]) -> None:
    """Replace the parser and run syncd."""
    vars(backtrace)["parse"] = parse
    from syncd.cli import main as syncd

    sys.argv = ["syncd", *arguments]
    syncd()


if __name__ == "__main__":
    main(sys.argv[1:])
