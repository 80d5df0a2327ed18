"""The daemon with a clock that others set: `python -m tests.prove.shifted FILE run --config FILE`.

The first file holds how far the clock is from the right one, such as +1d, read anew every second; durations go on as always.
"""

import os
import sys
from pathlib import Path

# Debian and its kin, Fedora and its kin.
_PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1")


def library() -> str | None:
    """Where libfaketime is; None where it is not installed."""
    return next((str(path) for place in _PLACES for path in Path("/").glob(place[1:])), None)


def missing() -> str | None:
    """Why no clock can be set here; None where one can."""
    return None if library() else "libfaketimeMT.so.1 is missing (Debian package faketime)"


def main(arguments: list[str]) -> None:
    """Become the daemon."""
    offset, *rest = arguments
    shifting = {
        "LD_PRELOAD": library() or "",
        "FAKETIME_TIMESTAMP_FILE": offset,
        "FAKETIME_CACHE_DURATION": "1",  # without a cache, each look at the clock is a look at the file
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    os.execve(sys.executable, [sys.executable, "-m", "syncd", *rest], os.environ | shifting)


if __name__ == "__main__":
    main(sys.argv[1:])
