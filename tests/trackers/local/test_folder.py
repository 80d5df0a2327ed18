"""What the clients of one folder share: readings of its names, and flushes of its entries."""

import errno
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.platform.clock import Clock
from syncd.trackers.local.folder import Folder, shared
from tests.trackers.local.parts import draft, names, tracker

PATIENCE_SECONDS = 30.0


@dataclass
class Ticking(Clock):
    """Each look at it takes a second."""

    now: float = 1000.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


def test_a_large_folder_is_not_read_for_each_new_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, clock, real, readings = Folder(tmp_path), Ticking(), os.listdir, list[Path]()

    def listed(path: Path) -> list[str]:
        readings.append(path)
        return real(path)

    monkeypatch.setattr(os, "listdir", listed)
    (tmp_path / "crash-00000001.md").touch()

    assert folder.may_have("00000001", clock)
    assert not any(folder.may_have(f"1000{number:04x}", clock) for number in range(15))
    assert len(readings) == 1

    (tmp_path / "crash-00000002.md").touch()  # by another process
    assert not folder.may_have("00000002", clock)
    folder.announce("00000003")
    assert folder.may_have("00000003", clock)

    clock.now += 20.0
    assert folder.may_have("00000002", clock)
    assert len(readings) == 2


def test_a_digest_is_announced_before_its_file_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may read the folder between the two."""
    notes, present, real = tracker(tmp_path), list[str](), Folder.announce

    def announced(folder: Folder, digest: str) -> None:
        present.extend(["announced", *names(tmp_path)])
        real(folder, digest)

    monkeypatch.setattr(Folder, "announce", announced)

    created = notes.create(draft())

    assert "announced" in present
    assert created.remote_id not in present


class _Disk:
    """Flushes that wait for the test, which makes them fail or end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = threading.Semaphore(0)
        self._ends: list[Future[None]] = []
        self._real = os.fsync
        monkeypatch.setattr(os, "fsync", self._sync)

    def _sync(self, descriptor: int) -> None:
        end = Future[None]()
        self._ends.append(end)
        self.begun.release()
        end.result(PATIENCE_SECONDS)
        self._real(descriptor)

    def wait(self) -> None:
        assert self.begun.acquire(timeout=PATIENCE_SECONDS)

    @property
    def flushes(self) -> int:
        return len(self._ends)

    def end(self, error: OSError | None = None) -> None:
        self._ends[-1].set_exception(error) if error else self._ends[-1].set_result(None)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> _Disk:
    return _Disk(monkeypatch)


def _waiting(folder: Folder, pool: ThreadPoolExecutor, callers: int) -> list[Future[None]]:
    """So many callers who wait for a flush that is under way."""
    waits = [pool.submit(folder.flush) for _ in range(callers)]
    while len(folder._flushed._waiters) < callers:  # type: ignore[attr-defined]
        threading.Event().wait(0.001)
    return waits


def test_who_comes_during_a_flush_shares_the_next(tmp_path: Path, disk: _Disk) -> None:
    folder = Folder(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(folder.flush)
        disk.wait()
        later = _waiting(folder, pool, 5)

        disk.end()
        first.result(PATIENCE_SECONDS)
        disk.wait()
        assert not any(wait.done() for wait in later), "the flush before theirs may lack their entries"

        disk.end()
        for wait in later:
            wait.result(PATIENCE_SECONDS)
    assert disk.flushes == 2


def test_a_flush_that_fails_fails_for_all_who_share_it_and_for_nobody_else(tmp_path: Path, disk: _Disk) -> None:
    folder = Folder(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(folder.flush)
        disk.wait()
        later = _waiting(folder, pool, 3)
        disk.end()
        first.result(PATIENCE_SECONDS)
        disk.wait()
        disk.end(OSError(errno.EIO, os.strerror(errno.EIO)))
        for wait in later:
            with pytest.raises(OSError, match="Input/output error"):
                wait.result(PATIENCE_SECONDS)

        after = pool.submit(folder.flush)
        disk.wait()
        disk.end()
        after.result(PATIENCE_SECONDS)


def test_clients_of_a_folder_share_what_they_know_of_it(tmp_path: Path) -> None:
    assert shared(tmp_path) is not shared(tmp_path / "other")
    first = shared(tmp_path)
    assert shared(tmp_path) is first
