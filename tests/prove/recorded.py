"""A daemon under strace: `python -m tests.prove.recorded TRACE INJECT MODULE run --config FILE`. INJECT can be empty."""

import os
import sys
from pathlib import Path

from tests.prove import strace


def main(arguments: list[str]) -> None:
    """Replace this process by the daemon; strace writes its calls to TRACE."""
    trace, inject, module, *rest = arguments
    os.execvp("strace", strace.recording(Path(trace), ["-m", module, *rest], inject or None))


if __name__ == "__main__":
    main(sys.argv[1:])
