"""The daemon as a process, for tests that send real HTTP and real signals."""

import json
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from syncd.cli.sender import Answer, Sender
from tests.system import processes

T = TypeVar("T")

PASSWORD = "correct horse battery staple"
PATIENCE_SECONDS = 60.0
PROGRAM = ("-m", "syncd")
ROOT = Path(__file__).parents[2]


class Daemon:
    """One configuration in a folder, and the process that runs on it, started and stopped as often as asked."""

    def __init__(
        self, folder: Path, trackers: str, receiver: str = "", store: str | None = None, console: str = "off"
    ) -> None:
        """`trackers` is TOML from `[trackers.NAME]` on, `receiver` more keys for `[receiver]`; `store` is the URL of a store that is
        no file in the folder; `console` is where it shows itself."""
        self.folder = folder
        self.config = folder / "config.toml"
        self.options: list[str] = []  # further ones of `run`
        self.commands: Sequence[str] = PROGRAM  # what Python is given before the name of a command
        self.log = folder / "daemon.log"
        place = store or f"sqlite:{folder}/syncd.db"
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o600)
        self.config.write_text(
            f'[receiver]\nlisten = "127.0.0.1:0"\nusername = "backtrace"\n{receiver}\n'
            f'password = {{ file = "{folder}/password" }}\n[console]\nlisten = "{console}"\n[store]\nurl = "{place}"\n{trackers}'
        )
        self._process: processes.Process | None = None
        self._offset = 0
        self._address = ("", 0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()

    def start(self) -> Self:
        """Start, and return once it listens."""
        self.spawn()
        self.wait_for(self._has_begun, "the daemon to listen")
        return self

    def _has_begun(self) -> bool:
        listens = self.listens()
        assert listens or self.alive, self.log.read_text()[-4000:]
        return listens

    def spawn(self, program: Sequence[str] = PROGRAM) -> None:
        """Start, and return at once. `program` is what Python is given before `run`."""
        self._offset = self.log.stat().st_size if self.log.exists() else 0
        arguments = ["run", *self.options, "--config", str(self.config)]
        self._process = processes.start(program, arguments, self.folder, _environment(), self.log, self.log)

    @property
    def console_address(self) -> tuple[str, int]:
        """The address of its console."""
        line = [line for line in self.log.read_text().splitlines() if '"event":"console_listening"' in line][-1]
        host, _, port = json.loads(line)["address"].removeprefix("http://").rstrip("/").rpartition(":")
        return host, int(port)

    def listens(self) -> bool:
        """True once the log has the address that it listens on; then `address` is set."""
        with self.log.open("rb") as log:
            log.seek(self._offset)
            lines = [json.loads(line) for line in log.read().decode().splitlines() if _is_whole(line)]
        for line in lines[:1]:
            host, _, port = line["address"].rpartition(":")
            self._address = (host, int(port))
        return bool(lines)

    def works(self) -> bool:
        """True once a process without a receiver works."""
        with self.log.open("rb") as log:
            log.seek(self._offset)
            return b'"worker_started"' in log.read()

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._process is not None and self._process.poll() is None

    def wait_dead(self, timeout: float) -> int | None:
        """The exit code of a process that ends by itself; None where it lives on."""
        assert self._process is not None
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._process = None
        return code

    @property
    def address(self) -> tuple[str, int]:
        return self._address

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal that the process may survive."""
        os.kill(self.pid, number)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL: nothing is finished, nothing is tidied."""
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE_SECONDS)
        self._process = None
        return code

    def sender(self, password: str = PASSWORD) -> Sender:
        """A connection to the receiver."""
        return Sender(*self._address, ("backtrace", password))

    def send(self, notification: Mapping[str, object], password: str = PASSWORD) -> Answer:
        """POST one notification on a connection of its own."""
        sender = self.sender(password)
        try:
            return sender.send(notification)
        finally:
            sender.close()

    def send_all(self, notifications: Sequence[dict[str, Any]], clients: int = 8) -> list[tuple[int, dict[str, Any]]]:
        """Each POSTed once, from so many clients at once: (number of the delivery, notification)."""

        def one_client(number: int) -> list[tuple[int, dict[str, Any]]]:
            sender = self.sender()
            accepted = []
            for notification in notifications[number::clients]:
                answer = sender.send(notification)
                assert answer.status == 200, answer
                accepted.append((int(json.loads(answer.body)["delivery"]), notification))
            sender.close()
            return accepted

        with ThreadPoolExecutor(clients) as pool:
            return [pair for part in pool.map(one_client, range(clients)) for pair in part]

    def syncd(self, *arguments: str, code: int = 0) -> str:
        """A command beside the daemon: what it printed."""
        ran = run_syncd(*arguments, "--config", str(self.config), folder=self.folder, program=self.commands)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout

    def kill_command(self, *arguments: str, seconds: float) -> None:
        """SIGKILL for a command beside the daemon, after so many seconds."""
        printed = self.folder / "killed.txt"
        options = [*arguments, "--config", str(self.config)]
        command = processes.start(self.commands, options, self.folder, _environment(), printed, printed)
        time.sleep(seconds)
        command.send_signal(signal.SIGKILL)
        command.wait(PATIENCE_SECONDS)

    def groups(self) -> dict[str, dict[str, Any]]:
        """`groups --json` by fingerprint: those that the worker has folded already."""
        return {group["fingerprint"]: group for group in json.loads(self.syncd("groups", "--json"))}

    def wait_for_issue(self, fingerprint: str) -> None:
        """Return when the worker has folded the group and filed its issue."""
        self.wait_for(lambda: self.groups().get(fingerprint, {}).get("issue"), f"the issue of {fingerprint}")

    def wait_for_count(self, fingerprint: str, occurrences: int) -> None:
        self.wait_for(
            lambda: self.groups().get(fingerprint, {}).get("occurrences") == occurrences,
            f"{fingerprint} to count {occurrences}",
        )

    def status(self) -> dict[str, Any]:
        """`status --json`."""
        arguments = ("status", "--json", "--config", str(self.config))
        ran = run_syncd(*arguments, folder=self.folder, program=self.commands)
        assert ran.returncode in (0, 3), ran.stdout + ran.stderr
        status: dict[str, Any] = json.loads(ran.stdout)
        return status

    def drain(self) -> dict[str, Any]:
        """Wait until nothing waits any more: the status then."""

        def drained() -> dict[str, Any] | None:
            status = self.status()
            waits = status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]
            return None if waits else status

        return self.wait_for(drained, "everything to be filed")

    def wait_for(self, condition: Callable[[], T | None], what: str) -> T:
        """The first answer that is not None or empty."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if answer := condition():
                return answer
            time.sleep(0.05)
        raise TimeoutError(f"waited for {what}:\n{self.log.read_text()[-4000:]}")

    def limit_files(self, size: int | None) -> None:
        """No file of the daemon may grow beyond `size` bytes: to it, the disk is full. None lifts the limit."""
        limit = resource.RLIM_INFINITY if size is None else size
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def _is_whole(line: str) -> bool:
    return '"listening"' in line and line.endswith("}")


def _environment() -> dict[str, str]:
    """That of the tests; the programs of the tests are importable in any working folder."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.getenv("PYTHONPATH"))))}


def run_syncd(
    *arguments: str, folder: Path, user: int | None = None, program: Sequence[str] = PROGRAM, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """The command line, whatever it answers; with `user` as that user."""
    with tempfile.TemporaryDirectory() as printed:
        out, err = Path(printed, "out"), Path(printed, "err")
        around = {**_environment(), "COLUMNS": "200", **environment}
        code = processes.start(program, arguments, folder, around, out, err, user).wait(PATIENCE_SECONDS)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())
