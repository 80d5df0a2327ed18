"""The Debian package in a booted machine with systemd (debootstrap, systemd-nspawn): install, run, upgrade, remove.

Needs root. The machine shares the loopback of the host, so that senders run outside. Without cgroup v2 the kernel does not enforce the
unit's memory limits and address filters; all other settings of the unit are in force.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from syncd.cli.sender import Sender
from tests.factories import notification_json
from tests.ports import free_port
from tests.prove.nspawn import Machine, boot_machine, wait_for
from tests.prove.report import ROOT, Row

LOGIN = ("backtrace", "machine-password")
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


class Load(threading.Thread):
    """Sends without pause, each request on a new connection, and counts responses and errors."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(daemon=True)
        self.answers: Counter[str] = Counter()
        self._port = port
        self._number = number
        self._stop_event = threading.Event()

    def run(self) -> None:
        number_sent = 0
        while not self._stop_event.is_set():
            number_sent += 1
            sender = Sender("127.0.0.1", self._port, LOGIN)
            try:
                notification = notification_json(
                    fingerprint=f"{self._number:032x}{number_sent % 50:032x}", occurrences=number_sent
                )
                self.answers[str(sender.send(notification).status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.answers[type(error).__name__] += 1
            finally:
                sender.close()

    def end(self) -> Counter[str]:
        self._stop_event.set()
        self.join()
        return self.answers


def under_load(port: int, action: Callable[[], object], clients: int = 6) -> Counter[str]:
    """The responses to senders while `action` runs."""
    loads = [Load(port, number) for number in range(clients)]
    for load in loads:
        load.start()
    time.sleep(0.5)
    action()
    time.sleep(0.5)
    return sum((load.end() for load in loads), Counter())


def package(folder: Path, version: str) -> Path:
    """Build the .deb of the checkout with a given version."""
    environment = os.environ | {"DEB_VERSION": version}
    subprocess.run(["make", "deb"], cwd=ROOT, check=True, capture_output=True, env=environment)
    (built,) = (ROOT / "dist").glob(f"syncd_{version}_*.deb")
    return Path(shutil.move(built, folder / built.name))


def run(folder: Path, seed: int, restarts: int = RESTARTS) -> Iterator[Row]:
    """One row per action."""
    port, console = free_port(), free_port()  # the machine shares the network of this one
    folder.mkdir(parents=True, exist_ok=True)
    first, second = package(folder, "0.1.0"), package(folder, "0.1.1")
    with boot_machine(folder) as machine:
        for deb in (first, second):
            shutil.copy(deb, machine.root / "root" / deb.name)
        yield install(machine, first)
        yield configure(machine, port, console)
        yield check_sandbox(machine)
        yield hang(machine)
        yield restart(machine, port, restarts)
        yield upgrade(machine, second, port)
        yield split(machine, port)
        yield restore_backup(machine, port)
        yield hide_program(machine)
        yield start_misconfigured(machine, port, console)
        yield remove(machine)


def install(machine: Machine, deb: Path) -> Row:
    output = machine.run("dpkg", "-i", f"/root/{deb.name}")
    active = wait_for(lambda: machine.show("syncd", "ActiveState") == "active" or None, "the service to start")
    failed = machine.run("systemctl", "--failed", "--no-legend", "--plain").strip()
    verified = machine.run(
        "systemd-analyze", "verify", "/lib/systemd/system/syncd.service", "/lib/systemd/system/syncd.socket"
    )
    version = machine.run("syncd", "--version").strip()
    status = machine.run("syncd", "status", check=False)
    ok = active and "All is well" in status and not failed and not verified.strip() and "error" not in output.lower()
    return Row(
        action="`dpkg -i` on a minimal Debian, `systemd-analyze verify`",
        scale="1 package, no network needed",
        result=f"{version}; socket and service enabled and running, nothing failed, {verified.strip() or 'no message from verify'}; `syncd status` as root reports no problem",
        ok=bool(ok),
    )


def configure(machine: Machine, port: int, console: int) -> Row:
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
        action="a missing credential (`LoadCredential` of the folder), then an existing one; `syncd check` as root",
        scale="2 starts",
        result=f"missing: status {status} ({'its path is in the journal' if missing else 'nothing in the journal'}); present: correct login "
        f"{answer.status}, wrong login {refused.status}, {json.loads(listing)['issues']['linked']} issue filed; neither environment nor "
        "journal contains the password",
        ok=ok,
    )


def _filed(machine: Machine) -> bool:
    return any((machine.root / "var/lib/private/syncd/issues").glob("*.md"))


def check_sandbox(machine: Machine) -> Row:
    pid = machine.show("syncd", "MainPID")
    facts = machine.run("grep", "-E", "^(Uid|NoNewPrivs|Seccomp|CapEff):", f"/proc/{pid}/status").split("\n")
    status = {line.partition(":")[0]: line.partition(":")[2].split()[0] for line in facts if line}
    exposure = machine.run("systemd-analyze", "security", "syncd.service", "--no-pager", check=False).splitlines()[-1]
    mode = machine.run("stat", "-c", "%a %U", "/var/lib/private/syncd").strip()
    ok = (
        status["Uid"] != "0"
        and status["NoNewPrivs"] == "1"
        and int(status["CapEff"], 16) == 0
        and status["Seccomp"] == "2"
    )
    level = re.search(r"\d+\.\d+", exposure)
    return Row(
        action="privileges of the running process",
        scale="1 process",
        result=f"user {status['Uid']} (dynamic), no capabilities, no new privileges, seccomp filter; state folder {mode}; exposure "
        f"{level[0] if level else '?'}",
        ok=ok and level is not None and float(level[0]) <= 1.1,
    )


def _summary(answers: Counter[str]) -> str:
    return ", ".join(f"{count} × {what}" for what, count in answers.most_common())


def hang(machine: Machine) -> Row:
    before = machine.show("syncd", "MainPID")
    machine.run("kill", "-STOP", before)
    start_time = time.monotonic()
    after = wait_for(
        lambda: new if (new := machine.show("syncd", "MainPID")) not in (before, "0") else None, "the restart"
    )
    wait_for(lambda: machine.show("syncd", "ActiveState") == "active" or None, "the service")
    logged = "Watchdog timeout" in machine.run("journalctl", "-u", "syncd", "--no-pager")
    return Row(
        action="a hanging process (SIGSTOP), with WatchdogSec=6",
        scale="1 process",
        result=f"“Watchdog timeout”, killed and restarted after {time.monotonic() - start_time:.0f} s ({before} → {after})",
        ok=logged,
    )


def _stored(machine: Machine) -> int:
    """The number of deliveries in the store."""
    query = "import sqlite3; print(sqlite3.connect('/var/lib/private/syncd/syncd.db').execute('select count(*) from deliveries').fetchone()[0])"
    return int(machine.run("python3", "-c", query).strip())


def restart(machine: Machine, port: int, restarts: int) -> Row:
    before = _stored(machine)

    def restart_repeatedly() -> None:
        for _ in range(restarts):
            machine.run("systemctl", "restart", "syncd.service")
            time.sleep(0.5)

    answers = under_load(port, restart_repeatedly)
    stored = _stored(machine) - before
    return Row(
        action="`systemctl restart` under load",
        scale=f"{restarts} restarts, {answers.total()} requests of 6 senders, each on a new connection",
        result=f"{_summary(answers)}; {stored} deliveries stored",
        ok=set(answers) == {"200"} and stored == answers["200"],
    )


def upgrade(machine: Machine, deb: Path, port: int) -> Row:
    before = _stored(machine)
    changed = machine.run("cat", "/etc/syncd/config.toml")
    answers = under_load(port, lambda: machine.run("dpkg", "-i", "--force-confold", f"/root/{deb.name}"))
    wait_for(lambda: machine.show("syncd", "ActiveState") == "active" or None, "the service")
    stored = _stored(machine) - before
    version = machine.run("dpkg-query", "-W", "-f=${Version}", "syncd")
    same = machine.run("cat", "/etc/syncd/config.toml") == changed
    return Row(
        action="an upgrade (`dpkg -i` of the next version) under load",
        scale=f"{answers.total()} requests",
        result=f"{version} runs; {_summary(answers)}; {stored} deliveries stored; the configuration is {'unchanged' if same else 'CHANGED'}",
        ok=set(answers) == {"200"} and stored == answers["200"] and same and version.startswith("0.1.1"),
    )


def split(machine: Machine, port: int) -> Row:
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
        action="`systemd-unit --receiver-only` and `--worker-only`: a receiver without a network, started by its first connection",
        scale="2 services, 1 socket",
        result=f"answer {answer.status}, the worker filed its issue; network links of the receiver: {', '.join(links)}; exposure {level[0]}",
        ok=answer.status == 200 and links == ["lo"] and float(level[0]) <= 0.3,
    )


