"""A backup takes the place of its store after more issues were filed: nothing is filed twice, and every group has its issue."""

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import Server
from tests.prove.crashes import crash, fingerprint, tally
from tests.prove.report import Row
from tests.system.daemon import Daemon
from tests.system.kinds import KINDS, opened

GROUPS = 12
UNSWEPT = "tests.prove.unswept"  # the program that does not read what lies above the highest number that it knows
_SETTINGS = 'timeout = "1s"\nprobe_after = ["2s", "4s", "6s"]\nconcurrency = 2\nwrites = []\n'


@dataclass(kw_only=True)
class Restored:
    """The result of all restores: issues in the tracker, second issues of a group, groups without one, and links that differ from those
    before the restore."""

    restores: int = 0
    issues: int = 0
    doubles: int = 0
    missing: int = 0
    changed: int = 0

    @property
    def sound(self) -> bool:
        """True if every group has exactly the issue that it had before."""
        return not (self.doubles or self.missing or self.changed)


class _File:
    """A daemon on a file."""

    def __init__(self, folder: Path, toml: str) -> None:
        self.daemon = Daemon(folder, toml)
        self._backup = folder / "backup.db"

    def back_up(self) -> None:
        """Copy the store while the daemon runs."""
        self._backup.unlink(missing_ok=True)
        self.daemon.syncd("backup", str(self._backup))

    def restore(self) -> None:
        """Put the copy in the place of the store."""
        self.daemon.syncd("restore", str(self._backup))

    def close(self) -> None:
        """Nothing is open."""


class _Server:
    """A daemon on a PostgreSQL server."""

    def __init__(self, folder: Path, toml: str) -> None:
        self._folder, self._toml = folder, toml
        self._homes = [Path(tempfile.mkdtemp(prefix="syncd-pg-"))]
        self._server = self._copy = Server(self._homes[0]).make().start()
        self.daemon = self._daemon()

    def _daemon(self) -> Daemon:
        return Daemon(self._folder, self._toml, store=self._server.url("postgres"))

    def back_up(self) -> None:
        """Take a base backup while the daemon runs."""
        self._homes.append(Path(tempfile.mkdtemp(prefix="syncd-pg-")))
        self._copy = self._server.copy(self._homes[-1])

    def restore(self) -> None:
        """Start a server on the base backup."""
        self._server.stop()
        self._server = self._copy.start()
        self.daemon = self._daemon()

    def close(self) -> None:
        """End the server."""
        self._server.stop(signal.SIGQUIT)
        for home in self._homes:
            shutil.rmtree(home, ignore_errors=True)


def restore_often(
    kind: str, folder: Path, times: int, seed: int, program: str = "syncd", *, shared: bool = False
) -> Restored:
    """Restore a backup `times` times, each taken at a random moment while notifications arrive and issues are filed. The store is on a
    PostgreSQL server if it is `shared`."""
    result, chance = Restored(), random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with opened(kind, folder) as tracker, ExitStack() as stack:
        place = (_Server if shared else _File)(folder, tracker.toml("" if kind == "local" else _SETTINGS))
        stack.callback(place.close)
        for number in range(times):
            names = range(number * GROUPS, (number + 1) * GROUPS)
            _run(place.daemon, program)
            split = chance.randint(1, GROUPS - 2)
            place.daemon.send_all([crash(name) for name in names[:split]])
            time.sleep(chance.uniform(0.0, 0.5))
            place.back_up()
            place.daemon.send_all([crash(name) for name in names[split:]])
            place.daemon.drain()
            before = _keys(place.daemon)
            (place.daemon.kill if chance.random() < 0.5 else place.daemon.stop)()
            place.restore()
            _run(place.daemon, program)
            place.daemon.send_all([crash(name, 5) for name in range((number + 1) * GROUPS)])
            place.daemon.drain()
            after = _keys(place.daemon)
            place.daemon.stop()
            result.restores += 1
            result.changed += sum(after.get(name) != key for name, key in before.items())
            result.missing += sum(key is None for key in after.values()) + (number + 1) * GROUPS - len(after)
        counted = tally(map(fingerprint, range(times * GROUPS)), tracker.texts())
        result.issues, result.doubles = counted.issues, counted.doubles
        result.missing += counted.missing
    return result


