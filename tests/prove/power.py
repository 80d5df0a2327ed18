"""Power cuts without special hardware: what a real daemon wrote, synced and acknowledged is recorded, and the disk rebuilt as it
could be found after a cut at any moment. By hand: `python -m tests.prove.power FOLDER SEED CUTS`.

The disk is a hostile one. What was not synced is there, or not, or in part, sector by sector and in any order; what was written
while a sync was under way is not covered by it; a file that was made or removed may be or not until its folder was synced; and what a
sync failed to write never gets to the disk, though every later sync succeeds.
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

from syncd.store.sqlite.driver import sqlite3
from tests.fakes.github import TOKEN, FakeGitHub
from tests.prove import recording, strace
from tests.prove.crashes import until
from tests.prove.disks import Disk, Image
from tests.prove.recording import Acknowledged, Asked, Begun, Ended, Event, Sync, Write
from tests.prove.report import Row
from tests.prove.started import Accepted, insist, kept, require_counts, started
from tests.system import reference
from tests.system.daemon import Daemon

CUTS_EACH = 2500  # of one recording
NOTIFICATIONS = 600  # enough for several checkpoints
GROUPS = 20
THOROUGH = 10  # one image in so many is checked page by page
PATIENCE_SECONDS = 60.0
FAILING_SYNCS = "fsync:error=EIO:when=20+15"  # by thread: the writer's, again and again
_MODULES = {"FULL": "syncd", "NORMAL": "tests.prove.weakened"}


@dataclass(kw_only=True)
class Result:
    """What came of so many cuts. `lost`, `corrupt`, `half` and `forgotten` count cuts: an acknowledged delivery was gone, the
    database was none, a delivery was counted in part, the tracker had been asked for an issue that the store did not know of. The rest
    counts what was recorded; `faults` are syncs that failed."""

    synchronous: str
    recordings: int = 0
    cuts: int = 0
    writes: int = 0
    syncs: int = 0
    faults: int = 0
    acknowledged: int = 0
    asked: int = 0
    lost: int = 0
    corrupt: int = 0
    half: int = 0
    forgotten: int = 0
    resumed: int = 0  # after how many cuts a daemon was started again, and counted as it had to
    words: str = ""  # of the first database that was none

    @property
    def sound(self) -> bool:
        """Whether nothing is lost and nothing is wrong."""
        return not (self.lost or self.corrupt or self.half or self.forgotten)


def cuts(
    folder: Path,
    cuts: int,
    seed: int,
    synchronous: str = "FULL",
    notifications: int = NOTIFICATIONS,
    inject: str | None = None,
) -> Result:
    """Cut the power so often, at random moments of recorded lives of a daemon that take so many notifications each. `inject` is what
    strace makes fail in them. Raises AssertionError where a recording is not understood to the last byte."""
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
    """One life of a daemon that takes a story of so many notifications and files it."""
    folder.mkdir(parents=True)
    (folder / "token").write_text(TOKEN)
    told = reference.story(GROUPS, notifications, seed)
    with FakeGitHub() as github:
        daemon = Daemon(folder, _tracker(folder, github.url))
        trace = folder / "trace"
        with started(daemon, "-m", "tests.prove.recorded", str(trace), inject or "", _MODULES[synchronous]):
            end = str(daemon.pid), "+++", "exited"
            accepted, _ = insist(daemon, told)
            if inject is None:  # after a fault, claims are held until their leases end
                until(lambda: len(github.repository.issues) == GROUPS, f"{GROUPS} issues", PATIENCE_SECONDS)
            assert daemon.stop() == 0
        until(lambda: _last_words(trace) == end, "the end of the trace", PATIENCE_SECONDS)
    events = recording.read(trace, folder / "syncd.db")
    _require_whole(events, accepted, folder / "syncd.db")
    return events


def _tracker(folder: Path, address: str) -> str:
    return (
        f'[trackers.here]\nkind = "github"\nrepository = "acme/game"\napi_url = "{address}"\n'
        f'token = {{ file = "{folder}/token" }}\nwrites = ["6000/1m"]\n[[routes]]\ntracker = "here"\nstatus_interval = "1s"\nmax_new_issues = []\nmax_updates = []\n'
    )


def _last_words(trace: Path) -> tuple[str, ...]:
    with trace.open("rb") as told:
        told.seek(max(0, trace.stat().st_size - 200))
        return tuple(told.read().decode("ascii", "replace").rstrip().rpartition("\n")[2].split()[:3])


def _require_whole(events: Sequence[Event], accepted: Accepted, database: Path) -> None:
    """What is taken for the whole story must lead to what lies on the disk, and to what the senders were told."""
    disk = Disk()
    for event in events:
        _advance(disk, event)
    written = disk.as_written()
    assert written == {name: database.with_name(name).read_bytes() for name in written}, "the recording has gaps"
    assert database.name in written
    told = {event.delivery for event in events if isinstance(event, Acknowledged)}
    assert told == {number for number, _ in accepted}, "an answer was not seen"


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
    result.asked += sum(isinstance(event, Asked) for event in events)


@contextmanager
def _in_memory(folder: Path) -> Iterator[Path]:
    """A folder for images: where nothing has to reach a disk, thousands of them take seconds."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else folder) as place:
        yield Path(place) / "syncd.db"


