"""Processes that serve, for as long as they are measured."""

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
    """A process, and where it is reached."""

    pid: int
    address: tuple[str, int]


@contextmanager
def module(name: str, *arguments: str) -> Iterator[Serving]:
    """`python -m name`, which prints its port first."""
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
    """The same with something changed; see `bench.variants`."""
    made = daemon(folder, *options, store=store)
    made.spawn(("-m", "bench.variants", changes))
    try:
        made.wait_for(made.listens, "the daemon to listen")
        yield made
    finally:
        made.kill()


def daemon(folder: Path, *options: str, store: str | None = None) -> Daemon:
    """syncd as anybody runs it, on a folder of issues; not started. Its store is a file, or a database at a URL."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Daemon(folder, LOCAL.format(folder=folder), store=store)
    made.options = list(options)
    return made
