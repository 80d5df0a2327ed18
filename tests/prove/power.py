"""Power cuts without special hardware. By hand: `python -m tests.prove.power FOLDER SEED CUTS`.

strace records the writes, fsyncs and responses of a real daemon. From the recording this module rebuilds the possible contents of the
disk after a cut at any moment. The model of the disk is hostile: unsynced data is on the disk completely, partly (sector by sector, in
any order) or not at all; an fsync does not cover writes that happen while it runs; a created or removed file is uncertain until the
fsync of its folder; and data whose fsync failed never reaches the disk, although later fsyncs succeed.
"""

import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from syncd.store.sqlite.file import sqlite3
from tests.fakes.github import FakeGitHub
from tests.prove import recording, strace
from tests.prove.crashes import until
from tests.prove.daemons import ROUTE, Accepted, deliver_all, github_section, require_counts, started, stored_deliveries
from tests.prove.disks import Disk, Image
from tests.prove.recording import Acknowledged, Begun, CreateSent, Ended, Event, Sync, Write
from tests.prove.report import Row
from tests.system import reference
from tests.system.daemon import Daemon

CUTS_EACH = 2500  # per recording
NOTIFICATIONS = 600  # enough for several checkpoints
GROUPS = 20
THOROUGH = 10  # every tenth image gets an integrity check
PATIENCE_SECONDS = 60.0
FAILING_SYNCS = "fsync:error=EIO:when=20+15"  # counted per thread: repeated failures in the writer
# The fsync of the folder in which SQLite has created its log: it follows the first one of the log, and SQLite ignores its error.
FAILING_FOLDER = "fsync:error=EIO:when=2"
_MODULES = {"FULL": "syncd", "NORMAL": "tests.prove.weakened"}


@dataclass(kw_only=True)
class Result:
    """The result of all cuts. Four fields count cuts: `lost` (an acknowledged delivery is missing), `corrupt` (the database is damaged),
    `half` (a delivery is counted in part) and `forgotten` (the store has no record of a create that was sent). The other fields count
    recorded calls; `faults` are failed fsyncs."""

    synchronous: str
    recordings: int = 0
    cuts: int = 0
    writes: int = 0
    syncs: int = 0
    faults: int = 0
    acknowledged: int = 0
    creates: int = 0
    lost: int = 0
    corrupt: int = 0
    half: int = 0
    forgotten: int = 0
    resumed: int = 0  # cuts after which a restarted daemon counted correctly
    error: str = ""  # of the first damaged database

    @property
    def sound(self) -> bool:
        """True if no cut broke a promise."""
        return not (self.lost or self.corrupt or self.half or self.forgotten)