def run_both(kind: str, folder: Path, *options: str) -> tuple[int, int]:
    """Run a copy of a store, made with these options of `syncd backup`, beside the store: both receive the same new crashes. Return the
    number of issues, and of second issues."""
    copy, place = folder / "copy.db", folder / "copy"
    place.mkdir(parents=True)
    with opened(kind, folder) as tracker:
        toml = tracker.toml("" if kind == "local" else _SETTINGS)
        original, clone = Daemon(folder, toml), Daemon(place, toml)
        with original:
            original.send_all([crash(name) for name in range(GROUPS)])
            original.drain()
            original.syncd("backup", str(copy), *options)
            clone.syncd("restore", str(copy))
            with clone:
                # Each reads what lies above the highest number that it knows, and for some seconds not again.
                original.send(crash(2 * GROUPS))
                original.drain()
                clone.send(crash(2 * GROUPS + 1))
                clone.wait_for(lambda: _has_judged(clone, GROUPS + 1) or None, "the copy to judge a group of its own")
                crashes = [crash(name, 5) for name in range(2 * GROUPS)]
                with ThreadPoolExecutor(2) as pool:
                    list(pool.map(lambda daemon: daemon.send_all(crashes), (original, clone)))
                original.drain()
                clone.wait_for(lambda: _has_judged(clone, 2 * GROUPS + 1) or None, "the copy to judge every group")
                original.drain()
        counted = tally(map(fingerprint, range(2 * GROUPS)), tracker.texts())
    return counted.issues, counted.doubles


def _has_judged(daemon: Daemon, groups: int) -> bool:
    decided = [group for group in daemon.groups().values() if group["decision"] is not None]
    return len(decided) == groups and not daemon.status()["inbox"]["waiting"]


def _run(daemon: Daemon, program: str) -> None:
    daemon.spawn(("-m", program))
    daemon.wait_for(daemon.listens, "the daemon to listen")


def _keys(daemon: Daemon) -> dict[str, str | None]:
    """The key of each group's issue, by fingerprint."""
    return {name: (group["issue"] or {}).get("key") for name, group in daemon.groups().items()}


def run(folder: Path, seed: int, size: int) -> Iterator[Row]:
    """One row for each kind of tracker, and one for PostgreSQL; and for each kind one of a copy beside its store. `size` is the number of
    restores."""
    for kind, shared in [*((kind, False) for kind in KINDS), ("github", True)]:
        name = f"{kind}{' with PostgreSQL' if shared else ''}"
        restored = restore_often(kind, folder / name.replace(" ", "-"), size, seed, shared=shared)
        control, ok = "none: a repeated create finds the file with its marker and does no harm", restored.sound
        if kind != "local":
            without = restore_often(kind, folder / f"{name.replace(' ', '-')}-control", 1, seed, UNSWEPT, shared=shared)
            control = f"a daemon that does not read them: {without.doubles} second issues after one restore"
            ok = ok and without.doubles > 0
        yield Row(
            action=f"a backup of a random moment takes the place of the store, after more issues were filed ({name})",
            scale=f"{restored.restores} restores, {restored.issues} issues",
            result=f"{restored.doubles} second issues, {restored.missing} groups without one, {restored.changed} groups with another one",
            control=control,
            ok=ok,
        )
    for kind in KINDS:
        issues, doubles = run_both(kind, folder / f"{kind}-detached", "--detached")
        control, ok = "none: a repeated create finds the file with its marker and does no harm", not doubles
        if kind != "local":
            _, second = run_both(kind, folder / f"{kind}-attached")
            control = f"a backup that is not detached: {second} second issues"
            ok = ok and second > 0
        yield Row(
            action=f"a daemon on a detached copy runs beside that on its store, and both receive the same new crashes ({kind})",
            scale=f"{issues} issues",
            result=f"{doubles} second issues",
            control=control,
            ok=ok and issues == 2 * GROUPS + 1,
        )