def _cut(result: Result, events: Sequence[Event], database: Path, cuts: int, chance: random.Random) -> Image:
    """The moments in their order, so that the disk is built once. What was left by one of the later cuts is returned."""
    often = Counter(chance.randrange(len(events)) for _ in range(cuts))
    disk, acknowledged, asked = Disk(), set[int](), set[str]()
    last = chance.randrange(len(events) // 2, len(events))
    image: Image = {}
    for moment, event in enumerate(events):
        _advance(disk, event)
        if isinstance(event, Acknowledged):
            acknowledged.add(event.delivery)
        elif isinstance(event, Asked):
            asked.add(event.marker)
        for _ in range(often[moment]):
            result.cuts += 1
            lay(disk.after_cut(chance), database)
            _judge(result, database, acknowledged, asked)
        if moment == last:
            image = disk.after_cut(chance)
    return image


def lay(image: Image, database: Path) -> None:
    """Make the folder of the database what a cut left of it."""
    for ending in ("", "-wal", "-journal", "-shm"):
        path = database.with_name(database.name + ending)
        path.unlink(missing_ok=True)
        if path.name in image:
            path.write_bytes(image[path.name])


def _judge(result: Result, database: Path, acknowledged: set[int], asked: set[str]) -> None:
    try:
        found = _found(database, thorough=result.cuts % THOROUGH == 0)
    except sqlite3.DatabaseError as error:
        result.corrupt += 1
        result.words = result.words or str(error)
        return
    result.lost += not acknowledged <= found.deliveries
    result.half += found.counted != found.absorbed
    result.forgotten += not asked <= found.markers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is in a store: all its deliveries, how many of them are absorbed, how many its groups have counted, and of which
    issues it knows that they may exist."""

    deliveries: set[int]
    absorbed: int
    counted: int
    markers: set[str]


def _found(database: Path, thorough: bool) -> _Found:
    """Raises sqlite3.DatabaseError where it is not sound."""
    connection = sqlite3.connect(str(database), isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # without the index in shared memory: only for speed
        connection.execute("PRAGMA synchronous=OFF")
        if thorough and (said := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(said)
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'deliveries'").fetchone():
            return _Found(deliveries=set(), absorbed=0, counted=0, markers=set())
        states = connection.execute("SELECT id, state FROM deliveries").fetchall()
        markers = connection.execute("SELECT marker FROM issues WHERE state IN ('intended', 'linked')").fetchall()
        counted = connection.execute("SELECT COALESCE(SUM(notifications), 0) FROM groups").fetchone()
        return _Found(
            deliveries={number for number, _ in states},
            absorbed=sum(state == "absorbed" for _, state in states),
            counted=counted[0],
            markers={marker for (marker,) in markers},
        )
    finally:
        connection.close()


def resume(folder: Path, image: Image) -> None:
    """Start the daemon on what a cut left. Raises AssertionError unless it counts every delivery in it, once."""
    folder.mkdir(parents=True)
    (folder / "token").write_text(TOKEN)
    database = folder / "syncd.db"
    lay(image, database)
    deliveries = kept(database)
    # Nobody listens there: what is filed is another proof's matter.
    with Daemon(folder, _tracker(folder, "http://127.0.0.1:9")) as daemon:
        daemon.wait_for(lambda: daemon.status()["inbox"]["waiting"] == 0, "everything to be absorbed")
        groups = daemon.groups()
    require_counts(groups, deliveries)


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """A line for the daemon as it is shipped, and one for a disk whose syncs fail before the power does. `size` is how many cuts."""
    assert (why := strace.missing()) is None, why
    shipped = cuts(folder / "shipped", size, seed)
    control = cuts(folder / "control", max(100, size // 10), seed, "NORMAL")
    yield Row(
        done="power cut at random moments; what was not synced is kept, lost, reordered or torn at 512 bytes, and new files may be gone",
        many=f"{_size(shipped)}",
        came=f"{_verdict(shipped)}; a daemon started on what was left counted right, {shipped.resumed} times of {shipped.resumed}",
        control=f"`synchronous=NORMAL`: acknowledged notifications lost in {control.lost} of {control.cuts} cuts, issues asked for "
        f"and forgotten in {control.forgotten}",
        ok=shipped.sound and control.lost > 0 and control.forgotten > 0,
    )
    failing = cuts(folder / "failing", max(100, size // 10), seed, inject=FAILING_SYNCS)
    yield Row(
        done="the same after syncs that failed with EIO, whose pages the kernel then takes for clean and never writes",
        many=f"{_size(failing)}, {failing.faults} of the syncs failed",
        came=f"{_verdict(failing)}; a daemon started on what was left counted right, {failing.resumed} times of {failing.resumed}",
        ok=failing.sound and failing.faults > 0,
    )


def _size(result: Result) -> str:
    return (
        f"{result.cuts:,} cuts in {result.recordings} recorded lives: {result.writes:,} writes, {result.syncs:,} syncs, "
        f"{result.acknowledged:,} notifications acknowledged, {result.asked} issues asked for"
    )


def _verdict(result: Result) -> str:
    return (
        f"acknowledged notifications lost in {result.lost} cuts, issues asked for and forgotten in {result.forgotten}, "
        f"database damaged in {result.corrupt}, counted in part in {result.half}{result.words and f' ({result.words})'}"
    )


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
        print("\n".join(filter(None, row[:4])), flush=True)