def restore_backup(machine: Machine, port: int) -> Row:
    """By root, while senders keep sending: the user of the service is dynamic, and its socket starts it."""
    machine.run("syncd", "backup", "/root/backup.db")
    before = _stored(machine)
    sender = Sender("127.0.0.1", port, LOGIN)
    sender.send(notification_json(fingerprint="after the backup"))
    sender.close()
    while_running = machine.run("sh", "-c", "syncd restore /root/backup.db 2>&1; echo $?", check=False)
    machine.run("systemctl", "stop", "syncd.socket", "syncd.service")
    restored = machine.run("syncd", "restore", "/root/backup.db")
    stored = _stored(machine)
    machine.run("systemctl", "start", "syncd.socket", "syncd.service")
    owners = machine.run("stat", "-c", "%u %a", "/var/lib/private/syncd", "/var/lib/private/syncd/syncd.db").split()
    answer = Sender("127.0.0.1", port, LOGIN).send(notification_json(fingerprint="after the restore"))
    refused = "systemctl stop syncd.socket syncd.service" in while_running
    ok = refused and ".replaced-" in restored and stored == before and owners[0] == owners[2] and answer.status == 200
    return Row(
        action="`syncd restore` by root, beside the running service and after `systemctl stop syncd.socket syncd.service`",
        scale="2 tries",
        result=f"running: {'refused with the two units to stop' if refused else 'NOT refused'}; stopped: {stored} deliveries as in the backup, "
        f"the file belongs to user {owners[2]} (mode {owners[3]}) like its folder; the service starts, a delivery is answered {answer.status}",
        ok=ok and owners[3] == "600",
    )


