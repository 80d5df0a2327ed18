"""strace: recording the system calls of a daemon, and making them fail."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_WRITES = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg"
_REST = "ftruncate,fsync,fdatasync,sync_file_range,unlink,unlinkat,rename,renameat,renameat2"
ATTACH_SECONDS = 10.0


@cache
def missing() -> str | None:
    """The reason why this machine cannot use strace, or None if it can."""
    if shutil.which("strace") is None:
        return "strace is missing: `make tools` as root installs it"
    trial = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return f"strace cannot trace here: {trial.stderr.strip()[:200]}" if trial.returncode else None


def recording(trace: Path, program: Sequence[str], inject: str | None = None) -> list[str]:
    """The command line that runs `program` and records every write, fsync and removal in `trace`. `inject` is the strace expression for
    failing calls.

    The tracer is a grandchild (-D), so that the program keeps its process id, signals and exit code.
    """
    tracing = ["strace", "-D", "-f", "--seccomp-bpf", "-y", "-xx", "-s", str(2**24), "-o", str(trace)]
    failing = [] if inject is None else ["-e", f"inject={inject}"]
    return [*tracing, "-e", f"trace={_WRITES},{_REST}", *failing, sys.executable, *program]


@contextmanager
def failing(pid: int, call: str, expression: str, paths: Sequence[Path], log: Path) -> Iterator[None]:
    """Within the context `call` on one of `paths` fails in every thread, as the strace inject `expression` says."""
    filters = [part for path in paths for part in ("-P", str(path))]
    command = ["strace", "-f", "-p", str(pid), *filters, "-e", f"trace={call}", "-e", f"inject={call}:{expression}"]
    with log.open("w") as stderr:
        tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr)
    try:
        deadline = time.monotonic() + ATTACH_SECONDS
        while "attached" not in log.read_text():
            assert tracer.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(ATTACH_SECONDS)
