"""A daemon with a shifted wall clock: `python -m tests.prove.shifted FILE run --config FILE`.

The first file contains the offset of the clock, such as +1d. libfaketime reads it every second. The monotonic clock does not change.
"""

import os
import sys
from pathlib import Path

# Debian and Fedora.
_PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1")


def library() -> str | None:
    """The path of libfaketime, or None if it is not installed."""
    return next((str(path) for place in _PLACES for path in Path("/").glob(place[1:])), None)


def missing() -> str | None:
    """The reason why this machine cannot shift a clock, or None if it can."""
    return None if library() else "libfaketimeMT.so.1 is missing: `make tools` as root installs it"


def main(arguments: list[str]) -> None:
    """Replace this process by the daemon."""
    offset, *rest = arguments
    shifting = {
        "LD_PRELOAD": library() or "",
        "FAKETIME_TIMESTAMP_FILE": offset,
        "FAKETIME_CACHE_DURATION": "1",  # without a cache every clock call reads the file
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    os.execve(sys.executable, [sys.executable, "-m", "syncd", *rest], os.environ | shifting)


if __name__ == "__main__":
    main(sys.argv[1:])