def hide_program(machine: Machine) -> Row:
    """A program in /root: the unit is refused, and rightly, since a unit with such a program cannot start."""
    machine.run("cp", "-r", "/opt/syncd", "/root/syncd")
    refused = machine.run("sh", "-c", "syncd systemd-unit --program /root/syncd/bin/syncd 2>&1; echo $?", check=False)
    machine.put(
        "/etc/systemd/system/syncd.service.d/hidden.conf",
        "[Service]\nExecStart=\nExecStart=/root/syncd/bin/syncd run --config /etc/syncd/config.toml\nRestart=no\n",
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "syncd.service", check=False)
    status = machine.show("syncd", "ExecMainStatus")
    (machine.root / "etc/systemd/system/syncd.service.d/hidden.conf").unlink()
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "reset-failed", "syncd.service", check=False)
    machine.run("systemctl", "restart", "syncd.service")
    ok = "ProtectHome=yes hides /root" in refused and refused.split()[-1] == "78" and status == "203"
    return Row(
        action="`systemd-unit` for a program below /root, and a service with that program",
        scale="1 start",
        result=f"the unit is {'refused' if ok else 'NOT refused'} (exit code {refused.split()[-1]}); the service ends with status {status}/EXEC",
        ok=ok,
    )


def start_misconfigured(machine: Machine, port: int, console: int) -> Row:
    machine.put("/etc/syncd/config.toml", "[receiver]\nlisen = 1\n")
    machine.run("systemctl", "restart", "syncd.service", check=False)
    wait_for(lambda: machine.show("syncd", "ActiveState") == "failed" or None, "the service to give up")
    time.sleep(3)
    starts, status = machine.show("syncd", "NRestarts"), machine.show("syncd", "ExecMainStatus")
    hinted = "did you mean 'listen'" in machine.journal()
    machine.put("/etc/syncd/config.toml", CONFIG.format(port=port, console=console))
    machine.run("systemctl", "start", "syncd.service")
    return Row(
        action="a start with an invalid configuration, then with a valid one",
        scale="2 starts",
        result=f"status {status}, no automatic restart ({starts}), “did you mean 'listen'” in the journal; with the valid one the service runs",
        ok=status == "78" and hinted and machine.show("syncd", "ActiveState") == "active",
    )


def remove(machine: Machine) -> Row:
    machine.run("dpkg", "-r", "syncd")
    stored = (machine.root / "var/lib/private/syncd/syncd.db").exists() and (
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
    remaining = [place for place in places if (machine.root / place).exists()]
    return Row(
        action="`dpkg -r`, then `dpkg -P`",
        scale="1 package",
        result=f"after remove: stopped, store and configuration exist; after purge: {', '.join(remaining) or 'nothing'} left",
        ok=stored and not remaining and "running" not in units,
    )
