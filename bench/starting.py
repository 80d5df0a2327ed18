"""How long the daemon and its commands take to begin."""

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
    """Until it listens, on a large database and on an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        empty, large = served.daemon(home / "empty"), served.daemon(home / "large")
        source = filled.file(MANY)
        size = source.stat().st_size
        shutil.copyfile(source, home / "large" / "syncd.db")
        _started(empty), _started(large)  # the first finds everything cold
        pairs = [(_started(large), _started(empty)) for _ in range(ROUNDS)]
    yield _finding(f"start to ready with a database of {size / 1e9:.1f} GB", "an empty one", pairs, 1.2)


def _started(daemon: Daemon) -> float:
    began = time.monotonic()
    daemon.spawn()
    try:
        while not daemon.listens():
            time.sleep(0.002)
        return time.monotonic() - began
    finally:
        daemon.kill()


def commands() -> Iterator[Finding]:
    """`syncd --help` and `syncd status`, beside a Python that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        daemon = served.daemon(Path(folder))
        daemon.syncd("migrate")
        for asked, goal in ((["--help"], 6.0), (["status", "--config", str(daemon.config)], 12.0)):
            pairs = [(_ran(["-m", "syncd", *asked]), _ran(["-c", "pass"])) for _ in range(2 * ROUNDS)]
            yield _finding(f"`syncd {asked[0]}`", "`python -c pass`", pairs, goal)


def _ran(arguments: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def _finding(what: str, against: str, pairs: Sequence[tuple[float, float]], goal: float) -> Finding:
    ours, theirs = (statistics.median(pair[which] for pair in pairs) * 1000 for which in (0, 1))
    ratios = [one / other for one, other in pairs]
    return Finding(what=what, against=against, ratios=ratios, seen=f"{ours:,.0f} and {theirs:,.0f} ms", at_most=goal)