def cuts(
    folder: Path,
    cuts: int,
    seed: int,
    synchronous: str = "FULL",
    notifications: int = NOTIFICATIONS,
    inject: str | None = None,
) -> Result:
    """Cut the power `cuts` times at random moments of recorded lives of a daemon. Each life accepts `notifications` notifications.
    `inject` is the strace expression for failing calls. Raises AssertionError if a recording is incomplete."""
    result = Result(synchronous=synchronous)
    for number in range(-(-cuts // CUTS_EACH)):
        chance = random.Random(f"{seed} {number}")
        life = folder / f"{synchronous.lower()}-{number}"
        events = record(life, chance.randrange(2**32), synchronous, notifications, inject)
        _count(result, events)
        with _in_memory(folder) as database:
            image = _cut(result, events, database, min(CUTS_EACH, cuts - number * CUTS_EACH), chance)
        shutil.rmtree(life)
        if synchronous == "FULL":
            resume(life, image)
            result.resumed += 1
    return result


def record(folder: Path, seed: int, synchronous: str, notifications: int, inject: str | None = None) -> list[Event]:
    """Record one life of a daemon that accepts and files `notifications` notifications."""
    folder.mkdir(parents=True)
    story = reference.story(GROUPS, notifications, seed)
    with FakeGitHub() as github:
        daemon = Daemon(folder, github_section(folder, github.url) + ROUTE)
        trace = folder / "trace"
        with started(daemon, "-m", "tests.prove.recorded", str(trace), inject or "", _MODULES[synchronous]):
            end = str(daemon.pid), "+++", "exited"
            accepted, _ = deliver_all(daemon, story)
            if inject is None:  # after a fault, claims last until their leases end
                until(lambda: len(github.repository.issues) == GROUPS, f"{GROUPS} issues", PATIENCE_SECONDS)
            assert daemon.stop() == 0
        until(lambda: _last_line(trace) == end, "the end of the trace", PATIENCE_SECONDS)
    events = recording.read(trace, folder / "syncd.db")
    _require_whole(events, accepted, folder / "syncd.db")
    return events


def _last_line(trace: Path) -> tuple[str, ...]:
    with trace.open("rb") as story:
        story.seek(max(0, trace.stat().st_size - 200))
        return tuple(story.read().decode("ascii", "replace").rstrip().rpartition("\n")[2].split()[:3])


def _require_whole(events: Sequence[Event], accepted: Accepted, database: Path) -> None:
    """Raises AssertionError unless the recording reproduces the files on the disk and the responses to the senders."""
    disk = Disk()
    for event in events:
        _advance(disk, event)
    written = disk.as_written()
    assert written == {name: database.with_name(name).read_bytes() for name in written}, "the recording has gaps"
    assert database.name in written
    story = {event.delivery for event in events if isinstance(event, Acknowledged)}
    assert story == {number for number, _ in accepted}, "the recording misses a response"


def _advance(disk: Disk, event: Event) -> None:
    match event:
        case Begun(call):
            disk.begin(call)
        case Ended():
            disk.end(event)


def _count(result: Result, events: Sequence[Event]) -> None:
    ended = [event for event in events if isinstance(event, Ended)]
    result.recordings += 1
    result.writes += sum(isinstance(event.call, Write) for event in ended)
    result.syncs += sum(isinstance(event.call, Sync) for event in ended)
    result.faults += sum(isinstance(event.call, Sync) and event.result < 0 for event in ended)
    result.acknowledged += sum(isinstance(event, Acknowledged) for event in events)
    result.creates += sum(isinstance(event, CreateSent) for event in events)


@contextmanager
def _in_memory(folder: Path) -> Iterator[Path]:
    """A folder for images in memory, so that thousands of images take seconds."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else folder) as place:
        yield Path(place) / "syncd.db"


def _cut(result: Result, events: Sequence[Event], database: Path, cuts: int, chance: random.Random) -> Image:
    """Cut at random moments in their order, so that one pass builds the disk. Return the image of one later cut."""
    often = Counter(chance.randrange(len(events)) for _ in range(cuts))
    disk, acknowledged, creates = Disk(), set[int](), set[str]()
    last = chance.randrange(len(events) // 2, len(events))
    image: Image = {}
    for moment, event in enumerate(events):
        _advance(disk, event)
        if isinstance(event, Acknowledged):
            acknowledged.add(event.delivery)
        elif isinstance(event, CreateSent):
            creates.add(event.marker)
        for _ in range(often[moment]):
            result.cuts += 1
            lay(disk.after_cut(chance), database)
            _judge(result, database, acknowledged, creates)
        if moment == last:
            image = disk.after_cut(chance)
    return image


def lay(image: Image, database: Path) -> None:
    """Write the image into the folder of the database."""
    for ending in ("", "-wal", "-journal", "-shm"):
        path = database.with_name(database.name + ending)
        path.unlink(missing_ok=True)
        if path.name in image:
            path.write_bytes(image[path.name])


def _judge(result: Result, database: Path, acknowledged: set[int], creates: set[str]) -> None:
    try:
        contents = _read(database, thorough=result.cuts % THOROUGH == 0)
    except sqlite3.DatabaseError as error:
        result.corrupt += 1
        result.error = result.error or str(error)
        return
    result.lost += not acknowledged <= contents.deliveries
    result.half += contents.counted != contents.absorbed
    result.forgotten += not creates <= contents.markers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """The contents of a store: all deliveries, the number of absorbed deliveries, the number that the groups count, and the markers of
    issues that may exist."""

    deliveries: set[int]
    absorbed: int
    counted: int
    markers: set[str]


def _read(database: Path, thorough: bool) -> _Contents:
    """Read a store. Raises sqlite3.DatabaseError if it is damaged."""
    connection = sqlite3.connect(str(database), isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # no index in shared memory, for speed
        connection.execute("PRAGMA synchronous=OFF")
        if thorough and (verdict := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(verdict)
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'deliveries'").fetchone():
            return _Contents(deliveries=set(), absorbed=0, counted=0, markers=set())
        states = connection.execute("SELECT id, state FROM deliveries").fetchall()
        markers = connection.execute(
            "SELECT marker FROM issues WHERE state IN ('intended', 'in_doubt', 'linked')"
        ).fetchall()
        counted = connection.execute("SELECT COALESCE(SUM(notifications), 0) FROM groups").fetchone()
        return _Contents(
            deliveries={number for number, _ in states},
            absorbed=sum(state == "absorbed" for _, state in states),
            counted=counted[0],
            markers={marker for (marker,) in markers},
        )
    finally:
        connection.close()


def resume(folder: Path, image: Image) -> None:
    """Start the daemon on the image of a cut. Raises AssertionError unless it counts every delivery exactly once."""
    folder.mkdir(parents=True)
    database = folder / "syncd.db"
    lay(image, database)
    deliveries = stored_deliveries(database)
    # Nothing listens there; this proof does not file.
    with Daemon(folder, github_section(folder, "http://127.0.0.1:9") + ROUTE) as daemon:
        daemon.wait_for(lambda: daemon.status()["inbox"]["waiting"] == 0, "everything to be absorbed")
        groups = daemon.groups()
    require_counts(groups, deliveries)


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row for the released daemon, and one for a disk with failing fsyncs before the cut. `size` is the number of cuts."""
    assert (why := strace.missing()) is None, why
    shipped = cuts(folder / "shipped", size, seed)
    control = cuts(folder / "control", max(100, size // 10), seed, "NORMAL")
    yield Row(
        action="power cuts at random moments; unsynced data survives, is lost, is reordered or is torn at 512 bytes, and new files may vanish",
        scale=f"{_size(shipped)}",
        result=f"{_verdict(shipped)}; a restarted daemon counted correctly in {shipped.resumed} of {shipped.resumed} starts",
        control=f"`synchronous=NORMAL`: acknowledged notifications lost in {control.lost} of {control.cuts} cuts, issues requested "
        f"and forgotten in {control.forgotten}",
        ok=shipped.sound and control.lost > 0 and control.forgotten > 0,
    )
    for name, inject, action in (
        (
            "failing",
            FAILING_SYNCS,
            "fsyncs that fail with EIO; the kernel marks their pages clean and never writes them",
        ),
        (
            "nameless",
            FAILING_FOLDER,
            "the fsync fails that makes the name of a new log durable, whose error SQLite ignores",
        ),
    ):
        result = cuts(folder / name, max(100, size // 10), seed, inject=inject)
        yield Row(
            action=f"the same after {action}",
            scale=f"{_size(result)}, {result.faults} failed fsyncs",
            result=f"{_verdict(result)}; a restarted daemon counted correctly in {result.resumed} of {result.resumed} starts",
            ok=result.sound and result.faults > 0,
        )


def _size(result: Result) -> str:
    return (
        f"{result.cuts:,} cuts in {result.recordings} recorded lives: {result.writes:,} writes, {result.syncs:,} fsyncs, "
        f"{result.acknowledged:,} notifications acknowledged, {result.creates} issues requested"
    )


def _verdict(result: Result) -> str:
    return (
        f"acknowledged notifications lost in {result.lost} cuts, issues requested and forgotten in {result.forgotten}, "
        f"database damaged in {result.corrupt}, partly counted in {result.half}{result.error and f' ({result.error})'}"
    )


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
        print("\n".join(filter(None, row[:4])), flush=True)
