"""A machine with systemd that is really booted (debootstrap, systemd-nspawn): the package is installed, run, upgraded, taken away.

Needs root. Its loopback is this machine's, so that senders stay outside. Memory limits and address filters are not in force where
the kernel has no cgroup v2; everything else of the unit is.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from syncd.cli.sender import Sender
from tests.factories import notification_json
from tests.prove.report import ROOT, Row

T = TypeVar("T")

BASE = ROOT / ".tests" / "machine" / "root"
DEBIAN, MIRROR = "bookworm", "http://deb.debian.org/debian"
PACKAGES = "systemd,systemd-sysv,dbus,python3,ca-certificates,procps"
LOGIN = ("backtrace", "machine-password")
PATIENCE_SECONDS = 90.0
RESTARTS = 5
CONFIG = """\
[receiver]
listen = "127.0.0.1:{port}"
username = "backtrace"
password = {{ credential = "webhook-password" }}
[console]
listen = "127.0.0.1:{console}"
[store]
url = "sqlite:///var/lib/syncd/syncd.db"
[trackers.files]
kind = "local"
folder = "/var/lib/syncd/issues"
[[routes]]
tracker = "files"
max_new_issues = []
"""
DROP_IN = "[Service]\nWatchdogSec=6\n"


class Machine:
    """A booted root folder. Commands in it are run by nsenter: the host has no manager to ask."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", str(BASE), str(self.root)], check=True)
        self._log = (folder / "nspawn.log").open("wb")
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self) -> None:
        """Return once everything is up."""
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
        found = subprocess.run(["pgrep", "-P", str(self._nspawn.pid)], capture_output=True, text=True).stdout.split()
        return int(found[0]) if found else None

    def run(self, *command: str, check: bool = True) -> str:
        """What a command inside prints."""
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
        """Switch it off, or pull the plug where it does not go by itself."""
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
def booted(folder: Path) -> Iterator[Machine]:
    """A machine of its own, gone at the end."""
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


