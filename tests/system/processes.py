"""Processes of syncd that tests start: new programs, or, if `PREPARED`, forks of a process that has already imported syncd.

Importing takes a second, and the tests start several hundred. Apart from that a forked one is like the other: a process that can be
killed, with a folder, an environment, open files and an exit code of its own."""

import importlib
import multiprocessing.connection
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import syncd
from syncd.cli import main

PREPARED = False  # True in tests and in the proof that kills most; the other proofs start new programs

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        "syncd.daemon.app",
        "syncd.cli.arguments",
        "syncd.cli.dead",
        "syncd.cli.groups",
        "syncd.cli.run",
        "syncd.cli.status",
        "syncd.console.site",
        "syncd.operate.status",
        "syncd.store.postgresql.connection",
        "syncd.trackers.github.tracker",
        "syncd.trackers.jira.tracker",
        "syncd.trackers.local.tracker",
        "rich.table",
        "uvloop",
    ]
)


class Process(Protocol):
    """A started process; subprocess.Popen implements it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...


def start(
    program: Sequence[str],
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
    err: Path,
    user: int | None = None,
) -> Process:
    """`python PROGRAM ARGUMENTS` in a folder; PROGRAM begins with -m. What it prints is added to files: a pipe that nobody reads
    fills, and hangs the process. With `user` it runs syncd's command line as this user, who need not be able to read Python."""
    if user is not None:
        return _Forked(program, arguments, folder, environment, out, err, user)
    if PREPARED:
        out.touch()
        err.touch()
        return _Forked(program, arguments, folder, environment, out, err)
    with out.open("ab") as stdout, err.open("ab") as stderr:
        return subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            env=environment,
        )


class _Forked:
    """A process forked from the one that is prepared."""

    # Starting a process polls all others. Of two threads that poll the same process, one reads its exit code, and the other reads the end
    # of the file and makes it 255.
    _polling = threading.Lock()

    def __init__(self, *arguments: object) -> None:
        self._process = _FORKING.Process(target=_become, args=arguments, daemon=True)
        with self._polling:
            self._process.start()
        assert self._process.pid is not None  # it has been started; a signal to 0 would reach the tests themselves
        self.pid = self._process.pid

    def poll(self) -> int | None:
        with self._polling:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        multiprocessing.connection.wait([self._process.sentinel], timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired("syncd", timeout or 0.0)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # the server of forks reaps a process before it sends the exit code
                os.kill(self.pid, sig)


def _become(
    program: Sequence[str],
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
    err: Path,
    user: int | None = None,
) -> None:
    """Turn this process into `python PROGRAM ARGUMENTS`, or into syncd's command line of another user."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for path, number in ((os.devnull, 0), (out, 1), (err, 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
    if user is not None:
        for package in pkgutil.walk_packages(syncd.__path__, "syncd."):
            if package.name != "syncd.__main__":
                importlib.import_module(package.name)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        sys.argv = ["syncd", *arguments]
        main()
        return
    _, module, *before = program
    sys.argv = [module, *before, *arguments]
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
