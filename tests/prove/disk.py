"""Disks that fail and recover under a running daemon. It responds 503 during the fault, recovers without a restart, and loses nothing.

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

from syncd.operate.health import SHARED_SECONDS
from tests.fakes.github import FakeGitHub
from tests.prove import damage, mounts, strace
from tests.prove.crashes import until
from tests.prove.daemons import (
    ROUTE,
    Accepted,
    deliver_all,
    github_section,
    is_drained,
    ready,
    require_no_unexpected_errors,
    require_stored,
)
from tests.prove.report import Row
from tests.system import reference
from tests.system.daemon import Daemon

GROUPS = 20
NOTIFICATIONS = 400
REFUSED = 20  # the fault lasts for this many refusals
# Longer than a lease: a claim whose fsync failed may still be in the log, and then holds its group until the lease ends.
PATIENCE_SECONDS = 240.0
TMPFS_SIZE = "12m"  # the log of the database needs 4 MB
_PROBES = 'timeout = "1s"\nprobe_after = ["2s", "3s", "4s"]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one fault: accepted notifications, 503 responses, refused notifications that the store holds anyway, the reason in
    `/readyz`, and the seconds from the end of the fault until the daemon was ready and until everything was filed."""

    accepted: int
    refused: int
    stored_anyway: int
    reason: str
    ready_after: float
    filed_after: float

    def __str__(self) -> str:
        extra = (
            f"; {self.stored_anyway} of the refused notifications were stored anyway and counted once"
            if self.stored_anyway
            else ""
        )
        return (
            f"503 {self.refused} times, `/readyz`: “{self.reason}”; ready {self.ready_after:.1f} s after the end, all filed "
            f"after {self.filed_after:.0f} s; none of {self.accepted} acknowledged notifications lost, every count correct, one issue per "
            f"crash{extra}"
        )


Fault = Callable[[Daemon, Path], AbstractContextManager[None]]