def wait_for(asked: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if answer := asked():
            return answer
        time.sleep(0.1)
    raise TimeoutError(f"waited for {what}")


class Load(threading.Thread):
    """Sends without a pause, each on a connection of its own, and counts what came back."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(daemon=True)
        self.came: Counter[str] = Counter()
        self._port = port
        self._number = number
        self._ended = threading.Event()

    def run(self) -> None:
        sent = 0
        while not self._ended.is_set():
            sent += 1
            sender = Sender("127.0.0.1", self._port, LOGIN)
            try:
                told = notification_json(fingerprint=f"{self._number:032x}{sent % 50:032x}", occurrences=sent)
                self.came[str(sender.send(told).status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.came[type(error).__name__] += 1
            finally:
                sender.close()

    def end(self) -> Counter[str]:
        self._ended.set()
        self.join()
        return self.came


def loaded(port: int, do: Callable[[], object], clients: int = 6) -> Counter[str]:
    """What came back to senders while something was done."""
    loads = [Load(port, number) for number in range(clients)]
    for load in loads:
        load.start()
    time.sleep(0.5)
    do()
    time.sleep(0.5)
    return sum((load.end() for load in loads), Counter())


def package(folder: Path, version: str) -> Path:
    """The .deb of the checkout, under a version."""
    environment = os.environ | {"DEB_VERSION": version}
    subprocess.run(["make", "deb"], cwd=ROOT, check=True, capture_output=True, env=environment)
    (made,) = (ROOT / "dist").glob(f"syncd_{version}_*.deb")
    return Path(shutil.move(made, folder / made.name))


def run(folder: Path, seed: int, restarts: int = RESTARTS) -> Iterator[Row]:
    """A line for each thing that is done to it."""
    port, console = 18080, 18081
    folder.mkdir(parents=True, exist_ok=True)
    first, second = package(folder, "0.1.0"), package(folder, "0.1.1")
    with booted(folder) as machine:
        for deb in (first, second):
            shutil.copy(deb, machine.root / "root" / deb.name)
        yield installed(machine, first)
        yield configured(machine, port, console)
        yield sandboxed(machine)
        yield hung(machine)
        yield restarted(machine, port, restarts)
        yield upgraded(machine, second, port)
        yield halved(machine, port)
        yield badly_configured(machine, port, console)
        yield removed(machine)


def installed(machine: Machine, deb: Path) -> Row:
    said = machine.run("dpkg", "-i", f"/root/{deb.name}")
    active = wait_for(lambda: machine.show("syncd", "ActiveState") == "active" or None, "the service to start")
    failed = machine.run("systemctl", "--failed", "--no-legend", "--plain").strip()
    verified = machine.run(
        "systemd-analyze", "verify", "/lib/systemd/system/syncd.service", "/lib/systemd/system/syncd.socket"
    )
    version = machine.run("syncd", "--version").strip()
    status = machine.run("syncd", "status", check=False)
    ok = active and "all is well" in status and not failed and not verified.strip() and "error" not in said.lower()
    return Row(
        done="`dpkg -i` on a minimal Debian, `systemd-analyze verify`",
        many="1 package, no network needed",
        came=f"{version}; socket and service enabled and running, nothing failed, {verified.strip() or 'no complaint'}; `syncd status` by root says all is well",
        ok=bool(ok),
    )


def configured(machine: Machine, port: int, console: int) -> Row:
    machine.put("/etc/syncd/config.toml", CONFIG.format(port=port, console=console))
    machine.put("/etc/systemd/system/syncd.service.d/local.conf", DROP_IN)
    machine.put(
        "/etc/systemd/system/syncd.socket.d/local.conf", f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\n"
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "stop", "syncd.socket", "syncd.service")
    machine.run("systemctl", "start", "syncd.socket")
    machine.run("systemctl", "start", "syncd.service", check=False)
    missing = "credentials/syncd.service/webhook-password" in machine.journal()
    status = machine.show("syncd", "ExecMainStatus")
    machine.put("/etc/syncd/credentials/webhook-password", LOGIN[1], 0o600)
    machine.run("systemctl", "reset-failed", "syncd.service", check=False)
    machine.run("systemctl", "restart", "syncd.socket", "syncd.service")
    answer = Sender("127.0.0.1", port, LOGIN).send(notification_json(fingerprint="machine"))
    refused = Sender("127.0.0.1", port, ("backtrace", "wrong")).send(notification_json())
    listing = wait_for(
        lambda: machine.run("syncd", "status", "--json", check=False) if _filed(machine) else None, "an issue"
    )
    checked = machine.run("syncd", "check", check=False)
    environ = machine.run("sh", "-c", "tr '\\0' '\\n' < /proc/$(systemctl show syncd -p MainPID --value)/environ")
    ok = (answer.status, refused.status, status, missing) == (200, 401, "78", True) and "✗" not in checked
    ok = ok and LOGIN[1] not in environ + machine.journal()
    return Row(
        done="a credential (`LoadCredential` of the folder) that is missing, then there; `syncd check` by root",
        many="2 starts",
        came=f"missing: status {status} ({'told by its path' if missing else 'silent'}); there: right login "
        f"{answer.status}, wrong one {refused.status}, {json.loads(listing)['issues']['linked']} issue filed; the password is in "
        "neither environment nor journal",
        ok=ok,
    )


def _filed(machine: Machine) -> bool:
    return any((machine.root / "var/lib/private/syncd/issues").glob("*.md"))


def sandboxed(machine: Machine) -> Row:
    pid = machine.show("syncd", "MainPID")
    facts = machine.run("grep", "-E", "^(Uid|NoNewPrivs|Seccomp|CapEff):", f"/proc/{pid}/status").split("\n")
    known = {line.partition(":")[0]: line.partition(":")[2].split()[0] for line in facts if line}
    exposure = machine.run("systemd-analyze", "security", "syncd.service", "--no-pager", check=False).splitlines()[-1]
    mode = machine.run("stat", "-c", "%a %U", "/var/lib/private/syncd").strip()
    ok = (
        known["Uid"] != "0" and known["NoNewPrivs"] == "1" and int(known["CapEff"], 16) == 0 and known["Seccomp"] == "2"
    )
    level = re.search(r"\d+\.\d+", exposure)
    return Row(
        done="what the running process may do",
        many="1 process",
        came=f"user {known['Uid']} (made for it), no capabilities, no new privileges, seccomp filter; state folder {mode}; exposure "
        f"{level[0] if level else '?'}",
        ok=ok and level is not None and float(level[0]) <= 1.1,
    )


def _told(came: Counter[str]) -> str:
    return ", ".join(f"{count} × {what}" for what, count in came.most_common())


def hung(machine: Machine) -> Row:
    before = machine.show("syncd", "MainPID")
    machine.run("kill", "-STOP", before)
    began = time.monotonic()
    after = wait_for(
        lambda: new if (new := machine.show("syncd", "MainPID")) not in (before, "0") else None, "the restart"
    )
    wait_for(lambda: machine.show("syncd", "ActiveState") == "active" or None, "the service")
    told = "Watchdog timeout" in machine.run("journalctl", "-u", "syncd", "--no-pager")
    return Row(
        done="a process that hangs (SIGSTOP), with WatchdogSec=6",
        many="1 process",
        came=f"“Watchdog timeout”, ended and started again after {time.monotonic() - began:.0f} s ({before} → {after})",
        ok=told,
    )


def _acknowledged(machine: Machine) -> int:
    """Deliveries in the store."""
    query = "import sqlite3; print(sqlite3.connect('/var/lib/private/syncd/syncd.db').execute('select count(*) from deliveries').fetchone()[0])"
    return int(machine.run("python3", "-c", query).strip())


def restarted(machine: Machine, port: int, restarts: int) -> Row:
    before = _acknowledged(machine)

    def restart() -> None:
        for _ in range(restarts):
            machine.run("systemctl", "restart", "syncd.service")
            time.sleep(0.5)

    came = loaded(port, restart)
    kept = _acknowledged(machine) - before
    return Row(
        done="`systemctl restart` under load",
        many=f"{restarts} restarts, {came.total()} requests of 6 senders, each on a new connection",
        came=f"{_told(came)}; {kept} deliveries kept",
        ok=set(came) == {"200"} and kept == came["200"],
    )


def upgraded(machine: Machine, deb: Path, port: int) -> Row:
    before = _acknowledged(machine)
    changed = machine.run("cat", "/etc/syncd/config.toml")
    came = loaded(port, lambda: machine.run("dpkg", "-i", "--force-confold", f"/root/{deb.name}"))
    wait_for(lambda: machine.show("syncd", "ActiveState") == "active" or None, "the service")
    kept = _acknowledged(machine) - before
    version = machine.run("dpkg-query", "-W", "-f=${Version}", "syncd")
    same = machine.run("cat", "/etc/syncd/config.toml") == changed
    return Row(
        done="an upgrade (`dpkg -i` of the next version) under load",
        many=f"{came.total()} requests",
        came=f"{version} runs; {_told(came)}; {kept} deliveries kept; the configuration is {'as it was' if same else 'CHANGED'}",
        ok=set(came) == {"200"} and kept == came["200"] and same and version.startswith("0.1.1"),
    )


def halved(machine: Machine, port: int) -> Row:
    machine.run("systemctl", "stop", "syncd.socket", "syncd.service")
    units = {
        "syncd.socket": ("--socket", "--receiver-only"),
        "syncd-receiver.service": ("--receiver-only",),
        "syncd-worker.service": ("--worker-only",),
    }
    for name, options in units.items():
        machine.put(f"/etc/systemd/system/{name}", machine.run("syncd", "systemd-unit", *options))
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "syncd.socket", "syncd-worker.service")
    before = len(list((machine.root / "var/lib/private/syncd/issues").glob("*.md")))
    answer = Sender("127.0.0.1", port, LOGIN).send(notification_json(fingerprint="halved"))
    wait_for(
        lambda: len(list((machine.root / "var/lib/private/syncd/issues").glob("*.md"))) > before or None, "its issue"
    )
    pid = machine.show("syncd-receiver", "MainPID")
    links = re.findall(r"^\s*(\w+):", machine.run("cat", f"/proc/{pid}/net/dev"), re.MULTILINE)
    exposure = machine.run("systemd-analyze", "security", "syncd-receiver.service", "--no-pager", check=False)
    level = re.findall(r"\d+\.\d+", exposure.splitlines()[-1])
    machine.run("systemctl", "stop", "syncd.socket", "syncd-receiver.service", "syncd-worker.service")
    for name in units:
        (machine.root / "etc/systemd/system" / name).unlink()
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "syncd.socket", "syncd.service")
    return Row(
        done="`systemd-unit --receiver-only` and `--worker-only`: a receiver that is started by its first connection, without a network",
        many="2 services, 1 socket",
        came=f"answer {answer.status}, its issue filed by the other half; the receiver's links: {', '.join(links)}; exposure {level[0]}",
        ok=answer.status == 200 and links == ["lo"] and float(level[0]) <= 0.3,
    )


def badly_configured(machine: Machine, port: int, console: int) -> Row:
    machine.put("/etc/syncd/config.toml", "[receiver]\nlisen = 1\n")
    machine.run("systemctl", "restart", "syncd.service", check=False)
    wait_for(lambda: machine.show("syncd", "ActiveState") == "failed" or None, "the service to give up")
    time.sleep(3)
    starts, status = machine.show("syncd", "NRestarts"), machine.show("syncd", "ExecMainStatus")
    hinted = "did you mean 'listen'" in machine.journal()
    machine.put("/etc/syncd/config.toml", CONFIG.format(port=port, console=console))
    machine.run("systemctl", "start", "syncd.service")
    return Row(
        done="a start with a configuration that cannot be used, then a good one",
        many="2 starts",
        came=f"status {status}, not tried again ({starts} restarts), “did you mean 'listen'” in the journal; then it runs",
        ok=status == "78" and hinted and machine.show("syncd", "ActiveState") == "active",
    )


def removed(machine: Machine) -> Row:
    machine.run("dpkg", "-r", "syncd")
    kept = (machine.root / "var/lib/private/syncd/syncd.db").exists() and (
        machine.root / "etc/syncd/config.toml"
    ).exists()
    units = machine.run("systemctl", "list-units", "--all", "--no-legend", "--plain", "syncd*").strip()
    machine.run("dpkg", "-P", "syncd")
    places = (
        "var/lib/private/syncd",
        "var/lib/syncd",
        "etc/syncd",
        "opt/syncd",
        "usr/bin/syncd",
        "lib/systemd/system/syncd.service",
    )
    left = [place for place in places if (machine.root / place).exists()]
    return Row(
        done="`dpkg -r`, then `dpkg -P`",
        many="1 package",
        came=f"removed: stopped, store and configuration kept; purged: {', '.join(left) or 'nothing'} left",
        ok=kept and not left and "running" not in units,
    )
