"""Server processes that live as long as their measurement."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.system.daemon import ROOT, Daemon

LOCAL = '[trackers.here]\nkind = "local"\nfolder = "{folder}/issues"\n'


@dataclass(frozen=True, slots=True)
class Serving:
    """A process and its address."""

    pid: int
    address: tuple[str, int]


@contextmanager
def module(name: str, *arguments: str) -> Iterator[Serving]:
    """Run `python -m name`, which prints its port first."""
    with printing([sys.executable, "-m", name, *arguments]) as serving:
        yield serving


@contextmanager
def printing(command: Sequence[str]) -> Iterator[Serving]:
    """A program that prints its port first."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        try:
            assert process.stdout is not None
            yield Serving(process.pid, ("127.0.0.1", int(process.stdout.readline())))
        finally:
            process.kill()


@contextmanager
def changed(folder: Path, changes: str, *options: str, store: str | None = None) -> Iterator[Daemon]:
    """Run a daemon with `bench.variants` changes."""
    process = daemon(folder, *options, store=store)
    process.spawn(("-m", "bench.variants", changes))
    try:
        process.wait_for(process.listens, "the daemon to listen")
        yield process
    finally:
        process.stop()


def daemon(folder: Path, *options: str, store: str | None = None, more: str = "") -> Daemon:
    """A daemon that is not started yet, with local files as its tracker. `store` is a database URL; None means a file. `more` is TOML that
    follows the keys of the tracker."""
    folder.mkdir(parents=True, exist_ok=True)
    process = Daemon(folder, LOCAL.format(folder=folder) + more, store=store)
    process.options = list(options)
    return process