def endure(folder: Path, seed: int, fault: Fault, place: Path | None = None, again: bool = False) -> Outcome:
    """Expose a daemon to `fault`. `place` is the folder of the database (default: `folder`). A fault that comes `again` and again lets
    some notifications through. Raises AssertionError if a promise is broken."""
    folder.mkdir(parents=True, exist_ok=True)
    database = (place or folder) / "syncd.db"
    story = reference.story(GROUPS, NOTIFICATIONS, seed)
    with FakeGitHub() as github:
        daemon = Daemon(folder, github_section(folder, github.url, _PROBES) + ROUTE)
        daemon.config.write_text(daemon.config.read_text().replace(f"{folder}/syncd.db", str(database)))
        with daemon:
            accepted = daemon.send_all(story[: NOTIFICATIONS // 2])
            daemon.drain()
            with fault(daemon, database):
                refused, unsent, reason = _meet(daemon, story[NOTIFICATIONS // 2 :], accepted, again)
            end_time = time.monotonic()
            daemon.wait_for(lambda: ready(daemon)[0] == 200, "the daemon to be ready by itself")
            ready_after = time.monotonic() - end_time
            accepted += deliver_all(daemon, unsent)[0]
            until(lambda: is_drained(daemon), "everything to be filed", PATIENCE_SECONDS)
            filed_after = time.monotonic() - end_time
            groups = daemon.groups()
            assert daemon.stop() == 0
        assert len(github.repository.issues) == GROUPS, f"{len(github.repository.issues)} issues of {GROUPS} groups"
    require_no_unexpected_errors(daemon)
    return Outcome(
        accepted=len(accepted),
        refused=refused,
        stored_anyway=require_stored(database, accepted, groups),
        reason=reason.replace(str(database), "…/syncd.db"),
        ready_after=ready_after,
        filed_after=filed_after,
    )


def _meet(
    daemon: Daemon, story: Sequence[dict[str, Any]], accepted: Accepted, again: bool
) -> tuple[int, list[dict[str, Any]], str]:
    """Send until REFUSED notifications are refused. Return their number, the unsent notifications, and the reason in `/readyz`."""
    unsent: list[dict[str, Any]] = []
    refused, reason = 0, ""
    for position, notification in enumerate(story):
        if refused >= REFUSED:
            # The first error of a disk may be another one than those that last, and requests share an answer for a while.
            first = time.monotonic()
            while time.monotonic() < first + 1.5 * SHARED_SECONDS:
                reason = next(iter(ready(daemon)[1].get("reasons", ())), reason)
            return refused, [*unsent, *story[position:]], reason
        answer = daemon.send(notification)
        if answer.status == 200:
            accepted.append((int(json.loads(answer.body)["delivery"]), notification))
            continue
        code = json.loads(answer.body)["error"]["code"]
        assert (answer.status, code) == (503, "store_unavailable"), answer
        refused += 1
        unsent.append(notification)
        status, readiness = ready(daemon)
        assert again or status == 503, readiness
        if status == 503:
            reason = readiness["reasons"][0]
    raise AssertionError(f"only {refused} of {len(story)} were refused")


@contextmanager
def file_size_limit(daemon: Daemon, database: Path) -> Iterator[None]:
    """No file of the daemon can grow."""
    daemon.limit_files(1)
    yield
    daemon.limit_files(None)


@contextmanager
def full_disk(daemon: Daemon, database: Path) -> Iterator[None]:
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


def io_error(call: str, when: str = "") -> Fault:
    """This system call fails with EIO on the files of the database. `when` is the strace expression."""

    @contextmanager
    def fault(daemon: Daemon, database: Path) -> Iterator[None]:
        paths = [database, database.with_name(database.name + "-wal")]
        with strace.failing(daemon.pid, call, f"error=EIO{when}", paths, database.with_name("strace.log")):
            yield

    return fault


@contextmanager
def read_only_disk(daemon: Daemon, database: Path) -> Iterator[None]:
    """The kernel makes the disk read-only after an error. At the end a copy of the disk replaces it."""
    place = database.parent
    mounts.break_down(place)
    yield
    mounts.leave(place)
    copy = place.with_name("copy")
    shutil.copyfile(place.with_name("disk"), copy)
    mounts.mount_image(copy, place)


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row per fault and repetition; `size` is the number of repetitions."""
    assert (why := strace.missing()) is None, why
    for number in range(size):
        for name, (action, _) in FAULTS.items():
            yield _row(action, endure_named(folder / f"{name}-{number}", seed + number, name))
    yield from damage.run(folder / "damage", seed)


def endure_named(folder: Path, seed: int, name: str) -> Outcome | str:
    """The result of one of FAULTS, or the reason why this machine cannot produce it."""
    _, fault = FAULTS[name]
    if fault in (full_disk, read_only_disk):
        if why := mounts.missing() if fault is full_disk else mounts.missing_ext4():
            return why
        mounted = mounts.tmpfs(folder / "place", TMPFS_SIZE) if fault is full_disk else mounts.ext4(folder / "place")
        with mounted as place:
            return endure(folder, seed, fault, place)
    return endure(folder, seed, fault, again=name == "now and then")


def _row(action: str, outcome: Outcome | str) -> Row:
    if isinstance(outcome, str):
        return Row(action=action, scale="not done", result=outcome)
    return Row(action=action, scale=f"{GROUPS} crashes, {outcome.accepted} notifications", result=str(outcome))


FAULTS: dict[str, tuple[str, Fault]] = {
    "limit": ("no file can grow (RLIMIT_FSIZE); then files can grow again", file_size_limit),
    "full": ("the disk is full to the last byte; then it has free space again (tmpfs)", full_disk),
    "write": ("every write to the database fails with EIO; then none fails (strace)", io_error("pwrite64")),
    "sync": ("every fsync of the database fails with EIO; then none fails (strace)", io_error("fsync,fdatasync")),
    "now and then": ("some writes and fsyncs fail with EIO (strace)", io_error("pwrite64,fsync", ":when=5+7")),
    "read-only": (
        "the kernel makes the disk read-only after an error; then a copy of the disk is mounted (ext4)",
        read_only_disk,
    ),
}


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]), int(sys.argv[2]), 1):
        print("\n".join(filter(None, row[:4])), flush=True)
