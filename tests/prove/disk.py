"""Disks that fail under a running daemon and come back: 503 while it lasts, well again by itself, nothing acknowledged lost.

By hand: `python -m tests.prove.disk FOLDER SEED`.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.github import TOKEN, FakeGitHub
from tests.prove import damage, mounts, strace
from tests.prove.crashes import until
from tests.prove.report import Row
from tests.prove.started import Accepted, insist, ready, require_kept
from tests.system import reference
from tests.system.daemon import Daemon

GROUPS = 20
NOTIFICATIONS = 400
REFUSED = 20  # so many refusals are waited for
# Longer than a lease: a claim whose sync failed may be found in the log all the same, and is then held until its lease ends.
PATIENCE_SECONDS = 240.0
TMPFS_SIZE = "12m"  # the log of the database alone takes four
_INTERVALS = 'writes = ["6000/1m"]\nprobe_after = ["1s", "2s", "3s"]\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Endured:
    """What came of one fault: how many notifications were taken in all, how often 503 was the answer, how many of those were kept
    all the same, what `/readyz` said, how long after the end it was ready and all was filed, in seconds."""

    accepted: int
    refused: int
    kept: int
    reason: str
    ready_after: float
    filed_after: float

    def __str__(self) -> str:
        kept = f"; {self.kept} of the refused were kept all the same, and counted once" if self.kept else ""
        return (
            f"503 {self.refused} times, `/readyz`: “{self.reason}”; ready {self.ready_after:.1f} s after the end, all filed "
            f"after {self.filed_after:.0f} s; none of {self.accepted} acknowledged lost, every count right, one issue each{kept}"
        )


Fault = Callable[[Daemon, Path], AbstractContextManager[None]]


def endure(folder: Path, seed: int, fault: Fault, place: Path | None = None, again: bool = False) -> Endured:
    """Let the daemon meet `fault`, given it and its database. The database is in `place`, the rest beside it; a fault that comes
    `again` and again lets some notifications through. Raises AssertionError where a promise is broken."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    database = (place or folder) / "syncd.db"
    told = reference.story(GROUPS, NOTIFICATIONS, seed)
    with FakeGitHub() as github:
        daemon = Daemon(folder, _tracker(folder, github.url))
        daemon.config.write_text(daemon.config.read_text().replace(f"{folder}/syncd.db", str(database)))
        with daemon:
            accepted = daemon.send_all(told[: NOTIFICATIONS // 2])
            daemon.drain()
            with fault(daemon, database):
                refused, untold, reason = _meet(daemon, told[NOTIFICATIONS // 2 :], accepted, again)
            ended = time.monotonic()
            daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
            ready_after = time.monotonic() - ended
            accepted += insist(daemon, untold)[0]
            until(lambda: _is_filed(daemon), "everything to be filed", PATIENCE_SECONDS)
            filed_after = time.monotonic() - ended
            groups = daemon.groups()
            assert daemon.stop() == 0
        assert len(github.repository.issues) == GROUPS, f"{len(github.repository.issues)} issues of {GROUPS} groups"
    log = daemon.log.read_text()
    assert '"bug"' not in log, log[-4000:]
    assert "Traceback" not in log, log[-4000:]
    return Endured(
        accepted=len(accepted),
        refused=refused,
        kept=require_kept(database, accepted, groups),
        reason=reason.replace(str(database), "…/syncd.db"),
        ready_after=ready_after,
        filed_after=filed_after,
    )


def _tracker(folder: Path, address: str) -> str:
    return (
        f'[trackers.here]\nkind = "github"\nrepository = "acme/game"\napi_url = "{address}"\n'
        f'token = {{ file = "{folder}/token" }}\n{_INTERVALS}[[routes]]\ntracker = "here"\nstatus_interval = "1s"\nmax_new_issues = []\nmax_updates = []\n'
    )


def _meet(
    daemon: Daemon, told: Sequence[dict[str, Any]], accepted: Accepted, again: bool
) -> tuple[int, list[dict[str, Any]], str]:
    """Send until it was refused often enough: how often, what is still to be told, and why the daemon is not ready."""
    untold: list[dict[str, Any]] = []
    refused, reason = 0, ""
    for position, notification in enumerate(told):
        if refused >= REFUSED:
            return refused, [*untold, *told[position:]], reason
        answer = daemon.send(notification)
        if answer.status == 200:
            accepted.append((int(json.loads(answer.body)["delivery"]), notification))
            continue
        said = json.loads(answer.body)["error"]["code"]
        assert (answer.status, said) == (503, "store_unavailable"), answer
        refused += 1
        untold.append(notification)
        status, ready_said = ready(daemon)
        assert again or status == 503, ready_said
        if status == 503:
            reason = ready_said["reasons"][0]
    raise AssertionError(f"only {refused} of {len(told)} were refused")


def _is_filed(daemon: Daemon) -> bool:
    time.sleep(0.3)  # each look is a process
    status = daemon.status()
    return not status["inbox"]["waiting"] + status["outbox"]["due"] + status["outbox"]["waiting"]


@contextmanager
def limited(daemon: Daemon, database: Path) -> Iterator[None]:
    """No file of the daemon may grow."""
    daemon.limit_files(1)
    yield
    daemon.limit_files(None)


@contextmanager
def full(daemon: Daemon, database: Path) -> Iterator[None]:
    """The disk of the database is full to the last byte."""
    filler = database.with_name("filler")
    with filler.open("wb", buffering=0) as file:
        size = 2**16
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    yield
    filler.unlink()


def failing(call: str, when: str = "") -> Fault:
    """This system call fails with EIO on the files of the database; `when` is strace's."""

    @contextmanager
    def fault(daemon: Daemon, database: Path) -> Iterator[None]:
        paths = [database, database.with_name(database.name + "-wal")]
        with strace.failing(daemon.pid, call, f"error=EIO{when}", paths, database.with_name("strace.log")):
            yield

    return fault


@contextmanager
def broken_down(daemon: Daemon, database: Path) -> Iterator[None]:
    """The kernel has made the disk read-only after an error; at the end its copy stands in its place."""
    place = database.parent
    mounts.break_down(place)
    yield
    mounts.leave(place)
    copy = place.with_name("copy")
    shutil.copyfile(place.with_name("disk"), copy)
    mounts.mount_image(copy, place)


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A line for each fault, met `size` times."""
    assert (why := strace.missing()) is None, why
    for number in range(size):
        for name, (done, _) in FAULTS.items():
            yield _row(done, endure_named(folder / f"{name}-{number}", seed + number, name))
    yield from damage.run(folder / "damage", seed)


def endure_named(folder: Path, seed: int, name: str) -> Endured | str:
    """What came of one of FAULTS, or why it cannot be had here."""
    _, fault = FAULTS[name]
    if fault in (full, broken_down):
        if why := mounts.missing() if fault is full else mounts.missing_ext4():
            return why
        made = mounts.tmpfs(folder / "place", TMPFS_SIZE) if fault is full else mounts.ext4(folder / "place")
        with made as place:
            return endure(folder, seed, fault, place)
    return endure(folder, seed, fault, again=name == "now and then")


def _row(done: str, endured: Endured | str) -> Row:
    if isinstance(endured, str):
        return Row(done=done, many="not done", came=endured)
    return Row(done=done, many=f"{GROUPS} crashes, {endured.accepted} notifications", came=str(endured))


FAULTS: dict[str, tuple[str, Fault]] = {
    "limit": ("no file may grow (RLIMIT_FSIZE), and then it may", limited),
    "full": ("the disk is full to the last byte, and then has room again (tmpfs)", full),
    "write": ("every write on the database fails with EIO, and then none (strace)", failing("pwrite64")),
    "sync": ("every sync of the database fails with EIO, and then none (strace)", failing("fsync,fdatasync")),
    "now and then": ("writes and syncs fail with EIO now and then (strace)", failing("pwrite64,fsync", ":when=5+7")),
    "read-only": (
        "the kernel makes the disk read-only after an error, and then a copy of it is mounted in its place (ext4)",
        broken_down,
    ),
}


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]), int(sys.argv[2]), 1):
        print("\n".join(filter(None, row[:4])), flush=True)
