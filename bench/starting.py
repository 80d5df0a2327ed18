"""The start time of the daemon and of its commands."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import filled, served
from bench.filled import MANY
from bench.finding import ROUNDS, Finding
from tests.system.daemon import Daemon


def start() -> Iterator[Finding]:
    """The time until the daemon listens, with a large database and with an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        empty, large = served.daemon(home / "empty"), served.daemon(home / "large")
        source = filled.file(MANY)
        size = source.stat().st_size
        shutil.copyfile(source, home / "large" / "syncd.db")
        _seconds_to_listen(empty), _seconds_to_listen(large)  # warm the caches
        pairs = [(_seconds_to_listen(large), _seconds_to_listen(empty)) for _ in range(ROUNDS)]
    yield _finding(f"time from start to ready with a database of {size / 1e9:.1f} GB", "an empty database", pairs, 1.2)


def _seconds_to_listen(daemon: Daemon) -> float:
    start_time = time.monotonic()
    daemon.spawn()
    try:
        while not daemon.listens():
            time.sleep(0.002)
        return time.monotonic() - start_time
    finally:
        daemon.kill()


def commands() -> Iterator[Finding]:
    """`syncd --help` and `syncd status`, compared with an empty Python program."""
    with tempfile.TemporaryDirectory() as folder:
        daemon = served.daemon(Path(folder))
        daemon.syncd("migrate")
        for arguments, goal in ((["--help"], 6.0), (["status", "--config", str(daemon.config)], 12.0)):
            pairs = [(_seconds_of(["-m", "syncd", *arguments]), _seconds_of(["-c", "pass"])) for _ in range(2 * ROUNDS)]
            yield _finding(f"`syncd {arguments[0]}`", "`python -c pass`", pairs, goal)


def _seconds_of(arguments: Sequence[str]) -> float:
    start_time = time.monotonic()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start_time


def _finding(subject: str, baseline: str, pairs: Sequence[tuple[float, float]], goal: float) -> Finding:
    values, references = (statistics.median(pair[which] for pair in pairs) * 1000 for which in (0, 1))
    ratios = [value / reference for value, reference in pairs]
    return Finding(
        subject=subject,
        baseline=baseline,
        ratios=ratios,
        figures=f"{values:,.0f} and {references:,.0f} ms",
        at_most=goal,
    )
