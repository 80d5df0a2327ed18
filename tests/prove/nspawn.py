"""A Debian root folder booted by systemd-nspawn, and commands inside it. Only root can boot one."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.prove.report import ROOT

T = TypeVar("T")

BASE = ROOT / ".tests" / "machine" / "root"
DEBIAN, MIRROR = "bookworm", "http://deb.debian.org/debian"
PACKAGES = "systemd,systemd-sysv,dbus,python3,ca-certificates,procps"
PATIENCE_SECONDS = 90.0


class Machine:
    """A booted root folder. nsenter runs commands in it, because the host has no machine manager."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", str(BASE), str(self.root)], check=True)
        self._log = (folder / "nspawn.log").open("wb")
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self) -> None:
        """Boot and wait until systemd reports the end of the boot."""
        command = [
            "systemd-nspawn",
            "-q",
            "-D",
            str(self.root),
            "-b",
            "--register=no",
            "--keep-unit",
            "--link-journal=no",
        ]
        self._nspawn = subprocess.Popen(
            [*command, "--console=pipe"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._leader = wait_for(self._child, "the machine to have a first process")
        wait_for(
            lambda: self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded"),
            "the boot",
        )

    def _child(self) -> int | None:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, Path(self._log.name).read_text(errors="replace")[-2000:]
        children = subprocess.run(["pgrep", "-P", str(self._nspawn.pid)], capture_output=True, text=True).stdout.split()
        return int(children[0]) if children else None

    def run(self, *command: str, check: bool = True) -> str:
        """The output of a command inside."""
        inside = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-p", "-n", "--", *command]
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        ran = subprocess.run(inside, capture_output=True, text=True, env=environment)
        assert not check or ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        return ran.stdout + ran.stderr

    def show(self, unit: str, key: str) -> str:
        return self.run("systemctl", "show", unit, f"--property={key}", "--value").strip()

    def journal(self, *arguments: str) -> str:
        return self.run("journalctl", "-u", "syncd", "-o", "cat", "--no-pager", *arguments, check=False)

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def off(self) -> None:
        """Power off; kill the machine if it does not stop within 30 seconds."""
        if self._nspawn is None:
            return
        if self._leader:
            self.run("systemctl", "poweroff", check=False)
        try:
            self._nspawn.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._nspawn.pid, signal.SIGKILL)
            self._nspawn.wait()
        self._log.close()


@contextmanager
def boot_machine(folder: Path) -> Iterator[Machine]:
    """A new machine, removed at the end."""
    if not (BASE / "etc/debian_version").exists():
        shutil.rmtree(BASE, ignore_errors=True)
        BASE.parent.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(BASE), MIRROR]
        subprocess.run(command, check=True, capture_output=True)
    machine = Machine(folder)
    try:
        machine.boot()
        yield machine
    finally:
        machine.off()
        subprocess.run(["rm", "-rf", str(machine.root)], check=False)


def wait_for(condition: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.1)
    raise TimeoutError(f"waited for {what}")
